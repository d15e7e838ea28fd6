/* Two ferrion engines in one process, as in bench/src/pair.rs: one session, one link, credit replenished at half. Events,
 * deliveries and updates are taken one call each, as a program does that has nothing special in mind. */
#include "abi.h"

#include <stdlib.h>
#include <string.h>

/* From this size a payload is shared with the engine instead of copied into its output. */
enum { SHARE = 4096 };
/* So many pieces of output are taken at once, as for writev. */
enum { PIECES = 64 };

/* Takes what has arrived. */
static void take(pair_t *pair, ferrion_link_t link) {
  ferrion_engine_t *engine = pair->server;
  ferrion_incoming_t incoming;
  uint32_t credit;
  while (ferrion_receiver_next_delivery(engine, link, &incoming) == FERRION_OK) {
    require(incoming.payload.len == pair->ring.octets, "a payload arrives whole");
    if (pair->received < pair->options->warmup) {
      require(ring_matches(&pair->ring, pair->received, incoming.payload.data, incoming.payload.len),
              "a payload arrives unchanged");
    } else {
      pair->check = fold_payload(pair->check, incoming.payload.data, incoming.payload.len, pair->ring.overhead);
    }
    pair->received++;
    require((incoming.delivery == 0) == pair->options->settled, "a delivery is settled as its sender said");
    if (incoming.delivery) MUST(ferrion_receiver_accept(engine, link, incoming.delivery));
    MUST(ferrion_receiver_credit(engine, link, &credit));
    if (credit <= pair->options->credit / 2) MUST(ferrion_receiver_set_credit(engine, link, pair->options->credit));
  }
}

static void server_events(pair_t *pair) {
  ferrion_engine_t *engine = pair->server;
  ferrion_event_t event;
  while (ferrion_engine_poll_event(engine, &event) == FERRION_OK) {
    switch (event.kind) {
      case FERRION_EVENT_REMOTE_OPEN:
        MUST(ferrion_connection_open(engine));
        break;
      case FERRION_EVENT_SESSION_BEGUN:
        MUST(ferrion_session_accept(engine, event.session, NULL));
        break;
      case FERRION_EVENT_LINK_ATTACHED:
        pair->receiver = event.link;
        MUST(ferrion_link_accept(engine, event.link));
        MUST(ferrion_receiver_set_credit(engine, event.link, pair->options->credit));
        break;
      case FERRION_EVENT_DELIVERIES:
        take(pair, event.link);
        break;
      case FERRION_EVENT_DISCONNECTED:
        require(false, "the connection stays");
        break;
      default:
        break;
    }
  }
}

static void client_events(pair_t *pair) {
  ferrion_engine_t *engine = pair->client;
  ferrion_event_t event;
  ferrion_update_t update;
  while (ferrion_engine_poll_event(engine, &event) == FERRION_OK) {
    if (event.kind != FERRION_EVENT_UPDATES) continue;
    while (ferrion_link_next_update(engine, event.link, &update) == FERRION_OK) {
      require(update.state == FERRION_STATE_ACCEPTED, "every delivery is accepted");
      /* What its receiver settled is settled here too; otherwise it is ours to do. */
      if (!update.settled) MUST(ferrion_sender_settle(engine, event.link, update.delivery));
      pair->acknowledged++;
    }
  }
}

bool pair_carry(ferrion_engine_t *from, ferrion_engine_t *to) {
  ferrion_bytes_t pieces[PIECES];
  ferrion_room_t room;
  size_t n, octets;
  bool moved = false;
  while (ferrion_engine_transmit_pieces(from, NOW, PIECES, pieces, &n) == FERRION_OK) {
    octets = 0;
    for (size_t i = 0; i < n; i++) octets += pieces[i].len;
    MUST(ferrion_engine_recv_buffer(to, octets, &room));
    uint8_t *at = room.data;
    for (size_t i = 0; i < n; at += pieces[i++].len) memcpy(at, pieces[i].data, pieces[i].len);
    MUST(ferrion_engine_recv_filled(to, NOW, octets));
    MUST(ferrion_engine_advance(from, NOW, octets));
    moved = true;
  }
  return moved;
}

