"""Peers of asyncio's connections that ask for much and wait for nothing: what they leave behind, and who has a turn meanwhile."""

import asyncio
import unittest
from itertools import product

from ferrion import LimitReached, Message
from ferrion.engine import Config, Engine, EventKind, Limit, LinkState
from test_asyncio_wire import Wires

#: Links of which all fit into one read of a socket.
MANY = 2_000


def everybody():
    """A server that lets everybody in."""
    config = Config("server")
    config.offer_required(False)
    return config


class Hostile(Wires):
    async def serve(self, on_link, client=None):
        """A server's connection, and a session that its client has."""
        self.own = asyncio.all_tasks()
        await self.meet(on_link, server=everybody(), client=client)
        session = self.peer.begin()
        self.tell()
        await self.talk()
        return session

    def tasks(self):
        """How many there are that the connection began."""
        return len(asyncio.all_tasks() - self.own)

    async def test_nobody_goes_on_for_a_link_that_was_not_answered_before_it_ended(self):
        begun, ended = [], []

        async def on_link(link):
            begun.append(link.address)
            try:
                await asyncio.get_running_loop().create_future()
            finally:
                ended.append(link.address)

        ends = {
            "detach": lambda session, links: [link.close() for link in links],
            "end": lambda session, links: session.end(),
            "loss": lambda session, links: self.lose(),
        }
        for how, end in ends.items():
            with self.subTest(how):
                session = await self.serve(on_link)
                links = [session.attach_sender("in"), session.attach_receiver("out")]
                self.tell()
                await self.talk()
                self.assertEqual((begun, self.tasks()), (["in", "out"], 2))
                end(session, links)
                await self.talk()
                self.assertEqual((ended, self.tasks()), (["in", "out"], 0))
                if how != "loss":
                    self.assertEqual(self.connection.engine.census.links, 0)
                    self.lose()
                begun.clear()
                ended.clear()

    async def test_nobody_begins_for_a_link_that_ended_as_it_came(self):
        async def on_link(link):
            self.fail(f"{link} is not there")

        session = await self.serve(on_link)
        for _ in range(MANY):
            session.attach_sender("queue").close()
        self.tell()
        events = await self.talk()
        detached = [event for event in events if event.kind is EventKind.LINK_DETACHED]
        self.assertEqual((len(detached), self.connection.engine.census.links, self.tasks()), (MANY, 0, 0))

    def two_links(self):
        """Attaches of two links, as somebody says them who may have two."""
        clock = asyncio.get_running_loop().time
        own, other = Engine.client(Config("client"), clock), Engine.server(everybody(), clock)
        own.open()
        other.open()
        session = own.begin()
        for _ in range(3):
            other.receive(own.to_send())
            for event in other.events():
                if event.kind is EventKind.SESSION_BEGUN:
                    event.session.accept()
            own.receive(other.to_send())
        for name in ("a", "b"):
            session.attach_sender("queue", name=name)
        return own.to_send()

    async def test_more_links_than_their_peer_lets_there_be_cost_it_their_session(self):
        async def on_link(link):
            link.accept()
            await link.closed()

        for handler in (on_link, None):
            with self.subTest(handler):
                few = Config("client")
                few.set_limit(Limit.LINKS_PER_SESSION, 1)
                await self.serve(handler, few)
                self.peer.set_tracing()
                self.connection.data_received(self.two_links())
                await self.talk()
                (end,) = (line for line in self.peer.trace() if "<- @end" in line)
                self.assertIn("amqp:resource-limit-exceeded", end)
                self.assertEqual((self.connection.engine.census.links, self.tasks()), (0, 0))
                self.assertTrue(self.connection.engine.is_open)
                # It is told of by the handler that could not accept it, once.
                errors = [type(error["exception"]) for error in self.errors]
                self.assertEqual(errors, [LimitReached] if handler else [])
                self.errors.clear()
                self.lose()

    async def test_who_looks_after_a_link_that_was_answered_is_left_to_it(self):
        ended = []

        async def on_link(link):
            answer(link)
            await link.closed()
            await asyncio.sleep(0)
            ended.append(link)

        def resume(link):
            kept = LinkState()
            kept.config = link.link.offer()
            link.resume(kept)

        answers = (lambda link: link.accept(), lambda link: link.refuse("amqp:not-found"), resume)
        ends = (lambda session, link: link.close(), lambda session, link: session.end())
        for answer, end in product(answers, ends):
            session = await self.serve(on_link)
            link = session.attach_receiver("queue")
            self.tell()
            await self.talk()
            end(session, link)
            await self.talk()
            self.assertEqual((len(ended), self.tasks()), (1, 0))
            ended.clear()
            self.lose()

    async def attach(self, session):
        """Many links of the peer's, all of them in one read."""
        for _ in range(MANY):
            session.attach_sender("queue")
        self.assertGreater(len(self.tell()), 50 * MANY)

    async def test_others_have_their_turns_while_a_read_of_very_many_frames_is_heard(self):
        begun = []

        async def on_link(link):
            begun.append(link)
            link.accept()
            await link.closed()

        await self.attach(await self.serve(on_link))
        turns = []
        while len(begun) < MANY:
            self.assertLess(len(turns), 1_000, "it is never heard")
            turns.append((len(begun), self.wire.is_read))
            await asyncio.sleep(0)
        heard = [after - before for (before, _), (after, _) in zip(turns, turns[1:])]
        self.assertLess(max(heard, default=MANY), MANY / 10)
        # Nothing was read meanwhile.
        self.assertFalse(any(is_read for number, is_read in turns if 0 < number < MANY - max(heard)))
        await self.talk()
        self.assertEqual((self.wire.is_read, self.connection.engine.census.links), (True, MANY))

    async def test_what_was_read_and_not_heard_yet_counts_at_the_end(self):
        for end in (lambda: self.connection.eof_received(), self.lose):
            bodies = []

            async def on_link(link):
                link.accept(credit=MANY)
                async for delivery in link:
                    bodies.append(delivery.message.body)

            session = await self.serve(on_link)
            link = session.attach_sender("queue")
            self.tell()
            await self.talk()
            numbers = range(MANY // 2)
            for number in numbers:
                link.send(Message(body=number), settled=True)
            self.tell()
            end()
            await asyncio.sleep(0)
            self.assertEqual(bodies, list(numbers))
            self.lose()


if __name__ == "__main__":
    unittest.main()
