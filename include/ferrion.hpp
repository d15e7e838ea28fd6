/*
 * ferrion for C++: owners for the objects of ferrion.h, and exceptions in place of statuses. Nothing but inline calls of the C
 * functions, whose comments say what each does.
 *
 * SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Owners.      Message, Messenger, Engine and the like free what they own; they can be moved and not copied. An owner that was
 *              moved from can be assigned to or destroyed.
 * Failures     are thrown as Error, with the status and the text. What is no failure (nothing more to take, absent, not finished
 *              yet in non-blocking mode) is a `false`, or Bytes that are not there.
 * Everything   of the header can be used with these owners: `ferrion::check(ferrion_message_set_ttl(message.get(), 1000))`.
 * Bytes        that a call returns are borrowed, as long as the C function of the same name says; `str()` copies them.
 * Threads.     As in C: an object is used by one thread at a time.
 *
 * C++11 or later.
 */
#ifndef FERRION_HPP
#define FERRION_HPP

#include <ferrion.h>

#include <cstring>
#include <iosfwd>
#include <stdexcept>
#include <string>
#include <utility>
#if __cplusplus >= 201703L
#include <string_view>
#endif

namespace ferrion {

/** A call that failed: which status, and in words what went wrong and what to do. */
class Error : public std::runtime_error {
 public:
  /** What the last call of this thread that failed had to say. */
  explicit Error(ferrion_status status) : Error(status, ferrion_last_error(), ferrion_last_condition()) {}
  Error(ferrion_status status, const std::string &text, const std::string &condition = std::string())
      : std::runtime_error(text), status_(status), condition_(condition) {}

  ferrion_status status() const noexcept { return status_; }
  /** The name of the status, as in "FERRION_TIMEOUT". */
  const char *status_name() const noexcept { return ferrion_status_name(status_); }
  /** The error condition by which the peer named its reason, such as "amqp:not-found"; empty if there is none. */
  const char *condition() const noexcept { return condition_.what(); }

 private:
  ferrion_status status_;
  /* Text whose copies cannot fail, as an exception's must not. */
  std::runtime_error condition_;
};

/** Throws unless the call succeeded. */
inline void check(ferrion_status status) {
  if (status != FERRION_OK) throw Error(status);
}

/** Whether the call succeeded; false for the one answer that is no failure here. Throws for any other. */
inline bool check(ferrion_status status, ferrion_status no_failure) {
  if (status == no_failure) return false;
  check(status);
  return true;
}

/** Octets of somebody else's: an argument during its call, or what a call lends. Text, if that is what they are, has no NUL. */
class Bytes {
 public:
  /** None at all. */
  Bytes() noexcept : data_(nullptr), size_(0) {}
  Bytes(const void *data, size_t size) noexcept : data_(static_cast<const uint8_t *>(data)), size_(size) {}
  Bytes(ferrion_bytes_t bytes) noexcept : data_(bytes.data), size_(bytes.len) {}
  Bytes(const char *text) noexcept : Bytes(text, text ? std::strlen(text) : 0) {}
  Bytes(const std::string &text) noexcept : Bytes(text.data(), text.size()) {}
#if __cplusplus >= 201703L
  Bytes(std::string_view text) noexcept : Bytes(text.data(), text.size()) {}
  explicit operator std::string_view() const noexcept { return {chars(), size_}; }
#endif

  /** False: what was asked for is not there. Octets that are there may be empty. */
  explicit operator bool() const noexcept { return data_ != nullptr; }
  const uint8_t *data() const noexcept { return data_; }
  const char *chars() const noexcept { return reinterpret_cast<const char *>(data_); }
  size_t size() const noexcept { return size_; }
  const uint8_t *begin() const noexcept { return data_; }
  const uint8_t *end() const noexcept { return data_ + size_; }
  /** A copy, which nobody takes away. */
  std::string str() const { return size_ ? std::string(chars(), size_) : std::string(); }

  friend bool operator==(const Bytes &a, const Bytes &b) noexcept {
    return a.size_ == b.size_ && (a.size_ == 0 || std::memcmp(a.data_, b.data_, a.size_) == 0);
  }
  friend bool operator!=(const Bytes &a, const Bytes &b) noexcept { return !(a == b); }
  template <typename Traits>
  friend std::basic_ostream<char, Traits> &operator<<(std::basic_ostream<char, Traits> &stream, const Bytes &bytes) {
    return stream.write(bytes.chars(), static_cast<std::streamsize>(bytes.size()));
  }

