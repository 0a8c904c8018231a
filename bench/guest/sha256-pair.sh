# Warms up, and then runs the given number of programs at a time.
perl -e "$1" > /tmp/data
sha256sum /tmp/data /tmp/data > /tmp/sums
echo begin
n=0
while [ $n -lt "$2" ]; do
	sha256sum /tmp/data /tmp/data /tmp/data /tmp/data &
	n=$((n + 1))
done
wait
echo end
