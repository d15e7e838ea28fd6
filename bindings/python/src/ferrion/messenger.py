"""The Messenger."""

from __future__ import annotations

from enum import IntEnum
from time import monotonic
from typing import Any, Callable, Iterator

from . import abi
from .errors import EndOfQueue, Overflow, Timeout, WouldBlock
from .message import Message, _with_symbols

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
    "Messenger",
    "Status",
    "Subscription",
]

#: Flag of :meth:`Messenger.accept` and its like: also every earlier message in the window that has no outcome yet.
CUMULATIVE = abi.FERRION_CUMULATIVE

# Python runs its signal handlers between two calls into the library, so no call stays in there for longer than this, in
# milliseconds: Ctrl-C works however long the timeout is.
_SLICE = 100
_INT32_MAX = 2**31 - 1


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


class Subscription:
    """What a messenger receives from."""

    __slots__ = ("_bits", "_messenger")

    def __init__(self, messenger: Messenger, bits: int) -> None:
        self._messenger = messenger
        self._bits = bits

    @property
    def port(self) -> int | None:
        """The port that is listened on; None if this does not listen."""
        return abi.ferrion_messenger_subscription_port(self._messenger._abi, self._bits)

    @property
    def address(self) -> str | None:
        """The address that messages come from; for a dynamic node (``#``) where others can send to. None until the peer told."""
        return abi.ferrion_messenger_subscription_address(self._messenger._abi, self._bits)

    def __repr__(self) -> str:
        return f"<Subscription {self._bits}: port {self.port}, address {self.address!r}>"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Subscription):
            return NotImplemented
        return self._messenger is other._messenger and self._bits == other._bits

    def __hash__(self) -> int:
        return hash((id(self._messenger), self._bits))


