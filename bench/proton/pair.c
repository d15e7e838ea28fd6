/* Two Proton connections in one process, octets carried from one's output to the other's input by memory:
 * one session, one link, credit replenished at half. Each driver's events are drained after every read. */
#include "work.h"

#include <proton/connection.h>
#include <proton/connection_driver.h>
#include <proton/delivery.h>
#include <proton/event.h>
#include <proton/link.h>
#include <proton/session.h>
#include <proton/transport.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
  const options_t *options;
  ring_t ring;
  uint64_t total;
  pn_connection_driver_t client;
  pn_connection_driver_t server;
  pn_link_t *sender;
  pn_link_t *receiver;
  uint64_t sent;
  uint64_t received;
  uint64_t acknowledged; /* accepted and settled, seen by the sender */
  uint8_t *buffer;       /* where the receiver takes a payload to */
  size_t filled;
  uint64_t check;
} pair_t;

/* Takes what has arrived of a delivery; a large one comes in parts, which are taken as they come so that
 * Proton never gathers it. */
static void take(pair_t *pair, pn_delivery_t *delivery) {
  pn_link_t *link = pair->receiver;
  size_t pending = pn_delivery_pending(delivery);
  require(pair->filled + pending <= pair->ring.octets, "a payload is no longer than it was sent");
  if (pending) {
    ssize_t taken = pn_link_recv(link, (char *)pair->buffer + pair->filled, pending);
    require(taken == (ssize_t)pending, "what is pending can be taken");
    pair->filled += pending;
  }
  if (pn_delivery_partial(delivery)) return;

  require(pair->filled == pair->ring.octets, "a payload arrives whole");
  if (pair->received < pair->options->warmup) {
    require(ring_matches(&pair->ring, pair->received, pair->buffer, pair->filled), "a payload arrives unchanged");
  } else {
    pair->check = fold_payload(pair->check, pair->buffer, pair->filled, pair->ring.overhead);
  }
  pair->filled = 0;
  pair->received++;
  if (pair->options->settled) {
    require(pn_delivery_settled(delivery), "the sender settled");
  } else {
    pn_delivery_update(delivery, PN_ACCEPTED);
  }
  pn_delivery_settle(delivery); /* also advances the link */
  int credit = pn_link_credit(link);
  if (credit <= (int)pair->options->credit / 2) pn_link_flow(link, (int)pair->options->credit - credit);
}

static void server_events(pair_t *pair) {
  pn_event_t *event;
  while ((event = pn_connection_driver_next_event(&pair->server)) != NULL) {
    switch (pn_event_type(event)) {
      case PN_CONNECTION_REMOTE_OPEN:
        pn_connection_open(pn_event_connection(event));
        break;
      case PN_SESSION_REMOTE_OPEN:
        pn_session_open(pn_event_session(event));
        break;
      case PN_LINK_REMOTE_OPEN: {
        pn_link_t *link = pn_event_link(event);
        pair->receiver = link;
        pn_terminus_copy(pn_link_source(link), pn_link_remote_source(link));
        pn_terminus_copy(pn_link_target(link), pn_link_remote_target(link));
        pn_link_open(link);
        pn_link_flow(link, (int)pair->options->credit);
        break;
      }
      case PN_DELIVERY: {
        pn_delivery_t *delivery = pn_event_delivery(event);
        if (pn_delivery_readable(delivery)) take(pair, delivery);
        break;
      }
      default:
        break;
    }
  }
}

static void client_events(pair_t *pair) {
  pn_event_t *event;
  while ((event = pn_connection_driver_next_event(&pair->client)) != NULL) {
    if (pn_event_type(event) == PN_DELIVERY) {
      pn_delivery_t *delivery = pn_event_delivery(event);
      if (pn_delivery_updated(delivery)) {
        require(pn_delivery_remote_state(delivery) == PN_ACCEPTED, "every delivery is accepted");
        pn_delivery_settle(delivery);
        pair->acknowledged++;
      }
    }
  }
}

