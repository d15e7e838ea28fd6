"""The typed notation in which the peer programs print and read AMQP values (see README.md).

Three conversions live here, all of them built on Proton's own codec:

* `from_data` / `to_data`: a `proton.Data` cursor, which keeps every type and every section;
* `from_native` / `to_native`: the Python objects that `proton.Message` hands to an application;
* `sections_from_bytes` / `sections_to_bytes`: a whole encoded message, section by section, through `proton.Data`.
"""

import struct
import uuid
import zlib

from proton import (
    Array, Data, Described, byte, char, decimal128, decimal32, decimal64, float32, int32, short, symbol, timestamp,
    ubyte, uint, ulong, ushort,
)
from proton._data import UNDESCRIBED

HEADER_FIELDS = ["durable", "priority", "ttl", "first_acquirer", "delivery_count"]
PROPERTY_FIELDS = [
    "message_id", "user_id", "to", "subject", "reply_to", "correlation_id", "content_type", "content_encoding",
    "absolute_expiry_time", "creation_time", "group_id", "group_sequence", "reply_to_group_id",
]
SECTIONS = {
    0x70: "header", 0x71: "delivery_annotations", 0x72: "message_annotations", 0x73: "properties",
    0x74: "application_properties", 0x75: "data", 0x76: "sequence", 0x77: "value", 0x78: "footer",
}
CODES = {name: code for code, name in SECTIONS.items()}

# notation name -> (Proton's type number, getter, putter); the compounds are handled apart.
SCALARS = {
    "boolean": (Data.BOOL, Data.get_bool, Data.put_bool),
    "ubyte": (Data.UBYTE, Data.get_ubyte, Data.put_ubyte),
    "ushort": (Data.USHORT, Data.get_ushort, Data.put_ushort),
    "uint": (Data.UINT, Data.get_uint, Data.put_uint),
    "ulong": (Data.ULONG, Data.get_ulong, Data.put_ulong),
    "byte": (Data.BYTE, Data.get_byte, Data.put_byte),
    "short": (Data.SHORT, Data.get_short, Data.put_short),
    "int": (Data.INT, Data.get_int, Data.put_int),
    "long": (Data.LONG, Data.get_long, Data.put_long),
    "float": (Data.FLOAT, Data.get_float, Data.put_float),
    "double": (Data.DOUBLE, Data.get_double, Data.put_double),
    "decimal32": (Data.DECIMAL32, Data.get_decimal32, Data.put_decimal32),
    "decimal64": (Data.DECIMAL64, Data.get_decimal64, Data.put_decimal64),
    "decimal128": (Data.DECIMAL128, Data.get_decimal128, Data.put_decimal128),
    "char": (Data.CHAR, Data.get_char, Data.put_char),
    "timestamp": (Data.TIMESTAMP, Data.get_timestamp, Data.put_timestamp),
    "uuid": (Data.UUID, Data.get_uuid, Data.put_uuid),
    "binary": (Data.BINARY, Data.get_binary, Data.put_binary),
    "string": (Data.STRING, Data.get_string, Data.put_string),
    "symbol": (Data.SYMBOL, Data.get_symbol, Data.put_symbol),
}
TYPE_NUMBERS = {name: number for name, (number, _, _) in SCALARS.items()}
TYPE_NUMBERS.update(null=Data.NULL, list=Data.LIST, map=Data.MAP, array=Data.ARRAY, described=Data.DESCRIBED)
TYPE_NAMES = {number: name for name, number in TYPE_NUMBERS.items()}

NATIVE = {
    "boolean": bool, "ubyte": ubyte, "ushort": ushort, "uint": uint, "ulong": ulong, "byte": byte, "short": short,
    "int": int32, "long": int, "float": float32, "double": float, "decimal32": decimal32, "decimal64": decimal64,
    "decimal128": decimal128, "char": char, "timestamp": timestamp, "uuid": uuid.UUID, "binary": bytes,
    "string": str, "symbol": symbol,
}
NATIVE_NAMES = {cls: name for name, cls in NATIVE.items()}
NATIVE_NAMES[memoryview] = "binary"


def scalar_text(kind, value):
    """The text that stands for a scalar: exact, whatever its size."""
    if kind == "boolean":
        return bool(value)
    if kind == "float":
        return struct.pack(">f", value).hex()
    if kind == "double":
        return struct.pack(">d", value).hex()
    if kind == "decimal32":
        return "%08x" % (int(value) & 0xFFFFFFFF)
    if kind == "decimal64":
        return "%016x" % (int(value) & 0xFFFFFFFFFFFFFFFF)
    if kind in ("decimal128", "binary"):
        return bytes(value).hex()
    if kind == "char":
        return "%x" % ord(value)
    if kind in ("string", "symbol", "uuid"):
        return str(value)
    return str(int(value))


def scalar_value(kind, text):
    """The Python value (of Proton's class for the type) that a notation text stands for."""
    if kind == "boolean":
        return text
    if kind == "float":
        return float32(struct.unpack(">f", bytes.fromhex(text))[0])
    if kind == "double":
        return struct.unpack(">d", bytes.fromhex(text))[0]
    if kind in ("decimal32", "decimal64"):
        return NATIVE[kind](int(text, 16))
    if kind in ("decimal128", "binary"):
        return NATIVE[kind](bytes.fromhex(text))
    if kind == "char":
        return char(chr(int(text, 16)))
    if kind in ("string", "symbol", "uuid"):
        return NATIVE[kind](text)
    return NATIVE[kind](int(text))


