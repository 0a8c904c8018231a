export HOME=/tmp GIT_PAGER=cat
git init -q -b main /tmp/repository
cd /tmp/repository
perl -e "$1" | git fast-import --quiet
git repack -q -a -d
echo begin
git log --stat | cksum
git rev-list --objects --all | wc -l
git log -p --format=%s -- part3 | cksum
git shortlog -s -n main | head -3
git blame main -- part7/file7.txt | cksum
echo end
