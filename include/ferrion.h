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
   * What was let come before stays as it is, and nothing more comes by itself.
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
 * What happened to connections that a messenger made, in the order in which it did, for
 * `ferrion_messenger_poll_connection_events`. Can be used again and again.
 *
 * `next` steps to the next event, at first to the first one, and the other calls look at it.
 */
typedef struct ferrion_connection_events_t ferrion_connection_events_t;

/**
 * Ends a waiting call of its messenger. May be used from any thread and from a signal handler, at any time: while the
 * messenger waits, while it is being freed, and afterwards.
 */
typedef struct ferrion_interrupter_t ferrion_interrupter_t;

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
 * `put`, `get`, `accept` and the like do not touch the network. `send`, `recv`, `stop` and `work` (and `put`, when too much
 * waits already) do everybody's network work while they wait, at most for the timeout. In non-blocking mode they do what
 * can be done at once and answer FERRION_WOULD_BLOCK.
 *
 * Addresses are written `[amqp[s]://][user[:password]@]host[:port][/name]`; `~host[:port]` listens.
 */
typedef struct ferrion_messenger_t ferrion_messenger_t;

/**
 * How connections that were lost are made again, for `ferrion_messenger_set_reconnect`. A new one is fit for most.
 */
typedef struct ferrion_reconnect_t ferrion_reconnect_t;

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
 * Makes this message the one that is encoded here. If the octets are no message, it stays what it was.
 */
ferrion_status ferrion_message_decode(ferrion_message_t *message, const uint8_t *data, size_t len);

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
 * Begins to work. Nothing needs it: it is there because stop is.
 */
ferrion_status ferrion_messenger_start(ferrion_messenger_t *messenger);

/**
 * Sends what is unsent, closes all connections in order and forgets all subscriptions. Takes no longer than the
 * timeout, or 10 seconds if there is none. The messenger can be used again.
 *
 * FERRION_UNSENT: messages were given up; their trackers say ABORTED, and why. FERRION_WOULD_BLOCK, in non-blocking mode:
 * call `ferrion_messenger_work`, then this again.
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
 * FERRION_CONNECT, FERRION_LOST, FERRION_LOGIN, FERRION_REMOTE or FERRION_SEND: messages were lost for this reason; their
 * trackers say ABORTED. FERRION_TIMEOUT: not everything was acknowledged in time; it is still being sent.
 */
ferrion_status ferrion_messenger_send(ferrion_messenger_t *messenger,
                                      int32_t n);

/**
 * Lets `n` messages come, and waits until at least one is there. `n` may be a `ferrion_credit`, and 0 lets no more come and
 * does not wait. Each call replaces what the one before it asked for.
 *
 * FERRION_CONNECT, FERRION_LOST, FERRION_LOGIN or FERRION_REMOTE: a subscription was lost, or could not be made; the next
 * call tries again. FERRION_STATE: there is nothing from which messages could come.
 */
ferrion_status ferrion_messenger_recv(ferrion_messenger_t *messenger,
                                      int32_t n);

/**
 * Does network work until something happened, at most for this long; negative is for ever. Tells whether anything
 * did. `out_worked` may be NULL.
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
 * messenger keeps the newest 1,024. FERRION_END: nothing happened; `events` stay as they were.
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
 * Where the connection goes to. FERRION_ABSENT: nowhere in particular.
 *
 * Borrowed until: the next call on these events.
 */
ferrion_status ferrion_connection_events_address(const ferrion_connection_events_t *events,
                                                 ferrion_bytes_t *out_text);

/**
 * Why it failed or was given up, for a person. FERRION_ABSENT, here and below: it did not.
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
 * Admits a user to listening addresses, or no longer if the password is NULL. As long as there are no users, everyone
 * is admitted.
 */
ferrion_status ferrion_messenger_set_listener_user(ferrion_messenger_t *messenger,
                                                   const char *user,
                                                   const char *password);

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
 * FERRION_CONNECT, FERRION_LOST, FERRION_LOGIN, FERRION_REMOTE or FERRION_SEND: there will be no reply, for this reason.
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
 * non-blocking mode answers FERRION_OVERFLOW.
 */
ferrion_status ferrion_messenger_set_high_water(ferrion_messenger_t *messenger,
                                                size_t messages,
                                                size_t octets);

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
 * the default.
 */
ferrion_status ferrion_messenger_set_idle_time_out(ferrion_messenger_t *messenger,
                                                   int64_t milliseconds);

/**
 * Sets whether a readable line is kept for every frame, for `ferrion_messenger_poll_trace`.
 */
ferrion_status ferrion_messenger_set_tracing(ferrion_messenger_t *messenger, bool tracing);

/**
 * The next line of the trace. FERRION_END: there is none at present.
 *
 * Borrowed until: the next call on this messenger.
 */
ferrion_status ferrion_messenger_poll_trace(ferrion_messenger_t *messenger, ferrion_bytes_t *out_text);

/**
 * The next thing that is not as it should be, though nothing failed: a password sent without TLS, for example.
 * FERRION_END: there is none at present.
 *
 * Borrowed until: the next call on this messenger.
 */
ferrion_status ferrion_messenger_poll_warning(ferrion_messenger_t *messenger,
                                              ferrion_bytes_t *out_text);

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
 * Sets how many milliseconds the two sides of a new connection may take to agree on TLS and WebSocket; 30,000 unless set.
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
