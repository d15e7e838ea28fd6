"""Connections: made again, secured, logged in; and what every name promises."""

import inspect
import os
import sys
import typing
import unittest
from pathlib import Path

import ferrion
from ferrion import *
from pair import Pair

#: Certificates for tests; who runs these tests by hand may have none.
PKI = os.environ.get("FERRION_TEST_PKI")


class Connections(Pair):
    def test_the_policy_is_what_was_set(self):
        self.assertEqual(self.sender.reconnect, Reconnect())
        policy = Reconnect(first_delay=0.005, max_delay=0.5, give_up_after=None, initial=True)
        self.sender.reconnect = policy
        self.assertEqual(self.sender.reconnect, policy)
        self.sender.reconnect = None
        self.assertIsNone(self.sender.reconnect)
        self.sender.set_reconnect_seed(7)

    def test_a_lost_connection_is_made_again(self):
        self.sender.reconnect = Reconnect(first_delay=0.005, max_delay=0.02)
        self.sender.outgoing_window = 10
        self.put("before")
        self.receive()
        self.until(lambda: self.sender.outgoing == 0)
        (event,) = self.sender.connection_events()
        self.assertEqual(event.kind, Happened.CONNECTED)
        self.assertIn(str(self.port), event.address)

        port = self.port
        self.receiver = Messenger("receiver")
        tracker = self.put("after")
        events = []

        def tried_twice():
            events.extend(self.sender.connection_events())
            return sum(event.kind == Happened.RETRYING for event in events) > 1

        self.until(tried_twice)
        self.assertEqual(events[0].kind, Happened.FAILED)
        self.assertTrue(events[0].reason)
        self.assertIsNotNone(events[0].status)
        retrying = next(event for event in events if event.kind == Happened.RETRYING)
        self.assertGreater(retrying.failures, 0)
        self.assertLess(retrying.delay, 0.03)
        self.listen(port)
        (message,), _ = self.receive()
        self.assertEqual(message.body, "after")
        self.until(lambda: self.sender.status(tracker) == ACCEPTED)

    def test_links_are_recovered_where_both_sides_want_it(self):
        recovery = LinkRecovery(keep_for=30, max_links=10, max_octets=100000)
        self.assertIsNone(self.sender.link_recovery)
        self.sender.link_recovery = recovery
        self.assertEqual(self.sender.link_recovery, recovery)
        self.sender.reconnect = Reconnect(first_delay=0.005, max_delay=0.02)
        self.sender.outgoing_window = 10
        self.put("before")
        self.receive()
        self.until(lambda: self.sender.outgoing == 0)
        port = self.port
        # Whoever comes after it has forgotten.
        self.receiver = Messenger("receiver")
        self.receiver.link_recovery = recovery
        self.listen(port)
        self.put("after")
        self.receive()
        kinds = [event.kind for event in self.sender.connection_events()]
        self.assertIn(Happened.FORGOTTEN, kinds)

    def test_who_only_receives_is_told_to_who_listens(self):
        self.sender.subscribe(f"127.0.0.1:{self.port}/news")
        self.sender.blocking = False
        self.sender.recv(1)
        events = []

        def told():
            events.extend(self.receiver.connection_events())
            return events

        self.until(told)
        (event,) = events
        self.assertEqual((event.kind, event.container, event.node), (Happened.SUBSCRIBED, "sender", "news"))
        self.receiver.put(Message(body="to you", address=event.address))
        self.until(lambda: self.sender.incoming == 1)
        message = Message()
        self.sender.get(message)
        self.assertEqual((message.body, message.address), ("to you", "news"))

    def test_settle_modes(self):
        self.sender.outgoing_window = 10
        self.sender.set_snd_settle_mode(SndSettleMode.SETTLED)
        self.sender.set_rcv_settle_mode(RcvSettleMode.FIRST)
        tracker = self.put("settled")
        self.receive()
        self.assertEqual(self.sender.status(tracker), SETTLED)
        self.sender.set_snd_settle_mode(None)
        self.sender.set_rcv_settle_mode(None)
        self.assertRaises(MessageException, self.sender.set_snd_settle_mode, 3)
        self.assertRaises(MessageException, self.sender.set_rcv_settle_mode, -2)

    def test_an_alternative_is_tried(self):
        gone = Messenger()
        port = gone.subscribe("~127.0.0.1:0").port
        gone.stop()
        self.sender.reconnect = Reconnect(first_delay=0.001, initial=True)
        self.sender.set_alternatives(f"127.0.0.1:{port}", [f"127.0.0.1:{self.port}"])
        self.sender.put(Message(address=f"127.0.0.1:{port}", body="elsewhere"))
        (message,), _ = self.receive()
        self.assertEqual(message.body, "elsewhere")
        self.assertRaises(TypeError, self.sender.set_alternatives, "127.0.0.1", "127.0.0.1")
        self.assertRaises(MessengerException, self.sender.set_alternatives, "127.0.0.1", ["", "127.0.0.1"])


