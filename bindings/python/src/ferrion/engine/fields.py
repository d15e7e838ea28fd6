"""Fields of configurations, and of what peers say, as attributes of Python objects."""

from __future__ import annotations

from typing import Any, Callable, Iterable, Mapping

from .. import abi
from ..message import _with_symbols
from ..types import UNDESCRIBED, Array, Data, Described, symbol

__all__: list[str] = []


def symbols(names: Iterable[str] | str | None) -> Any:
    """Symbols as the header takes them."""
    if names is None:
        return Array(UNDESCRIBED, Data.SYMBOL)
    if isinstance(names, str):
        names = [names]
    return Array(UNDESCRIBED, Data.SYMBOL, *map(symbol, names))


def symbol_map(value: Mapping[Any, Any] | None) -> Any:
    """A map with symbols as its keys."""
    return None if value is None else _with_symbols(value)


def one_symbol(value: str | None) -> symbol | None:
    """A symbol, or none."""
    return None if value is None else symbol(value)


def plain(found: Any) -> Any:
    """What the header found of a field: several symbols as a tuple."""
    if not found:
        return None
    value = found[0]
    return tuple(value.elements) if isinstance(value, Array) else value


def field(get: Any, set: Any, number: int, doc: str, wrap: Callable[[Any], Any] | None = None) -> Any:
    """A property that is a field of a configuration."""

    def read(self: Any) -> Any:
        return plain(get(self._abi, number))

    def write(self: Any, value: Any) -> None:
        set(self._abi, number, wrap(value) if wrap is not None else value)

    return property(read, write, doc=doc)


def apply(to: Any, settings: Mapping[str, Any]) -> None:
    """Sets attributes by name, which must be those of the class."""
    for name, value in settings.items():
        if name.startswith("_") or not isinstance(getattr(type(to), name, None), property):
            raise TypeError(f"{type(to).__name__} has no setting {name!r}")
        setattr(to, name, value)


class Copied:
    """What :mod:`copy` does with an object that has a ``copy`` of its own: the library's part is copied, too."""

    __slots__ = ()

    copy: Any

    def __copy__(self) -> Any:
        return self.copy()

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        return self.copy()


class Said:
    """What a peer said: a mapping of the fields that it gave or that have a default, also by attribute."""

    __slots__ = ("_get", "_numbers")

    def __init__(self, get: Callable[[int], Any], numbers: Mapping[str, int]) -> None:
        self._get = get
        self._numbers = numbers

    def __getattr__(self, name: str) -> Any:
        number = self._numbers.get(name)
        if number is None:
            raise AttributeError(f"there is no field {name!r}: there are {', '.join(self._numbers)}")
        return plain(self._get(number))

    def __getitem__(self, name: str) -> Any:
        try:
            return getattr(self, name)
        except AttributeError as error:
            raise KeyError(str(error)) from None

    def __iter__(self) -> Any:
        return iter(self._numbers)

    def as_dict(self) -> dict[str, Any]:
        """All fields that are there."""
        found = {name: getattr(self, name) for name in self._numbers}
        return {name: value for name, value in found.items() if value is not None}

    def __repr__(self) -> str:
        return repr(self.as_dict())


def numbers(prefix: str) -> dict[str, int]:
    """The numbers of the fields that the header names with this prefix, by the name of the field."""
    its = {name[len(prefix) :].lower(): number for name, number in vars(abi).items() if name.startswith(prefix)}
    return dict(sorted(its.items(), key=lambda one: one[1]))


def described(value: Any) -> Described | None:
    """A terminus, or an outcome, as the described value that it is."""
    if value is not None and not isinstance(value, Described):
        raise TypeError(f"a described value belongs here, not {value!r}")
    return value