class Messenger:
    """Sends and receives messages, and looks after the connections for that behind the scenes.

    ``put``, ``get``, ``accept`` and the like do not touch the network; ``send``, ``recv``, ``stop`` and ``work`` do, for everybody,
    while they wait. Other Python threads run meanwhile; one of them may call :meth:`interrupt`, and nothing else.

    Addresses are written ``[amqp[s]://][user[:password]@]host[:port][/name]``; ``~host[:port]`` listens.

    Used in a ``with`` statement it is started, and stopped at the end. Iterating over it receives for ever, and accepts
    each message when the next one is asked for.
    """

    def __init__(self, name: str | None = None) -> None:
        self._abi = abi.ferrion_messenger_new(name)
        if self._abi is None:
            raise OSError(abi.ferrion_last_error())
        self._timeout: float | None = None
        self._blocking = True
        abi.ferrion_messenger_set_timeout(self._abi, _SLICE)

    # ---- life ----

    @property
    def name(self) -> str:
        """The name that peers see, and by which they can reply."""
        return abi.ferrion_messenger_name(self._abi)

    def start(self) -> None:
        """Begins to work. Nothing needs it: it is there because stop is."""
        abi.ferrion_messenger_start(self._abi)

    def stop(self) -> None:
        """Sends what is unsent, closes all connections in order and forgets all subscriptions. Takes no longer than the timeout,
        or 10 seconds if there is none. The messenger can be used again."""
        if not self._blocking:
            self._call(abi.ferrion_messenger_stop)
            return
        # Step by step, because time is over for what is unsent when one call's time is.
        abi.ferrion_messenger_set_blocking(self._abi, False)
        abi.ferrion_messenger_set_timeout(self._abi, -1 if self._timeout is None else round(self._timeout * 1000))
        try:
            while True:
                try:
                    return abi.ferrion_messenger_stop(self._abi)
                except WouldBlock:
                    abi.ferrion_messenger_work(self._abi, _SLICE)
        finally:
            abi.ferrion_messenger_set_blocking(self._abi, True)
            abi.ferrion_messenger_set_timeout(self._abi, self._slice(self._timeout))

    @property
    def stopped(self) -> bool:
        """Whether there are neither connections nor listeners."""
        return abi.ferrion_messenger_stopped(self._abi)

    def __enter__(self) -> Messenger:
        self.start()
        return self

    def __exit__(self, kind: Any, value: Any, traceback: Any) -> None:
        self.stop()

    def work(self, timeout: float | None = None) -> bool:
        """Does network work until something happened, at most for ``timeout`` seconds; None is for ever. Tells whether anything did."""
        deadline = None if timeout is None else monotonic() + timeout
        while True:
            left = None if deadline is None else max(deadline - monotonic(), 0)
            if abi.ferrion_messenger_work(self._abi, self._slice(left)):
                return True
            if deadline is not None and monotonic() >= deadline:
                return False

    def interrupt(self) -> None:
        """Makes the call that waits on this messenger, or else the next one that would, raise :class:`Interrupt`. The one method that
        other threads may call."""
        abi.ferrion_messenger_interrupt(self._abi)

    # ---- sending ----

    def put(self, message: Message) -> int:
        """Queues a message for the address that it carries. The tracker answered tells later what became of it, if the
        :attr:`outgoing_window` is larger than 0. Raises :class:`Overflow` if too much waits already, after the timeout."""
        message._write()
        try:
            return abi.ferrion_messenger_put(self._abi, message._abi)
        except Overflow:
            if not self._blocking:
                raise
            return self._again(lambda: abi.ferrion_messenger_put(self._abi, message._abi), Overflow)

    def send(self, n: int = -1) -> None:
        """Waits until ``n`` messages fewer are unsent than now, or, without an argument, all are sent: acknowledged, or, with an
        :attr:`outgoing_window` of 0, taken by the system."""
        if n < 0:
            return self._call(abi.ferrion_messenger_send, -1)
        goal = max(self.outgoing - n, 0)
        try:
            return abi.ferrion_messenger_send(self._abi, min(n, _INT32_MAX))
        except Timeout:
            # What was sent in this slice does not count again in the next one.
            def rest() -> None:
                abi.ferrion_messenger_send(self._abi, min(max(self.outgoing - goal, 0), _INT32_MAX))

            return self._again(rest, Timeout)
        except WouldBlock:
            return None

    @property
    def outgoing(self) -> int:
        """How many messages were put and are not sent yet."""
        return abi.ferrion_messenger_outgoing(self._abi)

    @property
    def outgoing_tracker(self) -> int | None:
        """The tracker of the last message that was put."""
        return abi.ferrion_messenger_outgoing_tracker(self._abi)

    def buffered(self, tracker: int) -> bool:
        """Whether a message still waits in this process. If not, that does not mean that it arrived."""
        return abi.ferrion_messenger_buffered(self._abi, tracker)

    # ---- receiving ----

    def subscribe(self, address: str) -> Subscription:
        """Receives from an address, or with ``~host[:port]`` from everyone who connects there. Port 0 takes a free one."""
        abi.ferrion_messenger_set_timeout(self._abi, -1 if self._timeout is None else round(self._timeout * 1000))
        try:
            return Subscription(self, abi.ferrion_messenger_subscribe(self._abi, address))
        finally:
            abi.ferrion_messenger_set_timeout(self._abi, self._slice(self._timeout))

    def recv(self, n: int | None = None) -> None:
        """Lets ``n`` messages come, and waits until at least one is there. Without an argument as many come as are taken with
        :meth:`get`. Each call replaces what the one before it asked for."""
        self._call(abi.ferrion_messenger_recv, -1 if n is None else max(min(n, _INT32_MAX), -1))

    @property
    def incoming(self) -> int:
        """How many messages wait for :meth:`get`."""
        return abi.ferrion_messenger_incoming(self._abi)

    @property
    def receiving(self) -> int:
        """How many messages may still come without another :meth:`recv`."""
        return abi.ferrion_messenger_receiving(self._abi)

    def get(self, message: Message | None = None) -> int:
        """Takes the oldest message received and puts it in place of what ``message`` was; None drops it. With an
        :attr:`incoming_window` of 0 this accepts it, otherwise the tracker answered is for :meth:`accept` and its like."""
        if message is None:
            return abi.ferrion_messenger_get(self._abi, None)
        tracker = abi.ferrion_messenger_get(self._abi, message._abi)
        message._received()
        return tracker

    @property
    def incoming_tracker(self) -> int | None:
        """The tracker of the last message that was got."""
        return abi.ferrion_messenger_incoming_tracker(self._abi)

    @property
    def incoming_subscription(self) -> Subscription | None:
        """The subscription by which the last message that was got came."""
        bits = abi.ferrion_messenger_incoming_subscription(self._abi)
        return None if bits is None else Subscription(self, bits)

    def __iter__(self) -> Iterator[Message]:
        while True:
            self.recv()
            while self.incoming:
                message = Message()
                tracker = self.get(message)
                yield message
                if self.incoming_window and self.status(tracker) == PENDING:
                    self.accept(tracker)

    # ---- outcomes ----

    def accept(self, tracker: int | None = None, flags: int = 0) -> None:
        """Takes responsibility for a message that was got; without a tracker for all that have no outcome yet."""
        self._decide(abi.ferrion_messenger_accept, tracker, flags)

    def reject(
        self,
        tracker: int | None = None,
        flags: int = 0,
        condition: str | None = None,
        description: str | None = None,
        info: dict[Any, Any] | None = None,
    ) -> None:
        """Refuses a message that was got as invalid; without a tracker all that have no outcome yet. The reason is an error
        condition, a text for people, and a dict with more for programs that know the condition."""
        extra = _with_symbols(info) if info else abi.NOTHING
        self._decide(abi.ferrion_messenger_reject, tracker, flags, condition, description, extra)

    def release(self, tracker: int | None = None, flags: int = 0) -> None:
        """Gives a message that was got back as if it had never come; without a tracker all that have no outcome yet."""
        self._decide(abi.ferrion_messenger_release, tracker, flags)

    def modify(
        self,
        tracker: int | None = None,
        flags: int = 0,
        failed: bool = True,
        undeliverable_here: bool = False,
        annotations: dict[Any, Any] | None = None,
    ) -> None:
        """Gives a message that was got back with changes: whether the attempt counts as failed, whether the message should not come
        here again, and annotations to add. Without a tracker all that have no outcome yet."""
        changes = _with_symbols(annotations) if annotations else abi.NOTHING
        self._decide(abi.ferrion_messenger_modify, tracker, flags, failed, undeliverable_here, changes)

    def settle(self, tracker: int | None = None, flags: int = 0) -> None:
        """Forgets a message of either direction; without a tracker all that were put."""
        if tracker is None:
            tracker, flags = self.outgoing_tracker, CUMULATIVE
        if tracker is not None:
            abi.ferrion_messenger_settle(self._abi, tracker, flags)

    def status(self, tracker: int) -> Status:
        """What became of a message in the window."""
        return _STATUSES[abi.ferrion_messenger_status(self._abi, tracker)]

    def reason(self, tracker: int) -> str | None:
        """Why a message that was put was not accepted, for a person."""
        return abi.ferrion_messenger_reason(self._abi, tracker)

    def condition(self, tracker: int) -> str | None:
        """The error condition with which a message that was put was refused, ``"amqp:not-found"`` for example."""
        return abi.ferrion_messenger_condition(self._abi, tracker)

    # ---- settings ----

    @property
    def timeout(self) -> float | None:
        """How long waiting calls wait, in seconds; None, the default, is for ever."""
        return self._timeout

    @timeout.setter
    def timeout(self, seconds: float | None) -> None:
        self._timeout = None if seconds is None or seconds < 0 else seconds
        abi.ferrion_messenger_set_timeout(self._abi, self._slice(self._timeout))

    @property
    def blocking(self) -> bool:
        """Whether waiting calls wait, or do what can be done at once."""
        return self._blocking

    @blocking.setter
    def blocking(self, blocking: bool) -> None:
        self._blocking = bool(blocking)
        abi.ferrion_messenger_set_blocking(self._abi, self._blocking)

    @property
    def outgoing_window(self) -> int:
        """How many of the last messages put have a status; negative is all. With 0, the default, nobody asks whether they arrived."""
        return _window(abi.ferrion_messenger_outgoing_window(self._abi))

    @outgoing_window.setter
    def outgoing_window(self, window: int) -> None:
        abi.ferrion_messenger_set_outgoing_window(self._abi, _UNLIMITED if window < 0 else window)

    @property
    def incoming_window(self) -> int:
        """How many of the last messages got wait for a decision; negative is all. With 0, the default, getting accepts."""
        return _window(abi.ferrion_messenger_incoming_window(self._abi))

    @incoming_window.setter
    def incoming_window(self, window: int) -> None:
        abi.ferrion_messenger_set_incoming_window(self._abi, _UNLIMITED if window < 0 else window)

    def route(self, pattern: str, address: str) -> None:
        """Messages whose address matches the pattern go to ``address`` instead. ``%`` matches anything but ``/``, ``*`` anything; ``$1``,
        ``$2`` ... in the address are what they matched."""
        abi.ferrion_messenger_route(self._abi, pattern, address)

    def rewrite(self, pattern: str, address: str | None) -> None:
        """Messages whose address matches the pattern carry ``address`` instead, or none; they go where they would have gone."""
        abi.ferrion_messenger_rewrite(self._abi, pattern, address)

    def remove_route(self, pattern: str) -> None:
        """Removes the first route with this pattern, if there is one."""
        abi.ferrion_messenger_remove_route(self._abi, pattern)

    def remove_rewrite(self, pattern: str) -> None:
        """Removes the first rewrite with this pattern, if there is one."""
        abi.ferrion_messenger_remove_rewrite(self._abi, pattern)

    def set_credentials(self, user: str | None, password: str | None) -> None:
        """User and password for addresses that carry none."""
        abi.ferrion_messenger_set_credentials(self._abi, user, password)

    def set_allow_plain_without_tls(self, allow: bool) -> None:
        """Whether passwords may go over connections without TLS to other machines."""
        abi.ferrion_messenger_set_allow_plain_without_tls(self._abi, allow)

    def set_listener_user(self, user: str, password: str | None) -> None:
        """Admits a user to listening addresses, or no longer if the password is None. Without any user everyone is admitted."""
        abi.ferrion_messenger_set_listener_user(self._abi, user, password)

    def set_idle_timeout(self, seconds: float | None) -> None:
        """After how long a silent peer is given up, on connections made from then on; None is never."""
        abi.ferrion_messenger_set_idle_time_out(self._abi, -1 if seconds is None else round(seconds * 1000))

    def set_tracing(self, tracing: bool) -> None:
        """Whether a readable line is kept for every frame, for :meth:`trace`."""
        abi.ferrion_messenger_set_tracing(self._abi, tracing)

    def trace(self) -> Iterator[str]:
        """The lines of the trace that were kept since the last time."""
        return _drain(abi.ferrion_messenger_poll_trace, self._abi)

    def warnings(self) -> Iterator[str]:
        """What is not as it should be, though nothing failed."""
        return _drain(abi.ferrion_messenger_poll_warning, self._abi)

    # ---- waiting ----

    @staticmethod
    def _slice(left: float | None) -> int:
        return _SLICE if left is None else min(_SLICE, max(round(left * 1000), 0))

    def _call(self, call: Callable[..., Any], *args: Any) -> None:
        """A waiting call that can be made again when its slice of time is over."""
        try:
            call(self._abi, *args)
        except WouldBlock:
            # Of old, not to be finished yet is no exception.
            pass
        except Timeout:
            self._again(lambda: call(self._abi, *args), Timeout)

    def _again(self, call: Callable[[], Any], unfinished: type[Exception]) -> Any:
        """Makes a call again and again after its first slice of time, until it is finished or the timeout is over."""
        deadline = None if self._timeout is None else monotonic() + self._timeout - _SLICE / 1000
        while True:
            if deadline is not None and monotonic() >= deadline:
                # The last word: what is not finished now is too late.
                abi.ferrion_messenger_set_timeout(self._abi, 0)
                try:
                    return call()
                finally:
                    abi.ferrion_messenger_set_timeout(self._abi, self._slice(self._timeout))
            try:
                return call()
            except unfinished:
                pass

    def _decide(self, call: Callable[..., Any], tracker: int | None, flags: int, *args: Any) -> None:
        if tracker is None:
            tracker, flags = self.incoming_tracker, CUMULATIVE
        if tracker is not None:
            call(self._abi, tracker, flags, *args)


_STATUSES = tuple(Status)
_UNLIMITED = 2**64 - 1


def _window(n: int) -> int:
    """What is unlimited is -1 to Python."""
    return -1 if n >= 2**63 else n


def _drain(poll: Callable[[Any], str], messenger: Any) -> Iterator[str]:
    while True:
        try:
            line = poll(messenger)
        except EndOfQueue:
            return
        yield line
