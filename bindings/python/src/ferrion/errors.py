"""What can go wrong.

Every exception has a text that says what to do, a ``status`` (one of the ``FERRION_`` numbers of the header), and, if a peer gave
one as its reason, an error ``condition`` such as ``"amqp:not-found"``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import abi

if TYPE_CHECKING:
    from .message import Message

__all__ = [
    "Busy",
    "ConnectionFailed",
    "Duplicate",
    "EndOfQueue",
    "FerrionException",
    "Interrupt",
    "LimitReached",
    "LoginFailed",
    "MessageException",
    "MessengerException",
    "NoCredit",
    "Overflow",
    "ProtonException",
    "StaleHandle",
    "Timeout",
    "TlsFailed",
    "WouldBlock",
    "WrongState",
]


class FerrionException(Exception):
    """Anything that ferrion answers instead of success."""

    def __init__(self, text: str = "", status: int | None = None, condition: str | None = None) -> None:
        super().__init__(text)
        self.status = status
        self.condition = condition or None
        #: Of :meth:`Messenger.put_many`: the trackers of the messages that were put before.
        self.trackers: list[int] = []
        #: Of :meth:`Messenger.get_many`: the messages that were got before.
        self.messages: list[Message] = []


#: The name of old, so that old scripts need only the import changed.
ProtonException = FerrionException


class MessengerException(FerrionException):
    """A messenger cannot do what it was asked for."""


class MessageException(FerrionException):
    """A message, or a value in it, cannot be encoded or decoded, or cannot be what it was asked to be."""


class ConnectionFailed(MessengerException):
    """No connection could be made, or it was lost."""


class LoginFailed(ConnectionFailed):
    """The peer refused the user or the password, or offers no way to log in that may be used."""


class TlsFailed(ConnectionFailed):
    """A connection could not be secured with TLS, or a listener cannot offer it. The text says why, and what to do."""


class EndOfQueue(MessengerException):
    """Nothing waits to be taken."""


class Overflow(MessengerException):
    """Too many messages wait to be sent."""


class Timeout(MessengerException):
    """The timeout passed first. What was begun goes on: the same call again waits longer."""


class Interrupt(MessengerException):
    """Another thread interrupted the call."""


class WouldBlock(MessengerException):
    """In non-blocking mode: what was asked for has begun and is not finished."""


class Busy(MessengerException):
    """The object is in use by another thread: one at a time may, but for :meth:`Messenger.interrupt`."""


class WrongState(MessengerException):
    """The call does not fit the state that the object is in."""


class NoCredit(FerrionException):
    """A link's receiver has granted no credit. Nothing was changed: try again after the link's next flow."""


class StaleHandle(FerrionException):
    """The session, link or delivery of an engine is gone, or is of another kind."""


class LimitReached(FerrionException):
    """There is no room for another session, link or the like; the peer or the configuration set the limit."""


class Duplicate(FerrionException):
    """A link of this name and role exists already."""


#: The exception for each status; for any other it is that of ``None``.
BY_STATUS = {
    None: MessengerException,
    abi.FERRION_WOULD_BLOCK: WouldBlock,
    abi.FERRION_END: EndOfQueue,
    abi.FERRION_TIMEOUT: Timeout,
    abi.FERRION_INTERRUPTED: Interrupt,
    abi.FERRION_OVERFLOW: Overflow,
    abi.FERRION_BUSY: Busy,
    abi.FERRION_STATE: WrongState,
    abi.FERRION_NO_CREDIT: NoCredit,
    abi.FERRION_STALE_HANDLE: StaleHandle,
    abi.FERRION_WRONG_KIND: StaleHandle,
    abi.FERRION_LIMIT: LimitReached,
    abi.FERRION_DUPLICATE: Duplicate,
    abi.FERRION_INVALID_ARGUMENT: MessageException,
    abi.FERRION_WRONG_TYPE: MessageException,
    abi.FERRION_DECODE: MessageException,
    abi.FERRION_ENCODE: MessageException,
    abi.FERRION_CONNECT: ConnectionFailed,
    abi.FERRION_LOST: ConnectionFailed,
    abi.FERRION_LOGIN: LoginFailed,
    abi.FERRION_TLS: TlsFailed,
    abi.FERRION_WEBSOCKET: ConnectionFailed,
    abi.FERRION_PANIC: FerrionException,
    abi.FERRION_POISONED: FerrionException,
}
