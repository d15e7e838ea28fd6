"""Messages to octets and back, by the Python package, in the notation of ../interop/README.md: see README.md."""

import json
import struct
import sys
from uuid import UUID

from ferrion import *

# What the notation calls the fields and sections, and what a Message does.
HEADER = {"durable": "boolean", "priority": "ubyte", "first_acquirer": "boolean", "delivery_count": "uint"}
PROPERTIES = {
    "message_id": "id",
    "user_id": "user_id",
    "to": "address",
    "subject": "subject",
    "reply_to": "reply_to",
    "correlation_id": "correlation_id",
    "content_type": "content_type",
    "content_encoding": "content_encoding",
    "absolute_expiry_time": "expiry_timestamp",
    "creation_time": "creation_timestamp",
    "group_id": "group_id",
    "group_sequence": "group_sequence",
    "reply_to_group_id": "reply_to_group_id",
}
SECTIONS = {
    "delivery_annotations": "instructions",
    "message_annotations": "annotations",
    "application_properties": "properties",
    "footer": "footer",
}

INTEGERS = {
    "ubyte": ubyte,
    "ushort": ushort,
    "uint": uint,
    "ulong": ulong,
    "byte": byte,
    "short": short,
    "int": int32,
    "long": int,
    "timestamp": timestamp,
}
TEXTS = {"string": str, "symbol": symbol, "uuid": UUID}
NAMES = {cls: name for name, cls in (INTEGERS | TEXTS).items()}
TYPES = {name: getattr(Data, "BOOL" if name == "boolean" else name.upper()) for name in [
    "null", "boolean", *INTEGERS, "float", "double", "decimal32", "decimal64", "decimal128", "char", "uuid", "binary", "string",
    "symbol", "list", "map", "array",
]}
TYPE_NAMES = {number: name for name, number in TYPES.items()}


# ---- values ----


def value(note):
    """The value that a notation stands for."""
    kind, *rest = note
    if kind in INTEGERS:
        return INTEGERS[kind](int(rest[0]))
    if kind in TEXTS:
        return TEXTS[kind](rest[0])
    match kind:
        case "null":
            return None
        case "boolean":
            return rest[0]
        case "float":
            return float32(widened(rest[0]))
        case "double":
            return struct.unpack(">d", bytes.fromhex(rest[0]))[0]
        case "decimal32":
            return decimal32(int(rest[0], 16))
        case "decimal64":
            return decimal64(int(rest[0], 16))
        case "decimal128":
            return decimal128(bytes.fromhex(rest[0]))
        case "char":
            return char(chr(int(rest[0], 16)))
        case "binary":
            return bytes.fromhex(rest[0])
        case "list":
            return [value(item) for item in rest[0]]
        case "map":
            return mapping([(value(key), value(item)) for key, item in rest[0]])
        case "array":
            element, descriptor, items = rest
            outer, *inner = descriptors(descriptor) or [UNDESCRIBED]
            return Array(outer, TYPES[element], *map(value, items), inner=inner)
        case "described":
            return Described(value(rest[0]), value(rest[1]))
    raise ValueError(f"no such type: {kind}")


def descriptors(note):
    """Those that the elements of an array share: mostly none."""
    if note is None:
        return []
    return [value(one) for one in (note[2:] if note[0] == "descriptors" else [note])]


