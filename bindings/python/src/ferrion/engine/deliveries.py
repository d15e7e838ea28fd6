"""Deliveries: what was sent, what arrived, and what the peer says of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Mapping, NamedTuple

from .. import abi
from ..message import Message, _with_symbols
from .conditions import given
from .states import State, to_value

if TYPE_CHECKING:
    from .link import Receiver, Sender

__all__ = ["Arrived", "Delivery", "Partial", "Sent", "Unsettled", "Update"]


class Sent:
    """A delivery of a sender by its handle."""

    __slots__ = ("_abi", "id", "link")

    def __init__(self, link: Sender, id: int) -> None:
        #: The link that it is of.
        self.link = link
        #: Its handle: a number that never comes to mean something else.
        self.id = id
        self._abi = link._abi

    def settle(self, state: State | None = None) -> None:
        """Settles it, perhaps with a state of this side's: it is forgotten here."""
        if state is None:
            abi.ferrion_sender_settle(self._abi, self.link.id, self.id)
        else:
            abi.ferrion_sender_settle_as(self._abi, self.link.id, self.id, to_value(state))

    def update(self, state: State) -> None:
        """Tells the receiver its state at this side, without settling it."""
        abi.ferrion_sender_update(self._abi, self.link.id, self.id, to_value(state))

    @property
    def is_queued(self) -> bool:
        """Whether it waits here, whole or in part, for the session's window or the transport. Raises :class:`StaleHandle` if it is
        settled and forgotten already."""
        return abi.ferrion_engine_is_queued(self._abi, self.id)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Sent):
            return NotImplemented
        return self.id == other.id and self.link == other.link

    def __hash__(self) -> int:
        return hash(self.id)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.id:#x}>"


class Update(NamedTuple):
    """A delivery whose state the peer changed."""

    #: Which.
    delivery: Sent | Arrived
    #: The sender's name for it.
    tag: bytes
    #: Its state at the peer; None if none was told.
    state: State | None
    #: Whether the peer has settled it.
    settled: bool


class Unsettled(NamedTuple):
    """A delivery that is not settled by both sides. The kinds of states are ``FERRION_STATE_`` numbers of the header."""

    #: Which.
    delivery: Sent | Arrived
    #: The sender's name for it.
    tag: bytes
    #: The format of the payload; 0 is an AMQP message.
    message_format: int
    #: The kind of its state at this side.
    local_state: int
    #: The kind of its state at the peer, as far as the peer told.
    remote_state: int
    #: Whether the peer has settled it.
    settled: bool


class Arrived:
    """A delivery of a receiver by its handle."""

    __slots__ = ("_abi", "id", "receiver", "tag")

    def __init__(self, receiver: Receiver, id: int, tag: bytes) -> None:
        #: The link that it came by.
        self.receiver = receiver
        #: Its handle; 0 if the sender has settled it.
        self.id = id
        #: The sender's name for it.
        self.tag = tag
        self._abi = receiver._abi

    @property
    def settled(self) -> bool:
        """Whether the sender settled it: there is nobody to tell an outcome then, and the calls here do nothing."""
        return self.id == 0

    def accept(self) -> None:
        """Takes responsibility for it, and settles it."""
        if self.id:
            abi.ferrion_receiver_accept(self._abi, self.receiver.id, self.id)

    def reject(
        self, condition: str | None = None, description: str | None = None, info: Mapping[Any, Any] | None = None
    ) -> None:
        """Refuses it as invalid, and settles it."""
        if self.id:
            abi.ferrion_receiver_reject(self._abi, self.receiver.id, self.id, condition, description, given(info))

    def release(self) -> None:
        """Gives it back as if it had never come, and settles it."""
        if self.id:
            abi.ferrion_receiver_release(self._abi, self.receiver.id, self.id)

    def modify(
        self, failed: bool = True, undeliverable_here: bool = False, annotations: Mapping[Any, Any] | None = None
    ) -> None:
        """Gives it back with changes, and settles it: whether the attempt counts as failed, whether it should not come here again, and
        annotations to add."""
        if self.id:
            changes = _with_symbols(annotations) if annotations else abi.NOTHING
            abi.ferrion_receiver_modify(self._abi, self.receiver.id, self.id, failed, undeliverable_here, changes)

    def settle(self, state: State, at_once: bool = False) -> None:
        """Settles it with an outcome; ``at_once`` does not wait for the sender even where the receiver settles second."""
        if self.id:
            settle = abi.ferrion_receiver_settle_at_once if at_once else abi.ferrion_receiver_settle
            settle(self._abi, self.receiver.id, self.id, to_value(state))

    def update(self, state: State) -> None:
        """Tells the sender a state without settling: where the receiver settles second, the outcome."""
        if self.id:
            abi.ferrion_receiver_update(self._abi, self.receiver.id, self.id, to_value(state))

    def forget(self) -> None:
        """Settles it without telling a state: it has the default outcome of the source."""
        if self.id:
            abi.ferrion_receiver_forget(self._abi, self.receiver.id, self.id)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Arrived):
            return NotImplemented
        return self.id == other.id and self.receiver == other.receiver

    def __hash__(self) -> int:
        return hash(self.id)


class Delivery(Arrived):
    """A delivery that arrived."""

    __slots__ = ("aborted", "batchable", "message_format", "payload", "state")

    def __init__(
        self,
        receiver: Receiver,
        id: int,
        tag: bytes,
        payload: bytes,
        message_format: int,
        state: State | None,
        batchable: bool,
        aborted: bool,
    ) -> None:
        super().__init__(receiver, id, tag)
        #: The encoded message.
        self.payload = payload
        #: The format of the payload; 0 is an AMQP message.
        self.message_format = message_format
        #: The state that the sender gave it.
        self.state = state
        #: Whether the outcome may wait for others to join it.
        self.batchable = batchable
        #: Whether the sender called it off after parts of it had been read: what was read is void.
        self.aborted = aborted

    @property
    def message(self) -> Message:
        """The payload as a message, another one each time. Raises :class:`MessageException` if it is none."""
        message = Message()
        message.decode_lenient(self.payload)
        return message

    def __repr__(self) -> str:
        return f"<Delivery {self.id:#x}: tag {self.tag!r}, {len(self.payload)} octets>"


class Partial(Arrived):
    """A delivery that is arriving."""

    __slots__ = ("message_format", "waiting")

    def __init__(self, receiver: Receiver, id: int, tag: bytes, waiting: int, message_format: int) -> None:
        super().__init__(receiver, id, tag)
        #: The octets that have come and were not read.
        self.waiting = waiting
        #: The format of the payload; 0 is an AMQP message.
        self.message_format = message_format
