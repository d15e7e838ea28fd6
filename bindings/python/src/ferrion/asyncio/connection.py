"""Connections."""

from __future__ import annotations

import asyncio
import inspect
import ssl as tls
from operator import index
from typing import Any, Awaitable, Callable, Mapping, TypeVar, Union
from uuid import uuid4

from .. import engine as _engine
from ..engine import Config, Engine, Event, EventKind, LinkConfig, SaslRequest, Session, SessionConfig
from ..errors import ConnectionFailed, FerrionException, LimitReached, LoginFailed, StaleHandle, TlsFailed, WrongState
from ..types import uint
from .driver import Driver
from .links import Link, LinkClosed, Receiver, Sender

__all__ = ["Authenticate", "Connection", "OnLink", "connect"]

#: Answers a question about who somebody is; see :class:`SaslRequest`.
Authenticate = Callable[[SaslRequest], Any]
#: Looks after a link that a peer attached.
OnLink = Callable[[Union[Sender, Receiver]], Awaitable[None]]

_Its = TypeVar("_Its", bound="Connection")


def _new_name() -> str:
    return f"ferrion-{uuid4()}"


class Connection(Driver):
    """A connection, with links to ``await``. It comes from :func:`connect`, or from a server."""

    def __init__(
        self,
        engine: Engine,
        on_link: OnLink | None = None,
        authenticate: Authenticate | None = None,
        session: SessionConfig | None = None,
    ) -> None:
        super().__init__(engine)
        self._on_link = on_link
        self._config = session
        self._authenticate = authenticate
        self._links: dict[int, Link] = {}
        self._attaching: dict[int, asyncio.Future[None]] = {}
        self._session: Session | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._opened: asyncio.Future[None] = self._loop.create_future()
        self._opened.add_done_callback(_seen)
        self._ended: asyncio.Future[None] = self._loop.create_future()
        #: Those that somebody waits for to send.
        self._senders: set[Sender] = set()
        self._failure: FerrionException | None = None
        #: Server: who has logged in, if that took a name: known once it is let in. Whatever answers a :class:`SaslRequest` may set
        #: another one.
        self.user: str | None = None
        # Who a client says it is, until it is known.
        self._claimed: str | None = None

    def __repr__(self) -> str:
        state = "closed" if self.is_closed else "open" if self.engine.is_open else "not open"
        return f"<{type(self).__name__} with {self.engine.remote.container_id!r}: {state}>"

    # ---- life ----

    async def opened(self) -> None:
        """Waits until the peer has opened the connection too. Raises :class:`ConnectionFailed` if it does not, :class:`LoginFailed` if it is
        about who this is."""
        await asyncio.shield(self._opened)

    async def close(self, condition: str | None = None, description: str | None = None) -> None:
        """Closes the connection in order, and waits until it is gone. A peer that takes nothing of what is to be sent is given up after
        :attr:`Driver.patience`."""
        self._close(condition, description)
        await self.closed()

    def _close(self, condition: str | None, description: str | None) -> None:
        try:
            self.engine.close(condition, description)
            self.wake()
            self.hurry()
        except WrongState:
            # It is closed already.
            pass

    async def closed(self) -> None:
        """Waits until the connection is gone."""
        await asyncio.shield(self._ended)

    def abort(self) -> None:
        """Cuts the connection, without a word to the peer."""
        if self.transport:
            self.transport.abort()

    @property
    def is_closed(self) -> bool:
        """Whether the connection is gone."""
        return self._ended.done()

    @property
    def peer_certificate(self) -> dict[str, Any] | None:
        """The peer's certificate as :meth:`ssl.SSLSocket.getpeercert` has it, if this is TLS and the ``ssl`` context asked for one and has
        checked it."""
        return self.transport.get_extra_info("peercert") or None if self.transport else None

    @property
    def failure(self) -> FerrionException | None:
        """Why it ended, if that was not in order."""
        return None if self.engine.failure is None else self._failure

    async def __aenter__(self: _Its) -> _Its:
        return self

    async def __aexit__(self, kind: Any, value: Any, traceback: Any) -> None:
        await self.close()

    # ---- links ----

    def session(self, config: SessionConfig | None = None) -> Session:
        """A new session. Links are on one that all share, unless they are told another."""
        self._check()
        session = self.engine.begin(config or self._config)
        self.wake()
        return session

    async def attach_sender(
        self, to: str | LinkConfig | None, *, session: Session | None = None, **settings: Any
    ) -> Sender:
        """A link that sends, to an address at the peer, once the peer has agreed. Raises :class:`LinkClosed` if it refuses. Settings are those
        of :class:`LinkConfig`, and ``name``."""
        its = Sender(self, self._on(session).attach_sender(to, **settings))
        await self._attached(its)
        return its

    async def attach_receiver(
        self, source: str | LinkConfig | None, *, credit: int = 100, session: Session | None = None, **settings: Any
    ) -> Receiver:
        """A link that receives, from an address at the peer, once the peer has agreed. So many messages may come, and more as they are
        taken; with 0 none, until ``add_credit``."""
        # It is granted later, where nobody could be told that it is no credit.
        credit = uint(index(credit))
        its = Receiver(self, self._on(session).attach_receiver(source, **settings))
        # Some peers send as soon as there is credit, though it be before they have answered the attach.
        its._credit = credit
        await self._attached(its)
        return its

    def _on(self, session: Session | None) -> Session:
        self._check()
        if session is not None:
            return session
        if self._session is None:
            self._session = self.engine.begin(self._config)
        return self._session

    def _check(self) -> None:
        if self._failure:
            raise self._failure.with_traceback(None)

    async def _attached(self, link: Link) -> None:
        id = link.link.id
        self._links[id] = link
        agreed: asyncio.Future[None] = self._loop.create_future()
        self._attaching[id] = agreed
        self.wake()
        try:
            await agreed
        except asyncio.CancelledError:
            if not self._failure:
                link.close()
            raise
        finally:
            self._attaching.pop(id, None)

    # ---- what happens ----

    def handle(self, event: Event) -> None:
        try:
            self._happened(event)
        except StaleHandle:
            # It was closed here, and what was told before has sent that: it is gone. Of a link that is told next.
            pass

    def _happened(self, event: Event) -> None:
        kind, link = event.kind, event.link
        if kind is EventKind.DELIVERIES or kind is EventKind.FLOW:
            self._known(link, lambda known: known._flow())
        elif kind is EventKind.UPDATES:
            self._known(link, self._updated)
        elif kind is EventKind.LINK_ATTACHED:
            self._link_attached(link)
        elif kind is EventKind.LINK_DETACHED:
            self._link_detached(link, event.session)
        elif kind is EventKind.SESSION_BEGUN:
            if event.session:
                self._session_begun(event.session)
        elif kind is EventKind.SESSION_ENDED:
            if event.session == self._session:
                self._session = None
        elif kind is EventKind.AUTHENTICATE:
            self._start(self._answer())
        elif kind is EventKind.AUTHENTICATED:
            if self.user is None:
                self.user = self._claimed
        elif kind is EventKind.REMOTE_OPEN:
            if not self._opened.done():
                self._opened.set_result(None)

    def _session_begun(self, session: Session) -> None:
        try:
            if session.is_incoming:
                session.accept(self._config)
        except LimitReached as error:
            # The peer begins more sessions than it lets there be channels to answer on, and an end takes one too (2.5.3).
            self._close("amqp:resource-limit-exceeded", str(error))
        except WrongState:
            # The connection is closed already.
            pass

    def _known(self, link: Any, do: Callable[[Any], None]) -> None:
        known = self._links.get(link.id)
        if known:
            do(known)

    def _updated(self, link: Any) -> None:
        if isinstance(link, Sender):
            link._updated()
        else:
            # What the sender has settled is forgotten by this. Of anything else it has only told a state, and whoever has the delivery
            # still decides.
            for _ in link.link.updates():
                pass

    def _link_attached(self, link: Any) -> None:
        agreed = self._attaching.get(link.id)
        if agreed:
            sends = isinstance(link, _engine.Sender)
            refused = (link.remote.target if sends else link.remote.source) is None
            # The reason for a refusal follows.
            if not refused and not agreed.done():
                self._links[link.id]._agreed()
                agreed.set_result(None)
        elif link.is_incoming and not self._is_lost:
            if self._on_link is None:
                self._let_go(link, "amqp:not-allowed", "there is nothing to be had here")
                return
            its = Sender(self, link) if isinstance(link, _engine.Sender) else Receiver(self, link)
            self._links[link.id] = its
            task = self._start(self._look_after(its, self._on_link))
            # Some loops have begun with it by now.
            its._handler = task if link.is_incoming else None

    def _let_go(
        self,
        link: Any,
        condition: str | None = None,
        description: str | None = None,
        info: Mapping[Any, Any] | None = None,
    ) -> None:
        """Whatever a link of the engine has come to, it ends; the peer is refused if it was not answered yet."""
        try:
            if link.is_incoming and not link.awaits_detach:
                link.refuse(condition or "amqp:not-allowed", description, info)
            else:
                link.close(condition, description, info)
        except LimitReached as error:
            # The peer attaches more links than it has handles for, and a refusal takes one too (2.6.3). So the session was open until now.
            link.session.end("amqp:resource-limit-exceeded", str(error))
        except (StaleHandle, WrongState):
            # It is gone already, or goes with its session.
            pass
        self.wake()

    def _link_detached(self, link: Any, session: Session | None) -> None:
        its = self._links.pop(link.id, None)
        if its is None:
            self._let_go(link)
            return
        its._detached(session)
        agreed = self._attaching.get(link.id)
        if agreed and not agreed.done():
            agreed.set_exception(its._failure or LinkClosed("the link is closed"))

    def worked(self) -> None:
        # There may be credit, a window may have opened, and the transport may have room.
        for sender in tuple(self._senders):
            if not sender._give():
                self._senders.discard(sender)

    def over(self, error: Exception | None) -> None:
        failure = self.engine.failure
        if failure is None:
            self._failure = ConnectionFailed("the connection is closed")
        elif failure.kind.is_login:
            self._failure = LoginFailed(failure.text)
        elif isinstance(error, tls.SSLError):
            # A client learns that its certificate is refused once it has connected.
            self._failure = _not_secured(error)
        else:
            condition = self.engine.failure_condition
            text = f"{failure.text} ({error})" if error else failure.text
            self._failure = ConnectionFailed(text, None, condition.condition if condition else None)
        if not self._opened.done():
            self._opened.set_exception(self._failure)
        for agreed in self._attaching.values():
            if not agreed.done():
                agreed.set_exception(self._failure)
        for link in self._links.values():
            link._ended(self._failure)
        self._links.clear()
        self._senders.clear()
        if not self._ended.done():
            self._ended.set_result(None)

    # ---- tasks ----

    def _start(self, work: Any) -> asyncio.Task[None]:
        # A task that nothing refers to may be gone before it is done.
        task: asyncio.Task[None] = self._loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _answer(self) -> None:
        request = self.engine.sasl_request
        if request is None:
            return
        request.connection = self
        # A mechanism of the program's asks more than once, and does not know a name each time.
        self._claimed = request.user or self._claimed
        try:
            if self._authenticate is None:
                request.reject()
            else:
                answer = self._authenticate(request)
                if inspect.isawaitable(answer):
                    await answer
                if not request.is_answered and not self._is_lost:
                    raise RuntimeError("the request was not answered")
        except asyncio.CancelledError:
            # The client does not wait for it any longer.
            self._not_found_out(request)
            raise
        except Exception as error:
            # That a client did not wait for its answer is nobody's mistake.
            if not (self._is_lost and isinstance(error, FerrionException)):
                self._report("who a client is could not be found out", error)
            self._not_found_out(request)
        self.wake()

    @property
    def _is_lost(self) -> bool:
        """Whether there is nobody to be told anything."""
        return self._is_over or self.engine.failure is not None

    def _not_found_out(self, request: SaslRequest) -> None:
        try:
            request.unavailable()
        except FerrionException:
            # It was answered, or the connection is gone.
            pass
        self.wake()

    async def _look_after(self, link: Sender | Receiver, on_link: OnLink) -> None:
        try:
            await on_link(link)
            link.close()
        except (LinkClosed, ConnectionFailed) as error:
            if error is not link._failure:
                self._report("a link was not looked after", error)
            link.close()
        except asyncio.CancelledError:
            # What it waited for, or this task, was cancelled: nobody looks after the link any more.
            link.close("amqp:internal-error")
            raise
        except Exception as error:
            self._report("a link was not looked after", error)
            link.close("amqp:internal-error")

    def _report(self, what: str, error: Exception) -> None:
        self._loop.call_exception_handler({"message": what, "exception": error, "protocol": self})


