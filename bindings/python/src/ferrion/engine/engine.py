"""The engine."""

from __future__ import annotations

from collections import deque
from time import monotonic
from typing import Any, Callable, Iterator, Mapping

from .. import abi
from ..errors import FerrionException
from .conditions import Condition, found, given
from .config import Config, SessionConfig
from .events import Census, Deadline, Event, EventKind, Failure, FailureKind, Reason
from .fields import Said, numbers
from .link import Receiver, Sender
from .login import SaslRequest
from .recovery import LinkState
from .session import Session

__all__ = ["Engine"]

_OPEN = numbers("FERRION_OPEN_")
_KINDS = {int(kind): kind for kind in EventKind}


class Engine:
    """One AMQP connection as a state machine: octets in, octets out, events. It has no sockets and no threads; the program has them.

    Calls may come in any order. Those that command something change the engine's state and send nothing: :meth:`to_send` encodes what
    is due. What the peer does wrong is never an exception: it ends the smallest thing the specification allows, with the right
    condition, and is told as an event. A call that raises an exception has changed nothing.

    ``clock`` tells the time in seconds and never goes back; a loop of one's own gives the one that it goes by.
    """

    def __init__(self, side: int, config: Config, clock: Callable[[], float] = monotonic) -> None:
        if not isinstance(config, Config):
            raise TypeError(f"an engine needs a Config, not {config!r}")
        self._abi = abi.ferrion_engine_new(side, config._abi)
        if self._abi is None:
            raise FerrionException(abi.ferrion_last_error())
        self._clock = clock
        self._events: deque[Any] = deque()
        self._made = 0

    def __repr__(self) -> str:
        state = "failed" if self.failure else "done" if self.is_done else "open" if self.is_open else "not open"
        return f"<{type(self).__name__}: {state}>"

    def __reduce__(self) -> Any:
        raise TypeError("an Engine is one connection: it can be neither copied nor sent to another process")

    @classmethod
    def client(cls, config: Config, clock: Callable[[], float] = monotonic) -> Engine:
        """For the side that opened the transport: it speaks first."""
        return cls(abi.FERRION_CLIENT, config, clock)

    @classmethod
    def server(cls, config: Config, clock: Callable[[], float] = monotonic) -> Engine:
        """For the side that accepted the transport: it answers the layer that the client begins with."""
        return cls(abi.FERRION_SERVER, config, clock)

    # ---- octets ----

    def receive(self, data: bytes | bytearray | memoryview, now: float | None = None) -> None:
        """Takes octets that came from the peer: as many, or as few, as there are."""
        abi.ferrion_engine_recv(self._abi, self._milliseconds(now), data)

    def receive_eof(self, now: float | None = None) -> None:
        """The peer will send no more octets: the transport was closed, or failed."""
        abi.ferrion_engine_recv_eof(self._abi, self._milliseconds(now))

    def to_send(self, most: int = 1 << 20, now: float | None = None) -> bytes:
        """Takes octets that are to be sent to the peer, ``most`` at most; ``b""`` if there are none at present. Ask again until then."""
        return abi.ferrion_py_to_send(self._abi, self._milliseconds(now), most)

    def peek(self, now: float | None = None) -> bytes | None:
        """The first piece of what is to be sent, which stays here: for transports that may take less than they are given. None if there is
        nothing to send at present."""
        return abi.ferrion_engine_transmit(self._abi, self._milliseconds(now))

    def advance(self, n: int, now: float | None = None) -> None:
        """The first ``n`` octets of what :meth:`peek` showed have been sent."""
        abi.ferrion_engine_advance(self._abi, self._milliseconds(now), n)

    @property
    def is_done(self) -> bool:
        """Whether the transport can be closed: nothing more will be taken, and no output waits. Output that waited when the transport
        failed goes on waiting: who cannot send any more closes without asking this."""
        return abi.ferrion_engine_is_done(self._abi)

    @property
    def is_blocked(self) -> bool:
        """Whether nothing more is taken from the peer until it takes some of the output: it has been sending, and not reading what comes of
        that. Read no more from it then. What it sent already is looked at by :meth:`to_send` once there is room, so look at the events
        after that."""
        return abi.ferrion_engine_is_blocked(self._abi)

    # ---- time ----

    def tick(self, now: float | None = None) -> float | None:
        """Does what is due, and tells when to call this again, if ever. Everything else may change that: ask :attr:`deadline`, or call this
        after each round. Too early does nothing, and late means no more than late heartbeats."""
        abi.ferrion_engine_handle_timeout(self._abi, self._milliseconds(now))
        deadline = self.deadline
        return None if deadline is None else deadline.at

    @property
    def deadline(self) -> Deadline | None:
        """When to call :meth:`tick`, and why."""
        found = abi.ferrion_engine_poll_timeout(self._abi)
        return None if found is None else Deadline(found[0] / 1000, Reason(found[1]))

    def _milliseconds(self, now: float | None) -> int:
        return round((self._clock() if now is None else now) * 1000)

    # ---- events ----

    def next_event(self) -> Event | None:
        """The next thing that happened; None if there is nothing more for now. Each is told once per object until it is taken, so there
        are never more of them than there are objects."""
        if not self._events:
            # What ends an object is the last of its row, so that the object can still be looked at.
            self._events.extend(abi.ferrion_py_poll_events(self._abi))
            if not self._events:
                return None
        kind, is_sender, session, link = self._events.popleft()
        return Event(
            _KINDS.get(kind, EventKind.OTHER),
            Session(self, session) if session else None,
            (Sender(self, link) if is_sender else Receiver(self, link)) if link else None,
        )

    def events(self) -> Iterator[Event]:
        """Takes what happened, until there is nothing more for now."""
        while (event := self.next_event()) is not None:
            yield event

    # ---- the connection ----

    def open(self) -> None:
        """Opens the connection. Both sides do this once, in any order."""
        abi.ferrion_connection_open(self._abi)

    def close(
        self, condition: str | None = None, description: str | None = None, info: Mapping[Any, Any] | None = None
    ) -> None:
        """Closes the connection, after what could be sent was sent."""
        abi.ferrion_connection_close(self._abi, condition, description, given(info))

    def begin(self, config: SessionConfig | None = None) -> Session:
        """Begins a session. Raises :class:`LimitReached` if all channels are in use."""
        return Session(self, abi.ferrion_connection_begin(self._abi, config and config._abi))

    @property
    def is_open(self) -> bool:
        """Whether both sides have opened and neither has closed."""
        return abi.ferrion_connection_is_open(self._abi)

    @property
    def remote(self) -> Said:
        """The peer's open (2.7.1): ``engine.remote.container_id`` and so on, None for what is not there."""
        return Said(lambda number: abi.ferrion_connection_remote(self._abi, number), _OPEN)

    @property
    def remote_condition(self) -> Condition | None:
        """The error that the peer's close carried."""
        return found(abi.ferrion_connection_remote_condition(self._abi))

    @property
    def failure(self) -> Failure | None:
        """Why the connection ended in a way that was not orderly; None if it has not."""
        failed = abi.ferrion_engine_failure(self._abi)
        return None if failed is None else Failure(FailureKind(failed[0]), failed[1])

    @property
    def failure_condition(self) -> Condition | None:
        """The error condition that the close carried, ours or the peer's."""
        return found(abi.ferrion_engine_failure_condition(self._abi))

    # ---- who is there ----

    @property
    def sasl_request(self) -> SaslRequest | None:
        """What the SASL exchange waits for, after :attr:`EventKind.AUTHENTICATE`."""
        kind = abi.ferrion_engine_sasl_request(self._abi)
        return None if kind is None else SaslRequest(self._abi, kind)

    @property
    def sasl_mechanism(self) -> str | None:
        """The SASL mechanism that was chosen."""
        return abi.ferrion_engine_sasl_mechanism(self._abi)

    @property
    def sasl_hostname(self) -> str | None:
        """Server: the host that the client says it wants to reach. Known while a request waits."""
        return abi.ferrion_engine_sasl_hostname(self._abi)

    # ---- looking inside ----

    def set_tracing(self, on: bool = True) -> None:
        """Starts or stops keeping a readable line for each frame, in both directions. Secrets are not shown."""
        abi.ferrion_engine_set_tracing(self._abi, on)

    def trace(self) -> Iterator[str]:
        """Takes the lines of the trace, ``0 -> @open(16) [container-id="x"]`` for example."""
        while (line := abi.ferrion_engine_poll_trace(self._abi)) is not None:
            yield line

    @property
    def census(self) -> Census:
        """How many objects the engine holds at the moment, for watching and for tests."""
        return Census(*abi.ferrion_engine_census(self._abi))

    @property
    def partial_octets(self) -> int:
        """What incomplete deliveries hold, of all sessions together, each transfer counted as 64 octets more than its payload."""
        return abi.ferrion_engine_partial_octets(self._abi)

    def link_states(self) -> list[LinkState]:
        """What is to outlive the links that are recoverable and were not closed, whatever state the connection is in."""
        states: list[LinkState] = []
        while True:
            state = LinkState()
            if not abi.ferrion_engine_link_state(self._abi, len(states), state._abi):
                return states
            states.append(state)

    # ---- for the objects of this package ----

    def _session(self, id: int) -> Session:
        return Session(self, id)

    def _link(self, id: int) -> Sender | Receiver:
        role = abi.ferrion_link_role(self._abi, id)
        return Sender(self, id) if role == abi.FERRION_SENDER else Receiver(self, id)

    def _count(self) -> int:
        self._made += 1
        return self._made

    def _new_tag(self) -> bytes:
        """A tag that no other delivery of this engine has, unless the program made it."""
        return b"%x" % self._count()

    def _new_name(self, address: str | None) -> str:
        """A name for a link."""
        return f"{address or 'link'}-{self._count()}"
