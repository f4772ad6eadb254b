#!/bin/bash
# Files' times: make, find -newer, test -nt, touch and date -r agree with the clock.
pause() { sleep 0.05; }
echo make
printf 'all: out\nout: in\n\tcp in out\n\t@echo made\n' > Makefile
echo 1 > in
make -s
make -s
pause; echo 2 > in
make -s
make -s
pause; touch out; make -s
pause; touch -r Makefile out; make -s

echo "find and test"
echo a > a; pause; echo b > b; pause; mkdir c; pause; echo d > c/d
find . -newer a -name '[a-d]' | sort
find . -newer b -name '[a-d]' | sort
[ b -nt a ] && [ c -nt b ] && [ ! a -nt b ] && echo newer
pause; echo more >> a
[ a -nt c/d ] && echo written
pause; rm c/d
[ c -nt a ] && echo "a folder changes when a file goes"
pause; cp -p a copy; [ copy -nt a ] || [ a -nt copy ] || echo "a copy keeps the time"
pause; mv b moved; [ a -nt moved ] && echo "so does what is moved"
pause; chmod 600 a; [ "$(stat -c %Z a)" -ge "$(stat -c %Y a)" ] && echo "chmod changes the other time"
pause; exec 5>>open; echo x >&5; pause; [ open -nt a ] && echo "also while it is open"

echo "the clock"
before=$(date +%s); touch now; after=$(date +%s); told=$(date -r now +%s)
[ "$told" -ge $((before - 1)) ] && [ "$told" -le "$after" ] && echo "date -r"
touch -d '2035-06-07 08:09:10 UTC' later
TZ=UTC date -r later +%FT%T
[ later -nt now ] && echo later
echo x > later; [ later -nt now ] && [ "$(date -r later +%Y)" -lt 2035 ] && echo "written again"
[ "$(stat -c %Y /etc/passwd)" -le "$before" ] && echo "what was there before is older"
