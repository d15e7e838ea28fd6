"""The engine: one AMQP connection as a state machine, for programs that have sockets, threads or an event loop of their own.

    engine = Engine.client(Config("my-program"))
    engine.open()
    sender = engine.begin().attach_sender("queue")
    while not engine.is_done:
        for event in engine.events(): ...     # look
        while data := engine.to_send(): ...   # pull
        engine.receive(...)                   # feed
        engine.tick()                         # time

:mod:`ferrion.asyncio` does these rounds in an asyncio loop.
"""

from __future__ import annotations

from .conditions import *
from .config import *
from .deliveries import *
from .engine import *
from .events import *
from .link import *
from .login import *
from .recovery import *
from .session import *
from .states import *

# All that the modules have, written out because type checkers do not compute it.
__all__ = [
    "Accepted", "Arrived", "Census", "Closing", "Condition", "Config", "Deadline", "Declared", "Delivery",
    "Engine", "Event", "EventKind", "Failure", "FailureKind", "Limit", "Link", "LinkConfig", "LinkState",
    "Modified", "Partial", "Reason", "Received", "Receiver", "Recovery", "Rejected", "Released", "Remembered",
    "SaslKind", "SaslRequest", "ScramKeys", "Sender", "Sent", "Session", "SessionConfig", "Source", "State",
    "Stream", "Target", "Transactional", "Unsettled", "Update",
]
