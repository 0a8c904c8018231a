# Keeps $1 files in a repository, in three ways of storing them.
set -e
export HOME=/tmp
mkdir repository && cd repository
git init -q -b main
git config user.name a
git config user.email a@a
git config maintenance.auto false
mkdir d0 d1 d2 d3 d4 d5 d6 d7 d8 d9
awk -v n="$1" 'BEGIN { for (i = 0; i < n; i++) { f = "d" i % 10 "/file" i; print "content", i > f; close(f) } }'
git add .
git commit -q -m first
git write-tree
echo changed > d3/file3
git mv d4/file4 moved
git status --porcelain
git commit -q -a -m second
git gc -q
git fsck --strict --no-progress
git checkout -q HEAD~1
git status --porcelain
git write-tree
git ls-files | wc -l
