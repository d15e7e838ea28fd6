"""Bodies in several sections: they are one body, and their borders stay where they were."""

import unittest

from ferrion import *

DATA = b"\x00\x53\x75\xa0\x02ab\x00\x53\x75\xa0\x00\x00\x53\x75\xa0\x01c"
# [1, 2], [] and [["three"]], in the shortest forms.
SEQUENCES = (
    b"\x00\x53\x76\xc0\x05\x02\x55\x01\x55\x02"
    b"\x00\x53\x76\x45"
    b"\x00\x53\x76\xc0\x0b\x01\xc0\x08\x01\xa1\x05three"
)


def decoded(octets):
    message = Message()
    message.decode(octets)
    return message


def copy_of(message):
    return decoded(message.encode())


class BodySections(unittest.TestCase):
    def test_several_sections_are_one_body(self):
        for octets, body in [(DATA, b"abc"), (SEQUENCES, [1, 2, ["three"]])]:
            message = decoded(octets)
            self.assertEqual((message.body, message.inferred), (body, True))

    def test_each_section_can_be_looked_at(self):
        self.assertEqual(decoded(DATA).body_sections, (b"ab", b"", b"c"))
        self.assertEqual(decoded(SEQUENCES).body_sections, ([1, 2], [], [["three"]]))

    def test_a_single_value_is_in_no_such_section(self):
        for value in [None, "text", b"octets", [1], {}, Map([(1, 2)])]:
            self.assertIsNone(copy_of(Message(value)).body_sections)

    def test_a_body_in_one_section(self):
        for body in [b"octets", b"", [1, 2], []]:
            message = Message(body, inferred=True)
            self.assertEqual(message.body_sections, (body,))
            self.assertEqual(copy_of(message).body_sections, (body,))

    def test_borders_stay_when_a_message_was_read_and_changed(self):
        for octets in [DATA, SEQUENCES]:
            message = decoded(octets)
            self.assertTrue(message.body)
            self.assertEqual(message.encode(), octets)
            message.subject = "changed"
            message.properties = {"colour": "green"}
            self.assertTrue(message.encode().endswith(octets))
            self.assertEqual(copy_of(message).body_sections, decoded(octets).body_sections)

    def test_borders_stay_when_what_is_between_them_changes(self):
        message = decoded(SEQUENCES)
        message.body[1] = "two"
        message.body[2].append("four")
        self.assertEqual(copy_of(message).body_sections, ([1, "two"], [], [["three", "four"]]))

    def test_a_list_of_another_length_has_no_borders(self):
        message = decoded(SEQUENCES)
        message.body.append("four")
        self.assertEqual(message.body_sections, ([1, 2, ["three"], "four"],))
        self.assertEqual(copy_of(message).body_sections, ([1, 2, ["three"], "four"],))

    def test_another_body_has_no_borders(self):
        message = decoded(DATA)
        self.assertEqual(message.body, b"abc")
        message.body = b"xyz"
        self.assertEqual(copy_of(message).body_sections, (b"xyz",))
        message.body_sections = [b"a", b"b"]
        message.clear()
        message.body, message.inferred = b"ab", True
        self.assertEqual(message.body_sections, (b"ab",))

    def test_sections_can_be_made(self):
        self.assertEqual(Message(body_sections=[b"ab", b"", b"c"]).encode(), DATA)
        message = Message("text")
        message.body_sections = ([1, 2], (), [["three"]])
        self.assertEqual((message.body, message.inferred), ([1, 2, ["three"]], True))
        self.assertEqual(copy_of(message).body_sections, ([1, 2], [], [["three"]]))
        message.body_sections = [bytearray(b"a"), memoryview(b"bcd")[::2]]
        self.assertEqual(copy_of(message).body_sections, (b"a", b"bd"))
        message.body_sections = [b"one"]
        self.assertEqual(copy_of(message).body_sections, (b"one",))
        message.body_sections = None
        self.assertIsNone(copy_of(message).body)

    def test_sections_can_be_passed_on(self):
        for octets in [DATA, SEQUENCES]:
            self.assertEqual(Message(body_sections=decoded(octets).body_sections).encode(), octets)

    def test_empty_sections_have_borders_too(self):
        self.assertEqual(copy_of(Message(body_sections=[b"", b""])).body_sections, (b"", b""))
        self.assertEqual(copy_of(Message(body_sections=[[], []])).body_sections, ([], []))

    def test_sections_make_one_value_when_that_is_asked_for(self):
        message = decoded(DATA)
        message.inferred = False
        self.assertIsNone(message.body_sections)
        self.assertEqual((copy_of(message).body, copy_of(message).inferred), (b"abc", False))

    def test_mistakes_change_nothing(self):
        message = Message("text")
        for sections in [b"ab", "ab", [b"a", [1]], ["a"], [{}], [Map()], [None], 7]:
            with self.subTest(repr(sections)), self.assertRaises(TypeError):
                message.body_sections = sections
        with self.assertRaises(ValueError):
            message.body_sections = []
        self.assertEqual((message.body, message.inferred), ("text", False))


if __name__ == "__main__":
    unittest.main()
