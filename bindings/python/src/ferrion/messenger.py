"""The Messenger."""

from __future__ import annotations

from time import monotonic, time
from typing import Any, Callable, Iterable, Iterator, Sequence

from . import abi
from .errors import BY_STATUS, FerrionException, MessengerException, Overflow, Timeout, WouldBlock
from .message import Message, _with_symbols
from .outcomes import CUMULATIVE, PENDING, Status
from .passive import Selectable
from .settings import Settings
from .subscriptions import SubscribeOptions, Subscription
from .durations import milliseconds, seconds

__all__ = ["Messenger"]

# Python runs its signal handlers between two calls into the library, so no call stays in there for longer than this, in
# milliseconds: Ctrl-C works however long the timeout is.
_SLICE = 100
_INT32_MAX = 2**31 - 1
_STATUSES = tuple(Status)


class Messenger(Settings):
    """Sends and receives messages, and looks after the connections for that behind the scenes.

    ``put``, ``get``, ``accept`` and the like do not touch the network, but that ``put`` begins to send what it has, without waiting, each
    time that this is worth a write (32 KiB), though not in passive mode. ``send``, ``recv``, ``request``, ``stop`` and ``work`` (and
    ``put``, when too much waits already) do, for everybody, while they wait. Other Python threads run meanwhile; one of them may call :meth:`interrupt`, and nothing else.

    Addresses are written ``[amqp[s]://][user[:password]@]host[:port][/name]``; ``~host[:port]`` listens. ``ws://`` and ``wss://`` go through
    WebSocket.

    Used in a ``with`` statement it is started, and stopped at the end. Iterating over it receives for ever, and accepts
    each message when the next one is asked for; in non-blocking and passive mode it ends when nothing waits.
    """

    __slots__ = ("__weakref__", "_blocking", "_passive", "_selectable", "_stopping", "_timeout")

    def __init__(self, name: str | None = None) -> None:
        super().__init__()
        self._abi = abi.ferrion_messenger_new(name)
        if self._abi is None:
            raise OSError(abi.ferrion_last_error())
        self._timeout: float | None = None
        self._blocking = True
        self._passive = False
        #: Whether a stop was begun that could not be finished without waiting.
        self._stopping = False
        #: Whether the loop has not been told yet what to watch.
        self._selectable = True
        self._limit()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name!r}>"

    def __reduce__(self) -> Any:
        raise TypeError("a Messenger has connections: it can be neither copied nor sent to another process")

    # ---- life ----

    @property
    def name(self) -> str:
        """The name that peers see, and by which they can reply."""
        return abi.ferrion_messenger_name(self._abi)

    def start(self) -> None:
        """Begins to work. Nothing needs it but checked routes (:meth:`set_check_routes`), which it tries: it connects to where they lead,
        and waits until all of those peers have answered. Raises what else :meth:`send` would if one cannot be reached; in non-blocking and
        passive mode :class:`WouldBlock` until it is known of all of them."""
        self._stopping = False
        if self._waits:
            return self._call(abi.ferrion_messenger_start)
        self._ready()
        abi.ferrion_messenger_start(self._abi)

    def stop(self) -> None:
        """Sends what is unsent, closes all connections in order and forgets all subscriptions. Takes no longer than the timeout,
        or 10 seconds if there is none. The messenger can be used again.

        Messages that came and were not taken are given back to their senders; those that were sent settled, which nobody else has
        any more, stay for :meth:`get`.

        In non-blocking and passive mode it goes on with each :meth:`work`, which raises what this would, until the messenger is
        :attr:`stopped`."""
        if not self._waits:
            self._stopping = True
            return self._go_on_stopping()
        # Step by step, because time is over for what is unsent when one call's time is.
        abi.ferrion_messenger_set_blocking(self._abi, False)
        self._whole_time()
        try:
            while True:
                try:
                    abi.ferrion_messenger_stop(self._abi)
                    return None
                except WouldBlock:
                    abi.ferrion_messenger_work(self._abi, _SLICE)
        finally:
            abi.ferrion_messenger_set_blocking(self._abi, True)
            self._limit()

    def _go_on_stopping(self) -> None:
        try:
            abi.ferrion_messenger_stop(self._abi)
        except WouldBlock:
            return
        except FerrionException:
            self._stopping = False
            raise
        self._stopping = False

    @property
    def stopped(self) -> bool:
        """Whether there are neither connections nor listeners."""
        return abi.ferrion_messenger_stopped(self._abi)

    def address_error(self, address: str) -> FerrionException | None:
        """What went wrong last at an address, as the exception that it is: with the connection to its host and port, or with the link to
        or from its name; of a listening address, why it cannot be listened on. Also where all is well again since; None if nothing did."""
        reason = abi.ferrion_messenger_address_reason(self._abi, address)
        if reason is None:
            return None
        status = abi.ferrion_messenger_address_status(self._abi, address)
        kind = BY_STATUS.get(status, MessengerException)
        return kind(reason, status, abi.ferrion_messenger_address_condition(self._abi, address))

    def remote_idle_timeout(self, address: str) -> float | None:
        """After how many seconds of silence the peer at an address gives the connection up, as it said when it opened it; None if it never
        does, or there is no connection to it."""
        silence = abi.ferrion_messenger_remote_idle_time_out(self._abi, address)
        return None if silence is None else seconds(silence)

    def __enter__(self) -> Messenger:
        self.start()
        return self

    def __exit__(self, kind: Any, value: Any, traceback: Any) -> None:
        try:
            self.stop()
        except FerrionException:
            # What ended the block matters more than what could not be sent after it.
            if value is None:
                raise

    def work(self, timeout: float | None = None) -> bool:
        """Does network work until something happened, at most for ``timeout`` seconds; None is for ever. Tells whether anything did."""
        self._ready()
        worked = self._work(None if timeout is None else monotonic() + timeout)
        if self._stopping:
            self._go_on_stopping()
        return worked

    def _work(self, deadline: float | None) -> bool:
        while True:
            left = None if deadline is None else max(deadline - monotonic(), 0)
            if abi.ferrion_messenger_work(self._abi, _slice(left)):
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
        return self._put(abi.ferrion_messenger_put, _written(message))

    def put_many(self, messages: Iterable[Message]) -> list[int]:
        """Puts one message after the other, and answers their trackers. An exception has those of the messages before it as its
        ``trackers``."""
        trackers: list[int] = []
        try:
            if isinstance(messages, (list, tuple)):
                self._put_written(messages, trackers)
            else:
                # What makes them up may use one message again and again.
                for message in messages:
                    trackers.append(self.put(message))
        except Exception as error:
            # A body that no message can have, too.
            error.trackers = trackers  # type: ignore[attr-defined]
            raise
        return trackers

    def _put_written(self, messages: Sequence[Message], trackers: list[int]) -> None:
        """Puts messages that nobody changes meanwhile, many with one call into the library."""
        written, failure = [], None
        for message in messages:
            try:
                written.append(_written(message))
            except Exception as error:
                # Those before it are put.
                failure = error
                break
        self._ready()
        while len(trackers) < len(written):
            # Nobody waits for room in there: many slices of time would add up, and no signal be heard.
            abi.ferrion_messenger_set_timeout(self._abi, 0)
            try:
                abi.ferrion_py_put_many(self._abi, written, len(trackers), trackers)
                continue
            except Overflow:
                if not self._waits:
                    raise
            finally:
                self._limit()
            trackers.append(self._put(abi.ferrion_messenger_put, written[len(trackers)]))
        if failure:
            raise failure

    def put_encoded(self, address: str, data: bytes) -> int:
        """Puts a message that is encoded already, for an address that need not be the one it carries. Nothing in it is changed."""
        return self._put(abi.ferrion_messenger_put_encoded, address, data)

    def forward(self, message: Message, address: str) -> int:
        """Sends a message on to another address. What of it was not looked at goes as it came, and nothing is changed but what the
        script changed."""
        return self._put(abi.ferrion_messenger_forward, _written(message), address)

    def send(self, n: int = -1) -> None:
        """Waits until ``n`` messages fewer are unsent than now, or, without an argument, all are sent: acknowledged, or, with an
        :attr:`outgoing_window` of 0, taken by the system."""
        if n < 0:
            return self._call(abi.ferrion_messenger_send, -1)
        goal = max(self.outgoing - n, 0)
        try:
            abi.ferrion_messenger_send(self._abi, min(n, _INT32_MAX))
        except Timeout:
            # What was sent in this slice does not count again in the next one.
            def rest() -> None:
                abi.ferrion_messenger_send(self._abi, min(max(self.outgoing - goal, 0), _INT32_MAX))

            self._again(rest, Timeout)
        except WouldBlock:
            pass

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

    def subscribe(self, address: str, ttl: float | None = None, **options: Any) -> Subscription:
        """Receives from an address, or with ``~host[:port]`` from everyone who connects there. Port 0 takes a free one.

        The peer is asked to keep the subscription for ``ttl`` seconds after the link was lost. Further options are those of
        :class:`SubscribeOptions`, by name: ``subscribe("broker/orders", selector="price > 10", credit=20)``."""
        self._ready()
        self._whole_time()
        try:
            if options:
                asked = SubscribeOptions(ttl=ttl, **options)._abi()
                return Subscription(self, abi.ferrion_messenger_subscribe_with(self._abi, address, asked))
            if ttl:
                return Subscription(self, abi.ferrion_messenger_subscribe_ttl(self._abi, address, milliseconds(ttl)))
            return Subscription(self, abi.ferrion_messenger_subscribe(self._abi, address))
        finally:
            self._limit()

    def unsubscribe(self, subscription: Subscription, keep: bool = False) -> bool:
        """Ends a subscription, and waits until the peer has answered that. With ``keep``, what the peer keeps under its name stays there,
        and is found again by who subscribes with that name; otherwise it ends there too, also if its connection is lost at present:
        that is then made again for it.

        What came and has no outcome, got or not, goes back to whom it came from, and its trackers say RELEASED; what was sent settled
        stays for :meth:`get`, and until the peer has answered, for two seconds at most, more of that may come. Of a listening address nobody is let in any more, and who is connected can send nothing more.

        In non-blocking and passive mode it answers False if the peer has not answered: :meth:`work`, then call it again. A subscription
        that has ended is no error. If it cannot be ended at the peer, call it again to try again, or with ``keep`` to leave it there;
        but not otherwise than before while the peer has not answered."""
        self._ready()
        try:
            abi.ferrion_messenger_unsubscribe(self._abi, subscription._bits, keep)
        except WouldBlock:
            return False
        except Timeout:
            self._again(lambda: abi.ferrion_messenger_unsubscribe(self._abi, subscription._bits, keep), Timeout)
        return True

    def recv(self, n: int | None = None) -> None:
        """Lets ``n`` messages come, and waits until at least one is there. Without an argument, or with -1, as many come as are taken with
        :meth:`get`; with -2 what was let come before may still come where it was, and nothing more. Each call replaces what the one
        before it asked for."""
        self._call(abi.ferrion_messenger_recv, -1 if n is None else max(min(n, _INT32_MAX), -2))

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

    def get_many(self, most: int | None = None) -> list[Message]:
        """Takes the messages that wait, oldest first and no more than ``most``. With an :attr:`incoming_window` that holds them, one
        :meth:`accept` is for all. An exception has the messages before it as its ``messages``."""
        count = self.incoming if most is None else max(min(most, self.incoming), 0)
        found: list[Any] = []
        try:
            abi.ferrion_py_get_many(self._abi, count, found)
        except FerrionException as error:
            error.messages = [Message._around(its) for its in found]
            raise
        return [Message._around(its) for its in found]

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
            if not self._waits and not self.incoming:
                return
            while self.incoming:
                message = Message()
                tracker = self.get(message)
                yield message
                if self.incoming_window and self.status(tracker) == PENDING:
                    self.accept(tracker)

    # ---- requests ----

    def request(self, message: Message) -> Message:
        """Sends a request to the address that it carries, and waits for the reply, at most for the timeout."""
        if not self._waits:
            # It says what to do instead.
            abi.ferrion_messenger_request(self._abi, message._abi, Message()._abi)
        request = self.send_request(message)
        try:
            return self.reply(request)
        finally:
            # Nothing is left of it, whatever ended the waiting.
            self.cancel_request(request)

    def send_request(self, message: Message) -> int:
        """Sends a request to the address that it carries, and does not wait. The number answered is for :meth:`reply`,
        :meth:`poll_reply` and :meth:`cancel_request`. The time for the reply is the timeout that is set now. There may be many requests;
        when a connection is made again, those without a reply are sent again."""
        self._ready()
        written = _written(message)
        self._whole_time()
        try:
            return abi.ferrion_messenger_send_request(self._abi, written)
        finally:
            self._limit()

    def reply(self, request: int) -> Message:
        """Waits for the reply to a request. Raises :class:`Timeout` when its time is over, and what else ended it, and then there is no
        such request any more. In non-blocking and passive mode it raises :class:`WouldBlock` until the reply is there."""
        self._ready()
        reply = Message()
        if not self._waits:
            abi.ferrion_messenger_reply(self._abi, request, reply._abi)
        else:
            while not abi.ferrion_messenger_poll_reply(self._abi, request, reply._abi):
                abi.ferrion_messenger_work(self._abi, _SLICE)
        reply._received()
        return reply

    def poll_reply(self, request: int) -> Message | None:
        """The reply to a request, if it has come. Does not touch the network: :meth:`work` in between."""
        reply = Message()
        if not abi.ferrion_messenger_poll_reply(self._abi, request, reply._abi):
            return None
        reply._received()
        return reply

    def cancel_request(self, request: int) -> bool:
        """Gives a request up: it is not sent any more if it was not yet, and a reply is dropped. Tells whether there was such a request."""
        return bool(abi.ferrion_messenger_cancel_request(self._abi, request))

    @property
    def requests(self) -> int:
        """How many requests wait for their reply."""
        return abi.ferrion_messenger_requests(self._abi)

    def reply_to(self, message: Message, body: Any = None, tracker: int | None = None) -> Message:
        """A reply to a message that was got, to be put: addressed to its ``reply_to``, and with its correlation id, or else its id. The
        message is the last one that was got, or that of the tracker."""
        if tracker is None:
            tracker = self.incoming_tracker or 0
        reply = Message()
        abi.ferrion_messenger_reply_to(self._abi, tracker, _written(message), reply._abi)
        reply.body = body
        return reply

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

    def condition_description(self, tracker: int) -> str | None:
        """The text for people that came with that condition."""
        return abi.ferrion_messenger_condition_description(self._abi, tracker)

    def condition_info(self, tracker: int) -> dict[Any, Any] | None:
        """The map with more that came with that condition."""
        found = abi.ferrion_messenger_condition_info(self._abi, tracker)
        return found[0] if found else None

    def reason_status(self, tracker: int) -> int | None:
        """The status that :meth:`reason` has as a failure, one of the ``FERRION_`` numbers of the header."""
        return abi.ferrion_messenger_reason_status(self._abi, tracker)

    # ---- waiting ----

    @property
    def timeout(self) -> float | None:
        """How long waiting calls wait, in seconds; None, the default, is for ever."""
        return self._timeout

    @timeout.setter
    def timeout(self, seconds: float | None) -> None:
        # What cannot be a time is refused by this.
        self._timeout = None if milliseconds(seconds) < 0 else seconds
        self._limit()

    @property
    def blocking(self) -> bool:
        """Whether waiting calls wait, or do what can be done at once."""
        return self._blocking

    @blocking.setter
    def blocking(self, blocking: bool) -> None:
        self._blocking = bool(blocking)
        abi.ferrion_messenger_set_blocking(self._abi, self._blocking)
        self._limit()

    @property
    def passive(self) -> bool:
        """Whether only :meth:`work` touches the network, and a loop of the script's own waits: for the descriptor (:meth:`fileno`) to become
        readable, or for :attr:`due_in` to pass. Then ``work(0)`` does what there is to do."""
        return abi.ferrion_messenger_passive(self._abi)

    @passive.setter
    def passive(self, passive: bool) -> None:
        self._passive = bool(passive)
        abi.ferrion_messenger_set_passive(self._abi, self._passive)
        self._limit()

    def fileno(self) -> int:
        """The descriptor that a loop watches. There is only this one; it never changes, and is not to be read from or closed."""
        return abi.ferrion_messenger_descriptor(self._abi)

    @property
    def due_in(self) -> float | None:
        """In how many seconds :meth:`work` has to be called whether or not there is news; 0 is now, None not at all. To be asked again
        after each call."""
        return seconds(abi.ferrion_messenger_deadline(self._abi))

    @property
    def deadline(self) -> float | None:
        """When that is, by the clock of :func:`time.time`; of old it was told so."""
        due = self.due_in
        return None if due is None else time() + due

    def selectable(self) -> Selectable | None:
        """What a loop with the names of old watches, once, and then None; see :class:`Selectable`."""
        first, self._selectable = self._selectable, False
        return Selectable(self) if first else None

    @property
    def _waits(self) -> bool:
        return self._blocking and not self._passive

    def _ready(self) -> None:
        """Before anything that can make a connection."""
        if self._unread_certificate:
            self._read_certificate()

    def _whole_time(self) -> None:
        """Gives the next call the whole timeout, until :meth:`_limit`."""
        abi.ferrion_messenger_set_timeout(self._abi, milliseconds(self._timeout))

    def _limit(self) -> None:
        """Limits how long a call stays in the library, where calls wait there."""
        if self._waits:
            abi.ferrion_messenger_set_timeout(self._abi, _slice(self._timeout))
        else:
            self._whole_time()

    def _call(self, call: Callable[..., Any], *args: Any) -> None:
        """A waiting call that can be made again when its slice of time is over."""
        self._ready()
        try:
            call(self._abi, *args)
        except WouldBlock:
            # Of old, not to be finished yet is no exception.
            pass
        except Timeout:
            self._again(lambda: call(self._abi, *args), Timeout)

    def _put(self, put: Callable[..., int], *args: Any) -> int:
        """Puts; when there is no room, waits for some."""
        self._ready()
        try:
            return put(self._abi, *args)
        except Overflow:
            if not self._waits:
                raise
            return self._again(lambda: put(self._abi, *args), Overflow)

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
                    self._limit()
            try:
                return call()
            except unfinished:
                pass

    def _decide(self, call: Callable[..., Any], tracker: int | None, flags: int, *args: Any) -> None:
        if tracker is None:
            tracker, flags = self.incoming_tracker, CUMULATIVE
        if tracker is not None:
            call(self._abi, tracker, flags, *args)


def _slice(left: float | None) -> int:
    """What of the time that is left, in seconds, one call may take, in milliseconds."""
    return _SLICE if left is None else min(_SLICE, milliseconds(left))


def _written(message: Message) -> Any:
    """A message as the library has it, with all that is kept of it in Python."""
    if not isinstance(message, Message):
        raise TypeError(f"a Message belongs here, not {message!r}")
    message._write()
    return message._abi
