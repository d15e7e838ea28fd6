"""Connections of asyncio at whose other end is an engine, without sockets: what arrives at once is what a test says."""

import asyncio
import unittest

from ferrion import Message, WrongState
from ferrion.asyncio import *
from ferrion.engine import Config, Engine, EventKind, ScramKeys
from loops import Loop


class Wire(asyncio.Transport):
    """Keeps what is written."""

    def __init__(self):
        super().__init__()
        self.written = bytearray()
        self.is_closed = False
        self.is_read = True

    def pause_reading(self):
        self.is_read = False

    def resume_reading(self):
        self.is_read = True

    def write(self, data):
        self.written += data

    def get_write_buffer_size(self):
        return 0

    def is_closing(self):
        return self.is_closed

    def close(self):
        self.is_closed = True

    abort = close


class Wires(Loop):
    async def meet(self, *arguments, server=None, client=None):
        """A connection, and the engine that it talks to: the server if there is a configuration for one, or else a client."""
        clock = asyncio.get_running_loop().time
        if server:
            self.mine, self.peer = Engine.server(server, clock), Engine.client(client or Config("client"), clock)
        else:
            self.mine, self.peer = Engine.client(Config("client"), clock), Engine.server(Config("server"), clock)
        self.mine.open()
        self.peer.open()
        self.wire = Wire()
        connection = self.connection = Connection(self.mine, *arguments)
        connection.connection_made(self.wire)
        await self.talk()
        return connection

    async def talk(self):
        """Carries what both have to say, each time all of it at once. Answers what happened at the peer."""
        events = []
        quiet = 0
        while quiet < 5:
            await asyncio.sleep(0)
            quiet += 1
            if self.wire.written:
                self.peer.receive(bytes(self.wire.written))
                self.wire.written.clear()
                quiet = 0
            events += self.peer.events()
            quiet = 0 if self.tell() else quiet
        return events

    def tell(self):
        """Lets the connection hear what the peer has to say, at once."""
        octets = b""
        while data := self.peer.to_send():
            octets += data
        if octets and not self.connection._is_over:
            self.connection.data_received(octets)
        return octets

    def lose(self):
        self.connection.connection_lost(None)


class Links(Wires):
    async def attached(self, attaching):
        """The session and the link that the peer has of it."""
        events = await self.talk()
        (session,) = (event.session for event in events if event.kind is EventKind.SESSION_BEGUN)
        session.accept()
        (link,) = (event.link for event in events if event.kind is EventKind.LINK_ATTACHED)
        return session, link

    async def test_a_link_that_goes_with_its_session_as_it_is_attached_takes_nothing_else_along(self):
        for attach in ("attach_receiver", "attach_sender"):
            with self.subTest(attach):
                connection = await self.meet()
                attaching = asyncio.ensure_future(getattr(connection, attach)("queue"))
                session, link = await self.attached(attaching)
                link.accept()
                session.end("test:over", "it is over")
                self.tell()
                link = await attaching
                self.assertTrue(link.is_closed)
                with self.assertRaises(LinkClosed) as caught:
                    await (link.receive() if attach == "attach_receiver" else link.send(b""))
                self.assertEqual(caught.exception.condition, "test:over")
                await self.talk()
                self.assertTrue(connection.engine.is_open)
                self.lose()

    async def test_a_link_of_the_peers_that_is_gone_already_takes_nothing_else_along(self):
        async def on_link(link):
            link.accept()
            await link.closed()

        for handler in (on_link, None):
            with self.subTest(handler):
                config = Config("server")
                config.offer_required(False)
                connection = await self.meet(handler, server=config)
                session = self.peer.begin()
                session.attach_sender("queue")
                session.attach_receiver("queue")
                session.end()
                self.tell()
                await self.talk()
                self.assertTrue(connection.engine.is_open)
                self.lose()

    async def test_credit_that_is_none_is_refused_where_it_is_given(self):
        connection = await self.meet()
        for credit, kind in ((-1, OverflowError), (2**32, OverflowError), ("7", TypeError), (1.5, TypeError)):
            with self.assertRaises(kind):
                await connection.attach_receiver("queue", credit=credit)
        self.assertEqual((connection.engine.census.links, connection.is_closed), (0, False))

    async def test_who_waits_to_send_hears_that_the_link_was_closed_meanwhile(self):
        connection = await self.meet()
        attaching = asyncio.ensure_future(connection.attach_sender("queue"))
        _, link = await self.attached(attaching)
        link.accept()
        self.tell()
        sender = await attaching
        waiting = [asyncio.ensure_future(sender.send(Message(body=n))) for n in range(2)]
        await self.talk()
        link.set_automatic_credit(10)
        # The credit comes, and before those who wait have run the link is closed.
        self.tell()
        sender.close()
        with self.assertRaises(LinkClosed):
            await waiting[0]
        await self.talk()
        link.close()
        await self.talk()
        with self.assertRaises(LinkClosed):
            await waiting[1]

    async def test_a_link_whose_handler_is_cancelled_is_closed(self):
        async def on_link(link):
            link.accept()
            gone = asyncio.get_running_loop().create_future()
            gone.cancel()
            await gone

        config = Config("server")
        config.offer_required(False)
        await self.meet(on_link, server=config)
        link = self.peer.begin().attach_sender("queue")
        self.tell()
        events = await self.talk()
        self.assertIn(EventKind.LINK_DETACHED, [event.kind for event in events])
        self.assertEqual(link.error.condition, "amqp:internal-error")