static bool pump(pair_t *pair) {
  bool there = pair_carry(pair->client, pair->server);
  server_events(pair);
  bool back = pair_carry(pair->server, pair->client);
  client_events(pair);
  return there || back;
}

static void send_batch(pair_t *pair) {
  uint32_t credit;
  MUST(ferrion_sender_credit(pair->client, pair->sender, &credit));
  for (uint32_t i = 0; i < pair->options->batch && pair->sent < pair->total && i < credit; i++) {
    const uint8_t *tag = (const uint8_t *)&pair->sent;
    const uint8_t *payload = ring_payload(&pair->ring, pair->sent);
    if (pair->shared) {
      ferrion_message_t *message = pair->shared[pair->sent % pair->ring.len];
      MUST(ferrion_sender_send_message(pair->client, pair->sender, tag, sizeof pair->sent, message, NULL, NULL));
    } else if (pair->options->settled) {
      MUST(ferrion_sender_send_settled(pair->client, pair->sender, tag, sizeof pair->sent, payload, pair->ring.octets));
    } else {
      MUST(ferrion_sender_send(pair->client, pair->sender, tag, sizeof pair->sent, payload, pair->ring.octets, NULL));
    }
    pair->sent++;
  }
}

void pair_establish(pair_t *pair) {
  ferrion_config_t *config = ferrion_config_new();
  ferrion_link_config_t *link = ferrion_link_config_new();
  ferrion_session_t session;
  uint32_t credit;
  MUST(ferrion_config_set_text(config, FERRION_CONFIG_CONTAINER_ID, "client"));
  require((pair->client = ferrion_engine_new(FERRION_CLIENT, config)), "a client");
  MUST(ferrion_config_set_text(config, FERRION_CONFIG_CONTAINER_ID, "server"));
  require((pair->server = ferrion_engine_new(FERRION_SERVER, config)), "a server");
  MUST(ferrion_connection_open(pair->client));
  MUST(ferrion_connection_begin(pair->client, NULL, &session));
  MUST(ferrion_link_config_sender(link, "bench", "queue"));
  MUST(ferrion_link_config_set_number(link, FERRION_LINK_SND_SETTLE_MODE,
                                      pair->options->settled ? FERRION_SND_SETTLED : FERRION_SND_UNSETTLED));
  MUST(ferrion_session_attach_sender(pair->client, session, link, &pair->sender));
  ferrion_link_config_free(link);
  ferrion_config_free(config);
  while (pump(pair)) {
  }
  MUST(ferrion_sender_credit(pair->client, pair->sender, &credit));
  require(credit == pair->options->credit, "the link is up");
}

/* A message of each payload of the ring. */
static void share(pair_t *pair) {
  pair->shared = calloc(pair->ring.len, sizeof *pair->shared);
  for (size_t i = 0; i < pair->ring.len; i++) {
    pair->shared[i] = ferrion_message_new();
    MUST(ferrion_message_decode(pair->shared[i], pair->ring.payload[i], pair->ring.octets));
  }
}

void pair_free(pair_t *pair) {
  for (size_t i = 0; pair->shared && i < pair->ring.len; i++) ferrion_message_free(pair->shared[i]);
  free(pair->shared);
  ferrion_engine_free(pair->client);
  ferrion_engine_free(pair->server);
}

/* Sends until so many messages have been received, and acknowledged if they are to be. */
static void exchange(pair_t *pair, uint64_t total) {
  pair->total = total;
  while (pair->received < total || (!pair->options->settled && pair->acknowledged < total)) {
    send_batch(pair);
    pump(pair);
  }
  while (pump(pair)) {
  }
}

int run_pair(const options_t *options) {
  pair_t pair = {.options = options, .ring = ring_new(options->body)};
  pair_establish(&pair);
  if (pair.ring.octets >= SHARE && !options->copied && !options->settled) share(&pair);
  /* The warm-up ends exactly at its count, so that the clock starts on an empty pipe. */
  exchange(&pair, options->warmup);
  uint64_t start = now_ns();
  exchange(&pair, options->warmup + options->count);
  uint64_t nanos = now_ns() - start;
  require(pair.sent == pair.total, "every message was sent");
  report(options->count, nanos, pair.ring.octets, pair.check);
  pair_free(&pair);
  return 0;
}
