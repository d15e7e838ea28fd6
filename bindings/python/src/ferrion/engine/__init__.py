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

from . import conditions, config, deliveries, engine, events, link, login, recovery, session, states
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

__all__ = [
    *conditions.__all__,
    *config.__all__,
    *deliveries.__all__,
    *engine.__all__,
    *events.__all__,
    *link.__all__,
    *login.__all__,
    *recovery.__all__,
    *session.__all__,
    *states.__all__,
]
