/*
 * ferrion: AMQP 1.0 for any program. Written by `cargo test -p ferrion-ffi` from ffi/src; do not edit.
 *
 * SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The rules that hold for every function:
 *
 * Results.    A call that can fail returns a ferrion_status: FERRION_OK or a negative number. ferrion_last_error()
 *             says what went wrong, and what to do, to a person. Results go to `out_` parameters, which are written
 *             only if the call succeeds. An `out_` parameter may be NULL only where its function says so.
 * Objects.    ferrion_messenger_t, ferrion_message_t and the like are made by `_new` and end with their `_free`;
 *             `_free(NULL)` does nothing. Everything else that a function hands out is a number (a handle, never 0,
 *             harmless when stale) or borrowed memory, which nobody frees; the function says how long it stays.
 * Text.       `const char *` is UTF-8 that ends with a NUL.
 * Octets.     `(const uint8_t *data, size_t len)` always go together. What goes in is copied. `data` may be NULL if
 *             `len` is 0.
 * Numbers     for a choice go in as int32_t and are checked: pass the names of the matching enum.
 * Threads.    An object may move between threads, and is used by one at a time. A second call at the same moment is
 *             answered with FERRION_BUSY. Free an object only when no call uses it. A ferrion_interrupter_t may be
 *             used from any thread at any time.
 * Faults.     A fault inside the library never crosses this border: the call answers FERRION_PANIC, and the objects
 *             it worked on answer FERRION_POISONED to everything but their `_free`.
 *
 * C99 or later, C++11 or later.
 */


#ifndef FERRION_H
#define FERRION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** The version of this header as text; `ferrion_version` is that of the library. */
#define FERRION_VERSION "0.1.0"
#define FERRION_VERSION_MAJOR 0
#define FERRION_VERSION_MINOR 1
#define FERRION_VERSION_PATCH 0
/** The version as one number that grows: 0xMMmmpp, two hexadecimal digits for each part. */
#define FERRION_VERSION_NUMBER 0x000100

/** No limit, where a size_t is one. */
#define FERRION_UNLIMITED ((size_t)-1)


/**
 * What a call answers. 0 is success, everything else is negative.
 *
 * The numbers are part of the ABI: they keep their meaning for ever and none is used twice. Compare with the names,
 * and treat a number that has no name here as a failure.
 */
typedef enum {
  /**
   * Done.
   */
  FERRION_OK = 0,
  /**
   * Not an error: in non-blocking mode, what was asked for has begun and is not finished.
   */
  FERRION_WOULD_BLOCK = -1,
  /**
   * Not an error: there is nothing more to take.
   */
  FERRION_END = -2,
  /**
   * The timeout passed first.
   */
  FERRION_TIMEOUT = -3,
  /**
   * The call was interrupted from another thread or a signal handler; it can be made again.
   */
  FERRION_INTERRUPTED = -4,
  /**
   * More is waiting than may wait; send or receive some of it first.
   */
  FERRION_OVERFLOW = -5,
  /**
   * Not an error: what was asked for is optional, and not there.
   */
  FERRION_ABSENT = -6,
  /**
   * Not an error: the receiver has granted no credit. Try again after the link's next FERRION_EVENT_FLOW.
   */
  FERRION_NO_CREDIT = -7,
  /**
   * A pointer that must not be NULL is NULL.
   */
  FERRION_NULL_POINTER = -20,
  /**
   * An argument is outside what the call accepts.
   */
  FERRION_INVALID_ARGUMENT = -21,
  /**
   * The value is there and has another type.
   */
  FERRION_WRONG_TYPE = -22,
  /**
   * The call does not fit the state that the object is in.
   */
  FERRION_STATE = -23,
  /**
   * The handle's object has gone.
   */
  FERRION_STALE_HANDLE = -24,
  /**
   * The handle belongs to an object of another kind.
   */
  FERRION_WRONG_KIND = -25,
  /**
   * The object is in use by another call: it was handed to a second thread, or twice to one call.
   */
  FERRION_BUSY = -26,
  /**
   * There is no room for another object of this kind; the peer or the configuration set the limit.
   */
  FERRION_LIMIT = -27,
  /**
   * A link of this name and role exists already.
   */
  FERRION_DUPLICATE = -28,
  /**
   * Octets that are not what AMQP 1.0 says they must be.
   */
  FERRION_DECODE = -40,
  /**
   * A value that AMQP 1.0 cannot express.
   */
  FERRION_ENCODE = -41,
  /**
   * An address, or the pattern of a route, that cannot be understood.
   */
  FERRION_ADDRESS = -42,
  /**
   * No connection could be made.
   */
  FERRION_CONNECT = -43,
  /**
   * A listening address cannot be listened on.
   */
  FERRION_LISTEN = -44,
  /**
   * A connection was lost, or the peer broke the protocol.
   */
  FERRION_LOST = -45,
  /**
   * The peer refused the user or the password, or offers no way to log in that may be used.
   */
  FERRION_LOGIN = -46,
  /**
   * The peer refused or ended something, for the reason that `ferrion_last_condition` names.
   */
  FERRION_REMOTE = -47,
  /**
   * The tracker names no message in the window.
   */
  FERRION_UNKNOWN_TRACKER = -48,
  /**
   * A message cannot be sent because of what it is.
   */
  FERRION_SEND = -49,
  /**
   * `stop` had to give messages up that were not acknowledged in time; their trackers say ABORTED.
   */
  FERRION_UNSENT = -50,
  /**
   * Something that this build cannot do.
   */
  FERRION_UNSUPPORTED = -51,
  /**
   * The operating system refused something that needs no peer.
   */
  FERRION_SYSTEM = -52,
  /**
   * A connection could not be secured with TLS, or a listener cannot offer it.
   */
  FERRION_TLS = -53,
  /**
   * A file with certificates or a key cannot be used.
   */
  FERRION_CERTIFICATE = -54,
  /**
   * The peer does not speak AMQP over WebSocket, or not at the path that was asked for.
   */
  FERRION_WEBSOCKET = -55,
  /**
   * A subscription cannot be made as it is asked for.
   */
  FERRION_SUBSCRIBE = -56,
  /**
   * A fault in the library, caught before it could do harm. The object it happened in can only be freed now.
   * Please report it.
   */
  FERRION_PANIC = -60,
  /**
   * The object suffered such a fault earlier and can only be freed.
   */
  FERRION_POISONED = -61,
  /**
   * A failure of a kind that has no number yet; the text says what.
   */
  FERRION_OTHER = -62,
} ferrion_status;

/**
 * What can happen. Events say where to look; the functions of the session, link and so on have the data.
 */
typedef enum {
  /**
   * Something that has no name yet; it can be passed over.
   */
  FERRION_EVENT_OTHER = 0,
  /**
   * The SASL exchange needs an answer; see `ferrion_engine_sasl_request`.
   */
  FERRION_EVENT_AUTHENTICATE = 1,
  /**
   * SASL ended with success.
   */
  FERRION_EVENT_AUTHENTICATED = 2,
  /**
   * The peer's open arrived; see `ferrion_connection_remote`.
   */
  FERRION_EVENT_REMOTE_OPEN = 3,
  /**
   * The peer's close arrived, and was answered; see `ferrion_connection_remote_condition`.
   */
  FERRION_EVENT_REMOTE_CLOSE = 4,
  /**
   * The peer's begin arrived: the answer to ours, or a session to accept.
   */
  FERRION_EVENT_SESSION_BEGUN = 5,
  /**
   * The session ended. It can be looked at until the next event is polled.
   */
  FERRION_EVENT_SESSION_ENDED = 6,
  /**
   * The peer's attach arrived: the answer to ours, or a link to accept or refuse.
   */
  FERRION_EVENT_LINK_ATTACHED = 7,
  /**
   * The link was detached by the peer, or with its session. If `ferrion_link_awaits_detach`, close or detach it too.
   */
  FERRION_EVENT_LINK_DETACHED = 8,
  /**
   * Sender: credit or the drain flag changed. Receiver: a drain was answered.
   */
  FERRION_EVENT_FLOW = 9,
  /**
   * Receiver: deliveries wait; see `ferrion_receiver_next_delivery`.
   */
  FERRION_EVENT_DELIVERIES = 10,
  /**
   * The peer changed the state of deliveries; see `ferrion_link_next_update`.
   */
  FERRION_EVENT_UPDATES = 11,
  /**
   * The peer broke a rule that ends the connection; see `ferrion_engine_failure`.
   */
  FERRION_EVENT_FAILED = 12,
  /**
   * The last event: no more octets are taken, and after the rest of the output none are given.
   */
  FERRION_EVENT_DISCONNECTED = 13,
} ferrion_event;

/**
 * Why a connection ended in a way that was not orderly.
 */
typedef enum {
  /**
   * A failure that has no name yet.
   */
  FERRION_FAILURE_OTHER = 0,
  /**
   * The peer broke a rule, and was told by which condition.
   */
  FERRION_FAILURE_LOCAL = 1,
  /**
   * The peer closed the connection with a condition.
   */
  FERRION_FAILURE_REMOTE = 2,
  /**
   * The peer does not speak AMQP at all.
   */
  FERRION_FAILURE_NOT_AMQP = 3,
  /**
   * The peer speaks another protocol id or version.
   */
  FERRION_FAILURE_PROTOCOL_VERSION = 4,
  /**
   * The peer wants TLS first.
   */
  FERRION_FAILURE_TLS_REQUESTED = 5,
  /**
   * The peer skipped SASL, which is required here.
   */
  FERRION_FAILURE_SASL_REQUIRED = 6,
  /**
   * The transport ended before both closes were exchanged.
   */
  FERRION_FAILURE_TRANSPORT_CLOSED = 7,
  /**
   * The peer did not finish the handshake, or answer our close, in time.
   */
  FERRION_FAILURE_HANDSHAKE_TIMEOUT = 8,
  /**
   * The credentials were refused.
   */
  FERRION_FAILURE_SASL_REFUSED = 20,
  /**
   * The server has a failure of its own.
   */
  FERRION_FAILURE_SASL_SYSTEM = 21,
  /**
   * The same, and it may pass.
   */
  FERRION_FAILURE_SASL_TEMPORARY = 22,
  /**
   * Client and server have no mechanism in common.
   */
  FERRION_FAILURE_SASL_NO_MECHANISM = 23,
  /**
   * The server offers only mechanisms that show the secret, and that was not allowed.
   */
  FERRION_FAILURE_SASL_CLEAR_TEXT = 24,
  /**
   * The mechanism cannot be carried out with these credentials.
   */
  FERRION_FAILURE_SASL_CREDENTIALS = 25,
  /**
   * The server did not prove that it knows the password.
   */
  FERRION_FAILURE_SASL_IMPOSTOR = 26,
  /**
   * The server asks for fewer or more iterations of SCRAM than are allowed.
   */
  FERRION_FAILURE_SASL_ITERATIONS = 27,
  /**
   * A SASL frame is larger than is allowed.
   */
  FERRION_FAILURE_SASL_FRAME_TOO_LARGE = 28,
  /**
   * The exchange does not come to an end.
   */
  FERRION_FAILURE_SASL_TOO_MANY_ROUNDS = 29,
  /**
   * The server has no mechanism that it can carry out.
   */
  FERRION_FAILURE_SASL_NOTHING_OFFERED = 30,
  /**
   * This side gave the exchange up.
   */
  FERRION_FAILURE_SASL_ABANDONED = 31,
  /**
   * The exchange broke the protocol.
   */
  FERRION_FAILURE_SASL_PROTOCOL = 32,
} ferrion_failure;

/**
 * How far a graceful close has come; see `ferrion_link_close_by`.
 */
typedef enum {
  /**
   * A stage that has no name yet.
   */
  FERRION_CLOSING_OTHER = 0,
  /**
   * A receiver has asked for the rest of the credit, and has no answer yet.
   */
  FERRION_CLOSING_DRAINING = 1,
  /**
   * Messages of a sender have not left yet.
   */
  FERRION_CLOSING_SENDING = 2,
  /**
   * Deliveries are not settled.
   */
  FERRION_CLOSING_SETTLING = 3,
  /**
   * Nothing is left to wait for: the detach is on its way.
   */
  FERRION_CLOSING_COMPLETE = 4,
  /**
   * The moment came before that: the detach is on its way all the same.
   */
  FERRION_CLOSING_OVERDUE = 5,
} ferrion_closing;

/**
 * The kinds of states that a delivery can have (3.4).
 */
typedef enum {
  /**
   * None was told.
   */
  FERRION_STATE_NONE = 0,
  /**
   * A part has arrived.
   */
  FERRION_STATE_RECEIVED = 1,
  /**
   * Taken over by the receiver.
   */
  FERRION_STATE_ACCEPTED = 2,
  /**
   * Not valid.
   */
  FERRION_STATE_REJECTED = 3,
  /**
   * Not acted upon.
   */
  FERRION_STATE_RELEASED = 4,
  /**
   * Not acted upon, and to be changed.
   */
  FERRION_STATE_MODIFIED = 5,
  /**
   * A transaction was declared.
   */
  FERRION_STATE_DECLARED = 6,
  /**
   * A state within a transaction.
   */
  FERRION_STATE_TRANSACTIONAL = 7,
  /**
   * A described value that ferrion does not know.
   */
  FERRION_STATE_OTHER = 8,
} ferrion_state;

/**
 * Which side of a link this is.
 */
typedef enum {
  /**
   * It sends: functions of `ferrion_sender_` are for it.
   */
  FERRION_SENDER = 0,
  /**
   * It receives: functions of `ferrion_receiver_` are for it.
   */
  FERRION_RECEIVER = 1,
} ferrion_role;

/**
 * Whether a sender settles its deliveries when it sends them (2.8.2).
 */
typedef enum {
  /**
   * All are sent unsettled.
   */
  FERRION_SND_UNSETTLED = 0,
  /**
   * All are sent settled.
   */
  FERRION_SND_SETTLED = 1,
  /**
   * Either, per delivery.
   */
  FERRION_SND_MIXED = 2,
} ferrion_snd_settle_mode;

/**
 * Who settles first (2.8.3).
 */
typedef enum {
  /**
   * The receiver settles with its outcome.
   */
  FERRION_RCV_FIRST = 0,
  /**
   * The receiver settles after the sender has.
   */
  FERRION_RCV_SECOND = 1,
} ferrion_rcv_settle_mode;

/**
 * Why an engine wants to be called at its deadline.
 */
typedef enum {
  /**
   * A reason that has no name yet.
   */
  FERRION_REASON_OTHER = 0,
  /**
   * Headers, SASL and open must be exchanged by then, or the engine gives up.
   */
  FERRION_REASON_HANDSHAKE = 1,
  /**
   * Our close was sent; if the peer's does not arrive by then the engine stops waiting.
   */
  FERRION_REASON_CLOSE = 2,
  /**
   * The peer has been silent; at this moment its silence exceeds our idle time-out (2.4.5).
   */
  FERRION_REASON_PEER_SILENT = 3,
  /**
   * A link that is closing gracefully is detached then.
   */
  FERRION_REASON_LINK_CLOSE = 4,
  /**
   * An empty frame is due, to keep the peer from timing us out (2.4.5).
   */
  FERRION_REASON_HEARTBEAT = 5,
  /**
   * The peer has read nothing of what waits for it, and is not heard because of that; at this moment it is given up.
   */
  FERRION_REASON_PEER_NOT_READING = 6,
} ferrion_reason;

/**
 * What the SASL exchange waits for, after FERRION_EVENT_AUTHENTICATE.
 */
typedef enum {
  /**
   * A question that has no name yet: reject it.
   */
  FERRION_SASL_OTHER = 0,
  /**
   * Server: check that the secret is the password of the user, and that the user may act as who is asked for.
   */
  FERRION_SASL_PLAIN = 1,
  /**
   * Server: check that the transport has proved an identity that may act as this one.
   */
  FERRION_SASL_EXTERNAL = 2,
  /**
   * Server: give what is stored of this user with `ferrion_engine_sasl_answer_scram`, or reject.
   */
  FERRION_SASL_SCRAM = 3,
  /**
   * Server, OAUTHBEARER or XOAUTH2: check that the secret is a token that is valid, here, and for this user.
   */
  FERRION_SASL_BEARER = 4,
  /**
   * Server, a mechanism of the program's: what the client said is the secret. Continue with a challenge, or end.
   */
  FERRION_SASL_RAW = 5,
  /**
   * Client, a mechanism of the program's: what the server asks is the secret. Continue with a response, or reject.
   */
  FERRION_SASL_CHALLENGE = 6,
  /**
   * Client, a mechanism of the program's: the server admits this client, and says the secret last. Accept or reject
   * it.
   */
  FERRION_SASL_ADMITTED = 7,
} ferrion_sasl_request;

/**
 * What a body is made of.
 */
typedef enum {
  /**
   * Octets, in one section or more (3.2.6).
   */
  FERRION_BODY_DATA = 1,
  /**
   * A list, or several (3.2.7).
   */
  FERRION_BODY_SEQUENCE = 2,
  /**
   * One value of any type (3.2.8).
   */
  FERRION_BODY_VALUE = 3,
} ferrion_body;

/**
 * What happened to a connection.
 */
typedef enum {
  /**
   * Something that has no number yet.
   */
  FERRION_CONNECTION_OTHER = 0,
  /**
   * The peer answered: the connection is there.
   */
  FERRION_CONNECTION_CONNECTED = 1,
  /**
   * It failed, or could not be made.
   */
  FERRION_CONNECTION_FAILED = 2,
  /**
   * It will be made again, after the delay, at an address that can be another one than before.
   */
  FERRION_CONNECTION_RETRYING = 3,
  /**
   * It will not be made again, unless something is put or received there.
   */
  FERRION_CONNECTION_GIVEN_UP = 4,
  /**
   * A link was attached again, and both sides knew what had become of what: nothing is lost, and nothing came twice.
   */
  FERRION_CONNECTION_RECOVERED = 5,
  /**
   * A link was to be recovered, and the peer does not know what became of what on it.
   */
  FERRION_CONNECTION_FORGOTTEN = 6,
  /**
   * The peer sends a link elsewhere, for the reason given; messages that it had not answered are sent again there, and
   * so are requests without a reply. Without a policy for lost connections the messages are ABORTED instead.
   */
  FERRION_CONNECTION_REDIRECTED = 7,
  /**
   * A peer has attached a link to receive by, on whichever side's connection: whom a program that listens can send to, by
   * the address. Told of only while the link is there. Nobody checks what a peer calls itself.
   */
  FERRION_CONNECTION_SUBSCRIBED = 8,
} ferrion_connection_event;

/**
 * What became of a message.
 */
typedef enum {
  /**
   * The tracker is outside its window, was settled and forgotten, or never was.
   */
  FERRION_DELIVERY_UNKNOWN = 0,
  /**
   * No outcome yet.
   */
  FERRION_DELIVERY_PENDING = 1,
  /**
   * The receiver accepted it.
   */
  FERRION_DELIVERY_ACCEPTED = 2,
  /**
   * The receiver rejected it as invalid.
   */
  FERRION_DELIVERY_REJECTED = 3,
  /**
   * The receiver gave it back, untouched.
   */
  FERRION_DELIVERY_RELEASED = 4,
  /**
   * The receiver gave it back, with changes.
   */
  FERRION_DELIVERY_MODIFIED = 5,
  /**
   * It was not sent, or its fate cannot be known any more.
   */
  FERRION_DELIVERY_ABORTED = 6,
  /**
   * The other side settled it without saying how it ended.
   */
  FERRION_DELIVERY_SETTLED = 7,
} ferrion_delivery_status;

/**
 * The types of AMQP (part 1.6 of the specification).
 */
typedef enum {
  /**
   * The absent value.
   */
  FERRION_TYPE_NULL = 1,
  /**
   * true or false.
   */
  FERRION_TYPE_BOOL = 2,
  /**
   * Unsigned, 8 bits.
   */
  FERRION_TYPE_UBYTE = 3,
  /**
   * Unsigned, 16 bits.
   */
  FERRION_TYPE_USHORT = 4,
  /**
   * Unsigned, 32 bits.
   */
  FERRION_TYPE_UINT = 5,
  /**
   * Unsigned, 64 bits.
   */
  FERRION_TYPE_ULONG = 6,
  /**
   * Signed, 8 bits.
   */
  FERRION_TYPE_BYTE = 7,
  /**
   * Signed, 16 bits.
   */
  FERRION_TYPE_SHORT = 8,
  /**
   * Signed, 32 bits.
   */
  FERRION_TYPE_INT = 9,
  /**
   * Signed, 64 bits.
   */
  FERRION_TYPE_LONG = 10,
  /**
   * IEEE 754 binary32.
   */
  FERRION_TYPE_FLOAT = 11,
  /**
   * IEEE 754 binary64.
   */
  FERRION_TYPE_DOUBLE = 12,
  /**
   * IEEE 754 decimal32, as 4 octets in network order.
   */
  FERRION_TYPE_DECIMAL32 = 13,
  /**
   * IEEE 754 decimal64, as 8 octets in network order.
   */
  FERRION_TYPE_DECIMAL64 = 14,
  /**
   * IEEE 754 decimal128, as 16 octets in network order.
   */
  FERRION_TYPE_DECIMAL128 = 15,
  /**
   * A Unicode character.
   */
  FERRION_TYPE_CHAR = 16,
  /**
   * Milliseconds since 1970-01-01T00:00Z; may be negative.
   */
  FERRION_TYPE_TIMESTAMP = 17,
  /**
   * A UUID, as 16 octets in network order.
   */
  FERRION_TYPE_UUID = 18,
  /**
   * Octets.
   */
  FERRION_TYPE_BINARY = 19,
  /**
   * Unicode text.
   */
  FERRION_TYPE_STRING = 20,
  /**
   * A name from a constrained domain, ASCII.
   */
  FERRION_TYPE_SYMBOL = 21,
  /**
   * Values of any types.
   */
  FERRION_TYPE_LIST = 22,
  /**
   * Keys and values, alternating.
   */
  FERRION_TYPE_MAP = 23,
  /**
   * Values of one type.
   */
  FERRION_TYPE_ARRAY = 24,
  /**
   * A descriptor, then the value whose meaning it gives.
   */
  FERRION_TYPE_DESCRIBED = 25,
} ferrion_type;

/**
 * The fields of the header (3.2.1) and of the properties (3.2.4), for `ferrion_message_get` and `ferrion_message_set`.
 */
