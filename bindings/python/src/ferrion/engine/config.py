"""What connections, sessions and links are opened with."""

from __future__ import annotations

from enum import IntEnum
from typing import Any

from .. import abi
from ..connections import RcvSettleMode, SndSettleMode
from ..durations import milliseconds
from ..types import Described, uint
from .fields import Copied, apply, described, field, one_symbol, plain, symbol_map, symbols
from .login import Logins, Nonces, Offers

__all__ = ["Config", "Limit", "LinkConfig", "SessionConfig", "Source", "Target"]


class Limit(IntEnum):
    """What an engine holds or waits for at most. Beyond it the peer is refused, with the condition that fits."""

    #: Milliseconds until the peer's open must have arrived, and to wait for the answer to our close. 0 is without limit.
    HANDSHAKE_TIME = abi.FERRION_LIMIT_HANDSHAKE_TIME
    #: Links on one session.
    LINKS_PER_SESSION = abi.FERRION_LIMIT_LINKS_PER_SESSION
    #: Octets of one incoming delivery that are buffered until it is complete.
    DELIVERY_OCTETS = abi.FERRION_LIMIT_DELIVERY_OCTETS
    #: Octets of all incoming deliveries of one session that are buffered until they are complete.
    PARTIAL_OCTETS = abi.FERRION_LIMIT_PARTIAL_OCTETS
    #: Transfers without payload in one incoming delivery.
    EMPTY_TRANSFERS = abi.FERRION_LIMIT_EMPTY_TRANSFERS
    #: Incoming deliveries of one session that wait to be settled.
    UNSETTLED_PER_SESSION = abi.FERRION_LIMIT_UNSETTLED_PER_SESSION
    #: Octets of output at which no more transfers are encoded until some are taken. Of payloads that are chained a quarter counts
    #: while they have less than 32 KiB.
    OUTPUT_OCTETS = abi.FERRION_LIMIT_OUTPUT_OCTETS
    #: Payloads of at least so many octets are chained into the output instead of copied.
    CHAIN_OCTETS = abi.FERRION_LIMIT_CHAIN_OCTETS
    #: Octets of one SASL frame, in both directions.
    SASL_FRAME_SIZE = abi.FERRION_LIMIT_SASL_FRAME_SIZE
    #: Challenges, or responses, of one SASL exchange.
    SASL_ROUNDS = abi.FERRION_LIMIT_SASL_ROUNDS
    #: Iterations of SCRAM that a server may ask a client to compute.
    SCRAM_ITERATIONS = abi.FERRION_LIMIT_SCRAM_ITERATIONS
    #: Octets that may come until the peer's open has: headers, SASL, and open itself.
    OCTETS_BEFORE_OPEN = abi.FERRION_LIMIT_OCTETS_BEFORE_OPEN
    #: Levels to which values may be nested in a frame.
    NESTING_DEPTH = abi.FERRION_LIMIT_NESTING_DEPTH
    #: Array elements in one frame that have no octets of their own.
    ZERO_WIDTH_ELEMENTS = abi.FERRION_LIMIT_ZERO_WIDTH_ELEMENTS
    #: Octets of one list, map or array in a frame.
    COMPOUND_OCTETS = abi.FERRION_LIMIT_COMPOUND_OCTETS
    #: Octets of one string, symbol or binary in a frame's fields.
    FIELD_OCTETS = abi.FERRION_LIMIT_FIELD_OCTETS
    #: Octets of all incoming deliveries of one link that wait, complete or not.
    LINK_OCTETS = abi.FERRION_LIMIT_LINK_OCTETS
    #: Octets of everything that the peer makes the engine hold.
    CONNECTION_OCTETS = abi.FERRION_LIMIT_CONNECTION_OCTETS
    #: Octets of output at which nothing more is encoded but a close until some are taken, counted likewise.
    CONTROL_OCTETS = abi.FERRION_LIMIT_CONTROL_OCTETS
    #: Frames that wait because of that, at which nothing more is taken from the peer either.
    PENDING_REPLIES = abi.FERRION_LIMIT_PENDING_REPLIES
    #: Times that the peer may tell a state of deliveries of a session without settling them, on the average of those that the
    #: session carried unsettled.
    STATES_PER_DELIVERY = abi.FERRION_LIMIT_STATES_PER_DELIVERY


def _of_config(number: int, doc: str, wrap: Any = None) -> Any:
    return field(abi.ferrion_config_get, abi.ferrion_config_set, number, doc, wrap)


