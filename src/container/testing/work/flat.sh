# Puts $1 files into one folder.
set -e
mkdir flat && cd flat
awk -v n="$1" 'BEGIN { for (i = 0; i < n; i++) { f = "file" i; print i > f; close(f) } }'
ls | wc -l
ls -f | sort | cksum
find . -type f -exec cat {} + | sort -n | cksum
find . -name '*[02468]' -delete
ls -f | sort | cksum
rm -r ../flat && ls -A ..
