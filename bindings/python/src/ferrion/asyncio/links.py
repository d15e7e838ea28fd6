"""Links of a connection: sending and receiving with ``await``."""

from __future__ import annotations

import asyncio
from functools import wraps
from typing import TYPE_CHECKING, Any, AsyncIterator, Mapping, TypeVar

from .. import engine as _engine
from ..engine import Condition, LinkConfig, LinkState, Received, Session, State
from ..errors import FerrionException, StaleHandle, WrongState
from ..message import Message
from .turns import Turns

if TYPE_CHECKING:
    from .connection import Connection

__all__ = ["Delivery", "Link", "LinkClosed", "Receiver", "Sender"]


_Its = TypeVar("_Its", bound="Link")

# Octets of messages that may wait in the engine until the transport is given some.
_QUEUED = 1 << 16
# Those who are let send at a time: the first of them may need all the room that there is.
_AT_ONCE = 64


class LinkClosed(FerrionException):
    """A link was refused, or ended, by the peer or by this side: the text and the ``condition`` say why."""


class Link:
    """A link: a :class:`Sender` or a :class:`Receiver`. A server accepts or refuses those that a peer attached."""

    def __init__(self, connection: Connection, link: Any) -> None:
        #: The connection that it is on.
        self.connection = connection
        #: The same link of the engine, for whatever is not here; then comes ``connection.wake()``. What answers an attach of the peer's is
        #: here: :meth:`accept`, :meth:`refuse`, :meth:`resume`. Of an answer that only the engine was given nothing is known here.
        self.link: Any = link
        self._turns = Turns()
        self._end = Turns()
        self._failure: FerrionException | None = None
        self._is_closing = False
        self._name: str = link.name
        #: What the peer asks for, of a link that it attached.
        self._asked: str | None = None
        #: Who is to answer the peer's attach, until it is answered.
        self._handler: asyncio.Task[None] | None = None
        if link.is_incoming:
            offer = link.offer()
            self._asked = (offer.source if isinstance(self, Sender) else offer.target).address

    @property
    def address(self) -> str | None:
        """The address of the node at the peer; of a link that a peer attached, the one that it asks for."""
        return self.link.remote_address if self._asked is None else self._asked

    @property
    def name(self) -> str:
        """Its name."""
        return self._name

    def __repr__(self) -> str:
        address = None if self.is_closed else self.address
        return f"<{type(self).__name__} {self._name!r}: {'closed' if self.is_closed else address}>"

    @property
    def is_closed(self) -> bool:
        """Whether it has ended."""
        return self._failure is not None

    def accept(self, config: LinkConfig | None = None) -> None:
        """Answers a link that a peer attached, with what it asked for or with something else: start from ``link.link.offer()`` then."""
        self.link.accept(config)
        self._answered()

    def resume(self, state: LinkState) -> None:
        """Answers a link that a peer attached, with what an earlier one left; see :meth:`ferrion.engine.Link.resume`."""
        self.link.resume(state)
        self._answered()

    def refuse(self, condition: str, description: str | None = None, info: Mapping[Any, Any] | None = None) -> None:
        """Refuses a link that a peer attached."""
        if not self.link.is_incoming:
            raise WrongState("the link was answered before")
        self._leave(condition, description, info)

    def close(self, condition: str | None = None, description: str | None = None) -> None:
        """Closes the link, after what was sent has left; one that was not answered is refused. :meth:`closed` waits for the peer."""
        # A link that the peer has ended may not be answered yet: whatever else was sent, nobody takes it any more.
        if self.is_closed or not self._is_closing:
            self._leave(condition, description)

    async def closed(self) -> None:
        """Waits until the link has ended."""
        while not self.is_closed:
            await self._end.wait()

    async def __aenter__(self: _Its) -> _Its:
        return self

    async def __aexit__(self, kind: Any, value: Any, traceback: Any) -> None:
        self.close()
        await self.closed()

    def _check(self) -> None:
        if self._failure:
            # One object is raised in many places: what it says of them would grow and grow.
            raise self._failure.with_traceback(None)

    def _leave(
        self, condition: str | None, description: str | None = None, info: Mapping[Any, Any] | None = None
    ) -> None:
        self.connection._let_go(self.link, condition, description, info)
        self._is_closing = True
        self._answered()

    def _answered(self) -> None:
        self._handler = None
        self.connection.wake()

    # ---- what happens ----

    def _flow(self) -> None:
        """There is credit, or something else that somebody may wait for."""
        self._turns.all()

    def _ended(self, failure: FerrionException) -> None:
        self._failure = failure
        self._turns.all()
        self._end.all()
        if self._handler:
            # Nobody waits for its answer.
            self._handler.cancel()
            self._handler = None

    def _agreed(self) -> None:
        """The peer has answered our attach."""

    def _detached(self, session: Session | None) -> None:
        """The peer has ended it, or answered our close; or its session has ended."""
        reason: Condition | None = None
        try:
            reason = self.link.error or (session.error if session else None)
            self._answer()
        except StaleHandle:
            # It went with its session.
            pass
        finally:
            self._ended(_closed(reason))

    def _answer(self) -> None:
        """Closes the link if the peer has."""
        if self.link.awaits_detach:
            self.connection._let_go(self.link)