class Logins(Pair):
    def setUp(self):
        super().setUp()
        self.receiver.set_listener_users({"ann": "secret", "bob": "hidden"})
        self.receiver.set_listener_user("bob", None)
        self.sender.reconnect = None
        self.sender.outgoing_window = 10

    def put_as(self, user, password):
        self.sender.set_credentials(user, password)
        tracker = self.put("login")
        self.receiver.blocking = self.sender.blocking = False
        self.receiver.recv()
        # To get a message accepts it.
        self.until(lambda: self.receiver.get_many() or self.sender.status(tracker) != PENDING)
        self.until(lambda: self.sender.status(tracker) != PENDING)
        return tracker

    def test_who_is_known_comes_in(self):
        self.assertEqual(self.sender.status(self.put_as("ann", "secret")), ACCEPTED)

    def test_who_is_not_does_not(self):
        for user, password in [("ann", "guess"), ("bob", "hidden"), (None, None)]:
            with self.subTest(user):
                tracker = self.put_as(user, password)
                self.assertEqual(self.sender.status(tracker), ABORTED)
                self.assertEqual(self.sender.reason_status(tracker), ferrion.abi.FERRION_LOGIN)
                self.assertRaises(LoginFailed, self.sender.send)

    def test_who_shows_a_token_that_is_known_comes_in(self):
        self.receiver.set_listener_tokens({"ann": "eyJhbGciOi", "bob": "eyJ0eXAiOi"})
        self.receiver.set_listener_token("bob", None)
        self.sender.set_allow_plain_without_tls(True)
        self.sender.set_token("eyJ0eXAiOi")
        self.assertEqual(self.sender.status(self.put_as("bob", None)), ABORTED)
        self.sender.set_token("eyJhbGciOi")
        self.assertEqual(self.sender.status(self.put_as("ann", None)), ACCEPTED)

    def test_a_token_is_for_those_who_take_one(self):
        self.sender.set_token("eyJhbGciOi")
        self.sender.set_allow_plain_without_tls(True)
        tracker = self.put_as("ann", None)
        self.assertEqual(self.sender.reason_status(tracker), ferrion.abi.FERRION_LOGIN)


