#!/bin/sh
# session.sh NAME MPIRUN...: compiles the program and starts it on all hosts.
set -e
name=$1
shift
install -m 600 -D $SIMTERPOSE_EXPERIMENT_DIR/key ~/.ssh/id_ed25519
printf 'StrictHostKeyChecking no\nLogLevel ERROR\n' > ~/.ssh/config
seq -f node-%g 8 > hosts
exec "$@" -n 8 $SIMTERPOSE_EXPERIMENT_DIR/$name
