/* Encoding and decoding a typical message with pn_message_t, reused as Proton's own examples do. */
#include "work.h"

#include <proton/codec.h>
#include <proton/message.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Distinct messages gone through in turn. */
#define RING 16
#define ENCODED_MAX 4096

static pn_bytes_t text(const char *string) {
  return pn_bytes(strlen(string), string);
}

/* The typical message number `index`; bench/src/message.rs builds the same. */
static pn_message_t *typical(const ring_t *ring, uint64_t index) {
  pn_message_t *message = pn_message();
  pn_message_set_durable(message, true);
  pn_message_set_priority(message, 7);
  pn_message_set_ttl(message, 30000);

  pn_msgid_t id = {.type = PN_ULONG, .u.as_ulong = 1000000 + index};
  pn_message_set_id(message, id);
  pn_message_set_user_id(message, text("bench-user"));
  pn_message_set_address(message, "amqp://broker.example/queue/orders");
  pn_message_set_subject(message, "order.created");
  pn_message_set_reply_to(message, "amqp://broker.example/queue/replies");
  pn_msgid_t correlation = {.type = PN_STRING, .u.as_bytes = text("c0ffee-0123456789")};
  pn_message_set_correlation_id(message, correlation);
  pn_message_set_content_type(message, "application/octet-stream");
  pn_message_set_creation_time(message, 1700000000000 + (pn_timestamp_t)index);
  pn_message_set_group_id(message, "group-7");
  pn_message_set_group_sequence(message, (pn_sequence_t)index);

  pn_data_t *properties = pn_message_properties(message);
  pn_data_put_map(properties);
  pn_data_enter(properties);
  pn_data_put_string(properties, text("region"));
  pn_data_put_string(properties, text("eu-central-1"));
  pn_data_put_string(properties, text("attempt"));
  pn_data_put_int(properties, (int32_t)(index % 5));
  pn_data_put_string(properties, text("trace"));
  pn_data_put_ulong(properties, 0x1122334455667788u + index);
  pn_data_exit(properties);

  pn_message_set_inferred(message, true); /* a binary body is a data section */
  const uint8_t *payload = ring_payload(ring, index);
  pn_data_put_binary(pn_message_body(message), pn_bytes(ring->octets - ring->overhead, (const char *)payload + ring->overhead));
  return message;
}

int run_encode(const options_t *options) {
  ring_t ring = ring_new(options->body);
  pn_message_t *messages[RING];
  for (uint64_t i = 0; i < RING; i++) messages[i] = typical(&ring, i);

  char buffer[ENCODED_MAX];
  uint64_t octets = 0;
  uint64_t start = 0;
  for (uint64_t i = 0; i < options->warmup + options->count; i++) {
    if (i == options->warmup) {
      octets = 0;
      start = now_ns();
    }
    size_t size = sizeof buffer;
    int failed = pn_message_encode(messages[i % RING], buffer, &size);
    require(!failed, "a message encodes");
    octets += size;
    __asm__ volatile("" : : "r"(buffer) : "memory");
  }
  uint64_t nanos = now_ns() - start;
  report(options->count, nanos, octets / options->count, 0);
  return 0;
}

/* Writes the typical messages as Proton encodes them, for either side to decode. */
int run_corpus(const options_t *options) {
  require(options->corpus != NULL, "--corpus FILE is needed");
  FILE *file = fopen(options->corpus, "wb");
  require(file != NULL, "the corpus can be created");
  ring_t ring = ring_new(options->body);
  for (uint64_t i = 0; i < RING; i++) {
    pn_message_t *message = typical(&ring, i);
    char buffer[ENCODED_MAX];
    size_t size = sizeof buffer;
    require(!pn_message_encode(message, buffer, &size), "a message encodes");
    uint8_t head[4] = {(uint8_t)(size >> 24), (uint8_t)(size >> 16), (uint8_t)(size >> 8), (uint8_t)size};
    require(fwrite(head, 1, 4, file) == 4 && fwrite(buffer, 1, size, file) == size, "the corpus can be written");
    pn_message_free(message);
  }
  require(!fclose(file), "the corpus can be written");
  return 0;
}

