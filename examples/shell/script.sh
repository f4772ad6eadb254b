hostname
date -u +%FT%TZ
seq 5 | sort -r | tr '\n' ' ' && echo
sleep 3600; date -u +%FT%TZ
for i in 3 1 2; do (sleep $i; echo job $i) & done; wait
trap 'echo trapped' USR1; kill -USR1 $$
timeout 5 sleep 100; echo timeout says $?
date -u +%FT%TZ
getent hosts beta
ip -brief -4 addr show eth0 | tr -s ' '
ping -4 -c 3 beta
