import asyncio


async def serve(reader, writer):
    while line := await reader.readline():
        await asyncio.sleep(float(line))
        writer.write(b"slept " + line)
        await writer.drain()
    writer.close()


async def main():
    server = await asyncio.start_server(serve, "0.0.0.0", 7000)
    async with server:
        await server.serve_forever()


asyncio.run(main())
