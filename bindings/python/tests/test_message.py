"""Messages: every field and section, and what stays as it came."""

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
        with self.assertRaises(MessageException):
            Message(id=1.5)

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

    def test_several_data_sections_are_one_body(self):
        message = Message()
        message.decode(b"\x00\x53\x75\xa0\x02ab\x00\x53\x75\xa0\x01c")
        self.assertEqual(message.body, b"abc")

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


if __name__ == "__main__":
    unittest.main()