typedef enum {
  /**
   * bool
   */
  FERRION_FIELD_DURABLE = 1,
  /**
   * ubyte
   */
  FERRION_FIELD_PRIORITY = 2,
  /**
   * uint, milliseconds
   */
  FERRION_FIELD_TTL = 3,
  /**
   * bool
   */
  FERRION_FIELD_FIRST_ACQUIRER = 4,
  /**
   * uint
   */
  FERRION_FIELD_DELIVERY_COUNT = 5,
  /**
   * ulong, uuid, binary or string
   */
  FERRION_FIELD_ID = 10,
  /**
   * binary
   */
  FERRION_FIELD_USER_ID = 11,
  /**
   * string; the field is called `to` in the specification
   */
  FERRION_FIELD_ADDRESS = 12,
  /**
   * string
   */
  FERRION_FIELD_SUBJECT = 13,
  /**
   * string
   */
  FERRION_FIELD_REPLY_TO = 14,
  /**
   * ulong, uuid, binary or string
   */
  FERRION_FIELD_CORRELATION_ID = 15,
  /**
   * symbol
   */
  FERRION_FIELD_CONTENT_TYPE = 16,
  /**
   * symbol
   */
  FERRION_FIELD_CONTENT_ENCODING = 17,
  /**
   * timestamp
   */
  FERRION_FIELD_EXPIRY_TIME = 18,
  /**
   * timestamp
   */
  FERRION_FIELD_CREATION_TIME = 19,
  /**
   * string
   */
  FERRION_FIELD_GROUP_ID = 20,
  /**
   * uint
   */
  FERRION_FIELD_GROUP_SEQUENCE = 21,
  /**
   * string
   */
  FERRION_FIELD_REPLY_TO_GROUP_ID = 22,
} ferrion_field;

/**
 * The sections that are maps.
 */
typedef enum {
  /**
   * For the next node only; keys are symbols (3.2.2).
   */
  FERRION_SECTION_DELIVERY_ANNOTATIONS = 1,
  /**
   * For every node on the way; keys are symbols (3.2.3).
   */
  FERRION_SECTION_MESSAGE_ANNOTATIONS = 2,
  /**
   * The application's own; keys are strings (3.2.5).
   */
  FERRION_SECTION_APPLICATION_PROPERTIES = 3,
  /**
   * What can only be computed after the body; keys are symbols (3.2.9).
   */
  FERRION_SECTION_FOOTER = 4,
} ferrion_section;

/**
 * How `accept` and its like understand their tracker.
 */
typedef enum {
  /**
   * Only the message of the tracker.
   */
  FERRION_SINGLE = 0,
  /**
   * That message, and every earlier one in the window that has no outcome yet.
   */
  FERRION_CUMULATIVE = 1,
} ferrion_flags;

/**
 * What `ferrion_messenger_recv` can let come other than a number.
 */
typedef enum {
  /**
   * As many as are taken with `ferrion_messenger_get`, at that pace. So does any negative number without a name here.
   */
  FERRION_CREDIT_ALL = -1,
  /**
   * All credit stays where it is: what was let come before may still come, and nothing more, also not by way of another
   * link.
   */
  FERRION_CREDIT_MANUAL = -2,
} ferrion_credit;

/**
 * What listeners with TLS do about certificates of those who connect.
 */
typedef enum {
  /**
   * None is asked for.
   */
  FERRION_CLIENT_CERTIFICATES_IGNORE = 0,
  /**
   * One is asked for, and must be good if it is shown. Who has none can log in another way.
   */
  FERRION_CLIENT_CERTIFICATES_ACCEPT = 1,
  /**
   * Nobody comes in without a good one.
   */
  FERRION_CLIENT_CERTIFICATES_REQUIRE = 2,
} ferrion_client_certificates;

/**
 * Which side of the transport an engine is on.
 */
typedef enum {
  /**
   * The side that opened the transport: it speaks first.
   */
  FERRION_CLIENT = 0,
  /**
   * The side that accepted the transport: it answers the layer that the client begins with.
   */
  FERRION_SERVER = 1,
} ferrion_side;

/**
 * What a connection is opened with (2.7.1), for `ferrion_config_set` and its like.
 */
typedef enum {
  /**
   * string: the name of this container.
   */
  FERRION_CONFIG_CONTAINER_ID = 1,
  /**
   * string, optional: the host that a client wants to talk to.
   */
  FERRION_CONFIG_HOSTNAME = 2,
  /**
   * uint: the largest frame taken, in octets; at least 512. Default 65,536.
   */
  FERRION_CONFIG_MAX_FRAME_SIZE = 3,
  /**
   * ushort: one less than the number of sessions. Default 1,023.
   */
  FERRION_CONFIG_CHANNEL_MAX = 4,
  /**
   * uint, optional: milliseconds of silence after which the peer is given up. It is asked for something in half of that, and
   * one made of ferrion refuses less than 100.
   */
  FERRION_CONFIG_IDLE_TIME_OUT = 5,
  /**
   * symbols: extensions offered to the peer.
   */
  FERRION_CONFIG_OFFERED_CAPABILITIES = 6,
  /**
   * symbols: extensions that will be used if the peer offers them.
   */
  FERRION_CONFIG_DESIRED_CAPABILITIES = 7,
  /**
   * map, optional: what this side says about itself.
   */
  FERRION_CONFIG_PROPERTIES = 8,
  /**
   * bool: send begin, attach and flow without waiting for the peer's open. Default true.
   */
  FERRION_CONFIG_PIPELINED = 9,
  /**
   * bool: end a session when its peer sends for a link that this side detached with an error (2.6.5). Default false.
   */
  FERRION_CONFIG_ENDS_ERRANT_SESSIONS = 10,
} ferrion_config_field;

/**
 * What an engine holds or waits for at most, for `ferrion_config_set_limit`, and a messenger for each of its connections, for
 * `ferrion_messenger_set_limit`. Beyond it the peer is refused, with the condition that fits.
 */
typedef enum {
  /**
   * Milliseconds until the peer's open must have arrived, and to wait for the answer to our close. 0 is without
   * limit. Default 30,000.
   */
  FERRION_LIMIT_HANDSHAKE_TIME = 1,
  /**
   * Links on one session. Default 65,536.
   */
  FERRION_LIMIT_LINKS_PER_SESSION = 2,
  /**
   * Octets of one incoming delivery that are buffered until it is complete. Default 256 MiB.
   */
  FERRION_LIMIT_DELIVERY_OCTETS = 3,
  /**
   * Octets of all incoming deliveries of one session that are buffered until they are complete. Default 512 MiB.
   */
  FERRION_LIMIT_PARTIAL_OCTETS = 4,
  /**
   * Transfers without payload in one incoming delivery. Default 1,024.
   */
  FERRION_LIMIT_EMPTY_TRANSFERS = 5,
  /**
   * Incoming deliveries of one session that wait to be settled. Default 2,097,152.
   */
  FERRION_LIMIT_UNSETTLED_PER_SESSION = 6,
  /**
   * Octets of output at which no more transfers are encoded until some are taken. Of payloads that are chained a quarter
   * counts while they have less than 32 KiB. Default 65,536.
   */
  FERRION_LIMIT_OUTPUT_OCTETS = 7,
  /**
   * Payloads of at least so many octets are chained into the output instead of copied. Default 4,096.
   */
  FERRION_LIMIT_CHAIN_OCTETS = 8,
  /**
   * Octets of one SASL frame, in both directions. Default 512, which is also the least.
   */
  FERRION_LIMIT_SASL_FRAME_SIZE = 9,
  /**
   * Challenges, or responses, of one SASL exchange. Default 16.
   */
  FERRION_LIMIT_SASL_ROUNDS = 10,
  /**
   * Iterations of SCRAM that a server may ask a client to compute. Default 600,000.
   */
  FERRION_LIMIT_SCRAM_ITERATIONS = 11,
  /**
   * Octets that may come until the peer's open has: headers, SASL, and open itself. Default 16,384.
   */
  FERRION_LIMIT_OCTETS_BEFORE_OPEN = 12,
  /**
   * Levels to which values may be nested in a frame. Default 32, which is also the most; before open never more than 8.
   */
  FERRION_LIMIT_NESTING_DEPTH = 13,
  /**
   * Array elements in one frame that have no octets of their own. Default 65,536.
   */
  FERRION_LIMIT_ZERO_WIDTH_ELEMENTS = 14,
  /**
   * Octets of one list, map or array in a frame. Default 1 MiB.
   */
  FERRION_LIMIT_COMPOUND_OCTETS = 15,
  /**
   * Octets of one string, symbol or binary in a frame's fields. Default 65,536.
   */
  FERRION_LIMIT_FIELD_OCTETS = 16,
  /**
   * Octets of all incoming deliveries of one link that wait, complete or not. Default 512 MiB.
   */
  FERRION_LIMIT_LINK_OCTETS = 17,
  /**
   * Octets of everything that the peer makes the engine hold. Default 1 GiB.
   */
  FERRION_LIMIT_CONNECTION_OCTETS = 18,
  /**
   * Octets of output at which nothing more is encoded but a close until some are taken, counted likewise. Default 262,144.
   */
  FERRION_LIMIT_CONTROL_OCTETS = 19,
  /**
   * Replies that wait because of that, beside one for each link that there is and each session that the peer has not
   * ended, at which nothing more is taken from the peer either. Default 16,384.
   */
  FERRION_LIMIT_PENDING_REPLIES = 20,
  /**
   * Times that the peer may tell a state of deliveries of a session without settling them, on the average of those that
   * the session carried unsettled; one of more than 64 octets counts twice. Default 16.
   */
  FERRION_LIMIT_STATES_PER_DELIVERY = 21,
} ferrion_limit;

/**
 * What a session is begun with (2.7.2), for `ferrion_session_config_set` and its like.
 */
typedef enum {
  /**
   * uint: transfer frames that the peer may send before deliveries are taken. Default 2,048.
   */
  FERRION_SESSION_INCOMING_WINDOW = 1,
  /**
   * ulong: octets of payload that may wait before the window closes. Default 64 MiB.
   */
  FERRION_SESSION_INCOMING_OCTETS = 2,
  /**
   * uint: the transfer-id that this side starts from. Default 0.
   */
  FERRION_SESSION_NEXT_OUTGOING_ID = 3,
  /**
   * symbols: extensions offered to the peer.
   */
  FERRION_SESSION_OFFERED_CAPABILITIES = 4,
  /**
   * symbols: extensions that will be used if the peer offers them.
   */
  FERRION_SESSION_DESIRED_CAPABILITIES = 5,
  /**
   * map, optional: properties of the session.
   */
  FERRION_SESSION_PROPERTIES = 6,
} ferrion_session_field;

/**
 * What a link is attached with (2.7.3), for `ferrion_link_config_set` and its like.
 */
typedef enum {
  /**
   * string: unique among the links of this role between the two containers.
   */
  FERRION_LINK_NAME = 1,
  /**
   * described value, optional: where messages come from (3.5.3), whole. See `ferrion_link_config_set_source`. None
   * in an answer refuses the link.
   */
  FERRION_LINK_SOURCE = 2,
  /**
   * described value, optional: where messages go, a target (3.5.4) or a coordinator (4.5.1), whole. None in an
   * answer refuses the link.
   */
  FERRION_LINK_TARGET = 3,
  /**
   * ubyte: a `ferrion_snd_settle_mode`. Default mixed.
   */
  FERRION_LINK_SND_SETTLE_MODE = 4,
  /**
   * ubyte: a `ferrion_rcv_settle_mode`. Default first.
   */
  FERRION_LINK_RCV_SETTLE_MODE = 5,
  /**
   * ulong, optional: the largest message taken, in octets.
   */
  FERRION_LINK_MAX_MESSAGE_SIZE = 6,
  /**
   * uint: the delivery-count that a sender starts from. Default 0.
   */
  FERRION_LINK_INITIAL_DELIVERY_COUNT = 7,
  /**
   * bool: keep what the link needs to be recovered; see `ferrion_link_state_t`. Default false.
   */
  FERRION_LINK_RECOVERABLE = 8,
  /**
   * symbols: extensions offered to the peer.
   */
  FERRION_LINK_OFFERED_CAPABILITIES = 9,
  /**
   * symbols: extensions that will be used if the peer offers them.
   */
  FERRION_LINK_DESIRED_CAPABILITIES = 10,
  /**
   * map, optional: properties of the link.
   */
  FERRION_LINK_PROPERTIES = 11,
} ferrion_link_field;

/**
 * The fields of a source (3.5.3).
 */
typedef enum {
  /**
   * string
   */
  FERRION_SOURCE_ADDRESS = 1,
  /**
   * uint: 0 nothing, 1 configuration, 2 unsettled deliveries too (3.5.5)
   */
  FERRION_SOURCE_DURABLE = 2,
  /**
   * symbol: link-detach, session-end, connection-close or never (3.5.6)
   */
  FERRION_SOURCE_EXPIRY_POLICY = 3,
  /**
   * uint, seconds
   */
  FERRION_SOURCE_TIMEOUT = 4,
  /**
   * bool: the peer is to make a node
   */
  FERRION_SOURCE_DYNAMIC = 5,
  /**
   * map (3.5.9)
   */
  FERRION_SOURCE_DYNAMIC_NODE_PROPERTIES = 6,
  /**
   * symbol: move or copy (3.5.7)
   */
  FERRION_SOURCE_DISTRIBUTION_MODE = 7,
  /**
   * map of symbols to described values (3.5.8)
   */
  FERRION_SOURCE_FILTER = 8,
  /**
   * described value: the outcome of what is settled without one
   */
  FERRION_SOURCE_DEFAULT_OUTCOME = 9,
  /**
   * symbols
   */
  FERRION_SOURCE_OUTCOMES = 10,
  /**
   * symbols
   */
  FERRION_SOURCE_CAPABILITIES = 11,
} ferrion_source_field;

/**
 * The fields of a target (3.5.4). A coordinator (4.5.1) has its capabilities only.
 */
typedef enum {
  /**
   * string
   */
  FERRION_TARGET_ADDRESS = 1,
  /**
   * uint, as in a source
   */
  FERRION_TARGET_DURABLE = 2,
  /**
   * symbol, as in a source
   */
  FERRION_TARGET_EXPIRY_POLICY = 3,
  /**
   * uint, seconds
   */
  FERRION_TARGET_TIMEOUT = 4,
  /**
   * bool: the peer is to make a node
   */
  FERRION_TARGET_DYNAMIC = 5,
  /**
   * map (3.5.9)
   */
  FERRION_TARGET_DYNAMIC_NODE_PROPERTIES = 6,
  /**
   * symbols
   */
  FERRION_TARGET_CAPABILITIES = 7,
} ferrion_target_field;

/**
 * The fields of an open (2.7.1), for `ferrion_connection_remote`.
 */
typedef enum {
  /**
   * string
   */
  FERRION_OPEN_CONTAINER_ID = 1,
  /**
   * string
   */
  FERRION_OPEN_HOSTNAME = 2,
  /**
   * uint
   */
  FERRION_OPEN_MAX_FRAME_SIZE = 3,
  /**
   * ushort
   */
  FERRION_OPEN_CHANNEL_MAX = 4,
  /**
   * uint, milliseconds
   */
  FERRION_OPEN_IDLE_TIME_OUT = 5,
  /**
   * symbols
   */
  FERRION_OPEN_OUTGOING_LOCALES = 6,
  /**
   * symbols
   */
  FERRION_OPEN_INCOMING_LOCALES = 7,
  /**
   * symbols
   */
  FERRION_OPEN_OFFERED_CAPABILITIES = 8,
  /**
   * symbols
   */
  FERRION_OPEN_DESIRED_CAPABILITIES = 9,
  /**
   * map
   */
  FERRION_OPEN_PROPERTIES = 10,
} ferrion_open_field;

/**
 * The fields of a begin (2.7.2), for `ferrion_session_remote`.
 */
typedef enum {
  /**
   * ushort
   */
  FERRION_BEGIN_REMOTE_CHANNEL = 1,
  /**
   * uint
   */
  FERRION_BEGIN_NEXT_OUTGOING_ID = 2,
  /**
   * uint
   */
  FERRION_BEGIN_INCOMING_WINDOW = 3,
  /**
   * uint
   */
  FERRION_BEGIN_OUTGOING_WINDOW = 4,
  /**
   * uint
   */
  FERRION_BEGIN_HANDLE_MAX = 5,
  /**
   * symbols
   */
  FERRION_BEGIN_OFFERED_CAPABILITIES = 6,
  /**
   * symbols
   */
  FERRION_BEGIN_DESIRED_CAPABILITIES = 7,
  /**
   * map
   */
  FERRION_BEGIN_PROPERTIES = 8,
} ferrion_begin_field;

/**
 * The fields of an attach (2.7.3), for `ferrion_link_remote`.
 */
typedef enum {
  /**
   * string
   */
  FERRION_ATTACH_NAME = 1,
  /**
   * uint
   */
  FERRION_ATTACH_HANDLE = 2,
  /**
   * bool: true for a receiver
   */
  FERRION_ATTACH_ROLE = 3,
  /**
   * ubyte: a `ferrion_snd_settle_mode`
   */
  FERRION_ATTACH_SND_SETTLE_MODE = 4,
  /**
   * ubyte: a `ferrion_rcv_settle_mode`
   */
  FERRION_ATTACH_RCV_SETTLE_MODE = 5,
  /**
   * described value; absent: the link is refused
   */
  FERRION_ATTACH_SOURCE = 6,
  /**
   * described value; absent: the link is refused
   */
  FERRION_ATTACH_TARGET = 7,
  /**
   * map
   */
  FERRION_ATTACH_UNSETTLED = 8,
  /**
   * bool
   */
  FERRION_ATTACH_INCOMPLETE_UNSETTLED = 9,
  /**
   * uint
   */
  FERRION_ATTACH_INITIAL_DELIVERY_COUNT = 10,
  /**
   * ulong; absent and 0 mean any
   */
  FERRION_ATTACH_MAX_MESSAGE_SIZE = 11,
  /**
   * symbols
   */
  FERRION_ATTACH_OFFERED_CAPABILITIES = 12,
  /**
   * symbols
   */
  FERRION_ATTACH_DESIRED_CAPABILITIES = 13,
  /**
   * map
   */
  FERRION_ATTACH_PROPERTIES = 14,
} ferrion_attach_field;

/**
 * The parts of what is stored, for `ferrion_scram_get` and `ferrion_scram_set`.
 */
typedef enum {
  /**
   * Random octets of this user; not secret.
   */
  FERRION_SCRAM_SALT = 1,
  /**
   * Checks the client's proof.
   */
  FERRION_SCRAM_STORED_KEY = 2,
  /**
   * Makes the server's signature.
   */
  FERRION_SCRAM_SERVER_KEY = 3,
} ferrion_scram_field;

/**
 * The parts of a request, for `ferrion_engine_sasl_field`.
 */
typedef enum {
  /**
   * The mechanism that was chosen.
   */
  FERRION_SASL_FIELD_MECHANISM = 1,
  /**
   * Who is asking.
   */
  FERRION_SASL_FIELD_USER = 2,
  /**
   * Whose rights are asked for; empty for the user's own.
   */
  FERRION_SASL_FIELD_AUTHORIZE_AS = 3,
  /**
   * The password, the token, or what the other side said.
   */
  FERRION_SASL_FIELD_SECRET = 4,
  /**
   * The host that the client means to talk to.
   */
  FERRION_SASL_FIELD_HOST = 5,
} ferrion_sasl_field;

/**
 * The answers to a request.
 */
typedef enum {
  /**
   * Server: the client is admitted; with octets, for mechanisms of the program's, it is told them too. Client: the
   * server is trusted.
   */
  FERRION_SASL_ACCEPT = 1,
  /**
   * Server: the client is turned away; with octets, for OAUTHBEARER and XOAUTH2, it is told why, as a JSON object.
   * Client: gives up.
   */
  FERRION_SASL_REJECT = 2,
  /**
   * Server: who the client is cannot be found out now; it may try again later.
   */
  FERRION_SASL_UNAVAILABLE = 3,
  /**
   * A mechanism of the program's: the octets are the next challenge, or the next response.
   */
  FERRION_SASL_CONTINUE = 4,
} ferrion_sasl_answer;

/**
 * How a connection is opened, how it is logged in, and its limits. Engines copy it when they are made.
 */
typedef struct ferrion_config_t ferrion_config_t;

/**
 * What happened to connections that a messenger made, and which peers receive from it, in the order in which it did, for
 * `ferrion_messenger_poll_connection_events`. Can be used again and again.
 *
 * `next` steps to the next event, at first to the first one, and the other calls look at it.
 */
typedef struct ferrion_connection_events_t ferrion_connection_events_t;

/**
 * One AMQP connection as a state machine: octets in, octets out, events. It has no sockets, clock or threads; the program
 * that embeds it has them.
 *
 * The calls may come in any order. Those that command something change the engine's state and write nothing:
 * `ferrion_engine_transmit` encodes what is due. What the peer does wrong is never an error of a call: it ends the smallest
 * thing the specification allows, with the right condition, and is told as an event. A call that fails has changed nothing.
 *
 * `now` is the time in milliseconds on any clock that never goes back; where it begins does not matter.
 */
typedef struct ferrion_engine_t ferrion_engine_t;

/**
 * Ends a waiting call of its messenger. May be used from any thread and from a signal handler, at any time: while the
 * messenger waits, while it is being freed, and afterwards.
 */
typedef struct ferrion_interrupter_t ferrion_interrupter_t;

/**
 * How a link is attached, or a peer's attach answered.
 */
typedef struct ferrion_link_config_t ferrion_link_config_t;

/**
 * That links are recovered, for `ferrion_messenger_set_link_recovery`, and what is kept for that. The bounds are for peers that
 * connected to this messenger and were lost; a new one is fit for most.
 */
typedef struct ferrion_link_recovery_t ferrion_link_recovery_t;

/**
 * All that has to outlive an endpoint of a link for another endpoint to go on with it: a value that can be kept in
 * memory, or written with `ferrion_link_state_encode` wherever it survives.
 *
 * Take it from a link that was suspended (`ferrion_link_state`), or of all links of an engine (`ferrion_engine_link_state`),
 * also after its connection was lost. Give it to a session of the same or another engine (`ferrion_session_resume`), or
 * answer with it a peer that attaches the link again (`ferrion_link_resume`). Links that are to be recovered have
 * FERRION_LINK_RECOVERABLE set.
 */
typedef struct ferrion_link_state_t ferrion_link_state_t;

/**
 * A message: header, annotations, properties, the application's properties, body and footer (part 3.2 of the
 * specification). Can be used again and again.
 *
 * What a received message contains is decoded when it is first asked for, so any getter can answer FERRION_DECODE.
 */
typedef struct ferrion_message_t ferrion_message_t;

/**
 * Messages in a row, for `ferrion_messenger_put_many` and `ferrion_messenger_get_many`, and with each the tracker that it
 * was last put or got with. Can be used again and again.
 */
typedef struct ferrion_messages_t ferrion_messages_t;

/**
 * Sends and receives messages, and looks after the connections for that behind the scenes.
 *
 * `put`, `get`, `accept` and the like do not touch the network, but that `put` begins to send what it has, without waiting,
 * each time that this is worth a write (32 KiB), though not in passive mode. `send`, `recv`, `stop` and `work` (and `put`, when
 * too much waits already) do everybody's network work while they wait, at most for the timeout. In non-blocking mode they do
 * what can be done at once and answer FERRION_WOULD_BLOCK.
 *
 * Addresses are written `[amqp[s]://][user[:password]@]host[:port][/name]`; `~host[:port]` listens.
 */
typedef struct ferrion_messenger_t ferrion_messenger_t;

/**
 * How connections that were lost are made again, for `ferrion_messenger_set_reconnect`. A new one is fit for most.
 */
typedef struct ferrion_reconnect_t ferrion_reconnect_t;

