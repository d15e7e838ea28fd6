"""Copies, pickles and texts of what the package has, and what it says of mistakes."""

import copy
import pickle
import socket
import unittest
from decimal import Decimal
from fractions import Fraction

from ferrion import *
from ferrion.engine import Config, Engine, LinkConfig, SessionConfig

WAYS = (copy.copy, copy.deepcopy, lambda it: pickle.loads(pickle.dumps(it)))


class Noted(Message):
    """A message with something of a program's own."""


class Copies(unittest.TestCase):
    def test_a_message_is_copied_with_all_its_sections(self):
        noted = Noted(body=[b"x"], subject="noted")
        noted.note = ["mine"]
        for message in (
            Message(body={"a": [1, uint(3), symbol("x")]}, id=7, properties={"k": ulong(1)}, annotations={"x-opt": 1}, ttl=3),
            Message(body_sections=[b"a", b"b"], footer={"x-sum": 1}),
            noted,
        ):
            octets = message.encode()
            for way in WAYS:
                other = way(message)
                self.assertIs(type(other), type(message))
                self.assertEqual(other.encode(), octets)
                other.subject, other.properties = "another", {"n": 1}
                self.assertEqual(message.encode(), octets)
        for way in WAYS:
            self.assertEqual(way(noted).note, ["mine"])
        self.assertIsNot(copy.deepcopy(noted).note, noted.note)

    def test_what_a_message_keeps_can_lead_back_to_it(self):
        noted = Noted(body="x")
        noted.note = [noted]
        other = copy.deepcopy(noted)
        self.assertIs(other.note[0], other)
        pair = copy.deepcopy([noted, noted])
        self.assertIs(pair[0], pair[1])

    def test_what_is_said_of_a_body_is_copied_though_it_makes_no_difference_yet(self):
        for way in WAYS:
            other = way(Message(body="text", inferred=True))
            self.assertTrue(other.inferred)
            other.body = b"octets"
            self.assertEqual(other.encode(), Message(body=b"octets", inferred=True).encode())
            self.assertFalse(way(Message(body=b"octets")).inferred)

    def test_values_keep_their_types_in_copies(self):
        for value in (
            ubyte(1), ushort(2), uint(3), ulong(4), byte(-1), short(-2), int32(-3), float32(1.5), char("x"), timestamp(5),
            symbol("s"), decimal32(1), decimal64(2), decimal128(bytes(16)), Described(symbol("a"), [uint(1)]),
            Array(symbol("a"), Data.INT, 1, 2, inner=(symbol("b"),)), Map([(uint(1), 2), (1, 3)]), PENDING, UNDESCRIBED,
        ):
            for way in WAYS:
                other = way(value)
                self.assertEqual((type(other), other), (type(value), value))
                self.assertEqual(repr(other), repr(value))
        for way in WAYS:
            self.assertIs(way(UNDESCRIBED), UNDESCRIBED)

    def test_configurations_are_copied_as_a_whole(self):
        for one, field in ((Config("a"), "hostname"), (LinkConfig.sender("a", "b"), "name"), (SessionConfig(), "incoming_window")):
            for way in (copy.copy, copy.deepcopy):
                was = getattr(one, field)
                setattr(way(one), field, 17 if field == "incoming_window" else "changed")
                self.assertEqual(getattr(one, field), was)

    def test_what_has_connections_is_not_copied(self):
        for it in (Messenger("one"), Engine.client(Config("one"))):
            for way in WAYS:
                with self.assertRaisesRegex(TypeError, "neither copied nor"):
                    way(it)

    def test_texts_tell_one_from_another(self):
        self.assertEqual(repr(Messenger("one")), "<Messenger 'one'>")
        engine = Engine.client(Config("one"))
        self.assertEqual(repr(engine), "<Engine: not open>")
        array = Array(symbol("a"), Data.INT, 1, inner=(symbol("b"),))
        self.assertEqual(eval(repr(array)), array)
        self.assertEqual(array.descriptors, (symbol("a"), symbol("b")))


class Mistakes(unittest.TestCase):
    def says(self, kind, text, call, *arguments):
        with self.assertRaisesRegex(kind, text):
            call(*arguments)

    def test_a_field_that_takes_something_else_is_named(self):
        message = Message()
        for name, value, kind, text in (
            ("address", 3, MessageException, "address: "),
            ("id", [], MessageException, "id: .*ulong, uuid, binary or string"),
            ("ttl", -1, OverflowError, "ttl: "),
            ("creation_time", "noon", TypeError, "creation_time: .*number of seconds"),
            ("content_type", 3, TypeError, "content_type: .*str"),
            ("priority", 300, OverflowError, "300 does not fit .* ubyte"),
            ("address", "\ud800", ValueError, "address: .*surrogates"),
        ):
            self.says(kind, text, setattr, message, name, value)

    def test_a_time_is_a_number_of_any_type(self):
        messenger, message = Messenger(), Message()
        for two in (2, 2.0, Decimal("2"), Fraction(4, 2), True + True):
            messenger.timeout = message.ttl = message.creation_time = two
            self.assertEqual((messenger.timeout, message.ttl, message.creation_time), (2, 2, 2))
        for text in ("2", [2], {}):
            self.says(TypeError, "number of seconds", setattr, messenger, "timeout", text)
            self.says(TypeError, "ttl: .*number of seconds", setattr, message, "ttl", text)

    def test_arguments_of_another_type_are_refused_in_words(self):
        messenger = Messenger()
        self.says(TypeError, "a Message belongs here, not None", messenger.put, None)
        self.says(TypeError, "a Message belongs here", messenger.put_many, ["text"])
        self.says(TypeError, "a str belongs here, not 3", messenger.subscribe, 3)
        self.says(TypeError, "number of seconds", setattr, messenger, "timeout", "x")
        self.says(TypeError, "integer", setattr, messenger, "outgoing_window", "x")
        self.says(MessengerException, "the message has no address", messenger.put, Message())

    def test_what_ends_a_block_is_not_hidden_by_what_could_not_be_sent(self):
        mute = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(mute.close)
        address = f"127.0.0.1:{mute.getsockname()[1]}/queue"
        with self.assertRaises(ZeroDivisionError):
            with Messenger() as messenger:
                messenger.outgoing_window, messenger.timeout = 1, 0.01
                messenger.put(Message(address=address))
                1 / 0
        # It is told where nothing else is.
        with self.assertRaises(MessengerException):
            with Messenger() as messenger:
                messenger.outgoing_window, messenger.timeout = 1, 0.01
                messenger.put(Message(address=address))


if __name__ == "__main__":
    unittest.main()
