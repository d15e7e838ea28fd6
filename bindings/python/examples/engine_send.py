"""Sends texts over a connection of an asyncio loop, all at the same time, and tells what became of each.

python engine_send.py HOST PORT ADDRESS TEXT...
"""

import asyncio
import sys

from ferrion import Message
from ferrion.asyncio import connect


async def main(host: str, port: str, address: str, *texts: str) -> None:
    async with await connect(host, int(port)) as connection:
        async with await connection.attach_sender(address) as sender:
            outcomes = await asyncio.gather(*(sender.send(Message(body=text)) for text in texts))
    for text, outcome in zip(texts, outcomes):
        print(f"{text}: {outcome}")


asyncio.run(main(*sys.argv[1:]))
