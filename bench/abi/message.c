/* Encoding and decoding a typical message by the C header, as in bench/src/message.rs. */
#include "abi.h"

#include <string.h>

/* Distinct messages gone through in turn. */
enum { RING = 16 };

static void set(ferrion_message_t *message, int32_t field, ferrion_value_t *value) {
  MUST(ferrion_message_set(message, field, value));
  MUST(ferrion_value_clear(value));
}

static void property(ferrion_message_t *message, const char *name, ferrion_value_t *value) {
  MUST(ferrion_message_set_property(message, name, value));
  MUST(ferrion_value_clear(value));
}

/* The typical message number `index`; bench/src/message.rs builds the same. */
static ferrion_message_t *typical(const ring_t *ring, uint64_t index) {
  static const char user[] = "bench-user";
  ferrion_message_t *message = ferrion_message_new();
  ferrion_value_t *value = ferrion_value_new();
  require(message && value, "a message");
  MUST(ferrion_message_set_durable(message, true));
  MUST(ferrion_message_set_priority(message, 7));
  MUST(ferrion_message_set_ttl(message, 30000));
  MUST(ferrion_value_put_ulong(value, 1000000 + index));
  set(message, FERRION_FIELD_ID, value);
  MUST(ferrion_message_set_user_id(message, (const uint8_t *)user, strlen(user)));
  MUST(ferrion_message_set_address(message, "amqp://broker.example/queue/orders"));
  MUST(ferrion_message_set_subject(message, "order.created"));
  MUST(ferrion_message_set_reply_to(message, "amqp://broker.example/queue/replies"));
  MUST(ferrion_value_put_text(value, "c0ffee-0123456789"));
  set(message, FERRION_FIELD_CORRELATION_ID, value);
  MUST(ferrion_message_set_content_type(message, "application/octet-stream"));
  MUST(ferrion_message_set_creation_time(message, 1700000000000 + (int64_t)index));
  MUST(ferrion_message_set_group_id(message, "group-7"));
  MUST(ferrion_message_set_group_sequence(message, (uint32_t)index));
  MUST(ferrion_message_set_property_text(message, "region", "eu-central-1"));
  MUST(ferrion_value_put_int(value, (int32_t)(index % 5)));
  property(message, "attempt", value);
  MUST(ferrion_value_put_ulong(value, 0x1122334455667788u + index));
  property(message, "trace", value);
  MUST(ferrion_message_set_body_data(message, ring_payload(ring, index) + ring->overhead, ring->octets - ring->overhead));
  ferrion_value_free(value);
  return message;
}

int run_encode(const options_t *options) {
  ring_t ring = ring_new(options->body);
  ferrion_message_t *messages[RING];
  ferrion_bytes_t encoded;
  uint64_t octets = 0, start = 0;
  for (uint64_t i = 0; i < RING; i++) messages[i] = typical(&ring, i);
  for (uint64_t i = 0; i < options->warmup + options->count; i++) {
    if (i == options->warmup) octets = 0, start = now_ns();
    MUST(ferrion_message_encode(messages[i % RING], &encoded));
    octets += encoded.len;
  }
  uint64_t nanos = now_ns() - start;
  for (uint64_t i = 0; i < RING; i++) ferrion_message_free(messages[i]);
  report(options->count, nanos, octets / options->count, 0);
  return 0;
}

static uint64_t fold_first(uint64_t sum, ferrion_bytes_t text) {
  require(text.len > 0, "the text is there");
  return fold(sum, text.data[0]);
}

static uint64_t fold_bytes(uint64_t sum, ferrion_bytes_t octets) {
  return fold_first(fold(sum, octets.len), octets);
}

static uint64_t read_routing(const ferrion_message_t *message, uint64_t sum) {
  bool durable;
  uint32_t ttl;
  ferrion_bytes_t text;
  MUST(ferrion_message_durable(message, &durable));
  sum = fold(sum, durable);
  MUST(ferrion_message_ttl(message, &ttl));
  sum = fold(sum, ttl);
  MUST(ferrion_message_address(message, &text));
  sum = fold_first(sum, text);
  MUST(ferrion_message_subject(message, &text));
  return fold_first(sum, text);
}

