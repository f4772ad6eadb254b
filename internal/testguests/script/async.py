"""asyncio: streams, datagrams, timeouts, subprocesses, signals, threads, Unix sockets."""
import asyncio
import os
import signal
import socket
import time


async def echo(reader, writer):
    while data := await reader.read(1000):
        writer.write(data)
        await writer.drain()
    writer.close()


async def streams():
    server = await asyncio.start_server(echo, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]

    async def talk(n):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"z" * n)
        writer.write_eof()
        data = await reader.read(-1)
        writer.close()
        return len(data)

    print(await asyncio.gather(*(talk(n) for n in (1, 1000, 200000, 30))))
    server.close()
    await server.wait_closed()
    if os.path.exists("async.sock"):
        os.unlink("async.sock")
    server = await asyncio.start_unix_server(echo, "async.sock")
    reader, writer = await asyncio.open_unix_connection("async.sock")
    writer.write(b"unix")
    writer.write_eof()
    print(await reader.read(-1))
    writer.close()
    server.close()
    os.unlink("async.sock")
    try:
        await asyncio.open_connection("127.0.0.1", port)
    except ConnectionRefusedError as e:
        print(type(e).__name__)


async def datagrams():
    got = asyncio.get_running_loop().create_future()

    class Receiver(asyncio.DatagramProtocol):
        def datagram_received(self, data, address):
            got.set_result((data, address[0]))

    loop = asyncio.get_running_loop()
    receiver, _ = await loop.create_datagram_endpoint(Receiver, local_addr=("127.0.0.1", 0))
    sender, _ = await loop.create_datagram_endpoint(
        asyncio.DatagramProtocol, remote_addr=receiver.get_extra_info("sockname"))
    sender.sendto(b"datagram")
    print(await got)
    sender.close()
    receiver.close()


async def timeouts():
    start = time.monotonic()
    try:
        async with asyncio.timeout(0.1):
            await asyncio.sleep(100)
    except TimeoutError:
        print("timeout", 0.1 <= time.monotonic() - start < 10)
    order = []

    async def later(name, delay):
        await asyncio.sleep(delay)
        order.append(name)

    await asyncio.gather(later("c", 0.3), later("a", 0.1), later("b", 0.2))
    print(order)
    task = asyncio.create_task(asyncio.sleep(100))
    await asyncio.sleep(0)
    task.cancel()
    print((await asyncio.gather(task, return_exceptions=True))[0].__class__.__name__)


async def processes():
    p = await asyncio.create_subprocess_exec("cat", stdin=-1, stdout=-1)
    print(await p.communicate(b"through cat"), p.returncode)
    p = await asyncio.create_subprocess_shell("sleep 0.1; exit 7")
    print(await p.wait())
    print(await asyncio.to_thread(lambda: time.sleep(0.05) or "thread"))
    got = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGUSR1, got.set)
    os.kill(os.getpid(), signal.SIGUSR1)
    await got.wait()
    print("signal")
    infos = await asyncio.get_running_loop().getaddrinfo("localhost", 80, type=socket.SOCK_STREAM)
    print(sorted(i[4][0] for i in infos)[0])


async def main():
    for part in streams, datagrams, timeouts, processes:
        print(part.__name__)
        await part()


asyncio.run(main())