static uint64_t fold_text(uint64_t sum, const char *string) {
  require(string != NULL, "the text is there");
  return fold(sum, (uint8_t)string[0]);
}

static uint64_t fold_bytes(uint64_t sum, pn_bytes_t bytes) {
  require(bytes.size > 0, "the octets are there");
  return fold(fold(sum, bytes.size), (uint8_t)bytes.start[0]);
}

static uint64_t read_routing(pn_message_t *message, uint64_t sum) {
  sum = fold(sum, pn_message_is_durable(message));
  sum = fold(sum, pn_message_get_ttl(message));
  sum = fold_text(sum, pn_message_get_address(message));
  return fold_text(sum, pn_message_get_subject(message));
}

static uint64_t read_all(pn_message_t *message, uint64_t sum) {
  sum = read_routing(message, sum);
  sum = fold(sum, pn_message_get_priority(message));
  sum = fold(sum, pn_message_is_first_acquirer(message));
  sum = fold(sum, pn_message_get_delivery_count(message));

  pn_msgid_t id = pn_message_get_id(message);
  require(id.type == PN_ULONG, "the message-id is a number");
  sum = fold(sum, id.u.as_ulong);
  sum = fold_bytes(sum, pn_message_get_user_id(message));
  sum = fold_text(sum, pn_message_get_reply_to(message));
  pn_msgid_t correlation = pn_message_get_correlation_id(message);
  require(correlation.type == PN_STRING, "the correlation-id is text");
  sum = fold_bytes(sum, correlation.u.as_bytes);
  sum = fold_text(sum, pn_message_get_content_type(message));
  sum = fold(sum, (uint64_t)pn_message_get_creation_time(message));
  sum = fold_text(sum, pn_message_get_group_id(message));
  sum = fold(sum, (uint32_t)pn_message_get_group_sequence(message));

  pn_data_t *properties = pn_message_properties(message);
  pn_data_rewind(properties);
  require(pn_data_next(properties) && pn_data_get_map(properties) == 6, "three application properties");
  pn_data_enter(properties);
  while (pn_data_next(properties)) {
    sum = fold_bytes(sum, pn_data_get_string(properties));
    pn_data_next(properties);
    switch (pn_data_type(properties)) {
      case PN_STRING:
        sum = fold_bytes(sum, pn_data_get_string(properties));
        break;
      case PN_INT:
        sum = fold(sum, (uint32_t)pn_data_get_int(properties));
        break;
      case PN_ULONG:
        sum = fold(sum, pn_data_get_ulong(properties));
        break;
      default:
        require(false, "an application property of a known type");
    }
  }
  pn_data_exit(properties);

  pn_data_t *body = pn_message_body(message);
  pn_data_rewind(body);
  require(pn_data_next(body) && pn_data_type(body) == PN_BINARY, "the body is binary");
  pn_bytes_t bytes = pn_data_get_binary(body);
  return fold_payload(sum, (const uint8_t *)bytes.start, bytes.size, 0);
}

int run_decode(const options_t *options) {
  corpus_t corpus = corpus_load(options->corpus);
  pn_message_t *message = pn_message();
  uint64_t octets = 0;
  uint64_t check = 0;
  uint64_t start = 0;
  for (uint64_t i = 0; i < options->warmup + options->count; i++) {
    if (i == options->warmup) {
      octets = 0;
      check = 0;
      start = now_ns();
    }
    size_t slot = i % corpus.len;
    int failed = pn_message_decode(message, (const char *)corpus.message[slot], corpus.octets[slot]);
    require(!failed, "a message decodes");
    check = options->all ? read_all(message, check) : read_routing(message, check);
    octets += corpus.octets[slot];
  }
  uint64_t nanos = now_ns() - start;
  report(options->count, nanos, octets / options->count, check);
  pn_message_free(message);
  return 0;
}