static uint64_t read_properties(ferrion_value_t *value, uint64_t sum) {
  ferrion_bytes_t text;
  ferrion_type type;
  uint64_t number;
  int32_t small;
  MUST(ferrion_value_next(value));
  MUST(ferrion_value_enter(value));
  while (ferrion_value_next(value) == FERRION_OK) {
    MUST(ferrion_value_get_bytes(value, &text));
    sum = fold_bytes(sum, text);
    MUST(ferrion_value_next(value));
    MUST(ferrion_value_type(value, &type));
    switch (type) {
      case FERRION_TYPE_STRING:
        MUST(ferrion_value_get_bytes(value, &text));
        sum = fold_bytes(sum, text);
        break;
      case FERRION_TYPE_INT:
        MUST(ferrion_value_get_int(value, &small));
        sum = fold(sum, (uint32_t)small);
        break;
      case FERRION_TYPE_ULONG:
        MUST(ferrion_value_get_ulong(value, &number));
        sum = fold(sum, number);
        break;
      default:
        require(false, "an application property of a known type");
    }
  }
  return sum;
}

static uint64_t read_all(ferrion_message_t *message, ferrion_value_t *value, uint64_t sum) {
  bool first;
  uint8_t priority;
  uint32_t number;
  uint64_t id;
  int64_t time;
  ferrion_bytes_t text;
  sum = read_routing(message, sum);
  MUST(ferrion_message_priority(message, &priority));
  sum = fold(sum, priority);
  MUST(ferrion_message_first_acquirer(message, &first));
  sum = fold(sum, first);
  MUST(ferrion_message_delivery_count(message, &number));
  sum = fold(sum, number);

  MUST(ferrion_message_get(message, FERRION_FIELD_ID, value));
  MUST(ferrion_value_next(value));
  MUST(ferrion_value_get_ulong(value, &id));
  sum = fold(sum, id);
  MUST(ferrion_message_user_id(message, &text));
  sum = fold_bytes(sum, text);
  MUST(ferrion_message_reply_to(message, &text));
  sum = fold_first(sum, text);
  MUST(ferrion_message_get(message, FERRION_FIELD_CORRELATION_ID, value));
  MUST(ferrion_value_next(value));
  MUST(ferrion_value_get_bytes(value, &text));
  sum = fold_bytes(sum, text);
  MUST(ferrion_message_content_type(message, &text));
  sum = fold_first(sum, text);
  MUST(ferrion_message_creation_time(message, &time));
  sum = fold(sum, (uint64_t)time);
  MUST(ferrion_message_group_id(message, &text));
  sum = fold_first(sum, text);
  MUST(ferrion_message_group_sequence(message, &number));
  sum = fold(sum, number);

  MUST(ferrion_message_section(message, FERRION_SECTION_APPLICATION_PROPERTIES, value));
  sum = read_properties(value, sum);
  MUST(ferrion_message_body_bytes(message, &text));
  return fold_payload(sum, text.data, text.len, 0);
}

int run_decode(const options_t *options) {
  corpus_t corpus = corpus_load(options->corpus);
  ferrion_message_t *message = ferrion_message_new();
  ferrion_value_t *value = ferrion_value_new();
  uint64_t octets = 0, check = 0, start = 0;
  require(message && value, "a message");
  for (uint64_t i = 0; i < options->warmup + options->count; i++) {
    size_t slot = i % corpus.len;
    if (i == options->warmup) octets = check = 0, start = now_ns();
    MUST(ferrion_message_decode(message, corpus.message[slot], corpus.octets[slot]));
    check = options->all ? read_all(message, value, check) : read_routing(message, check);
    octets += corpus.octets[slot];
  }
  uint64_t nanos = now_ns() - start;
  report(options->count, nanos, octets / options->count, check);
  ferrion_message_free(message);
  ferrion_value_free(value);
  return 0;
}