def _of_session(number: int, doc: str, wrap: Any = None) -> Any:
    return field(abi.ferrion_session_config_get, abi.ferrion_session_config_set, number, doc, wrap)


def _of_link(number: int, doc: str, wrap: Any = None) -> Any:
    return field(abi.ferrion_link_config_get, abi.ferrion_link_config_set, number, doc, wrap)


class Config(Logins, Offers, Nonces, Copied):
    """How a connection is opened (2.7.1), how it is logged in, and its limits. Engines copy it when they are made.

    Every setting can be given by name: ``Config(container_id="my-server", idle_timeout=60)``.
    """

    __slots__ = ("_abi",)

    def __init__(self, container_id: str = "", **settings: Any) -> None:
        self._abi = abi.ferrion_config_new()
        self._is_for_one = False
        self.container_id = container_id
        apply(self, settings)

    def copy(self) -> Config:
        """Another one that is the same."""
        its = Config()
        abi.ferrion_config_copy(its._abi, self._abi)
        its._is_for_one = self._is_for_one
        return its

    @property
    def container_id(self) -> str:
        """The name of this container."""
        return plain(abi.ferrion_config_get(self._abi, abi.FERRION_CONFIG_CONTAINER_ID))

    @container_id.setter
    def container_id(self, value: str) -> None:
        abi.ferrion_config_set_text(self._abi, abi.FERRION_CONFIG_CONTAINER_ID, value)

    hostname = _of_config(abi.FERRION_CONFIG_HOSTNAME, "The host that a client wants to talk to.")
    max_frame_size = _of_config(abi.FERRION_CONFIG_MAX_FRAME_SIZE, "The largest frame taken, in octets; at least 512.")
    channel_max = _of_config(abi.FERRION_CONFIG_CHANNEL_MAX, "One less than the number of sessions.")
    offered_capabilities = _of_config(
        abi.FERRION_CONFIG_OFFERED_CAPABILITIES, "Extensions offered to the peer, as a list of names.", symbols
    )
    desired_capabilities = _of_config(
        abi.FERRION_CONFIG_DESIRED_CAPABILITIES, "Extensions that will be used if the peer offers them.", symbols
    )
    properties = _of_config(abi.FERRION_CONFIG_PROPERTIES, "What this side says about itself: a dict.", symbol_map)
    pipelined = _of_config(
        abi.FERRION_CONFIG_PIPELINED, "Whether begin, attach and flow are sent without waiting for the peer's open."
    )
    ends_errant_sessions = _of_config(
        abi.FERRION_CONFIG_ENDS_ERRANT_SESSIONS,
        "Whether a session ends when its peer sends for a link that this side detached with an error (2.6.5).",
    )

    @property
    def idle_timeout(self) -> float | None:
        """After how many seconds of silence the peer is given up; None is never. A peer made of ferrion refuses less than 0.2."""
        silence = abi.ferrion_config_number(self._abi, abi.FERRION_CONFIG_IDLE_TIME_OUT)
        return None if silence is None else silence / 1000

    @idle_timeout.setter
    def idle_timeout(self, value: float | None) -> None:
        if value is None:
            abi.ferrion_config_set(self._abi, abi.FERRION_CONFIG_IDLE_TIME_OUT, None)
        else:
            abi.ferrion_config_set_number(self._abi, abi.FERRION_CONFIG_IDLE_TIME_OUT, max(milliseconds(value), 0))

    def limit(self, limit: Limit) -> int:
        """A limit."""
        return abi.ferrion_config_limit(self._abi, limit)

    def set_limit(self, limit: Limit, number: int) -> None:
        """Sets a limit."""
        abi.ferrion_config_set_limit(self._abi, limit, number)


