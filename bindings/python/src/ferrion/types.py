"""The AMQP types that Python has no type for.

A value that was received is an instance of the class of its AMQP type, and goes out again as that type. The classes are
derived from Python's own, so ``uint(3) + 1`` and ``symbol("a") == "a"`` are what one expects.
"""

from __future__ import annotations

from typing import Any, Iterable
from uuid import UUID  # noqa: F401  The extension looks the class up here.

from . import abi

__all__ = [
    "UNDESCRIBED",
    "Array",
    "Data",
    "Described",
    "Map",
    "byte",
    "char",
    "decimal32",
    "decimal64",
    "decimal128",
    "float32",
    "int32",
    "short",
    "symbol",
    "timestamp",
    "ubyte",
    "uint",
    "ulong",
    "ushort",
]


class _Shown:
    """Shows the type in ``repr``, so that a printed value can be typed in again."""

    __slots__ = ()

    def __repr__(self) -> str:
        return f"{type(self).__name__}({super().__repr__()})"


class _Int(_Shown, int):
    """An integer with the range of its AMQP type."""

    __slots__ = ()
    _range = (0, 0)

    def __new__(cls, *args: Any) -> _Int:
        number = super().__new__(cls, *args)
        low, high = cls._range
        if not low <= number <= high:
            raise OverflowError(f"{int(number)} does not fit the AMQP type {cls.__name__}")
        return number


class ubyte(_Int):
    """Unsigned, 8 bits."""

    __slots__ = ()
    _range = (0, 2**8 - 1)


class ushort(_Int):
    """Unsigned, 16 bits."""

    __slots__ = ()
    _range = (0, 2**16 - 1)


class uint(_Int):
    """Unsigned, 32 bits."""

    __slots__ = ()
    _range = (0, 2**32 - 1)


class ulong(_Int):
    """Unsigned, 64 bits."""

    __slots__ = ()
    _range = (0, 2**64 - 1)


class byte(_Int):
    """Signed, 8 bits."""

    __slots__ = ()
    _range = (-(2**7), 2**7 - 1)


class short(_Int):
    """Signed, 16 bits."""

    __slots__ = ()
    _range = (-(2**15), 2**15 - 1)


class int32(_Int):
    """Signed, 32 bits; AMQP calls it int. Python's own int is a long, of 64 bits."""

    __slots__ = ()
    _range = (-(2**31), 2**31 - 1)


class timestamp(_Int):
    """A point in time: milliseconds since 1970-01-01T00:00Z."""

    __slots__ = ()
    _range = (-(2**63), 2**63 - 1)


class decimal32(_Int):
    """An IEEE 754 decimal32, as the number that its 32 bits make. ferrion carries decimals and does not reckon with them."""

    __slots__ = ()
    _range = (0, 2**32 - 1)


class decimal64(_Int):
    """An IEEE 754 decimal64, as the number that its 64 bits make."""

    __slots__ = ()
    _range = (0, 2**64 - 1)


class decimal128(_Shown, bytes):
    """An IEEE 754 decimal128, as its 16 octets."""

    __slots__ = ()

    def __new__(cls, octets: bytes) -> decimal128:
        if len(octets) != 16:
            raise ValueError(f"a decimal128 has 16 octets, not {len(octets)}")
        return super().__new__(cls, octets)


class float32(_Shown, float):
    """A float of 32 bits; AMQP calls it float. Python's own float is a double."""

    __slots__ = ()


class char(_Shown, str):
    """A single character."""

    __slots__ = ()

    def __new__(cls, character: str) -> char:
        if len(character) != 1:
            raise ValueError(f"a char is a single character, not {character!r}")
        return super().__new__(cls, character)


class symbol(_Shown, str):
    """A name from a constrained domain, ASCII."""

    __slots__ = ()

    def __new__(cls, name: str = "") -> symbol:
        if not isinstance(name, str):
            raise TypeError(f"a symbol is made of a str, not {name!r}")
        if not name.isascii():
            raise ValueError(f"a symbol is ASCII: {name!r} is not")
        return super().__new__(cls, name)


class Described:
    """A value, and the descriptor that gives it its meaning."""

    __slots__ = ("descriptor", "value")

    def __init__(self, descriptor: Any, value: Any) -> None:
        self.descriptor = descriptor
        self.value = value

    def __repr__(self) -> str:
        return f"Described({self.descriptor!r}, {self.value!r})"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Described):
            return NotImplemented
        return self.descriptor == other.descriptor and self.value == other.value

    def __hash__(self) -> int:
        return hash((self.descriptor, self.value))


