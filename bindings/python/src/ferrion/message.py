"""Messages."""

from __future__ import annotations

from copy import deepcopy
from operator import index
from typing import Any, Callable, Iterable, Sequence

from . import abi
from .durations import checked
from .types import Map, Row, symbol, timestamp, ubyte, uint, ulong

__all__ = ["Message"]


class _Unread:
    """Stands for a section that was received and not looked at yet."""


_UNREAD: Any = _Unread()


def _field(number: int, doc: str, wrap: Any = None) -> Any:
    """A property that is a field of the header or of the properties section, None if absent."""

    def get(self: Message) -> Any:
        found = abi.ferrion_message_get(self._abi, number)
        return found[0] if found else None

    def set(self: Message, value: Any) -> None:
        try:
            if wrap is not None and value is not None:
                value = wrap(value)
            abi.ferrion_message_set(self._abi, number, value)
        except Exception as error:
            raise _of_field(set, error)

    return property(get, set, doc=doc)


def _count(its: Callable[[Any], int], give: Callable[[Any, int], None], doc: str, wrap: type[int]) -> Any:
    """A property that is a number of the header's, which has a default."""

    def get(self: Message) -> int:
        return its(self._abi)

    def set(self: Message, value: int) -> None:
        try:
            give(self._abi, wrap(value))
        except Exception as error:
            raise _of_field(set, error)

    return property(get, set, doc=doc)


def _of_field(setter: Any, error: Exception) -> Exception:
    """A failure to set a field, with the field's name."""
    name = next(name for name, its in vars(Message).items() if isinstance(its, property) and its.fset is setter)
    text = f"{name}: {error}"
    if isinstance(error, UnicodeError):
        # Its text is made of other things than its arguments.
        named = ValueError(text)
        named.__cause__ = error
        return named
    error.args = (text,)
    return error


def _milliseconds(seconds: float) -> int:
    return round(checked(seconds) * 1000)


def _uint_milliseconds(seconds: float) -> uint:
    return uint(_milliseconds(seconds))


def _timestamp(seconds: float) -> timestamp:
    """The millisecond nearest to a time. A float that was made of one finds it again for 70,000 years from 1970 on, and also for
    the largest one, which stands for never and to whose float the next one would be nearer."""
    milliseconds = _milliseconds(seconds)
    return timestamp(milliseconds - 1 if milliseconds == 2**63 else milliseconds)


def _exact_timestamp(milliseconds: int) -> timestamp:
    # A float is seconds that somebody took for milliseconds.
    return timestamp(index(milliseconds))


def _seconds(number: int, doc: str, wrap: Any) -> Any:
    """A field that is in milliseconds on the wire and in seconds here."""

    def get(self: Message) -> float | None:
        found = abi.ferrion_message_get(self._abi, number)
        return found[0] / 1000 if found else None

    def set(self: Message, value: float | None) -> None:
        try:
            abi.ferrion_message_set(self._abi, number, None if value is None else wrap(value))
        except Exception as error:
            raise _of_field(set, error)

    return property(get, set, doc=doc)


def _section(slot: str, number: int, doc: str) -> Any:
    """A section that is a map; None if there is none, and ``{}`` if it is there and empty. The dict is the message's own: changes to
    it go out with the message."""

    def get(self: Message) -> Any:
        value = getattr(self, slot)
        if value is _UNREAD:
            found = abi.ferrion_message_section(self._abi, number)
            value = found[0] if found else None
            setattr(self, slot, value)
        return value

    def set(self: Message, value: Any) -> None:
        setattr(self, slot, value)

    return property(get, set, doc=doc)


def _with_symbols(annotations: Any) -> Any:
    """Annotations as they go out: keys that are plain strings become the symbols that AMQP wants there."""
    pairs = annotations if isinstance(annotations, Map) else annotations.items()
    return Map((symbol(key) if type(key) is str else key, value) for key, value in pairs)


def _id(value: Any) -> Any:
    """An id. A plain int would be a long, which no id is."""
    return ulong(value) if type(value) is int else value