 private:
  const uint8_t *data_;
  size_t size_;
};

/** Text that goes into a call. Where C takes NULL, nullptr is fine. */
class Text {
 public:
  Text(const char *text) noexcept : text_(text) {}
  Text(const std::string &text) : text_(text.c_str()) {
    if (text.find('\0') != std::string::npos)
      throw Error(FERRION_INVALID_ARGUMENT, "this text has a NUL, at which C would cut it: put it into a Value");
  }
  const char *get() const noexcept { return text_; }

 private:
  const char *text_;
};

/** The one who frees an object of ferrion.h. */
template <typename T, void (*Free)(T *)>
class Owner {
 public:
  /** Takes an object over. NULL is what `_new` answers when it fails: throws why. */
  explicit Owner(T *object) : object_(object) {
    if (!object) throw Error(FERRION_OTHER);
  }
  Owner(Owner &&other) noexcept : object_(other.release()) {}
  Owner &operator=(Owner &&other) noexcept {
    if (this != &other) {
      Free(object_);
      object_ = other.release();
    }
    return *this;
  }
  Owner(const Owner &) = delete;
  Owner &operator=(const Owner &) = delete;
  ~Owner() { Free(object_); }

  /** For the functions of ferrion.h. Those that only look at the object can be called on a const one. */
  T *get() const noexcept { return object_; }
  /** Gives the object away; nobody frees it any more. */
  T *release() noexcept {
    T *object = object_;
    object_ = nullptr;
    return object;
  }

 private:
  T *object_;
};

/** An owner of an object that needs nothing to be made. */
template <typename T, T *(*New)(), void (*Free)(T *)>
class Plain : public Owner<T, Free> {
 public:
  Plain() : Owner<T, Free>(New()) {}
  explicit Plain(T *object) : Owner<T, Free>(object) {}
};

using ConnectionEvents =
    Plain<ferrion_connection_events_t, ferrion_connection_events_new, ferrion_connection_events_free>;
using LinkRecovery = Plain<ferrion_link_recovery_t, ferrion_link_recovery_new, ferrion_link_recovery_free>;
using LinkState = Plain<ferrion_link_state_t, ferrion_link_state_new, ferrion_link_state_free>;
using Messages = Plain<ferrion_messages_t, ferrion_messages_new, ferrion_messages_free>;
using Reconnect = Plain<ferrion_reconnect_t, ferrion_reconnect_new, ferrion_reconnect_free>;
using Scram = Plain<ferrion_scram_t, ferrion_scram_new, ferrion_scram_free>;
using SendOptions = Plain<ferrion_send_options_t, ferrion_send_options_new, ferrion_send_options_free>;
using SessionConfig = Plain<ferrion_session_config_t, ferrion_session_config_new, ferrion_session_config_free>;
using SubscribeOptions =
    Plain<ferrion_subscribe_options_t, ferrion_subscribe_options_new, ferrion_subscribe_options_free>;

/** AMQP values in a row, to build and to walk. What builds can be chained: `value.begin_list().put_uint(1).end()`. */
class Value : public Plain<ferrion_value_t, ferrion_value_new, ferrion_value_free> {
 public:
  using Plain::Plain;

  void clear() { check(ferrion_value_clear(get())); }
  void copy(const Value &source) { check(ferrion_value_copy(get(), source.get())); }
  std::string print() { return lent(ferrion_value_print).str(); }
  Bytes encode() { return lent(ferrion_value_encode); }
  void decode(Bytes octets) { check(ferrion_value_decode(get(), octets.data(), octets.size())); }

