"""Links: what both roles share, and those that send and receive."""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING, Any, Iterator, Mapping

from .. import abi
from ..connections import RcvSettleMode, SndSettleMode
from ..message import Message
from .conditions import Condition, ended, given
from .config import LinkConfig
from .deliveries import Arrived, Delivery, Partial, Sent, Unsettled, Update
from .fields import Said, numbers
from .recovery import LinkState, Recovery
from .states import State, to_value, told

if TYPE_CHECKING:
    from .engine import Engine
    from .session import Session

__all__ = ["Closing", "Link", "Receiver", "Sender", "Stream"]

_ATTACH = numbers("FERRION_ATTACH_")
_SOURCE = numbers("FERRION_SOURCE_")
_TARGET = numbers("FERRION_TARGET_")


class Closing(IntEnum):
    """How far a graceful close has come."""

    #: A stage that has no name yet.
    OTHER = abi.FERRION_CLOSING_OTHER
    #: A receiver has asked for the rest of the credit, and has no answer yet.
    DRAINING = abi.FERRION_CLOSING_DRAINING
    #: Messages of a sender have not left yet.
    SENDING = abi.FERRION_CLOSING_SENDING
    #: Deliveries are not settled.
    SETTLING = abi.FERRION_CLOSING_SETTLING
    #: Nothing is left to wait for: the detach is on its way.
    COMPLETE = abi.FERRION_CLOSING_COMPLETE
    #: The moment came before that: the detach is on its way all the same.
    OVERDUE = abi.FERRION_CLOSING_OVERDUE

    @classmethod
    def _missing_(cls, value: object) -> Closing:
        return cls.OTHER


