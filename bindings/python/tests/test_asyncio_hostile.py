"""Peers of asyncio's connections that ask for much and wait for nothing: what they leave behind, and who has a turn meanwhile."""

import asyncio
import unittest
from itertools import product

from ferrion import LimitReached, Message
from ferrion.asyncio import Driver
from ferrion.engine import Config, Engine, EventKind, Limit, LinkState, Receiver, SessionConfig
from test_asyncio_wire import Wire, Wires

#: Links of which all fit into one read of a socket.
MANY = 2_000
#: Links of which not all are heard in one turn.
SOME = 200
LIMIT = "amqp:resource-limit-exceeded"


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

    def bold(self):
        """A client that may have more than the connection's, and a session as that one has: what it says next is for the connection."""
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
        return own, session

    def links(self, names, detached=""):
        """Attaches of links with these names, and detaches of some."""
        own, session = self.bold()
        links = {name: session.attach_sender("queue", name=name) for name in names}
        octets = own.to_send()
        for name in detached:
            links[name].close()
        return octets + own.to_send()

    async def crowd(self, handler):
        """A server's connection with a client that may have one link."""
        few = Config("client")
        few.set_limit(Limit.LINKS_PER_SESSION, 1)
        await self.serve(handler, few)
        self.peer.set_tracing()

    def reasons(self, performative):
        """What the peer was told with this performative."""
        return [line for line in self.peer.trace() if f"<- @{performative}" in line]

    async def test_more_links_than_their_peer_lets_there_be_cost_it_their_session(self):
        async def on_link(link):
            link.accept()
            await link.closed()

        for handler in (on_link, None):
            with self.subTest(handler):
                await self.crowd(handler)
                self.connection.data_received(self.links("ab"))
                await self.talk()
                (end,) = self.reasons("end")
                self.assertIn(LIMIT, end)
                self.assertEqual((self.connection.engine.census.links, self.tasks()), (0, 0))
                self.assertTrue(self.connection.engine.is_open)
                # It is told of by the handler that could not accept it, once.
                errors = [type(error["exception"]) for error in self.errors]
                self.assertEqual(errors, [LimitReached] if handler else [])
                self.errors.clear()
                self.lose()

    async def test_links_after_the_one_too_many_take_nothing_else_along(self):
        async def refuses(link):
            if link.name == "a":
                link.accept()
            else:
                link.refuse("amqp:not-found")
            await link.closed()

        async def leaves(link):
            async with link:
                if link.name == "a":
                    link.accept()
                    await link.closed()

        for handler, detached in product((None, refuses, leaves), ("", "b", "c")):
            with self.subTest(f"{handler}, {detached!r}"):
                await self.crowd(handler)
                self.connection.data_received(self.links("abc", detached))
                await self.talk()
                if not detached:
                    (end,) = self.reasons("end")
                    self.assertIn(LIMIT, end)
                self.assertTrue(self.connection.engine.is_open)
                self.lose()
                await self.talk()
                self.assertEqual((self.tasks(), self.errors), (0, []))

    async def test_nobody_goes_on_for_a_link_too_many_that_was_not_answered_before_it_ended(self):
        async def on_link(link):
            if link.name == "a":
                link.accept()
            else:
                await asyncio.get_running_loop().create_future()
            await link.closed()

        await self.crowd(on_link)
        octets, attached = self.links("ab", "b"), len(self.links("ab"))
        self.connection.data_received(octets[:attached])
        await asyncio.sleep(0)
        self.assertEqual(self.tasks(), 2)
        self.connection.data_received(octets[attached:])
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        self.assertEqual(self.tasks(), 1)
        self.lose()
        await self.talk()
        self.assertEqual(self.tasks(), 0)

    async def test_more_sessions_than_their_peer_lets_be_answered_cost_it_the_connection(self):
        for before in (0, SOME):
            few = Config("client")
            few.channel_max = 0
            await self.serve(None, few)
            self.peer.set_tracing()
            own, session = self.bold()
            octets = b""
            for number in range(before + SOME):
                if number == before:
                    own.begin()
                    own.begin()
                session.attach_sender("queue")
                octets += own.to_send()
            self.connection.data_received(octets)
            await self.talk()
            (close,) = self.reasons("close")
            self.assertIn(LIMIT, close)
            self.assertEqual((len(self.connection._unheard), self.wire.is_closed), (0, True))
            self.lose()

    async def test_a_handler_that_raises_cuts_the_transport_whenever_that_is(self):
        for before in (0, SOME):
            session = await self.serve(None)

            def handle(event):
                if event.link.name == "bad":
                    raise ZeroDivisionError

            self.connection.handle = handle
            octets = b""
            for number in range(before + 1):
                session.attach_sender("queue", name="bad" if number == before else None)
                octets += self.peer.to_send()
            if before:
                self.connection.data_received(octets)
                self.assertFalse(self.wire.is_closed)
                for _ in range(SOME):
                    await asyncio.sleep(0)
                self.assertEqual([type(error["exception"]) for error in self.errors], [ZeroDivisionError])
                self.errors.clear()
            else:
                # The loop reports it.
                with self.assertRaises(ZeroDivisionError):
                    self.connection.data_received(octets)
            self.assertTrue(self.wire.is_closed)

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

    async def test_what_waits_already_does_not_make_a_read_take_longer(self):
        async def on_link(link):
            link.accept(credit=MANY)
            await link.closed()

        turns = []
        for backlog in (0, MANY // 4):
            session = await self.serve(on_link)
            link = session.attach_sender("queue")
            self.tell()
            await self.talk()
            for _ in range(backlog):
                link.send(b"", settled=True)
            self.tell()
            await self.talk()
            for _ in range(60):
                link.send(bytes(8192), settled=True)
            self.tell()
            turns.append(0)
            while self.connection._unheard:
                await asyncio.sleep(0)
                turns[-1] += 1
            self.lose()
        self.assertEqual(turns[0], turns[1])
        self.assertLess(turns[0], 10)

    async def test_there_is_one_round_at_a_time_for_what_was_read(self):
        async def on_link(link):
            link.accept()
            await link.closed()

        await self.attach(await self.serve(on_link))
        connection, rounds = self.connection, []
        work = connection._work

        def counted():
            rounds[-1] += 1
            work()

        connection._work = counted
        while connection._unheard:
            rounds.append(0)
            # One of them is that of the transport.
            connection.pause_writing()
            connection.resume_writing()
            await asyncio.sleep(0)
        self.assertGreater(len(rounds), 3)
        self.assertLessEqual(max(rounds), 2)

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

    async def test_a_link_that_goes_as_its_detach_is_written_takes_nothing_else_along(self):
        clock = asyncio.get_running_loop().time
        mine, peer = Engine.server(everybody(), clock), Engine.client(Config("client"), clock)
        mine.open()
        peer.open()
        told, receivers = [], []

        class Pulls(Driver):
            def handle(self, event):
                told.append(event.kind)
                if event.kind is EventKind.SESSION_BEGUN:
                    event.session.accept()
                elif event.kind is EventKind.LINK_ATTACHED:
                    event.link.accept()
                    if isinstance(event.link, Receiver):
                        event.link.add_credit(10)
                        receivers.append(event.link)
                elif event.kind is EventKind.FLOW:
                    self.pull()

        driver, wire = Pulls(mine), Wire()
        driver.connection_made(wire)
        session = peer.begin()
        sender, receiver = session.attach_sender("in"), session.attach_receiver("out")
        for _ in range(6):
            driver.data_received(peer.to_send())
            await asyncio.sleep(0)
            peer.receive(bytes(wire.written))
            wire.written.clear()
        told.clear()
        receiver.add_credit(5)
        octets = peer.to_send()
        sender.send(b"", settled=True)
        octets += peer.to_send()
        sender.close()
        octets += peer.to_send()
        receivers[0].close()
        driver.wake()
        driver.data_received(octets)
        self.assertEqual(told, [EventKind.FLOW, EventKind.DELIVERIES, EventKind.LINK_DETACHED])
        driver.connection_lost(None)

    async def test_a_sender_that_goes_as_another_is_given_room_takes_nothing_else_along(self):
        connection = await self.meet()
        attaching = [asyncio.ensure_future(connection.attach_sender(name)) for name in "ab"]
        events = await self.talk()
        (session,) = (event.session for event in events if event.kind is EventKind.SESSION_BEGUN)
        # Nothing may come.
        session.accept(SessionConfig(incoming_window=0))
        links = [event.link for event in events if event.kind is EventKind.LINK_ATTACHED]
        for link in links:
            link.accept()
            link.add_credit(1)
        await self.talk()
        first, second = [await one for one in attaching]
        posted = await first.post(bytes(300_000), settled=True)
        waiting = asyncio.ensure_future(first.post(b"", settled=True))
        await self.talk()
        self.assertGreater(first.link.queued_octets, 1 << 16)
        octets = b""
        for link in links:
            link.add_credit(1)
            octets += self.peer.to_send()
        links[1].close()
        octets += self.peer.to_send()
        second.close()
        connection.data_received(octets)
        self.assertTrue(second.is_closed)
        self.assertFalse(self.wire.is_closed)
        self.lose()
        await asyncio.gather(posted, waiting, return_exceptions=True)


if __name__ == "__main__":
    unittest.main()