  Value &put_null() { return done(ferrion_value_put_null(get())); }
  Value &put_bool(bool truth) { return done(ferrion_value_put_bool(get(), truth)); }
  Value &put_ubyte(uint8_t number) { return done(ferrion_value_put_ubyte(get(), number)); }
  Value &put_ushort(uint16_t number) { return done(ferrion_value_put_ushort(get(), number)); }
  Value &put_uint(uint32_t number) { return done(ferrion_value_put_uint(get(), number)); }
  Value &put_ulong(uint64_t number) { return done(ferrion_value_put_ulong(get(), number)); }
  Value &put_byte(int8_t number) { return done(ferrion_value_put_byte(get(), number)); }
  Value &put_short(int16_t number) { return done(ferrion_value_put_short(get(), number)); }
  Value &put_int(int32_t number) { return done(ferrion_value_put_int(get(), number)); }
  Value &put_long(int64_t number) { return done(ferrion_value_put_long(get(), number)); }
  Value &put_float(float number) { return done(ferrion_value_put_float(get(), number)); }
  Value &put_double(double number) { return done(ferrion_value_put_double(get(), number)); }
  Value &put_decimal32(Bytes octets) { return put(ferrion_value_put_decimal32, octets); }
  Value &put_decimal64(Bytes octets) { return put(ferrion_value_put_decimal64, octets); }
  Value &put_decimal128(Bytes octets) { return put(ferrion_value_put_decimal128, octets); }
  Value &put_char(uint32_t character) { return done(ferrion_value_put_char(get(), character)); }
  Value &put_timestamp(int64_t milliseconds) { return done(ferrion_value_put_timestamp(get(), milliseconds)); }
  Value &put_uuid(Bytes octets) { return put(ferrion_value_put_uuid, octets); }
  Value &put_binary(Bytes octets) { return put(ferrion_value_put_binary, octets); }
  Value &put_string(Bytes text) { return put(ferrion_value_put_string, text); }
  Value &put_symbol(Bytes text) { return put(ferrion_value_put_symbol, text); }
  Value &begin_list() { return done(ferrion_value_begin_list(get())); }
  Value &begin_map() { return done(ferrion_value_begin_map(get())); }
  Value &begin_described() { return done(ferrion_value_begin_described(get())); }
  Value &begin_array(ferrion_type element, size_t descriptors = 0) {
    return done(ferrion_value_begin_array(get(), element, descriptors));
  }
  Value &end() { return done(ferrion_value_end(get())); }

  void rewind() { check(ferrion_value_rewind(get())); }
  /** False: there is no further value. */
  bool next() { return check(ferrion_value_next(get()), FERRION_END); }
  void enter() { check(ferrion_value_enter(get())); }
  void exit() { check(ferrion_value_exit(get())); }
  ferrion_type type() const { return got<ferrion_type>(ferrion_value_type); }
  size_t count() const { return got<size_t>(ferrion_value_count); }
  bool get_bool() const { return got<bool>(ferrion_value_get_bool); }
  uint8_t get_ubyte() const { return got<uint8_t>(ferrion_value_get_ubyte); }
  uint16_t get_ushort() const { return got<uint16_t>(ferrion_value_get_ushort); }
  uint32_t get_uint() const { return got<uint32_t>(ferrion_value_get_uint); }
  uint64_t get_ulong() const { return got<uint64_t>(ferrion_value_get_ulong); }
  int8_t get_byte() const { return got<int8_t>(ferrion_value_get_byte); }
  int16_t get_short() const { return got<int16_t>(ferrion_value_get_short); }
  int32_t get_int() const { return got<int32_t>(ferrion_value_get_int); }
  int64_t get_long() const { return got<int64_t>(ferrion_value_get_long); }
  float get_float() const { return got<float>(ferrion_value_get_float); }
  double get_double() const { return got<double>(ferrion_value_get_double); }
  uint32_t get_char() const { return got<uint32_t>(ferrion_value_get_char); }
  int64_t get_timestamp() const { return got<int64_t>(ferrion_value_get_timestamp); }
  /** Strings, symbols, binaries, uuids and decimals. */
  Bytes get_bytes() const { return got<ferrion_bytes_t>(ferrion_value_get_bytes); }

 private:
  Value &done(ferrion_status status) {
    check(status);
    return *this;
  }
  Value &put(ferrion_status (*append)(ferrion_value_t *, const uint8_t *, size_t), Bytes octets) {
    return done(append(get(), octets.data(), octets.size()));
  }
  Bytes lent(ferrion_status (*lend)(ferrion_value_t *, ferrion_bytes_t *)) {
    ferrion_bytes_t bytes;
    check(lend(get(), &bytes));
    return bytes;
  }
  template <typename T>
  T got(ferrion_status (*get_it)(const ferrion_value_t *, T *)) const {
    T value;
    check(get_it(get(), &value));
    return value;
  }
};

/** A message; it can be used again and again. Texts that it does not have are Bytes that are not there. */
class Message : public Plain<ferrion_message_t, ferrion_message_new, ferrion_message_free> {
 public:
  using Plain::Plain;

  void clear() { check(ferrion_message_clear(get())); }
  void copy(const Message &source) { check(ferrion_message_copy(get(), source.get())); }
  Bytes encode() {
    ferrion_bytes_t octets;
    check(ferrion_message_encode(get(), &octets));
    return octets;
  }
  void decode(Bytes octets) { check(ferrion_message_decode(get(), octets.data(), octets.size())); }
  void decode_lenient(Bytes octets) { check(ferrion_message_decode_lenient(get(), octets.data(), octets.size())); }