/**
 * What a server stores of a user's password for SCRAM: enough to check a client and to prove itself, not enough to log
 * in. The parts are got to be stored, and set to be used.
 */
typedef struct ferrion_scram_t ferrion_scram_t;

/**
 * How a message is sent, for `ferrion_sender_send_with` and its like. One object serves for any number of messages.
 */
typedef struct ferrion_send_options_t ferrion_send_options_t;

/**
 * How a session is begun, or a peer's begin answered.
 */
typedef struct ferrion_session_config_t ferrion_session_config_t;

/**
 * What `ferrion_messenger_subscribe_with` asks of a peer: which messages, and what is to outlast a lost connection. A new
 * one asks for nothing in particular. All of it is asked for again whenever the connection is made again.
 */
typedef struct ferrion_subscribe_options_t ferrion_subscribe_options_t;

/**
 * AMQP values in a row: often a single one, and then it may be a whole tree.
 *
 * Building: each `put_` appends a value; `begin_list` and its like open a value that holds others, and `end` closes it.
 *
 * ```c
 * ferrion_value_begin_map(value);
 * ferrion_value_put_symbol_text(value, "colour");
 * ferrion_value_put_text(value, "green");
 * ferrion_value_end(value);
 * ```
 *
 * Walking: `next` steps to the next value, at first to the first one; `type` and the `get_` calls look at it, `enter`
 * steps into it and `exit` out again. Building rewinds the walk to before the first value.
 *
 * ```c
 * while (ferrion_value_next(value) == FERRION_OK) { ... }
 * ```
 */
typedef struct ferrion_value_t ferrion_value_t;

/**
 * How many objects an engine holds.
 */
typedef struct {
  /**
   * Sessions.
   */
  size_t sessions;
  /**
   * Links of both roles.
   */
  size_t links;
  /**
   * Outgoing deliveries that are not settled and told of yet.
   */
  size_t outgoing_deliveries;
  /**
   * Incoming deliveries that are not settled and told of yet.
   */
  size_t incoming_deliveries;
} ferrion_census_t;

/**
 * A session of an engine (part 2.5 of the specification). Never 0.
 *
 * Handles of all kinds: once their object has ended they are answered with FERRION_STALE_HANDLE, for ever. A handle of
 * another kind is answered with FERRION_WRONG_KIND. A handle of another engine is answered with FERRION_STALE_HANDLE too:
 * each engine numbers its objects in a sequence of its own, so that with a million objects the chance of mistaking one is
 * less than one in 500 thousand million.
 */
typedef uint64_t ferrion_session_t;

/**
 * Octets, or UTF-8 text without a NUL at its end, that belong to the object which was asked. Each function says until
 * when they stay.
 *
 * To print text: `printf("%.*s", (int)text.len, (const char *)text.data)`.
 */
typedef struct {
  /**
   * The first octet; never NULL, not even if there are none.
   */
  const uint8_t *data;
  /**
   * How many there are.
   */
  size_t len;
} ferrion_bytes_t;

/**
 * A link of an engine, of either role (2.6). Never 0. See `ferrion_session_t`.
 */
typedef uint64_t ferrion_link_t;

/**
 * Something that happened, and to what.
 */
typedef struct {
  /**
   * What.
   */
  ferrion_event kind;
  /**
   * Of links, whether this side sends: 1, else 0.
   */
  uint32_t is_sender;
  /**
   * The session that it happened to, or the one of the link; else 0.
   */
  ferrion_session_t session;
  /**
   * The link that it happened to; else 0.
   */
  ferrion_link_t link;
} ferrion_event_t;

/**
 * A delivery that is not settled (2.6.12). 0 where there is none: a delivery that was sent settled has no handle. See
 * `ferrion_session_t`.
 */
typedef uint64_t ferrion_delivery_t;

/**
 * A delivery whose state the peer changed.
 */
typedef struct {
  /**
   * Which.
   */
  ferrion_delivery_t delivery;
  /**
   * The sender's name for it.
   */
  ferrion_bytes_t tag;
  /**
   * Its state at the peer; `ferrion_engine_state` has it whole.
   */
  ferrion_state state;
  /**
   * Whether the peer has settled it: 1, else 0.
   */
  uint32_t settled;
} ferrion_update_t;

/**
 * A delivery that is not settled by both sides.
 */
typedef struct {
  /**
   * Which.
   */
  ferrion_delivery_t delivery;
  /**
   * The sender's name for it.
   */
  ferrion_bytes_t tag;
  /**
   * The format of the payload; 0 is an AMQP message.
   */
  uint32_t message_format;
  /**
   * Its state at this side.
   */
  ferrion_state local_state;
  /**
   * Its state at the peer, as far as the peer told.
   */
  ferrion_state remote_state;
  /**
   * Whether the peer has settled it: 1, else 0.
   */
  uint32_t settled;
} ferrion_unsettled_t;

/**
 * What resuming a link did. The numbers count deliveries that this side remembered.
 */
typedef struct {
  /**
   * 1 if the peer remembers something at all, else 0.
   */
  uint32_t peer_remembers;
  /**
   * 1 if both sides told of all that they remember. If 0, nothing new can be sent: once what was resumed is settled,
   * detach the link and resume it again.
   */
  uint32_t complete;
  /**
   * Both sides remembered them, and they go on.
   */
  uint32_t resumed;
  /**
   * Sender: the receiver had nothing of them; they are sent as new ones.
   */
  uint32_t sent_again;
  /**
   * Sender: they were called off.
   */
  uint32_t aborted;
  /**
   * They turned out to be settled by the peer.
   */
  uint32_t settled;
  /**
   * Sender: the receiver has not got them, and there is no payload to send again.
   */
  uint32_t lost;
} ferrion_recovery_t;

/**
 * A delivery that is remembered.
 */
typedef struct {
  /**
   * The sender's name for it.
   */
  ferrion_bytes_t tag;
  /**
   * Sender: what was sent, all of it. Receiver: what arrived and was not handed to the application. See `has_payload`.
   */
  ferrion_bytes_t payload;
  /**
   * Receiver: octets that the application read before the payload, while it came.
   */
  uint64_t read;
  /**
   * The format of the payload; 0 is an AMQP message.
   */
  uint32_t message_format;
  /**
   * Its state at this side; `ferrion_link_state_local` has it whole.
   */
  ferrion_state local_state;
  /**
   * Its state at the peer, as far as the peer told; `ferrion_link_state_remote` has it whole.
   */
  ferrion_state remote_state;
  /**
   * 1 if the payload is there, else 0: a sender did not keep it, or the application has all of it.
   */
  uint32_t has_payload;
  /**
   * 1 if the payload has its end, else 0.
   */
  uint32_t complete;
  /**
   * Receiver: 1 if the application settled it, else 0.
   */
  uint32_t done;
  /**
   * 1 if the peer has settled it, and only the application has not been told; else 0.
   */
  uint32_t settled;
} ferrion_remembered_t;

/**
 * Room that is lent to be written into.
 */
typedef struct {
  /**
   * Where the first octet goes.
   */
  uint8_t *data;
  /**
   * How many there is room for.
   */
  size_t len;
} ferrion_room_t;

/**
 * A delivery that arrived.
 */
typedef struct {
  /**
   * What to call it when settling; 0 if the sender has settled it.
   */
  ferrion_delivery_t delivery;
  /**
   * The sender's name for it.
   */
  ferrion_bytes_t tag;
  /**
   * The encoded message, in one piece.
   */
  ferrion_bytes_t payload;
  /**
   * The format of the payload; 0 is an AMQP message.
   */
  uint32_t message_format;
  /**
   * The state that the sender gave it; `ferrion_engine_state` has it whole.
   */
  ferrion_state state;
  /**
   * 1 if the outcome may wait for others to join it, else 0.
   */
  uint32_t batchable;
  /**
   * 1 if the sender called it off after parts of it had been read, else 0: what was read is void.
   */
  uint32_t aborted;
} ferrion_incoming_t;

/**
 * A delivery that is arriving.
 */
typedef struct {
  /**
   * What to call it when settling.
   */
  ferrion_delivery_t delivery;
  /**
   * The sender's name for it.
   */
  ferrion_bytes_t tag;
  /**
   * The octets that have come and were not read.
   */
  uint64_t waiting;
  /**
   * The format of the payload; 0 is an AMQP message.
   */
  uint32_t message_format;
} ferrion_partial_t;

/**
 * Names a message that was put or got, within the window of its direction. Never 0, and never the same for another
 * message.
 */
typedef uint64_t ferrion_tracker_t;

/**
 * Names what a messenger receives from.
 */
typedef uint64_t ferrion_subscription_t;

/**
 * Names a request that was sent, until its reply is taken or it is cancelled. Never 0.
 */
typedef uint64_t ferrion_request_t;

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

/**
 * An engine. `side` is a `ferrion_side`. The configuration is copied. NULL is returned if it is NULL; `ferrion_last_error`
 * says so.
 */
ferrion_engine_t *ferrion_engine_new(int32_t side,
                                     const ferrion_config_t *config);

/**
 * Frees the engine. The peer is not told: close the connection first.
 */
void ferrion_engine_free(ferrion_engine_t *engine);

/**
 * How many objects the engine holds at the moment, for watching and for tests.
 */
ferrion_status ferrion_engine_census(const ferrion_engine_t *engine, ferrion_census_t *out_census);

/**
 * What incomplete deliveries hold, of all sessions together, each transfer counted as 64 octets more than its payload.
 */
ferrion_status ferrion_engine_partial_octets(const ferrion_engine_t *engine,
                                             uint64_t *out_octets);

/**
 * A configuration with a default for everything, and an empty container-id.
 */
ferrion_config_t *ferrion_config_new(void);

/**
 * Frees it.
 */
void ferrion_config_free(ferrion_config_t *config);

/**
 * Makes it the same as another one.
 */
ferrion_status ferrion_config_copy(ferrion_config_t *config, const ferrion_config_t *source);

/**
 * A field as a value of the type it has on the wire. `field` is a `ferrion_config_field`. FERRION_ABSENT: it is not
 * set.
 */
ferrion_status ferrion_config_get(const ferrion_config_t *config,
                                  int32_t field,
                                  ferrion_value_t *out_value);

/**
 * Sets a field from a value of the type it has on the wire. `field` is a `ferrion_config_field`. A null, or no value
 * at all, removes an optional field.
 */
ferrion_status ferrion_config_set(ferrion_config_t *config,
                                  int32_t field,
                                  const ferrion_value_t *value);

/**
 * A field that is a number, a mode or a bool (0 or 1). `field` is a `ferrion_config_field`. FERRION_ABSENT: it is not
 * set.
 */
ferrion_status ferrion_config_number(const ferrion_config_t *config,
                                     int32_t field,
                                     uint64_t *out_number);

/**
 * Sets a field that is a number, a mode or a bool (0 or 1). `field` is a `ferrion_config_field`.
 */
ferrion_status ferrion_config_set_number(ferrion_config_t *config, int32_t field, uint64_t number);

/**
 * Sets a field that is a string, or symbols to this one. `field` is a `ferrion_config_field`. NULL removes an optional
 * field.
 */
ferrion_status ferrion_config_set_text(ferrion_config_t *config,
                                       int32_t field,
                                       const char *text);

/**
 * A limit. `limit` is a `ferrion_limit`.
 */
ferrion_status ferrion_config_limit(const ferrion_config_t *config, int32_t limit, uint64_t *out_number);

/**
 * Sets a limit. `limit` is a `ferrion_limit`.
 */
ferrion_status ferrion_config_set_limit(ferrion_config_t *config, int32_t limit, uint64_t number);

/**
 * Opens the connection: sends our open. Both sides do this once, in any order.
 */
ferrion_status ferrion_connection_open(ferrion_engine_t *engine);

/**
 * Closes the connection, after what could be sent was sent. The condition, its text for people and its map may be
 * NULL.
 */
ferrion_status ferrion_connection_close(ferrion_engine_t *engine,
                                        const char *condition,
                                        const char *description,
                                        const ferrion_value_t *info);

/**
 * Begins a session. `config` may be NULL. FERRION_LIMIT: all channels are in use.
 */
ferrion_status ferrion_connection_begin(ferrion_engine_t *engine,
                                        const ferrion_session_config_t *config,
                                        ferrion_session_t *out_session);

/**
 * Whether both sides have opened and neither has closed.
 */
ferrion_status ferrion_connection_is_open(ferrion_engine_t *engine, bool *out_open);

/**
 * A field of the peer's open; one that it left out has its default. `field` is a `ferrion_open_field`. FERRION_ABSENT:
 * the open has not arrived, or does not have it.
 */
ferrion_status ferrion_connection_remote(ferrion_engine_t *engine,
                                         int32_t field,
                                         ferrion_value_t *out_value);

/**
 * The error that the peer's close carried. Each result may be NULL. FERRION_ABSENT: none.
 *
 * Borrowed until: the next call on this engine.
 */
ferrion_status ferrion_connection_remote_condition(ferrion_engine_t *engine,
                                                   ferrion_bytes_t *out_condition,
                                                   ferrion_bytes_t *out_description,
                                                   ferrion_value_t *out_info);

/**
 * The next thing that happened. FERRION_END: nothing more for now. Each is told once per object until it is polled, so
 * there are never more of them than there are objects.
 */
ferrion_status ferrion_engine_poll_event(ferrion_engine_t *engine,
                                         ferrion_event_t *out_event);

/**
 * The next things that happened, up to `capacity` of them: `out_events` has room for that many. What ends an object is
 * the last of its row, so that the object can still be looked at: call again until FERRION_END.
 */
ferrion_status ferrion_engine_poll_events(ferrion_engine_t *engine,
                                          size_t capacity,
                                          ferrion_event_t *out_events,
                                          size_t *out_n);

/**
 * Why the connection ended in a way that was not orderly, for the program and, with what to do, for people. Each
 * result may be NULL. FERRION_ABSENT: it has not.
 *
 * Borrowed until: the next call on this engine.
 */
ferrion_status ferrion_engine_failure(ferrion_engine_t *engine,
                                      ferrion_failure *out_failure,
                                      ferrion_bytes_t *out_text);

/**
 * The error condition that the close carried, ours or the peer's. Each result may be NULL. FERRION_ABSENT: the
 * connection did not end by one.
 *
 * Borrowed until: the next call on this engine.
 */
ferrion_status ferrion_engine_failure_condition(ferrion_engine_t *engine,
                                                ferrion_bytes_t *out_condition,
                                                ferrion_bytes_t *out_description,
                                                ferrion_value_t *out_info);

/**
 * Answers an attach of the peer's with the termini and modes it asked for. FERRION_STATE: it was answered before, or
 * its session has not been accepted. FERRION_INVALID_ARGUMENT: the peer asked for a dynamic node; say which it is with
 * `ferrion_link_accept_with`.
 */
ferrion_status ferrion_link_accept(ferrion_engine_t *engine,
                                   ferrion_link_t link);

/**
 * Answers an attach of the peer's with other termini or modes; start from `ferrion_link_offer`. The name stays the
 * peer's.
 */
ferrion_status ferrion_link_accept_with(ferrion_engine_t *engine,
                                        ferrion_link_t link,
                                        const ferrion_link_config_t *config);

/**
 * Answers an attach of the peer's with what an earlier endpoint of this link left, and goes on with that. See
 * `ferrion_link_state_t`.
 */
ferrion_status ferrion_link_resume(ferrion_engine_t *engine,
                                   ferrion_link_t link,
                                   const ferrion_link_state_t *state);

/**
 * Answers an attach of the peer's with a refusal (2.6.3). The text for people and the map may be NULL.
 */
ferrion_status ferrion_link_refuse(ferrion_engine_t *engine,
                                   ferrion_link_t link,
                                   const char *condition,
                                   const char *description,
                                   const ferrion_value_t *info);

/**
 * What `ferrion_link_accept` would answer; for a link of ours, what it was attached with.
 */
ferrion_status ferrion_link_offer(ferrion_engine_t *engine,
                                  ferrion_link_t link,
                                  ferrion_link_config_t *out_config);

/**
 * Detaches the link without closing it (2.6.4), after what was sent has left.
 */
ferrion_status ferrion_link_detach(ferrion_engine_t *engine, ferrion_link_t link);

/**
 * Closes the link for good (2.6.5): without a condition after what was sent has left, with one at once. The condition,
 * its text for people and its map may be NULL.
 */
ferrion_status ferrion_link_close(ferrion_engine_t *engine,
                                  ferrion_link_t link,
                                  const char *condition,
                                  const char *description,
                                  const ferrion_value_t *info);

/**
 * Closes the link gracefully, so that neither side has to guess what became of a delivery, but not later than the
 * moment `by`. A receiver gives back what it was not given yet and waits until the rest is settled; a sender waits
 * until what it took has left and is settled. `ferrion_link_closing` tells how far it has come. Called again, it moves
 * the moment.
 */
ferrion_status ferrion_link_close_by(ferrion_engine_t *engine,
                                     ferrion_link_t link,
                                     uint64_t by);

/**
 * How far a graceful close has come. FERRION_ABSENT: there was none.
 */
ferrion_status ferrion_link_closing(ferrion_engine_t *engine,
                                    ferrion_link_t link,
                                    ferrion_closing *out_closing);

/**
 * The next delivery whose state the peer changed, after FERRION_EVENT_UPDATES. One that the peer has settled is
 * forgotten by this; another one still wants to be settled. FERRION_END: no more.
 *
 * Borrowed until: the next call on this engine.
 */
ferrion_status ferrion_link_next_update(ferrion_engine_t *engine,
                                        ferrion_link_t link,
                                        ferrion_update_t *out_update);

/**
 * The delivery at place `index` of those that are not settled by both sides, in order. Begin with 0 and go on until
 * FERRION_END: what 0 finds is gone through. FERRION_STATE: 0 was not asked for first, of this link.
 *
 * Borrowed until: this is called with 0 again.
 */
ferrion_status ferrion_link_unsettled(ferrion_engine_t *engine,
                                      ferrion_link_t link,
                                      size_t index,
                                      ferrion_unsettled_t *out_unsettled);

/**
 * What has to outlive this endpoint of the link for another one to go on with it. FERRION_ABSENT: the peer's attach
 * was not accepted. Take what is to be taken of updates and deliveries before.
 */
ferrion_status ferrion_link_state(ferrion_engine_t *engine,
                                  ferrion_link_t link,
                                  ferrion_link_state_t *out_state);

/**
 * What came of resuming a link, once both sides have attached. FERRION_ABSENT: not yet, the peer refuses, or nothing
 * was resumed.
 */
ferrion_status ferrion_link_recovered(ferrion_engine_t *engine,
                                      ferrion_link_t link,
                                      ferrion_recovery_t *out_recovery);

/**
 * Which side of the link this is.
 */
ferrion_status ferrion_link_role(ferrion_engine_t *engine, ferrion_link_t link, ferrion_role *out_role);

/**
 * The link's name.
 *
 * Borrowed until: the next call on this engine.
 */
ferrion_status ferrion_link_name(ferrion_engine_t *engine, ferrion_link_t link, ferrion_bytes_t *out_text);

/**
 * The session that it is on.
 */
ferrion_status ferrion_link_session(ferrion_engine_t *engine,
                                    ferrion_link_t link,
                                    ferrion_session_t *out_session);

/**
 * Whether the peer attached it and it has not been answered yet.
 */
ferrion_status ferrion_link_is_incoming(ferrion_engine_t *engine, ferrion_link_t link, bool *out_incoming);

/**
 * Whether both sides have attached and neither has detached.
 */
ferrion_status ferrion_link_is_attached(ferrion_engine_t *engine, ferrion_link_t link, bool *out_attached);

/**
 * Whether the peer has detached and waits for our detach.
 */
ferrion_status ferrion_link_awaits_detach(ferrion_engine_t *engine, ferrion_link_t link, bool *out_awaits);

/**
 * Whether the peer's detach closed the link for good.
 */
ferrion_status ferrion_link_is_remote_closed(ferrion_engine_t *engine, ferrion_link_t link, bool *out_closed);

/**
 * The sender's settle mode in force.
 */
ferrion_status ferrion_link_snd_settle_mode(ferrion_engine_t *engine,
                                            ferrion_link_t link,
                                            ferrion_snd_settle_mode *out_mode);

/**
 * The receiver's settle mode in force.
 */
ferrion_status ferrion_link_rcv_settle_mode(ferrion_engine_t *engine,
                                            ferrion_link_t link,
                                            ferrion_rcv_settle_mode *out_mode);

/**
 * A field of the peer's attach; one that it left out has its default. `field` is a `ferrion_attach_field`.
 * FERRION_ABSENT: the attach has not arrived, or does not have it.
 */
ferrion_status ferrion_link_remote(ferrion_engine_t *engine,
                                   ferrion_link_t link,
                                   int32_t field,
                                   ferrion_value_t *out_value);

/**
 * A field of the source as the peer sees it. `field` is a `ferrion_source_field`. FERRION_ABSENT: the source does not
 * have it, or there is none; a sending peer that says none refused the link.
 */
ferrion_status ferrion_link_remote_source(ferrion_engine_t *engine,
                                          ferrion_link_t link,
                                          int32_t field,
                                          ferrion_value_t *out_value);

/**
 * A field of the target as the peer sees it. `field` is a `ferrion_target_field`. FERRION_ABSENT: the target does not
 * have it, or there is none; a receiving peer that says none refused the link.
 */
ferrion_status ferrion_link_remote_target(ferrion_engine_t *engine,
                                          ferrion_link_t link,
                                          int32_t field,
                                          ferrion_value_t *out_value);

/**
 * The address of the node at the peer: of the source if the peer sends, of the target if it receives. For a dynamic node
 * it is the one to tell others. FERRION_ABSENT: it gave none.
 *
 * Borrowed until: the next call on this engine.
 */
ferrion_status ferrion_link_remote_address(ferrion_engine_t *engine,
                                           ferrion_link_t link,
                                           ferrion_bytes_t *out_text);

/**
 * The error that ended it, and whether the peer found it. Each result may be NULL. FERRION_ABSENT: none.
 *
 * Borrowed until: the next call on this engine.
 */
ferrion_status ferrion_link_error(ferrion_engine_t *engine,
                                  ferrion_link_t link,
                                  bool *out_remote,
                                  ferrion_bytes_t *out_condition,
                                  ferrion_bytes_t *out_description,
                                  ferrion_value_t *out_info);

/**
 * A configuration with a default for everything, an empty name, and termini without addresses.
 */
ferrion_link_config_t *ferrion_link_config_new(void);

/**
 * Frees it.
 */
void ferrion_link_config_free(ferrion_link_config_t *config);

/**
 * Makes it the same as another one.
 */
ferrion_status ferrion_link_config_copy(ferrion_link_config_t *config, const ferrion_link_config_t *source);

/**
 * Makes it that of a sender with this name, to `address` at the peer; everything else is as in a new one.
 */
ferrion_status ferrion_link_config_sender(ferrion_link_config_t *config,
                                          const char *name,
                                          const char *address);

/**
 * Makes it that of a receiver with this name, from `address` at the peer, which releases what it does not settle;
 * everything else is as in a new one.
 */
ferrion_status ferrion_link_config_receiver(ferrion_link_config_t *config,
                                            const char *name,
                                            const char *address);

