"""Messages: every field and section, and what stays as it came."""

import math
import unittest
import uuid

from ferrion import *

FIELDS = {
    "durable": True,
    "priority": 9,
    "ttl": 1.5,
    "first_acquirer": True,
    "delivery_count": 3,
    "id": "id-1",
    "user_id": b"guest",
    "address": "amqp://example/queue",
    "subject": "a\0b",
    "reply_to": "~/replies",
    "correlation_id": uuid.UUID(int=7),
    "content_type": symbol("text/plain"),
    "content_encoding": symbol("gzip"),
    "expiry_time": 1000.25,
    "creation_time": -1.0,
    "group_id": "group",
    "group_sequence": uint(2**32 - 1),
    "reply_to_group_id": "other",
    "properties": {"colour": "green", "n": uint(1)},
    "annotations": {symbol("x-opt-trace"): 1},
    "instructions": {symbol("x-opt-hop"): 2},
    "footer": {symbol("x-opt-sum"): 3},
    "body": ["Hello World!"],
}


def copy_of(message):
    copy = Message()
    copy.decode(message.encode())
    return copy


class Messages(unittest.TestCase):
    def test_a_number_that_does_not_fit_names_its_field(self):
        for name, value, kind in (
            ("priority", "high", ValueError),
            ("priority", 256, OverflowError),
            ("delivery_count", -1, OverflowError),
            ("ttl", -1, OverflowError),
        ):
            with self.assertRaisesRegex(kind, f"^{name}: "):
                Message(**{name: value})

    def test_every_field_comes_back(self):
        received = copy_of(Message(**FIELDS))
        for name, value in FIELDS.items():
            with self.subTest(name):
                self.assertEqual(getattr(received, name), value)

    def test_a_new_message_has_nothing(self):
        message = Message()
        self.assertEqual((message.durable, message.priority, message.first_acquirer), (False, 4, False))
        for name in FIELDS.keys() - {"durable", "priority", "first_acquirer", "delivery_count"}:
            self.assertIsNone(getattr(message, name), name)

    def test_none_removes_a_field(self):
        message = Message(**FIELDS)
        for name in FIELDS.keys() - {"durable", "priority", "first_acquirer", "delivery_count"}:
            setattr(message, name, None)
            self.assertIsNone(getattr(message, name), name)
        self.assertIsNone(copy_of(message).properties)

    def test_ids_keep_their_type(self):
        for value in ["text", b"octets", ulong(7), uuid.UUID(int=1)]:
            back = copy_of(Message(id=value)).id
            self.assertEqual((back, type(back)), (value, type(value)))
        for wrong in [1.5, True, uint(1)]:
            with self.assertRaises(MessageException):
                Message(id=wrong)

    def test_a_plain_number_is_an_id(self):
        received = copy_of(Message(id=7, correlation_id=2**64 - 1))
        self.assertEqual((received.id, received.correlation_id), (7, 2**64 - 1))
        self.assertIs(type(received.id), ulong)
        with self.assertRaises(OverflowError):
            Message(id=-1)

    def test_sections_are_the_messages_own(self):
        message = Message(properties={}, body={"list": []})
        message.properties["colour"] = "green"
        message.body["list"].append(1)
        received = copy_of(message)
        self.assertEqual(received.properties, {"colour": "green"})
        self.assertEqual(received.body, {"list": [1]})
        received.properties["shade"] = "dark"
        self.assertEqual(copy_of(received).properties, {"colour": "green", "shade": "dark"})

    def test_keys_of_annotations_become_symbols(self):
        received = copy_of(Message(annotations={"x-opt-a": 1, ulong(2): 3}))
        self.assertEqual([type(key) for key in received.annotations], [symbol, ulong])

    def test_inferred_bodies(self):
        for body, inferred in [(b"octets", True), (b"octets", False), ([1, 2], True), ([1, 2], False), ("text", False)]:
            received = copy_of(Message(body=body, inferred=inferred))
            self.assertEqual((received.body, received.inferred), (body, inferred))

    def test_an_empty_section_is_not_an_absent_one(self):
        for name in ["properties", "annotations", "instructions", "footer"]:
            with self.subTest(name):
                self.assertIsNone(getattr(copy_of(Message()), name))
                received = copy_of(Message(**{name: {}}))
                self.assertEqual(getattr(received, name), {})
                self.assertEqual(getattr(copy_of(received), name), {})
                setattr(received, name, None)
                self.assertIsNone(getattr(copy_of(received), name))

    def test_a_section_that_was_emptied_is_still_there(self):
        received = copy_of(Message(properties={"colour": "green"}))
        del received.properties["colour"]
        self.assertEqual(copy_of(received).properties, {})

    def test_times_are_exact_to_the_millisecond(self):
        year = 365 * 24 * 3600 * 1000
        largest = 2**63 - 1
        times = [0, 1, -1, 1_234_567_890_123, 253_402_300_799_999, 70_000 * year + 1, -70_000 * year - 1, largest, -(2**63)]
        for milliseconds in [*times, *range(1_700_000_000_000, 1_700_000_001_000)]:
            for kind in ["creation", "expiry"]:
                message = copy_of(Message(**{f"{kind}_timestamp": milliseconds}))
                exact, seconds = getattr(message, f"{kind}_timestamp"), getattr(message, f"{kind}_time")
                self.assertEqual((exact, type(exact)), (milliseconds, timestamp))
                self.assertEqual((seconds, type(seconds)), (milliseconds / 1000, float))
                # By seconds it goes from one message to the next as well.
                copy = copy_of(Message(**{f"{kind}_time": seconds}))
                self.assertEqual(getattr(copy, f"{kind}_timestamp"), milliseconds)

    def test_a_time_that_no_float_has_is_there_exactly(self):
        for milliseconds in [2**62 + 1, -(2**63) + 1, 2**63 - 2]:
            message = copy_of(Message(creation_timestamp=milliseconds))
            self.assertEqual(message.creation_timestamp, milliseconds)
            # It stays so while other things change.
            message.subject = "changed"
            self.assertEqual(copy_of(message).creation_timestamp, milliseconds)

    def test_seconds_are_not_taken_for_milliseconds(self):
        message = Message(creation_time=1.5)
        with self.assertRaises(TypeError):
            message.creation_timestamp = 1.5
        for seconds in [2.0**63 / 1000 + 10, math.inf]:
            with self.assertRaises(OverflowError):
                message.creation_time = seconds
        self.assertEqual((message.creation_time, message.creation_timestamp), (1.5, 1500))

    def test_what_was_not_looked_at_stays_as_it_came(self):
        # A long form that an encoder of today would not choose.
        octets = b"\x00\x80\x00\x00\x00\x00\x00\x00\x00\x77\xb1\x00\x00\x00\x02hi"
        message = Message()
        message.decode(octets)
        self.assertEqual(message.encode(), octets)
        self.assertEqual(message.body, "hi")

    def test_a_message_can_be_used_again(self):
        message = Message(**FIELDS)
        message.clear()
        self.assertEqual(message.encode(), Message().encode())
        message.decode(Message(body="new").encode())
        self.assertEqual((message.body, message.subject, message.properties), ("new", None, None))

    def test_mistakes(self):
        with self.assertRaises(MessageException):
            Message().decode(b"nonsense")
        with self.assertRaises(MessageException):
            Message().subject = 7
        with self.assertRaises(TypeError):
            Message(colour="green")
        with self.assertRaises(ValueError):
            Message().content_type = "é"
        with self.assertRaises(OverflowError):
            Message().ttl = 2**32
        error = None
        try:
            Message().decode(b"nonsense")
        except FerrionException as caught:
            error = caught
        self.assertTrue(str(error))
        self.assertLess(error.status, 0)

    def test_a_message_without_a_body_is_taken_leniently(self):
        # Properties with a subject, and nothing else.
        octets = bytes.fromhex("005373c00704404040a10173")
        message = Message(body="kept")
        with self.assertRaises(MessageException):
            message.decode(octets)
        self.assertEqual(message.body, "kept")
        message.decode_lenient(octets)
        self.assertEqual((message.subject, message.body), ("s", None))


if __name__ == "__main__":
    unittest.main()