class Link:
    """A link of an engine (2.6): a :class:`Sender` or a :class:`Receiver`. Once it is gone, its calls raise :class:`StaleHandle`.

    Two objects for one link are equal and have the same hash, so a table can have links as its keys."""

    __slots__ = ("_abi", "engine", "id")

    def __init__(self, engine: Engine, id: int) -> None:
        #: The engine that it is of.
        self.engine = engine
        #: Its handle: a number that never comes to mean something else.
        self.id = id
        self._abi = engine._abi

    # ---- life ----

    def accept(self, config: LinkConfig | None = None) -> None:
        """Answers an attach of the peer's with the termini and modes it asked for, or with others: start from :meth:`offer` then. A peer
        that asks for a dynamic node has to be told which one it is."""
        if config is None:
            abi.ferrion_link_accept(self._abi, self.id)
        else:
            abi.ferrion_link_accept_with(self._abi, self.id, config._abi)

    def offer(self) -> LinkConfig:
        """What :meth:`accept` would answer; for a link of ours, what it was attached with."""
        config = LinkConfig()
        abi.ferrion_link_offer(self._abi, self.id, config._abi)
        return config

    def refuse(self, condition: str, description: str | None = None, info: Mapping[Any, Any] | None = None) -> None:
        """Answers an attach of the peer's with a refusal (2.6.3)."""
        abi.ferrion_link_refuse(self._abi, self.id, condition, description, given(info))

    def resume(self, state: LinkState) -> None:
        """Answers an attach of the peer's with what an earlier endpoint of this link left, and goes on with that."""
        abi.ferrion_link_resume(self._abi, self.id, state._abi)

    def detach(self) -> None:
        """Detaches the link without closing it (2.6.4), after what was sent has left."""
        abi.ferrion_link_detach(self._abi, self.id)

    def close(
        self, condition: str | None = None, description: str | None = None, info: Mapping[Any, Any] | None = None
    ) -> None:
        """Closes the link for good (2.6.5): without a condition after what was sent has left, with one at once."""
        abi.ferrion_link_close(self._abi, self.id, condition, description, given(info))

    def close_by(self, moment: float) -> None:
        """Closes the link gracefully, so that neither side has to guess what became of a delivery, but not later than a moment of the
        engine's clock. :attr:`closing` tells how far it has come. Called again, it moves the moment."""
        abi.ferrion_link_close_by(self._abi, self.id, self.engine._milliseconds(moment))

    @property
    def closing(self) -> Closing | None:
        """How far a graceful close has come; None if there was none."""
        stage = abi.ferrion_link_closing(self._abi, self.id)
        return None if stage is None else Closing(stage)

    # ---- what it is ----

    @property
    def session(self) -> Session:
        """The session that it is on."""
        return self.engine._session(abi.ferrion_link_session(self._abi, self.id))

    @property
    def name(self) -> str:
        """Its name."""
        return abi.ferrion_link_name(self._abi, self.id)

    @property
    def is_incoming(self) -> bool:
        """Whether the peer attached it and it has not been answered yet."""
        return abi.ferrion_link_is_incoming(self._abi, self.id)

    @property
    def is_attached(self) -> bool:
        """Whether both sides have attached and neither has detached."""
        return abi.ferrion_link_is_attached(self._abi, self.id)

    @property
    def awaits_detach(self) -> bool:
        """Whether the peer has detached and waits for our detach."""
        return abi.ferrion_link_awaits_detach(self._abi, self.id)

    @property
    def is_remote_closed(self) -> bool:
        """Whether the peer's detach closed the link for good."""
        return abi.ferrion_link_is_remote_closed(self._abi, self.id)

    @property
    def snd_settle_mode(self) -> SndSettleMode:
        """The sender's settle mode in force."""
        return SndSettleMode(abi.ferrion_link_snd_settle_mode(self._abi, self.id))

    @property
    def rcv_settle_mode(self) -> RcvSettleMode:
        """The receiver's settle mode in force."""
        return RcvSettleMode(abi.ferrion_link_rcv_settle_mode(self._abi, self.id))

    @property
    def remote(self) -> Said:
        """The peer's attach (2.7.3): ``link.remote.properties`` and so on, None for what is not there."""
        return Said(lambda number: abi.ferrion_link_remote(self._abi, self.id, number), _ATTACH)

    @property
    def remote_source(self) -> Said:
        """The source as the peer sees it (3.5.3)."""
        return Said(lambda number: abi.ferrion_link_remote_source(self._abi, self.id, number), _SOURCE)

    @property
    def remote_target(self) -> Said:
        """The target as the peer sees it (3.5.4)."""
        return Said(lambda number: abi.ferrion_link_remote_target(self._abi, self.id, number), _TARGET)

    @property
    def remote_address(self) -> str | None:
        """The address of the node at the peer; for a dynamic node it is the one to tell others."""
        return abi.ferrion_link_remote_address(self._abi, self.id)

    @property
    def error(self) -> Condition | None:
        """The error that ended it."""
        return ended(abi.ferrion_link_error(self._abi, self.id))

    # ---- deliveries ----

    def updates(self) -> Iterator[Update]:
        """Takes the deliveries whose state the peer changed. One that the peer has settled is forgotten by this; another one still wants
        to be settled."""
        while (found := abi.ferrion_link_next_update(self._abi, self.id)) is not None:
            delivery, tag, state, settled = found
            yield Update(self._delivery(delivery, tag), tag, told(self._abi, state), bool(settled))

    def unsettled(self) -> list[Unsettled]:
        """The deliveries that are not settled by both sides, in order."""
        found: list[Unsettled] = []
        while (one := abi.ferrion_link_unsettled(self._abi, self.id, len(found))) is not None:
            delivery, tag, message_format, local, remote, settled = one
            found.append(Unsettled(self._delivery(delivery, tag), tag, message_format, local, remote, bool(settled)))
        return found

    def _delivery(self, id: int, tag: bytes) -> Sent | Arrived:
        raise NotImplementedError

    # ---- recovery ----

    @property
    def state(self) -> LinkState | None:
        """What has to outlive this endpoint of the link for another one to go on with it. None if the peer's attach was not accepted."""
        state = LinkState()
        return state if abi.ferrion_link_state(self._abi, self.id, state._abi) else None

    @property
    def recovered(self) -> Recovery | None:
        """What came of resuming the link, once both sides have attached."""
        found = abi.ferrion_link_recovered(self._abi, self.id)
        return None if found is None else Recovery(bool(found[0]), bool(found[1]), *found[2:])

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Link):
            return NotImplemented
        return self.engine is other.engine and self.id == other.id

    def __hash__(self) -> int:
        return hash(self.id)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.id:#x}>"


