"""SASL: how clients log in, and how servers find out who they are."""

from __future__ import annotations

import os
from enum import IntEnum
from typing import Any

from .. import abi
from .fields import Copied

__all__ = ["SaslKind", "SaslRequest", "ScramKeys"]

# How much randomness a SCRAM exchange begins with.
_NONCE = 18


class Logins:
    """The part of a :class:`Config` that is for clients: they take the first login that was added and that the server offers."""

    __slots__ = ()

    _abi: Any

    def login_anonymous(self) -> None:
        """Adds a login by ANONYMOUS."""
        abi.ferrion_config_login_anonymous(self._abi)

    def login_plain(self, user: str, password: str) -> None:
        """Adds a login by PLAIN, user and password in clear; see :meth:`allow_clear_text`."""
        abi.ferrion_config_login_plain(self._abi, user, password)

    def login_external(self) -> None:
        """Adds a login by EXTERNAL, as who the transport has proved."""
        abi.ferrion_config_login_external(self._abi)

    def login_scram(self, user: str, password: str, mechanism: str | None = None, nonce: bytes | None = None) -> None:
        """Adds a login by SCRAM, a password that neither side shows; without a mechanism by all of them, the strongest first. The nonce
        is fresh and random unless it is given, so each connection wants a configuration of its own."""
        abi.ferrion_config_login_scram(self._abi, mechanism, user, password, os.urandom(_NONCE) if nonce is None else nonce)

    def login_oauthbearer(self, token: str, user: str = "") -> None:
        """Adds a login by OAUTHBEARER, with a token; see :meth:`allow_clear_text`, and :attr:`Limit.SASL_FRAME_SIZE` for tokens of more
        than about 400 octets."""
        abi.ferrion_config_login_oauthbearer(self._abi, user, token)

    def login_xoauth2(self, user: str, token: str) -> None:
        """Adds a login by XOAUTH2, which came before OAUTHBEARER."""
        abi.ferrion_config_login_xoauth2(self._abi, user, token)

    def login_raw(self, mechanism: str, initial: bytes | None = None) -> None:
        """Adds a login by a mechanism of your own, and its initial response. Each challenge is a :attr:`SaslKind.CHALLENGE` then."""
        abi.ferrion_py_login_raw(self._abi, mechanism, initial)

    def allow_clear_text(self, allow: bool = True) -> None:
        """Whether logins may be taken that show the secret: PLAIN, OAUTHBEARER and XOAUTH2. Right under TLS, or on a transport that never
        leaves the machine. Follows the logins that it is about."""
        abi.ferrion_config_login_allow_clear_text(self._abi, allow)

    def authorize_as(self, identity: str) -> None:
        """Asks for the rights of this identity with all logins that were added so far."""
        abi.ferrion_config_login_authorize_as(self._abi, identity)

    def least_iterations(self, n: int) -> None:
        """The fewest iterations that a server may ask for, with all SCRAM logins that were added so far."""
        abi.ferrion_config_login_least_iterations(self._abi, n)

    def login_clear(self) -> None:
        """No login: AMQP without SASL, as in a new configuration."""
        abi.ferrion_config_login_clear(self._abi)


class Nonces:
    """The part of a :class:`Config` that is for tests."""

    __slots__ = ()

    _abi: Any

    def nonce_from_text(self, nonce: str | None) -> None:
        """The nonce of the SCRAM logins that are added, and of the SCRAM that is offered, after this; None is a random one again. Only for
        who must reproduce an exchange: a nonce that somebody can foresee, or that comes twice, gives away what SCRAM protects."""
        abi.ferrion_config_nonce_from_text(self._abi, nonce)


