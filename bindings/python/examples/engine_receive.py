"""Listens on a port of this machine and prints the texts that arrive, in an asyncio loop.

python engine_receive.py PORT COUNT         # port 0 takes a free one; ends after COUNT messages
"""

import asyncio
import sys

from ferrion.asyncio import Link, Receiver, serve


async def main(port: int, count: int) -> None:
    left, done = count, asyncio.Event()

    async def on_link(link: Link) -> None:
        nonlocal left
        if not isinstance(link, Receiver):
            return link.refuse("amqp:not-allowed", "there is nothing to be had here")
        link.accept(credit=100)
        async for delivery in link:
            print(delivery.message.body)
            delivery.accept()
            left -= 1
            if left == 0:
                done.set()

    async with await serve(on_link, "127.0.0.1", port) as server:
        print("listening on port", server.port)
        await done.wait()


asyncio.run(main(int(sys.argv[1]), int(sys.argv[2])))