def _seen(future: asyncio.Future[Any]) -> None:
    if not future.cancelled():
        future.exception()


def _not_secured(error: tls.SSLError) -> TlsFailed:
    return TlsFailed(f"the connection is not secure: {error}")


def _configured(host: str, config: Config | None, user: str | None, password: str | None, clear: bool) -> Config:
    """What a connection is opened with."""
    if (user is None) != (password is None):
        raise ValueError("a user has a password, and a password a user: give both or none")
    if config is not None:
        if user is not None:
            raise ValueError("give the user to the configuration: config.login_scram(user, password), or login_plain")
        return config
    config = Config(_new_name(), hostname=host)
    if user is None or password is None:
        config.login_anonymous()
    else:
        config.login_scram(user, password)
        config.login_plain(user, password)
        config.allow_clear_text(clear)
    return config


async def connect(
    host: str,
    port: int = 5672,
    config: Config | None = None,
    *,
    user: str | None = None,
    password: str | None = None,
    allow_clear_text: bool = False,
    on_link: OnLink | None = None,
    authenticate: Authenticate | None = None,
    session: SessionConfig | None = None,
    ssl: tls.SSLContext | bool | None = None,
    **transport: Any,
) -> Connection:
    """A connection to a server, once it is open. With ``ssl=True``, or a context of the module :mod:`ssl`, it is secured with TLS, and the
    server has to be who it is taken for; the port of AMQP over TLS is 5671. Further arguments are those of ``loop.create_connection``.

    With a user it logs in by SCRAM, if the server offers that, or else by PLAIN, which shows the password: only under TLS,
    or if ``allow_clear_text`` says that nobody reads along. Without one it is nobody in particular (ANONYMOUS). A configuration says all
    of that itself, ``config.allow_clear_text(True)`` under TLS too, and more: how else to log in, the container's name, limits. ``session`` is what sessions are begun with, and answered
    with if the peer begins them: it says how much may wait here that nobody takes, 64 MiB of payload unless it is told otherwise.

    Raises :class:`ConnectionFailed` if there is no connection, :class:`TlsFailed` if it cannot be secured, :class:`LoginFailed` if this side
    is not let in."""
    config = _configured(host, config, user, password, allow_clear_text or bool(ssl))
    loop = asyncio.get_running_loop()
    engine = Engine.client(config, loop.time)
    engine.open()
    try:
        _, connection = await loop.create_connection(
            lambda: Connection(engine, on_link, authenticate, session), host, port, ssl=ssl, **transport
        )
    except tls.SSLError as error:
        raise _not_secured(error) from error
    except OSError as error:
        raise ConnectionFailed(f"there is no connection to {host} port {port}: {error}") from error
    try:
        await connection.opened()
    except BaseException:
        connection.abort()
        raise
    return connection
