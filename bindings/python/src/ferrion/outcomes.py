"""What becomes of messages."""

from __future__ import annotations

from enum import IntEnum

from . import abi

__all__ = [
    "ABORTED",
    "ACCEPTED",
    "CUMULATIVE",
    "MODIFIED",
    "PENDING",
    "REJECTED",
    "RELEASED",
    "SETTLED",
    "UNKNOWN",
    "Status",
]

#: Flag of :meth:`Messenger.accept` and its like: also every earlier message in the window that has no outcome yet.
CUMULATIVE: int = abi.FERRION_CUMULATIVE


class Status(IntEnum):
    """What became of a message."""

    UNKNOWN = abi.FERRION_DELIVERY_UNKNOWN
    PENDING = abi.FERRION_DELIVERY_PENDING
    ACCEPTED = abi.FERRION_DELIVERY_ACCEPTED
    REJECTED = abi.FERRION_DELIVERY_REJECTED
    RELEASED = abi.FERRION_DELIVERY_RELEASED
    MODIFIED = abi.FERRION_DELIVERY_MODIFIED
    ABORTED = abi.FERRION_DELIVERY_ABORTED
    SETTLED = abi.FERRION_DELIVERY_SETTLED

    def __str__(self) -> str:
        return self.name


#: The tracker is outside its window, was settled and forgotten, or never was.
UNKNOWN = Status.UNKNOWN
#: No outcome yet.
PENDING = Status.PENDING
#: The receiver accepted the message.
ACCEPTED = Status.ACCEPTED
#: The receiver rejected the message as invalid.
REJECTED = Status.REJECTED
#: The receiver gave the message back, untouched.
RELEASED = Status.RELEASED
#: The receiver gave the message back, with changes.
MODIFIED = Status.MODIFIED
#: The message was not sent, or its fate cannot be known any more.
ABORTED = Status.ABORTED
#: The other side settled the message without saying how it ended.
SETTLED = Status.SETTLED
