"""asyncio as a client of brokers and of other libraries, over real sockets. FERRION_PEERS, a JSON object, says where they are:
`ffi/tests/abi/asyncio.rs` starts them, and this.

In the folder above: python -m peers.clients Broker | Peers
"""

import asyncio
import json
import os
import ssl
import unittest

from ferrion import ConnectionFailed, LoginFailed, Message, TlsFailed, symbol
from ferrion.asyncio import LinkClosed
from ferrion.engine import Accepted, Config, Modified, Rejected, Released
from loops import HERE, PATIENCE, Loop

WHERE = json.loads(os.environ["FERRION_PEERS"])
GUEST = {"user": "guest", "password": "guest", "allow_clear_text": True}


class Case(Loop):
    async def fails(self, kind, *arguments, **how):
        """Why there is no connection."""
        with self.assertRaises(kind) as caught:
            await self.connect(*arguments, **how)
        self.assertIs(type(caught.exception), kind)
        return str(caught.exception)


async def take(receiver):
    return await asyncio.wait_for(receiver.receive(), PATIENCE)


class Broker(Case):
    """RabbitMQ."""

    async def test_what_is_sent_is_received_and_settled(self):
        connection = await self.connect(WHERE["broker"], **GUEST)
        sender = await connection.attach_sender("/queues/work")
        # The borders of a body and its types go through it as well.
        for number, body in enumerate(("first", b"second", ["third", 3], {"fourth": symbol("x")})):
            message = Message(body=body, durable=True, id=number, properties={"number": number})
            self.assertEqual(await asyncio.wait_for(sender.send(message), PATIENCE), Accepted())
        async with await connection.attach_receiver("/queues/work", credit=0) as receiver:

            async def take_next():
                # What is given back comes again before the next one, unless that is on its way.
                receiver.add_credit(1)
                return await take(receiver)

            first = await take_next()
            self.assertEqual((first.message.body, first.message.durable), ("first", True))
            first.accept()
            released = await take_next()
            self.assertEqual(released.message.body, b"second")
            released.release()
            again = await take_next()
            self.assertEqual((again.message.body, again.message.properties), (b"second", {"number": 1}))
            again.accept()
            third = await take_next()
            self.assertEqual(third.message.body, ["third", 3])
            third.reject("test:refused", "not this one")
            fourth = await take_next()
            self.assertEqual(fourth.message.body, {"fourth": "x"})
            fourth.accept()
        dead = await connection.attach_receiver("/queues/dead")
        rejected = await take(dead)
        self.assertEqual(rejected.message.body, ["third", 3])
        rejected.accept()

    async def test_many_senders_and_receivers_share_connections(self):
        count, body = 400, bytes(5000)
        sending = await self.connect(WHERE["broker"], **GUEST)
        receiving = await self.connect(WHERE["broker"], **GUEST)
        sender = await sending.attach_sender("/queues/many")
        receivers = [await receiving.attach_receiver("/queues/many", credit=7) for _ in range(3)]
        seen = []

        async def consume(receiver):
            async for delivery in receiver:
                self.assertEqual(len(delivery.message.body), len(body))
                seen.append(delivery.message.id)
                delivery.accept()
                if len(seen) == count:
                    for each in receivers:
                        each.close()

        consuming = asyncio.gather(*map(consume, receivers))
        messages = (Message(body=body, id=number) for number in range(count))
        outcomes = await asyncio.wait_for(asyncio.gather(*map(sender.send, messages)), PATIENCE)
        self.assertEqual(outcomes, [Accepted()] * count)
        await asyncio.wait_for(consuming, PATIENCE)
        self.assertEqual(sorted(seen), list(range(count)))

    async def test_a_full_queue_rejects(self):
        connection = await self.connect(WHERE["broker"], **GUEST)
        sender = await connection.attach_sender("/queues/small")
        outcomes = [await asyncio.wait_for(sender.send(Message(body=number)), PATIENCE) for number in range(5)]
        self.assertEqual(outcomes[0], Accepted())
        self.assertIsInstance(outcomes[-1], Rejected)

    async def test_a_queue_that_is_not_there_ends_what_wants_it_and_nothing_else(self):
        connection = await self.connect(WHERE["broker"], **GUEST)
        session = connection.session()
        # RabbitMQ ends the session.
        with self.assertRaises(LinkClosed) as caught:
            await asyncio.wait_for(connection.attach_receiver("/queues/nowhere", session=session), PATIENCE)
        self.assertEqual(caught.exception.condition, "amqp:not-found")
        self.assertIn("nowhere", str(caught.exception))
        sender = await connection.attach_sender("/queues/work")
        self.assertFalse(sender.is_closed)

    async def test_a_large_message_comes_back_whole(self):
        connection = await self.connect(WHERE["broker"], **GUEST)
        sender = await connection.attach_sender("/queues/large")
        receiver = await connection.attach_receiver("/queues/large", credit=1)
        body = bytes(range(251)) * 20_000
        self.assertEqual(await asyncio.wait_for(sender.send(Message(body=body)), PATIENCE), Accepted())
        delivery = await take(receiver)
        self.assertEqual(delivery.message.body, body)
        delivery.accept()

    async def test_who_is_not_let_in_hears_it(self):
        wrong = dict(GUEST, password="wrong")
        await self.fails(LoginFailed, WHERE["broker"], **wrong)
        # The password would be seen by everybody: it does not leave.
        text = await self.fails(LoginFailed, WHERE["broker"], user="guest", password="guest")
        self.assertIn("TLS", text)

    async def test_tls_shows_who_is_there(self):
        # A password needs no permission under TLS.
        context = ssl.create_default_context(cafile=WHERE["authority"])
        connection = await self.connect(WHERE["tls"], user="guest", password="guest", ssl=context)
        self.assertEqual(dict(one for (one,) in connection.peer_certificate["subject"])["commonName"], "broker")
        sender = await connection.attach_sender("/queues/secret")
        self.assertEqual(await asyncio.wait_for(sender.send(Message(body="secret")), PATIENCE), Accepted())
        receiver = await connection.attach_receiver("/queues/secret")
        delivery = await take(receiver)
        self.assertEqual(delivery.message.body, "secret")
        delivery.accept()

    async def test_an_impostor_is_not_talked_to(self):
        text = await self.fails(TlsFailed, WHERE["tls"], **GUEST, ssl=True)
        self.assertIn("certificate verify failed", text)
        context = ssl.create_default_context(cafile=WHERE["authority"])
        text = await self.fails(TlsFailed, WHERE["tls"], **GUEST, ssl=context, server_hostname="elsewhere")
        self.assertIn("elsewhere", text)
        # Nor is one that does not know TLS, which may answer something else or reset the connection; and one that speaks nothing
        # else is no AMQP.
        with self.assertRaises(ConnectionFailed):
            await self.connect(WHERE["broker"], **GUEST, ssl=context)
        await self.fails(ConnectionFailed, WHERE["tls"], **GUEST)

    async def test_a_certificate_is_a_login(self):
        context = ssl.create_default_context(cafile=WHERE["authority"])
        context.load_cert_chain(WHERE["alice"]["certificate"], WHERE["alice"]["key"])
        config = Config("alice's program", hostname=HERE)
        config.login_external()
        connection = await self.connect(WHERE["tls"], config, ssl=context)
        self.assertEqual(connection.engine.sasl_mechanism, "EXTERNAL")
        sender = await connection.attach_sender("/queues/secret")
        self.assertFalse(sender.is_closed)
        # Nobody else has alice's.
        without = ssl.create_default_context(cafile=WHERE["authority"])
        await self.fails(LoginFailed, WHERE["tls"], config, ssl=without)


