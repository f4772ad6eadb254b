"""Takes ranges from the manager on the host `server` until there are no more,
then lets a pool of processes and one of threads work."""

import socket
import time
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor, as_completed
from multiprocessing.managers import BaseManager


class Manager(BaseManager):
    pass


Manager.register("tasks")
Manager.register("results")
Manager.register("register")


def primes(first, last):
    return sum(1 for n in range(max(2, first), last) if all(n % d for d in range(2, int(n**0.5) + 1)))


def cube(n):
    return n**3


def nap(n):
    time.sleep(n / 100)
    return n


if __name__ == "__main__":
    name = socket.gethostname()
    manager = Manager(address=("server", 50000), authkey=b"simulated")
    manager.connect()
    tasks, results = manager.tasks(), manager.results()
    manager.register().arrive(name)
    while (task := tasks.get()) is not None:
        results.put((name, primes(*task)))
    with ProcessPoolExecutor(2) as pool:
        total = sum(pool.map(cube, range(100)))
    with ThreadPoolExecutor(3) as pool:
        naps = [pool.submit(nap, n) for n in (30, 10, 20)]
        order = [f.result() for f in as_completed(naps)]
    assert order == [10, 20, 30], order
    results.put((name, total))