  /** Makes the body one string. */
  void set_body(Text text) { check(ferrion_message_set_body_text(get(), text.get())); }
  void set_body(ferrion_body kind, const Value &value) { check(ferrion_message_set_body(get(), kind, value.get())); }
  void set_body_data(Bytes octets) { check(ferrion_message_set_body_data(get(), octets.data(), octets.size())); }
  ferrion_body body(Value &value) const {
    ferrion_body kind;
    check(ferrion_message_body(get(), &kind, value.get()));
    return kind;
  }
  /** The octets of a body that is a string, a binary or data. Not there: it is something else. */
  Bytes body_bytes() {
    ferrion_bytes_t octets;
    return check(ferrion_message_body_bytes(get(), &octets), FERRION_WRONG_TYPE) ? Bytes(octets) : Bytes();
  }

  /** Any field of the header or the properties. False: the message does not have it. */
  bool get_field(ferrion_field field, Value &value) const {
    return check(ferrion_message_get(get(), field, value.get()), FERRION_ABSENT);
  }
  void set_field(ferrion_field field, const Value &value) { check(ferrion_message_set(get(), field, value.get())); }
  /** A section that is a map. False: the message does not have it. */
  bool section(ferrion_section section, Value &value) const {
    return check(ferrion_message_section(get(), section, value.get()), FERRION_ABSENT);
  }
  void set_section(ferrion_section section, const Value &value) {
    check(ferrion_message_set_section(get(), section, value.get()));
  }
  /** One of the application's properties. False: the message does not have it. */
  bool property(Text name, Value &value) const {
    return check(ferrion_message_property(get(), name.get(), value.get()), FERRION_ABSENT);
  }
  void set_property(Text name, const Value &value) {
    check(ferrion_message_set_property(get(), name.get(), value.get()));
  }
  void set_property(Text name, Text text) {
    check(ferrion_message_set_property_text(get(), name.get(), text.get()));
  }

  Bytes address() const { return text(ferrion_message_address); }
  void set_address(Text text) { check(ferrion_message_set_address(get(), text.get())); }
  Bytes subject() const { return text(ferrion_message_subject); }
  void set_subject(Text text) { check(ferrion_message_set_subject(get(), text.get())); }
  Bytes reply_to() const { return text(ferrion_message_reply_to); }
  void set_reply_to(Text text) { check(ferrion_message_set_reply_to(get(), text.get())); }
  Bytes group_id() const { return text(ferrion_message_group_id); }
  void set_group_id(Text text) { check(ferrion_message_set_group_id(get(), text.get())); }
  Bytes content_type() const { return text(ferrion_message_content_type); }
  void set_content_type(Text text) { check(ferrion_message_set_content_type(get(), text.get())); }
  bool durable() const { return got<bool>(ferrion_message_durable); }
  void set_durable(bool durable) { check(ferrion_message_set_durable(get(), durable)); }
  uint8_t priority() const { return got<uint8_t>(ferrion_message_priority); }
  void set_priority(uint8_t priority) { check(ferrion_message_set_priority(get(), priority)); }
  uint32_t delivery_count() const { return got<uint32_t>(ferrion_message_delivery_count); }
  /** False: it does not age. */
  bool ttl(uint32_t &milliseconds) const { return check(ferrion_message_ttl(get(), &milliseconds), FERRION_ABSENT); }
  void set_ttl(uint32_t milliseconds) { check(ferrion_message_set_ttl(get(), milliseconds)); }
  /** Milliseconds since 1970. False: not said. */
  bool creation_time(int64_t &milliseconds) const {
    return check(ferrion_message_creation_time(get(), &milliseconds), FERRION_ABSENT);
  }
  void set_creation_time(int64_t milliseconds) { check(ferrion_message_set_creation_time(get(), milliseconds)); }

 private:
  Bytes text(ferrion_status (*lend)(const ferrion_message_t *, ferrion_bytes_t *)) const {
    ferrion_bytes_t bytes;
    return check(lend(get(), &bytes), FERRION_ABSENT) ? Bytes(bytes) : Bytes();
  }
  template <typename T>
  T got(ferrion_status (*get_it)(const ferrion_message_t *, T *)) const {
    T value;
    check(get_it(get(), &value));
    return value;
  }
};

/** Sends and receives messages, and looks after the connections for that. */
class Messenger : public Owner<ferrion_messenger_t, ferrion_messenger_free> {
 public:
  /** Without a name it makes one up. */
  explicit Messenger(Text name = nullptr) : Owner(ferrion_messenger_new(name.get())) {}
  explicit Messenger(ferrion_messenger_t *object) : Owner(object) {}

