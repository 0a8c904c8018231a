echo "$1" | base64 -d > /tmp/writer
chmod +x /tmp/writer
echo begin
/tmp/writer "$2"
echo end
