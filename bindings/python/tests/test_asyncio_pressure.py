"""Who does not read holds back who sends, and nobody's memory grows meanwhile: in the clear and over TLS."""

import asyncio
import os
import unittest
from pathlib import Path

from ferrion import Message
from ferrion.asyncio import *
from ferrion.engine import Accepted, SessionConfig
from loops import PATIENCE
from test_asyncio import Served
from test_asyncio_tls import client_context, server_context

#: All of them are more than sockets and windows take.
COUNT = 300
BODY = bytes(100_000)
#: What may wait to be taken; the last message and the last frame come on top.
WINDOW = 1_000_000


def memory():
    """Octets that this process has in use; where there is nothing that says so, none."""
    status = Path("/proc/self/status")
    lines = status.read_text().splitlines() if status.exists() else []
    return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmRSS:"))


class InTheClear(Served):
    def transports(self):
        """What both sides say about TLS."""
        return {}, {}

    async def still(self, number, is_held):
        """Waits until somebody is held back, and something that grew does so no more."""
        while not is_held():
            await asyncio.sleep(0.01)
        was = -1
        while number() != was:
            was = number()
            await asyncio.sleep(0.1)
        return was

    async def meet(self, on_link):
        server, client = self.transports()
        session = SessionConfig(incoming_octets=WINDOW)
        return await self.connect(await self.serve(on_link, session=session, **server), session=session, **client)

    async def test_a_consumer_that_takes_nothing_holds_its_sender_back(self):
        links, start = [], asyncio.Event()

        async def on_link(link):
            links.append(link)
            link.accept(credit=10 * COUNT)
            await start.wait()
            number = 0
            async for delivery in link:
                self.assertEqual(len(delivery.message.body), len(BODY))
                delivery.accept()
                number += 1

        connection = await self.meet(on_link)
        self.addCleanup(start.set)
        sender = await connection.attach_sender("queue")
        posted = []

        async def post():
            message = Message(body=BODY).encode()
            for _ in range(COUNT):
                posted.append(await sender.post(message))

        before = memory()
        posting = asyncio.ensure_future(post())
        await self.still(
            lambda: len(posted) + links[0].link.waiting, lambda: links[0].link.waiting > 1 and sender._turns.is_busy
        )
        self.assertFalse(posting.done())
        self.assertLess(links[0].link.waiting * len(BODY), 2 * WINDOW)
        self.assertLess(memory() - before, COUNT * len(BODY) / 2)
        start.set()
        await asyncio.wait_for(posting, PATIENCE)
        outcomes = await asyncio.wait_for(asyncio.gather(*posted), PATIENCE)
        self.assertEqual(outcomes, [Accepted()] * COUNT)

    async def test_a_client_that_takes_nothing_holds_a_server_back(self):
        links, sent = [], []

        async def on_link(link):
            links.append(link)
            link.accept()
            message = Message(body=BODY).encode()
            for _ in range(COUNT):
                sent.append(await link.post(message))
            await asyncio.gather(*sent)

        connection = await self.meet(on_link)
        receiver = await connection.attach_receiver("source", credit=10 * COUNT)
        before = memory()
        await self.still(
            lambda: len(sent) + receiver.link.waiting, lambda: receiver.link.waiting > 1 and links[0]._turns.is_busy
        )
        self.assertLess(len(sent), COUNT)
        self.assertLess(receiver.link.waiting * len(BODY), 2 * WINDOW)
        self.assertLess(memory() - before, COUNT * len(BODY) / 2)
        for _ in range(COUNT):
            (await asyncio.wait_for(receiver.receive(), PATIENCE)).accept()
        await asyncio.wait_for(receiver.closed(), PATIENCE)
        self.assertEqual([future.result() for future in sent], [Accepted()] * COUNT)

    async def test_a_peer_that_does_not_read_holds_a_sender_back(self):
        reads = asyncio.Event()
        self.addCleanup(reads.set)

        async def on_link(link):
            link.accept(credit=10 * COUNT)
            link.connection.transport.pause_reading()
            await reads.wait()
            link.connection.transport.resume_reading()
            async for delivery in link:
                delivery.accept()

        connection = await self.meet(on_link)
        sender = await connection.attach_sender("queue")
        message = Message(body=BODY).encode()
        # As many tasks as there are messages: all of them wait.
        sending = [asyncio.ensure_future(sender.send(message)) for _ in range(COUNT)]
        before = memory()
        unsettled = await self.still(lambda: sender.unsettled, lambda: sender.unsettled > 1 and sender._turns.is_busy)
        self.assertLess(unsettled, COUNT)
        self.assertLess(memory() - before, COUNT * len(BODY) / 2)
        self.assertLess(connection.transport.get_write_buffer_size(), 4_000_000)
        reads.set()
        self.assertEqual(await asyncio.wait_for(asyncio.gather(*sending), PATIENCE), [Accepted()] * COUNT)


@unittest.skipUnless(os.environ.get("FERRION_TEST_PKI"), "FERRION_TEST_PKI names no folder of certificates")
class OverTls(InTheClear):
    def transports(self):
        return {"ssl": server_context()}, {"ssl": client_context()}


if __name__ == "__main__":
    unittest.main()