# --- proton.Data ------------------------------------------------------------------------------------------------


def from_data(data):
    """The notation of the value under the cursor."""
    kind = TYPE_NAMES[data.type()]
    if kind == "null":
        return ["null"]
    if kind in SCALARS:
        return [kind, scalar_text(kind, SCALARS[kind][1](data))]
    if kind == "array":
        _, described, element = data.get_array()
        items = children(data)
        descriptor = items.pop(0) if described else None
        return ["array", TYPE_NAMES[element], descriptor, items]
    items = children(data)
    if kind == "described":
        return ["described", items[0], items[1]]
    if kind == "map":
        return ["map", [items[i:i + 2] for i in range(0, len(items), 2)]]
    return ["list", items]


def children(data):
    items = []
    data.enter()
    while data.next() is not None:
        items.append(from_data(data))
    data.exit()
    return items


def to_data(data, note):
    """Appends the value that the notation stands for."""
    kind = note[0]
    if kind == "null":
        data.put_null()
        return
    if kind in SCALARS:
        SCALARS[kind][2](data, scalar_value(kind, note[1]))
        return
    if kind == "array":
        _, element, descriptor, items = note
        data.put_array(descriptor is not None, TYPE_NUMBERS[element])
        items = ([descriptor] if descriptor is not None else []) + items
    elif kind == "described":
        data.put_described()
        items = note[1:3]
    elif kind == "map":
        data.put_map()
        items = [part for pair in note[1] for part in pair]
    else:
        data.put_list()
        items = note[1]
    data.enter()
    for item in items:
        to_data(data, item)
    data.exit()


# --- the objects of proton.Message ------------------------------------------------------------------------------


def from_native(value):
    """The notation of a Python object as `proton.Message` returns it."""
    if value is None:
        return ["null"]
    if isinstance(value, Described):
        return ["described", from_native(value.descriptor), from_native(value.value)]
    if isinstance(value, Array):
        descriptor = None if value.descriptor is UNDESCRIBED else from_native(value.descriptor)
        return ["array", TYPE_NAMES[value.type], descriptor, [from_native(item) for item in value.elements]]
    if isinstance(value, dict):
        return ["map", [[from_native(key), from_native(item)] for key, item in value.items()]]
    if isinstance(value, (list, tuple)):
        return ["list", [from_native(item) for item in value]]
    kind = NATIVE_NAMES[type(value)]
    return [kind, scalar_text(kind, value)]


def to_native(note):
    """The Python object that an application would give to `proton.Message` for this notation."""
    kind = note[0]
    if kind == "null":
        return None
    if kind == "described":
        return Described(to_native(note[1]), to_native(note[2]))
    if kind == "array":
        descriptor = UNDESCRIBED if note[2] is None else to_native(note[2])
        return Array(descriptor, TYPE_NUMBERS[note[1]], *[to_native(item) for item in note[3]])
    if kind == "map":
        return {to_native(key): to_native(item) for key, item in note[1]}
    if kind == "list":
        return [to_native(item) for item in note[1]]
    return scalar_value(kind, note[1])


# --- whole messages, section by section --------------------------------------------------------------------------


def digest(octets):
    """Stands for octets too many to print: their number and their CRC-32."""
    return [len(octets), "%08x" % zlib.crc32(octets)]


def sections_from_bytes(encoded, digests):
    """Decodes an encoded message with `proton.Data` alone, keeping every section that is there."""
    message = {}
    while encoded:
        data = Data()
        used = data.decode(encoded)
        encoded = encoded[used:]
        data.rewind()
        data.next()
        data.enter()
        data.next()
        name = SECTIONS[int(data.get_ulong())]
        data.next()
        if name == "data":
            octets = data.get_binary()
            key, item = ("octets", digest(octets)) if digests else ("data", octets.hex())
            message.setdefault("body", [key, []])[1].append(item)
        elif name == "sequence":
            message.setdefault("body", ["sequence", []])[1].append(from_data(data)[1])
        elif name == "value":
            message["body"] = ["value", from_data(data)]
        elif name in ("header", "properties"):
            fields = HEADER_FIELDS if name == "header" else PROPERTY_FIELDS
            items = from_data(data)[1]
            message[name] = {field: item for field, item in zip(fields, items) if item != ["null"]}
        else:
            message[name] = from_data(data)
    return message


def sections_to_bytes(message):
    """Encodes a message with `proton.Data` alone, in the order of the specification (3.2)."""
    encoded = b""
    for name in ("header", "delivery_annotations", "message_annotations", "properties", "application_properties"):
        if name not in message:
            continue
        note = message[name]
        if name in ("header", "properties"):
            fields = HEADER_FIELDS if name == "header" else PROPERTY_FIELDS
            note = ["list", [note.get(field, ["null"]) for field in fields]]
        encoded += section(name, note)
    kind, content = message["body"]
    if kind == "value":
        encoded += section("value", content)
    for item in content if kind != "value" else []:
        encoded += section(kind, ["binary", item] if kind == "data" else ["list", item])
    if "footer" in message:
        encoded += section("footer", message["footer"])
    return encoded


def section(name, note):
    data = Data()
    to_data(data, ["described", ["ulong", str(CODES[name])], note])
    return data.encode()
