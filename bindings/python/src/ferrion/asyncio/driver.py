"""An engine between an asyncio transport and a program."""

from __future__ import annotations

import asyncio
from collections import deque

from ..engine import Engine, Event, EventKind

__all__ = ["Driver"]

# What was read is heard in shares of so many octets, until there were events enough for one turn of the loop. In each turn the first share
# is the least, and each other one twice the one before, up to the most: a link that comes and goes is a hundred octets, and a small share
# bounds how many of them there are; a large frame costs more in small shares. All deliveries of a link are one event: they cost little
# until they are taken, and a turn has no more of them than fit into one read, and than their session's window lets come.
_LEAST = 4 << 10
_MOST = 64 << 10
_ENOUGH = 32


class Driver(asyncio.Protocol):
    """Drives an engine: octets from the transport go in, octets for it come out, and time passes. Give it to ``create_connection``, or one
    for each connection to ``create_server``. A program derives from it, and says in :meth:`handle` what to do about events.

    A transport that is full is given no more until it has room: what is to be sent waits in the engine, and :attr:`is_paused` tells
    whoever wants to send more. What was read is heard a little at a time, so that whatever else is in the loop gets its turns meanwhile.
    """

    def __init__(self, engine: Engine) -> None:
        #: The engine. After a command that is given outside of :meth:`handle` comes :meth:`wake`.
        self.engine = engine
        #: The transport, while there is one.
        self.transport: asyncio.Transport | None = None
        #: Whether the transport has no room at present.
        self.is_paused = False
        #: After how many seconds a transport that has got rid of nothing is cut, once the connection is to end.
        self.patience = 10.0
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None
        self._due: float | None = None
        self._is_awake = False
        self._is_over = False
        self._is_deaf = False
        # What was read and is not heard yet.
        self._unheard: deque[memoryview] = deque()
        self._written = 0
        self._watch: asyncio.TimerHandle | None = None

    # ---- for the program ----

    def handle(self, event: Event) -> None:
        """Something happened."""

    def resumed(self) -> None:
        """The transport has room again."""

    def worked(self) -> None:
        """A round is over: what happened was told, and what is due was given to the transport."""

    def over(self, error: Exception | None) -> None:
        """The transport is gone; an error is why, if it was cut."""

    def wake(self) -> None:
        """The engine was told something: it is seen to before the loop waits again."""
        if not self._is_awake and not self._is_over:
            self._is_awake = True
            self._loop.call_soon(self._woken)

    def pull(self) -> None:
        """Gives the transport what is to be sent, while it has room. :meth:`wake` does so soon; this is for those who cannot wait."""
        while self.transport and not self.is_paused and not self.transport.is_closing():
            data = self.engine.to_send()
            if not data:
                return
            self._written += len(data)
            self.transport.write(data)

    def hurry(self) -> None:
        """The connection is to end: from now on a transport that gets rid of nothing for as long as the :attr:`patience` is cut. What
        waits in the engine and cannot leave is no reason to stay."""
        if self._watch is None and self.transport:
            self._watch = self._loop.call_later(self.patience, self._cut_if_stuck, self._gone())

    # ---- for the transport ----

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport  # type: ignore[assignment]
        self._work()

    def data_received(self, data: bytes) -> None:
        self._unheard.append(memoryview(data))
        self._work()

    def eof_received(self) -> bool:
        self._hear_the_end()
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
        for timer in (self._timer, self._watch):
            if timer:
                timer.cancel()
        try:
            self._hear_the_end()
            for event in self.engine.events():
                self.handle(event)
        finally:
            # Somebody waits for this, whatever a program's handler has raised.
            self.over(error)

    # ---- rounds ----

    def _woken(self) -> None:
        self._is_awake = False
        self._work()

    def _work(self) -> None:
        """Looks, pulls and keeps the time."""
        if self._is_over:
            return
        try:
            self._hear()
            self.engine.tick()
            self._tell()
            was_blocked = self.engine.is_blocked
            self.pull()
            self._listen(was_blocked)
            if self.transport and self.engine.is_done:
                # What was written is sent before it closes.
                self.transport.close()
            self.worked()
        except BaseException:
            # What was read is not heard any more. The loop cuts a transport for that only if it was the transport that called.
            if self.transport:
                self.transport.abort()
            raise
        finally:
            # Time passes whatever a program's handler has raised.
            deadline = self.engine.deadline
            self._plan(None if deadline is None else deadline.at)

    def _hear(self) -> None:
        """Hears what was read, until enough comes of it: others have their turns, and do what is to be done about that, before the next
        is heard. A peer that does not read what comes of what it says is not heard until it does."""
        share = _LEAST
        happened = 0
        while self._unheard and happened < _ENOUGH and not self.engine.is_blocked:
            octets = self._unheard.popleft()
            if len(octets) > share:
                self._unheard.appendleft(octets[share:])
            self.engine.receive(octets[:share])
            happened += self._tell()
            share = min(2 * share, _MOST)

    def _tell(self) -> int:
        """Tells what happened. Answers how many events that was."""
        happened = 0
        for event in self.engine.events():
            if event.kind is EventKind.FAILED or event.kind is EventKind.DISCONNECTED:
                self.hurry()
            happened += 1
            self.handle(event)
        return happened

    def _hear_the_end(self) -> None:
        """Nothing more will come, and what came counts."""
        while self._unheard:
            self.engine.receive(self._unheard.popleft())
        self.engine.receive_eof()

    def _listen(self, was_blocked: bool) -> None:
        """No more is read while there is something that was not heard."""
        is_blocked = self.engine.is_blocked
        is_deaf = is_blocked or bool(self._unheard)
        if self.transport and is_deaf != self._is_deaf:
            self._is_deaf = is_deaf
            (self.transport.pause_reading if is_deaf else self.transport.resume_reading)()
        if not is_blocked and (was_blocked or self._unheard):
            # What had come already was looked at, or is to be.
            self.wake()

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

    def _gone(self) -> int:
        """Octets that have left, or been given up."""
        return self._written - (self.transport.get_write_buffer_size() if self.transport else 0)

    def _cut_if_stuck(self, gone: int) -> None:
        self._watch = None
        transport = self.transport
        if transport is None:
            return
        # One that has nothing to get rid of waits for the peer, and the engine knows for how long.
        is_stuck = self.is_paused or transport.is_closing() or transport.get_write_buffer_size() > 0
        if is_stuck and self._gone() == gone:
            transport.abort()
        else:
            self.hurry()