  Bytes name() const {
    ferrion_bytes_t name;
    check(ferrion_messenger_name(get(), &name));
    return name;
  }
  void start() { check(ferrion_messenger_start(get())); }
  /** False, in non-blocking mode: not finished; call `work`, then this again. */
  bool stop() { return check(ferrion_messenger_stop(get()), FERRION_WOULD_BLOCK); }
  bool stopped() const { return got<bool>(ferrion_messenger_stopped); }

  /** Milliseconds; negative is for ever. */
  void set_timeout(int64_t milliseconds) { check(ferrion_messenger_set_timeout(get(), milliseconds)); }
  void set_blocking(bool blocking) { check(ferrion_messenger_set_blocking(get(), blocking)); }
  void set_outgoing_window(size_t n) { check(ferrion_messenger_set_outgoing_window(get(), n)); }
  void set_incoming_window(size_t n) { check(ferrion_messenger_set_incoming_window(get(), n)); }
  void set_limit(ferrion_limit limit, uint64_t number) { check(ferrion_messenger_set_limit(get(), limit, number)); }
  uint32_t max_frame_size() const { return got<uint32_t>(ferrion_messenger_max_frame_size); }
  /** 0 is the default again. */
  void set_max_frame_size(uint32_t octets) { check(ferrion_messenger_set_max_frame_size(get(), octets)); }
  uint64_t all_partial_octets() const { return got<uint64_t>(ferrion_messenger_all_partial_octets); }
  void set_all_partial_octets(uint64_t octets) { check(ferrion_messenger_set_all_partial_octets(get(), octets)); }
  void set_credentials(Text user, Text password) {
    check(ferrion_messenger_set_credentials(get(), user.get(), password.get()));
  }
  void set_certificate(Text certificate, Text key) {
    check(ferrion_messenger_set_certificate(get(), certificate.get(), key.get()));
  }
  void set_trusted_certificates(Text file) { check(ferrion_messenger_set_trusted_certificates(get(), file.get())); }
  void set_reconnect(const Reconnect &reconnect) { check(ferrion_messenger_set_reconnect(get(), reconnect.get())); }
  void route(Text pattern, Text address) { check(ferrion_messenger_route(get(), pattern.get(), address.get())); }
  void rewrite(Text pattern, Text address) { check(ferrion_messenger_rewrite(get(), pattern.get(), address.get())); }

  ferrion_tracker_t put(const Message &message) {
    ferrion_tracker_t tracker;
    check(ferrion_messenger_put(get(), message.get(), &tracker));
    return tracker;
  }
  /** Waits until `n` messages fewer are unsent; -1: all. False, in non-blocking mode: not finished yet. */
  bool send(int32_t n = -1) { return check(ferrion_messenger_send(get(), n), FERRION_WOULD_BLOCK); }
  size_t outgoing() const { return got<size_t>(ferrion_messenger_outgoing); }

  ferrion_subscription_t subscribe(Text address) {
    ferrion_subscription_t subscription;
    check(ferrion_messenger_subscribe(get(), address.get(), &subscription));
    return subscription;
  }
  ferrion_subscription_t subscribe(Text address, const SubscribeOptions &options) {
    ferrion_subscription_t subscription;
    check(ferrion_messenger_subscribe_with(get(), address.get(), options.get(), &subscription));
    return subscription;
  }
  /** Ends a subscription, for good or, if `keep`, only here. False, in non-blocking mode: not finished; call `work`, then this again. */
  bool unsubscribe(ferrion_subscription_t subscription, bool keep = false) {
    return check(ferrion_messenger_unsubscribe(get(), subscription, keep), FERRION_WOULD_BLOCK);
  }
  /** The port that a subscription listens on; 0 if it does not listen. */
  uint16_t port(ferrion_subscription_t subscription) const {
    uint16_t port = 0;
    check(ferrion_messenger_subscription_port(get(), subscription, &port), FERRION_ABSENT);
    return port;
  }
  /** Lets `n` messages come (or a `ferrion_credit`) and waits for one. False, in non-blocking mode: none is there yet. */
  bool recv(int32_t n = FERRION_CREDIT_ALL) { return check(ferrion_messenger_recv(get(), n), FERRION_WOULD_BLOCK); }
  size_t incoming() const { return got<size_t>(ferrion_messenger_incoming); }
  /** Takes the oldest message received. False: none waits. */
  bool get(Message &message, ferrion_tracker_t *tracker = nullptr) {
    return check(ferrion_messenger_get(get(), message.get(), tracker), FERRION_END);
  }
  using Owner::get;

