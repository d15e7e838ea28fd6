"""What becomes of deliveries (part 3.4 of the specification), and their states within transactions (4.5)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Mapping, Union

from .. import abi
from ..message import _with_symbols
from ..types import Described, symbol, uint, ulong
from .conditions import Condition

__all__ = ["Accepted", "Declared", "Modified", "Received", "Rejected", "Released", "State", "Transactional"]


@dataclass(frozen=True)
class Received:
    """A part has arrived (3.4.1)."""

    section_number: int
    section_offset: int


@dataclass(frozen=True)
class Accepted:
    """Taken over by the receiver (3.4.2)."""


@dataclass(frozen=True)
class Rejected:
    """Not valid (3.4.3)."""

    error: Condition | None = None


@dataclass(frozen=True)
class Released:
    """Not acted upon (3.4.4)."""


@dataclass(frozen=True)
class Modified:
    """Not acted upon, and to be changed (3.4.5)."""

    #: Whether the attempt counts as failed.
    failed: bool = False
    #: Whether the message should not come here again.
    undeliverable_here: bool = False
    #: Annotations to add to the message.
    annotations: Mapping[Any, Any] | None = None


@dataclass(frozen=True)
class Declared:
    """A transaction was declared (4.5.6)."""

    txn_id: bytes


@dataclass(frozen=True)
class Transactional:
    """A state within a transaction (4.5.7)."""

    txn_id: bytes
    outcome: Any = None


#: A state; one that ferrion does not know is its described value.
State = Union[Received, Accepted, Rejected, Released, Modified, Declared, Transactional, Described]

_RECEIVED, _ACCEPTED, _REJECTED, _RELEASED, _MODIFIED, _DECLARED, _TRANSACTIONAL = map(
    ulong, (0x23, 0x24, 0x25, 0x26, 0x27, 0x33, 0x34)
)
_ERROR = ulong(0x1D)
_NAMES: dict[Any, Any] = {
    "amqp:received:list": _RECEIVED,
    "amqp:accepted:list": _ACCEPTED,
    "amqp:rejected:list": _REJECTED,
    "amqp:released:list": _RELEASED,
    "amqp:modified:list": _MODIFIED,
    "amqp:declared:list": _DECLARED,
    "amqp:transactional-state:list": _TRANSACTIONAL,
}


def to_value(state: State | None) -> Any:
    """A state as the header takes it."""
    if state is None:
        return abi.NOTHING
    if isinstance(state, Accepted):
        return Described(_ACCEPTED, [])
    if isinstance(state, Released):
        return Described(_RELEASED, [])
    if isinstance(state, Received):
        return Described(_RECEIVED, [uint(state.section_number), ulong(state.section_offset)])
    if isinstance(state, Rejected):
        return Described(_REJECTED, [_error(state.error)] if state.error else [])
    if isinstance(state, Modified):
        changes = None if state.annotations is None else _with_symbols(state.annotations)
        return Described(_MODIFIED, [state.failed, state.undeliverable_here, changes])
    if isinstance(state, Declared):
        return Described(_DECLARED, [state.txn_id])
    if isinstance(state, Transactional):
        outcome = None if state.outcome is None else to_value(state.outcome)
        return Described(_TRANSACTIONAL, [state.txn_id, outcome])
    return state


def _error(error: Condition) -> Described:
    info = None if error.info is None else _with_symbols(error.info)
    return Described(_ERROR, [symbol(error.condition), error.description or None, info])


def from_value(value: Any) -> State | None:
    """A state that the header told."""
    if not isinstance(value, Described) or not isinstance(value.value, list):
        return value
    if not isinstance(value.descriptor, (ulong, symbol)):
        # Nothing else names a type of the specification (1.5), however equal its number is.
        return value
    code = _NAMES.get(value.descriptor, value.descriptor)
    fields = value.value + [None] * 3
    if code == _ACCEPTED:
        return Accepted()
    if code == _RELEASED:
        return Released()
    if code == _RECEIVED:
        return Received(fields[0] or 0, fields[1] or 0)
    if code == _REJECTED:
        error = fields[0].value + [None] * 3 if isinstance(fields[0], Described) else None
        return Rejected(error and Condition(error[0], error[1] or "", error[2]))
    if code == _MODIFIED:
        return Modified(bool(fields[0]), bool(fields[1]), fields[2])
    if code == _DECLARED:
        return Declared(fields[0])
    if code == _TRANSACTIONAL:
        return Transactional(fields[0], from_value(fields[1]))
    return value


# The states that say everything by their kind.
_PLAIN = {abi.FERRION_STATE_NONE: None, abi.FERRION_STATE_ACCEPTED: Accepted(), abi.FERRION_STATE_RELEASED: Released()}


def told(engine: Any, kind: int) -> State | None:
    """The state of the delivery or update that was taken last, of which the kind is known."""
    if kind in _PLAIN:
        return _PLAIN[kind]
    return whole(abi.ferrion_engine_state(engine))


def whole(values: Any) -> State | None:
    """The one state in a row of values."""
    return from_value(values[0]) if values else None