def _closed(reason: Condition | None) -> LinkClosed:
    if reason is None:
        return LinkClosed("the link is closed")
    return LinkClosed(f"the link is closed: {reason}", None, reason.condition)


class Sender(Link):
    """A link that sends."""

    def __init__(self, connection: Connection, link: _engine.Sender) -> None:
        super().__init__(connection, link)
        self._outcomes: dict[int, asyncio.Future[State | None]] = {}

    async def send(self, message: Message | bytes, **how: Any) -> State | None:
        """Sends a message and waits for its outcome: :class:`Accepted`, :class:`Rejected` and so on; None if the peer settled it without one,
        or it is settled by being sent. Cancelled before there was credit, nothing is sent; afterwards the message is under way, and its
        outcome is seen to. Further arguments are those of :meth:`ferrion.engine.Sender.send`."""
        outcome = await self.post(message, **how)
        return await outcome

    async def post(self, message: Message | bytes, **how: Any) -> asyncio.Future[State | None]:
        """Waits for credit, and for room in the transport, and sends a message. The future answered gets its outcome, so that many messages
        can be under way. Those who wait are served in the order of their calls. Raises :class:`LinkClosed` or :class:`ConnectionFailed` if
        there is no use in waiting, and so does the future."""
        self._check()
        if self._turns.is_busy or not self._has_room():
            await self._turn()
        try:
            sent = self.link.send(message, **how)
        finally:
            # Whether or not this one has used its turn.
            self._give()
        future = asyncio.get_running_loop().create_future()
        if sent is None:
            future.set_result(None)
        else:
            self._outcomes[sent.id] = future
            # A failure that nobody waits for is not worth a word: it is that of the link.
            future.add_done_callback(_seen)
        self.connection.wake()
        return future

    def _check(self) -> None:
        super()._check()
        if self._is_closing:
            raise _closed(None)

    async def _turn(self) -> None:
        """Waits until it is this one's turn and it can send."""
        number: int | None = None
        while number is None or not self._has_room():
            self.connection._senders.add(self)
            number = await self._turns.wait(number)
            self._check()

    def _has_room(self) -> bool:
        """Whether a message can be sent, and will not wait here for long."""
        if self.connection.is_paused or self.link.credit == 0:
            return False
        if self.link.queued_octets > _QUEUED:
            # Nobody else has had a turn since: what is due may fill the transport.
            self.connection.pull()
            # What is left waits for the session's window.
            return not self.connection.is_paused and self.link.queued_octets <= _QUEUED
        return True

    def _give(self) -> bool:
        """Gives turns to those who wait if they can be used. Answers whether anybody waits."""
        try:
            if self._turns.given == 0 and self._turns.is_busy and self._has_room():
                self._turns.next(min(self.link.credit, _AT_ONCE))
        except StaleHandle:
            # That it has ended is told soon.
            pass
        return self._turns.is_busy

    @property
    def credit(self) -> int:
        """Messages that can be sent at once."""
        return self.link.credit

    @property
    def unsettled(self) -> int:
        """Messages that were sent and have no outcome yet."""
        return len(self._outcomes)

    def _flow(self) -> None:
        self._give()
        if self.link.is_draining:
            # Those who wait use the credit first.
            asyncio.get_running_loop().call_soon(self._give_back)

    def _give_back(self) -> None:
        if self.is_closed or not self.link.is_draining:
            return
        if self._turns.given:
            asyncio.get_running_loop().call_soon(self._give_back)
        else:
            self.link.drained()
            self.connection.wake()

    def _updated(self) -> None:
        for update in self.link.updates():
            if not update.settled:
                if update.state is None or isinstance(update.state, Received):
                    continue
                update.delivery.settle()
            future = self._outcomes.pop(update.delivery.id, None)
            if future and not future.done():
                future.set_result(update.state)

    def _ended(self, failure: FerrionException) -> None:
        super()._ended(failure)
        for future in self._outcomes.values():
            if not future.done():
                future.set_exception(failure)
        self._outcomes.clear()


