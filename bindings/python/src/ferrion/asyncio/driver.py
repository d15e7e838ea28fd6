"""An engine between an asyncio transport and a program."""

from __future__ import annotations

import asyncio

from ..engine import Engine, Event

__all__ = ["Driver"]


class Driver(asyncio.Protocol):
    """Drives an engine: octets from the transport go in, octets for it come out, and time passes. Give it to ``create_connection``, or one
    for each connection to ``create_server``. A program derives from it, and says in :meth:`handle` what to do about events.

    A transport that is full is given no more until it has room: what is to be sent waits in the engine, and :attr:`is_paused` tells
    whoever wants to send more.
    """

    def __init__(self, engine: Engine) -> None:
        #: The engine. After a command that is given outside of :meth:`handle` comes :meth:`wake`.
        self.engine = engine
        #: The transport, while there is one.
        self.transport: asyncio.Transport | None = None
        #: Whether the transport has no room at present.
        self.is_paused = False
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None
        self._due: float | None = None
        self._is_awake = False
        self._is_over = False

    # ---- for the program ----

    def handle(self, event: Event) -> None:
        """Something happened."""

    def resumed(self) -> None:
        """The transport has room again."""

    def over(self, error: Exception | None) -> None:
        """The transport is gone; an error is why, if it was cut."""

    def wake(self) -> None:
        """The engine was told something: it is seen to before the loop waits again."""
        if not self._is_awake and not self._is_over:
            self._is_awake = True
            self._loop.call_soon(self._work)

    def pull(self) -> None:
        """Gives the transport what is to be sent, while it has room. :meth:`wake` does so soon; this is for those who cannot wait."""
        while self.transport and not self.is_paused and not self.transport.is_closing():
            data = self.engine.to_send()
            if not data:
                return
            self.transport.write(data)

    # ---- for the transport ----

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport  # type: ignore[assignment]
        self._work()

    def data_received(self, data: bytes) -> None:
        self.engine.receive(data)
        self._work()

    def eof_received(self) -> bool:
        self.engine.receive_eof()
        self._work()
        # The transport closes itself.
        return False

    def pause_writing(self) -> None:
        self.is_paused = True

    def resume_writing(self) -> None:
        self.is_paused = False
        self._work()
        self.resumed()

    def connection_lost(self, error: Exception | None) -> None:
        self.transport = None
        self._is_over = True
        self.engine.receive_eof()
        for event in self.engine.events():
            self.handle(event)
        if self._timer:
            self._timer.cancel()
        self.over(error)

    # ---- rounds ----

    def _work(self) -> None:
        """Looks, pulls and keeps the time."""
        self._is_awake = False
        if self._is_over:
            return
        self.engine.tick()
        for event in self.engine.events():
            self.handle(event)
        self.pull()
        if self.transport and self.engine.is_done:
            # What was written is sent before it closes.
            self.transport.close()
        deadline = self.engine.deadline
        self._plan(None if deadline is None else deadline.at)

    def _plan(self, due: float | None) -> None:
        if due == self._due:
            return
        self._due = due
        if self._timer:
            self._timer.cancel()
        self._timer = None if due is None else self._loop.call_at(due, self._timed)

    def _timed(self) -> None:
        self._timer = self._due = None
        self._work()
