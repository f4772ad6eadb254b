import asyncio
import time


async def ask(seconds, deadline):
    begin = time.monotonic()
    reader, writer = await asyncio.open_connection("server", 7000)
    writer.write(b"%s\n" % seconds.encode())
    try:
        answer = await asyncio.wait_for(reader.readline(), deadline)
        return answer.decode().strip(), round(time.monotonic() - begin, 3)
    except asyncio.TimeoutError:
        return "deadline", round(time.monotonic() - begin, 3)
    finally:
        writer.close()


async def main():
    for result in await asyncio.gather(ask("1", 5), ask("2.5", 5), ask("60", 5)):
        print(*result)


asyncio.run(main())
