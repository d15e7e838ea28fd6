"""Sessions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Mapping

from .. import abi
from .conditions import Condition, ended, given
from .config import LinkConfig, SessionConfig
from .fields import Said, numbers
from .link import Receiver, Sender
from .recovery import LinkState

if TYPE_CHECKING:
    from .engine import Engine

__all__ = ["Session"]

_BEGIN = numbers("FERRION_BEGIN_")


class Session:
    """A session of an engine (2.5). Once it has ended, its calls raise :class:`StaleHandle`."""

    __slots__ = ("_abi", "engine", "id")

    def __init__(self, engine: Engine, id: int) -> None:
        #: The engine that it is of.
        self.engine = engine
        #: Its handle: a number that never comes to mean something else.
        self.id = id
        self._abi = engine._abi

    def accept(self, config: SessionConfig | None = None) -> None:
        """Answers a begin of the peer's."""
        abi.ferrion_session_accept(self._abi, self.id, config and config._abi)

    def end(
        self, condition: str | None = None, description: str | None = None, info: Mapping[Any, Any] | None = None
    ) -> None:
        """Ends the session and the links on it, after what could be sent was sent."""
        abi.ferrion_session_end(self._abi, self.id, condition, description, given(info))

    def attach_sender(self, to: str | LinkConfig | None, name: str | None = None, **settings: Any) -> Sender:
        """Attaches a link that sends, to an address at the peer or with a whole configuration. Settings are those of
        :class:`LinkConfig`. Raises :class:`Duplicate` if there is one of this name."""
        if not isinstance(to, LinkConfig):
            to = LinkConfig.sender(name or self.engine._new_name(to), to, **settings)
        return Sender(self.engine, abi.ferrion_session_attach_sender(self._abi, self.id, to._abi))

    def attach_receiver(self, source: str | LinkConfig | None, name: str | None = None, **settings: Any) -> Receiver:
        """Attaches a link that receives, from an address at the peer or with a whole configuration."""
        if not isinstance(source, LinkConfig):
            source = LinkConfig.receiver(name or self.engine._new_name(source), source, **settings)
        return Receiver(self.engine, abi.ferrion_session_attach_receiver(self._abi, self.id, source._abi))

    def resume(self, state: LinkState) -> Sender | Receiver:
        """Attaches a link again, with what an earlier endpoint of it left."""
        return self.engine._link(abi.ferrion_session_resume(self._abi, self.id, state._abi))

    @property
    def is_incoming(self) -> bool:
        """Whether the peer began it and it has not been answered yet."""
        return abi.ferrion_session_is_incoming(self._abi, self.id)

    @property
    def is_begun(self) -> bool:
        """Whether both sides have begun it and neither has ended it."""
        return abi.ferrion_session_is_begun(self._abi, self.id)

    @property
    def remote(self) -> Said:
        """The peer's begin (2.7.2): ``session.remote.incoming_window`` and so on, None for what is not there."""
        return Said(lambda number: abi.ferrion_session_remote(self._abi, self.id, number), _BEGIN)

    @property
    def error(self) -> Condition | None:
        """The error that ended it."""
        return ended(abi.ferrion_session_error(self._abi, self.id))

    @property
    def outgoing_window(self) -> int:
        """Transfer frames that may be sent before the peer opens its window again."""
        return abi.ferrion_session_outgoing_window(self._abi, self.id)

    @property
    def remote_outgoing_window(self) -> int:
        """Transfer frames that the peer said it would send next."""
        return abi.ferrion_session_remote_outgoing_window(self._abi, self.id)

    @property
    def unsettled_outgoing(self) -> int:
        """Deliveries that were sent and are not settled."""
        return abi.ferrion_session_unsettled_outgoing(self._abi, self.id)

    @property
    def unsettled_incoming(self) -> int:
        """Deliveries that arrived and are not settled."""
        return abi.ferrion_session_unsettled_incoming(self._abi, self.id)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Session):
            return NotImplemented
        return self.engine is other.engine and self.id == other.id

    def __hash__(self) -> int:
        return hash(self.id)

    def __repr__(self) -> str:
        return f"<Session {self.id:#x}>"
