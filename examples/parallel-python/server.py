"""Gives out ranges of numbers to workers on other hosts, by the queues of a
multiprocessing manager, and adds up what they find."""

import threading
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.managers import BaseManager
from queue import Queue

tasks, results = Queue(), Queue()


class Register:
    """An object that lives here and whose methods workers call."""

    def __init__(self):
        self._lock = threading.Lock()
        self._names = []

    def arrive(self, name):
        with self._lock:
            self._names.append(name)
            return len(self._names)

    def names(self):
        with self._lock:
            return sorted(self._names)


register = Register()


class Manager(BaseManager):
    pass


Manager.register("tasks", callable=lambda: tasks)
Manager.register("results", callable=lambda: results)
Manager.register("register", callable=lambda: register)

CHUNK, CHUNKS, WORKERS = 500, 40, 4

if __name__ == "__main__":
    server = Manager(address=("", 50000), authkey=b"simulated").get_server()
    threading.Thread(target=server.serve_forever, daemon=True).start()

    for i in range(CHUNKS):
        tasks.put((i * CHUNK, (i + 1) * CHUNK))
    found, shares = 0, {}
    for _ in range(CHUNKS):
        name, count = results.get()
        found += count
        shares[name] = shares.get(name, 0) + 1
    for _ in range(WORKERS):
        tasks.put(None)
    # Each worker says goodbye with what its own pool of processes computed.
    goodbyes = sorted(results.get() for _ in range(WORKERS))
    print("primes below", CHUNK * CHUNKS, "are", found)
    print("workers", *register.names())
    print("each did some:", all(shares[name] for name in register.names()))
    for name, total in goodbyes:
        print(name, "adds up to", total)
    with ThreadPoolExecutor(4) as pool:
        print("squares", *pool.map(lambda n: n * n, range(8)))
