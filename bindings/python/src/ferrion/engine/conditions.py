"""Error conditions: why the peer, or this side, ended something."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Mapping

from .. import abi
from ..message import _with_symbols

__all__ = ["Condition"]


@dataclass(frozen=True)
class Condition:
    """An error condition (2.8.14), which also says a text for people and a map for programs that know the condition."""

    #: What kind, ``"amqp:not-found"`` for example.
    condition: str
    #: A text for people; may be empty.
    description: str = ""
    #: More for programs.
    info: Mapping[Any, Any] | None = None
    #: Whether the peer found it, where that can be either side; else None.
    remote: bool | None = None

    def __str__(self) -> str:
        return f"{self.condition}: {self.description}" if self.description else self.condition


def found(parts: Any, remote: bool | None = None) -> Condition | None:
    """What the header tells of a condition: the three parts, or None."""
    if parts is None:
        return None
    condition, description, info = parts
    return Condition(condition, description, info[0] if info else None, remote)


def ended(parts: Any) -> Condition | None:
    """The same of what one of the two sides ended."""
    return None if parts is None else found(parts[1:], bool(parts[0]))


def given(info: Mapping[Any, Any] | None) -> Any:
    """A map as the header takes it."""
    return _with_symbols(info) if info else abi.NOTHING