class Offers:
    """The part of a :class:`Config` that is for servers. One that offers nothing wants no SASL."""

    __slots__ = ("_is_for_one",)

    _abi: Any
    # Whether a nonce is in it, which must not serve two connections.
    _is_for_one: bool

    def offer(self, mechanism: str) -> None:
        """Offers a mechanism to clients, the preferred one first. One that ferrion does not know is left to the program: each message of
        the client's is a :attr:`SaslKind.RAW`."""
        abi.ferrion_config_offer(self._abi, mechanism)

    def offer_raw(self, mechanism: str) -> None:
        """Offers a mechanism that is left to the program, though ferrion may know it."""
        abi.ferrion_config_offer_raw(self._abi, mechanism)

    def offer_required(self, required: bool) -> None:
        """Whether a client that skips SASL is turned away, as it is unless this says otherwise."""
        abi.ferrion_config_offer_required(self._abi, required)

    def offer_scram(self, key: str, iterations: int = 4096, salt_octets: int = 16, nonce: bytes | None = None) -> None:
        """What SCRAM needs: a secret of this server that stays the same, of at least 16 octets. Users that do not exist seem to have so
        many iterations, and a salt of so many octets. The nonce is fresh and random unless it is given, so each connection wants a
        configuration of its own."""
        random = os.urandom(_NONCE) if nonce is None else nonce
        abi.ferrion_config_offer_scram(self._abi, key, iterations, salt_octets, random)
        self._is_for_one = True

    def offer_salt(self, mechanism: str, user: str) -> ScramKeys:
        """Keys with nothing but the salt that a user seems to have when it does not exist. Who stores passwords instead of keys derives
        them with this salt, so that nothing tells the two kinds of user apart."""
        keys = ScramKeys()
        abi.ferrion_config_offer_salt(self._abi, mechanism, user, keys._abi)
        return keys

    def offer_clear(self) -> None:
        """No SASL, as in a new configuration."""
        abi.ferrion_config_offer_clear(self._abi)
        self._is_for_one = False


def _part(number: int, doc: str) -> Any:
    def get(self: ScramKeys) -> bytes:
        return abi.ferrion_scram_get(self._abi, number)

    def set(self: ScramKeys, value: bytes) -> None:
        abi.ferrion_scram_set(self._abi, number, value)

    return property(get, set, doc=doc)


class ScramKeys(Copied):
    """What a server stores of a user's password for SCRAM: enough to check a client and to prove itself, not enough to log in. The
    parts are read to be stored, and set to be used."""

    def __init__(self) -> None:
        self._abi = abi.ferrion_scram_new()

    @classmethod
    def derive(cls, mechanism: str, password: str, iterations: int = 4096, salt: bytes | None = None) -> ScramKeys:
        """What is stored of this password. The salt is random unless it is given. Takes long, on purpose; other threads run meanwhile."""
        its = cls()
        abi.ferrion_scram_derive(its._abi, mechanism, password, iterations, os.urandom(16) if salt is None else salt)
        return its

    def copy(self) -> ScramKeys:
        """Other keys that are the same."""
        its = ScramKeys()
        abi.ferrion_scram_copy(its._abi, self._abi)
        return its

    salt = _part(abi.FERRION_SCRAM_SALT, "Random octets of this user; not secret.")
    stored_key = _part(abi.FERRION_SCRAM_STORED_KEY, "Checks the client's proof.")
    server_key = _part(abi.FERRION_SCRAM_SERVER_KEY, "Makes the server's signature.")

    @property
    def iterations(self) -> int:
        """How many times the hash was applied."""
        return abi.ferrion_scram_iterations(self._abi)

    @iterations.setter
    def iterations(self, value: int) -> None:
        abi.ferrion_scram_set_iterations(self._abi, value)