@unittest.skipUnless(PKI, "FERRION_TEST_PKI names no folder with certificates")
class Tls(unittest.TestCase):
    setUp, put, until, receive = Pair.setUp, Pair.put, Pair.until, Pair.receive

    def listen(self, port=0):
        self.pki = Path(PKI)
        self.receiver.certificate = str(self.pki / "server.crt")
        self.receiver.private_key = self.pki / "server.key"
        self.receiver.password = None
        self.port = self.receiver.subscribe(f"amqps://~127.0.0.1:{port}").port
        self.address = f"amqps://127.0.0.1:{self.port}/queue"
        self.sender.reconnect = None
        self.sender.outgoing_window = 10

    def status_of(self, tracker):
        self.receiver.blocking = self.sender.blocking = False
        self.receiver.recv()
        # To get a message accepts it.
        self.until(lambda: self.receiver.get_many() or self.sender.status(tracker) != PENDING)
        self.until(lambda: self.sender.status(tracker) != PENDING)
        return self.sender.status(tracker)

    def test_who_trusts_the_authority_comes_in(self):
        self.sender.trusted_certificates = self.pki / "authority.pem"
        self.assertEqual(self.sender.trusted_certificates, str(self.pki / "authority.pem"))
        self.assertEqual(self.status_of(self.put("secured")), ACCEPTED)
        self.assertRaises(ValueError, setattr, self.sender, "trusted_certificates", None)

    def test_who_does_not_is_told_why(self):
        self.sender.trusted_certificates = self.pki / "stranger.pem"
        tracker = self.put("secured")
        self.assertEqual(self.status_of(tracker), ABORTED)
        self.assertIn("authority", self.sender.reason(tracker))
        self.assertRaises(TlsFailed, self.sender.send)

    def test_a_certificate_can_be_what_lets_in(self):
        self.receiver.trusted_certificates = self.sender.trusted_certificates = self.pki / "authority.pem"
        self.receiver.set_client_certificates(ClientCertificates.REQUIRE)
        self.assertEqual(self.status_of(self.put("without")), ABORTED)
        self.assertRaises(TlsFailed, self.sender.send)
        self.sender.set_certificate(self.pki / "client.crt", self.pki / "client.key")
        self.assertEqual(self.status_of(self.put("with")), ACCEPTED)

    def test_checks_can_be_turned_off_and_that_is_told(self):
        self.sender.set_dangerous_accept_any_certificate(True)
        self.assertEqual(self.status_of(self.put("whoever")), ACCEPTED)
        self.assertTrue(any(self.sender.warnings()))

    def test_a_port_can_be_for_both(self):
        self.receiver.set_listeners_allow_plain(True)
        self.address = self.address.replace("amqps", "amqp")
        self.assertEqual(self.status_of(self.put("plain")), ACCEPTED)

    def test_files_that_cannot_be_used_are_told_before_anything_is_made(self):
        messenger = Messenger()
        messenger.certificate = self.pki / "nothing.crt"
        for _ in range(2):
            with self.assertRaisesRegex(MessengerException, "nothing.crt"):
                messenger.subscribe("amqps://~127.0.0.1:0")
        messenger.certificate = self.pki / "server.crt"
        with self.assertRaisesRegex(MessengerException, "private key"):
            messenger.subscribe("amqps://~127.0.0.1:0")
        messenger.private_key = self.pki / "client.key"
        self.assertRaises(MessengerException, messenger.start)
        messenger.certificate = None
        messenger.start()
        self.assertRaises(TlsFailed, messenger.subscribe, "amqps://~127.0.0.1:0")
        with self.assertRaisesRegex(MessengerException, "nothing.pem"):
            messenger.trusted_certificates = self.pki / "nothing.pem"
        self.assertIsNone(messenger.trusted_certificates)


class WebSocket(Pair):
    def listen(self, port=0):
        self.receiver.set_websocket_path("/amqp")
        self.port = self.receiver.subscribe(f"ws://~127.0.0.1:{port}").port
        self.address = f"ws://127.0.0.1:{self.port}/queue"

    def test_both_sides_must_mean_the_same_path(self):
        self.sender.reconnect = None
        self.sender.set_handshake_timeout(10)
        self.put("nowhere")
        self.sender.blocking = False
        with self.assertRaises(ConnectionFailed) as caught:
            self.until(lambda: self.sender.send())
        self.assertEqual(caught.exception.status, ferrion.abi.FERRION_WEBSOCKET)
        self.sender.set_websocket_path("/amqp")
        self.put("there")
        (message,), _ = self.receive()
        self.assertEqual(message.body, "there")


class Names(unittest.TestCase):
    def test_every_public_name_has_a_text_and_types(self):
        for name in ferrion.__all__:
            thing = getattr(ferrion, name)
            if not inspect.isclass(thing) or not thing.__module__.startswith("ferrion"):
                continue
            self.assertTrue(thing.__doc__, name)
            for member, function in inspect.getmembers(thing):
                if member.startswith("_") or not callable(function) or isinstance(function, type):
                    continue
                if getattr(function, "__module__", None) != thing.__module__ or not inspect.isfunction(function):
                    continue
                self.assertTrue(function.__doc__, f"{name}.{member}")
                if sys.version_info >= (3, 10):
                    self.assertIn("return", typing.get_type_hints(function), f"{name}.{member}")

    def test_the_package_says_that_it_is_typed(self):
        self.assertTrue((Path(ferrion.__file__).parent / "py.typed").exists())

    def test_the_names_of_old(self):
        names = """name certificate private_key password trusted_certificates timeout blocking passive incoming_window
            outgoing_window start stop stopped subscribe put status buffered settle send recv work receiving interrupt get accept
            reject outgoing incoming route rewrite selectable deadline outgoing_tracker incoming_tracker
            incoming_subscription"""
        messenger = Messenger()
        for name in names.split():
            self.assertTrue(hasattr(messenger, name), name)
        for name in "PENDING ACCEPTED REJECTED RELEASED MODIFIED ABORTED SETTLED CUMULATIVE ProtonException MessengerException \
                MessageException Timeout Interrupt Message Messenger Subscription symbol ulong timestamp char Described Array \
                UNDESCRIBED Data".split():
            self.assertIn(name, ferrion.__all__)


if __name__ == "__main__":
    unittest.main()
