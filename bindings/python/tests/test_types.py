"""Every AMQP type goes out and comes back as what it was."""

import enum
import math
import unittest
import uuid
from collections import OrderedDict

from ferrion import *


def through_the_wire(body):
    """The body of a message after it was encoded and decoded again."""
    received = Message()
    received.decode(Message(body=body).encode())
    return received.body


# What goes in, and what comes out: equal, and of the same class.
TABLE = {
    "null": None,
    "true": True,
    "false": False,
    "ubyte": ubyte(2**8 - 1),
    "ushort": ushort(2**16 - 1),
    "uint": uint(2**32 - 1),
    "ulong": ulong(2**64 - 1),
    "ulong, small": ulong(0),
    "byte": byte(-(2**7)),
    "short": short(-(2**15)),
    "int": int32(-(2**31)),
    "long": -(2**63),
    "long, largest": 2**63 - 1,
    "float": float32(1.5),
    "double": -1e300,
    "infinity": math.inf,
    "decimal32": decimal32(0x22500001),
    "decimal64": decimal64(0x2238000000000001),
    "decimal128": decimal128(bytes(range(16))),
    "char": char("\U0001f41d"),
    "timestamp": timestamp(-1),
    "uuid": uuid.UUID("12345678-1234-5678-1234-567812345678"),
    "binary": b"\x00\xff",
    "binary, empty": b"",
    "binary, long": bytes(70000),
    "string": "Grüße\0!",
    "string, empty": "",
    "symbol": symbol("amqp:accepted:list"),
    "list": [1, "two", [3.0, []], None],
    "list, empty": [],
    "map": {"a": 1, symbol("b"): [2], ulong(3): {"c": None}},
    "map, empty": {},
    "map that a dict cannot hold": Map([(uint(1), "uint"), (1, "long"), (["list"], "list")]),
    "described": Described(symbol("my:type"), [1, 2]),
    "described twice": Described(ulong(1), Described(ulong(2), "value")),
    "array of uint": Array(UNDESCRIBED, Data.UINT, uint(1), uint(2**32 - 1)),
    "array of string": Array(UNDESCRIBED, Data.STRING, "a", ""),
    "array of symbol": Array(UNDESCRIBED, Data.SYMBOL, symbol("a")),
    "array of array": Array(UNDESCRIBED, Data.ARRAY, Array(UNDESCRIBED, Data.LONG, 1), Array(UNDESCRIBED, Data.LONG)),
    "array of described lists": Array(symbol("my:type"), Data.LIST, [1], ["two"]),
    "array, empty": Array(UNDESCRIBED, Data.UUID),
}


class Types(unittest.TestCase):
    def test_every_type_comes_back_as_it_was(self):
        for name, value in TABLE.items():
            with self.subTest(name):
                back = through_the_wire(value)
                self.assertEqual(back, value)
                self.assertIs(type(back), type(value))

    def test_values_inside_of_others_keep_their_types_too(self):
        back = through_the_wire(list(TABLE.values()))
        self.assertEqual([type(value) for value in back], [type(value) for value in TABLE.values()])
        self.assertEqual(back, list(TABLE.values()))

    def test_not_a_number(self):
        self.assertTrue(math.isnan(through_the_wire(math.nan)))

    def test_python_types_take_their_nearest_relative(self):
        for value, expected in [
            (2**63, ulong(2**63)),
            ((1, 2), [1, 2]),
            (bytearray(b"x"), b"x"),
            (memoryview(b"x"), b"x"),
            (OrderedDict(a=1), {"a": 1}),
            (enum.IntEnum("E", "A").A, 1),
            (type("MyStr", (str,), {})("x"), "x"),
        ]:
            with self.subTest(repr(value)):
                back = through_the_wire(value)
                self.assertEqual(back, expected)
                self.assertIs(type(back), type(expected))

    def test_elements_of_an_array_may_be_plain_numbers(self):
        back = through_the_wire(Array(UNDESCRIBED, Data.USHORT, 1, 2))
        self.assertIs(type(back[0]), ushort)
        self.assertEqual(list(back), [1, 2])

    def test_what_does_not_fit_is_refused(self):
        for make in [
            lambda: ubyte(256),
            lambda: ubyte(-1),
            lambda: int32(2**31),
            lambda: through_the_wire(2**64),
            lambda: through_the_wire(-(2**63) - 1),
            lambda: through_the_wire(Array(UNDESCRIBED, Data.UBYTE, 256)),
        ]:
            self.assertRaises(OverflowError, make)
        for make in [
            lambda: char("ab"),
            lambda: symbol("é"),
            lambda: decimal128(b"short"),
            lambda: through_the_wire(Map([(1, 2, 3)])),
        ]:
            self.assertRaises(ValueError, make)
        for make in [
            lambda: through_the_wire(object()),
            lambda: through_the_wire([1, {2, 3}]),
            lambda: through_the_wire(Array(UNDESCRIBED, Data.STRING, 1)),
        ]:
            self.assertRaises(TypeError, make)
        for make in [
            lambda: through_the_wire(Array(UNDESCRIBED, Data.LIST, "not a list")),
            lambda: through_the_wire(Array(UNDESCRIBED, 99)),
        ]:
            self.assertRaises(MessageException, make)

    def test_nesting_without_end_is_refused(self):
        endless = []
        endless.append(endless)
        self.assertRaises(MessageException, through_the_wire, endless)

    def test_a_value_can_be_typed_in_again(self):
        for value in [uint(3), symbol("a"), float32(1.5), char("x"), Described(ulong(1), [timestamp(2)])]:
            self.assertEqual(eval(repr(value)), value)

    def test_a_failure_half_way_leaves_nothing_behind(self):
        self.assertRaises(TypeError, through_the_wire, [1, 2, object()])
        self.assertEqual(through_the_wire("next"), "next")


if __name__ == "__main__":
    unittest.main()
