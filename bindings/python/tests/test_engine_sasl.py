"""Who is there: SASL of engines, in both roles."""

import unittest

from engines import Engines
from ferrion import MessageException, WrongState
from ferrion.engine import *


class Sasl(Engines):
    def logs_in(self, client, server, answer=None):
        """What becomes of it. `answer` gets each request of the server's and of the client's."""
        self.opened(client, server)
        told = []
        while True:
            self.pump()
            events = [event.kind for engine in (self.server, self.client) for event in engine.events()]
            told += events
            for engine in (self.server, self.client):
                if answer and engine.sasl_request:
                    answer(engine, engine.sasl_request)
            if not events:
                return told

    def test_plain_is_asked_and_answered(self):
        def answer(engine, request):
            self.assertEqual(request.kind, SaslKind.PLAIN)
            self.assertEqual((request.mechanism, request.user, request.authorize_as), ("PLAIN", "alice", "bob"))
            self.assertEqual(engine.sasl_hostname, "here")
            self.assertIsNone(request.host)
            self.assertIsNone(request.port)
            if request.secret == b"secret":
                request.accept()
            else:
                request.reject()

        for password, admitted in (("secret", True), ("wrong", False)):
            client, server = Config("client", hostname="here"), Config("server")
            client.login_plain("alice", password)
            client.allow_clear_text()
            client.authorize_as("bob")
            server.offer("PLAIN")
            told = self.logs_in(client, server, answer)
            self.assertEqual(EventKind.AUTHENTICATED in told, admitted)
            self.assertEqual(self.client.is_open, admitted)
            if not admitted:
                self.assertEqual(self.client.failure.kind, FailureKind.SASL_REFUSED)
                self.assertTrue(self.client.failure.kind.is_login)

    def test_scram_shows_no_password(self):
        keys = ScramKeys.derive("SCRAM-SHA-256", "secret")
        stored = ScramKeys()
        stored.salt, stored.stored_key, stored.server_key = keys.salt, keys.stored_key, keys.server_key
        stored.iterations = keys.iterations
        self.assertEqual((stored.copy().iterations, len(stored.salt)), (4096, 16))

        def answer(engine, request):
            self.assertEqual((request.kind, request.user), (SaslKind.SCRAM, "alice"))
            request.answer_scram(stored)

        for password, admitted in (("secret", True), ("wrong", False)):
            client, server = Config("client"), Config("server")
            client.login_scram("alice", password)
            client.least_iterations(4096)
            server.offer("SCRAM-SHA-256")
            server.offer_scram("a key of this server's")
            self.assertEqual(len(server.offer_salt("SCRAM-SHA-256", "nobody").salt), 16)
            told = self.logs_in(client, server, answer)
            self.assertEqual(EventKind.AUTHENTICATED in told, admitted)
            self.assertEqual(self.client.sasl_mechanism, "SCRAM-SHA-256")

    def test_a_nonce_can_be_told_to_repeat_an_exchange(self):
        client = Config("client")
        client.nonce_from_text("rOprNGfwEbeRWgbNEkqO")
        client.login_scram("user", "pencil", "SCRAM-SHA-256")
        server = Config("server")
        server.offer_raw("SCRAM-SHA-256")
        seen = []
        self.logs_in(client, server, lambda engine, request: (seen.append(request.secret), request.reject()))
        self.assertEqual(seen, [b"n,,n=user,r=rOprNGfwEbeRWgbNEkqO"])

    def test_a_mechanism_of_ones_own_goes_back_and_forth(self):
        seen = []

        def answer(engine, request):
            seen.append((request.kind.name, request.secret))
            if request.kind == SaslKind.RAW:
                if request.secret == b"it is me":
                    request.accept(b"welcome")
                else:
                    request.proceed(b"who?")
            elif request.kind == SaslKind.CHALLENGE:
                request.proceed(b"it is me")
            else:
                request.accept()

        for initial in (b"hello", b"", None):
            seen.clear()
            client, server = Config("client"), Config("server")
            client.login_raw("X-OURS", initial)
            server.offer_raw("X-OURS")
            self.assertIn(EventKind.AUTHENTICATED, self.logs_in(client, server, answer))
            self.assertEqual(seen[:2], [("RAW", initial), ("CHALLENGE", b"who?")])

    def test_tokens_are_asked_about_and_refused_with_a_reason(self):
        client, server = Config("client", hostname="here"), Config("server")
        client.login_oauthbearer("token", "alice")
        client.login_xoauth2("alice", "token")
        client.allow_clear_text()
        server.offer("OAUTHBEARER")

        def answer(engine, request):
            if engine is self.server:
                self.assertEqual((request.kind, request.user, request.secret), (SaslKind.BEARER, "alice", b"token"))
                request.reject(b'{"status":"invalid_token"}')

        self.logs_in(client, server, answer)
        self.assertEqual(self.client.failure.kind, FailureKind.SASL_REFUSED)

    def test_a_server_that_cannot_tell_says_so_and_external_and_anonymous_are_asked_for(self):
        client, server = Config("client"), Config("server")
        client.login_external()
        server.offer("EXTERNAL")
        self.logs_in(client, server, lambda engine, request: request.unavailable())
        self.assertEqual(self.client.failure.kind, FailureKind.SASL_TEMPORARY)
        client.login_clear()
        client.login_anonymous()
        server.offer_clear()
        server.offer("ANONYMOUS")
        self.logs_in(client, server)
        self.assertTrue(self.client.is_open)
        request = SaslRequest(self.server._abi, 0)
        self.assertRaises(WrongState, request.accept)
        self.logs_in(Config("client"), server)
        self.assertEqual(self.server.failure.kind, FailureKind.SASL_REQUIRED)
        server.offer_required(False)
        self.logs_in(Config("client"), server)
        self.assertTrue(self.client.is_open)
        self.assertRaises(WrongState, Config("x").allow_clear_text)
        self.assertRaises(MessageException, Config("x").offer_scram, "short")


if __name__ == "__main__":
    unittest.main()