/**
 * A field as a value of the type it has on the wire. `field` is a `ferrion_link_field`. FERRION_ABSENT: it is not set.
 */
ferrion_status ferrion_link_config_get(const ferrion_link_config_t *config,
                                       int32_t field,
                                       ferrion_value_t *out_value);

/**
 * Sets a field from a value of the type it has on the wire. `field` is a `ferrion_link_field`. A null, or no value at
 * all, removes an optional field.
 */
ferrion_status ferrion_link_config_set(ferrion_link_config_t *config,
                                       int32_t field,
                                       const ferrion_value_t *value);

/**
 * A field that is a number, a mode or a bool (0 or 1). `field` is a `ferrion_link_field`. FERRION_ABSENT: it is not
 * set.
 */
ferrion_status ferrion_link_config_number(const ferrion_link_config_t *config,
                                          int32_t field,
                                          uint64_t *out_number);

/**
 * Sets a field that is a number, a mode or a bool (0 or 1). `field` is a `ferrion_link_field`.
 */
ferrion_status ferrion_link_config_set_number(ferrion_link_config_t *config, int32_t field, uint64_t number);

/**
 * Sets a field that is a string, or symbols to this one. `field` is a `ferrion_link_field`. NULL removes an optional
 * field.
 */
ferrion_status ferrion_link_config_set_text(ferrion_link_config_t *config,
                                            int32_t field,
                                            const char *text);

/**
 * A field of the source, as a value of the type it has on the wire; one that is left out has its default. `field` is a
 * `ferrion_source_field`. FERRION_ABSENT: it is not there, or there is no source.
 */
ferrion_status ferrion_link_config_source(const ferrion_link_config_t *config,
                                          int32_t field,
                                          ferrion_value_t *out_value);

/**
 * Sets a field of the source from a value of the type it has on the wire; null, or no value at all, takes it away.
 * `field` is a `ferrion_source_field`. If there is no source it is made.
 */
ferrion_status ferrion_link_config_set_source(ferrion_link_config_t *config,
                                              int32_t field,
                                              const ferrion_value_t *value);

/**
 * Sets the address of the source; NULL takes it away.
 */
ferrion_status ferrion_link_config_set_source_address(ferrion_link_config_t *config, const char *address);

/**
 * A field of the target, as a value of the type it has on the wire; one that is left out has its default. `field` is a
 * `ferrion_target_field`. FERRION_ABSENT: it is not there, or there is no target.
 */
ferrion_status ferrion_link_config_target(const ferrion_link_config_t *config,
                                          int32_t field,
                                          ferrion_value_t *out_value);

/**
 * Sets a field of the target from a value of the type it has on the wire; null, or no value at all, takes it away.
 * `field` is a `ferrion_target_field`. If there is no target it is made. FERRION_STATE: the target is a coordinator.
 */
ferrion_status ferrion_link_config_set_target(ferrion_link_config_t *config,
                                              int32_t field,
                                              const ferrion_value_t *value);

/**
 * Sets the address of the target; NULL takes it away.
 */
ferrion_status ferrion_link_config_set_target_address(ferrion_link_config_t *config, const char *address);

/**
 * The state of a sender that has no name and remembers nothing.
 */
ferrion_link_state_t *ferrion_link_state_new(void);

/**
 * Frees it.
 */
void ferrion_link_state_free(ferrion_link_state_t *state);

/**
 * Makes it the same as another one.
 */
ferrion_status ferrion_link_state_copy(ferrion_link_state_t *state, const ferrion_link_state_t *source);

/**
 * The state at place `index` of those of all links that are recoverable and were not closed, whatever state the
 * connection is in. Begin with 0 and go on until FERRION_END: what 0 finds is gone through.
 */
ferrion_status ferrion_engine_link_state(ferrion_engine_t *engine,
                                         size_t index,
                                         ferrion_link_state_t *out_state);

/**
 * Which side of the link it is of.
 */
ferrion_status ferrion_link_state_role(const ferrion_link_state_t *state, ferrion_role *out_role);

/**
 * What the link is attached with again.
 */
ferrion_status ferrion_link_state_config(const ferrion_link_state_t *state,
                                         ferrion_link_config_t *out_config);

/**
 * Sets what the link is attached with again.
 */
ferrion_status ferrion_link_state_set_config(ferrion_link_state_t *state,
                                             const ferrion_link_config_t *config);

/**
 * How many deliveries are remembered.
 */
ferrion_status ferrion_link_state_count(const ferrion_link_state_t *state, size_t *out_n);

/**
 * The delivery at place `index`. FERRION_END: there are not so many.
 *
 * Borrowed until: the next call on this object that changes it.
 */
ferrion_status ferrion_link_state_delivery(ferrion_link_state_t *state,
                                           size_t index,
                                           ferrion_remembered_t *out_remembered);

/**
 * The state of a delivery at this side, whole. FERRION_ABSENT: it has none. FERRION_END: there are not so many
 * deliveries.
 */
ferrion_status ferrion_link_state_local(ferrion_link_state_t *state,
                                        size_t index,
                                        ferrion_value_t *out_value);

/**
 * The state of a delivery at the peer, whole. FERRION_ABSENT: it has none. FERRION_END: there are not so many
 * deliveries.
 */
ferrion_status ferrion_link_state_remote(ferrion_link_state_t *state,
                                         size_t index,
                                         ferrion_value_t *out_value);

/**
 * Sets the payload of a delivery, and how much of it the application has read before that: for a sender that keeps its
 * messages itself, or a receiver that puts back what it read. FERRION_END: there are not so many deliveries.
 */
ferrion_status ferrion_link_state_set_payload(ferrion_link_state_t *state,
                                              size_t index,
                                              uint64_t read,
                                              const uint8_t *data,
                                              size_t len);

/**
 * Takes a delivery out: it is settled, which the peer will learn when the link is resumed. FERRION_END: there are not
 * so many.
 */
ferrion_status ferrion_link_state_remove(ferrion_link_state_t *state,
                                         size_t index);

/**
 * The state as octets, for `ferrion_link_state_decode` of this version of ferrion or a later one.
 *
 * Borrowed until: the next call on this object that changes it, or this one.
 */
ferrion_status ferrion_link_state_encode(ferrion_link_state_t *state, ferrion_bytes_t *out_data);

/**
 * Makes it the state that is encoded here. If the octets are something else, it stays what it was.
 */
ferrion_status ferrion_link_state_decode(ferrion_link_state_t *state, const uint8_t *data, size_t len);

/**
 * Client: adds a login by ANONYMOUS. A client takes the first login that was added and that the server offers.
 */
ferrion_status ferrion_config_login_anonymous(ferrion_config_t *config);

/**
 * Client: adds a login by PLAIN, user and password in clear; see `ferrion_config_login_allow_clear_text`.
 */
ferrion_status ferrion_config_login_plain(ferrion_config_t *config, const char *user, const char *password);

/**
 * Client: adds a login by EXTERNAL, as who the transport has proved.
 */
ferrion_status ferrion_config_login_external(ferrion_config_t *config);

/**
 * Client: adds a login by SCRAM, a password that neither side shows. `mechanism` is "SCRAM-SHA-256" or the like; NULL
 * is all of them, the strongest first. The octets are 18 from a source of randomness that is fit for keys, fresh for
 * each connection.
 */
ferrion_status ferrion_config_login_scram(ferrion_config_t *config,
                                          const char *mechanism,
                                          const char *user,
                                          const char *password,
                                          const uint8_t *data,
                                          size_t len);

/**
 * Client: adds a login by OAUTHBEARER, with a token. The user may be empty. See
 * `ferrion_config_login_allow_clear_text`, and FERRION_LIMIT_SASL_FRAME_SIZE for tokens of more than about 400 octets.
 */
ferrion_status ferrion_config_login_oauthbearer(ferrion_config_t *config,
                                                const char *user,
                                                const char *token);

/**
 * Client: adds a login by XOAUTH2, which came before OAUTHBEARER.
 */
ferrion_status ferrion_config_login_xoauth2(ferrion_config_t *config, const char *user, const char *token);

/**
 * Client: adds a login by a mechanism of your own, and its initial response; `data` that is NULL is none. Each
 * challenge is a FERRION_SASL_CHALLENGE then.
 */
ferrion_status ferrion_config_login_raw(ferrion_config_t *config,
                                        const char *mechanism,
                                        const uint8_t *data,
                                        size_t len);

/**
 * Client: whether logins may be taken that show the secret: PLAIN, OAUTHBEARER and XOAUTH2. True under TLS, or on a
 * transport that never leaves the machine. FERRION_STATE: add a login first.
 */
ferrion_status ferrion_config_login_allow_clear_text(ferrion_config_t *config,
                                                     bool allow);

/**
 * Client: asks for the rights of this identity with all logins that were added so far. FERRION_STATE: add a login
 * first.
 */
ferrion_status ferrion_config_login_authorize_as(ferrion_config_t *config,
                                                 const char *identity);

/**
 * Client: the fewest iterations that a server may ask for, with all SCRAM logins that were added so far. Default
 * 4,096. FERRION_STATE: add a login first.
 */
ferrion_status ferrion_config_login_least_iterations(ferrion_config_t *config,
                                                     uint32_t n);

/**
 * Client: no login: AMQP without SASL, as in a new configuration.
 */
ferrion_status ferrion_config_login_clear(ferrion_config_t *config);

/**
 * Server: offers a mechanism to clients, the preferred one first. One that ferrion does not know is left to the
 * program: each message of the client's is a FERRION_SASL_RAW. A server that offers nothing wants no SASL.
 */
ferrion_status ferrion_config_offer(ferrion_config_t *config,
                                    const char *mechanism);

/**
 * Server: offers a mechanism that is left to the program, though ferrion may know it.
 */
ferrion_status ferrion_config_offer_raw(ferrion_config_t *config, const char *mechanism);

/**
 * Server: whether a client that skips SASL is turned away. Default true.
 */
ferrion_status ferrion_config_offer_required(ferrion_config_t *config, bool required);

/**
 * Server: what SCRAM needs. `key` is a secret of this server that stays the same, of at least 16 octets; users that do
 * not exist seem to have `iterations` (4,096 are usual) and a salt of `salt_octets` (16). The octets are 18 from a
 * source of randomness that is fit for keys, fresh for each connection.
 */
ferrion_status ferrion_config_offer_scram(ferrion_config_t *config,
                                          const char *key,
                                          uint32_t iterations,
                                          size_t salt_octets,
                                          const uint8_t *data,
                                          size_t len);

/**
 * Server: the salt that a user seems to have when it does not exist. Who stores passwords instead of credentials
 * derives them with this salt, so that nothing tells the two kinds of user apart. `out_scram` gets it. FERRION_STATE:
 * call `ferrion_config_offer_scram` first.
 */
ferrion_status ferrion_config_offer_salt(const ferrion_config_t *config,
                                         const char *mechanism,
                                         const char *user,
                                         ferrion_scram_t *out_scram);

/**
 * The nonce of the SCRAM logins that are added, and of the SCRAM that is offered, after this: text, visible ASCII without
 * comma. It takes the place of the random octets, which may be NULL then. Only for who must reproduce an exchange: a
 * nonce that somebody can foresee, or that comes twice, gives away what SCRAM protects. NULL: random octets again.
 * FERRION_INVALID_ARGUMENT: it is no such text.
 */
ferrion_status ferrion_config_nonce_from_text(ferrion_config_t *config,
                                              const char *nonce);

/**
 * Server: no SASL, as in a new configuration.
 */
ferrion_status ferrion_config_offer_clear(ferrion_config_t *config);

/**
 * Takes octets that came from the peer: as many, or as few, as there are. They are copied;
 * `ferrion_engine_recv_buffer` spares that. FERRION_INVALID_ARGUMENT: they are in the room that
 * `ferrion_engine_recv_buffer` lent; tell of them with `ferrion_engine_recv_filled`.
 */
ferrion_status ferrion_engine_recv(ferrion_engine_t *engine, uint64_t now, const uint8_t *data, size_t len);

/**
 * Lends room for at least `min` octets from the peer, and for the rest of the frame that has begun. Read into it, then
 * call `ferrion_engine_recv_filled`. FERRION_INVALID_ARGUMENT: more than 16 MiB were asked for.
 *
 * Borrowed until: the next call on this engine.
 */
ferrion_status ferrion_engine_recv_buffer(ferrion_engine_t *engine,
                                          size_t min,
                                          ferrion_room_t *out_room);

/**
 * Takes the first `n` octets of the room that `ferrion_engine_recv_buffer` lent. FERRION_INVALID_ARGUMENT: there is
 * not so much room; FERRION_STATE: another call took the room back.
 */
ferrion_status ferrion_engine_recv_filled(ferrion_engine_t *engine,
                                          uint64_t now,
                                          size_t n);

/**
 * The peer will send no more octets: the transport was closed, or failed.
 */
ferrion_status ferrion_engine_recv_eof(ferrion_engine_t *engine, uint64_t now);

/**
 * Does what is due by `now`. To be called at the deadline that `ferrion_engine_poll_timeout` tells, or at any time.
 */
ferrion_status ferrion_engine_handle_timeout(ferrion_engine_t *engine,
                                             uint64_t now);

/**
 * When to call `ferrion_engine_handle_timeout`, and why. FERRION_ABSENT: no need to. `out_reason` may be NULL.
 */
ferrion_status ferrion_engine_poll_timeout(const ferrion_engine_t *engine,
                                           uint64_t *out_at,
                                           ferrion_reason *out_reason);

/**
 * Encodes what is due to be sent to the peer, and lends the first piece of it. Write it, tell with
 * `ferrion_engine_advance` how much of it was written, and ask again. FERRION_END: there is nothing to send at
 * present.
 *
 * Borrowed until: the next call on this engine.
 */
ferrion_status ferrion_engine_transmit(ferrion_engine_t *engine,
                                       uint64_t now,
                                       ferrion_bytes_t *out_data);

/**
 * The same with as many pieces as lie in memory, `capacity` at most: `out_pieces` has room for that many. On POSIX
 * systems a `ferrion_bytes_t` has the layout of a `struct iovec`, so that they can be given to `writev`. FERRION_END:
 * there is nothing to send at present.
 *
 * Borrowed until: the next call on this engine.
 */
ferrion_status ferrion_engine_transmit_pieces(ferrion_engine_t *engine,
                                              uint64_t now,
                                              size_t capacity,
                                              ferrion_bytes_t *out_pieces,
                                              size_t *out_n);

/**
 * The first `n` octets of what was lent to be sent have been written. FERRION_INVALID_ARGUMENT: it was less.
 */
ferrion_status ferrion_engine_advance(ferrion_engine_t *engine, uint64_t now, size_t n);

/**
 * Whether the transport can be closed: nothing more will be taken, and no output waits. Output that waited when the
 * transport failed goes on waiting: after `ferrion_engine_recv_eof` whoever cannot write any more closes without asking this.
 */
ferrion_status ferrion_engine_is_done(const ferrion_engine_t *engine,
                                      bool *out_done);

/**
 * Whether nothing more is taken from the peer until it takes some of the output: it has been sending, and not reading what
 * comes of that. Read no more from it then. What it sent already is looked at by `ferrion_engine_transmit` once there is
 * room, so ask for events after that.
 */
ferrion_status ferrion_engine_is_blocked(const ferrion_engine_t *engine,
                                         bool *out_blocked);

/**
 * Starts or stops keeping a readable line for each frame, in both directions, for `ferrion_engine_poll_trace`. Secrets
 * are not shown.
 */
ferrion_status ferrion_engine_set_tracing(ferrion_engine_t *engine,
                                          bool on);

/**
 * The next line of the trace, `0 -> @open(16) [container-id="x"]` for example. FERRION_END: there is none at present.
 *
 * Borrowed until: the next call on this engine.
 */
ferrion_status ferrion_engine_poll_trace(ferrion_engine_t *engine,
                                         ferrion_bytes_t *out_text);

/**
 * Takes the next complete delivery, after FERRION_EVENT_DELIVERIES. Of one that was read while it came, the payload is
 * what was not read. FERRION_END: no more.
 *
 * Borrowed until: the next call on this engine.
 */
ferrion_status ferrion_receiver_next_delivery(ferrion_engine_t *engine,
                                              ferrion_link_t link,
                                              ferrion_incoming_t *out_incoming);

/**
 * Makes a message of the payload that was taken last, without copying it. FERRION_DECODE: it is none.
 *
 * The message keeps what was read with it alive, and can be sent on by `ferrion_sender_send_message` without a copy. Where
 * small ones are kept for long, `ferrion_message_decode` copies no more than the payload.
 */
ferrion_status ferrion_engine_message(ferrion_engine_t *engine,
                                      ferrion_message_t *message);

/**
 * Whether deliveries are read while they come, with `ferrion_receiver_read_partial`; FERRION_EVENT_DELIVERIES tells of
 * parts too then.
 */
ferrion_status ferrion_receiver_set_streaming(ferrion_engine_t *engine,
                                              ferrion_link_t link,
                                              bool on);

/**
 * The delivery that is arriving. FERRION_ABSENT: none.
 *
 * Borrowed until: the next call on this engine.
 */
ferrion_status ferrion_receiver_partial(ferrion_engine_t *engine,
                                        ferrion_link_t link,
                                        ferrion_partial_t *out_partial);

/**
 * Refuses the delivery that is arriving, and with it the link, as where a limit of the engine is passed: what came of it is
 * dropped at once, the link is closed with this condition, and FERRION_EVENT_LINK_DETACHED tells. The text for people and the map
 * may be NULL. For who has a bound for many engines together, each of which tells what it holds
 * (`ferrion_engine_partial_octets`). FERRION_STATE: no delivery is arriving.
 */
ferrion_status ferrion_receiver_refuse_partial(ferrion_engine_t *engine,
                                               ferrion_link_t link,
                                               const char *condition,
                                               const char *description,
                                               const ferrion_value_t *info);

/**
 * Takes what has come of the delivery that is arriving. FERRION_END: nothing more at present.
 *
 * Borrowed until: the next call on this engine.
 */
ferrion_status ferrion_receiver_read_partial(ferrion_engine_t *engine,
                                             ferrion_link_t link,
                                             ferrion_bytes_t *out_data);

/**
 * Complete deliveries that wait to be taken.
 */
ferrion_status ferrion_receiver_waiting(ferrion_engine_t *engine, ferrion_link_t link, size_t *out_n);

/**
 * Settles a delivery with an outcome: a described value; see `ferrion_value_put_accepted` and its like.
 */
ferrion_status ferrion_receiver_settle(ferrion_engine_t *engine,
                                       ferrion_link_t link,
                                       ferrion_delivery_t delivery,
                                       const ferrion_value_t *state);

/**
 * Settles a delivery, and does not wait for the sender even where the receiver settles second: for senders that remember
 * nothing, and so have nothing to wait for. The state is a described value; NULL tells none, as
 * `ferrion_receiver_forget`.
 */
ferrion_status ferrion_receiver_settle_at_once(ferrion_engine_t *engine,
                                               ferrion_link_t link,
                                               ferrion_delivery_t delivery,
                                               const ferrion_value_t *state);

/**
 * Takes responsibility for a delivery, and settles it.
 */
ferrion_status ferrion_receiver_accept(ferrion_engine_t *engine,
                                       ferrion_link_t link,
                                       ferrion_delivery_t delivery);

/**
 * Refuses a delivery as invalid, and settles it. The condition, its text for people and its map may be NULL.
 */
ferrion_status ferrion_receiver_reject(ferrion_engine_t *engine,
                                       ferrion_link_t link,
                                       ferrion_delivery_t delivery,
                                       const char *condition,
                                       const char *description,
                                       const ferrion_value_t *info);

/**
 * Gives a delivery back as if it had never come, and settles it.
 */
ferrion_status ferrion_receiver_release(ferrion_engine_t *engine,
                                        ferrion_link_t link,
                                        ferrion_delivery_t delivery);

/**
 * Gives a delivery back with changes, and settles it: whether the attempt counts as `failed`, whether it should not
 * come `here` again, and a map of annotations to add, which may be NULL.
 */
ferrion_status ferrion_receiver_modify(ferrion_engine_t *engine,
                                       ferrion_link_t link,
                                       ferrion_delivery_t delivery,
                                       bool failed,
                                       bool not_here,
                                       const ferrion_value_t *annotations);

/**
 * Tells the sender the state of a delivery without settling it, a described value: for links whose receiver settles
 * second, the outcome.
 */
ferrion_status ferrion_receiver_update(ferrion_engine_t *engine,
                                       ferrion_link_t link,
                                       ferrion_delivery_t delivery,
                                       const ferrion_value_t *state);

/**
 * Settles a delivery without telling a state: it has the default outcome of the source.
 */
ferrion_status ferrion_receiver_forget(ferrion_engine_t *engine,
                                       ferrion_link_t link,
                                       ferrion_delivery_t delivery);

/**
 * Lets so many messages come from now on, whatever it was before.
 */
ferrion_status ferrion_receiver_set_credit(ferrion_engine_t *engine, ferrion_link_t link, uint32_t n);

/**
 * Lets so many more messages come.
 */
ferrion_status ferrion_receiver_add_credit(ferrion_engine_t *engine, ferrion_link_t link, uint32_t n);

/**
 * Lets so many messages come, and grants more as they are taken. 0 stops granting.
 */
ferrion_status ferrion_receiver_set_automatic_credit(ferrion_engine_t *engine,
                                                     ferrion_link_t link,
                                                     uint32_t n);

/**
 * Messages that may still come.
 */
ferrion_status ferrion_receiver_credit(ferrion_engine_t *engine, ferrion_link_t link, uint32_t *out_n);

/**
 * Messages that wait at the sender, as far as it told.
 */
ferrion_status ferrion_receiver_available(ferrion_engine_t *engine, ferrion_link_t link, uint32_t *out_n);

/**
 * Asks the sender to use the credit up or give it back. FERRION_EVENT_FLOW tells when it has.
 */
ferrion_status ferrion_receiver_drain(ferrion_engine_t *engine, ferrion_link_t link);

/**
 * Whether a drain has not been answered yet.
 */
ferrion_status ferrion_receiver_is_draining(ferrion_engine_t *engine,
                                            ferrion_link_t link,
                                            bool *out_draining);

/**
 * What the SASL exchange waits for. FERRION_ABSENT: nothing.
 */
ferrion_status ferrion_engine_sasl_request(const ferrion_engine_t *engine, ferrion_sasl_request *out_request);

/**
 * A part of the request. `field` is a `ferrion_sasl_field`. FERRION_ABSENT: the request does not have it.
 *
 * Borrowed until: the next call on this engine.
 */
ferrion_status ferrion_engine_sasl_field(ferrion_engine_t *engine, int32_t field, ferrion_bytes_t *out_data);

/**
 * The port that a client with a token means to talk to. FERRION_ABSENT: it does not say.
 */
ferrion_status ferrion_engine_sasl_port(const ferrion_engine_t *engine, uint16_t *out_port);

/**
 * Answers the request, now or later. `answer` is a `ferrion_sasl_answer`; it says what the octets are for, if there
 * are any. What the peer sent behind what was asked about is taken up with it, as by `ferrion_engine_recv`: look at the
 * events and transmit after it. FERRION_STATE: nothing is asked, or the answer does not fit the request.
 */
