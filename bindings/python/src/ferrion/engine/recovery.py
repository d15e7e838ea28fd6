"""What outlives the endpoint of a link, so that another one can go on where it was (2.6.13)."""

from __future__ import annotations

from typing import Any, NamedTuple

from .. import abi
from .config import LinkConfig
from .fields import Copied
from .states import State, whole

__all__ = ["LinkState", "Recovery", "Remembered"]


class Recovery(NamedTuple):
    """What resuming a link did. The numbers count deliveries that this side remembered."""

    #: Whether the peer remembers something at all.
    peer_remembers: bool
    #: Whether both sides told of all that they remember. If not, nothing new can be sent: once what was resumed is settled, detach the
    #: link and resume it again.
    complete: bool
    #: Both sides remembered them, and they go on.
    resumed: int
    #: Sender: the receiver had nothing of them; they are sent as new ones.
    sent_again: int
    #: Sender: they were called off.
    aborted: int
    #: They turned out to be settled by the peer.
    settled: int
    #: Sender: the receiver has not got them, and there is no payload to send again.
    lost: int


class Remembered(NamedTuple):
    """A delivery that is remembered."""

    #: The sender's name for it.
    tag: bytes
    #: Sender: what was sent, all of it. Receiver: what arrived and was not handed to the application. None if it is not there.
    payload: bytes | None
    #: Receiver: octets that the application read before the payload, while it came.
    read: int
    #: The format of the payload; 0 is an AMQP message.
    message_format: int
    #: Its state at this side.
    local_state: State | None
    #: Its state at the peer, as far as the peer told.
    remote_state: State | None
    #: Whether the payload has its end.
    complete: bool
    #: Receiver: whether the application settled it.
    done: bool
    #: Whether the peer has settled it, and only the application has not been told.
    settled: bool


class LinkState(Copied):
    """All that has to outlive an endpoint of a link for another endpoint to go on with it: a value to be kept, or written as octets.

    It comes from :attr:`Link.state`, or :meth:`Engine.link_states` of all links, also after the connection was lost;
    :meth:`Session.resume` goes on with it, or :meth:`Link.resume` where a peer attaches the link again. Such links were attached with
    ``recoverable`` set."""

    def __init__(self, data: bytes | None = None) -> None:
        self._abi = abi.ferrion_link_state_new()
        if data is not None:
            abi.ferrion_link_state_decode(self._abi, data)

    def copy(self) -> LinkState:
        """Another one that is the same."""
        its = LinkState()
        abi.ferrion_link_state_copy(its._abi, self._abi)
        return its

    def encode(self) -> bytes:
        """The state as octets, for ``LinkState(octets)`` of this version of ferrion or a later one."""
        return abi.ferrion_link_state_encode(self._abi)

    @property
    def is_sender(self) -> bool:
        """Whether it is of the side that sends."""
        return abi.ferrion_link_state_role(self._abi) == abi.FERRION_SENDER

    @property
    def config(self) -> LinkConfig:
        """What the link is attached with again; a copy, to be set when it was changed."""
        config = LinkConfig()
        abi.ferrion_link_state_config(self._abi, config._abi)
        return config

    @config.setter
    def config(self, config: LinkConfig) -> None:
        abi.ferrion_link_state_set_config(self._abi, config._abi)

    def __len__(self) -> int:
        return abi.ferrion_link_state_count(self._abi)

    def __getitem__(self, index: int) -> Remembered:
        at = self._at(index)
        tag, payload, read, message_format, local, remote, has_payload, complete, done, settled = (
            abi.ferrion_link_state_delivery(self._abi, at)
        )
        return Remembered(
            tag,
            payload if has_payload else None,
            read,
            message_format,
            whole(abi.ferrion_link_state_local(self._abi, at)) if local else None,
            whole(abi.ferrion_link_state_remote(self._abi, at)) if remote else None,
            bool(complete),
            bool(done),
            bool(settled),
        )

    def __delitem__(self, index: int) -> None:
        """Takes a delivery out: it is settled, which the peer will learn when the link is resumed."""
        abi.ferrion_link_state_remove(self._abi, self._at(index))

    def set_payload(self, index: int, payload: bytes, read: int = 0) -> None:
        """Sets the payload of a delivery, and how much of it the application has read before that: for a sender that keeps its messages
        itself, or a receiver that puts back what it read."""
        abi.ferrion_link_state_set_payload(self._abi, self._at(index), read, payload)

    def _at(self, index: Any) -> int:
        at = range(len(self))[index]
        if not isinstance(at, int):
            raise TypeError("deliveries are taken one at a time")
        return at
