perl -e "$1" > /tmp/data
echo begin
sha256sum /tmp/data
echo end