ferrion_status ferrion_engine_sasl_answer(ferrion_engine_t *engine,
                                          int32_t answer,
                                          const uint8_t *data,
                                          size_t len);

/**
 * Answers FERRION_SASL_SCRAM with what is stored of the user. Look at the events and transmit after it, as after
 * `ferrion_engine_sasl_answer`.
 */
ferrion_status ferrion_engine_sasl_answer_scram(ferrion_engine_t *engine,
                                                const ferrion_scram_t *scram);

/**
 * Server: the host that the client says it wants to reach. Known while a request waits. FERRION_ABSENT: it does not
 * say.
 *
 * Borrowed until: the next call on this engine.
 */
ferrion_status ferrion_engine_sasl_hostname(ferrion_engine_t *engine,
                                            ferrion_bytes_t *out_text);

/**
 * The SASL mechanism that was chosen. FERRION_ABSENT: none yet.
 *
 * Borrowed until: the next call on this engine.
 */
ferrion_status ferrion_engine_sasl_mechanism(ferrion_engine_t *engine, ferrion_bytes_t *out_text);

/**
 * Credentials with nothing in them.
 */
ferrion_scram_t *ferrion_scram_new(void);

/**
 * Frees it.
 */
void ferrion_scram_free(ferrion_scram_t *scram);

/**
 * Makes it the same as another one.
 */
ferrion_status ferrion_scram_copy(ferrion_scram_t *scram, const ferrion_scram_t *source);

/**
 * Makes it what is stored of this password. `mechanism` is "SCRAM-SHA-256" or the like; the octets are the salt, which
 * should be random and of 16; `iterations` at least 4,096. FERRION_STATE: the password is empty, or has what SASLprep
 * (RFC 4013) forbids.
 */
ferrion_status ferrion_scram_derive(ferrion_scram_t *scram,
                                    const char *mechanism,
                                    const char *password,
                                    uint32_t iterations,
                                    const uint8_t *data,
                                    size_t len);

/**
 * A part of what is stored. `field` is a `ferrion_scram_field`.
 *
 * Borrowed until: the next call on this object that changes it.
 */
ferrion_status ferrion_scram_get(const ferrion_scram_t *scram, int32_t field, ferrion_bytes_t *out_data);

/**
 * Sets a part of what is stored. `field` is a `ferrion_scram_field`.
 */
ferrion_status ferrion_scram_set(ferrion_scram_t *scram, int32_t field, const uint8_t *data, size_t len);

/**
 * How many times the hash was applied.
 */
ferrion_status ferrion_scram_iterations(const ferrion_scram_t *scram, uint32_t *out_n);

/**
 * Sets how many times the hash was applied.
 */
ferrion_status ferrion_scram_set_iterations(ferrion_scram_t *scram, uint32_t n);

/**
 * Options of an AMQP message that waits for its outcome, and of which nothing else is said.
 */
ferrion_send_options_t *ferrion_send_options_new(void);

/**
 * Frees them.
 */
void ferrion_send_options_free(ferrion_send_options_t *options);

/**
 * Whether the delivery is settled by being sent: then there will be no outcome, and it has no handle. Default false.
 */
ferrion_status ferrion_send_options_set_settled(ferrion_send_options_t *options,
                                                bool settled);

/**
 * Whether the receiver need not hurry to tell its outcome, so that it can tell that of many at once (2.7.5). Default
 * false.
 */
ferrion_status ferrion_send_options_set_batchable(ferrion_send_options_t *options,
                                                  bool batchable);

/**
 * The format of the payload (2.8.11). Default 0, an AMQP message.
 */
ferrion_status ferrion_send_options_set_message_format(ferrion_send_options_t *options,
                                                       uint32_t message_format);

/**
 * The delivery's state at this side, said on every transfer of it: that it belongs to a transaction (4.4.1), for
 * example; see `ferrion_value_put_transactional`. Not `received`, which is for deliveries that are resumed: with that,
 * sending answers FERRION_STATE. NULL, or a value that is null: none, as by default.
 */
ferrion_status ferrion_send_options_set_state(ferrion_send_options_t *options,
                                              const ferrion_value_t *state);

/**
 * Sends a message: the octets of an encoded one. They are copied. The tag names the delivery; it has at most 32
 * octets, and differs from those of the link's other unsettled deliveries. `out_delivery` may be NULL.
 *
 * FERRION_NO_CREDIT: the receiver granted none that is not already spoken for. FERRION_SEND: the message is larger
 * than the receiver takes, or the settle mode that was negotiated forbids it.
 */
ferrion_status ferrion_sender_send(ferrion_engine_t *engine,
                                   ferrion_link_t link,
                                   const uint8_t *tag,
                                   size_t tag_len,
                                   const uint8_t *data,
                                   size_t len,
                                   ferrion_delivery_t *out_delivery);

/**
 * Sends a message that is settled by being sent: there will be no outcome.
 */
ferrion_status ferrion_sender_send_settled(ferrion_engine_t *engine,
                                           ferrion_link_t link,
                                           const uint8_t *tag,
                                           size_t tag_len,
                                           const uint8_t *data,
                                           size_t len);

/**
 * Sends a message with everything that can be said of it. `options` may be NULL: an AMQP message of which nothing is
 * said. `out_delivery` may be NULL; it gets 0 for a delivery that is settled by being sent. The rest is as for
 * `ferrion_sender_send`.
 */
ferrion_status ferrion_sender_send_with(ferrion_engine_t *engine,
                                        ferrion_link_t link,
                                        const uint8_t *tag,
                                        size_t tag_len,
                                        const uint8_t *data,
                                        size_t len,
                                        const ferrion_send_options_t *options,
                                        ferrion_delivery_t *out_delivery);

/**
 * Encodes a message and sends it. `options` may be NULL. `out_delivery` may be NULL; it gets 0 for a delivery that is
 * settled by being sent. The rest is as for `ferrion_sender_send`. FERRION_INVALID_ARGUMENT also: the options tell of
 * another format than that of AMQP messages.
 *
 * A message that was received or decoded, and not changed since, is sent as it is. From `FERRION_LIMIT_CHAIN_OCTETS` on
 * its octets are not copied but shared, by any number of sends on any engines, and stay for as long as one of them, or
 * this object, needs them. The object may be changed, used again or freed at once.
 */
ferrion_status ferrion_sender_send_message(ferrion_engine_t *engine,
                                           ferrion_link_t link,
                                           const uint8_t *tag,
                                           size_t tag_len,
                                           const ferrion_message_t *message,
                                           const ferrion_send_options_t *options,
                                           ferrion_delivery_t *out_delivery);

/**
 * Begins a delivery whose payload follows in parts: `ferrion_sender_write` adds to it, `ferrion_sender_finish` or
 * `ferrion_sender_abort` end it. Parameters are those of `ferrion_sender_send_with`.
 */
ferrion_status ferrion_sender_stream(ferrion_engine_t *engine,
                                     ferrion_link_t link,
                                     const uint8_t *tag,
                                     size_t tag_len,
                                     const ferrion_send_options_t *options,
                                     ferrion_delivery_t *out_delivery);

/**
 * Adds octets to a delivery that was begun with `ferrion_sender_stream`. They are copied. To bound what waits, look at
 * `ferrion_sender_queued_octets`.
 */
ferrion_status ferrion_sender_write(ferrion_engine_t *engine,
                                    ferrion_link_t link,
                                    ferrion_delivery_t delivery,
                                    const uint8_t *data,
                                    size_t len);

/**
 * A delivery that was begun with `ferrion_sender_stream` is complete.
 */
ferrion_status ferrion_sender_finish(ferrion_engine_t *engine,
                                     ferrion_link_t link,
                                     ferrion_delivery_t delivery);

/**
 * Calls off a delivery that was begun with `ferrion_sender_stream`.
 */
ferrion_status ferrion_sender_abort(ferrion_engine_t *engine,
                                    ferrion_link_t link,
                                    ferrion_delivery_t delivery);

/**
 * Tells the receiver the state of a delivery at this side, without settling it. The state is a described value; see
 * `ferrion_value_put_accepted` and its like.
 */
ferrion_status ferrion_sender_update(ferrion_engine_t *engine,
                                     ferrion_link_t link,
                                     ferrion_delivery_t delivery,
                                     const ferrion_value_t *state);

/**
 * Settles a delivery: it is forgotten here.
 */
ferrion_status ferrion_sender_settle(ferrion_engine_t *engine,
                                     ferrion_link_t link,
                                     ferrion_delivery_t delivery);

/**
 * Settles a delivery with a state of this side's, which may be NULL.
 */
ferrion_status ferrion_sender_settle_as(ferrion_engine_t *engine,
                                        ferrion_link_t link,
                                        ferrion_delivery_t delivery,
                                        const ferrion_value_t *state);

/**
 * Messages that can be sent at once.
 */
ferrion_status ferrion_sender_credit(ferrion_engine_t *engine, ferrion_link_t link, uint32_t *out_n);

/**
 * Messages that were sent by calls and have not left yet.
 */
ferrion_status ferrion_sender_queued(ferrion_engine_t *engine, ferrion_link_t link, uint32_t *out_n);

/**
 * Octets of payload that were sent by calls and have not left yet.
 */
ferrion_status ferrion_sender_queued_octets(ferrion_engine_t *engine, ferrion_link_t link, size_t *out_n);

/**
 * Whether a delivery that was sent waits here, whole or in part, for the session's window or the transport.
 * FERRION_STALE_HANDLE: it is settled and forgotten already.
 */
ferrion_status ferrion_engine_is_queued(const ferrion_engine_t *engine,
                                        ferrion_delivery_t delivery,
                                        bool *out_queued);

/**
 * Whether the receiver asks to have its credit used up or given back.
 */
ferrion_status ferrion_sender_is_draining(ferrion_engine_t *engine, ferrion_link_t link, bool *out_draining);

/**
 * Gives back the credit that is not used, in answer to a drain.
 */
ferrion_status ferrion_sender_drained(ferrion_engine_t *engine, ferrion_link_t link);

/**
 * Answers a begin of the peer's. `config` may be NULL. FERRION_STATE: it was answered before.
 */
ferrion_status ferrion_session_accept(ferrion_engine_t *engine,
                                      ferrion_session_t session,
                                      const ferrion_session_config_t *config);

/**
 * Ends the session and the links on it, after what could be sent was sent. The condition, its text for people and its
 * map may be NULL.
 */
ferrion_status ferrion_session_end(ferrion_engine_t *engine,
                                   ferrion_session_t session,
                                   const char *condition,
                                   const char *description,
                                   const ferrion_value_t *info);

/**
 * Attaches a link that sends. FERRION_DUPLICATE: there is one of this name; FERRION_LIMIT: no more fit on the session.
 */
ferrion_status ferrion_session_attach_sender(ferrion_engine_t *engine,
                                             ferrion_session_t session,
                                             const ferrion_link_config_t *config,
                                             ferrion_link_t *out_link);

/**
 * Attaches a link that receives. FERRION_DUPLICATE: there is one of this name; FERRION_LIMIT: no more fit on the
 * session.
 */
ferrion_status ferrion_session_attach_receiver(ferrion_engine_t *engine,
                                               ferrion_session_t session,
                                               const ferrion_link_config_t *config,
                                               ferrion_link_t *out_link);

/**
 * Attaches a link again, with what an earlier endpoint of it left. See `ferrion_link_state_t`.
 */
ferrion_status ferrion_session_resume(ferrion_engine_t *engine,
                                      ferrion_session_t session,
                                      const ferrion_link_state_t *state,
                                      ferrion_link_t *out_link);

/**
 * Whether the peer began it and it has not been answered yet.
 */
ferrion_status ferrion_session_is_incoming(ferrion_engine_t *engine,
                                           ferrion_session_t session,
                                           bool *out_incoming);

/**
 * Whether both sides have begun it and neither has ended it.
 */
ferrion_status ferrion_session_is_begun(ferrion_engine_t *engine, ferrion_session_t session, bool *out_begun);

/**
 * A field of the peer's begin; one that it left out has its default. `field` is a `ferrion_begin_field`.
 * FERRION_ABSENT: the begin has not arrived, or does not have it.
 */
ferrion_status ferrion_session_remote(ferrion_engine_t *engine,
                                      ferrion_session_t session,
                                      int32_t field,
                                      ferrion_value_t *out_value);

/**
 * The error that ended it, and whether the peer found it. Each result may be NULL. FERRION_ABSENT: none.
 *
 * Borrowed until: the next call on this engine.
 */
ferrion_status ferrion_session_error(ferrion_engine_t *engine,
                                     ferrion_session_t session,
                                     bool *out_remote,
                                     ferrion_bytes_t *out_condition,
                                     ferrion_bytes_t *out_description,
                                     ferrion_value_t *out_info);

/**
 * Transfer frames that may be sent before the peer opens its window again.
 */
ferrion_status ferrion_session_outgoing_window(ferrion_engine_t *engine,
                                               ferrion_session_t session,
                                               uint32_t *out_n);

/**
 * Transfer frames that the peer said it would send next.
 */
ferrion_status ferrion_session_remote_outgoing_window(ferrion_engine_t *engine,
                                                      ferrion_session_t session,
                                                      uint32_t *out_n);

/**
 * Deliveries that were sent and are not settled.
 */
ferrion_status ferrion_session_unsettled_outgoing(ferrion_engine_t *engine,
                                                  ferrion_session_t session,
                                                  uint32_t *out_n);

/**
 * Deliveries that arrived and are not settled.
 */
ferrion_status ferrion_session_unsettled_incoming(ferrion_engine_t *engine,
                                                  ferrion_session_t session,
                                                  uint32_t *out_n);

/**
 * A configuration with a default for everything.
 */
ferrion_session_config_t *ferrion_session_config_new(void);

/**
 * Frees it.
 */
void ferrion_session_config_free(ferrion_session_config_t *config);

/**
 * Makes it the same as another one.
 */
ferrion_status ferrion_session_config_copy(ferrion_session_config_t *config,
                                           const ferrion_session_config_t *source);

/**
 * A field as a value of the type it has on the wire. `field` is a `ferrion_session_field`. FERRION_ABSENT: it is not
 * set.
 */
ferrion_status ferrion_session_config_get(const ferrion_session_config_t *config,
                                          int32_t field,
                                          ferrion_value_t *out_value);

/**
 * Sets a field from a value of the type it has on the wire. `field` is a `ferrion_session_field`. A null, or no value
 * at all, removes an optional field.
 */
ferrion_status ferrion_session_config_set(ferrion_session_config_t *config,
                                          int32_t field,
                                          const ferrion_value_t *value);

/**
 * A field that is a number, a mode or a bool (0 or 1). `field` is a `ferrion_session_field`. FERRION_ABSENT: it is not
 * set.
 */
ferrion_status ferrion_session_config_number(const ferrion_session_config_t *config,
                                             int32_t field,
                                             uint64_t *out_number);

/**
 * Sets a field that is a number, a mode or a bool (0 or 1). `field` is a `ferrion_session_field`.
 */
ferrion_status ferrion_session_config_set_number(ferrion_session_config_t *config,
                                                 int32_t field,
                                                 uint64_t number);

/**
 * Sets a field that is a string, or symbols to this one. `field` is a `ferrion_session_field`. NULL removes an
 * optional field.
 */
ferrion_status ferrion_session_config_set_text(ferrion_session_config_t *config,
                                               int32_t field,
                                               const char *text);

/**
 * The state that came with the delivery or the update that was taken last, whole: a described value. FERRION_ABSENT:
 * it had none.
 */
ferrion_status ferrion_engine_state(const ferrion_engine_t *engine,
                                    ferrion_value_t *out_value);

/**
 * The reason of the rejection that was taken last, in a transaction too. Each result may be NULL. FERRION_ABSENT:
 * there is none.
 *
 * Borrowed until: the next call on this engine.
 */
ferrion_status ferrion_engine_state_condition(ferrion_engine_t *engine,
                                              ferrion_bytes_t *out_condition,
                                              ferrion_bytes_t *out_description,
                                              ferrion_value_t *out_info);

/**
 * Appends the delivery state `received`: how much of a message has arrived (3.4.1).
 */
ferrion_status ferrion_value_put_received(ferrion_value_t *value,
                                          uint32_t section_number,
                                          uint64_t section_offset);

/**
 * Appends the outcome `accepted` (3.4.2).
 */
ferrion_status ferrion_value_put_accepted(ferrion_value_t *value);

/**
 * Appends the outcome `rejected` (3.4.3). The condition, its text for people and its map may be NULL.
 */
ferrion_status ferrion_value_put_rejected(ferrion_value_t *value,
                                          const char *condition,
                                          const char *description,
                                          const ferrion_value_t *info);

/**
 * Appends the outcome `released` (3.4.4).
 */
ferrion_status ferrion_value_put_released(ferrion_value_t *value);

/**
 * Appends the outcome `modified` (3.4.5): whether the attempt counts as `failed`, whether it should not come `here`
 * again, and a map of annotations to add, which may be NULL.
 */
ferrion_status ferrion_value_put_modified(ferrion_value_t *value,
                                          bool failed,
                                          bool not_here,
                                          const ferrion_value_t *annotations);

/**
 * Appends the outcome `declared`: the name of a transaction that was made (4.5.5).
 */
ferrion_status ferrion_value_put_declared(ferrion_value_t *value, const uint8_t *data, size_t len);

/**
 * Appends the delivery state `transactional-state` (4.5.8): the name of the transaction, and the outcome within it,
 * which may be NULL.
 */
ferrion_status ferrion_value_put_transactional(ferrion_value_t *value,
                                               const uint8_t *data,
                                               size_t len,
                                               const ferrion_value_t *outcome);

/**
 * A message with the body null and nothing else.
 */
ferrion_message_t *ferrion_message_new(void);

/**
 * Frees the message.
 */
void ferrion_message_free(ferrion_message_t *message);

/**
 * Makes this a new message. The room that it took stays for what comes.
 */
ferrion_status ferrion_message_clear(ferrion_message_t *message);

/**
 * Makes this message the same as another one.
 */
ferrion_status ferrion_message_copy(ferrion_message_t *message, const ferrion_message_t *source);

/**
 * The message as AMQP 1.0 encodes it. Sections that were received and not changed are the octets that were received.
 *
 * Borrowed until: the next call on this object.
 */
ferrion_status ferrion_message_encode(ferrion_message_t *message,
                                      ferrion_bytes_t *out_data);

/**
 * Makes this message the one that is encoded here. If the octets are no message, it stays what it was. A message without a body is none
 * (3.2); `ferrion_message_decode_lenient` takes it.
 */
ferrion_status ferrion_message_decode(ferrion_message_t *message,
                                      const uint8_t *data,
                                      size_t len);

/**
 * As `ferrion_message_decode`, but a message without a body is taken as one with the body null. Some peers leave it out of messages
 * that have no content; `ferrion_messenger_get` takes those too.
 */
ferrion_status ferrion_message_decode_lenient(ferrion_message_t *message,
                                              const uint8_t *data,
                                              size_t len);

/**
 * Any field of the header or the properties, as a value of the type it has on the wire. `field` is a `ferrion_field`.
 * FERRION_ABSENT: the message does not have it.
 */
ferrion_status ferrion_message_get(const ferrion_message_t *message,
                                   int32_t field,
                                   ferrion_value_t *out_value);

/**
 * Sets any field of the header or the properties. `field` is a `ferrion_field`; the value is of the type it has on the
 * wire. A null, or no value at all, removes the field.
 */
ferrion_status ferrion_message_set(ferrion_message_t *message,
                                   int32_t field,
                                   const ferrion_value_t *value);

/**
 * The body. FERRION_BODY_VALUE: one value. FERRION_BODY_DATA: a binary for each section. FERRION_BODY_SEQUENCE: a list for
 * each section.
 */
ferrion_status ferrion_message_body(const ferrion_message_t *message,
                                    ferrion_body *out_kind,
                                    ferrion_value_t *out_value);

/**
 * Sets the body. `kind` is a `ferrion_body`, and the values are as `ferrion_message_body` gives them.
 */
ferrion_status ferrion_message_set_body(ferrion_message_t *message,
                                        int32_t kind,
                                        const ferrion_value_t *value);

/**
 * Makes the body one string.
 */
ferrion_status ferrion_message_set_body_text(ferrion_message_t *message, const char *text);

/**
 * Makes the body one data section of these octets.
 */
ferrion_status ferrion_message_set_body_data(ferrion_message_t *message, const uint8_t *data, size_t len);

/**
 * The octets of a body that is a string, a binary or data (several sections are joined). FERRION_WRONG_TYPE: it is
 * something else.
 *
 * Borrowed until: the next call on this message.
 */
ferrion_status ferrion_message_body_bytes(ferrion_message_t *message,
                                          ferrion_bytes_t *out_data);

/**
 * A section that is a map. `section` is a `ferrion_section`. FERRION_ABSENT: the message does not have it.
 */
ferrion_status ferrion_message_section(const ferrion_message_t *message,
                                       int32_t section,
                                       ferrion_value_t *out_value);

/**
 * Sets a section that is a map. `section` is a `ferrion_section`; the value is one map. No value at all removes the
 * section.
 */
ferrion_status ferrion_message_set_section(ferrion_message_t *message,
                                           int32_t section,
                                           const ferrion_value_t *value);

/**
 * One of the application's properties. FERRION_ABSENT: the message does not have it.
 */
ferrion_status ferrion_message_property(const ferrion_message_t *message,
                                        const char *name,
                                        ferrion_value_t *out_value);

/**
 * Sets one of the application's properties; the value is a single one.
 */
ferrion_status ferrion_message_set_property(ferrion_message_t *message,
                                            const char *name,
                                            const ferrion_value_t *value);

/**
 * Sets one of the application's properties to a string.
 */
ferrion_status ferrion_message_set_property_text(ferrion_message_t *message,
                                                 const char *name,
                                                 const char *text);

/**
 * The address of the node that the message is for. FERRION_ABSENT: it has none.
 *
 * Borrowed until: the next call that changes this message.
 */
ferrion_status ferrion_message_address(const ferrion_message_t *message, ferrion_bytes_t *out_text);

/**
 * Sets the address of the node that the message is for. NULL removes it.
 */
ferrion_status ferrion_message_set_address(ferrion_message_t *message, const char *text);

/**
 * What the message is about. FERRION_ABSENT: it has none.
 *
 * Borrowed until: the next call that changes this message.
 */
ferrion_status ferrion_message_subject(const ferrion_message_t *message, ferrion_bytes_t *out_text);

/**
 * Sets what the message is about. NULL removes it.
 */
ferrion_status ferrion_message_set_subject(ferrion_message_t *message, const char *text);

/**
 * The address of the node that replies go to. FERRION_ABSENT: it has none.
 *
 * Borrowed until: the next call that changes this message.
 */
ferrion_status ferrion_message_reply_to(const ferrion_message_t *message, ferrion_bytes_t *out_text);

/**
 * Sets the address of the node that replies go to. NULL removes it.
 */
ferrion_status ferrion_message_set_reply_to(ferrion_message_t *message, const char *text);

