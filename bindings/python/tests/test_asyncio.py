"""Engines in an asyncio loop, over real sockets: against each other, and against messengers."""

import asyncio
import subprocess
import sys
import threading
import time
import unittest
from pathlib import Path

from ferrion import ACCEPTED, ConnectionFailed, LoginFailed, Message, Messenger
from ferrion.asyncio import *
from ferrion.engine import (
    Accepted,
    Config,
    Engine,
    EventKind,
    Limit,
    Modified,
    Released,
    ScramKeys,
    SessionConfig,
)
from loops import HERE, PATIENCE, Loop

EXAMPLES = Path(__file__).resolve().parent.parent / "examples"


class Served(Loop):
    """Against a server of one's own."""

    async def serve(self, on_link, **how):
        server = await serve(on_link, HERE, 0, **how)
        self.addAsyncCleanup(server.close)
        return server

    async def connect(self, server, *arguments, **how):
        return await super().connect(server.port, *arguments, **how)


class Collector:
    """Accepts whatever comes."""

    def __init__(self, credit=100):
        self.bodies = []
        self.credit = credit

    async def __call__(self, link):
        if isinstance(link, Sender):
            link.accept()
            return await link.closed()
        link.accept(credit=self.credit)
        async for delivery in link:
            self.bodies.append(delivery.message.body)
            delivery.accept()


