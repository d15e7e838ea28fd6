/* Without a network: octets and texts, owners that move, what is thrown, values of every type, messages. */
#include <memory>
#include <sstream>
#include <type_traits>
#include <vector>

#include "check.hpp"

using ferrion::Bytes;
using ferrion::Error;
using ferrion::Message;
using ferrion::Text;
using ferrion::Value;

static void octets() {
  const std::string text("a\0b", 3);
  const Bytes none, empty("", 0), some(text), same(text.data(), 3);
  CHECK(!none && none.size() == 0 && none.str().empty() && none.data() == nullptr);
  CHECK(empty && empty.size() == 0 && empty.str().empty());
  CHECK(!Bytes(static_cast<const char *>(nullptr)));
  CHECK(some && some.size() == 3 && some.str() == text && some == same && some != Bytes("a") && none == empty);
  CHECK(some.data() == reinterpret_cast<const uint8_t *>(text.data()) && some.chars() == text.data());
  size_t zeros = 0;
  for (uint8_t octet : some) zeros += octet == 0;
  CHECK(zeros == 1 && some.end() - some.begin() == 3);
  std::ostringstream printed;
  printed << some << none << '.';
  CHECK(printed.str() == text + '.');
#if __cplusplus >= 201703L
  const std::string_view view(some);
  CHECK(view == text && Bytes(view) == some && std::string_view(none).empty());
#endif
}

static void texts() {
  const std::string name("name");
  CHECK(Text(name).get() == name.c_str() && Text(nullptr).get() == nullptr);
  Error cut = thrown(FERRION_INVALID_ARGUMENT, [] { Text(std::string("a\0b", 3)); });
  CHECK(std::strstr(cut.what(), "NUL"));
}

/* What Owner and Plain promise, of one type. */
template <typename T>
static void moves() {
  static_assert(std::is_nothrow_move_constructible<T>::value && std::is_nothrow_move_assignable<T>::value, "moves");
  static_assert(!std::is_copy_constructible<T>::value && !std::is_copy_assignable<T>::value, "has one owner");
  T first, second;
  auto object = first.get();
  CHECK(object && object != second.get());
  T third(std::move(first));
  CHECK(third.get() == object && !first.get());
  second = std::move(third);
  CHECK(second.get() == object && !third.get());
  T &itself = second;
  second = std::move(itself);
  CHECK(second.get() == object);
  /* One that was moved from can be used for another. */
  first = T();
  CHECK(first.get());
  auto given = second.release();
  CHECK(given == object && !second.get());
  T back(given);
  std::vector<T> many;
  many.push_back(std::move(back));
  many.emplace_back();
  CHECK(many[0].get() == object);
  thrown(FERRION_OTHER, [] { T nobody(nullptr); });
}

static void owners() {
  /* NULL to be owned is a _new that failed, and so is this. */
  thrown(FERRION_NULL_POINTER, [] { ferrion::check(ferrion_value_clear(nullptr)); });
  moves<ferrion::Config>();
  moves<ferrion::ConnectionEvents>();
  moves<ferrion::LinkConfig>();
  moves<ferrion::LinkRecovery>();
  moves<ferrion::LinkState>();
  moves<Message>();
  moves<ferrion::Messages>();
  moves<ferrion::Reconnect>();
  moves<ferrion::Scram>();
  moves<ferrion::SessionConfig>();
  moves<ferrion::SubscribeOptions>();
  moves<Value>();
  std::unique_ptr<Value> elsewhere(new Value);
  elsewhere->put_null();
}

