#!/bin/sh
set -e
expected='tab 2
in 1
one 1'
actual=$(echo 'one tab in tab' | sh count.sh)
test "$actual" = "$expected" || { echo "count.sh printed: $actual"; exit 1; }
echo "passed on $(uname -m)"
