"""asyncio over TLS: who is there, who may come in, and that TLS changes nothing else."""

import asyncio
import os
import ssl
import unittest
from pathlib import Path

from ferrion import ConnectionFailed, LoginFailed, Message, TlsFailed
from ferrion.asyncio import *
from ferrion.engine import Accepted, Config, SaslKind
from loops import HERE, PATIENCE
from test_asyncio import Collector, Served

PKI = Path(os.environ.get("FERRION_TEST_PKI", ""))


def names(certificate):
    return dict(one for (one,) in certificate["subject"])["commonName"]


def server_context(*, asks=False):
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=PKI / "authority.pem")
    context.load_cert_chain(PKI / "server.crt", PKI / "server.key")
    if asks:
        context.verify_mode = ssl.CERT_REQUIRED
    return context


def client_context(*, shows=False, trusts="authority"):
    context = ssl.create_default_context(cafile=PKI / f"{trusts}.pem")
    if shows:
        context.load_cert_chain(PKI / "client.crt", PKI / "client.key")
    return context


@unittest.skipUnless(os.environ.get("FERRION_TEST_PKI"), "FERRION_TEST_PKI names no folder of certificates")
class Tls(Served):
    async def asyncTearDown(self):
        # The loop tells of those whom it has turned away, where it is debugged.
        self.errors = [context for context in self.errors if "transport creation" not in context["message"]]
        await super().asyncTearDown()

    async def fails(self, kind, *arguments, **how):
        with self.assertRaises(kind) as caught:
            await self.connect(*arguments, **how)
        self.assertIs(type(caught.exception), kind)
        return str(caught.exception)

    async def test_a_server_shows_who_it_is_and_messages_pass(self):
        collector = Collector()
        server = await self.serve(collector, ssl=server_context())
        connection = await self.connect(server, ssl=client_context())
        self.assertEqual(names(connection.peer_certificate), "server")
        sender = await connection.attach_sender("queue")
        bodies = ["small", bytes(3_000_000), "last"]
        for body in bodies:
            self.assertEqual(await asyncio.wait_for(sender.send(Message(body=body)), PATIENCE), Accepted())
        self.assertEqual(collector.bodies, bodies)
        (accepted,) = server.connections
        self.assertIsNone(accepted.peer_certificate)
        await connection.close()
        self.assertIsNone(connection.failure)
        self.assertIsNone(connection.peer_certificate)

    async def test_a_server_that_is_somebody_else_is_not_talked_to(self):
        server = await self.serve(Collector(), ssl=server_context())
        text = await self.fails(TlsFailed, server, ssl=client_context(trusts="stranger"))
        self.assertIn("certificate verify failed", text)
        text = await self.fails(TlsFailed, server, ssl=client_context(), server_hostname="elsewhere")
        self.assertIn("elsewhere", text)
        await self.fails(TlsFailed, server, ssl=True)
        self.assertEqual(server.connections, set())

    async def test_tls_on_one_side_is_no_connection(self):
        secure = await self.serve(Collector(), ssl=server_context())
        plain = await self.serve(Collector())
        await self.fails(ConnectionFailed, secure)
        # A TlsFailed, unless the connection was reset before the answer that is no TLS was read.
        with self.assertRaises(ConnectionFailed):
            await self.connect(plain, ssl=client_context())

    async def test_a_server_can_ask_for_a_certificate_and_know_its_clients_by_it(self):
        users = []

        def authenticate(request):
            self.assertIs(request.kind, SaslKind.EXTERNAL)
            self.assertIn(request.connection, server.connections)
            request.connection.user = names(request.connection.peer_certificate)
            request.accept()

        def guarded():
            config = Config("server")
            config.offer("EXTERNAL")
            return config

        async def on_link(link):
            users.append(link.connection.user)
            link.accept()
            await link.closed()

        server = await self.serve(on_link, config=guarded, authenticate=authenticate, ssl=server_context(asks=True))
        config = Config("client", hostname=HERE)
        config.login_external()
        connection = await self.connect(server, config, ssl=client_context(shows=True))
        await connection.attach_sender("queue")
        self.assertEqual(users, ["client"])
        # With TLS 1.3 a client hears of it once it has connected, if it is told anything at all.
        with self.assertRaises(ConnectionFailed):
            await self.connect(server, config, ssl=client_context())

    async def test_a_password_is_shown_under_tls_and_nowhere_else(self):
        def authenticate(request):
            request.accept() if (request.user, request.secret) == ("alice", b"secret") else request.reject()

        def guarded():
            config = Config("server")
            config.offer("PLAIN")
            return config

        alice = {"user": "alice", "password": "secret"}
        how = {"config": guarded, "authenticate": authenticate}
        secure = await self.serve(Collector(), **how, ssl=server_context())
        await self.connect(secure, **alice, ssl=client_context())
        self.assertEqual([accepted.user for accepted in secure.connections], ["alice"])
        await self.fails(LoginFailed, secure, user="alice", password="wrong", ssl=client_context())
        plain = await self.serve(Collector(), **how)
        self.assertIn("use TLS", await self.fails(LoginFailed, plain, **alice))
        await self.connect(plain, **alice, allow_clear_text=True)
        for wrong in ({"user": "alice"}, {"password": "x"}, {"config": Config("x"), **alice}):
            with self.assertRaises(ValueError):
                await connect(HERE, plain.port, **wrong)


if __name__ == "__main__":
    unittest.main()