  ferrion_delivery_status status(ferrion_tracker_t tracker) const {
    ferrion_delivery_status status;
    check(ferrion_messenger_status(get(), tracker, &status));
    return status;
  }
  /** Why a message was not accepted, for a person. Not there: nothing is known against it. */
  Bytes reason(ferrion_tracker_t tracker) {
    ferrion_bytes_t text;
    return check(ferrion_messenger_reason(get(), tracker, &text), FERRION_ABSENT) ? Bytes(text) : Bytes();
  }
  void accept(ferrion_tracker_t tracker, ferrion_flags flags = FERRION_SINGLE) {
    check(ferrion_messenger_accept(get(), tracker, flags));
  }
  void reject(ferrion_tracker_t tracker, Text condition = nullptr, Text description = nullptr) {
    check(ferrion_messenger_reject(get(), tracker, FERRION_SINGLE, condition.get(), description.get(), nullptr));
  }
  void release(ferrion_tracker_t tracker, ferrion_flags flags = FERRION_SINGLE) {
    check(ferrion_messenger_release(get(), tracker, flags));
  }
  using Owner::release;
  void settle(ferrion_tracker_t tracker, ferrion_flags flags = FERRION_SINGLE) {
    check(ferrion_messenger_settle(get(), tracker, flags));
  }

  /** Sends a request and waits for its reply. */
  void request(const Message &message, Message &reply) {
    check(ferrion_messenger_request(get(), message.get(), reply.get()));
  }
  /** Makes the reply to a request that was taken: to whom it goes, and to what it belongs. */
  void reply_to(ferrion_tracker_t tracker, const Message &message, Message &reply) const {
    check(ferrion_messenger_reply_to(get(), tracker, message.get(), reply.get()));
  }

  /** Does network work until something happened, at most for so many milliseconds. Whether anything did. */
  bool work(int64_t milliseconds = -1) {
    bool worked;
    check(ferrion_messenger_work(get(), milliseconds, &worked));
    return worked;
  }
  void interrupt() const { check(ferrion_messenger_interrupt(get())); }

 private:
  template <typename T>
  T got(ferrion_status (*get_it)(const ferrion_messenger_t *, T *)) const {
    T value;
    check(get_it(get(), &value));
    return value;
  }
};

/** Ends a waiting call of its messenger, from any thread and from a signal handler. */
class Interrupter : public Owner<ferrion_interrupter_t, ferrion_interrupter_free> {
 public:
  explicit Interrupter(const Messenger &messenger) : Owner(ferrion_interrupter_new(messenger.get())) {}
  explicit Interrupter(ferrion_interrupter_t *object) : Owner(object) {}

  void interrupt() const noexcept { (void)ferrion_interrupter_interrupt(get()); }
};

/** How a connection is opened and logged in, for an Engine. */
class Config : public Plain<ferrion_config_t, ferrion_config_new, ferrion_config_free> {
 public:
  using Plain::Plain;

  void set_text(ferrion_config_field field, Text text) { check(ferrion_config_set_text(get(), field, text.get())); }
  void set_number(ferrion_config_field field, uint64_t number) {
    check(ferrion_config_set_number(get(), field, number));
  }
  void set_limit(ferrion_limit limit, uint64_t number) { check(ferrion_config_set_limit(get(), limit, number)); }
  void login_anonymous() { check(ferrion_config_login_anonymous(get())); }
  void login_plain(Text user, Text password) {
    check(ferrion_config_login_plain(get(), user.get(), password.get()));
  }
  void login_external() { check(ferrion_config_login_external(get())); }
  void offer(Text mechanism) { check(ferrion_config_offer(get(), mechanism.get())); }
  void offer_required(bool required) { check(ferrion_config_offer_required(get(), required)); }
};

/** How a link is attached. */
class LinkConfig : public Plain<ferrion_link_config_t, ferrion_link_config_new, ferrion_link_config_free> {
 public:
  using Plain::Plain;