def _seen(future: asyncio.Future[Any]) -> None:
    if not future.cancelled():
        future.exception()


def _waking(method: Any) -> Any:
    """A call whose consequences are sent soon."""

    @wraps(method)
    def call(self: Delivery, *args: Any, **kwargs: Any) -> None:
        try:
            method(self, *args, **kwargs)
        except StaleHandle:
            # The sender has settled it, or it went with its link: nobody is left to tell.
            return
        self._connection.wake()

    return call


class Delivery(_engine.Delivery):
    """A delivery that arrived. What settles it can be called at any time, and does not wait; it does nothing if the sender has settled the
    delivery meanwhile, or the link is gone."""

    __slots__ = ("_connection",)

    def __init__(self, connection: Connection, its: _engine.Delivery) -> None:
        super().__init__(
            its.receiver, its.id, its.tag, its.payload, its.message_format, its.state, its.batchable, its.aborted
        )
        self._connection = connection

    accept = _waking(_engine.Delivery.accept)
    reject = _waking(_engine.Delivery.reject)
    release = _waking(_engine.Delivery.release)
    modify = _waking(_engine.Delivery.modify)
    settle = _waking(_engine.Delivery.settle)
    update = _waking(_engine.Delivery.update)
    forget = _waking(_engine.Delivery.forget)


class Receiver(Link):
    """A link that receives. ``async for`` takes one delivery after the other; the loop ends when the link is closed in order, and raises
    what else ended it."""

    link: _engine.Receiver
    # What it is granted once the peer has answered.
    _credit = 0

    def _agreed(self) -> None:
        if self._credit:
            try:
                self.link.set_automatic_credit(self._credit)
            except (StaleHandle, WrongState):
                # The peer has ended it at once: that is told next.
                pass

    def accept(self, config: LinkConfig | None = None, credit: int = 100) -> None:
        """The same, and lets so many messages come, more as they are taken; 0 waits for ``add_credit``."""
        super().accept(config)
        if credit:
            self.link.set_automatic_credit(credit)

    def add_credit(self, n: int) -> None:
        """Lets so many more messages come."""
        self.link.add_credit(n)
        self.connection.wake()

    async def receive(self) -> Delivery:
        """Takes the next delivery, when there is one. Cancelled, it takes none."""
        number: int | None = None
        while (delivery := self._next()) is None:
            self._check()
            number = await self._turns.wait(number)
        return delivery

    async def drain(self) -> list[Delivery]:
        """Lets those messages come that the sender has and there is credit for, and gives the rest of the credit back."""
        self._check()
        self.link.drain()
        self.connection.wake()
        while True:
            self._check()
            if not self.link.is_draining:
                break
            await self._turns.wait()
        return [delivery for delivery in iter(self._next, None)]

    def __aiter__(self) -> AsyncIterator[Delivery]:
        return self._all()

    async def _all(self) -> AsyncIterator[Delivery]:
        while True:
            try:
                delivery = await self.receive()
            except LinkClosed as end:
                if end.condition is None:
                    return
                raise
            yield delivery

    def _next(self) -> Delivery | None:
        try:
            delivery = self.link.next_delivery()
        except StaleHandle:
            return None
        if delivery is None:
            self._answer()
            return None
        # Taking it may have opened a window.
        self.connection.wake()
        return Delivery(self.connection, delivery)

    def _answer(self) -> None:
        # What has come can still be taken and settled.
        if not self.link.waiting:
            super()._answer()