class _Undescribed:
    """The descriptor of an array whose elements have none."""

    def __repr__(self) -> str:
        return "UNDESCRIBED"

    def __reduce__(self) -> str:
        # There is only this one, in copies and in other processes too.
        return "UNDESCRIBED"


#: The descriptor of an :class:`Array` whose elements have none.
UNDESCRIBED = _Undescribed()


class Data:
    """The names of the AMQP types, for :class:`Array`."""

    NULL = abi.FERRION_TYPE_NULL
    BOOL = abi.FERRION_TYPE_BOOL
    UBYTE = abi.FERRION_TYPE_UBYTE
    USHORT = abi.FERRION_TYPE_USHORT
    UINT = abi.FERRION_TYPE_UINT
    ULONG = abi.FERRION_TYPE_ULONG
    BYTE = abi.FERRION_TYPE_BYTE
    SHORT = abi.FERRION_TYPE_SHORT
    INT = abi.FERRION_TYPE_INT
    LONG = abi.FERRION_TYPE_LONG
    FLOAT = abi.FERRION_TYPE_FLOAT
    DOUBLE = abi.FERRION_TYPE_DOUBLE
    DECIMAL32 = abi.FERRION_TYPE_DECIMAL32
    DECIMAL64 = abi.FERRION_TYPE_DECIMAL64
    DECIMAL128 = abi.FERRION_TYPE_DECIMAL128
    CHAR = abi.FERRION_TYPE_CHAR
    TIMESTAMP = abi.FERRION_TYPE_TIMESTAMP
    UUID = abi.FERRION_TYPE_UUID
    BINARY = abi.FERRION_TYPE_BINARY
    STRING = abi.FERRION_TYPE_STRING
    SYMBOL = abi.FERRION_TYPE_SYMBOL
    LIST = abi.FERRION_TYPE_LIST
    MAP = abi.FERRION_TYPE_MAP
    ARRAY = abi.FERRION_TYPE_ARRAY


class Array:
    """Values of one type, which may share a descriptor.

    ``Array(UNDESCRIBED, Data.UINT, 1, 2, 3)`` is an array of three uints; the elements may be plain Python numbers, because the
    array says what they are. ``Array(symbol("my:type"), Data.LIST, [1], [2])`` is an array of described lists.
    """

    __slots__ = ("descriptors", "elements", "type")

    def __init__(self, descriptor: Any, type: int, *elements: Any, inner: Iterable[Any] = ()) -> None:
        #: The descriptors that all elements share, the outermost first; mostly none. More than one, which is hardly ever seen, are
        #: a descriptor and the ``inner`` ones.
        self.descriptors: tuple[Any, ...] = () if descriptor is UNDESCRIBED else (descriptor, *inner)
        #: The type of the elements, a constant of :class:`Data`.
        self.type = type
        #: The elements, without their descriptor.
        self.elements: list[Any] = list(elements)

    @classmethod
    def _received(cls, descriptors: Iterable[Any], type: int, elements: list[Any]) -> Array:
        array = cls(UNDESCRIBED, type)
        array.descriptors = tuple(descriptors)
        array.elements = elements
        return array

    @property
    def descriptor(self) -> Any:
        """The descriptor that all elements share, the outermost if there are more; or :data:`UNDESCRIBED`."""
        return self.descriptors[0] if self.descriptors else UNDESCRIBED

    def __iter__(self) -> Any:
        return iter(self.elements)

    def __len__(self) -> int:
        return len(self.elements)

    def __getitem__(self, index: Any) -> Any:
        return self.elements[index]

    def __repr__(self) -> str:
        parts = [repr(self.descriptor), str(self.type), *map(repr, self.elements)]
        if self.descriptors[1:]:
            parts.append(f"inner={self.descriptors[1:]!r}")
        return f"Array({', '.join(parts)})"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Array):
            return NotImplemented
        mine = (self.descriptors, self.type, self.elements)
        return mine == (other.descriptors, other.type, other.elements)

    __hash__ = None  # type: ignore[assignment]


class Map(list[Any]):
    """A map that a ``dict`` cannot hold, as a list of pairs: with keys that are the same to Python but not to AMQP (``uint(1)`` and
    ``1``), or that are lists or maps themselves."""

    __slots__ = ()


class Row(tuple[Any, ...]):
    """Several values side by side, where a function of :mod:`ferrion.abi` takes more than one."""

    __slots__ = ()
