#!/bin/bash
# Makes a cluster of six nodes, writes keys to it, ends the primary of one of
# them, and reads all keys again from the replica that took its place.
set -u
nodes=
for i in 1 2 3 4 5 6; do
	nodes="$nodes $(getent ahostsv4 node-$i | awk 'NR == 1 { print $1 }'):6379"
done
redis-cli --cluster create $nodes --cluster-replicas 1 --cluster-yes | grep '^\[OK\]'

cli="redis-cli -c -h node-1"
ok() {
	[ "$($cli cluster info | grep -c cluster_state:ok)" = 1 ]
}
until ok; do
	sleep 0.1
done
keys=$(seq -f 'key-%g' 60)
for key in $keys; do
	$cli set $key "value of $key" >/dev/null
done
echo "keys on the primaries:"
for i in 1 2 3; do
	redis-cli -h node-$i dbsize
done
redis-cli -h node-1 wait 1 1000 >/dev/null

redis-cli -h node-2 shutdown nosave
until ok && [ "$($cli cluster nodes | grep -c 'master - .* connected')" = 3 ]; do
	sleep 1
done
read=0
for key in $keys; do
	[ "$($cli get $key)" = "value of $key" ] && read=$((read + 1))
done
echo "read again: $read"
$cli cluster info | tr -d '\r' | grep -E '^cluster_(state|slots_ok|known_nodes|size)'