/**
 * The group that the message belongs to. FERRION_ABSENT: it has none.
 *
 * Borrowed until: the next call that changes this message.
 */
ferrion_status ferrion_message_group_id(const ferrion_message_t *message, ferrion_bytes_t *out_text);

/**
 * Sets the group that the message belongs to. NULL removes it.
 */
ferrion_status ferrion_message_set_group_id(ferrion_message_t *message, const char *text);

/**
 * The group that replies belong to. FERRION_ABSENT: it has none.
 *
 * Borrowed until: the next call that changes this message.
 */
ferrion_status ferrion_message_reply_to_group_id(const ferrion_message_t *message, ferrion_bytes_t *out_text);

/**
 * Sets the group that replies belong to. NULL removes it.
 */
ferrion_status ferrion_message_set_reply_to_group_id(ferrion_message_t *message, const char *text);

/**
 * The MIME type of a body of data. FERRION_ABSENT: not said.
 *
 * Borrowed until: the next call that changes this message.
 */
ferrion_status ferrion_message_content_type(const ferrion_message_t *message, ferrion_bytes_t *out_text);

/**
 * Sets the MIME type of a body of data; ASCII. NULL removes it.
 */
ferrion_status ferrion_message_set_content_type(ferrion_message_t *message, const char *text);

/**
 * The encodings that were applied to the body on top of its type. FERRION_ABSENT: not said.
 *
 * Borrowed until: the next call that changes this message.
 */
ferrion_status ferrion_message_content_encoding(const ferrion_message_t *message, ferrion_bytes_t *out_text);

/**
 * Sets the encodings that were applied to the body on top of its type; ASCII. NULL removes it.
 */
ferrion_status ferrion_message_set_content_encoding(ferrion_message_t *message, const char *text);

/**
 * The identity of the user that made the message. FERRION_ABSENT: not said.
 *
 * Borrowed until: the next call that changes this message.
 */
ferrion_status ferrion_message_user_id(const ferrion_message_t *message, ferrion_bytes_t *out_data);

/**
 * Sets the identity of the user that made the message.
 */
ferrion_status ferrion_message_set_user_id(ferrion_message_t *message, const uint8_t *data, size_t len);

/**
 * Whether the message must survive a crash of the node it is on; false unless set.
 */
ferrion_status ferrion_message_durable(const ferrion_message_t *message, bool *out_durable);

/**
 * Sets whether the message must survive a crash of the node it is on.
 */
ferrion_status ferrion_message_set_durable(ferrion_message_t *message, bool durable);

/**
 * Whether no other receiver has acquired the message before; false unless set.
 */
ferrion_status ferrion_message_first_acquirer(const ferrion_message_t *message, bool *out_first);

/**
 * Sets whether no other receiver has acquired the message before.
 */
ferrion_status ferrion_message_set_first_acquirer(ferrion_message_t *message, bool first);

/**
 * The priority of the message; higher ones may overtake; 4 unless set.
 */
ferrion_status ferrion_message_priority(const ferrion_message_t *message, uint8_t *out_priority);

/**
 * Sets the priority of the message.
 */
ferrion_status ferrion_message_set_priority(ferrion_message_t *message, uint8_t priority);

/**
 * How many deliveries of the message failed before; 0 unless set.
 */
ferrion_status ferrion_message_delivery_count(const ferrion_message_t *message, uint32_t *out_n);

/**
 * Sets how many deliveries of the message failed before.
 */
ferrion_status ferrion_message_set_delivery_count(ferrion_message_t *message, uint32_t n);

/**
 * How long the message is worth delivering, in milliseconds. FERRION_ABSENT: it does not age.
 */
ferrion_status ferrion_message_ttl(const ferrion_message_t *message, uint32_t *out_milliseconds);

/**
 * Sets how long the message is worth delivering, in milliseconds. `ferrion_message_set` can remove it.
 */
ferrion_status ferrion_message_set_ttl(ferrion_message_t *message, uint32_t milliseconds);

/**
 * The time when the message expires, in milliseconds since 1970-01-01T00:00Z. FERRION_ABSENT: it does not expire.
 */
ferrion_status ferrion_message_expiry_time(const ferrion_message_t *message,
                                           int64_t *out_milliseconds);

/**
 * Sets the time when the message expires, in milliseconds since 1970-01-01T00:00Z. `ferrion_message_set` can remove it.
 */
ferrion_status ferrion_message_set_expiry_time(ferrion_message_t *message,
                                               int64_t milliseconds);

/**
 * The time when the message was made, in milliseconds since 1970-01-01T00:00Z. FERRION_ABSENT: not said.
 */
ferrion_status ferrion_message_creation_time(const ferrion_message_t *message, int64_t *out_milliseconds);

/**
 * Sets the time when the message was made, in milliseconds since 1970-01-01T00:00Z. `ferrion_message_set` can remove it.
 */
ferrion_status ferrion_message_set_creation_time(ferrion_message_t *message,
                                                 int64_t milliseconds);

/**
 * The place of the message in its group. FERRION_ABSENT: not said.
 */
ferrion_status ferrion_message_group_sequence(const ferrion_message_t *message, uint32_t *out_n);

/**
 * Sets the place of the message in its group. `ferrion_message_set` can remove it.
 */
ferrion_status ferrion_message_set_group_sequence(ferrion_message_t *message, uint32_t n);

/**
 * No messages, and room for some.
 */
ferrion_messages_t *ferrion_messages_new(void);

/**
 * Frees the messages.
 */
void ferrion_messages_free(ferrion_messages_t *messages);

/**
 * Removes all messages. The room that they took stays for what comes.
 */
ferrion_status ferrion_messages_clear(ferrion_messages_t *messages);

/**
 * Appends a copy of a message.
 */
ferrion_status ferrion_messages_add(ferrion_messages_t *messages, const ferrion_message_t *message);

/**
 * How many messages there are.
 */
ferrion_status ferrion_messages_count(const ferrion_messages_t *messages, size_t *out_n);

/**
 * Makes `message` the same as the one at `index`, which is 0 for the first. FERRION_END: there are fewer.
 */
ferrion_status ferrion_messages_get(const ferrion_messages_t *messages,
                                    size_t index,
                                    ferrion_message_t *message);

/**
 * The tracker that the message at `index` was last put or got with. FERRION_ABSENT: it was neither. FERRION_END: there are
 * fewer messages.
 */
ferrion_status ferrion_messages_tracker(const ferrion_messages_t *messages,
                                        size_t index,
                                        ferrion_tracker_t *out_tracker);

/**
 * A messenger. `name` is the one that peers see, and by which they can reply; NULL gives it a random one. NULL is
 * returned if the system lacks what it needs; `ferrion_last_error` says what.
 */
ferrion_messenger_t *ferrion_messenger_new(const char *name);

/**
 * Frees the messenger. Connections end abruptly, and what is unsent is lost: call `ferrion_messenger_stop` first.
 */
void ferrion_messenger_free(ferrion_messenger_t *messenger);

/**
 * The name that peers see.
 *
 * Borrowed until: the messenger is freed.
 */
ferrion_status ferrion_messenger_name(const ferrion_messenger_t *messenger, ferrion_bytes_t *out_text);

/**
 * Begins to work. Nothing needs it but checked routes (`ferrion_messenger_set_check_routes`), which it tries: it connects
 * to where they lead, and waits until all of those peers have answered, or it is known why one cannot.
 *
 * Without checked routes it succeeds. FERRION_CONNECT, FERRION_TLS, FERRION_LOGIN and the like: a route leads nowhere, for
 * this reason. FERRION_TIMEOUT, and FERRION_WOULD_BLOCK in non-blocking mode: call again.
 */
ferrion_status ferrion_messenger_start(ferrion_messenger_t *messenger);

/**
 * Sends what is unsent, closes all connections in order and forgets all subscriptions. Takes no longer than the
 * timeout, or 10 seconds if there is none. The messenger can be used again.
 *
 * Messages that came and were not taken are given back to their senders; those that were sent settled, which nobody else has
 * any more, stay for `ferrion_messenger_get`.
 *
 * FERRION_UNSENT: messages were given up; their trackers say ABORTED, and why. FERRION_CONNECT, FERRION_LOST, FERRION_SEND and
 * what else `ferrion_messenger_send` has to tell, if it was not called for it: messages were lost before. FERRION_INTERRUPTED:
 * while messages were sent, and nothing is closed yet; go on, or call again. FERRION_WOULD_BLOCK, in non-blocking mode:
 * call `ferrion_messenger_work`, then this again; in passive mode nothing has left and nothing is closed until then.
 * FERRION_SYSTEM: the system's poll failed.
 */
ferrion_status ferrion_messenger_stop(ferrion_messenger_t *messenger);

/**
 * Whether there are neither connections nor listeners.
 */
ferrion_status ferrion_messenger_stopped(const ferrion_messenger_t *messenger, bool *out_stopped);

/**
 * Waits until `n` messages fewer are unsent than now; a negative `n` waits for all. A message is sent when it is
 * acknowledged, or, with an outgoing window of 0, when the system has taken it.
 *
 * FERRION_CONNECT, FERRION_TLS, FERRION_WEBSOCKET, FERRION_LOGIN, FERRION_LOST, FERRION_REMOTE or FERRION_SEND: messages were lost
 * for this reason; their trackers say ABORTED. FERRION_TIMEOUT: not everything was acknowledged in time; it is still being sent.
 * FERRION_WOULD_BLOCK in non-blocking and passive mode: call `ferrion_messenger_work`, then again. FERRION_INTERRUPTED: messages
 * are still being sent. FERRION_SYSTEM: the system's poll failed.
 */
ferrion_status ferrion_messenger_send(ferrion_messenger_t *messenger,
                                      int32_t n);

/**
 * Lets `n` messages come, and waits until at least one is there. `n` may be a `ferrion_credit`, and 0 lets no more come and
 * does not wait. Each call replaces what the one before it asked for.
 *
 * FERRION_CONNECT, FERRION_TLS, FERRION_WEBSOCKET, FERRION_LOGIN, FERRION_LOST, FERRION_REMOTE, FERRION_SUBSCRIBE or
 * FERRION_LISTEN: a subscription was lost, or could not be made, and no message waits; the next call tries again. FERRION_STATE:
 * there is nothing from which messages could come. FERRION_TIMEOUT: nothing came in time; what was asked for is still let come.
 * FERRION_WOULD_BLOCK in non-blocking and passive mode: nothing is there yet; call `ferrion_messenger_work`, then again.
 * FERRION_INTERRUPTED: the call was ended, also if messages wait. FERRION_SYSTEM: the system's poll failed.
 */
ferrion_status ferrion_messenger_recv(ferrion_messenger_t *messenger,
                                      int32_t n);

/**
 * Does network work until something happened, at most for this long; negative is for ever. Tells whether anything
 * did: octets came or left, or a time was over, of a connection, of a request or of a stop that was begun. `out_worked`
 * may be NULL.
 */
ferrion_status ferrion_messenger_work(ferrion_messenger_t *messenger,
                                      int64_t milliseconds,
                                      bool *out_worked);

/**
 * Makes the call that waits on this messenger, or else the next one that would, answer FERRION_INTERRUPTED. May be
 * called from another thread and from a signal handler, as long as the messenger is not being freed; a
 * `ferrion_interrupter_t` has not even that limit.
 */
ferrion_status ferrion_messenger_interrupt(const ferrion_messenger_t *messenger);

/**
 * What went wrong last at an address, for a person: with the connection to its host and port, or with the link to or from
 * its name; of a listening address, why it cannot be listened on. Routes are applied first. The newest 1,024 addresses
 * are kept, also where all is well again since. FERRION_ABSENT, here and below: nothing went wrong. FERRION_ADDRESS: the
 * address cannot be understood.
 *
 * Borrowed until: the next call on this messenger.
 */
ferrion_status ferrion_messenger_address_reason(ferrion_messenger_t *messenger,
                                                const char *address,
                                                ferrion_bytes_t *out_text);

/**
 * The status that this reason has as a failure: FERRION_CONNECT where no connection could be made, for example.
 */
ferrion_status ferrion_messenger_address_status(const ferrion_messenger_t *messenger,
                                                const char *address,
                                                ferrion_status *out_status);

/**
 * The error condition that the peer gave as its reason, "amqp:not-found" for example. FERRION_ABSENT: it gave none.
 *
 * Borrowed until: the next call on this messenger.
 */
ferrion_status ferrion_messenger_address_condition(const ferrion_messenger_t *messenger,
                                                   const char *address,
                                                   ferrion_bytes_t *out_text);

/**
 * After how many milliseconds of silence the peer at an address gives the connection up, as it said when it opened it.
 * Routes are applied first, and no connection is made. FERRION_ABSENT: it never does, or there is no connection to that
 * host and port. FERRION_ADDRESS: the address cannot be understood.
 */
ferrion_status ferrion_messenger_remote_idle_time_out(const ferrion_messenger_t *messenger,
                                                      const char *address,
                                                      int64_t *out_milliseconds);

/**
 * Puts those of the messages that were not put yet, one after the other, as `ferrion_messenger_put` does;
 * `ferrion_messages_tracker` has the tracker of each afterwards.
 *
 * The failures are those of `ferrion_messenger_put`, of the first message that cannot be put. Those before it are: after
 * FERRION_OVERFLOW and some work, the same call puts the rest.
 */
ferrion_status ferrion_messenger_put_many(ferrion_messenger_t *messenger,
                                          ferrion_messages_t *messages);

/**
 * Gets up to `most` messages, at least one, in place of what `messages` were. The tracker of the last is, with
 * FERRION_CUMULATIVE, for all of them, if the incoming window holds them. `out_last` may be NULL.
 *
 * The failures are those of `ferrion_messenger_get`, of the first message that cannot be got. FERRION_END: none waits.
 * FERRION_DECODE: those before it are in `messages`, and `ferrion_messenger_incoming_tracker` is that of the last.
 */
ferrion_status ferrion_messenger_get_many(ferrion_messenger_t *messenger,
                                          ferrion_messages_t *messages,
                                          size_t most,
                                          ferrion_tracker_t *out_last);

/**
 * Puts a message that is encoded already, for an address that need not be the one it carries. Nothing in it is changed, and
 * what is in its sections is not looked at. `out_tracker` may be NULL.
 *
 * FERRION_ADDRESS, FERRION_OVERFLOW: as for `ferrion_messenger_put`. FERRION_DECODE: the octets are not the sections of
 * a message.
 */
ferrion_status ferrion_messenger_put_encoded(ferrion_messenger_t *messenger,
                                             const char *address,
                                             const uint8_t *data,
                                             size_t len,
                                             ferrion_tracker_t *out_tracker);

/**
 * Sends a message on to another address. No section is decoded for it, and nothing is changed but what the caller changed
 * since it was got: not even the address that it carries. `out_tracker` may be NULL.
 *
 * The failures are those of `ferrion_messenger_put`.
 */
ferrion_status ferrion_messenger_forward(ferrion_messenger_t *messenger,
                                         const ferrion_message_t *message,
                                         const char *address,
                                         ferrion_tracker_t *out_tracker);

/**
 * Room for events.
 */
ferrion_connection_events_t *ferrion_connection_events_new(void);

/**
 * Frees the events.
 */
void ferrion_connection_events_free(ferrion_connection_events_t *events);

/**
 * Takes up to `most` of what happened to connections since the last time, at least one, in place of what `events` were. A
 * messenger keeps the newest 1,024, and all peers that still receive. FERRION_END: nothing happened; `events` stay as they were.
 */
ferrion_status ferrion_messenger_poll_connection_events(ferrion_messenger_t *messenger,
                                                        ferrion_connection_events_t *events,
                                                        size_t most);

/**
 * Steps to the next event. FERRION_END: there is none.
 */
ferrion_status ferrion_connection_events_next(ferrion_connection_events_t *events);

/**
 * What happened. FERRION_STATE, here and in what follows: no event is looked at; call `ferrion_connection_events_next` first.
 */
ferrion_status ferrion_connection_events_kind(const ferrion_connection_events_t *events,
                                              ferrion_connection_event *out_kind);

/**
 * Where the connection goes to, or of a link, the node at the peer; where it is sent elsewhere, the node there. Of a peer that
 * receives, where to put messages for its link: when it has left, that fails with FERRION_SEND. FERRION_ABSENT: nowhere in
 * particular.
 *
 * Borrowed until: the next call on these events.
 */
ferrion_status ferrion_connection_events_address(const ferrion_connection_events_t *events,
                                                 ferrion_bytes_t *out_text);

/**
 * Of a peer that receives: what it calls itself. FERRION_ABSENT: it is not one.
 *
 * Borrowed until: the next call on these events.
 */
ferrion_status ferrion_connection_events_container(const ferrion_connection_events_t *events,
                                                   ferrion_bytes_t *out_text);

/**
 * Of a peer that receives: the node that it asked for, or that was made up as it asked for one. May be empty.
 * FERRION_ABSENT: it is not one.
 *
 * Borrowed until: the next call on these events.
 */
ferrion_status ferrion_connection_events_node(const ferrion_connection_events_t *events,
                                              ferrion_bytes_t *out_text);

/**
 * Why it failed, was given up or is sent elsewhere, for a person. FERRION_ABSENT, here and below: it did not.
 *
 * Borrowed until: the next call on these events.
 */
ferrion_status ferrion_connection_events_reason(ferrion_connection_events_t *events,
                                                ferrion_bytes_t *out_text);

/**
 * The status that this reason has as a failure.
 */
ferrion_status ferrion_connection_events_status(const ferrion_connection_events_t *events,
                                                ferrion_status *out_status);

/**
 * The error condition that the peer gave as its reason, "amqp:connection:forced" for example. FERRION_ABSENT: it gave none.
 *
 * Borrowed until: the next call on these events.
 */
ferrion_status ferrion_connection_events_condition(const ferrion_connection_events_t *events,
                                                   ferrion_bytes_t *out_text);

/**
 * Of a connection that will be made again: how many attempts have failed since a message last got through. FERRION_ABSENT,
 * here and below: it is not one.
 */
ferrion_status ferrion_connection_events_failures(const ferrion_connection_events_t *events,
                                                  uint32_t *out_n);

/**
 * In how many milliseconds the next attempt will be made.
 */
ferrion_status ferrion_connection_events_delay(const ferrion_connection_events_t *events,
                                               uint64_t *out_milliseconds);

/**
 * Of a link that was recovered: of how many messages both sides knew. FERRION_ABSENT: it was not.
 */
ferrion_status ferrion_connection_events_resumed(const ferrion_connection_events_t *events, uint32_t *out_n);

/**
 * Of a link that was, or was to be recovered: how many messages are sent again. On one that was, they had not arrived;
 * otherwise the peer may have had them already. FERRION_ABSENT: it was not to be recovered.
 */
ferrion_status ferrion_connection_events_sent_again(const ferrion_connection_events_t *events,
                                                    uint32_t *out_n);

/**
 * Of a link that the peer has forgotten: of how many messages from it nothing was decided, and cannot be any more.
 * FERRION_ABSENT: it has not.
 */
ferrion_status ferrion_connection_events_aborted(const ferrion_connection_events_t *events,
                                                 uint32_t *out_n);

/**
 * What can interrupt this messenger. It is freed by itself, before or after the messenger.
 */
ferrion_interrupter_t *ferrion_interrupter_new(const ferrion_messenger_t *messenger);

/**
 * Frees the interrupter.
 */
void ferrion_interrupter_free(ferrion_interrupter_t *interrupter);

/**
 * Makes the call that waits on the messenger, or else the next one that would, answer FERRION_INTERRUPTED. If the
 * messenger is gone, nothing happens.
 */
ferrion_status ferrion_interrupter_interrupt(const ferrion_interrupter_t *interrupter);

/**
 * Sets the user and the password for addresses that carry none. Either may be NULL. They go by SCRAM, which shows the
 * password to nobody, where the peer offers it, or else by PLAIN; that one without TLS only to this machine, unless
 * `ferrion_messenger_set_allow_plain_without_tls` says otherwise.
 */
ferrion_status ferrion_messenger_set_credentials(ferrion_messenger_t *messenger,
                                                 const char *user,
                                                 const char *password);

/**
 * Sets an OAuth 2.0 token to log in with (OAUTHBEARER, or else XOAUTH2) to addresses that carry no password; NULL is none.
 * The user is that of `ferrion_messenger_set_credentials`, or none. Tokens expire: set the next one in time, because
 * connections are made again with the last one that was set.
 */
ferrion_status ferrion_messenger_set_token(ferrion_messenger_t *messenger,
                                           const char *token);

/**
 * Sets whether passwords and tokens may go in clear over connections without TLS to other machines; false unless
 * set.
 */
ferrion_status ferrion_messenger_set_allow_plain_without_tls(ferrion_messenger_t *messenger,
                                                             bool allow);

/**
 * Admits a user to listening addresses, or no longer if the password is NULL. Before the first user is named
 * everyone is admitted; when the last is taken away, nobody.
 */
ferrion_status ferrion_messenger_set_listener_user(ferrion_messenger_t *messenger,
                                                   const char *user,
                                                   const char *password);

/**
 * Admits who shows this token as this user to listening addresses (OAUTHBEARER, XOAUTH2), or no longer if the token is
 * NULL. A user has one token; the empty user is for tokens that come without a user's name. They are admitted beside
 * those of `ferrion_messenger_set_listener_user`, and nobody else is, even when the last token is taken away.
 */
ferrion_status ferrion_messenger_set_listener_token(ferrion_messenger_t *messenger,
                                                    const char *user,
                                                    const char *token);

/**
 * What became of a message in the window.
 */
ferrion_status ferrion_messenger_status(const ferrion_messenger_t *messenger,
                                        ferrion_tracker_t tracker,
                                        ferrion_delivery_status *out_status);

/**
 * Why a message that was put was not accepted, for a person. FERRION_ABSENT: nothing is known against it.
 *
 * Borrowed until: the next call on this messenger.
 */
ferrion_status ferrion_messenger_reason(ferrion_messenger_t *messenger,
                                        ferrion_tracker_t tracker,
                                        ferrion_bytes_t *out_text);

/**
 * The status that the reason of `ferrion_messenger_reason` has as a failure: FERRION_CONNECT for a message that was lost
 * because no connection could be made, for example. FERRION_ABSENT: nothing is known against it.
 */
ferrion_status ferrion_messenger_reason_status(const ferrion_messenger_t *messenger,
                                               ferrion_tracker_t tracker,
                                               ferrion_status *out_status);

/**
 * The error condition with which a message that was put was refused, "amqp:not-found" for example. FERRION_ABSENT: there
 * is none.
 *
 * Borrowed until: the next call on this messenger.
 */
ferrion_status ferrion_messenger_condition(const ferrion_messenger_t *messenger,
                                           ferrion_tracker_t tracker,
                                           ferrion_bytes_t *out_text);

/**
 * The text for people that came with that condition. FERRION_ABSENT: none did.
 *
 * Borrowed until: the next call on this messenger.
 */
ferrion_status ferrion_messenger_condition_description(const ferrion_messenger_t *messenger,
                                                       ferrion_tracker_t tracker,
                                                       ferrion_bytes_t *out_text);

/**
 * The map with more that came with that condition. FERRION_ABSENT: none did.
 */
