"""Connections: how they are made again, and what happens to them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Any, Iterator

from . import abi
from .errors import EndOfQueue
from .durations import milliseconds, seconds

__all__ = ["ClientCertificates", "ConnectionEvent", "Happened", "LinkRecovery", "Reconnect", "RcvSettleMode", "SndSettleMode"]


class ClientCertificates(IntEnum):
    """What listeners with TLS do about certificates of those who connect."""

    #: None is asked for.
    IGNORE = abi.FERRION_CLIENT_CERTIFICATES_IGNORE
    #: One is asked for, and must be good if it is shown. Who has none can log in another way.
    ACCEPT = abi.FERRION_CLIENT_CERTIFICATES_ACCEPT
    #: Nobody comes in without a good one.
    REQUIRE = abi.FERRION_CLIENT_CERTIFICATES_REQUIRE


class SndSettleMode(IntEnum):
    """Whether messages are sent settled."""

    #: Never: the receiver of each is asked for an outcome.
    UNSETTLED = abi.FERRION_SND_UNSETTLED
    #: Always: nobody asks whether they arrived.
    SETTLED = abi.FERRION_SND_SETTLED
    #: As the outgoing window has it.
    MIXED = abi.FERRION_SND_MIXED


class RcvSettleMode(IntEnum):
    """When receivers settle."""

    #: With their outcome.
    FIRST = abi.FERRION_RCV_FIRST
    #: After the sender, which knows the outcome then.
    SECOND = abi.FERRION_RCV_SECOND


class Happened(IntEnum):
    """What happened to a connection."""

    #: The peer answered: the connection is there.
    CONNECTED = abi.FERRION_CONNECTION_CONNECTED
    #: It failed, or could not be made.
    FAILED = abi.FERRION_CONNECTION_FAILED
    #: It will be made again, after the delay, at an address that can be another one than before.
    RETRYING = abi.FERRION_CONNECTION_RETRYING
    #: It will not be made again, unless something is put or received there.
    GIVEN_UP = abi.FERRION_CONNECTION_GIVEN_UP
    #: A link was attached again, and both sides knew what had become of what: nothing is lost, and nothing came twice.
    RECOVERED = abi.FERRION_CONNECTION_RECOVERED
    #: A link was to be recovered, and the peer does not know what became of what on it.
    FORGOTTEN = abi.FERRION_CONNECTION_FORGOTTEN
    #: The peer sends a link elsewhere, to the address, where messages that it had not answered are sent again.
    REDIRECTED = abi.FERRION_CONNECTION_REDIRECTED
    #: A peer receives from this messenger: messages for it go to the address. Told of only while it is there.
    SUBSCRIBED = abi.FERRION_CONNECTION_SUBSCRIBED
    #: Something that this package has no name for.
    OTHER = abi.FERRION_CONNECTION_OTHER


@dataclass(frozen=True)
class ConnectionEvent:
    """Something that happened to a connection; see :meth:`Messenger.connection_events`."""

    #: What.
    kind: Happened
    #: Where the connection goes to. Of a peer that receives: where to put messages for it, as long as it is there.
    address: str | None
    #: Why it failed, was given up or is sent elsewhere, for a person.
    reason: str | None = None
    #: The status that this reason has as a failure, one of the ``FERRION_`` numbers of the header.
    status: int | None = None
    #: The error condition that the peer gave as its reason.
    condition: str | None = None
    #: Of a connection that will be made again: how many attempts have failed since a message last got through.
    failures: int | None = None
    #: Of a connection that will be made again: in how many seconds.
    delay: float | None = None
    #: Of a link that was recovered: of how many messages both sides knew.
    resumed: int | None = None
    #: Of a link that was, or was to be recovered: how many messages are sent again.
    sent_again: int | None = None
    #: Of a link that the peer has forgotten: of how many messages from it nothing was decided, and cannot be any more.
    aborted: int | None = None
    #: Of a peer that receives: what it calls itself. Nobody checks that.
    container: str | None = None
    #: Of a peer that receives: the node that it asked for, or that was made up for it.
    node: str | None = None


@dataclass
class Reconnect:
    """How connections that were lost are made again; times are in seconds.

    Each attempt follows after twice the time of the one before, varied by up to a quarter.
    """

    #: What passes before the first attempt.
    first_delay: float = 0.1
    #: The most that passes between attempts.
    max_delay: float = 10.0
    #: How long a connection may fail, without one message getting through or standing for ``max_delay``, before it is given up;
    #: None never does.
    give_up_after: float | None = 60.0
    #: Whether a connection that was never open is tried again too.
    initial: bool = False


@dataclass
class LinkRecovery:
    """That links are recovered, and what is kept for that of peers that connected to this messenger and were lost."""

    #: For how many seconds their links are kept.
    keep_for: float = 120.0
    #: How many links, of all of them together; beyond it those lost longest ago are given up.
    max_links: int = 4096
    #: How many octets with them: payloads, long texts about messages, names and termini of links, and 128 for each unsettled
    #: message and each link.
    max_octets: int = 64 << 20


def set_recovery(messenger: Any, recovery: LinkRecovery | None) -> None:
    """Lets a messenger recover links, or not."""
    if recovery is None:
        abi.ferrion_messenger_set_link_recovery(messenger, None)
        return
    its = abi.ferrion_link_recovery_new()
    abi.ferrion_link_recovery_set_keep_for(its, max(milliseconds(recovery.keep_for), 0))
    abi.ferrion_link_recovery_set_max_links(its, recovery.max_links)
    abi.ferrion_link_recovery_set_max_octets(its, recovery.max_octets)
    abi.ferrion_messenger_set_link_recovery(messenger, its)


def recovery(messenger: Any) -> LinkRecovery | None:
    """What a messenger was given."""
    its = abi.ferrion_link_recovery_new()
    if not abi.ferrion_messenger_link_recovery(messenger, its):
        return None
    return LinkRecovery(
        abi.ferrion_link_recovery_keep_for(its) / 1000,
        abi.ferrion_link_recovery_max_links(its),
        abi.ferrion_link_recovery_max_octets(its),
    )


def set_policy(messenger: Any, policy: Reconnect | None) -> None:
    """Gives a messenger a policy, or none."""
    if policy is None:
        abi.ferrion_messenger_set_reconnect(messenger, None)
        return
    its = abi.ferrion_reconnect_new()
    abi.ferrion_reconnect_set_first_delay(its, milliseconds(policy.first_delay))
    abi.ferrion_reconnect_set_max_delay(its, milliseconds(policy.max_delay))
    abi.ferrion_reconnect_set_give_up_after(its, milliseconds(policy.give_up_after))
    abi.ferrion_reconnect_set_initial(its, bool(policy.initial))
    abi.ferrion_messenger_set_reconnect(messenger, its)


def policy(messenger: Any) -> Reconnect | None:
    """The policy that a messenger has."""
    its = abi.ferrion_reconnect_new()
    if not abi.ferrion_messenger_reconnect(messenger, its):
        return None
    return Reconnect(
        abi.ferrion_reconnect_first_delay(its) / 1000,
        abi.ferrion_reconnect_max_delay(its) / 1000,
        seconds(abi.ferrion_reconnect_give_up_after(its)),
        abi.ferrion_reconnect_initial(its),
    )


def events(messenger: Any) -> Iterator[ConnectionEvent]:
    """What happened to the connections of a messenger since the last time."""
    batch = abi.ferrion_connection_events_new()
    while True:
        try:
            abi.ferrion_messenger_poll_connection_events(messenger, batch, 1)
            abi.ferrion_connection_events_next(batch)
        except EndOfQueue:
            return
        delay = abi.ferrion_connection_events_delay(batch)
        yield ConnectionEvent(
            Happened(abi.ferrion_connection_events_kind(batch)),
            abi.ferrion_connection_events_address(batch),
            abi.ferrion_connection_events_reason(batch),
            abi.ferrion_connection_events_status(batch),
            abi.ferrion_connection_events_condition(batch),
            abi.ferrion_connection_events_failures(batch),
            None if delay is None else delay / 1000,
            abi.ferrion_connection_events_resumed(batch),
            abi.ferrion_connection_events_sent_again(batch),
            abi.ferrion_connection_events_aborted(batch),
            abi.ferrion_connection_events_container(batch),
            abi.ferrion_connection_events_node(batch),
        )
