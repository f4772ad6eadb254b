"""burn.c in Python, whose threads take turns: workers are processes.

burn.py ITERATIONS THREADS PROCESSES
"""

import os
import sys
import time

PARTS = 20
iterations, workers = int(sys.argv[1]), int(sys.argv[2]) * int(sys.argv[3])
all = time.process_time()
begin = time.monotonic()
first = True
for _ in range(1, workers):
    if os.fork() == 0:
        first = False
        all = 0
        begin = time.monotonic()
        break
x = 0.5
least = 1e9
before = start = time.process_time()
for _ in range(PARTS):
    for _ in range(iterations // PARTS):
        x = x * 0.9999999 + 1e-7
    after = time.process_time()
    least = min(least, after - before)
    before = after
end = time.monotonic()
text = b"worker %.6f %.6f %.6f %.6f\nprocess %.6f\n" % (
    begin, end, before - start, least * PARTS, time.process_time() - all)
if first:
    for _ in range(1, workers):
        os.wait()
os.write(1, text)
os._exit(0)
