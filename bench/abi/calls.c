/* Each kind of call by itself, as in bench/src/calls.rs: the exchange of `pair`, with one kind of call at a time for a whole
 * batch, and a clock for each kind. */
#include "abi.h"

#include <stdio.h>
#include <stdlib.h>

/* Kept apart from what is around it, so that an instruction profile tells of each. */
#define PHASE __attribute__((noipa)) static

enum { SEND, NEXT_DELIVERY, CREDIT, ACCEPT, NEXT_UPDATE, KINDS };

static const char *const names[KINDS] = {"send", "next_delivery", "credit", "accept", "next_update"};

PHASE void phase_send(pair_t *pair, uint32_t n) {
  for (uint32_t i = 0; i < n; i++, pair->sent++) {
    const uint8_t *tag = (const uint8_t *)&pair->sent;
    const uint8_t *payload = ring_payload(&pair->ring, pair->sent);
    MUST(ferrion_sender_send(pair->client, pair->sender, tag, sizeof pair->sent, payload, pair->ring.octets, NULL));
  }
}

PHASE uint32_t phase_next_delivery(pair_t *pair, ferrion_delivery_t *ids) {
  ferrion_incoming_t incoming;
  uint32_t n = 0;
  for (; ferrion_receiver_next_delivery(pair->server, pair->receiver, &incoming) == FERRION_OK; n++) {
    pair->check = fold_payload(pair->check, incoming.payload.data, incoming.payload.len, pair->ring.overhead);
    ids[n] = incoming.delivery;
  }
  return n;
}

PHASE void phase_credit(pair_t *pair, uint32_t n) {
  uint32_t credit;
  for (uint32_t i = 0; i < n; i++) {
    MUST(ferrion_receiver_credit(pair->server, pair->receiver, &credit));
    pair->acknowledged += credit;
  }
}

PHASE void phase_accept(pair_t *pair, const ferrion_delivery_t *ids, uint32_t n) {
  for (uint32_t i = 0; i < n; i++) MUST(ferrion_receiver_accept(pair->server, pair->receiver, ids[i]));
}

PHASE uint32_t phase_next_update(pair_t *pair) {
  ferrion_update_t update;
  uint32_t n = 0;
  for (; ferrion_link_next_update(pair->client, pair->sender, &update) == FERRION_OK; n++)
    require(update.state == FERRION_STATE_ACCEPTED && update.settled, "every delivery is accepted");
  return n;
}

/* All have been seen: what is told of them is fetched without asking. */
static void events(ferrion_engine_t *engine) {
  ferrion_event_t event;
  while (ferrion_engine_poll_event(engine, &event) == FERRION_OK) {
  }
}

/* The time since `at`, which is now from then on. */
static uint64_t since(uint64_t *at) {
  uint64_t before = *at;
  *at = now_ns();
  return *at - before;
}

int run_calls(const options_t *options) {
  pair_t pair = {.options = options, .ring = ring_new(options->body)};
  ferrion_delivery_t *ids = malloc(options->batch * sizeof *ids);
  uint64_t nanos[KINDS] = {0}, counted = 0;
  require(ids && options->batch, "a batch");
  pair_establish(&pair);
  while (counted < options->count) {
    uint32_t n = options->batch;
    uint64_t lap[KINDS], at = now_ns();
    phase_send(&pair, n);
    lap[SEND] = since(&at);
    pair_carry(pair.client, pair.server);
    events(pair.server);
    at = now_ns();
    require(phase_next_delivery(&pair, ids) == n, "all deliveries arrive");
    lap[NEXT_DELIVERY] = since(&at);
    phase_credit(&pair, n);
    lap[CREDIT] = since(&at);
    phase_accept(&pair, ids, n);
    lap[ACCEPT] = since(&at);
    MUST(ferrion_receiver_set_credit(pair.server, pair.receiver, options->credit));
    pair_carry(pair.server, pair.client);
    events(pair.client);
    at = now_ns();
    require(phase_next_update(&pair) == n, "all outcomes arrive");
    lap[NEXT_UPDATE] = since(&at);
    if (pair.sent <= options->warmup) continue;
    for (int kind = 0; kind < KINDS; kind++) nanos[kind] += lap[kind];
    counted += n;
  }
  for (int kind = 0; kind < KINDS; kind++)
    printf("{\"call\":\"%s\",\"count\":%llu,\"nanos\":%llu}\n", names[kind], (unsigned long long)counted,
           (unsigned long long)nanos[kind]);
  pair_free(&pair);
  free(ids);
  return 0;
}
