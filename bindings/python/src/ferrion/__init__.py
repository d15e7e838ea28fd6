"""AMQP 1.0 messaging: :class:`Messenger` sends and receives, :class:`Message` is what travels.

Programs with sockets or an event loop of their own use :class:`Engine`, of :mod:`ferrion.engine`, or :mod:`ferrion.asyncio`.

The module :mod:`ferrion.abi` has the C functions of the header ``ferrion.h`` one by one; everything else stands on it.
"""

from __future__ import annotations

from . import abi, connections, errors, message, messenger, outcomes, passive, subscriptions, types
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
__all__ = [
    "Engine",
    *connections.__all__,
    *errors.__all__,
    *message.__all__,
    *messenger.__all__,
    *outcomes.__all__,
    *passive.__all__,
    *subscriptions.__all__,
    *types.__all__,
]
