"""burn.c in Python, whose threads take turns: workers are processes.

burn.py ITERATIONS THREADS PROCESSES
"""

import os
import sys
import time

iterations, workers = int(sys.argv[1]), int(sys.argv[2]) * int(sys.argv[3])
begin = time.monotonic()
before = time.process_time()
first = True
for _ in range(1, workers):
    if os.fork() == 0:
        first = False
        before = 0
        break
x = 1.0
for _ in range(iterations):
    x = x * 0.9999999 + 1e-7
used = time.process_time() - before
if first:
    for _ in range(1, workers):
        os.wait()
os.write(1, b"%.6f %.6f\n" % (time.monotonic() - begin, used))
