"""Asks the server once a second and tells what it sees."""

import socket
import time

begin = time.monotonic()
connection = None


def say(*words):
    print(f"{time.monotonic() - begin:.3f}", *words, flush=True)


while time.monotonic() - begin < 47:
    try:
        if connection is None:
            connection = socket.create_connection(("server", 80), timeout=5)
            connection.settimeout(3)
            say("connected")
        connection.sendall(b"x")
        answer = connection.recv(100)
        if not answer:
            raise ConnectionError("closed")
        say(answer.decode())
    except OSError as e:
        say(type(e).__name__)
        connection = None
    time.sleep(1)