  /** For a link that sends to this address. */
  static LinkConfig sender(Text name, Text address) {
    LinkConfig config;
    check(ferrion_link_config_sender(config.get(), name.get(), address.get()));
    return config;
  }
  /** For a link that receives from this address. */
  static LinkConfig receiver(Text name, Text address) {
    LinkConfig config;
    check(ferrion_link_config_receiver(config.get(), name.get(), address.get()));
    return config;
  }
  void set_number(ferrion_link_field field, uint64_t number) {
    check(ferrion_link_config_set_number(get(), field, number));
  }
};

class Link;
class Sender;
class Receiver;

/** One AMQP connection as a state machine, for programs with sockets of their own. `now` is in milliseconds. */
class Engine : public Owner<ferrion_engine_t, ferrion_engine_free> {
 public:
  Engine(ferrion_side side, const Config &config) : Owner(ferrion_engine_new(side, config.get())) {}
  explicit Engine(ferrion_engine_t *object) : Owner(object) {}

  void recv(uint64_t now, Bytes octets) { check(ferrion_engine_recv(get(), now, octets.data(), octets.size())); }
  /** Room of the engine's own to read into; then `recv_filled`. */
  ferrion_room_t recv_buffer(size_t min) {
    ferrion_room_t room;
    check(ferrion_engine_recv_buffer(get(), min, &room));
    return room;
  }
  void recv_filled(uint64_t now, size_t n) { check(ferrion_engine_recv_filled(get(), now, n)); }
  void recv_eof(uint64_t now) { check(ferrion_engine_recv_eof(get(), now)); }
  /** What is to be written next; then `advance` by as much as was. Not there: nothing. */
  Bytes transmit(uint64_t now) {
    ferrion_bytes_t octets;
    return check(ferrion_engine_transmit(get(), now, &octets), FERRION_END) ? Bytes(octets) : Bytes();
  }
  void advance(uint64_t now, size_t n) { check(ferrion_engine_advance(get(), now, n)); }
  /** False: the engine waits for no time to come. */
  bool poll_timeout(uint64_t &at) const { return check(ferrion_engine_poll_timeout(get(), &at, nullptr), FERRION_ABSENT); }
  void handle_timeout(uint64_t now) { check(ferrion_engine_handle_timeout(get(), now)); }
  /** False: nothing more happened. */
  bool poll_event(ferrion_event_t &event) { return check(ferrion_engine_poll_event(get(), &event), FERRION_END); }
  bool is_done() const {
    bool done;
    check(ferrion_engine_is_done(get(), &done));
    return done;
  }
  /** Nothing more is taken from the peer until it reads: see ferrion_engine_is_blocked. */
  bool is_blocked() const {
    bool blocked;
    check(ferrion_engine_is_blocked(get(), &blocked));
    return blocked;
  }
  /** Why the connection failed, for a person. Not there: it did not. */
  Bytes failure() {
    ferrion_bytes_t text;
    return check(ferrion_engine_failure(get(), nullptr, &text), FERRION_ABSENT) ? Bytes(text) : Bytes();
  }
  /** The message of the delivery that was taken last. */
  void message(Message &message) { check(ferrion_engine_message(get(), message.get())); }

  void open() { check(ferrion_connection_open(get())); }
  void close(Text condition = nullptr, Text description = nullptr) {
    check(ferrion_connection_close(get(), condition.get(), description.get(), nullptr));
  }
  ferrion_session_t begin() {
    ferrion_session_t session;
    check(ferrion_connection_begin(get(), nullptr, &session));
    return session;
  }
  void accept(ferrion_session_t session) { check(ferrion_session_accept(get(), session, nullptr)); }
  void end(ferrion_session_t session) { check(ferrion_session_end(get(), session, nullptr, nullptr, nullptr)); }
  ferrion_link_t attach_sender(ferrion_session_t session, const LinkConfig &config) {
    ferrion_link_t link;
    check(ferrion_session_attach_sender(get(), session, config.get(), &link));
    return link;
  }
  ferrion_link_t attach_receiver(ferrion_session_t session, const LinkConfig &config) {
    ferrion_link_t link;
    check(ferrion_session_attach_receiver(get(), session, config.get(), &link));
    return link;
  }

  inline Link link(ferrion_link_t link);
  inline Sender sender(ferrion_link_t link);
  inline Receiver receiver(ferrion_link_t link);
};

/** A link of an engine; it lives no longer than the engine, and owns nothing. */
class Link {
 public:
  Link(Engine &engine, ferrion_link_t link) noexcept : engine_(engine.get()), link_(link) {}