def _new_options(settled: bool, batchable: bool, message_format: int) -> Any:
    options = abi.ferrion_send_options_new()
    abi.ferrion_send_options_set_settled(options, settled)
    abi.ferrion_send_options_set_batchable(options, batchable)
    abi.ferrion_send_options_set_message_format(options, message_format)
    return options


# The options of nearly all messages that are not settled later.
_SETTLED = _new_options(True, False, 0)


def _options(settled: bool, batchable: bool, message_format: int, state: State | None) -> Any:
    """How a message is sent; None if there is nothing to say."""
    if state is None and not batchable and message_format == 0:
        return _SETTLED if settled else None
    options = _new_options(settled, batchable, message_format)
    if state is not None:
        abi.ferrion_send_options_set_state(options, to_value(state))
    return options


class Sender(Link):
    """A link that sends."""

    __slots__ = ()

    def send(
        self,
        message: Message | bytes | bytearray | memoryview,
        tag: bytes | None = None,
        *,
        settled: bool = False,
        batchable: bool = False,
        state: State | None = None,
        message_format: int = 0,
    ) -> Sent | None:
        """Sends a message, or the octets of an encoded one or, with a ``message_format``, of something else. The tag names the delivery; it
        has at most 32 octets, differs from those of the link's other unsettled deliveries, and is made up if it is not given. A state says,
        for example, that the message belongs to a transaction. Answers None for what is settled by being sent: there will be no outcome.

        Raises :class:`NoCredit`, and changes nothing, if the receiver granted none that is not already spoken for: look at
        :attr:`credit` before, or try again after the next :attr:`EventKind.FLOW`."""
        if tag is None:
            tag = self.engine._new_tag()
        options = _options(settled, batchable, message_format, state)
        if isinstance(message, Message):
            message._write()
            delivery = abi.ferrion_sender_send_message(self._abi, self.id, tag, message._abi, options)
        elif options is None:
            delivery = abi.ferrion_sender_send(self._abi, self.id, tag, message)
        elif options is _SETTLED:
            abi.ferrion_sender_send_settled(self._abi, self.id, tag, message)
            return None
        else:
            delivery = abi.ferrion_sender_send_with(self._abi, self.id, tag, message, options)
        return Sent(self, delivery) if delivery else None

    def stream(
        self,
        tag: bytes | None = None,
        *,
        settled: bool = False,
        batchable: bool = False,
        state: State | None = None,
        message_format: int = 0,
    ) -> Stream:
        """Begins a delivery whose payload follows in parts. Used in a ``with`` statement it is finished at the end, or called off by an
        exception."""
        if tag is None:
            tag = self.engine._new_tag()
        options = _options(settled, batchable, message_format, state)
        delivery = abi.ferrion_sender_stream(self._abi, self.id, tag, options)
        return Stream(self, delivery)

    @property
    def credit(self) -> int:
        """Messages that can be sent at once."""
        return abi.ferrion_sender_credit(self._abi, self.id)

    @property
    def queued(self) -> int:
        """Messages that were sent by calls and have not left yet."""
        return abi.ferrion_sender_queued(self._abi, self.id)

    @property
    def queued_octets(self) -> int:
        """Octets of payload that were sent by calls and have not left yet."""
        return abi.ferrion_sender_queued_octets(self._abi, self.id)

    @property
    def is_draining(self) -> bool:
        """Whether the receiver asks to have its credit used up or given back."""
        return abi.ferrion_sender_is_draining(self._abi, self.id)

    def drained(self) -> None:
        """Gives back the credit that is not used, in answer to a drain."""
        abi.ferrion_sender_drained(self._abi, self.id)

    def _delivery(self, id: int, tag: bytes) -> Sent:
        return Sent(self, id)