class Message:
    """A message with all its sections. Can be used again and again, for sending and for receiving.

    Every field can be given by name: ``Message(address="127.0.0.1/queue", body="Hello World!", durable=True)``.
    """

    __slots__ = (
        "_abi", "_annotations", "_body", "_borders", "_footer", "_inferred", "_instructions", "_properties", "_sections_there"
    )

    #: The priority of a message that says none (3.2.1).
    DEFAULT_PRIORITY = 4

    def __init__(self, body: Any = None, **fields: Any) -> None:
        self._abi = abi.ferrion_message_new()
        if self._abi is None:
            raise MemoryError
        self._body: Any = body
        #: How long each section of a body in several is; empty where the body is in one.
        self._borders: Sequence[int] = ()
        self._inferred = False
        self._properties: Any = None
        self._annotations: Any = None
        self._instructions: Any = None
        self._footer: Any = None
        #: Whether there may be sections in the library that are not to go out.
        self._sections_there = False
        for name, value in fields.items():
            if name.startswith("_") or not hasattr(type(self), name):
                raise TypeError(f"a Message has no field {name!r}")
            setattr(self, name, value)

    @classmethod
    def _around(cls, its: Any) -> Message:
        """The message that was received into this object of the library's."""
        message = cls.__new__(cls)
        message._abi = its
        message._borders = ()
        message._received()
        return message

    # ---- header ----

    @property
    def durable(self) -> bool:
        """Whether the message must survive a crash of the node it is on."""
        return abi.ferrion_message_durable(self._abi)

    @durable.setter
    def durable(self, value: bool) -> None:
        abi.ferrion_message_set_durable(self._abi, bool(value))

    priority: int = _count(
        abi.ferrion_message_priority, abi.ferrion_message_set_priority, "The priority, :attr:`DEFAULT_PRIORITY` unless set.", ubyte
    )

    @property
    def first_acquirer(self) -> bool:
        """Whether no other receiver has acquired the message before."""
        return abi.ferrion_message_first_acquirer(self._abi)

    @first_acquirer.setter
    def first_acquirer(self, value: bool) -> None:
        abi.ferrion_message_set_first_acquirer(self._abi, bool(value))

    delivery_count: int = _count(
        abi.ferrion_message_delivery_count,
        abi.ferrion_message_set_delivery_count,
        "How many deliveries of the message failed before.",
        uint,
    )

    ttl = _seconds(abi.FERRION_FIELD_TTL, "How long the message is worth delivering, in seconds; None is for ever.", _uint_milliseconds)

    # ---- properties ----

    id = _field(abi.FERRION_FIELD_ID, "The message's own id: a ulong (which a plain int becomes), UUID, bytes or str.", _id)
    user_id = _field(abi.FERRION_FIELD_USER_ID, "The identity of the user that made the message, as bytes.")
    address = _field(abi.FERRION_FIELD_ADDRESS, "The address that the message is for.")
    subject = _field(abi.FERRION_FIELD_SUBJECT, "What the message is about.")
    reply_to = _field(abi.FERRION_FIELD_REPLY_TO, "The address that replies go to.")
    correlation_id = _field(abi.FERRION_FIELD_CORRELATION_ID, "The id that ties messages together; types as for id.", _id)
    content_type = _field(abi.FERRION_FIELD_CONTENT_TYPE, "The MIME type of a body of data.", symbol)
    content_encoding = _field(abi.FERRION_FIELD_CONTENT_ENCODING, "The encodings on top of the content type.", symbol)
    expiry_time = _seconds(
        abi.FERRION_FIELD_EXPIRY_TIME, "When the message expires, in seconds since 1970-01-01T00:00Z.", _timestamp
    )
    creation_time = _seconds(
        abi.FERRION_FIELD_CREATION_TIME, "When the message was made, in seconds since 1970-01-01T00:00Z.", _timestamp
    )
    expiry_timestamp = _field(
        abi.FERRION_FIELD_EXPIRY_TIME, "The :attr:`expiry_time` to the millisecond: a :class:`timestamp`.", _exact_timestamp
    )
    creation_timestamp = _field(
        abi.FERRION_FIELD_CREATION_TIME,
        "The :attr:`creation_time` to the millisecond: a :class:`timestamp`.",
        _exact_timestamp,
    )
    group_id = _field(abi.FERRION_FIELD_GROUP_ID, "The group that the message belongs to.")
    group_sequence = _field(abi.FERRION_FIELD_GROUP_SEQUENCE, "The place of the message in its group.", uint)
    reply_to_group_id = _field(abi.FERRION_FIELD_REPLY_TO_GROUP_ID, "The group that replies belong to.")

    # ---- sections ----

    properties = _section(
        "_properties", abi.FERRION_SECTION_APPLICATION_PROPERTIES, "The application's properties: a dict with str keys."
    )
    annotations = _section(
        "_annotations",
        abi.FERRION_SECTION_MESSAGE_ANNOTATIONS,
        "The message annotations, for every node on the way. Keys are symbols; plain strings become such.",
    )
    instructions = _section(
        "_instructions",
        abi.FERRION_SECTION_DELIVERY_ANNOTATIONS,
        "The delivery annotations, for the next node only. Keys are symbols; plain strings become such.",
    )
    footer = _section("_footer", abi.FERRION_SECTION_FOOTER, "The footer. Keys are symbols; plain strings become such.")

    @property
    def body(self) -> Any:
        """The content: any value that AMQP has a type for; see :mod:`ferrion.types`. Of a body in several sections this is all that is in
        them, one after the other; it goes out in the same sections unless another body is set or a list gets another length."""
        if self._body is _UNREAD:
            self._read_body()
        return self._body

    @body.setter
    def body(self, value: Any) -> None:
        if self._inferred is _UNREAD:
            self._inferred = False
        self._borders = ()
        self._body = value

    @property
    def body_sections(self) -> tuple[bytes, ...] | tuple[list[Any], ...] | None:
        """The sections that the body is in: the octets of each data section, or the list of each sequence section; None if it is a single
        AMQP value. What is set here goes out in sections as they are: ``message.body_sections = [b"head", b"rest"]``."""
        if self._body is _UNREAD:
            self._read_body()
        body = self._body
        if not self._inferred or not (_is_data(body) or _is_sequence(body)):
            return None
        sections: Iterable[Any] = self._sections() or [body]
        return tuple(map(bytes, sections)) if _is_data(body) else tuple(map(list, sections))

    @body_sections.setter
    def body_sections(self, sections: Iterable[Any] | None) -> None:
        if sections is None:
            self.body = None
            return
        if _is_data(sections) or isinstance(sections, str):
            raise TypeError("the sections of a body are several: a list of bytes, or a list of lists")
        sections = list(sections)
        if not sections:
            raise ValueError("a body has at least one section; an empty one is b\"\" or []")
        if all(map(_is_data, sections)):
            # A memoryview counts its own items, and the message counts octets.
            sections = [bytes(section) for section in sections]
        elif not all(map(_is_sequence, sections)):
            raise TypeError("the sections of a body are all bytes, or all lists")
        self._join(sections)
        self._inferred = True

    @property
    def inferred(self) -> bool:
        """Whether the kind of the body section follows from the type of the body: ``bytes`` travel as data, a ``list`` as a
        sequence. Otherwise, and for all other types, the body is a single AMQP value."""
        if self._inferred is _UNREAD:
            self._read_body()
        return self._inferred

    @inferred.setter
    def inferred(self, value: bool) -> None:
        if self._body is _UNREAD:
            self._read_body()
        self._inferred = bool(value)

    # ---- whole messages ----

    def clear(self) -> None:
        """Makes this a new message."""
        abi.ferrion_message_clear(self._abi)
        self._body = self._properties = self._annotations = self._instructions = self._footer = None
        self._borders = ()
        self._inferred = False
        self._sections_there = False

    def encode(self) -> bytes:
        """The message as AMQP 1.0 encodes it."""
        self._write()
        return abi.ferrion_message_encode(self._abi)

    def decode(self, data: bytes) -> None:
        """Makes this the message that is encoded here. One without a body is none; :meth:`decode_lenient` takes it."""
        abi.ferrion_message_decode(self._abi, data)
        self._received()

    def decode_lenient(self, data: bytes) -> None:
        """As :meth:`decode`, but a message without a body has the body None. Some peers leave it out."""
        abi.ferrion_message_decode_lenient(self._abi, data)
        self._received()

    def __copy__(self) -> Message:
        """Another message that is the same, down to what is in its sections."""
        return _restored(type(self), self.encode(), _state(self), self._inferred is True)

    def __deepcopy__(self, memo: dict[int, Any]) -> Message:
        copy = _restored(type(self), self.encode(), {}, self._inferred is True)
        # What is kept beside the message may lead back to it.
        memo[id(self)] = copy
        _keep(copy, deepcopy(_state(self), memo))
        return copy

    def __reduce__(self) -> Any:
        return _restored, (type(self), self.encode(), _state(self), self._inferred is True)

    def __repr__(self) -> str:
        parts = [f"body={self.body!r}"]
        for name in ("address", "subject", "id", "reply_to", "correlation_id", "properties", "annotations"):
            value = getattr(self, name)
            if value is not None:
                parts.append(f"{name}={value!r}")
        return f"Message({', '.join(parts)})"

    # ---- between the dicts here and the sections there ----

    def _received(self) -> None:
        """Another message is behind this one now."""
        self._body = self._inferred = _UNREAD
        self._properties = self._annotations = self._instructions = self._footer = _UNREAD
        self._sections_there = True

    def _read_body(self) -> None:
        kind, values = abi.ferrion_message_body(self._abi)
        if self._inferred is _UNREAD:
            self._inferred = kind != abi.FERRION_BODY_VALUE
        if kind == abi.FERRION_BODY_VALUE:
            self._body = values[0]
        else:
            self._join(values)

    def _join(self, sections: list[Any]) -> None:
        """Makes the body what is in these sections, and remembers where one ends and the next begins."""
        if len(sections) == 1:
            self._body, self._borders = sections[0], ()
            return
        if isinstance(sections[0], bytes):
            self._body = b"".join(sections)
        else:
            self._body = [item for section in sections for item in section]
        self._borders = [len(section) for section in sections]

    def _sections(self) -> list[Any]:
        """The sections of a body in several; empty if it is in one."""
        if not self._borders or sum(self._borders) != len(self._body):
            return []
        sections, begin = [], 0
        for length in self._borders:
            sections.append(self._body[begin : begin + length])
            begin += length
        return sections

    def _write(self) -> None:
        """Hands over what is kept here. What was received and not looked at stays as it came."""
        here = self._abi
        body = self._body
        if body is not _UNREAD:
            if self._inferred is True and _is_data(body):
                if self._borders:
                    abi.ferrion_message_set_body(here, abi.FERRION_BODY_DATA, Row(self._sections()))
                else:
                    abi.ferrion_message_set_body_data(here, body)
            elif self._inferred is True and _is_sequence(body):
                sections = self._sections() or [body]
                abi.ferrion_message_set_body(here, abi.FERRION_BODY_SEQUENCE, Row(sections))
            else:
                abi.ferrion_message_set_body(here, abi.FERRION_BODY_VALUE, body)
        if not self._sections_there:
            # Most messages have none, and never had.
            if self._properties is self._annotations is self._instructions is self._footer is None:
                return
            self._sections_there = True
        if self._properties is not _UNREAD:
            _write_section(here, abi.FERRION_SECTION_APPLICATION_PROPERTIES, self._properties)
        if self._annotations is not _UNREAD:
            _write_annotations(here, abi.FERRION_SECTION_MESSAGE_ANNOTATIONS, self._annotations)
        if self._instructions is not _UNREAD:
            _write_annotations(here, abi.FERRION_SECTION_DELIVERY_ANNOTATIONS, self._instructions)
        if self._footer is not _UNREAD:
            _write_annotations(here, abi.FERRION_SECTION_FOOTER, self._footer)


def _state(message: Message) -> dict[str, Any]:
    """What a class derived from Message keeps beside the message."""
    return dict(getattr(message, "__dict__", {}))


def _restored(cls: type[Message], octets: bytes, state: dict[str, Any], inferred: bool = False) -> Message:
    message = cls.__new__(cls)
    message._abi = abi.ferrion_message_new()
    message._borders = ()
    message.decode(octets)
    if inferred:
        # It is kept with a body that goes out as a value whatever this says.
        message._inferred = True
    _keep(message, state)
    return message


def _keep(message: Message, state: dict[str, Any]) -> None:
    for name, value in state.items():
        setattr(message, name, value)


def _is_data(body: Any) -> bool:
    """Whether this is what data sections are made of."""
    return isinstance(body, (bytes, bytearray, memoryview))


def _is_sequence(body: Any) -> bool:
    """Whether this is what sequence sections are made of."""
    return isinstance(body, (list, tuple)) and not isinstance(body, Map)


def _write_section(here: Any, number: int, value: Any) -> None:
    abi.ferrion_message_set_section(here, number, abi.NOTHING if value is None else value)


def _write_annotations(here: Any, number: int, value: Any) -> None:
    _write_section(here, number, None if value is None else _with_symbols(value))
