"""Python's ways to start and end other programs."""
import concurrent.futures
import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time


def square(n):
    return n * n


def put(queue, n):
    queue.put(n * 10)


def pipes():
    print(subprocess.run(["printf", "a b"], capture_output=True, text=True).stdout)
    print(subprocess.run("exit 3", shell=True).returncode)
    p = subprocess.Popen(["cat"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    out, _ = p.communicate(b"x" * 300000)
    print(len(out), p.returncode)
    first = subprocess.Popen(["printf", "c\\na\\nb\\n"], stdout=subprocess.PIPE)
    second = subprocess.Popen(["sort"], stdin=first.stdout, stdout=subprocess.PIPE, text=True)
    first.stdout.close()
    print(second.communicate()[0].split(), first.wait())


def timeouts():
    start = time.monotonic()
    try:
        subprocess.run(["sleep", "100"], timeout=0.3)
    except subprocess.TimeoutExpired:
        print("timeout", 0.3 <= time.monotonic() - start < 10)
    p = subprocess.Popen(["sleep", "100"])
    p.terminate()
    print(p.wait())
    p = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(100)"], start_new_session=True)
    os.killpg(p.pid, signal.SIGKILL)
    print(p.wait())


def processes():
    for method in "fork", "spawn":
        context = multiprocessing.get_context(method)
        queue = context.Queue()
        workers = [context.Process(target=put, args=(queue, i)) for i in range(3)]
        for w in workers:
            w.start()
        print(method, sorted(queue.get() for _ in workers))
        for w in workers:
            w.join()
        print([w.exitcode for w in workers])
    with multiprocessing.Pool(3) as pool:
        print(pool.map(square, range(10)))
    lock, value = multiprocessing.Lock(), multiprocessing.Value("i", 0)
    with lock:
        value.value += 1
    print(value.value)
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        print(list(pool.map(square, range(5))))


def signals():
    got = []
    signal.signal(signal.SIGALRM, lambda s, f: got.append(s))
    signal.setitimer(signal.ITIMER_REAL, 0.05)
    signal.pause()
    print(got == [signal.SIGALRM])
    start = time.monotonic()
    signal.setitimer(signal.ITIMER_REAL, 0.05)
    time.sleep(0.2)  # goes on after the handler (PEP 475)
    print(len(got), time.monotonic() - start >= 0.2)
    threading.Timer(0.05, os.kill, (os.getpid(), signal.SIGALRM)).start()
    print(signal.sigtimedwait([signal.SIGUSR1], 0.01))
    while len(got) < 3:
        time.sleep(0.01)
    print(len(got))


if __name__ == "__main__":
    for part in pipes, timeouts, processes, signals:
        print(part.__name__)
        sys.stdout.flush()
        part()