  ferrion_link_t id() const noexcept { return link_; }
  void accept() { check(ferrion_link_accept(engine_, link_)); }
  void refuse(Text condition, Text description = nullptr) {
    check(ferrion_link_refuse(engine_, link_, condition.get(), description.get(), nullptr));
  }
  void detach() { check(ferrion_link_detach(engine_, link_)); }
  void close(Text condition = nullptr, Text description = nullptr) {
    check(ferrion_link_close(engine_, link_, condition.get(), description.get(), nullptr));
  }
  /** The next delivery whose state the peer changed. False: there is none. */
  bool next_update(ferrion_update_t &update) {
    return check(ferrion_link_next_update(engine_, link_, &update), FERRION_END);
  }
  /** The address at the peer. Not there: it has none. */
  Bytes remote_address() {
    ferrion_bytes_t text;
    return check(ferrion_link_remote_address(engine_, link_, &text), FERRION_ABSENT) ? Bytes(text) : Bytes();
  }

 protected:
  ferrion_engine_t *engine_;
  ferrion_link_t link_;
};

/** A link that sends. */
class Sender : public Link {
 public:
  using Link::Link;

  /** Sends an encoded message; the tag names the delivery. False: the receiver has granted no credit. */
  bool send(Bytes tag, Bytes octets, ferrion_delivery_t *delivery = nullptr) {
    return check(ferrion_sender_send(engine_, link_, tag.data(), tag.size(), octets.data(), octets.size(), delivery),
                 FERRION_NO_CREDIT);
  }
  /** The same with all that can be said of it. `delivery` gets 0 if it is settled by being sent. */
  bool send(Bytes tag, Bytes octets, const SendOptions &options, ferrion_delivery_t *delivery = nullptr) {
    return check(ferrion_sender_send_with(engine_, link_, tag.data(), tag.size(), octets.data(), octets.size(),
                                          options.get(), delivery),
                 FERRION_NO_CREDIT);
  }
  /** The same with a message. */
  bool send(Bytes tag, const Message &message, ferrion_delivery_t *delivery = nullptr) {
    return send_message(tag, message, nullptr, delivery);
  }
  bool send(Bytes tag, const Message &message, const SendOptions &options, ferrion_delivery_t *delivery = nullptr) {
    return send_message(tag, message, options.get(), delivery);
  }
  void settle(ferrion_delivery_t delivery) { check(ferrion_sender_settle(engine_, link_, delivery)); }
  uint32_t credit() const {
    uint32_t n;
    check(ferrion_sender_credit(engine_, link_, &n));
    return n;
  }

 private:
  bool send_message(Bytes tag, const Message &message, const ferrion_send_options_t *options,
                    ferrion_delivery_t *delivery) {
    return check(
        ferrion_sender_send_message(engine_, link_, tag.data(), tag.size(), message.get(), options, delivery),
        FERRION_NO_CREDIT);
  }
};

/** A link that receives. */
class Receiver : public Link {
 public:
  using Link::Link;

  void set_credit(uint32_t n) { check(ferrion_receiver_set_credit(engine_, link_, n)); }
  /** Keeps so much credit granted. */
  void set_automatic_credit(uint32_t n) { check(ferrion_receiver_set_automatic_credit(engine_, link_, n)); }
  uint32_t credit() const {
    uint32_t n;
    check(ferrion_receiver_credit(engine_, link_, &n));
    return n;
  }
  /** Takes the next delivery. False: none waits. */
  bool next_delivery(ferrion_incoming_t &incoming) {
    return check(ferrion_receiver_next_delivery(engine_, link_, &incoming), FERRION_END);
  }
  using Link::accept;
  void accept(ferrion_delivery_t delivery) { check(ferrion_receiver_accept(engine_, link_, delivery)); }
  void reject(ferrion_delivery_t delivery, Text condition = nullptr, Text description = nullptr) {
    check(ferrion_receiver_reject(engine_, link_, delivery, condition.get(), description.get(), nullptr));
  }
  void release(ferrion_delivery_t delivery) { check(ferrion_receiver_release(engine_, link_, delivery)); }
  /** Settles a delivery without waiting for the sender, also where the receiver settles second. Without a state none is told. */
  void settle_at_once(ferrion_delivery_t delivery) {
    check(ferrion_receiver_settle_at_once(engine_, link_, delivery, nullptr));
  }
  void settle_at_once(ferrion_delivery_t delivery, const Value &state) {
    check(ferrion_receiver_settle_at_once(engine_, link_, delivery, state.get()));
  }
};

inline Link Engine::link(ferrion_link_t link) { return Link(*this, link); }
inline Sender Engine::sender(ferrion_link_t link) { return Sender(*this, link); }
inline Receiver Engine::receiver(ferrion_link_t link) { return Receiver(*this, link); }

}  // namespace ferrion

#endif
