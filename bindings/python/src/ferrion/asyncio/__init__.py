"""AMQP 1.0 in an asyncio loop: connections, and links to be sent to and received from with ``await``.

    async with await connect("127.0.0.1", 5672) as connection:
        sender = await connection.attach_sender("greetings")
        print(await sender.send(Message(body="Hello World!")))

    async def on_link(link):
        link.accept()
        async for delivery in link:
            print(delivery.message.body)
            delivery.accept()

    server = await serve(on_link, "127.0.0.1", 5672)

:class:`Driver` is what lies below: an :class:`asyncio.Protocol` for an engine, without an opinion on what is done with it.
"""

from __future__ import annotations

from .connection import *
from .driver import *
from .links import *
from .server import *

# All that the modules have, written out because type checkers do not compute it.
__all__ = [
    "Authenticate", "connect", "Connection", "Delivery", "Driver", "Link", "LinkClosed", "OnLink", "Receiver", "Sender",
    "serve", "Server",
]
