as_postgres() { setpriv --reuid=postgres --regid=postgres --clear-groups "$@"; }
{
  as_postgres initdb --no-sync --auth trust --pgdata /tmp/data
  as_postgres pg_ctl --pgdata /tmp/data --options '-k /tmp -c listen_addresses=' --wait start
} > /tmp/server.log 2>&1 || cat /tmp/server.log
echo begin
pgbench --host /tmp --username postgres --initialize postgres > /tmp/pgbench.log 2>&1 || cat /tmp/pgbench.log
pgbench --host /tmp --username postgres --transactions 1000 postgres 2>&1 | sed -n '/actually processed/p'
echo end
