# Unpacks packages of 20 files as npm does, $1 files in all, in one staging folder after the other.
set -e
mkdir -p modules/.bin
awk -v n="$1" 'BEGIN { for (i = 0; i < n / 20; i++) {
  staged = "modules/.package" i "-tmp"
  print "mkdir -p " staged "/lib/deep"
  for (j = 0; j < 20; j++) print "echo " i " " j " > " staged "/lib/" (j % 2 ? "deep/" : "") "file" j ".js"
  print "chmod 755 " staged "/lib/file0.js; mv " staged " modules/package" i
  print "ln -s ../package" i "/lib/file0.js modules/.bin/package" i
} }' | sh
find modules -type f | wc -l
find modules -type f -exec cat {} + | sort | cksum
cat modules/.bin/* | cksum
find modules -perm 755 -type f | wc -l
cp -a modules copy && diff -r modules copy
rm -r modules copy && ls -A