class Asyncio(Served):
    async def test_messages_are_sent_received_and_accepted(self):
        collector = Collector()
        server = await self.serve(collector)
        async with await self.connect(server) as connection:
            async with await connection.attach_sender("queue", name="mine") as sender:
                self.assertEqual((sender.address, sender.name), ("queue", "mine"))
                self.assertEqual(await sender.send(Message(body="one")), Accepted())
                self.assertIsNone(await sender.send(Message(body="two"), settled=True))
                self.assertEqual(repr(sender), "<Sender 'mine': queue>")
                self.assertRegex(repr(connection), r"^<Connection with 'ferrion-[-0-9a-f]+': open>$")
                sender.close()
                with self.assertRaises(LinkClosed):
                    await sender.send(Message(body="too late"))
            self.assertTrue(sender.is_closed)
            self.assertEqual((repr(sender), sender.name), ("<Sender 'mine': closed>", "mine"))
        self.assertTrue(connection.is_closed)
        self.assertRegex(repr(connection), ": closed>$")
        self.assertIsNone(connection.failure)
        self.assertEqual(collector.bodies, ["one", "two"])

    async def test_many_at_once_wait_for_credit_in_turn(self):
        collector = Collector(credit=3)
        server = await self.serve(collector)
        connection = await self.connect(server)
        sender = await connection.attach_sender("queue")
        outcomes = await asyncio.wait_for(asyncio.gather(*(sender.send(Message(body=n)) for n in range(200))), PATIENCE)
        self.assertEqual(outcomes, [Accepted()] * 200)
        self.assertEqual(collector.bodies, list(range(200)))
        self.assertEqual((sender.unsettled, sender.credit > 0), (0, True))

    async def test_a_server_gives_and_a_client_settles_as_it_likes(self):
        outcomes = []

        async def give(link):
            self.assertEqual(link.address, "source")
            link.accept()
            for n in range(3):
                outcomes.append(await link.send(Message(body=n)))

        connection = await self.connect(await self.serve(give))
        receiver = await connection.attach_receiver("source")
        (await receiver.receive()).accept()
        (await receiver.receive()).release()
        (await receiver.receive()).modify(annotations={"x-opt-a": 1})
        await asyncio.wait_for(receiver.closed(), PATIENCE)
        self.assertEqual([type(outcome) for outcome in outcomes], [Accepted, Released, Modified])

    async def test_a_drain_gets_what_there_is(self):
        async def give(link):
            link.accept()
            for n in range(2):
                await link.send(Message(body=n), settled=True)
            await link.closed()

        connection = await self.connect(await self.serve(give))
        receiver = await connection.attach_receiver("source", credit=0)
        receiver.add_credit(10)
        got = []
        while len(got) < 2:
            receiver.add_credit(1)
            got += [delivery.message.body for delivery in await asyncio.wait_for(receiver.drain(), PATIENCE)]
        self.assertEqual(got, [0, 1])
        self.assertEqual(receiver.link.credit, 0)
        receiver.close()
        self.assertEqual([delivery async for delivery in receiver], [])

    async def test_a_refusal_has_its_reason(self):
        async def refuse(link):
            link.refuse("amqp:not-found", "there is no such queue")

        connection = await self.connect(await self.serve(refuse))
        for attach in (connection.attach_sender, connection.attach_receiver):
            with self.assertRaises(LinkClosed) as caught:
                await asyncio.wait_for(attach("nowhere"), PATIENCE)
            self.assertEqual(caught.exception.condition, "amqp:not-found")
            self.assertIn("no such queue", str(caught.exception))

    async def test_a_loss_ends_everything_that_waits(self):
        async def hold(link):
            link.accept()
            await link.closed()

        server = await self.serve(hold)
        connection = await self.connect(server)
        sender = await connection.attach_sender("queue")
        receiver = await connection.attach_receiver("queue")
        waiting = [
            asyncio.ensure_future(work)
            for work in (sender.send(Message(body=1)), receiver.receive(), receiver.receive())
        ]
        await asyncio.sleep(0.05)
        for accepted in list(server.connections):
            accepted.abort()
        failures = await asyncio.wait_for(asyncio.gather(*waiting, return_exceptions=True), PATIENCE)
        self.assertEqual([type(failure) for failure in failures], [ConnectionFailed] * 3)
        self.assertIsInstance(connection.failure, ConnectionFailed)
        for use in (sender.send(b""), receiver.receive(), receiver.drain(), connection.attach_sender("queue")):
            with self.assertRaises(ConnectionFailed):
                await use
        await asyncio.wait_for(connection.closed(), PATIENCE)

    async def test_cancelled_calls_leave_everything_in_order(self):
        collector = Collector(credit=0)
        server = await self.serve(collector)
        connection = await self.connect(server)
        sender = await connection.attach_sender("queue")
        first, second = (asyncio.ensure_future(sender.send(Message(body=body))) for body in ("first", "second"))
        await asyncio.sleep(0.05)
        first.cancel()
        (accepted,) = server.connections
        (link,) = accepted._links.values()
        link.add_credit(1)
        self.assertEqual(await asyncio.wait_for(second, PATIENCE), Accepted())
        self.assertTrue(first.cancelled())
        self.assertEqual(collector.bodies, ["second"])
        with self.assertRaises(asyncio.TimeoutError):
            receiver = await connection.attach_receiver("queue")
            await asyncio.wait_for(receiver.receive(), 0.02)
        self.assertFalse(connection.is_closed)

    async def test_a_message_that_cannot_be_sent_costs_nobody_a_turn(self):
        collector = Collector(credit=0)
        server = await self.serve(collector)
        connection = await self.connect(server)
        sender = await connection.attach_sender("queue")
        bad, good = (asyncio.ensure_future(sender.send(Message(body=body))) for body in (object(), "good"))
        await asyncio.sleep(0.05)
        (accepted,) = server.connections
        (link,) = accepted._links.values()
        link.add_credit(1)
        with self.assertRaises(TypeError):
            await asyncio.wait_for(bad, PATIENCE)
        self.assertEqual(await asyncio.wait_for(good, PATIENCE), Accepted())
        self.assertEqual(collector.bodies, ["good"])

    async def test_those_who_gave_up_are_forgotten(self):
        connection = await self.connect(await self.serve(Collector(credit=0)))
        sender = await connection.attach_sender("queue")
        receiver = await connection.attach_receiver("queue")
        for _ in range(3):
            for wait in (sender.send(b""), receiver.receive()):
                with self.assertRaises(asyncio.TimeoutError):
                    await asyncio.wait_for(wait, 0.01)
        self.assertFalse(sender._turns.is_busy)
        self.assertFalse(receiver._turns.is_busy)

    async def test_senders_that_go_on_and_on_take_turns(self):
        collector = Collector(credit=1)
        connection = await self.connect(await self.serve(collector))
        sender = await connection.attach_sender("queue")

        async def send(name):
            for _ in range(20):
                await sender.send(Message(body=name))

        await asyncio.wait_for(asyncio.gather(send("a"), send("b")), PATIENCE)
        self.assertEqual(collector.bodies, ["a", "b"] * 20)

    async def test_what_a_sender_says_of_a_delivery_decides_nothing(self):
        said, outcomes = asyncio.Event(), []

        async def give(link):
            link.accept()
            for tell in (lambda sent: sent.update(Released()), lambda sent: sent.settle()):
                future = await link.post(Message(body="x"))
                # Nothing can be said of what has not left.
                await asyncio.sleep(0.05)
                tell(link.link.unsettled()[-1].delivery)
                link.connection.wake()
                said.set()
                outcomes.append(future)
            await link.closed()

        connection = await self.connect(await self.serve(give))
        receiver = await connection.attach_receiver("source", credit=1)
        first = await asyncio.wait_for(receiver.receive(), PATIENCE)
        await asyncio.wait_for(said.wait(), PATIENCE)
        await asyncio.sleep(0.05)
        first.accept()
        self.assertEqual(await asyncio.wait_for(outcomes[0], PATIENCE), Accepted())
        second = await asyncio.wait_for(receiver.receive(), PATIENCE)
        while connection.engine.census.incoming_deliveries:
            await asyncio.sleep(0.01)
        # The sender has settled it: this is too late, and harms nobody.
        second.accept()
        self.assertFalse(receiver.is_closed)

    async def test_a_link_that_the_peer_has_closed_can_be_closed_with_messages_left(self):
        async def give(link):
            link.accept()
            await link.send(Message(body=1), settled=True)

        server = await self.serve(give)
        connection = await self.connect(server)
        receiver = await connection.attach_receiver("source")
        await asyncio.wait_for(receiver.closed(), PATIENCE)
        self.assertEqual((receiver.link.waiting, connection.engine.census.links), (1, 1))
        (accepted,) = server.connections
        self.assertEqual(accepted.engine.census.links, 1)
        receiver.close()
        receiver.close()
        while accepted.engine.census.links or connection.engine.census.links:
            await asyncio.sleep(0.01)

    async def test_what_a_handler_does_wrong_closes_its_link_and_is_reported(self):
        async def fail(link):
            link.accept()
            raise RuntimeError("this handler is broken")

        connection = await self.connect(await self.serve(fail))
        receiver = await connection.attach_receiver("queue")
        with self.assertRaises(LinkClosed) as caught:
            await asyncio.wait_for(receiver.receive(), PATIENCE)
        self.assertEqual(caught.exception.condition, "amqp:internal-error")
        self.assertEqual([str(context["exception"]) for context in self.errors], ["this handler is broken"])
        self.errors.clear()

    async def test_full_transports_hold_senders_back(self):
        held = asyncio.Event()
        self.addCleanup(held.set)

        async def slow(link):
            link.accept(credit=10000)
            link.connection.transport.pause_reading()
            await held.wait()
            link.connection.transport.resume_reading()
            async for delivery in link:
                delivery.accept()

        connection = await self.connect(await self.serve(slow))
        sender = await connection.attach_sender("queue")
        while sender.credit == 0:
            await asyncio.sleep(0.01)
        octets = Message(body=bytes(100_000)).encode()
        sent = []

        async def send():
            for _ in range(300):
                sent.append(await sender.post(octets))

        sending = asyncio.ensure_future(send())
        # What fits into the buffers of two sockets is less than 30 MB.
        while not connection.is_paused:
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.1)
        self.assertLess(len(sent), 300)
        self.assertLess(connection.transport.get_write_buffer_size(), 2_000_000)
        held.set()
        await asyncio.wait_for(sending, PATIENCE)
        self.assertEqual(await asyncio.wait_for(asyncio.gather(*sent), PATIENCE), [Accepted()] * 300)

    async def test_a_shut_window_holds_senders_back(self):
        sent, most, sender = [], 0, []

        async def give(link):
            nonlocal most
            link.accept()
            sender.append(link)
            for _ in range(30):
                sent.append(await link.post(bytes(100_000)))
                most = max(most, link.link.queued_octets)
            await link.closed()

        connection = await self.connect(await self.serve(give))
        session = connection.session(SessionConfig(incoming_window=2))
        receiver = await connection.attach_receiver("source", credit=100, session=session)
        while not (sender and sender[0]._turns.is_busy):
            await asyncio.sleep(0.01)
        self.assertLess(len(sent), 30)
        for _ in range(30):
            (await asyncio.wait_for(receiver.receive(), PATIENCE)).accept()
        self.assertEqual(await asyncio.wait_for(asyncio.gather(*sent), PATIENCE), [Accepted()] * 30)
        self.assertLess(most, 200_000)

    async def test_a_peer_that_takes_nothing_does_not_hold_a_close_up(self):
        async def stuck(link):
            link.accept(credit=10000)
            link.connection.transport.pause_reading()
            link.connection.patience = 0.1
            await link.closed()

        server = await self.serve(stuck)
        connection = await self.connect(server)
        connection.patience = 0.1
        sender = await connection.attach_sender("queue")
        octets = bytes(100_000)
        sending = asyncio.ensure_future(asyncio.gather(*(sender.send(octets) for _ in range(300))))
        while not connection.is_paused:
            await asyncio.sleep(0.01)
        await asyncio.wait_for(connection.close(), PATIENCE)
        with self.assertRaises(ConnectionFailed):
            await asyncio.wait_for(sending, PATIENCE)
        for accepted in list(server.connections):
            accepted.abort()

    async def test_a_handler_that_fails_at_the_end_hides_it_from_nobody(self):
        class Mine(Driver):
            ended = asyncio.Event()

            def handle(self, event):
                raise RuntimeError("this handler is broken")

            def over(self, error):
                self.ended.set()

        server = await self.serve(Collector())
        loop = asyncio.get_running_loop()
        transport, mine = await loop.create_connection(
            lambda: Mine(Engine.client(Config("mine"), loop.time)), HERE, server.port
        )
        transport.abort()
        await asyncio.wait_for(mine.ended.wait(), PATIENCE)
        await asyncio.sleep(0)
        self.assertEqual([str(context["exception"]) for context in self.errors], ["this handler is broken"])
        self.errors.clear()

    async def test_a_server_with_scram_wants_a_configuration_for_each_connection(self):
        config = Config("server")
        config.offer("SCRAM-SHA-256")
        config.offer_scram("a key of this server's")
        for one in (config, config.copy()):
            with self.assertRaises(ValueError) as caught:
                await self.serve(Collector(), config=one)
            self.assertIn("give a function", str(caught.exception))

    async def test_time_passes_in_the_loop(self):
        async def mute(reader, writer):
            await reader.read()
            writer.close()

        # A peer that accepts, and says nothing.
        listener = await asyncio.start_server(mute, HERE, 0)
        self.addCleanup(listener.close)
        config = Config("impatient")
        config.set_limit(Limit.HANDSHAKE_TIME, 100)
        with self.assertRaises(ConnectionFailed):
            await asyncio.wait_for(connect(HERE, listener.sockets[0].getsockname()[1], config), PATIENCE)
        port = listener.sockets[0].getsockname()[1]
        listener.close()
        with self.assertRaises(ConnectionFailed):
            await connect(HERE, port)

    async def test_heartbeats_keep_an_idle_connection(self):
        # The loop's time passes when this says so, and not while a heartbeat is on its way: however long that takes, none is lost.
        loop = asyncio.get_running_loop()
        now = loop.time()
        loop.time = lambda: now
        self.addCleanup(delattr, loop, "time")
        connection = await self.connect(await self.serve(Collector()), Config("idle", idle_timeout=3))
        self.assertEqual(connection.engine.remote.container_id[:8], "ferrion-")
        connection.engine.set_tracing()
        given_up = time.monotonic() + PATIENCE / 2
        for _ in range(5):
            # Less than what it takes for silence, and all of it together is far more.
            now += 2
            while not any(["<-" in line for line in connection.engine.trace()]):
                self.assertTrue(connection.engine.is_open)
                self.assertLess(time.monotonic(), given_up, "no heartbeat")
                await asyncio.sleep(0)
        self.assertTrue(connection.engine.is_open)

    async def test_clients_say_who_they_are(self):
        keys = {"alice": ScramKeys.derive("SCRAM-SHA-256", "secret")}

        async def authenticate(request):
            await asyncio.sleep(0)
            if request.user in keys:
                request.answer_scram(keys[request.user])
            elif request.user == "unlucky":
                raise RuntimeError("the users cannot be read")
            else:
                request.reject()

        def guarded():
            config = Config("server")
            config.offer("SCRAM-SHA-256")
            config.offer_scram("a key of this server's")
            return config

        collector = Collector()
        server = await self.serve(collector, config=guarded, authenticate=authenticate)
        for user, password, comes_in in (("alice", "secret", True), ("alice", "wrong", False), ("unlucky", "x", False)):
            config = Config("client")
            config.login_scram(user, password)
            if comes_in:
                connection = await self.connect(server, config)
                sender = await connection.attach_sender("queue")
                self.assertEqual(await sender.send(Message(body=user)), Accepted())
            else:
                with self.assertRaises(LoginFailed):
                    await self.connect(server, config)
        self.assertEqual([str(context["exception"]) for context in self.errors], ["the users cannot be read"])
        self.errors.clear()

    async def test_an_engine_of_ones_own_is_driven(self):
        class Mine(Driver):
            def __init__(self):
                super().__init__(Engine.client(Config("mine"), asyncio.get_running_loop().time))
                self.seen, self.ended = [], asyncio.Event()
                self.engine.open()

            def handle(self, event):
                self.seen.append(event.kind)
                if event.kind is EventKind.REMOTE_OPEN:
                    self.engine.close()

            def over(self, error):
                self.ended.set()

        server = await self.serve(Collector())
        _, mine = await asyncio.get_running_loop().create_connection(Mine, HERE, server.port)
        await asyncio.wait_for(mine.ended.wait(), PATIENCE)
        self.assertEqual(mine.seen, [EventKind.REMOTE_OPEN, EventKind.REMOTE_CLOSE, EventKind.DISCONNECTED])
        mine.wake()

    async def test_a_server_that_closes_says_so(self):
        async def hold(link):
            link.accept()
            await link.closed()

        server = await serve(hold, HERE, 0)
        connection = await self.connect(server)
        receiver = await connection.attach_receiver("queue")
        async with server:
            pass
        with self.assertRaises(ConnectionFailed) as caught:
            await asyncio.wait_for(receiver.receive(), PATIENCE)
        self.assertEqual(caught.exception.condition, "amqp:connection:forced")
        await connection.close()


