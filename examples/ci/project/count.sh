#!/bin/sh
# Counts the words of its input, the most frequent first.
tr -cs 'A-Za-z' '\n' | sort | uniq -c | sort -k1,1nr -k2 | awk '{ print $2, $1 }'
