as_postgres() { setpriv --reuid=postgres --regid=postgres --clear-groups "$@"; }
echo begin
as_postgres initdb --no-sync --auth trust --pgdata /tmp/data > /tmp/initdb.log 2>&1 || cat /tmp/initdb.log
echo end