def guarded(mechanism="PLAIN"):
    config = Config("server")
    config.offer(mechanism)
    if mechanism.startswith("SCRAM"):
        config.offer_scram("a key of this server's")
    return config


def client(mechanism="plain", password="secret"):
    config = Config("client")
    getattr(config, f"login_{mechanism}")("alice", password)
    config.allow_clear_text(True)
    return config


class Logins(Wires):
    async def ask(self, authenticate, mechanism="PLAIN", password="secret"):
        login = "plain" if mechanism == "PLAIN" else "scram"
        return await self.meet(None, authenticate, server=guarded(mechanism), client=client(login, password))

    async def test_a_client_is_the_user_once_it_is_let_in(self):
        keys = ScramKeys.derive("SCRAM-SHA-256", "secret")
        for mechanism, password, user, answer in (
            ("PLAIN", "secret", "alice", lambda request: request.accept()),
            ("PLAIN", "secret", None, lambda request: request.reject()),
            ("SCRAM-SHA-256", "secret", "alice", lambda request: request.answer_scram(keys)),
            ("SCRAM-SHA-256", "wrong", None, lambda request: request.answer_scram(keys)),
        ):
            with self.subTest(f"{mechanism} {password} {user}"):
                seen = []

                def authenticate(request):
                    seen.append((request.user, request.connection.user))
                    answer(request)

                connection = await self.ask(authenticate, mechanism, password)
                self.assertEqual((seen, connection.user), ([("alice", None)], user))
                self.lose()

    async def test_a_user_that_the_program_has_set_stays(self):
        def authenticate(request):
            request.connection.user = "somebody else"
            request.accept()

        connection = await self.ask(authenticate)
        self.assertEqual(connection.user, "somebody else")

    async def test_a_user_that_was_set_stays_while_a_mechanism_of_the_programs_goes_on(self):
        rounds = []

        def authenticate(request):
            rounds.append(request.connection.user)
            if len(rounds) == 1:
                request.connection.user = "alice"
                request.proceed(b"and now?")
            else:
                request.accept()

        config = Config("client")
        config.login_raw("X-MINE", b"hello")
        connection = await self.meet(None, authenticate, server=guarded("X-MINE"), client=config)
        self.peer.sasl_request.proceed(b"now this")
        self.tell()
        await self.talk()
        self.assertEqual((rounds, connection.user), ([None, "alice"], "alice"))

    async def test_a_client_that_does_not_wait_for_its_answer_is_nobodys_mistake(self):
        refused = []

        async def authenticate(request):
            await hung_up.wait()
            try:
                request.accept()
            except WrongState as error:
                refused.append(error)
                raise

        hung_up = asyncio.Event()
        await self.ask(authenticate)
        self.lose()
        hung_up.set()
        await self.talk()
        # Nothing was reported, which the end of each test looks at.
        self.assertEqual(len(refused), 1)

    async def test_a_client_hears_that_nobody_finds_out_who_it_is(self):
        async def authenticate(request):
            gone = asyncio.get_running_loop().create_future()
            gone.cancel()
            await gone

        connection = await self.ask(authenticate)
        self.assertEqual(self.peer.failure.kind.name, "SASL_TEMPORARY")
        self.assertIsNone(connection.user)


if __name__ == "__main__":
    unittest.main()