class SessionConfig(Copied):
    """How a session is begun (2.7.2), or a peer's begin answered. Every setting can be given by name."""

    __slots__ = ("_abi",)

    def __init__(self, **settings: Any) -> None:
        self._abi = abi.ferrion_session_config_new()
        apply(self, settings)

    def copy(self) -> SessionConfig:
        """Another one that is the same."""
        its = SessionConfig()
        abi.ferrion_session_config_copy(its._abi, self._abi)
        return its

    incoming_window = _of_session(
        abi.FERRION_SESSION_INCOMING_WINDOW, "Transfer frames that the peer may send before deliveries are taken."
    )
    incoming_octets = _of_session(
        abi.FERRION_SESSION_INCOMING_OCTETS, "Octets of payload that may wait before the window closes."
    )
    next_outgoing_id = _of_session(abi.FERRION_SESSION_NEXT_OUTGOING_ID, "The transfer-id that this side starts from.")
    offered_capabilities = _of_session(
        abi.FERRION_SESSION_OFFERED_CAPABILITIES, "Extensions offered to the peer, as a list of names.", symbols
    )
    desired_capabilities = _of_session(
        abi.FERRION_SESSION_DESIRED_CAPABILITIES, "Extensions that will be used if the peer offers them.", symbols
    )
    properties = _of_session(abi.FERRION_SESSION_PROPERTIES, "Properties of the session: a dict.", symbol_map)


class _Terminus:
    """One end of a link, as a view of the configuration that it is part of."""

    __slots__ = ("_abi",)

    def __init__(self, config: Any) -> None:
        self._abi = config


def _uint(value: int | None) -> uint | None:
    return None if value is None else uint(value)


def _of_source(number: int, doc: str, wrap: Any = None) -> Any:
    return field(abi.ferrion_link_config_source, abi.ferrion_link_config_set_source, number, doc, wrap)


def _of_target(number: int, doc: str, wrap: Any = None) -> Any:
    return field(abi.ferrion_link_config_target, abi.ferrion_link_config_set_target, number, doc, wrap)


class Source(_Terminus):
    """Where the messages of a link come from (3.5.3)."""

    __slots__ = ()

    @property
    def address(self) -> str | None:
        """The address of the node."""
        return plain(abi.ferrion_link_config_source(self._abi, abi.FERRION_SOURCE_ADDRESS))

    @address.setter
    def address(self, value: str | None) -> None:
        abi.ferrion_link_config_set_source_address(self._abi, value)

    durable = _of_source(
        abi.FERRION_SOURCE_DURABLE, "What outlasts the peer: 0 nothing, 1 configuration, 2 unsettled deliveries too.", _uint
    )
    expiry_policy = _of_source(
        abi.FERRION_SOURCE_EXPIRY_POLICY, "link-detach, session-end, connection-close or never (3.5.6).", one_symbol
    )
    timeout = _of_source(abi.FERRION_SOURCE_TIMEOUT, "Seconds from then on until it expires.", _uint)
    dynamic = _of_source(abi.FERRION_SOURCE_DYNAMIC, "Whether the peer is to make a node.")
    dynamic_node_properties = _of_source(
        abi.FERRION_SOURCE_DYNAMIC_NODE_PROPERTIES, "What kind of node: a dict (3.5.9).", symbol_map
    )
    distribution_mode = _of_source(abi.FERRION_SOURCE_DISTRIBUTION_MODE, "move or copy (3.5.7).", one_symbol)
    filter = _of_source(abi.FERRION_SOURCE_FILTER, "A dict of names and described values (3.5.8).", symbol_map)
    default_outcome = _of_source(
        abi.FERRION_SOURCE_DEFAULT_OUTCOME, "The outcome of what is settled without one, as a described value."
    )
    outcomes = _of_source(abi.FERRION_SOURCE_OUTCOMES, "The outcomes that can be chosen, by name.", symbols)
    capabilities = _of_source(abi.FERRION_SOURCE_CAPABILITIES, "What the node can do, by name.", symbols)


class Target(_Terminus):
    """Where the messages of a link go (3.5.4)."""

    __slots__ = ()

    @property
    def address(self) -> str | None:
        """The address of the node."""
        return plain(abi.ferrion_link_config_target(self._abi, abi.FERRION_TARGET_ADDRESS))

    @address.setter
    def address(self, value: str | None) -> None:
        abi.ferrion_link_config_set_target_address(self._abi, value)

    durable = _of_target(abi.FERRION_TARGET_DURABLE, "What outlasts the peer, as in a source.", _uint)
    expiry_policy = _of_target(abi.FERRION_TARGET_EXPIRY_POLICY, "When it expires, as in a source.", one_symbol)
    timeout = _of_target(abi.FERRION_TARGET_TIMEOUT, "Seconds from then on until it expires.", _uint)
    dynamic = _of_target(abi.FERRION_TARGET_DYNAMIC, "Whether the peer is to make a node.")
    dynamic_node_properties = _of_target(
        abi.FERRION_TARGET_DYNAMIC_NODE_PROPERTIES, "What kind of node: a dict (3.5.9).", symbol_map
    )
    capabilities = _of_target(abi.FERRION_TARGET_CAPABILITIES, "What the node can do, by name.", symbols)