static void errors() {
  ferrion::check(FERRION_OK);
  CHECK(ferrion::check(FERRION_OK, FERRION_END) && !ferrion::check(FERRION_END, FERRION_END));
  Value value;
  const Error error = thrown(FERRION_STATE, [&] { value.end(); });
  CHECK(std::string("FERRION_STATE") == error.status_name() && std::string(error.what()) == ferrion_last_error());
  CHECK(std::string(error.condition()).empty());
  /* The text is the error's own: a later failure does not change it. */
  const std::string text = error.what();
  thrown(FERRION_DECODE, [&] { value.decode("\xff"); });
  CHECK(error.what() == text && text != ferrion_last_error());
  const Error copy = error;
  CHECK(copy.what() == text && copy.status() == FERRION_STATE);
  const Error remote(FERRION_OTHER, "no such node", "amqp:not-found");
  CHECK(std::string(remote.condition()) == "amqp:not-found");
  try {
    ferrion::check(ferrion_value_clear(nullptr));
    CHECK(!"thrown");
  } catch (const std::exception &any) {
    CHECK(std::strstr(any.what(), "NULL"));
  }
  /* A called function that throws leaves what it had begun to its owners: AddressSanitizer sees that nothing is lost. */
  thrown(FERRION_NULL_POINTER, [] { ferrion::LinkConfig::sender(nullptr, "box"); });
}

static void values() {
  const std::string sixteen(16, 'u');
  Value value;
  value.put_null().put_bool(true).put_ubyte(1).put_ushort(2).put_uint(3).put_ulong(4).put_byte(-1).put_short(-2);
  value.put_int(-3).put_long(-4).put_float(0.5f).put_double(0.25).put_decimal32("1234").put_decimal64("12345678");
  value.put_decimal128(sixteen).put_char(0x20AC).put_timestamp(5).put_uuid(sixteen).put_binary(Bytes("\0x", 2));
  value.put_string("Gr\xc3\xbc\xc3\x9f" "e").put_symbol("symbol");
  value.begin_list().put_uint(7).put_string("").end();
  value.begin_map().put_string("key").put_bool(false).end();
  value.begin_described().put_symbol("a:descriptor").put_null().end();
  value.begin_array(FERRION_TYPE_USHORT).put_ushort(8).put_ushort(9).end();

  const std::string octets = value.encode().str(), printed = value.print();
  Value read;
  read.decode(octets);
  CHECK(read.print() == printed && read.encode() == octets);
  read.clear();
  CHECK(!read.next());
  read.copy(value);
  read.rewind();
  auto is = [&](ferrion_type type) { return read.next() && read.type() == type; };
  CHECK(is(FERRION_TYPE_NULL));
  CHECK(is(FERRION_TYPE_BOOL) && read.get_bool());
  CHECK(is(FERRION_TYPE_UBYTE) && read.get_ubyte() == 1);
  CHECK(is(FERRION_TYPE_USHORT) && read.get_ushort() == 2);
  CHECK(is(FERRION_TYPE_UINT) && read.get_uint() == 3);
  CHECK(is(FERRION_TYPE_ULONG) && read.get_ulong() == 4);
  CHECK(is(FERRION_TYPE_BYTE) && read.get_byte() == -1);
  CHECK(is(FERRION_TYPE_SHORT) && read.get_short() == -2);
  CHECK(is(FERRION_TYPE_INT) && read.get_int() == -3);
  CHECK(is(FERRION_TYPE_LONG) && read.get_long() == -4);
  CHECK(is(FERRION_TYPE_FLOAT) && !(read.get_float() < 0.5f) && !(read.get_float() > 0.5f));
  CHECK(is(FERRION_TYPE_DOUBLE) && !(read.get_double() < 0.25) && !(read.get_double() > 0.25));
  CHECK(is(FERRION_TYPE_DECIMAL32) && read.get_bytes() == "1234");
  CHECK(is(FERRION_TYPE_DECIMAL64) && read.get_bytes() == "12345678");
  CHECK(is(FERRION_TYPE_DECIMAL128) && read.get_bytes() == sixteen);
  CHECK(is(FERRION_TYPE_CHAR) && read.get_char() == 0x20AC);
  CHECK(is(FERRION_TYPE_TIMESTAMP) && read.get_timestamp() == 5);
  CHECK(is(FERRION_TYPE_UUID) && read.get_bytes() == sixteen);
  CHECK(is(FERRION_TYPE_BINARY) && read.get_bytes() == Bytes("\0x", 2));
  CHECK(is(FERRION_TYPE_STRING) && read.get_bytes().size() == 7);
  CHECK(is(FERRION_TYPE_SYMBOL) && read.get_bytes().str() == "symbol");
  thrown(FERRION_WRONG_TYPE, [&] { read.get_uint(); });
  CHECK(is(FERRION_TYPE_LIST) && read.count() == 2);
  read.enter();
  CHECK(read.next() && read.get_uint() == 7);
  /* A string that is empty is there. */
  CHECK(read.next() && read.get_bytes() && read.get_bytes().size() == 0 && !read.next());
  read.exit();
  CHECK(is(FERRION_TYPE_MAP) && read.count() == 2);
  CHECK(is(FERRION_TYPE_DESCRIBED));
  CHECK(is(FERRION_TYPE_ARRAY) && read.count() == 2);
  CHECK(!read.next());
}

