/* A message with every section and field: set, encoded, decoded, looked at. */
#include "check.h"

static ferrion_value_t *scratch;

static ferrion_value_t *text(const char *text) {
  OK(ferrion_value_clear(scratch));
  OK(ferrion_value_put_text(scratch, text));
  return scratch;
}

static ferrion_value_t *map(const char *key, uint32_t number) {
  OK(ferrion_value_clear(scratch));
  OK(ferrion_value_begin_map(scratch));
  OK(ferrion_value_put_symbol_text(scratch, key));
  OK(ferrion_value_put_uint(scratch, number));
  OK(ferrion_value_end(scratch));
  return scratch;
}

static void fill(ferrion_message_t *m) {
  OK(ferrion_message_set_durable(m, true));
  OK(ferrion_message_set_priority(m, 9));
  OK(ferrion_message_set_ttl(m, 5000));
  OK(ferrion_message_set_first_acquirer(m, true));
  OK(ferrion_message_set_delivery_count(m, 2));
  OK(ferrion_message_set(m, FERRION_FIELD_ID, text("id-1")));
  OK(ferrion_message_set_user_id(m, BYTES("guest")));
  OK(ferrion_message_set_address(m, "amqp://example/queue"));
  OK(ferrion_message_set_subject(m, ""));
  OK(ferrion_message_set_reply_to(m, "replies"));
  OK(ferrion_value_clear(scratch));
  OK(ferrion_value_put_ulong(scratch, UINT64_MAX));
  OK(ferrion_message_set(m, FERRION_FIELD_CORRELATION_ID, scratch));
  OK(ferrion_message_set_content_type(m, "text/plain"));
  OK(ferrion_message_set_content_encoding(m, "gzip"));
  OK(ferrion_message_set_expiry_time(m, 1000));
  OK(ferrion_message_set_creation_time(m, -1000));
  OK(ferrion_message_set_group_id(m, "group"));
  OK(ferrion_message_set_group_sequence(m, UINT32_MAX));
  OK(ferrion_message_set_reply_to_group_id(m, "reply group"));
  OK(ferrion_message_set_section(m, FERRION_SECTION_DELIVERY_ANNOTATIONS, map("hop", 1)));
  OK(ferrion_message_set_section(m, FERRION_SECTION_MESSAGE_ANNOTATIONS, map("trace", 2)));
  OK(ferrion_message_set_section(m, FERRION_SECTION_FOOTER, map("checksum", 3)));
  OK(ferrion_message_set_property_text(m, "colour", "green"));
  OK(ferrion_message_set_property(m, "shade", text("dark")));
  OK(ferrion_message_set_body_text(m, "Hello World!"));
}

static void check_map(const ferrion_message_t *m, int32_t section, const char *key, uint32_t expected) {
  ferrion_bytes_t bytes;
  uint32_t number;
  OK(ferrion_message_section(m, section, scratch));
  OK(ferrion_value_next(scratch));
  OK(ferrion_value_enter(scratch));
  OK(ferrion_value_next(scratch));
  OK(ferrion_value_get_bytes(scratch, &bytes));
  CHECK(same_text(bytes, key));
  OK(ferrion_value_next(scratch));
  OK(ferrion_value_get_uint(scratch, &number));
  CHECK(number == expected);
}

