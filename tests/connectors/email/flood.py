"""A process that opens many connections from many addresses and holds them: `python -m tests.connectors.email.flood PORT COUNT`."""

import asyncio
import resource
import sys

ADDRESSES = 200
AT_ONCE = 500


async def flood(port: int, count: int) -> None:
    turns = asyncio.Semaphore(AT_ONCE)
    held: list[asyncio.StreamWriter] = []

    async def connect(number: int) -> None:
        source = (f"127.0.1.{number % ADDRESSES + 1}", 0)
        async with turns:
            _, writer = await asyncio.open_connection("127.0.0.1", port, local_addr=source)
            held.append(writer)

    await asyncio.gather(*(connect(number) for number in range(count)))
    print(len(held), flush=True)
    await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    asyncio.run(flood(int(sys.argv[1]), int(sys.argv[2])))