class Peers(Case):
    """Proton and rhea, which listen."""

    async def test_outcomes_of_a_sink_are_heard(self):
        for name in ("proton", "rhea"):
            with self.subTest(name):
                connection = await self.connect(WHERE[name]["sink"], **WHERE["login"], allow_clear_text=True)
                sender = await connection.attach_sender("sink")
                messages = (Message(body=body) for body in ("a", b"b", [1, "c"], {"d": 4}))
                outcomes = await asyncio.wait_for(asyncio.gather(*map(sender.send, messages)), PATIENCE)
                rejected, modified = outcomes[1], outcomes[3]
                self.assertEqual([type(outcome) for outcome in outcomes], [Accepted, Rejected, Released, Modified])
                self.assertEqual(rejected.error.condition, "test:refused")
                self.assertTrue(modified.failed and modified.undeliverable_here)
                await connection.close()
                self.assertIsNone(connection.failure)

    async def test_what_a_source_sends_is_taken_and_decided(self):
        for name in ("proton", "rhea"):
            with self.subTest(name):
                connection = await self.connect(WHERE[name]["source"])
                receiver = await connection.attach_receiver("source", credit=1)
                bodies = []
                for decide in ("accept", "reject", "release", "modify", "accept"):
                    delivery = await take(receiver)
                    bodies.append(delivery.message.body)
                    getattr(delivery, decide)()
                self.assertEqual(bodies, [bytes(range(20))] * 5)
                await connection.close()
                self.assertIsNone(connection.failure)


if __name__ == "__main__":
    unittest.main(verbosity=2)
