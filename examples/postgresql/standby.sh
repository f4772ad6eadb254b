#!/bin/sh
# Makes a cluster, replaces its data by a copy of the primary's, and follows that.
set -e
data=/var/lib/postgresql/15/sim
pg_createcluster --port 5432 --pgoption ssl=off 15 sim >/dev/null
echo "listen_addresses = '*'" >>/etc/postgresql/15/sim/postgresql.conf
echo 'host all postgres samenet trust' >>/etc/postgresql/15/sim/pg_hba.conf
find $data -mindepth 1 -delete
setpriv --reuid postgres --regid postgres --init-groups pg_basebackup -h primary -U postgres -R -D $data
exec pg_ctlcluster --foreground 15 sim start