def described(it):
    """The notation of a value."""
    if it is None:
        return ["null"]
    if it is True or it is False:
        return ["boolean", it]
    match it:
        case float32():
            return ["float", narrowed(it)]
        case float():
            return ["double", struct.pack(">d", it).hex()]
        case decimal32():
            return ["decimal32", f"{int(it):08x}"]
        case decimal64():
            return ["decimal64", f"{int(it):016x}"]
        case decimal128():
            return ["decimal128", it.hex()]
        case char():
            return ["char", f"{ord(it):x}"]
        case bytes():
            return ["binary", it.hex()]
        case Map() | dict():
            return section(it)
        case list():
            return ["list", [described(item) for item in it]]
        case Array():
            notes = [described(descriptor) for descriptor in it.descriptors]
            several = ["descriptors", str(len(notes)), *notes]
            return ["array", TYPE_NAMES[it.type], several if len(notes) > 1 else (notes or [None])[0], [described(item) for item in it]]
        case Described():
            return ["described", described(it.descriptor), described(it.value)]
        case symbol():
            # What it is as text; its own str shows the type.
            return ["symbol", "".join(it)]
    return [NAMES[type(it)], it if type(it) is str else str(it) if type(it) is UUID else str(int(it))]


def mapping(pairs):
    """A dict, or a Map where a dict would lose something."""
    try:
        plain = dict(pairs)
    except TypeError:
        return Map(pairs)
    return plain if len(plain) == len(pairs) else Map(pairs)


def section(pairs):
    """The notation of a map."""
    return ["map", [[described(key), described(it)] for key, it in (pairs if isinstance(pairs, Map) else pairs.items())]]


def widened(digits):
    """The double for the octets of a float. What struct makes of a NaN is not the same NaN."""
    bits = int(digits, 16)
    if bits & 0x7FFFFFFF > 0x7F800000:
        return struct.unpack(">d", struct.pack(">Q", (bits >> 31) << 63 | 0x7FF << 52 | (bits & 0x7FFFFF) << 29))[0]
    return struct.unpack(">f", bytes.fromhex(digits))[0]


def narrowed(number):
    """The octets of a float, from the double that it is in."""
    bits = int.from_bytes(struct.pack(">d", number), "big")
    if number != number:
        return f"{(bits >> 63) << 31 | 0xFF << 23 | (bits >> 29) & 0x7FFFFF:08x}"
    return struct.pack(">f", number).hex()


# ---- messages ----


def encode(note):
    """A message in notation, as octets."""
    message = Message()
    for name, field in note.get("header", {}).items():
        if name == "ttl":
            message.ttl = value(field) / 1000
        else:
            setattr(message, name, value(field))
    for name, field in note.get("properties", {}).items():
        setattr(message, PROPERTIES[name], value(field))
    for name, attribute in SECTIONS.items():
        if name in note:
            setattr(message, attribute, value(note[name]))
    match note["body"]:
        case "data", parts:
            message.body_sections = [bytes.fromhex(part) for part in parts]
        case "sequence", parts:
            message.body_sections = [[value(item) for item in part] for part in parts]
        case "value", single:
            message.body = value(single)
    return message.encode()


def decode(octets):
    """Octets, as a message in notation."""
    message = Message()
    message.decode_lenient(octets)
    note = {"header": {name: described(INTEGERS.get(kind, bool)(getattr(message, name))) for name, kind in HEADER.items()}}
    if message.ttl is not None:
        note["header"]["ttl"] = ["uint", str(round(message.ttl * 1000))]
    fields = {name: getattr(message, attribute) for name, attribute in PROPERTIES.items()}
    note["properties"] = {name: described(field) for name, field in fields.items() if field is not None}
    for name, attribute in SECTIONS.items():
        pairs = getattr(message, attribute)
        if pairs is not None:
            note[name] = section(pairs)
    parts = message.body_sections
    if parts is None:
        note["body"] = ["value", described(message.body)]
    elif isinstance(parts[0], bytes):
        note["body"] = ["data", [part.hex() for part in parts]]
    else:
        note["body"] = ["sequence", [[described(item) for item in part] for part in parts]]
    return note


for line in sys.stdin:
    verb, _, what = line.rstrip("\n").partition(" ")
    try:
        if verb == "encode":
            print(encode(json.loads(what)).hex())
        else:
            print(json.dumps(decode(bytes.fromhex(what))))
    except Exception as error:  # The test shows it, and goes on with the next case.
        print(f"error: {error!r}")
