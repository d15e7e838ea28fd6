"""AMQP 1.0 messaging: :class:`Messenger` sends and receives, :class:`Message` is what travels.

Programs with sockets or an event loop of their own use :class:`Engine`, of :mod:`ferrion.engine`, or :mod:`ferrion.asyncio`.

The module :mod:`ferrion.abi` has the C functions of the header ``ferrion.h`` one by one; everything else stands on it.
"""

from __future__ import annotations

from . import abi, errors, types
from .connections import *
from .engine import Engine
from .errors import *
from .message import *
from .messenger import *
from .outcomes import *
from .passive import *
from .subscriptions import *
from .types import *

abi.ferrion_py_register(errors.BY_STATUS, types)

__version__: str = abi.FERRION_VERSION
# All that the modules have, written out because type checkers do not compute it.
__all__ = [
    "ABORTED", "ACCEPTED", "Array", "Busy", "byte", "char", "ClientCertificates", "ConnectionEvent",
    "ConnectionFailed", "CUMULATIVE", "Data", "decimal128", "decimal32", "decimal64", "Described", "Duplicate",
    "EndOfQueue", "Engine", "FerrionException", "float32", "Happened", "int32", "Interrupt", "LimitReached",
    "LinkRecovery", "LoginFailed", "Map", "Message", "MessageException", "Messenger", "MessengerException",
    "MODIFIED", "NoCredit", "Overflow", "PENDING", "ProtonException", "RcvSettleMode", "Reconnect", "REJECTED",
    "RELEASED", "Selectable", "SETTLED", "short", "SndSettleMode", "StaleHandle", "Status", "SubscribeOptions",
    "Subscription", "symbol", "Timeout", "timestamp", "TlsFailed", "ubyte", "uint", "ulong", "UNDESCRIBED",
    "UNKNOWN", "ushort", "WouldBlock", "WrongState",
]
