"""What can happen to an engine, and why it may fail."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING, Any, NamedTuple

from .. import abi

if TYPE_CHECKING:
    from .link import Receiver, Sender
    from .session import Session

__all__ = ["Census", "Deadline", "Event", "EventKind", "Failure", "FailureKind", "Reason"]


class _Numbers(IntEnum):
    """Numbers of the header; one without a name here is OTHER."""

    @classmethod
    def _missing_(cls, value: object) -> Any:
        return cls(0)

    def __str__(self) -> str:
        return self.name


class EventKind(_Numbers):
    """What can happen."""

    #: Something that has no name yet; it can be passed over.
    OTHER = abi.FERRION_EVENT_OTHER
    #: The SASL exchange needs an answer; see :attr:`Engine.sasl_request`.
    AUTHENTICATE = abi.FERRION_EVENT_AUTHENTICATE
    #: SASL ended with success.
    AUTHENTICATED = abi.FERRION_EVENT_AUTHENTICATED
    #: The peer's open arrived; see :attr:`Engine.remote`.
    REMOTE_OPEN = abi.FERRION_EVENT_REMOTE_OPEN
    #: The peer's close arrived, and was answered; see :attr:`Engine.remote_condition`.
    REMOTE_CLOSE = abi.FERRION_EVENT_REMOTE_CLOSE
    #: The peer's begin arrived: the answer to ours, or a session to accept.
    SESSION_BEGUN = abi.FERRION_EVENT_SESSION_BEGUN
    #: The session ended. It can be looked at until the next event is asked for.
    SESSION_ENDED = abi.FERRION_EVENT_SESSION_ENDED
    #: The peer's attach arrived: the answer to ours, or a link to accept or refuse.
    LINK_ATTACHED = abi.FERRION_EVENT_LINK_ATTACHED
    #: The link was detached by the peer, or with its session. If it :attr:`~Link.awaits_detach`, close or detach it too.
    LINK_DETACHED = abi.FERRION_EVENT_LINK_DETACHED
    #: Sender: credit or the drain flag changed. Receiver: a drain was answered.
    FLOW = abi.FERRION_EVENT_FLOW
    #: Receiver: deliveries wait; iterate over it.
    DELIVERIES = abi.FERRION_EVENT_DELIVERIES
    #: The peer changed the state of deliveries; see :meth:`Link.updates`.
    UPDATES = abi.FERRION_EVENT_UPDATES
    #: The peer broke a rule that ends the connection; see :attr:`Engine.failure`.
    FAILED = abi.FERRION_EVENT_FAILED
    #: The last event: no more octets are taken, and after the rest of the output none are given.
    DISCONNECTED = abi.FERRION_EVENT_DISCONNECTED


class Event(NamedTuple):
    """Something that happened, and to what."""

    #: What.
    kind: EventKind
    #: The session that it happened to, or the one of the link.
    session: Session | None = None
    #: The link that it happened to.
    link: Sender | Receiver | None = None


class FailureKind(_Numbers):
    """Why a connection ended in a way that was not orderly."""

    #: A failure that has no name yet.
    OTHER = abi.FERRION_FAILURE_OTHER
    #: The peer broke a rule, and was told by which condition.
    LOCAL = abi.FERRION_FAILURE_LOCAL
    #: The peer closed the connection with a condition.
    REMOTE = abi.FERRION_FAILURE_REMOTE
    #: The peer does not speak AMQP at all.
    NOT_AMQP = abi.FERRION_FAILURE_NOT_AMQP
    #: The peer speaks another protocol id or version.
    PROTOCOL_VERSION = abi.FERRION_FAILURE_PROTOCOL_VERSION
    #: The peer wants TLS first.
    TLS_REQUESTED = abi.FERRION_FAILURE_TLS_REQUESTED
    #: The peer skipped SASL, which is required here.
    SASL_REQUIRED = abi.FERRION_FAILURE_SASL_REQUIRED
    #: The transport ended before both closes were exchanged.
    TRANSPORT_CLOSED = abi.FERRION_FAILURE_TRANSPORT_CLOSED
    #: The peer did not finish the handshake, or answer our close, in time.
    HANDSHAKE_TIMEOUT = abi.FERRION_FAILURE_HANDSHAKE_TIMEOUT
    #: The credentials were refused.
    SASL_REFUSED = abi.FERRION_FAILURE_SASL_REFUSED
    #: The server has a failure of its own.
    SASL_SYSTEM = abi.FERRION_FAILURE_SASL_SYSTEM
    #: The same, and it may pass.
    SASL_TEMPORARY = abi.FERRION_FAILURE_SASL_TEMPORARY
    #: Client and server have no mechanism in common.
    SASL_NO_MECHANISM = abi.FERRION_FAILURE_SASL_NO_MECHANISM
    #: The server offers only mechanisms that show the secret, and that was not allowed.
    SASL_CLEAR_TEXT = abi.FERRION_FAILURE_SASL_CLEAR_TEXT
    #: The mechanism cannot be carried out with these credentials.
    SASL_CREDENTIALS = abi.FERRION_FAILURE_SASL_CREDENTIALS
    #: The server did not prove that it knows the password.
    SASL_IMPOSTOR = abi.FERRION_FAILURE_SASL_IMPOSTOR
    #: The server asks for fewer or more iterations of SCRAM than are allowed.
    SASL_ITERATIONS = abi.FERRION_FAILURE_SASL_ITERATIONS
    #: A SASL frame is larger than is allowed.
    SASL_FRAME_TOO_LARGE = abi.FERRION_FAILURE_SASL_FRAME_TOO_LARGE
    #: The exchange does not come to an end.
    SASL_TOO_MANY_ROUNDS = abi.FERRION_FAILURE_SASL_TOO_MANY_ROUNDS
    #: The server has no mechanism that it can carry out.
    SASL_NOTHING_OFFERED = abi.FERRION_FAILURE_SASL_NOTHING_OFFERED
    #: This side gave the exchange up.
    SASL_ABANDONED = abi.FERRION_FAILURE_SASL_ABANDONED
    #: The exchange broke the protocol.
    SASL_PROTOCOL = abi.FERRION_FAILURE_SASL_PROTOCOL

    @property
    def is_login(self) -> bool:
        """Whether it is about who the client is."""
        return self >= FailureKind.SASL_REFUSED


@dataclass(frozen=True)
class Failure:
    """Why a connection ended in a way that was not orderly."""

    #: For the program.
    kind: FailureKind
    #: For people, with what to do.
    text: str

    def __str__(self) -> str:
        return self.text


class Reason(_Numbers):
    """Why an engine wants to be called at its deadline."""

    #: A reason that has no name yet.
    OTHER = abi.FERRION_REASON_OTHER
    #: Headers, SASL and open must be exchanged by then, or the engine gives up.
    HANDSHAKE = abi.FERRION_REASON_HANDSHAKE
    #: Our close was sent; if the peer's does not arrive by then the engine stops waiting.
    CLOSE = abi.FERRION_REASON_CLOSE
    #: The peer has been silent; at this moment its silence exceeds our idle time-out (2.4.5).
    PEER_SILENT = abi.FERRION_REASON_PEER_SILENT
    #: A link that is closing gracefully is detached then.
    LINK_CLOSE = abi.FERRION_REASON_LINK_CLOSE
    #: An empty frame is due, to keep the peer from timing us out (2.4.5).
    HEARTBEAT = abi.FERRION_REASON_HEARTBEAT
    #: The peer has read nothing of what waits for it, and is not heard because of that; at this moment it is given up.
    PEER_NOT_READING = abi.FERRION_REASON_PEER_NOT_READING


class Deadline(NamedTuple):
    """When an engine wants to be called, and why."""

    #: In seconds, on the clock of the engine.
    at: float
    reason: Reason


class Census(NamedTuple):
    """How many objects an engine holds."""

    sessions: int
    links: int
    #: Outgoing deliveries that are not settled and told of yet.
    outgoing_deliveries: int
    #: Incoming deliveries that are not settled and told of yet.
    incoming_deliveries: int