ferrion_status ferrion_messenger_condition_info(const ferrion_messenger_t *messenger,
                                                ferrion_tracker_t tracker,
                                                ferrion_value_t *out_value);

/**
 * Takes responsibility for a message that was got, and settles it. `flags` is a `ferrion_flags`.
 *
 * FERRION_UNKNOWN_TRACKER, here and in what follows: no such message was got, or it left the window, which accepted it.
 */
ferrion_status ferrion_messenger_accept(ferrion_messenger_t *messenger,
                                        ferrion_tracker_t tracker,
                                        int32_t flags);

/**
 * Refuses a message that was got as invalid, and settles it. The reason is an error condition, a text for people, and a
 * map with more for programs that know the condition; without a condition (NULL) there is none, and the other two may be
 * NULL in any case. `flags` is a `ferrion_flags`.
 */
ferrion_status ferrion_messenger_reject(ferrion_messenger_t *messenger,
                                        ferrion_tracker_t tracker,
                                        int32_t flags,
                                        const char *condition,
                                        const char *description,
                                        const ferrion_value_t *info);

/**
 * Gives a message that was got back as if it had never come, and settles it. `flags` is a `ferrion_flags`.
 */
ferrion_status ferrion_messenger_release(ferrion_messenger_t *messenger,
                                         ferrion_tracker_t tracker,
                                         int32_t flags);

/**
 * Gives a message that was got back with changes, and settles it: whether the attempt counts as `failed`, whether it
 * should not come `here` again, and a map of annotations to add, which may be NULL. `flags` is a `ferrion_flags`.
 */
ferrion_status ferrion_messenger_modify(ferrion_messenger_t *messenger,
                                        ferrion_tracker_t tracker,
                                        int32_t flags,
                                        bool failed,
                                        bool not_here,
                                        const ferrion_value_t *annotations);

/**
 * Forgets a message of either direction, whatever became of it. `flags` is a `ferrion_flags`.
 */
ferrion_status ferrion_messenger_settle(ferrion_messenger_t *messenger,
                                        ferrion_tracker_t tracker,
                                        int32_t flags);

/**
 * Whether only `ferrion_messenger_work` does network work; false unless set.
 */
ferrion_status ferrion_messenger_passive(const ferrion_messenger_t *messenger, bool *out_passive);

/**
 * Sets whether only `ferrion_messenger_work` does network work. All other calls then answer at once, with
 * FERRION_WOULD_BLOCK if they are not finished: make them again after some work. That a listening address cannot be
 * listened on is told by `ferrion_messenger_recv` then.
 *
 * A loop of the caller's needs three things: the descriptor to watch, the deadline to wake up at, and work for zero
 * milliseconds whenever one of them says so.
 *
 * ```c
 * for (;;) {
 *   struct pollfd watched = {descriptor, POLLIN, 0};
 *   ferrion_messenger_deadline(messenger, &milliseconds);
 *   poll(&watched, 1, milliseconds > INT_MAX ? INT_MAX : (int)milliseconds);
 *   ferrion_messenger_work(messenger, 0, NULL);
 *   ... recv, get, put, send: none of them does any I/O.
 * }
 * ```
 */
ferrion_status ferrion_messenger_set_passive(ferrion_messenger_t *messenger,
                                             bool passive);

/**
 * What the caller's loop is to watch: one descriptor for connections, listeners, names that are looked up and interrupts.
 * When it is readable there is something to work on, and there is nothing else to watch, writing included. It is the
 * same until the messenger is freed, belongs to it, and is not to be read from or closed.
 *
 * Loops that tell of changes only (EPOLLET) must take back that it was readable before the work, not after.
 *
 * FERRION_UNSUPPORTED: this system has nothing of the kind.
 */
ferrion_status ferrion_messenger_descriptor(const ferrion_messenger_t *messenger,
                                            int32_t *out_descriptor);

/**
 * In how many milliseconds `ferrion_messenger_work` has to be called whether or not there is news: for heartbeats,
 * time-outs, and what was put, subscribed or decided since the last time. 0 means now, and negative that nothing is due, as
 * `poll(2)` has it. It is to be asked again after each call.
 */
ferrion_status ferrion_messenger_deadline(const ferrion_messenger_t *messenger,
                                          int64_t *out_milliseconds);

/**
 * Queues a message for the address that it carries. The message is copied and can be used again. The tracker tells later
 * what became of it, if the outgoing window is larger than 0. `out_tracker` may be NULL.
 *
 * FERRION_ADDRESS: it carries no address, or none that can be understood. FERRION_OVERFLOW: too much waits to be sent
 * already, and in blocking mode still did after the timeout.
 */
ferrion_status ferrion_messenger_put(ferrion_messenger_t *messenger,
                                     const ferrion_message_t *message,
                                     ferrion_tracker_t *out_tracker);

/**
 * How many messages were put and are not sent yet, in the sense of `ferrion_messenger_send`.
 */
ferrion_status ferrion_messenger_outgoing(const ferrion_messenger_t *messenger, size_t *out_n);

/**
 * The tracker of the last message that was put. FERRION_ABSENT: none was.
 */
ferrion_status ferrion_messenger_outgoing_tracker(const ferrion_messenger_t *messenger,
                                                  ferrion_tracker_t *out_tracker);

/**
 * Whether a message that was put still waits in this process. If not, that does not mean that it arrived.
 */
ferrion_status ferrion_messenger_buffered(const ferrion_messenger_t *messenger,
                                          ferrion_tracker_t tracker,
                                          bool *out_buffered);

/**
 * Receives from an address, or with `~host[:port]` from everyone who connects there. Port 0 takes a free one;
 * `ferrion_messenger_subscription_port` tells which. `out_subscription` may be NULL.
 *
 * FERRION_LISTEN: the port is taken, or the address is not this machine's. That a remote address cannot be reached, or
 * refuses, is told by `ferrion_messenger_recv`.
 */
ferrion_status ferrion_messenger_subscribe(ferrion_messenger_t *messenger,
                                           const char *address,
                                           ferrion_subscription_t *out_subscription);

/**
 * The port that a subscription listens on. FERRION_ABSENT: it does not listen.
 */
ferrion_status ferrion_messenger_subscription_port(const ferrion_messenger_t *messenger,
                                                   ferrion_subscription_t subscription,
                                                   uint16_t *out_port);

/**
 * The address that a subscription receives from; for a dynamic node (`#`) where others can send to. FERRION_ABSENT: it
 * is not known yet.
 *
 * Borrowed until: the next call on this messenger.
 */
ferrion_status ferrion_messenger_subscription_address(ferrion_messenger_t *messenger,
                                                      ferrion_subscription_t subscription,
                                                      ferrion_bytes_t *out_text);

/**
 * How many messages wait to be got.
 */
ferrion_status ferrion_messenger_incoming(const ferrion_messenger_t *messenger, size_t *out_n);

/**
 * How many messages may still come without another `ferrion_messenger_recv`.
 */
ferrion_status ferrion_messenger_receiving(const ferrion_messenger_t *messenger, uint64_t *out_n);

/**
 * Takes the oldest message received. With an incoming window of 0 that accepts it; otherwise the tracker is for
 * `ferrion_messenger_accept` and its like. `message` may be NULL, which drops the message; `out_tracker` may be NULL.
 *
 * FERRION_END: no message waits. FERRION_DECODE: it was not an AMQP message; it is gone, and its sender told so.
 */
ferrion_status ferrion_messenger_get(ferrion_messenger_t *messenger,
                                     ferrion_message_t *message,
                                     ferrion_tracker_t *out_tracker);

/**
 * The tracker of the last message that was got. FERRION_ABSENT: none was.
 */
ferrion_status ferrion_messenger_incoming_tracker(const ferrion_messenger_t *messenger,
                                                  ferrion_tracker_t *out_tracker);

/**
 * The subscription that the last message got came by. FERRION_ABSENT: none, or a peer that we connected to sent it
 * unasked.
 */
ferrion_status ferrion_messenger_incoming_subscription(const ferrion_messenger_t *messenger,
                                                       ferrion_subscription_t *out_subscription);

/**
 * The policy that is fit for most: the first attempt after about 100 ms, each later one after twice the time of the one
 * before, up to 10 s; given up after 60 s; only for connections that were open once.
 */
ferrion_reconnect_t *ferrion_reconnect_new(void);

/**
 * Frees the policy. Messengers that were given it keep it.
 */
void ferrion_reconnect_free(ferrion_reconnect_t *reconnect);

/**
 * How many milliseconds pass before the first attempt.
 */
ferrion_status ferrion_reconnect_first_delay(const ferrion_reconnect_t *reconnect,
                                             uint64_t *out_milliseconds);

/**
 * Sets how many milliseconds pass before the first attempt.
 */
ferrion_status ferrion_reconnect_set_first_delay(ferrion_reconnect_t *reconnect, uint64_t milliseconds);

/**
 * How many milliseconds pass between attempts at most.
 */
ferrion_status ferrion_reconnect_max_delay(const ferrion_reconnect_t *reconnect, uint64_t *out_milliseconds);

/**
 * Sets how many milliseconds pass between attempts at most.
 */
ferrion_status ferrion_reconnect_set_max_delay(ferrion_reconnect_t *reconnect, uint64_t milliseconds);

/**
 * For how many milliseconds a connection may fail, without one message getting through or standing for the longest delay,
 * before it is given up with an error, and its messages with it; negative never does.
 */
ferrion_status ferrion_reconnect_give_up_after(const ferrion_reconnect_t *reconnect,
                                               int64_t *out_milliseconds);

/**
 * Sets for how many milliseconds a connection may fail before it is given up; negative never does.
 */
ferrion_status ferrion_reconnect_set_give_up_after(ferrion_reconnect_t *reconnect, int64_t milliseconds);

/**
 * Whether a connection that was never open is tried again too. If not, an address at which nobody listens is an error at
 * once.
 */
ferrion_status ferrion_reconnect_initial(const ferrion_reconnect_t *reconnect,
                                         bool *out_initial);

/**
 * Sets whether a connection that was never open is tried again too.
 */
ferrion_status ferrion_reconnect_set_initial(ferrion_reconnect_t *reconnect, bool initial);

/**
 * Makes `reconnect` the same as the policy of the messenger. FERRION_ABSENT: it has none, and lost connections are not made
 * again.
 */
ferrion_status ferrion_messenger_reconnect(const ferrion_messenger_t *messenger,
                                           ferrion_reconnect_t *reconnect);

/**
 * Sets how connections that fail are made again: behind the scenes, with their subscriptions and senders, and messages in the
 * outgoing window that were not answered are sent again. Such a message may arrive twice, never not at all. The
 * policy is copied; unless set it is what `ferrion_reconnect_new` makes. With NULL a lost connection is a failure of the next
 * `ferrion_messenger_send` or `ferrion_messenger_recv`, and its messages are ABORTED.
 */
ferrion_status ferrion_messenger_set_reconnect(ferrion_messenger_t *messenger,
                                               const ferrion_reconnect_t *reconnect);

/**
 * Sets the seed from which the delays between attempts are varied, so that a run can be repeated; it is random unless set.
 */
ferrion_status ferrion_messenger_set_reconnect_seed(ferrion_messenger_t *messenger,
                                                    uint64_t seed);

/**
 * Sets where else an address may be found, by host and port: addresses with commas between them, "node-b, node-c:5673" for
 * example, which are tried in turn if it fails. They speak its scheme, and get its user and password. Replaces what was
 * set for the address before; NULL or an empty text removes it. Concerns connections made from then on.
 *
 * FERRION_ADDRESS: one of them cannot be understood.
 */
ferrion_status ferrion_messenger_set_alternatives(ferrion_messenger_t *messenger,
                                                  const char *address,
                                                  const char *others);

/**
 * Keeps the links of lost peers for 2 minutes: 4,096 of them, with 64 MiB.
 */
ferrion_link_recovery_t *ferrion_link_recovery_new(void);

/**
 * Frees it. Messengers that were given it keep it.
 */
void ferrion_link_recovery_free(ferrion_link_recovery_t *recovery);

/**
 * For how many milliseconds the links of a peer that was lost are kept.
 */
ferrion_status ferrion_link_recovery_keep_for(const ferrion_link_recovery_t *recovery,
                                              uint64_t *out_milliseconds);

/**
 * Sets for how many milliseconds the links of a peer that was lost are kept.
 */
ferrion_status ferrion_link_recovery_set_keep_for(ferrion_link_recovery_t *recovery, uint64_t milliseconds);

/**
 * How many links are kept at most, of all lost peers together.
 */
ferrion_status ferrion_link_recovery_max_links(const ferrion_link_recovery_t *recovery, size_t *out_n);

/**
 * Sets how many links are kept at most; beyond it those lost longest ago are given up.
 */
ferrion_status ferrion_link_recovery_set_max_links(ferrion_link_recovery_t *recovery, size_t n);

/**
 * How many octets are kept with them at most.
 */
ferrion_status ferrion_link_recovery_max_octets(const ferrion_link_recovery_t *recovery, size_t *out_n);

/**
 * Sets how many octets are kept with them at most: payloads, what was said of messages where it has more than 64 octets,
 * names and termini of links, and 128 for each unsettled message and each link; beyond it those lost longest ago are given up.
 */
ferrion_status ferrion_link_recovery_set_max_octets(ferrion_link_recovery_t *recovery,
                                                    size_t n);

/**
 * Makes `recovery` the same as what the messenger was given. FERRION_ABSENT: nothing; links are not recovered.
 */
ferrion_status ferrion_messenger_link_recovery(const ferrion_messenger_t *messenger,
                                               ferrion_link_recovery_t *recovery);

/**
 * Sets that links which are made from then on are recovered after their connection was lost, so that messages arrive exactly
 * once between two sides that both want it; the one that connects also makes lost connections again, as it does unless
 * told otherwise, and sends with an outgoing window that has room for what is under way. With a peer that cannot, or has
 * forgotten, messages arrive at least once, and the connection events say so. The argument is copied; with NULL, as it is
 * unless set, links are not recovered.
 */
ferrion_status ferrion_messenger_set_link_recovery(ferrion_messenger_t *messenger,
                                                   const ferrion_link_recovery_t *recovery);

/**
 * Sets whether messages are sent settled or not, on links that are made from then on: a `ferrion_snd_settle_mode`, or -1 as
 * it is unless set. That, and mixed, is as the outgoing window has it. On links that receive it is what the sender is asked
 * to do.
 */
ferrion_status ferrion_messenger_set_snd_settle_mode(ferrion_messenger_t *messenger,
                                                     int32_t mode);

/**
 * Sets whether receivers settle first or second, on links that are made from then on: a `ferrion_rcv_settle_mode`, or -1 as
 * it is unless set. One that settles second remembers a message and its outcome until the sender has settled it. On links
 * that send it is what the receiver is asked to do.
 */
ferrion_status ferrion_messenger_set_rcv_settle_mode(ferrion_messenger_t *messenger,
                                                     int32_t mode);

/**
 * Sends a request to the address that it carries, waits for the reply, at most for the timeout, and puts it in place of
 * what `reply` was. After a failure the request is cancelled.
 *
 * The failures are those of `ferrion_messenger_send_request` and `ferrion_messenger_reply`. FERRION_STATE: it waits, which
 * in non-blocking and passive mode nothing does; use `ferrion_messenger_send_request` and `ferrion_messenger_poll_reply`.
 */
ferrion_status ferrion_messenger_request(ferrion_messenger_t *messenger,
                                         const ferrion_message_t *message,
                                         ferrion_message_t *reply);

/**
 * Sends a request to the address that it carries, and does not wait. There may be many; all over one connection share one
 * reply address, which the peer makes up.
 *
 * The message is copied; the copy gets a reply-to, a message-id and a correlation-id of the messenger's own. The time for
 * the reply is the timeout that is set now. When a connection is made again, requests without a reply are sent again: a
 * server may see one twice.
 *
 * FERRION_ADDRESS: it carries no address, or none that can be understood. FERRION_OVERFLOW: the requests without a reply
 * have more octets together than the high-water mark allows. FERRION_STATE: 65,536 are outstanding.
 */
ferrion_status ferrion_messenger_send_request(ferrion_messenger_t *messenger,
                                              const ferrion_message_t *message,
                                              ferrion_request_t *out_request);

/**
 * Waits for the reply to a request, and puts it in place of what `reply` was.
 *
 * FERRION_CONNECT, FERRION_TLS, FERRION_WEBSOCKET, FERRION_LOGIN, FERRION_LOST, FERRION_REMOTE or FERRION_SEND: there will be no
 * reply, for this reason.
 * FERRION_TIMEOUT: the time of the request is over; a reply that comes later is dropped. FERRION_DECODE: what came
 * cannot be read. FERRION_STATE: there is no such request; nor is there one any more after the failures before.
 * FERRION_WOULD_BLOCK in non-blocking mode, and FERRION_INTERRUPTED: call it again.
 */
ferrion_status ferrion_messenger_reply(ferrion_messenger_t *messenger,
                                       ferrion_request_t request,
                                       ferrion_message_t *reply);

/**
 * Takes the reply to a request if it has come, puts it in place of what `reply` was, and tells whether it had. It does not
 * touch the network: call `ferrion_messenger_work` in between.
 *
 * The failures are those of `ferrion_messenger_reply`, apart from those of waiting.
 */
ferrion_status ferrion_messenger_poll_reply(ferrion_messenger_t *messenger,
                                            ferrion_request_t request,
                                            ferrion_message_t *reply,
                                            bool *out_replied);

/**
 * Gives a request up: it is not sent any more if it was not yet, and a reply is dropped. FERRION_ABSENT: there is no such
 * request.
 */
ferrion_status ferrion_messenger_cancel_request(ferrion_messenger_t *messenger,
                                                ferrion_request_t request);

/**
 * How many requests wait for their reply.
 */
ferrion_status ferrion_messenger_requests(const ferrion_messenger_t *messenger, size_t *out_n);

/**
 * Makes `reply` an empty reply to a message that was got: addressed to the reply-to of `message`, and with its
 * correlation-id, or else its message-id, as correlation-id. Then it is for a body, and for `ferrion_messenger_put`.
 *
 * To a host that the reply-to names, no user and password go: whoever asks could name any host.
 *
 * FERRION_UNKNOWN_TRACKER: the tracker is neither in the incoming window nor of the last message got. FERRION_ADDRESS:
 * the message has no reply-to.
 */
ferrion_status ferrion_messenger_reply_to(const ferrion_messenger_t *messenger,
                                          ferrion_tracker_t tracker,
                                          const ferrion_message_t *message,
                                          ferrion_message_t *reply);

/**
 * How long waiting calls wait, in milliseconds; negative is for ever, and the default.
 */
ferrion_status ferrion_messenger_timeout(const ferrion_messenger_t *messenger, int64_t *out_milliseconds);

/**
 * Sets how long waiting calls wait, in milliseconds; negative is for ever.
 */
ferrion_status ferrion_messenger_set_timeout(ferrion_messenger_t *messenger, int64_t milliseconds);

/**
 * Whether waiting calls wait; true unless set otherwise.
 */
ferrion_status ferrion_messenger_blocking(const ferrion_messenger_t *messenger, bool *out_blocking);

/**
 * Sets whether waiting calls wait, or do what can be done at once and answer FERRION_WOULD_BLOCK.
 */
ferrion_status ferrion_messenger_set_blocking(ferrion_messenger_t *messenger, bool blocking);

/**
 * How many of the last messages put have a status; 0 unless set.
 */
ferrion_status ferrion_messenger_outgoing_window(const ferrion_messenger_t *messenger, size_t *out_n);

/**
 * Sets how many of the last messages put have a status; FERRION_UNLIMITED is all. With 0 messages are sent settled:
 * nobody asks whether they arrived.
 */
ferrion_status ferrion_messenger_set_outgoing_window(ferrion_messenger_t *messenger,
                                                     size_t n);

/**
 * How many of the last messages got wait for a decision; 0 unless set.
 */
ferrion_status ferrion_messenger_incoming_window(const ferrion_messenger_t *messenger, size_t *out_n);

/**
 * Sets how many of the last messages got can be accepted, rejected, released or modified by their trackers;
 * FERRION_UNLIMITED is all. With 0, getting a message accepts it. What leaves the window undecided is accepted.
 */
ferrion_status ferrion_messenger_set_incoming_window(ferrion_messenger_t *messenger,
                                                     size_t n);

/**
 * How many messages, and how many octets of them, may wait to be sent; 65,536 and 64 MiB unless set.
 */
ferrion_status ferrion_messenger_high_water(const ferrion_messenger_t *messenger,
                                            size_t *out_messages,
                                            size_t *out_octets);

/**
 * Sets how many messages, and how many octets of them, may wait to be sent before putting another one waits, or in
 * non-blocking mode answers FERRION_OVERFLOW. Of the reasons that peers gave for messages in the window at most as many octets are
 * kept; those that come beyond that are kept without their text.
 */
ferrion_status ferrion_messenger_set_high_water(ferrion_messenger_t *messenger,
                                                size_t messages,
                                                size_t octets);

/**
 * How many messages, and how many octets of them, may wait to be got; FERRION_UNLIMITED (as many as
 * `ferrion_messenger_recv` lets come) and 64 MiB unless set.
 */
ferrion_status ferrion_messenger_incoming_high_water(const ferrion_messenger_t *messenger,
                                                     size_t *out_messages,
                                                     size_t *out_octets);

/**
 * Sets how many messages, and how many octets of them, may wait to be got, whatever `ferrion_messenger_recv` asked for:
 * beyond it peers are let send no more. A single message gets through whatever its size. Replies that nobody has taken
 * count too, and what peers said instead of them.
 */
ferrion_status ferrion_messenger_set_incoming_high_water(ferrion_messenger_t *messenger,
                                                         size_t messages,
                                                         size_t octets);

/**
 * What each connection may make the messenger hold or wait for. `limit` is a `ferrion_limit`.
 */
ferrion_status ferrion_messenger_limit(const ferrion_messenger_t *messenger,
                                       int32_t limit,
                                       uint64_t *out_number);

/**
 * Sets what each connection may make the messenger hold or wait for, whether it is made or accepted, on those that are made from
 * then on. `limit` is a `ferrion_limit`. FERRION_LIMIT_HANDSHAKE_TIME is set by `ferrion_messenger_set_handshake_time_out` too: what
 * was set last counts.
 */
ferrion_status ferrion_messenger_set_limit(ferrion_messenger_t *messenger,
                                           int32_t limit,
                                           uint64_t number);

/**
 * The largest frame that is taken, in octets; 64 KiB unless set, or with link recovery 1 MiB.
 */
ferrion_status ferrion_messenger_max_frame_size(const ferrion_messenger_t *messenger, uint32_t *out_octets);

/**
 * Sets the largest frame that is taken, on connections made from then on. Less than 512 counts as 512; 0 is the default again.
 */
ferrion_status ferrion_messenger_set_max_frame_size(ferrion_messenger_t *messenger,
                                                    uint32_t octets);

/**
 * The most octets that messages of which more is to come hold on all connections together that listeners accepted; 1 GiB unless set.
 */
ferrion_status ferrion_messenger_all_partial_octets(const ferrion_messenger_t *messenger,
                                                    uint64_t *out_octets);