/* Moves everything `from` has to say into `to`, a buffer at a time. */
static bool carry(pair_t *pair, pn_connection_driver_t *from, pn_connection_driver_t *to, void (*events)(pair_t *)) {
  bool moved = false;
  for (;;) {
    pn_bytes_t output = pn_connection_driver_write_buffer(from);
    if (output.size == 0) return moved;
    pn_rwbytes_t input = pn_connection_driver_read_buffer_sized(to, output.size);
    if (input.size == 0) input = pn_connection_driver_read_buffer(to);
    size_t size = input.size < output.size ? input.size : output.size;
    require(size > 0, "a reader takes input");
    memcpy(input.start, output.start, size);
    pn_connection_driver_write_done(from, size);
    pn_connection_driver_read_done(to, size);
    events(pair);
    moved = true;
  }
}

static bool pump(pair_t *pair) {
  bool there = carry(pair, &pair->client, &pair->server, server_events);
  bool back = carry(pair, &pair->server, &pair->client, client_events);
  return there || back;
}

static void send_batch(pair_t *pair) {
  for (uint32_t i = 0; i < pair->options->batch && pair->sent < pair->total; i++) {
    if (pn_link_credit(pair->sender) <= 0) return;
    uint64_t tag = pair->sent;
    pn_delivery_t *delivery = pn_delivery(pair->sender, pn_dtag((const char *)&tag, sizeof tag));
    ssize_t taken = pn_link_send(pair->sender, (const char *)ring_payload(&pair->ring, pair->sent), pair->ring.octets);
    require(taken == (ssize_t)pair->ring.octets, "a payload is taken whole");
    pn_link_advance(pair->sender);
    if (pair->options->settled) pn_delivery_settle(delivery);
    pair->sent++;
  }
}

static void establish(pair_t *pair) {
  require(!pn_connection_driver_init(&pair->client, NULL, NULL), "a client");
  require(!pn_connection_driver_init(&pair->server, NULL, NULL), "a server");
  pn_transport_set_server(pair->server.transport);
  pn_connection_set_container(pair->client.connection, "client");
  pn_connection_set_container(pair->server.connection, "server");
  pn_connection_open(pair->client.connection);
  pn_session_t *session = pn_session(pair->client.connection);
  pn_session_open(session);
  pair->sender = pn_sender(session, "bench");
  pn_terminus_set_address(pn_link_target(pair->sender), "queue");
  pn_link_set_snd_settle_mode(pair->sender, pair->options->settled ? PN_SND_SETTLED : PN_SND_UNSETTLED);
  pn_link_open(pair->sender);
  client_events(pair);
  server_events(pair);
  while (pump(pair)) {
  }
  require(pair->receiver && pn_link_credit(pair->sender) == (int)pair->options->credit, "the link is up");
}

int run_pair(const options_t *options) {
  pair_t pair = {.options = options, .ring = ring_new(options->body), .total = options->warmup + options->count};
  pair.buffer = malloc(pair.ring.octets);
  establish(&pair);

  while (pair.received < options->warmup) {
    /* The warm-up ends exactly at its count, so that the clock starts on an empty pipe. */
    pair.total = options->warmup;
    send_batch(&pair);
    pump(&pair);
  }
  while (pump(&pair)) {
  }
  pair.total = options->warmup + options->count;
  uint64_t start = now_ns();
  while (pair.received < pair.total || (!options->settled && pair.acknowledged < pair.total)) {
    send_batch(&pair);
    pump(&pair);
  }
  uint64_t nanos = now_ns() - start;

  require(pair.sent == pair.total && pair.received == pair.total, "every message arrived");
  report(options->count, nanos, pair.ring.octets, pair.check);
  pn_connection_driver_destroy(&pair.client);
  pn_connection_driver_destroy(&pair.server);
  return 0;
}
