#!/bin/bash
# bash: pipelines, jobs, traps, here-documents, coprocesses, process substitution.
echo pipelines
seq 1 1000 | grep 7 | sort -rn | head -3
(exit 3) | true
echo "${PIPESTATUS[@]}"
set -o pipefail
false | cat; echo $?
yes | head -2

echo jobs
for i in 3 1 2; do (sleep 0.$i; echo "job $i") & done
wait
sleep 100 &
kill $!
wait $! 2>/dev/null; echo $?
(exit 9) & wait $!; echo $?
(sleep 0.1; exit 4) & first=$!
(sleep 0.3; exit 5) & second=$!
wait -n $first $second; echo $?
wait -n $second; echo $?

echo traps
trap 'echo usr1' USR1
kill -USR1 $$
(trap 'echo in subshell; exit 6' TERM; sleep 0.1; kill -TERM $BASHPID; echo not here)
echo $?
trap 'echo goodbye' EXIT
bash -c 'trap "echo int; exit 2" INT; kill -INT $$; sleep 1'
echo $?
timeout 0.2 sleep 100; echo $?
(timeout -s KILL 0.2 bash -c 'trap "" TERM; sleep 100'; echo $?) 2>/dev/null

echo redirections
cat <<END
here $((6 * 7))
END
diff <(printf 'a\nb\n') <(printf 'a\nc\n')
coproc tr a-z A-Z
echo coprocess >&"${COPROC[1]}"
exec {COPROC[1]}>&-
cat <&"${COPROC[0]}"
exec 3<>/dev/null; echo lost >&3; exec 3>&-
read -r -t 0.1 line < <(sleep 1); echo "read $?"
mkfifo jobs.fifo
(echo through fifo > jobs.fifo) & cat jobs.fifo; wait; rm jobs.fifo

echo tools
seq 1 5 | xargs -P 3 -n 1 sh -c 'sleep 0.$1; echo $1' sh
find . -maxdepth 1 -name 'nothing*' | wc -l
printf 'b\na\n' | tee >(cat >/dev/null) | sort
dd if=/dev/zero bs=1000 count=50 2>/dev/null | wc -c
flock jobs.lock -c 'echo locked'; rm jobs.lock
SECONDS=0; sleep 1; echo $((SECONDS >= 1))
