"""How a messenger behaves."""

from __future__ import annotations

import os
from operator import index
from typing import TYPE_CHECKING, Any, Iterable, Iterator, Mapping, Union

from . import abi, connections
from .connections import ClientCertificates, ConnectionEvent, LinkRecovery, RcvSettleMode, Reconnect, SndSettleMode
from .errors import EndOfQueue
from .durations import milliseconds

if TYPE_CHECKING:
    from .engine import Limit

__all__: list[str] = []

_Path = Union[str, "os.PathLike[str]"]
_UNLIMITED = 2**64 - 1


class Settings:
    """The settings of a :class:`ferrion.Messenger`. They concern what is done from then on."""

    # What is no setting cannot be set: who mistypes a name is told.
    __slots__ = ("_abi", "_certificate", "_private_key", "_trusted_certificates", "_unread_certificate", "password")

    _abi: Any
    #: Whether the certificate and its key are to be read before the next connection is made.
    _unread_certificate: bool
    _certificate: str | None
    _private_key: str | None
    _trusted_certificates: str | None
    #: The password of the private key.
    password: str | None

    def __init__(self) -> None:
        self._unread_certificate = False
        self._certificate = self._private_key = self._trusted_certificates = None
        #: Kept for scripts of old. A key that has a password cannot be read, and the failure says how to write one that can.
        self.password = None

    # ---- windows and limits ----

    @property
    def outgoing_window(self) -> int:
        """How many of the last messages put have a status; negative is all. With 0, the default, nobody asks whether they arrived."""
        return _window(abi.ferrion_messenger_outgoing_window(self._abi))

    @outgoing_window.setter
    def outgoing_window(self, window: int) -> None:
        abi.ferrion_messenger_set_outgoing_window(self._abi, _size(window))

    @property
    def incoming_window(self) -> int:
        """How many of the last messages got wait for a decision; negative is all. With 0, the default, getting accepts."""
        return _window(abi.ferrion_messenger_incoming_window(self._abi))

    @incoming_window.setter
    def incoming_window(self, window: int) -> None:
        abi.ferrion_messenger_set_incoming_window(self._abi, _size(window))

    @property
    def high_water(self) -> tuple[int, int]:
        """How many messages, and how many octets of them, may wait to be sent before :meth:`put` waits."""
        return abi.ferrion_messenger_high_water(self._abi)

    @high_water.setter
    def high_water(self, most: tuple[int, int]) -> None:
        messages, octets = most
        abi.ferrion_messenger_set_high_water(self._abi, messages, octets)

    @property
    def incoming_high_water(self) -> tuple[int, int]:
        """How many messages, and how many octets of them, may wait for :meth:`get`, whatever :meth:`recv` asked for. A negative
        number of messages is as many as that lets come. A single message gets through whatever its size."""
        messages, octets = abi.ferrion_messenger_incoming_high_water(self._abi)
        return _window(messages), octets

    @incoming_high_water.setter
    def incoming_high_water(self, most: tuple[int, int]) -> None:
        messages, octets = most
        abi.ferrion_messenger_set_incoming_high_water(self._abi, _UNLIMITED if messages < 0 else messages, octets)

    def limit(self, limit: Limit) -> int:
        """What each connection may make the messenger hold or wait for, as :class:`ferrion.engine.Limit` names it."""
        return abi.ferrion_messenger_limit(self._abi, limit)

    def set_limit(self, limit: Limit, number: int) -> None:
        """Sets what each connection may make the messenger hold or wait for, whether it is made or accepted, on those that are made from then
        on. Who listens for many peers that are not trusted lowers what its clients do not need."""
        abi.ferrion_messenger_set_limit(self._abi, limit, number)

    @property
    def max_frame_size(self) -> int:
        """The largest frame that is taken, in octets, on connections made from then on: 65,536 unless set, or with :attr:`link_recovery`
        1,048,576. Setting None is the default again."""
        return abi.ferrion_messenger_max_frame_size(self._abi)

    @max_frame_size.setter
    def max_frame_size(self, octets: int | None) -> None:
        abi.ferrion_messenger_set_max_frame_size(self._abi, octets or 0)

    @property
    def all_partial_octets(self) -> int:
        """The most octets that messages of which more is to come hold on all connections together that listeners accepted; 1 GiB unless
        set. Beyond it whoever holds most then is refused, and one of the :meth:`warnings` says who that was."""
        return abi.ferrion_messenger_all_partial_octets(self._abi)

    @all_partial_octets.setter
    def all_partial_octets(self, octets: int) -> None:
        abi.ferrion_messenger_set_all_partial_octets(self._abi, octets)

    # ---- routes ----

    def route(self, pattern: str, address: str) -> None:
        """Messages whose address matches the pattern go to ``address`` instead. ``%`` matches anything but ``/``, ``*`` anything; ``$1``,
        ``$2`` ... in the address are what they matched."""
        abi.ferrion_messenger_route(self._abi, pattern, address)

    def set_check_routes(self, check: bool) -> None:
        """Whether :meth:`Messenger.start` tries the routes, and raises if one of them leads nowhere. Those are tried whose host and port are
        the same whatever matches."""
        abi.ferrion_messenger_set_check_routes(self._abi, bool(check))

    def rewrite(self, pattern: str, address: str | None) -> None:
        """Messages whose address matches the pattern carry ``address`` instead, or none; they go where they would have gone."""
        abi.ferrion_messenger_rewrite(self._abi, pattern, address)

    def remove_route(self, pattern: str) -> bool:
        """Removes the first route with this pattern; tells whether there was one."""
        return bool(abi.ferrion_messenger_remove_route(self._abi, pattern))

    def remove_rewrite(self, pattern: str) -> bool:
        """Removes the first rewrite with this pattern; tells whether there was one."""
        return bool(abi.ferrion_messenger_remove_rewrite(self._abi, pattern))

    def clear_rules(self) -> None:
        """Removes all routes and rewrites."""
        abi.ferrion_messenger_clear_rules(self._abi)

    # ---- logging in ----

    def set_credentials(self, user: str | None, password: str | None = None) -> None:
        """User and password for addresses that carry none. They go by SCRAM, which shows the password to nobody, where the peer
        offers it, or else by PLAIN."""
        abi.ferrion_messenger_set_credentials(self._abi, user, password)

    def set_token(self, token: str | None) -> None:
        """An OAuth 2.0 token to log in with (OAUTHBEARER, or else XOAUTH2) to addresses that carry no password; the user is that of
        :meth:`set_credentials`. Set the next one before it expires: connections are made again with the last one."""
        abi.ferrion_messenger_set_token(self._abi, token)

    def set_allow_plain_without_tls(self, allow: bool) -> None:
        """Whether passwords and tokens may go in clear over connections without TLS to other machines."""
        abi.ferrion_messenger_set_allow_plain_without_tls(self._abi, bool(allow))

    def set_listener_user(self, user: str, password: str | None) -> None:
        """Admits a user to listening addresses, or no longer if the password is None. Before the first user is named
        everyone is admitted; when the last is taken away, nobody."""
        abi.ferrion_messenger_set_listener_user(self._abi, user, password)

    def set_listener_users(self, passwords: Mapping[str, str]) -> None:
        """Admits these users too, each with a password."""
        for user, password in passwords.items():
            self.set_listener_user(user, password)

    def set_listener_token(self, user: str, token: str | None) -> None:
        """Admits who shows this token as this user to listening addresses (OAUTHBEARER, XOAUTH2), or no longer if the token is None. A
        user has one token; the empty user is for tokens that come without a user's name. Nobody else is admitted but
        those of :meth:`set_listener_user`."""
        abi.ferrion_messenger_set_listener_token(self._abi, user, token)

    def set_listener_tokens(self, tokens: Mapping[str, str]) -> None:
        """Admits these users too, each with a token."""
        for user, token in tokens.items():
            self.set_listener_token(user, token)

    # ---- TLS and WebSocket ----

    @property
    def certificate(self) -> str | None:
        """The file (PEM form) with the certificate that is shown to peers, and that is needed to listen on ``amqps://~``: a chain, the
        own one first. Its key is in the same file, unless :attr:`private_key` says where. The files are read before the next connection is
        made; :meth:`set_certificate` reads them at once."""
        return self._certificate

    @certificate.setter
    def certificate(self, file: _Path | None) -> None:
        self._certificate = _path(file)
        self._unread_certificate = self._certificate is not None

    @property
    def private_key(self) -> str | None:
        """The file (PEM form) with the key of the :attr:`certificate`."""
        return self._private_key

    @private_key.setter
    def private_key(self, file: _Path | None) -> None:
        self._private_key = _path(file)
        self._unread_certificate = self._certificate is not None

    def set_certificate(self, certificate: _Path, private_key: _Path | None = None) -> None:
        """Sets :attr:`certificate` and :attr:`private_key`, and reads both files now."""
        self._certificate, self._private_key = _path(certificate), _path(private_key)
        self._read_certificate()

    def _read_certificate(self) -> None:
        """Before anything that can make a connection."""
        if self._certificate is not None:
            self._unread_certificate = True
            key = self._private_key or self._certificate
            abi.ferrion_messenger_set_certificate(self._abi, self._certificate, key)
        self._unread_certificate = False

    @property
    def trusted_certificates(self) -> str | None:
        """The file (PEM form) with the certificates of the authorities that are trusted to say who is who; None, the default, trusts those
        whom the system trusts. It is read when it is set."""
        return self._trusted_certificates

    @trusted_certificates.setter
    def trusted_certificates(self, file: _Path | None) -> None:
        path = _path(file)
        if path is None:
            if self._trusted_certificates is not None:
                raise ValueError("who is trusted can be replaced, and not be forgotten: make another messenger")
            return
        abi.ferrion_messenger_set_trusted_certificates(self._abi, path)
        self._trusted_certificates = path

    def set_dangerous_accept_any_certificate(self, accept: bool) -> None:
        """For experiments only: connects to whoever answers, with whatever certificate, so that anybody on the way can read and change
        everything. Each connection that is made so leaves one of the :meth:`warnings`."""
        abi.ferrion_messenger_set_dangerous_accept_any_certificate(self._abi, bool(accept))

    def set_client_certificates(self, what: ClientCertificates) -> None:
        """What ``amqps://~`` listeners do about certificates of those who connect. Who may issue them is said by
        :attr:`trusted_certificates`."""
        abi.ferrion_messenger_set_client_certificates(self._abi, what)

    def set_listeners_allow_plain(self, allow: bool) -> None:
        """Whether those who connect to ``amqps://~`` listeners may also begin without TLS, on the same port."""
        abi.ferrion_messenger_set_listeners_allow_plain(self._abi, bool(allow))

    def set_websocket_path(self, path: str) -> None:
        """The path of a WebSocket: which one is asked for on ``ws://`` and ``wss://``, and which one such listeners insist on."""
        abi.ferrion_messenger_set_websocket_path(self._abi, path)

    def set_handshake_timeout(self, seconds: float) -> None:
        """How long the two sides of a new connection may take to agree on TLS and WebSocket, and then as long again for the
        login and the opening of AMQP, on connections made from then on; 30 seconds unless set."""
        abi.ferrion_messenger_set_handshake_time_out(self._abi, max(milliseconds(seconds), 0))

    # ---- connections ----

    def set_idle_timeout(self, seconds: float | None) -> None:
        """After how long a silent peer is given up, on connections made from then on; None is never. Peers made of ferrion refuse
        less than 0.2 seconds."""
        abi.ferrion_messenger_set_idle_time_out(self._abi, milliseconds(seconds))

    @property
    def reconnect(self) -> Reconnect | None:
        """How connections that were lost are made again: behind the scenes, with what is subscribed and put, and messages in the
        outgoing window that were not answered are sent again. With None a lost connection is an exception, and its messages are ABORTED."""
        return connections.policy(self._abi)

    @reconnect.setter
    def reconnect(self, policy: Reconnect | None) -> None:
        connections.set_policy(self._abi, policy)

    @property
    def link_recovery(self) -> LinkRecovery | None:
        """That links are recovered after their connection was lost, so that messages arrive exactly once between two sides that both want
        it, instead of at least once. It concerns links that are made from then on; None, the default, is without."""
        return connections.recovery(self._abi)

    @link_recovery.setter
    def link_recovery(self, recovery: LinkRecovery | None) -> None:
        connections.set_recovery(self._abi, recovery)

    def set_snd_settle_mode(self, mode: SndSettleMode | None) -> None:
        """Whether messages are sent settled, on links that are made from then on; None, the default, is as the outgoing window has it."""
        abi.ferrion_messenger_set_snd_settle_mode(self._abi, -1 if mode is None else mode)

    def set_rcv_settle_mode(self, mode: RcvSettleMode | None) -> None:
        """When receivers settle, on links that are made from then on; None, the default, is first."""
        abi.ferrion_messenger_set_rcv_settle_mode(self._abi, -1 if mode is None else mode)

    def set_reconnect_seed(self, seed: int) -> None:
        """The seed from which the delays between attempts are varied, so that a run can be repeated."""
        abi.ferrion_messenger_set_reconnect_seed(self._abi, seed)

    def set_alternatives(self, address: str, others: Iterable[str]) -> None:
        """Where else an address may be found, by host and port: these are tried in turn if it fails."""
        if isinstance(others, str):
            raise TypeError("the alternatives are several: a list of str")
        abi.ferrion_messenger_set_alternatives(self._abi, address, ", ".join(others))

    def connection_events(self) -> Iterator[ConnectionEvent]:
        """What happened to connections that this messenger made since the last time; the newest 1,024 are kept.

        And which peers receive from it, whoever made the connection: all of them that still do.
        """
        return connections.events(self._abi)

    # ---- what can be read ----

    def set_tracing(self, tracing: bool) -> None:
        """Whether a readable line is kept for every frame, for :meth:`trace`."""
        abi.ferrion_messenger_set_tracing(self._abi, bool(tracing))

    def trace(self) -> Iterator[str]:
        """The lines of the trace that were kept since the last time: of more than 16,384 the newest."""
        return _drain(abi.ferrion_messenger_poll_trace, self._abi)

    def warnings(self) -> Iterator[str]:
        """What is not as it should be, though nothing failed: of more than 256 since the last time the oldest."""
        return _drain(abi.ferrion_messenger_poll_warning, self._abi)


def _path(file: Any) -> str | None:
    return None if file is None else os.fspath(file)


def _size(window: int) -> int:
    """What the header calls a window of this size."""
    number = index(window)
    return _UNLIMITED if number < 0 else number


def _window(n: int) -> int:
    """What is unlimited is -1 to Python."""
    return -1 if n >= 2**63 else n


def _drain(poll: Any, messenger: Any) -> Iterator[str]:
    while True:
        try:
            line = poll(messenger)
        except EndOfQueue:
            return
        yield line
