"""Servers."""

from __future__ import annotations

import asyncio
import ssl as tls
from typing import Any, Callable

from ..engine import Config, Engine, SessionConfig
from .connection import Authenticate, Connection, OnLink, _new_name

__all__ = ["Server", "serve"]


class Server:
    """What listens, and the connections that it accepted."""

    def __init__(self) -> None:
        #: The connections that are there.
        self.connections: set[Connection] = set()
        self._listener: Any = None
        self._is_closed = False

    @property
    def port(self) -> int:
        """The port that is listened on."""
        return self._listener.sockets[0].getsockname()[1]

    @property
    def sockets(self) -> Any:
        """What is listened on."""
        return self._listener.sockets

    async def close(self) -> None:
        """Listens no more, closes all connections in order, and waits until they are gone."""
        self._is_closed = True
        self._listener.close()
        closing = [connection.close("amqp:connection:forced", "the server ends") for connection in self.connections]
        await asyncio.gather(*closing)

    async def __aenter__(self) -> Server:
        return self

    async def __aexit__(self, kind: Any, value: Any, traceback: Any) -> None:
        await self.close()


class _Accepted(Connection):
    """A connection that its server knows for as long as it is there."""

    def __init__(self, server: Server, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._server = server

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # What does not get this far, because there is no TLS with it, is never heard of again.
        if self._server._is_closed:
            transport.close()
            return
        self._server.connections.add(self)
        super().connection_made(transport)

    def over(self, error: Exception | None) -> None:
        self._server.connections.discard(self)
        super().over(error)


async def serve(
    on_link: OnLink,
    host: str | None = None,
    port: int = 5672,
    config: Config | Callable[[], Config] | None = None,
    *,
    authenticate: Authenticate | None = None,
    session: SessionConfig | None = None,
    ssl: tls.SSLContext | None = None,
    **transport: Any,
) -> Server:
    """Listens, and calls ``on_link`` as a task of its own for each link that a peer attaches: a :class:`Sender` if the peer wants to receive,
    a :class:`Receiver` if it wants to send. It looks at the ``address``, accepts or refuses, and the link is closed when it returns. If
    the link ends before it was answered, the task is cancelled.

    A configuration that has to be another one for each connection is made by a function; with ``offer_scram`` anything else is a
    :class:`ValueError`, because what was heard of one login could be used for another. Without a configuration everybody is let in
    (ANONYMOUS). ``authenticate``, a function or a coroutine function, answers what only the program can; who is not let in by it is
    rejected. Port 0 takes a free one.

    ``session`` is what sessions are answered with: it says how much may wait here that nobody takes. With ``ssl``, a context with a
    certificate and its key, connections are secured with TLS. Further arguments are those of ``loop.create_server``."""
    if config is None:
        config = Config(_new_name())
        config.offer("ANONYMOUS")
        config.offer_required(False)
    if isinstance(config, Config) and config._is_for_one:
        raise ValueError("with SCRAM each connection needs a configuration of its own: give a function that makes one")
    loop = asyncio.get_running_loop()
    server = Server()

    def accepted() -> Connection:
        engine = Engine.server(config() if callable(config) else config, loop.time)
        engine.open()
        return _Accepted(server, engine, on_link, authenticate, session)

    server._listener = await loop.create_server(accepted, host, port, ssl=ssl, **transport)
    return server