def _mode(kind: Any, number: int, doc: str) -> Any:
    def get(self: LinkConfig) -> Any:
        return kind(abi.ferrion_link_config_number(self._abi, number))

    def set(self: LinkConfig, value: int) -> None:
        abi.ferrion_link_config_set_number(self._abi, number, value)

    return property(get, set, doc=doc)


class LinkConfig(Copied):
    """How a link is attached (2.7.3), or a peer's attach answered. Every setting can be given by name."""

    __slots__ = ("_abi",)

    def __init__(self, name: str = "", **settings: Any) -> None:
        self._abi = abi.ferrion_link_config_new()
        self.name = name
        apply(self, settings)

    @classmethod
    def sender(cls, name: str, address: str | None, **settings: Any) -> LinkConfig:
        """That of a sender, to an address at the peer."""
        its = cls()
        abi.ferrion_link_config_sender(its._abi, name, address or "")
        if address is None:
            its.target.address = None
        apply(its, settings)
        return its

    @classmethod
    def receiver(cls, name: str, address: str | None, **settings: Any) -> LinkConfig:
        """That of a receiver, from an address at the peer, which releases what it does not settle."""
        its = cls()
        abi.ferrion_link_config_receiver(its._abi, name, address or "")
        if address is None:
            its.source.address = None
        apply(its, settings)
        return its

    def copy(self) -> LinkConfig:
        """Another one that is the same."""
        its = LinkConfig()
        abi.ferrion_link_config_copy(its._abi, self._abi)
        return its

    @property
    def name(self) -> str:
        """Unique among the links of this role between the two containers."""
        return plain(abi.ferrion_link_config_get(self._abi, abi.FERRION_LINK_NAME))

    @name.setter
    def name(self, value: str) -> None:
        abi.ferrion_link_config_set_text(self._abi, abi.FERRION_LINK_NAME, value)

    @property
    def source(self) -> Source:
        """Where messages come from. Set it to None, or to a described value, as a whole."""
        return Source(self._abi)

    @source.setter
    def source(self, value: Described | None) -> None:
        abi.ferrion_link_config_set(self._abi, abi.FERRION_LINK_SOURCE, described(value))

    @property
    def target(self) -> Target:
        """Where messages go. Set it to None, or to a described value as a whole: a target or a coordinator (4.5.1)."""
        return Target(self._abi)

    @target.setter
    def target(self, value: Described | None) -> None:
        abi.ferrion_link_config_set(self._abi, abi.FERRION_LINK_TARGET, described(value))

    @property
    def whole_source(self) -> Described | None:
        """The source as the described value that it is; None if there is none."""
        return plain(abi.ferrion_link_config_get(self._abi, abi.FERRION_LINK_SOURCE))

    @property
    def whole_target(self) -> Described | None:
        """The target as the described value that it is; None if there is none."""
        return plain(abi.ferrion_link_config_get(self._abi, abi.FERRION_LINK_TARGET))

    snd_settle_mode = _mode(SndSettleMode, abi.FERRION_LINK_SND_SETTLE_MODE, "Whether messages are sent settled.")
    rcv_settle_mode = _mode(RcvSettleMode, abi.FERRION_LINK_RCV_SETTLE_MODE, "Who settles first.")
    max_message_size = _of_link(abi.FERRION_LINK_MAX_MESSAGE_SIZE, "The largest message taken, in octets.")
    initial_delivery_count = _of_link(
        abi.FERRION_LINK_INITIAL_DELIVERY_COUNT, "The delivery-count that a sender starts from."
    )
    recoverable = _of_link(
        abi.FERRION_LINK_RECOVERABLE, "Whether what the link needs to be recovered is kept; see :class:`LinkState`."
    )
    offered_capabilities = _of_link(
        abi.FERRION_LINK_OFFERED_CAPABILITIES, "Extensions offered to the peer, as a list of names.", symbols
    )
    desired_capabilities = _of_link(
        abi.FERRION_LINK_DESIRED_CAPABILITIES, "Extensions that will be used if the peer offers them.", symbols
    )
    properties = _of_link(abi.FERRION_LINK_PROPERTIES, "Properties of the link: a dict.", symbol_map)
