#!/bin/sh
# Makes a cluster (Debian's word for a server's databases) and starts it: without TLS,
# which Debian turns on only where the caller may read the machine's key.
set -e
pg_createcluster --port 5432 --pgoption ssl=off 15 sim >/dev/null
echo "listen_addresses = '*'" >>/etc/postgresql/15/sim/postgresql.conf
echo 'host all,replication postgres samenet trust' >>/etc/postgresql/15/sim/pg_hba.conf
exec pg_ctlcluster --foreground 15 sim start
