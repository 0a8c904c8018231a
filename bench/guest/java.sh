echo begin
for n in 1 2 3; do java -version 2>&1; done
echo end
