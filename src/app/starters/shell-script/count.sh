#!/bin/sh
# Counts the words of a text, the most frequent first.
# Save it with Ctrl-S, and run it in the terminal: ./count.sh
tr -cs '[:alpha:]' '\n' < words.txt | tr '[:upper:]' '[:lower:]' |
  sort | uniq -c | sort -rn | head -n 5
