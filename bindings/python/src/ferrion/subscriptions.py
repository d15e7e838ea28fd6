"""What a messenger receives from, and what it asks for there."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Mapping, Sequence

from . import abi
from .durations import milliseconds
from .types import Described

__all__ = ["SubscribeOptions", "Subscription"]

# The fields of a source (3.5.3), in order.
_SOURCE = (
    "address durable expiry-policy timeout dynamic dynamic-node-properties distribution-mode filter default-outcome outcomes "
    "capabilities"
).split()


class Subscription:
    """What a messenger receives from."""

    __slots__ = ("_bits", "_messenger")

    def __init__(self, messenger: Any, bits: int) -> None:
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

    @property
    def source(self) -> dict[str, Any] | None:
        """What the peer granted of what was asked for, by the names of part 3.5.3 of the specification: ``"filter"`` has the filters that
        it applies. None until it answered, and if this listens."""
        found = abi.ferrion_messenger_subscription_source(self._messenger._abi, self._bits)
        if found is None:
            return None
        fields = found[0].value
        return {name: value for name, value in zip(_SOURCE, fields) if value is not None}

    def __repr__(self) -> str:
        return f"<Subscription {self._bits}: port {self.port}, address {self.address!r}>"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Subscription):
            return NotImplemented
        return self._messenger is other._messenger and self._bits == other._bits

    def __hash__(self) -> int:
        return hash((id(self._messenger), self._bits))


@dataclass
class SubscribeOptions:
    """What :meth:`Messenger.subscribe` can ask of a peer, by name. All of it is asked for again whenever the connection is made again."""

    #: For how many seconds the peer is to keep the subscription after the link was lost.
    ttl: float | None = None
    #: Names the subscription: a peer that kept it finds it again by this and the name of the messenger.
    name: str | None = None
    #: Names the subscription, and asks the peer to keep it, and what comes for it, also while nobody is there.
    durable: str | None = None
    #: A JMS selector: only messages come for which it is true.
    selector: str | None = None
    #: Whether no messages come that were sent over the same connection.
    no_local: bool = False
    #: Filters by names of one's own choice; the descriptor tells the peer what kind each is.
    filters: Mapping[str, Described] = field(default_factory=dict)
    #: Whether to receive also if the peer does not apply all the filters; that is one of the warnings then.
    filters_optional: bool = False
    #: Whether to take copies of messages, which stay there for others.
    copies: bool = False
    #: How the peer distributes messages: "move", "copy", or what else it knows.
    distribution_mode: str | None = None
    #: What the node must be able to do, "topic" or "shared" for example.
    capabilities: Sequence[str] = ()
    #: What kind of node is to be made up, for the address "#".
    node_properties: Mapping[str, Any] = field(default_factory=dict)
    #: Properties of the link.
    link_properties: Mapping[str, Any] = field(default_factory=dict)
    #: How many messages may be under way, or wait to be got.
    credit: int | None = None

    def _abi(self) -> Any:
        """The same for the library."""
        its = abi.ferrion_subscribe_options_new()
        if self.ttl:
            abi.ferrion_subscribe_options_set_ttl(its, max(milliseconds(self.ttl), 0))
        if self.name is not None:
            abi.ferrion_subscribe_options_set_name(its, self.name)
        if self.durable is not None:
            abi.ferrion_subscribe_options_set_durable(its, self.durable)
        if self.selector is not None:
            abi.ferrion_subscribe_options_set_selector(its, self.selector)
        if self.no_local:
            abi.ferrion_subscribe_options_set_no_local(its)
        for name, filter in self.filters.items():
            abi.ferrion_subscribe_options_add_filter(its, name, filter)
        if self.filters_optional:
            abi.ferrion_subscribe_options_set_filters_optional(its)
        if self.copies:
            abi.ferrion_subscribe_options_set_copies(its)
        if self.distribution_mode is not None:
            abi.ferrion_subscribe_options_set_distribution_mode(its, self.distribution_mode)
        for capability in self.capabilities:
            abi.ferrion_subscribe_options_add_capability(its, capability)
        for key, value in self.node_properties.items():
            abi.ferrion_subscribe_options_set_node_property(its, key, value)
        for key, value in self.link_properties.items():
            abi.ferrion_subscribe_options_set_link_property(its, key, value)
        if self.credit is not None:
            abi.ferrion_subscribe_options_set_credit(its, self.credit)
        return its