class Stream(Sent):
    """A delivery that is sent in parts."""

    __slots__ = ()

    def write(self, data: bytes) -> None:
        """Adds octets. To bound what waits, look at :attr:`Sender.queued_octets`."""
        abi.ferrion_sender_write(self._abi, self.link.id, self.id, data)

    def finish(self) -> None:
        """The delivery is complete."""
        abi.ferrion_sender_finish(self._abi, self.link.id, self.id)

    def abort(self) -> None:
        """Calls the delivery off."""
        abi.ferrion_sender_abort(self._abi, self.link.id, self.id)

    def __enter__(self) -> Stream:
        return self

    def __exit__(self, kind: Any, value: Any, traceback: Any) -> None:
        if kind is None:
            self.finish()
        else:
            self.abort()


class Receiver(Link):
    """A link that receives. Iterating over it takes the complete deliveries that wait."""

    __slots__ = ()

    def next_delivery(self) -> Delivery | None:
        """Takes the next complete delivery, after :attr:`EventKind.DELIVERIES`; None if there are no more. Of one that was read while it
        came, the payload is what was not read."""
        found = abi.ferrion_receiver_next_delivery(self._abi, self.id)
        if found is None:
            return None
        id, tag, payload, message_format, state, batchable, aborted = found
        return Delivery(self, id, tag, payload, message_format, told(self._abi, state), bool(batchable), bool(aborted))

    def __iter__(self) -> Iterator[Delivery]:
        while (delivery := self.next_delivery()) is not None:
            yield delivery

    @property
    def waiting(self) -> int:
        """Complete deliveries that wait to be taken."""
        return abi.ferrion_receiver_waiting(self._abi, self.id)

    # ---- credit ----

    @property
    def credit(self) -> int:
        """Messages that may still come. Set it to let so many come from now on, whatever it was before."""
        return abi.ferrion_receiver_credit(self._abi, self.id)

    @credit.setter
    def credit(self, n: int) -> None:
        abi.ferrion_receiver_set_credit(self._abi, self.id, n)

    def add_credit(self, n: int) -> None:
        """Lets so many more messages come."""
        abi.ferrion_receiver_add_credit(self._abi, self.id, n)

    def set_automatic_credit(self, n: int) -> None:
        """Lets so many messages come, and grants more as they are taken. 0 stops granting."""
        abi.ferrion_receiver_set_automatic_credit(self._abi, self.id, n)

    @property
    def available(self) -> int:
        """Messages that wait at the sender, as far as it told."""
        return abi.ferrion_receiver_available(self._abi, self.id)

    def drain(self) -> None:
        """Asks the sender to use the credit up or give it back. :attr:`EventKind.FLOW` tells when it has."""
        abi.ferrion_receiver_drain(self._abi, self.id)

    @property
    def is_draining(self) -> bool:
        """Whether a drain has not been answered yet."""
        return abi.ferrion_receiver_is_draining(self._abi, self.id)

    # ---- deliveries that are read while they come ----

    def set_streaming(self, on: bool = True) -> None:
        """Whether deliveries are read while they come; :attr:`EventKind.DELIVERIES` tells of parts too then."""
        abi.ferrion_receiver_set_streaming(self._abi, self.id, on)

    @property
    def partial(self) -> Partial | None:
        """The delivery that is arriving."""
        found = abi.ferrion_receiver_partial(self._abi, self.id)
        return None if found is None else Partial(self, *found)

    def read_partial(self) -> bytes | None:
        """Takes what has come of the delivery that is arriving; None if nothing more has at present."""
        return abi.ferrion_receiver_read_partial(self._abi, self.id)

    def refuse_partial(self, condition: str, description: str | None = None, info: Mapping[Any, Any] | None = None) -> None:
        """Refuses the delivery that is arriving, and with it the link, as where a limit of the engine is passed: what came of it is dropped
        at once, and the link is closed with this condition."""
        abi.ferrion_receiver_refuse_partial(self._abi, self.id, condition, description, given(info))

    def _delivery(self, id: int, tag: bytes) -> Arrived:
        return Arrived(self, id, tag)