static void messages() {
  Message message;
  Value value;
  uint32_t ttl;
  int64_t created;
  CHECK(!message.address() && !message.subject() && !message.reply_to() && !message.group_id());
  CHECK(!message.content_type() && !message.ttl(ttl) && !message.creation_time(created));
  CHECK(!message.durable() && message.priority() == 4 && message.delivery_count() == 0);
  CHECK(!message.property("colour", value) && !message.section(FERRION_SECTION_MESSAGE_ANNOTATIONS, value));
  CHECK(!message.get_field(FERRION_FIELD_ID, value));

  message.set_address("amqp://host/queue");
  message.set_subject(std::string("subject"));
  message.set_reply_to("me");
  message.set_group_id("group");
  message.set_content_type("text/plain");
  message.set_durable(true);
  message.set_priority(7);
  message.set_ttl(1000);
  message.set_creation_time(1234567890123);
  message.set_property("colour", "green");
  value.put_int(-40);
  message.set_property("cold", value);
  value.clear();
  value.put_ulong(42);
  message.set_field(FERRION_FIELD_ID, value);
  value.clear();
  value.begin_map().put_symbol("x-opt").put_uint(1).end();
  message.set_section(FERRION_SECTION_MESSAGE_ANNOTATIONS, value);
  message.set_body(std::string("text"));

  const std::string octets = message.encode().str();
  Message copy, decoded;
  copy.copy(message);
  decoded.decode(octets);
  for (Message *same : {&copy, &decoded}) {
    CHECK(same->address() == "amqp://host/queue" && same->subject() == "subject" && same->reply_to() == "me");
    CHECK(same->group_id() == "group" && same->content_type() == "text/plain" && same->body_bytes() == "text");
    CHECK(same->durable() && same->priority() == 7);
    CHECK(same->ttl(ttl) && ttl == 1000 && same->creation_time(created) && created == 1234567890123);
    CHECK(same->property("colour", value) && value.next() && value.get_bytes() == "green");
    CHECK(same->property("cold", value) && value.next() && value.get_int() == -40);
    CHECK(same->get_field(FERRION_FIELD_ID, value) && value.next() && value.get_ulong() == 42);
    CHECK(same->section(FERRION_SECTION_MESSAGE_ANNOTATIONS, value) && value.next() && value.count() == 2);
    CHECK(same->body(value) == FERRION_BODY_VALUE && value.next() && value.type() == FERRION_TYPE_STRING);
  }
  thrown(FERRION_DECODE, [&] { decoded.decode("\xff"); });
  // Nothing but a header, {durable}.
  const Bytes bodiless("\0\x53\x70\xc0\x02\x01\x41", 7);
  thrown(FERRION_DECODE, [&] { decoded.decode(bodiless); });
  decoded.decode_lenient(bodiless);
  Value nothing;
  CHECK(decoded.body(nothing) == FERRION_BODY_VALUE && decoded.durable());

  message.set_body_data(Bytes("\0\1", 2));
  CHECK(message.body_bytes() == Bytes("\0\1", 2));
  value.clear();
  value.begin_list().put_uint(1).end();
  message.set_body(FERRION_BODY_VALUE, value);
  CHECK(!message.body_bytes() && message.body(value) == FERRION_BODY_VALUE);
  message.clear();
  CHECK(!message.address());
}

int main() {
  octets();
  texts();
  owners();
  errors();
  values();
  messages();
  return 0;
}