class WithMessenger(Served):
    """A messenger on the other side, in a thread of its own."""

    def run_messenger(self, work):
        """What came of it, once the thread has ended."""
        return asyncio.get_running_loop().run_in_executor(None, work)

    async def test_a_messenger_sends_to_a_server(self):
        collector = Collector()
        server = await self.serve(collector)

        def send():
            with Messenger() as messenger:
                messenger.timeout, messenger.outgoing_window = PATIENCE, 100
                trackers = [messenger.put(Message(body=n, address=f"{HERE}:{server.port}/queue")) for n in range(50)]
                messenger.send()
                return [messenger.status(tracker) for tracker in trackers]

        self.assertEqual(await self.run_messenger(send), [ACCEPTED] * 50)
        self.assertEqual(collector.bodies, list(range(50)))

    async def test_a_client_sends_to_a_messenger(self):
        listening, port = threading.Event(), []

        def receive():
            with Messenger() as messenger:
                messenger.timeout, messenger.incoming_window = PATIENCE, 100
                port.append(messenger.subscribe(f"~{HERE}:0").port)
                listening.set()
                bodies = []
                for message in messenger:
                    bodies.append(message.body)
                    messenger.accept()
                    if len(bodies) == 50:
                        return bodies

        receiving = self.run_messenger(receive)
        await asyncio.get_running_loop().run_in_executor(None, listening.wait, PATIENCE)
        connection = await connect(HERE, port[0])
        sender = await connection.attach_sender("queue")
        outcomes = await asyncio.gather(*(sender.send(Message(body=n)) for n in range(50)))
        self.assertEqual(outcomes, [Accepted()] * 50)
        self.assertEqual(await receiving, list(range(50)))
        await asyncio.wait_for(connection.closed(), PATIENCE)


class Examples(unittest.TestCase):
    def test_the_examples_talk_to_each_other(self):
        receiving = subprocess.Popen(
            [sys.executable, "-u", EXAMPLES / "engine_receive.py", "0", "3"], stdout=subprocess.PIPE, text=True
        )
        self.addCleanup(receiving.stdout.close)
        self.addCleanup(receiving.wait)
        self.addCleanup(receiving.kill)
        port = receiving.stdout.readline().split()[-1]
        sent = subprocess.run(
            [sys.executable, EXAMPLES / "engine_send.py", HERE, port, "greetings", "one", "", "drei"],
            capture_output=True,
            text=True,
            timeout=PATIENCE,
        )
        self.assertEqual((sent.stdout, sent.stderr), ("one: Accepted()\n: Accepted()\ndrei: Accepted()\n", ""))
        said, _ = receiving.communicate(timeout=PATIENCE)
        self.assertEqual((said, receiving.returncode), ("one\n\ndrei\n", 0))


if __name__ == "__main__":
    unittest.main()
