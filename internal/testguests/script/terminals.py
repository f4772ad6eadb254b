"""Pseudoterminals under epoll, poll and select: data comes from the other side."""
import os
import select
import time
import tty


def later(act):
    """Lets a child act in a tenth of a second."""
    pid = os.fork()
    if pid == 0:
        time.sleep(0.1)
        act()
        os._exit(0)
    return pid


def say(*words):
    print(*words, flush=True)


master, slave = os.openpty()
tty.setraw(slave)
epoll = select.epoll()
epoll.register(slave, select.EPOLLIN)
say("nothing:", epoll.poll(0))
os.write(master, b"a")
say("one byte:", epoll.poll(1) == [(slave, select.EPOLLIN)], os.read(slave, 10), epoll.poll(0.01))

for name, wait in {
    "epoll": lambda: epoll.poll(10) == [(slave, select.EPOLLIN)],
    "select": lambda: select.select([slave], [], [], 10)[0] == [slave],
}.items():
    child = later(lambda: os.write(master, b"later"))
    begin = time.monotonic()
    say(name, "is woken:", wait(), os.read(slave, 10), time.monotonic() - begin < 5)
    os.waitpid(child, 0)

say("edges")
epoll.modify(slave, select.EPOLLIN | select.EPOLLET)
os.write(master, b"ab")
say("news:", len(epoll.poll(1)), os.read(slave, 10))
os.write(master, b"c")
say("more:", len(epoll.poll(1)), os.read(slave, 10))

say("the other side closes, but for a child's copy that lives a while")
child = later(lambda: None)
epoll.close()
os.close(slave)
poll = select.poll()
poll.register(master, select.POLLIN)
say("still open:", poll.poll(0))
say("hang up:", poll.poll(10000) == [(master, select.POLLHUP)])
os.waitpid(child, 0)