#define TEXT_IS(getter, expected) \
  do { \
    ferrion_bytes_t found; \
    OK(ferrion_message_##getter(m, &found)); \
    CHECK(same_text(found, expected)); \
  } while (0)

static void check(ferrion_message_t *m) {
  bool truth;
  uint8_t u8;
  uint32_t u32;
  uint64_t u64;
  int64_t i64;
  ferrion_bytes_t bytes;

  OK(ferrion_message_durable(m, &truth));
  CHECK(truth);
  OK(ferrion_message_first_acquirer(m, &truth));
  CHECK(truth);
  OK(ferrion_message_priority(m, &u8));
  CHECK(u8 == 9);
  OK(ferrion_message_ttl(m, &u32));
  CHECK(u32 == 5000);
  OK(ferrion_message_delivery_count(m, &u32));
  CHECK(u32 == 2);
  OK(ferrion_message_get(m, FERRION_FIELD_ID, scratch));
  OK(ferrion_value_next(scratch));
  OK(ferrion_value_get_bytes(scratch, &bytes));
  CHECK(same_text(bytes, "id-1"));
  TEXT_IS(user_id, "guest");
  TEXT_IS(address, "amqp://example/queue");
  TEXT_IS(subject, "");
  TEXT_IS(reply_to, "replies");
  OK(ferrion_message_get(m, FERRION_FIELD_CORRELATION_ID, scratch));
  OK(ferrion_value_next(scratch));
  OK(ferrion_value_get_ulong(scratch, &u64));
  CHECK(u64 == UINT64_MAX);
  TEXT_IS(content_type, "text/plain");
  TEXT_IS(content_encoding, "gzip");
  OK(ferrion_message_expiry_time(m, &i64));
  CHECK(i64 == 1000);
  OK(ferrion_message_creation_time(m, &i64));
  CHECK(i64 == -1000);
  TEXT_IS(group_id, "group");
  OK(ferrion_message_group_sequence(m, &u32));
  CHECK(u32 == UINT32_MAX);
  TEXT_IS(reply_to_group_id, "reply group");
  check_map(m, FERRION_SECTION_DELIVERY_ANNOTATIONS, "hop", 1);
  check_map(m, FERRION_SECTION_MESSAGE_ANNOTATIONS, "trace", 2);
  check_map(m, FERRION_SECTION_FOOTER, "checksum", 3);
  OK(ferrion_message_property(m, "colour", scratch));
  OK(ferrion_value_next(scratch));
  OK(ferrion_value_get_bytes(scratch, &bytes));
  CHECK(same_text(bytes, "green"));
  IS(FERRION_ABSENT, ferrion_message_property(m, "taste", scratch));
  OK(ferrion_message_body_bytes(m, &bytes));
  CHECK(same_text(bytes, "Hello World!"));
}

static void bodies(ferrion_message_t *m) {
  ferrion_bytes_t bytes;
  ferrion_body kind;

  OK(ferrion_message_set_body_data(m, BYTES("octets")));
  OK(ferrion_message_body_bytes(m, &bytes));
  CHECK(same_text(bytes, "octets"));

  OK(ferrion_value_clear(scratch));
  OK(ferrion_value_put_binary(scratch, BYTES("one")));
  OK(ferrion_value_put_binary(scratch, BYTES("two")));
  OK(ferrion_message_set_body(m, FERRION_BODY_DATA, scratch));
  OK(ferrion_message_body_bytes(m, &bytes));
  CHECK(same_text(bytes, "onetwo"));
  OK(ferrion_message_body(m, &kind, scratch));
  CHECK(kind == FERRION_BODY_DATA);
  OK(ferrion_value_next(scratch));
  OK(ferrion_value_next(scratch));
  OK(ferrion_value_get_bytes(scratch, &bytes));
  CHECK(same_text(bytes, "two"));

  IS(FERRION_WRONG_TYPE, ferrion_message_set_body(m, FERRION_BODY_SEQUENCE, scratch));
  IS(FERRION_INVALID_ARGUMENT, ferrion_message_set_body(m, FERRION_BODY_VALUE, scratch));
  IS(FERRION_INVALID_ARGUMENT, ferrion_message_set_body(m, 0, scratch));

  OK(ferrion_value_clear(scratch));
  OK(ferrion_value_begin_list(scratch));
  OK(ferrion_value_put_bool(scratch, false));
  OK(ferrion_value_end(scratch));
  OK(ferrion_message_set_body(m, FERRION_BODY_SEQUENCE, scratch));
  OK(ferrion_message_body(m, &kind, scratch));
  CHECK(kind == FERRION_BODY_SEQUENCE);
  IS(FERRION_WRONG_TYPE, ferrion_message_body_bytes(m, &bytes));
}

static void absent(ferrion_message_t *m) {
  ferrion_bytes_t bytes;
  ferrion_body kind;
  ferrion_type type;
  uint8_t u8;
  uint32_t u32;

  OK(ferrion_message_clear(m));
  IS(FERRION_ABSENT, ferrion_message_address(m, &bytes));
  IS(FERRION_ABSENT, ferrion_message_ttl(m, &u32));
  IS(FERRION_ABSENT, ferrion_message_get(m, FERRION_FIELD_ID, scratch));
  IS(FERRION_ABSENT, ferrion_message_section(m, FERRION_SECTION_FOOTER, scratch));
  OK(ferrion_message_priority(m, &u8));
  CHECK(u8 == 4);
  OK(ferrion_message_body(m, &kind, scratch));
  OK(ferrion_value_next(scratch));
  OK(ferrion_value_type(scratch, &type));
  CHECK(kind == FERRION_BODY_VALUE && type == FERRION_TYPE_NULL);

  OK(ferrion_message_set_address(m, "somewhere"));
  OK(ferrion_message_set_address(m, NULL));
  IS(FERRION_ABSENT, ferrion_message_address(m, &bytes));
  OK(ferrion_message_set_ttl(m, 1));
  OK(ferrion_value_clear(scratch));
  OK(ferrion_message_set(m, FERRION_FIELD_TTL, scratch));
  IS(FERRION_ABSENT, ferrion_message_ttl(m, &u32));
  OK(ferrion_message_set_section(m, FERRION_SECTION_FOOTER, map("checksum", 3)));
  OK(ferrion_value_clear(scratch));
  OK(ferrion_message_set_section(m, FERRION_SECTION_FOOTER, scratch));
  IS(FERRION_ABSENT, ferrion_message_section(m, FERRION_SECTION_FOOTER, scratch));
}

static void mistakes(ferrion_message_t *m) {
  ferrion_bytes_t bytes;
  IS(FERRION_INVALID_ARGUMENT, ferrion_message_get(m, 99, scratch));
  IS(FERRION_INVALID_ARGUMENT, ferrion_message_section(m, -1, scratch));
  IS(FERRION_WRONG_TYPE, ferrion_message_set(m, FERRION_FIELD_TTL, text("soon")));
  IS(FERRION_WRONG_TYPE, ferrion_message_set_section(m, FERRION_SECTION_FOOTER, text("no map")));
  IS(FERRION_INVALID_ARGUMENT, ferrion_message_set_address(m, "\xff"));
  IS(FERRION_INVALID_ARGUMENT, ferrion_message_set_content_type(m, "t\xc3\xa9xt"));
  IS(FERRION_DECODE, ferrion_message_decode(m, BYTES("nonsense")));
  IS(FERRION_DECODE, ferrion_message_decode(m, NULL, 0));
  IS(FERRION_NULL_POINTER, ferrion_message_encode(m, NULL));
  IS(FERRION_NULL_POINTER, ferrion_message_encode(NULL, &bytes));
  IS(FERRION_BUSY, ferrion_message_copy(m, m));
}

/* One object for message after message: none is seen in another, and what was taken out of one stays. */
static void again(ferrion_message_t *m, ferrion_message_t *other) {
  ferrion_value_t *kept = ferrion_value_new();
  char body[3000], long_text[100];
  ferrion_bytes_t bytes;
  memset(long_text, 't', sizeof long_text - 1);
  long_text[sizeof long_text - 1] = 0;
  for (size_t i = 0; i < 40; i++) {
    size_t len = i * 73 % sizeof body;
    memset(body, (int)('a' + i % 26), len);
    OK(ferrion_message_clear(other));
    long_text[0] = (char)('a' + i % 26);
    OK(ferrion_message_set_property_text(other, "long", long_text));
    OK(ferrion_message_set_body_data(other, (const uint8_t *)body, len));
    OK(ferrion_message_encode(other, &bytes));
    OK(ferrion_message_decode(m, bytes.data, bytes.len));
    IS(FERRION_DECODE, ferrion_message_decode(m, BYTES("nonsense")));
    OK(ferrion_message_property(m, "long", kept));
    /* Out of itself, and a body out of its own. */
    OK(ferrion_message_encode(m, &bytes));
    OK(ferrion_message_decode(m, bytes.data, bytes.len));
    OK(ferrion_message_body_bytes(m, &bytes));
    CHECK(bytes.len == len && memcmp(bytes.data, body, len) == 0);
    OK(ferrion_message_set_body_data(m, bytes.data, bytes.len));
    OK(ferrion_message_body_bytes(m, &bytes));
    CHECK(bytes.len == len && memcmp(bytes.data, body, len) == 0);
    OK(ferrion_message_decode(m, BYTES("\0Sw\xa1\x05" "short")));
    OK(ferrion_value_next(kept));
    OK(ferrion_value_get_bytes(kept, &bytes));
    CHECK(same_text(bytes, long_text));
  }
  ferrion_value_free(kept);
}

int main(void) {
  ferrion_message_t *m = ferrion_message_new();
  ferrion_message_t *other = ferrion_message_new();
  ferrion_bytes_t bytes;
  scratch = ferrion_value_new();

  fill(m);
  check(m);
  OK(ferrion_message_encode(m, &bytes));
  OK(ferrion_message_decode(other, bytes.data, bytes.len));
  check(other);
  OK(ferrion_message_clear(m));
  OK(ferrion_message_copy(m, other));
  check(m);
  bodies(m);
  absent(m);
  mistakes(m);
  again(m, other);

  ferrion_value_free(scratch);
  ferrion_message_free(other);
  ferrion_message_free(m);
  return 0;
}
