perl -e "$1" > /tmp/data
export LC_ALL=C
echo begin
sort -k 2,3 /tmp/data | awk '{ lines[$2]++; sum += $1; letters += length($3) } END { for (word in lines) if (lines[word] > most) most = lines[word]; print NR, sum, letters, most }'
echo end
