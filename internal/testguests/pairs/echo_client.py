"""echo_client.py HOST PORT CLIENTS: connections at the same time to an echo server."""
import socket
import sys
import threading

host, port, clients = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
lines = [None] * clients


def talk(i):
    with socket.create_connection((host, port)) as s:
        back = []
        with s.makefile("rw", newline="\n") as f:
            for word in ("hello", "from", str(i)):
                f.write(word + "\n")
                f.flush()
                back.append(f.readline().strip())
        lines[i] = " ".join(back)


threads = [threading.Thread(target=talk, args=(i,)) for i in range(clients)]
for t in threads:
    t.start()
for t in threads:
    t.join()
print("\n".join(lines))
