#!/bin/sh
# Runs pgbench on the primary and compares what both servers then hold.
set -e
export PGUSER=postgres
ask() {
	psql -h "$1" -Atc "$2"
}
ask primary 'select state, sync_state from pg_stat_replication'
ask standby 'select pg_is_in_recovery()'
pgbench -h primary -i -s 1 -q postgres 2>/dev/null
pgbench -h primary -c 4 -t 50 -n postgres 2>/dev/null |
	grep -E '^(number of transactions|latency average|tps)'
sum="select count(*), sum(abalance), (select sum(delta) from pgbench_history) from pgbench_accounts"
last=$(ask primary 'select pg_current_wal_lsn()')
until [ "$(ask standby "select pg_last_wal_replay_lsn() >= '$last'")" = t ]; do
	sleep 0.1
done
[ "$(ask primary "$sum")" = "$(ask standby "$sum")" ] && echo equal
ask standby 'create table t ()' 2>&1 || true