/**
 * Sets the most octets that messages of which more is to come hold on all connections together that listeners accepted. When it
 * is passed, the links that hold most, of the connection that does, are closed with "amqp:resource-limit-exceeded", and a warning
 * says whose they were: whoever holds most then, be it one that means well. Connections that the messenger made have
 * FERRION_LIMIT_CONNECTION_OCTETS alone. Less than the largest message that is expected makes that one impossible.
 */
ferrion_status ferrion_messenger_set_all_partial_octets(ferrion_messenger_t *messenger,
                                                        uint64_t octets);

/**
 * Sets whether `ferrion_messenger_start` tries the routes, and fails if one of them leads nowhere; false unless set. Those
 * are tried whose scheme, user, host and port are the same whatever matches, as in "amqp://broker.example.org/$1".
 */
ferrion_status ferrion_messenger_set_check_routes(ferrion_messenger_t *messenger,
                                                  bool check);

/**
 * Appends a route: messages whose address matches the pattern go to `address` instead, though the address they carry
 * stays. In the pattern `%` matches anything but `/`, and `*` anything; `$1`, `$2` ... in the address are what they
 * matched. The first route that matches is taken, for subscriptions too.
 */
ferrion_status ferrion_messenger_route(ferrion_messenger_t *messenger,
                                       const char *pattern,
                                       const char *address);

/**
 * Removes the first route with this pattern. FERRION_ABSENT: there is none.
 */
ferrion_status ferrion_messenger_remove_route(ferrion_messenger_t *messenger, const char *pattern);

/**
 * Appends a rewrite: messages whose address matches the pattern carry `address` instead (or none, if it is NULL), though
 * they go where they would have gone. Patterns are those of `ferrion_messenger_route`. An address that no rewrite matches
 * loses its user and password.
 */
ferrion_status ferrion_messenger_rewrite(ferrion_messenger_t *messenger,
                                         const char *pattern,
                                         const char *address);

/**
 * Removes the first rewrite with this pattern. FERRION_ABSENT: there is none.
 */
ferrion_status ferrion_messenger_remove_rewrite(ferrion_messenger_t *messenger, const char *pattern);

/**
 * Removes all routes and rewrites.
 */
ferrion_status ferrion_messenger_clear_rules(ferrion_messenger_t *messenger);

/**
 * Sets after how many milliseconds a silent peer is given up, on connections made from then on; negative is never, and
 * the default. Peers are asked for something in half of that, and those made of ferrion refuse less than 100: so 200 or more.
 */
ferrion_status ferrion_messenger_set_idle_time_out(ferrion_messenger_t *messenger,
                                                   int64_t milliseconds);

/**
 * Sets whether a readable line is kept for every frame, for `ferrion_messenger_poll_trace`.
 */
ferrion_status ferrion_messenger_set_tracing(ferrion_messenger_t *messenger, bool tracing);

/**
 * The next line of the trace. The newest 16,384 are kept: of more the oldest are dropped. FERRION_END: there is none at present.
 *
 * Borrowed until: the next call on this messenger.
 */
ferrion_status ferrion_messenger_poll_trace(ferrion_messenger_t *messenger,
                                            ferrion_bytes_t *out_text);

/**
 * The next thing that is not as it should be, though nothing failed: a password sent without TLS, for example. The oldest 256
 * are kept that nobody has asked for: what comes after them is dropped. FERRION_END: there is none at present.
 *
 * Borrowed until: the next call on this messenger.
 */
ferrion_status ferrion_messenger_poll_warning(ferrion_messenger_t *messenger,
                                              ferrion_bytes_t *out_text);

/**
 * Options that ask for nothing in particular.
 */
ferrion_subscribe_options_t *ferrion_subscribe_options_new(void);

/**
 * Frees the options. Subscriptions that were made with them keep them.
 */
void ferrion_subscribe_options_free(ferrion_subscribe_options_t *options);

/**
 * Asks the peer to keep the subscription for so many milliseconds after the link was lost, and to go on with it if it
 * comes back in time. AMQP counts in whole seconds; what is between is rounded up. 0 asks for nothing.
 */
ferrion_status ferrion_subscribe_options_set_ttl(ferrion_subscribe_options_t *options,
                                                 uint64_t milliseconds);

/**
 * Names the subscription: a peer that kept it finds it again by this and the name of the messenger, which has to be the
 * same one too. It must be used once at a time. Unless set, a name is made up.
 */
ferrion_status ferrion_subscribe_options_set_name(ferrion_subscribe_options_t *options,
                                                  const char *name);

/**
 * Names the subscription, and asks the peer to keep it and what comes for it also while nobody is there, until
 * `ferrion_messenger_unsubscribe`.
 */
ferrion_status ferrion_subscribe_options_set_durable(ferrion_subscribe_options_t *options,
                                                     const char *name);

/**
 * Lets only messages come for which this JMS selector is true: conditions over application properties and header fields,
 * as in "colour = 'red' AND price > 10".
 */
ferrion_status ferrion_subscribe_options_set_selector(ferrion_subscribe_options_t *options,
                                                      const char *selector);

/**
 * Lets no messages come that were sent over the same connection.
 */
ferrion_status ferrion_subscribe_options_set_no_local(ferrion_subscribe_options_t *options);

/**
 * Adds a filter: a name of one's own choice, and a described value, of which the descriptor tells the peer what kind of
 * filter it is (a symbol, or its number as a ulong). Another filter of the same name is replaced. All have to let a message
 * pass.
 *
 * FERRION_WRONG_TYPE: the value is not described.
 */
ferrion_status ferrion_subscribe_options_add_filter(ferrion_subscribe_options_t *options,
                                                    const char *name,
                                                    const ferrion_value_t *value);

/**
 * Receives also if the peer does not apply all the filters. Unless set, that is a failure of `ferrion_messenger_recv`:
 * unwanted messages could not be told from others. With this it is a warning.
 */
ferrion_status ferrion_subscribe_options_set_filters_optional(ferrion_subscribe_options_t *options);

/**
 * Takes copies of messages, which stay there for others. Unless set, the peer decides; a queue mostly lets them move.
 */
ferrion_status ferrion_subscribe_options_set_copies(ferrion_subscribe_options_t *options);

/**
 * Sets how the peer distributes messages among those who receive them: "move", "copy", or what else it knows.
 */
ferrion_status ferrion_subscribe_options_set_distribution_mode(ferrion_subscribe_options_t *options,
                                                               const char *mode);

/**
 * Asks for a capability of the node, "topic" or "shared" for example.
 */
ferrion_status ferrion_subscribe_options_add_capability(ferrion_subscribe_options_t *options,
                                                        const char *capability);

/**
 * Says what kind of node is to be made up, for the address "#".
 */
ferrion_status ferrion_subscribe_options_set_node_property(ferrion_subscribe_options_t *options,
                                                           const char *key,
                                                           const ferrion_value_t *value);

/**
 * Sets a property of the link.
 */
ferrion_status ferrion_subscribe_options_set_link_property(ferrion_subscribe_options_t *options,
                                                           const char *key,
                                                           const ferrion_value_t *value);

/**
 * Lets at most so many messages of the subscription be under way or wait to be got; at least 1. Unless set, it gets its
 * share of what `ferrion_messenger_recv` lets come. Of a listening address it holds for each sender.
 */
ferrion_status ferrion_subscribe_options_set_credit(ferrion_subscribe_options_t *options,
                                                    uint32_t messages);

/**
 * As `ferrion_messenger_subscribe`, with options, which are copied; NULL asks for nothing in particular. `out_subscription` may be
 * NULL.
 *
 * FERRION_SUBSCRIBE: the options do not fit the address, or have a text where AMQP has a symbol, which is ASCII. That the
 * peer does not apply a filter is told by `ferrion_messenger_recv`.
 */
ferrion_status ferrion_messenger_subscribe_with(ferrion_messenger_t *messenger,
                                                const char *address,
                                                const ferrion_subscribe_options_t *options,
                                                ferrion_subscription_t *out_subscription);

/**
 * As `ferrion_messenger_subscribe`; the peer is asked to keep the subscription for so many milliseconds after the link was
 * lost. `out_subscription` may be NULL.
 */
ferrion_status ferrion_messenger_subscribe_ttl(ferrion_messenger_t *messenger,
                                               const char *address,
                                               uint64_t milliseconds,
                                               ferrion_subscription_t *out_subscription);

/**
 * Ends a subscription, and waits until the peer has answered that. If `keep`, what the peer keeps under the name of the
 * subscription stays there, and is found again by who subscribes with that name; otherwise the subscription ends there too, also
 * if its connection is lost at present: that is then made again for it.
 *
 * From the beginning of this call on nothing more comes of it but what is sent settled: until the peer has answered, and for two
 * seconds at most, that may still come if it was let come before, and like what came before it stays for
 * `ferrion_messenger_get`, for nobody else has it any more. What else came and has no outcome, got or not, goes back to whom it
 * came from, and its trackers say RELEASED, or ABORTED if the connection is lost at present. Of a listening address nobody is let in any more; who is connected stays, for what is put to it, and
 * can send nothing more.
 *
 * A subscription that is not there (any more) has ended, which is no failure. FERRION_CONNECT, FERRION_LOST, FERRION_REMOTE and
 * what else `ferrion_messenger_recv` tells of a subscription: it could not be ended at the peer, which may keep it; it is not
 * received from any more; call again to try again, or with `keep` to leave it there, which takes no connection. Where calls do not
 * wait, the failure is told first, and only the call after that tries again. FERRION_STATE: a call before this one asked for the
 * other of `keep`, and the peer has not answered that yet, which goes on. FERRION_TIMEOUT: the peer has not answered in time; call again to wait longer.
 * FERRION_WOULD_BLOCK in non-blocking and passive mode: call `ferrion_messenger_work`, then again.
 */
ferrion_status ferrion_messenger_unsubscribe(ferrion_messenger_t *messenger,
                                             ferrion_subscription_t subscription,
                                             bool keep);

/**
 * What the peer granted of what was asked for: the source of its answer, as the described list of part 3.5.3 of the
 * specification, with the filters that it applies at place 7, counted from 0. FERRION_ABSENT: it has not answered yet, or the
 * subscription listens.
 */
ferrion_status ferrion_messenger_subscription_source(const ferrion_messenger_t *messenger,
                                                     ferrion_subscription_t subscription,
                                                     ferrion_value_t *out_value);

/**
 * Sets the certificate that is shown to peers that want to see one, and that is needed to listen on `amqps://~`: a file in
 * PEM form with a chain of certificates, the own one first, and a file with its key, which may be the same. Where no
 * user is set, connections with TLS also log in by it (SASL EXTERNAL). The files are read now.
 *
 * FERRION_CERTIFICATE: one of the files cannot be used; the text says which, and what is wanted.
 */
ferrion_status ferrion_messenger_set_certificate(ferrion_messenger_t *messenger,
                                                 const char *certificate,
                                                 const char *key);

/**
 * Trusts the authorities whose certificates are in this file (PEM form) to say who is who, and no others. Without it those
 * whom the system trusts are trusted. The file is read now.
 *
 * FERRION_CERTIFICATE: the file cannot be used.
 */
ferrion_status ferrion_messenger_set_trusted_certificates(ferrion_messenger_t *messenger,
                                                          const char *file);

/**
 * DANGEROUS, for experiments only: sets whether connections are made to whoever answers, with whatever certificate, so
 * that anybody on the way can read and change everything. Each one that is made so leaves a warning. False unless set.
 */
ferrion_status ferrion_messenger_set_dangerous_accept_any_certificate(ferrion_messenger_t *messenger,
                                                                      bool accept);

/**
 * Sets what `amqps://~` listeners do about certificates of those who connect: a `ferrion_client_certificates`. Who may
 * issue them must be said with `ferrion_messenger_set_trusted_certificates`. Whoever shows a good one can log in by it
 * (SASL EXTERNAL) under the name in it.
 */
ferrion_status ferrion_messenger_set_client_certificates(ferrion_messenger_t *messenger,
                                                         int32_t what);

/**
 * Sets whether those who connect to `amqps://~` listeners may also begin without TLS, on the same port; false unless set.
 */
ferrion_status ferrion_messenger_set_listeners_allow_plain(ferrion_messenger_t *messenger,
                                                           bool allow);

/**
 * Sets the path of a WebSocket: which one is asked for on `ws://` and `wss://`, "/" unless set, and which one listeners of
 * that kind insist on; unless set they take any.
 */
ferrion_status ferrion_messenger_set_websocket_path(ferrion_messenger_t *messenger,
                                                    const char *path);

/**
 * Sets how many milliseconds the two sides of a new connection may take to agree on TLS and WebSocket, and then
 * as long again for the login and the opening of AMQP, on connections made from then on; 30,000 unless set.
 */
ferrion_status ferrion_messenger_set_handshake_time_out(ferrion_messenger_t *messenger,
                                                        uint64_t milliseconds);

/**
 * The name of a status, "FERRION_TIMEOUT" for example. An unknown number is "FERRION_UNKNOWN_STATUS".
 *
 * Borrowed until: the program ends.
 */
const char *ferrion_status_name(int32_t status);

/**
 * What the last call of this thread that failed says to a person; empty if none has failed yet. A call that succeeds
 * leaves the text alone, so ask only after a failure.
 *
 * Borrowed until: the next call of this thread that fails, and until the thread ends.
 */
const char *ferrion_last_error(void);

/**
 * The error condition that came with the failure of which `ferrion_last_error` speaks, "amqp:not-found" for example;
 * empty if it came without one.
 *
 * Borrowed until: the next call of this thread that fails, and until the thread ends.
 */
const char *ferrion_last_condition(void);

/**
 * A place for values, empty at first.
 */
ferrion_value_t *ferrion_value_new(void);

/**
 * Frees the values.
 */
void ferrion_value_free(ferrion_value_t *value);

/**
 * Removes all values. The room they took stays for the next ones.
 */
ferrion_status ferrion_value_clear(ferrion_value_t *value);

/**
 * Makes the values those of another object.
 */
ferrion_status ferrion_value_copy(ferrion_value_t *value, const ferrion_value_t *source);

/**
 * The values in a readable form, for people: `{"colour"="green"}`.
 *
 * Borrowed until: the next call on this object.
 */
ferrion_status ferrion_value_print(ferrion_value_t *value, ferrion_bytes_t *out_text);

/**
 * The values as AMQP 1.0 encodes them, each in its shortest form, one after the other.
 *
 * Borrowed until: the next call on this object.
 */
ferrion_status ferrion_value_encode(ferrion_value_t *value, ferrion_bytes_t *out_data);

/**
 * Makes the values those that are encoded here, in any form that AMQP 1.0 allows. If the octets are something else,
 * the values stay what they were.
 */
ferrion_status ferrion_value_decode(ferrion_value_t *value,
                                    const uint8_t *data,
                                    size_t len);

/**
 * Goes back to before the first value.
 */
ferrion_status ferrion_value_rewind(ferrion_value_t *value);

/**
 * Steps to the next value. FERRION_END: there is none in this row.
 */
ferrion_status ferrion_value_next(ferrion_value_t *value);

/**
 * Steps into a list, map, array or described value: `next` then walks what is inside. In an array its descriptors come
 * before its elements.
 */
ferrion_status ferrion_value_enter(ferrion_value_t *value);

/**
 * Steps out again: the value that was entered is looked at, and `next` goes on behind it.
 */
ferrion_status ferrion_value_exit(ferrion_value_t *value);

/**
 * The type of the value that is looked at.
 */
ferrion_status ferrion_value_type(const ferrion_value_t *value, ferrion_type *out_type);

/**
 * How many values are directly inside the one that is looked at. A map counts keys and values, an array its descriptors
 * too, a described value has 2.
 */
ferrion_status ferrion_value_count(const ferrion_value_t *value,
                                   size_t *out_n);

/**
 * What the array that is looked at holds: the type of its elements below their descriptors, and how many descriptors
 * the elements share.
 */
ferrion_status ferrion_value_get_array(const ferrion_value_t *value,
                                       ferrion_type *out_type,
                                       size_t *out_n);

/**
 * The truth of a bool.
 */
ferrion_status ferrion_value_get_bool(const ferrion_value_t *value, bool *out_truth);

/**
 * The number of an ubyte.
 */
ferrion_status ferrion_value_get_ubyte(const ferrion_value_t *value, uint8_t *out_number);

/**
 * The number of an ushort.
 */
ferrion_status ferrion_value_get_ushort(const ferrion_value_t *value, uint16_t *out_number);

/**
 * The number of an uint.
 */
ferrion_status ferrion_value_get_uint(const ferrion_value_t *value, uint32_t *out_number);

/**
 * The number of an ulong.
 */
ferrion_status ferrion_value_get_ulong(const ferrion_value_t *value, uint64_t *out_number);

/**
 * The number of a byte.
 */
ferrion_status ferrion_value_get_byte(const ferrion_value_t *value, int8_t *out_number);

/**
 * The number of a short.
 */
ferrion_status ferrion_value_get_short(const ferrion_value_t *value, int16_t *out_number);

/**
 * The number of an int.
 */
ferrion_status ferrion_value_get_int(const ferrion_value_t *value, int32_t *out_number);

/**
 * The number of a long.
 */
ferrion_status ferrion_value_get_long(const ferrion_value_t *value, int64_t *out_number);

/**
 * The number of a float.
 */
ferrion_status ferrion_value_get_float(const ferrion_value_t *value, float *out_number);

/**
 * The number of a double.
 */
ferrion_status ferrion_value_get_double(const ferrion_value_t *value, double *out_number);

/**
 * The number of a char: a Unicode character.
 */
ferrion_status ferrion_value_get_char(const ferrion_value_t *value, uint32_t *out_character);

/**
 * The milliseconds since 1970-01-01T00:00Z of a timestamp.
 */
ferrion_status ferrion_value_get_timestamp(const ferrion_value_t *value, int64_t *out_milliseconds);

/**
 * The octets of a binary, decimal32, decimal64, decimal128, uuid, string or symbol. They are not copied, and no NUL
 * follows them.
 *
 * Borrowed until: the next call on this object that changes values.
 */
ferrion_status ferrion_value_get_bytes(const ferrion_value_t *value,
                                       ferrion_bytes_t *out_data);

/**
 * Appends null.
 */
ferrion_status ferrion_value_put_null(ferrion_value_t *value);

/**
 * Appends true or false.
 */
ferrion_status ferrion_value_put_bool(ferrion_value_t *value, bool truth);

/**
 * Appends an unsigned number of 8 bits.
 */
ferrion_status ferrion_value_put_ubyte(ferrion_value_t *value, uint8_t number);

/**
 * Appends an unsigned number of 16 bits.
 */
ferrion_status ferrion_value_put_ushort(ferrion_value_t *value, uint16_t number);

/**
 * Appends an unsigned number of 32 bits.
 */
ferrion_status ferrion_value_put_uint(ferrion_value_t *value, uint32_t number);

/**
 * Appends an unsigned number of 64 bits.
 */
ferrion_status ferrion_value_put_ulong(ferrion_value_t *value, uint64_t number);

/**
 * Appends a signed number of 8 bits.
 */
ferrion_status ferrion_value_put_byte(ferrion_value_t *value, int8_t number);

/**
 * Appends a signed number of 16 bits.
 */
ferrion_status ferrion_value_put_short(ferrion_value_t *value, int16_t number);

/**
 * Appends a signed number of 32 bits.
 */
ferrion_status ferrion_value_put_int(ferrion_value_t *value, int32_t number);

/**
 * Appends a signed number of 64 bits.
 */
ferrion_status ferrion_value_put_long(ferrion_value_t *value, int64_t number);

/**
 * Appends a number of IEEE 754 binary32.
 */
ferrion_status ferrion_value_put_float(ferrion_value_t *value, float number);

/**
 * Appends a number of IEEE 754 binary64.
 */
ferrion_status ferrion_value_put_double(ferrion_value_t *value, double number);

/**
 * Appends a decimal32 from its 4 octets in network order.
 */
ferrion_status ferrion_value_put_decimal32(ferrion_value_t *value, const uint8_t *data, size_t len);

/**
 * Appends a decimal64 from its 8 octets in network order.
 */
ferrion_status ferrion_value_put_decimal64(ferrion_value_t *value, const uint8_t *data, size_t len);

/**
 * Appends a decimal128 from its 16 octets in network order.
 */
ferrion_status ferrion_value_put_decimal128(ferrion_value_t *value, const uint8_t *data, size_t len);

/**
 * Appends a Unicode character, given by its number.
 */
ferrion_status ferrion_value_put_char(ferrion_value_t *value, uint32_t character);

/**
 * Appends a point in time, in milliseconds since 1970-01-01T00:00Z.
 */
ferrion_status ferrion_value_put_timestamp(ferrion_value_t *value, int64_t milliseconds);

/**
 * Appends a UUID from its 16 octets in network order.
 */
ferrion_status ferrion_value_put_uuid(ferrion_value_t *value, const uint8_t *data, size_t len);

/**
 * Appends octets.
 */
ferrion_status ferrion_value_put_binary(ferrion_value_t *value, const uint8_t *data, size_t len);

/**
 * Appends a string, given as UTF-8. It may contain the character NUL.
 */
ferrion_status ferrion_value_put_string(ferrion_value_t *value, const uint8_t *data, size_t len);

/**
 * Appends a symbol, given as ASCII.
 */
ferrion_status ferrion_value_put_symbol(ferrion_value_t *value, const uint8_t *data, size_t len);

/**
 * Appends a string that ends with a NUL.
 */
ferrion_status ferrion_value_put_text(ferrion_value_t *value, const char *text);

/**
 * Appends a symbol that ends with a NUL.
 */
ferrion_status ferrion_value_put_symbol_text(ferrion_value_t *value, const char *text);

/**
 * Appends a list of the values that follow, up to `ferrion_value_end`.
 */
ferrion_status ferrion_value_begin_list(ferrion_value_t *value);

/**
 * Appends a map of the values that follow, up to `ferrion_value_end`: a key, its value, the next key and so on.
 */
ferrion_status ferrion_value_begin_map(ferrion_value_t *value);

/**
 * Appends a described value. Two values follow before `ferrion_value_end`: the descriptor, and what it describes.
 */
ferrion_status ferrion_value_begin_described(ferrion_value_t *value);

/**
 * Appends an array of the values that follow, up to `ferrion_value_end`, all of one `ferrion_type`.
 *
 * The elements of an array may share descriptors: the first `descriptors` values that follow are these, the outermost
 * first. Mostly there are none. `element` is the type below them, so it is never FERRION_TYPE_DESCRIBED.
 */
ferrion_status ferrion_value_begin_array(ferrion_value_t *value,
                                         int32_t element,
                                         size_t descriptors);

/**
 * Closes the list, map, array or described value that was begun last.
 */
ferrion_status ferrion_value_end(ferrion_value_t *value);

/**
 * The version of the library that runs, "0.1.0" for example. `FERRION_VERSION` is that of the header.
 *
 * Borrowed until: the program ends.
 */
const char *ferrion_version(void);

/**
 * The version of the library that runs as one number, made like `FERRION_VERSION_NUMBER`.
 */
uint32_t ferrion_version_number(void);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* FERRION_H */