class SaslKind(IntEnum):
    """What a SASL exchange waits for."""

    #: A question that has no name yet: reject it.
    OTHER = abi.FERRION_SASL_OTHER
    #: Server: check that the secret is the password of the user, and that the user may act as who is asked for.
    PLAIN = abi.FERRION_SASL_PLAIN
    #: Server: check that the transport has proved an identity that may act as this one.
    EXTERNAL = abi.FERRION_SASL_EXTERNAL
    #: Server: give what is stored of this user with :meth:`SaslRequest.answer_scram`, or reject.
    SCRAM = abi.FERRION_SASL_SCRAM
    #: Server, OAUTHBEARER or XOAUTH2: check that the secret is a token that is valid, here, and for this user.
    BEARER = abi.FERRION_SASL_BEARER
    #: Server, a mechanism of the program's: what the client said is the secret. Continue with a challenge, or end.
    RAW = abi.FERRION_SASL_RAW
    #: Client, a mechanism of the program's: what the server asks is the secret. Continue with a response, or reject.
    CHALLENGE = abi.FERRION_SASL_CHALLENGE
    #: Client, a mechanism of the program's: the server admits this client, and says the secret last. Accept or reject it.
    ADMITTED = abi.FERRION_SASL_ADMITTED

    @classmethod
    def _missing_(cls, value: object) -> SaslKind:
        return cls.OTHER


class SaslRequest:
    """A question that only the program can answer, now or later."""

    __slots__ = ("_abi", "connection", "is_answered", "kind")

    def __init__(self, engine: Any, kind: int) -> None:
        self._abi = engine
        #: What is asked.
        self.kind = SaslKind(kind)
        #: Whether it was answered, by a call of this object.
        self.is_answered = False
        #: With :mod:`ferrion.asyncio`: the connection that the question is about, with its ``peer_certificate``.
        self.connection: Any = None

    def _text(self, field: int) -> str | None:
        octets = abi.ferrion_engine_sasl_field(self._abi, field)
        return None if octets is None else octets.decode("utf-8", "replace")

    @property
    def mechanism(self) -> str | None:
        """The mechanism that was chosen."""
        return self._text(abi.FERRION_SASL_FIELD_MECHANISM)

    @property
    def user(self) -> str | None:
        """Who is asking."""
        return self._text(abi.FERRION_SASL_FIELD_USER)

    @property
    def authorize_as(self) -> str | None:
        """Whose rights are asked for; empty for the user's own."""
        return self._text(abi.FERRION_SASL_FIELD_AUTHORIZE_AS)

    @property
    def secret(self) -> bytes | None:
        """The password, the token, or what the other side said."""
        return abi.ferrion_engine_sasl_field(self._abi, abi.FERRION_SASL_FIELD_SECRET)

    @property
    def host(self) -> str | None:
        """The host that a client with a token means to talk to."""
        return self._text(abi.FERRION_SASL_FIELD_HOST)

    @property
    def port(self) -> int | None:
        """The port that a client with a token means to talk to."""
        return abi.ferrion_engine_sasl_port(self._abi)

    def accept(self, data: bytes = b"") -> None:
        """Server: the client is admitted, and told the octets, if the mechanism is the program's. Client: the server is trusted."""
        self._answer(abi.FERRION_SASL_ACCEPT, data)

    def reject(self, data: bytes = b"") -> None:
        """Server: the client is turned away; with OAUTHBEARER and XOAUTH2 it is told why, as a JSON object. Client: gives up."""
        self._answer(abi.FERRION_SASL_REJECT, data)

    def unavailable(self) -> None:
        """Server: who the client is cannot be found out now; it may try again later."""
        self._answer(abi.FERRION_SASL_UNAVAILABLE, b"")

    def proceed(self, data: bytes) -> None:
        """A mechanism of the program's: the octets are the next challenge, or the next response."""
        self._answer(abi.FERRION_SASL_CONTINUE, data)

    def answer_scram(self, keys: ScramKeys) -> None:
        """Answers :attr:`SaslKind.SCRAM` with what is stored of the user."""
        abi.ferrion_engine_sasl_answer_scram(self._abi, keys._abi)
        self.is_answered = True

    def _answer(self, answer: int, data: bytes) -> None:
        abi.ferrion_engine_sasl_answer(self._abi, answer, data)
        self.is_answered = True

    def __repr__(self) -> str:
        return f"<SaslRequest {self.kind.name}: {self.mechanism}, user {self.user!r}>"
