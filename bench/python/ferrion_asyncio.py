"""ferrion's engine in asyncio, many messages at a time."""

import asyncio

from ferrion import Message
from ferrion.asyncio import connect, serve
from ferrion.engine import Accepted
from work import HERE, WINDOW, Checksum, Clock, arguments, body, listening, received


async def receive(total):
    checksum, left, done = Checksum(), total, asyncio.Event()

    async def on_link(link):
        nonlocal left
        link.accept(credit=WINDOW)
        async for delivery in link:
            checksum.add(delivery.message.body)
            delivery.accept()
            left -= 1
        if left == 0:
            done.set()

    async with await serve(on_link, HERE, 0) as server:
        listening(server.port)
        await done.wait()
    received(checksum)


async def send(port, warm_up, count, octets):
    clock = Clock(warm_up, count)

    def accepted(outcome):
        assert outcome.result() == Accepted()
        clock.accept()

    async with await connect(HERE, port) as connection:
        async with await connection.attach_sender("queue") as sender:
            for n in range(clock.total):
                outcome = await sender.post(Message(body=body(n, octets), inferred=True))
                outcome.add_done_callback(accepted)
            await outcome
            await asyncio.sleep(0)
    clock.tell()


what, *rest = arguments()
asyncio.run(receive(*rest) if what == "receive" else send(*rest))
