"""Echoes what it gets and counts it in a file."""

import socket

COUNT = "/var/lib/count"

listener = socket.create_server(("", 80))
try:
    with open(COUNT) as f:
        print("counted before:", len(f.read()), flush=True)
except FileNotFoundError:
    print("nothing counted before", flush=True)
while True:
    connection, _ = listener.accept()
    while data := connection.recv(100):
        try:
            with open(COUNT, "ab") as f:
                f.write(data)
        except OSError as e:
            data = e.strerror.encode()
        try:
            connection.sendall(data)
        except OSError as e:
            print(e.strerror, flush=True)
            break
    connection.close()
