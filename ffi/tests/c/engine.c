/* The engine: open, transfer, settle, drain, stream, close; what both sides see of each other; mistakes. */
#include "engines.h"
#include <sys/uio.h>

static ferrion_value_t *value;

static bool text_is(ferrion_bytes_t text, const char *expected) { return same_text(text, expected); }

/* The single string, symbol or binary that the value is. */
static bool value_is(const char *expected) {
  ferrion_bytes_t text;
  OK(ferrion_value_next(value));
  OK(ferrion_value_get_bytes(value, &text));
  return same_text(text, expected);
}

static uint32_t credit(ferrion_engine_t *engine, ferrion_link_t link, bool sender) {
  uint32_t n;
  if (sender) OK(ferrion_sender_credit(engine, link, &n));
  else OK(ferrion_receiver_credit(engine, link, &n));
  return n;
}

/* Configurations: every kind of field, in and out. */
static void configurations(void) {
  ferrion_config_t *config = ferrion_config_new(), *copy = ferrion_config_new();
  ferrion_link_config_t *link = ferrion_link_config_new();
  ferrion_session_config_t *session = ferrion_session_config_new();
  uint64_t n;

  OK(ferrion_config_number(config, FERRION_CONFIG_MAX_FRAME_SIZE, &n));
  CHECK(n == 65536);
  IS(FERRION_ABSENT, ferrion_config_number(config, FERRION_CONFIG_IDLE_TIME_OUT, &n));
  OK(ferrion_config_set_number(config, FERRION_CONFIG_IDLE_TIME_OUT, 4000));
  OK(ferrion_config_number(config, FERRION_CONFIG_IDLE_TIME_OUT, &n));
  CHECK(n == 4000);
  IS(FERRION_INVALID_ARGUMENT, ferrion_config_set_number(config, FERRION_CONFIG_CHANNEL_MAX, 65536));
  IS(FERRION_INVALID_ARGUMENT, ferrion_config_set_number(config, 99, 1));
  IS(FERRION_WRONG_TYPE, ferrion_config_set_number(config, FERRION_CONFIG_CONTAINER_ID, 1));
  IS(FERRION_WRONG_TYPE, ferrion_config_set_text(config, FERRION_CONFIG_CONTAINER_ID, NULL));
  OK(ferrion_config_set_number(config, FERRION_CONFIG_PIPELINED, 0));
  IS(FERRION_WRONG_TYPE, ferrion_config_set_number(config, FERRION_CONFIG_PIPELINED, 2));
  OK(ferrion_config_set_text(config, FERRION_CONFIG_OFFERED_CAPABILITIES, "one"));
  OK(ferrion_config_get(config, FERRION_CONFIG_OFFERED_CAPABILITIES, value));
  OK(ferrion_value_next(value));
  OK(ferrion_value_enter(value));
  CHECK(value_is("one"));
  OK(ferrion_value_clear(value));
  OK(ferrion_value_begin_map(value));
  OK(ferrion_value_put_symbol_text(value, "product"));
  OK(ferrion_value_put_text(value, "test"));
  OK(ferrion_value_end(value));
  OK(ferrion_config_set(config, FERRION_CONFIG_PROPERTIES, value));
  OK(ferrion_config_copy(copy, config));
  OK(ferrion_config_get(copy, FERRION_CONFIG_PROPERTIES, value));
  IS(FERRION_BUSY, ferrion_config_copy(copy, copy));
  for (int limit = FERRION_LIMIT_HANDSHAKE_TIME; limit <= FERRION_LIMIT_STATES_PER_DELIVERY; limit++) {
    OK(ferrion_config_set_limit(config, limit, 4321));
    OK(ferrion_config_limit(config, limit, &n));
    CHECK(n == 4321);
  }
  IS(FERRION_INVALID_ARGUMENT, ferrion_config_limit(config, 0, &n));
  IS(FERRION_INVALID_ARGUMENT, ferrion_config_set_limit(config, FERRION_LIMIT_SASL_ROUNDS, UINT64_MAX));

  OK(ferrion_session_config_set_number(session, FERRION_SESSION_INCOMING_WINDOW, 7));
  OK(ferrion_session_config_number(session, FERRION_SESSION_INCOMING_WINDOW, &n));
  CHECK(n == 7);

  OK(ferrion_link_config_receiver(link, "name", "queue"));
  OK(ferrion_link_config_source(link, FERRION_SOURCE_ADDRESS, value));
  CHECK(value_is("queue"));
  OK(ferrion_link_config_source(link, FERRION_SOURCE_EXPIRY_POLICY, value));
  CHECK(value_is("session-end"));
  IS(FERRION_ABSENT, ferrion_link_config_source(link, FERRION_SOURCE_FILTER, value));
  IS(FERRION_INVALID_ARGUMENT, ferrion_link_config_source(link, 12, value));
  OK(ferrion_value_clear(value));
  OK(ferrion_value_put_symbol_text(value, "never"));
  OK(ferrion_link_config_set_source(link, FERRION_SOURCE_EXPIRY_POLICY, value));
  IS(FERRION_WRONG_TYPE, ferrion_link_config_set_source(link, FERRION_SOURCE_DURABLE, value));
  OK(ferrion_link_config_source(link, FERRION_SOURCE_EXPIRY_POLICY, value));
  CHECK(value_is("never"));
  OK(ferrion_link_config_set_source_address(link, NULL));
  IS(FERRION_ABSENT, ferrion_link_config_source(link, FERRION_SOURCE_ADDRESS, value));
  /* A coordinator of transactions, whole. */
  OK(ferrion_value_clear(value));
  OK(ferrion_value_begin_described(value));
  OK(ferrion_value_put_symbol_text(value, "amqp:coordinator:list"));
  OK(ferrion_value_begin_list(value));
  OK(ferrion_value_put_symbol_text(value, "amqp:local-transactions"));
  OK(ferrion_value_end(value));
  OK(ferrion_value_end(value));
  OK(ferrion_link_config_set(link, FERRION_LINK_TARGET, value));
  OK(ferrion_link_config_target(link, FERRION_TARGET_CAPABILITIES, value));
  IS(FERRION_ABSENT, ferrion_link_config_target(link, FERRION_TARGET_ADDRESS, value));
  IS(FERRION_STATE, ferrion_link_config_set_target_address(link, "queue"));
  OK(ferrion_value_clear(value));
  OK(ferrion_link_config_set(link, FERRION_LINK_TARGET, value));
  OK(ferrion_link_config_set_target_address(link, "queue"));

  IS(FERRION_NULL_POINTER, ferrion_engine_new(FERRION_CLIENT, NULL) == NULL ? FERRION_NULL_POINTER : FERRION_OK);
  CHECK(ferrion_engine_new(7, config) == NULL);
  ferrion_session_config_free(session);
  ferrion_link_config_free(link);
  ferrion_config_free(copy);
  ferrion_config_free(config);
}

/* A message there, its outcome back, with everything that both say. */
static void transfers(void) {
  ferrion_session_t at_server, session;
  ferrion_link_t out, in;
  ferrion_delivery_t delivery, second, none = 1;
  ferrion_incoming_t incoming;
  ferrion_update_t update;
  ferrion_link_config_t *config = ferrion_link_config_new();
  ferrion_message_t *message = ferrion_message_new();
  ferrion_send_options_t *options = ferrion_send_options_new();
  ferrion_bytes_t text, condition, description;
  ferrion_unsettled_t unsettled;
  ferrion_census_t census;
  ferrion_role role;
  ferrion_body kind;
  bool truth;
  uint32_t n;

  make_engines();
  session = open_session(&at_server);
  OK(ferrion_connection_is_open(client, &truth));
  CHECK(truth);
  OK(ferrion_connection_remote(client, FERRION_OPEN_CONTAINER_ID, value));
  CHECK(value_is("server"));
  IS(FERRION_ABSENT, ferrion_connection_remote(client, FERRION_OPEN_HOSTNAME, value));
  OK(ferrion_session_remote(client, session, FERRION_BEGIN_INCOMING_WINDOW, value));
  OK(ferrion_value_next(value));
  OK(ferrion_value_get_uint(value, &n));
  CHECK(n > 0 && n <= 2048);

  OK(ferrion_link_config_sender(config, "letters", "box"));
  out = attach(session, config, FERRION_SENDER, &in);
  IS(FERRION_DUPLICATE, ferrion_session_attach_sender(client, session, config, &out));
  OK(ferrion_link_name(server, in, &text));
  CHECK(text_is(text, "letters"));
  OK(ferrion_link_role(server, in, &role));
  CHECK(role == FERRION_RECEIVER);
  OK(ferrion_link_remote_target(server, in, FERRION_TARGET_ADDRESS, value));
  CHECK(value_is("box"));
  OK(ferrion_link_remote(server, in, FERRION_ATTACH_SND_SETTLE_MODE, value));
  OK(ferrion_link_remote_address(client, out, &text));
  CHECK(text_is(text, "box"));

  IS(FERRION_NO_CREDIT, ferrion_sender_send(client, out, BYTES("t1"), BYTES("x"), &delivery));
  IS(FERRION_WRONG_KIND, ferrion_sender_send(server, in, BYTES("t1"), BYTES("x"), &delivery));
  IS(FERRION_WRONG_KIND, ferrion_receiver_set_credit(client, out, 1));
  OK(ferrion_receiver_set_credit(server, in, 10));
  settle_down();
  CHECK(expect(client, FERRION_EVENT_FLOW).is_sender == 1);
  CHECK(credit(client, out, true) == 10);

  OK(ferrion_message_set_body_text(message, "hello"));
  OK(ferrion_sender_send_message(client, out, BYTES("t1"), message, NULL, &delivery));
  OK(ferrion_send_options_set_message_format(options, 7));
  OK(ferrion_send_options_set_batchable(options, true));
  OK(ferrion_sender_send_with(client, out, BYTES("t2"), BYTES("raw"), options, &second));
  IS(FERRION_INVALID_ARGUMENT, ferrion_sender_send_message(client, out, BYTES("t4"), message, options, NULL));
  OK(ferrion_sender_send_settled(client, out, BYTES("t3"), BYTES("settled")));
  /* It takes a state, though one of another kind than that would say how much of it arrived. */
  OK(ferrion_value_clear(value));
  OK(ferrion_value_put_text(value, "no state"));
  IS(FERRION_WRONG_TYPE, ferrion_send_options_set_state(options, value));
  OK(ferrion_value_clear(value));
  OK(ferrion_value_put_received(value, 0, 1));
  OK(ferrion_send_options_set_state(options, value));
  IS(FERRION_STATE, ferrion_sender_send_with(client, out, BYTES("t4"), BYTES("x"), options, NULL));
  OK(ferrion_send_options_set_state(options, NULL));
  OK(ferrion_send_options_set_settled(options, true));
  OK(ferrion_sender_send_with(client, out, BYTES("t4"), BYTES("as told"), options, &none));
  CHECK(none == 0);
  ferrion_send_options_free(options);
  IS(FERRION_INVALID_ARGUMENT,
     ferrion_sender_send(client, out, BYTES("a tag that is longer than 32 octets"), BYTES("x"), NULL));
  OK(ferrion_sender_queued(client, out, &n));
  CHECK(n <= 4);
  IS(FERRION_STATE, ferrion_link_unsettled(client, out, 1, &unsettled));
  OK(ferrion_link_unsettled(client, out, 0, &unsettled));
  CHECK(unsettled.delivery == delivery && same_text(unsettled.tag, "t1") && !unsettled.settled);
  CHECK(unsettled.remote_state == FERRION_STATE_NONE);
  OK(ferrion_link_unsettled(client, out, 1, &unsettled));
  CHECK(unsettled.delivery == second && unsettled.message_format == 7);
  IS(FERRION_END, ferrion_link_unsettled(client, out, 2, &unsettled));
  settle_down();
  bool waits = true;
  OK(ferrion_engine_is_queued(client, delivery, &waits));
  CHECK(!waits);
  IS(FERRION_WRONG_KIND, ferrion_engine_is_queued(client, 0, &waits));

  CHECK(expect(server, FERRION_EVENT_DELIVERIES).link == in);
  OK(ferrion_receiver_next_delivery(server, in, &incoming));
  CHECK(same_text(incoming.tag, "t1") && incoming.message_format == 0 && incoming.delivery != 0);
  OK(ferrion_message_clear(message));
  OK(ferrion_engine_message(server, message));
  OK(ferrion_message_body(message, &kind, value));
  CHECK(value_is("hello"));
  /* The number of one engine's delivery says nothing to another one. */
  IS(FERRION_STALE_HANDLE, ferrion_receiver_accept(server, in, delivery));
  IS(FERRION_WRONG_KIND, ferrion_receiver_accept(server, incoming.delivery, incoming.delivery));
  OK(ferrion_receiver_accept(server, in, incoming.delivery));
  IS(FERRION_STALE_HANDLE, ferrion_receiver_accept(server, in, incoming.delivery));
  OK(ferrion_receiver_next_delivery(server, in, &incoming));
  CHECK(same_text(incoming.payload, "raw") && incoming.message_format == 7 && incoming.batchable == 1);
  OK(ferrion_receiver_reject(server, in, incoming.delivery, "amqp:not-found", "nowhere", NULL));
  OK(ferrion_receiver_next_delivery(server, in, &incoming));
  CHECK(incoming.delivery == 0 && same_text(incoming.payload, "settled"));
  IS(FERRION_WRONG_KIND, ferrion_receiver_accept(server, in, incoming.delivery));
  OK(ferrion_receiver_next_delivery(server, in, &incoming));
  CHECK(incoming.delivery == 0 && same_text(incoming.payload, "as told") && incoming.message_format == 7);
  IS(FERRION_END, ferrion_receiver_next_delivery(server, in, &incoming));
  settle_down();

  CHECK(expect(client, FERRION_EVENT_UPDATES).link == out);
  OK(ferrion_link_next_update(client, out, &update));
  CHECK(update.delivery == delivery && update.state == FERRION_STATE_ACCEPTED && update.settled == 1);
  IS(FERRION_ABSENT, ferrion_engine_state_condition(client, &condition, &description, NULL));
  OK(ferrion_link_next_update(client, out, &update));
  CHECK(update.delivery == second && update.state == FERRION_STATE_REJECTED && same_text(update.tag, "t2"));
  OK(ferrion_engine_state_condition(client, &condition, &description, value));
  CHECK(text_is(condition, "amqp:not-found") && text_is(description, "nowhere"));
  IS(FERRION_END, ferrion_value_next(value));
  OK(ferrion_engine_state(client, value));
  IS(FERRION_END, ferrion_link_next_update(client, out, &update));

  OK(ferrion_engine_census(client, &census));
  CHECK(census.sessions == 1 && census.links == 1 && census.outgoing_deliveries == 0);
  ferrion_message_free(message);
  ferrion_link_config_free(config);
  free_engines();
}

/* Every outcome, built as a value, arrives as what it was. */
static void outcomes(void) {
  static const ferrion_state kinds[] = {FERRION_STATE_ACCEPTED, FERRION_STATE_REJECTED, FERRION_STATE_RELEASED,
                                        FERRION_STATE_MODIFIED, FERRION_STATE_DECLARED, FERRION_STATE_TRANSACTIONAL};
  ferrion_session_t at_server, session;
  ferrion_link_t out, in;
  ferrion_incoming_t incoming;
  ferrion_update_t update;
  ferrion_link_config_t *config = ferrion_link_config_new();
  ferrion_value_t *inner = ferrion_value_new();
  ferrion_bytes_t condition;

  make_engines();
  session = open_session(&at_server);
  OK(ferrion_link_config_sender(config, "outcomes", "box"));
  out = attach(session, config, FERRION_SENDER, &in);
  OK(ferrion_receiver_set_automatic_credit(server, in, 10));
  settle_down();
  for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
    OK(ferrion_sender_send(client, out, (const uint8_t *)&i, sizeof i, BYTES("x"), NULL));
    settle_down();
    OK(ferrion_receiver_next_delivery(server, in, &incoming));
    OK(ferrion_value_clear(value));
    OK(ferrion_value_clear(inner));
    switch (kinds[i]) {
      case FERRION_STATE_ACCEPTED: OK(ferrion_value_put_accepted(value)); break;
      case FERRION_STATE_REJECTED: OK(ferrion_value_put_rejected(value, "a:b", NULL, NULL)); break;
      case FERRION_STATE_RELEASED: OK(ferrion_value_put_released(value)); break;
      case FERRION_STATE_MODIFIED: OK(ferrion_value_put_modified(value, true, true, NULL)); break;
      case FERRION_STATE_DECLARED: OK(ferrion_value_put_declared(value, BYTES("txn"))); break;
      default:
        OK(ferrion_value_put_rejected(inner, "in:txn", NULL, NULL));
        OK(ferrion_value_put_transactional(value, BYTES("txn"), inner));
    }
    if (kinds[i] == FERRION_STATE_TRANSACTIONAL) OK(ferrion_receiver_update(server, in, incoming.delivery, value));
    else if (kinds[i] == FERRION_STATE_RELEASED) OK(ferrion_receiver_settle_at_once(server, in, incoming.delivery, value));
    else OK(ferrion_receiver_settle(server, in, incoming.delivery, value));
    settle_down();
    OK(ferrion_link_next_update(client, out, &update));
    CHECK(update.state == kinds[i]);
  }
  OK(ferrion_engine_state_condition(client, &condition, NULL, NULL));
  CHECK(text_is(condition, "in:txn"));
  OK(ferrion_sender_settle(client, out, update.delivery));
  OK(ferrion_value_clear(value));
  IS(FERRION_INVALID_ARGUMENT, ferrion_receiver_settle(server, in, incoming.delivery, value));
  OK(ferrion_value_put_text(value, "no state"));
  IS(FERRION_WRONG_TYPE, ferrion_receiver_settle(server, in, incoming.delivery, value));
  ferrion_value_free(inner);
  ferrion_link_config_free(config);
  free_engines();
}

/* Credit: drained from the receiver, given back by the sender. */
static void drains(void) {
  ferrion_session_t at_server, session;
  ferrion_link_t in, out;
  ferrion_link_config_t *config = ferrion_link_config_new();
  bool truth;

  make_engines();
  session = open_session(&at_server);
  OK(ferrion_link_config_receiver(config, "drain", "box"));
  in = attach(session, config, FERRION_RECEIVER, &out);
  OK(ferrion_receiver_set_credit(client, in, 3));
  OK(ferrion_receiver_add_credit(client, in, 2));
  OK(ferrion_receiver_drain(client, in));
  settle_down();
  expect(server, FERRION_EVENT_FLOW);
  CHECK(credit(server, out, true) == 5);
  OK(ferrion_sender_is_draining(server, out, &truth));
  CHECK(truth);
  OK(ferrion_sender_drained(server, out));
  settle_down();
  expect(client, FERRION_EVENT_FLOW);
  CHECK(credit(client, in, false) == 0);
  OK(ferrion_receiver_is_draining(client, in, &truth));
  CHECK(!truth);
  ferrion_link_config_free(config);
  free_engines();
}

/* A message in parts, written and read while it is under way; then one that is called off. */
static void streams(void) {
  ferrion_session_t at_server, session;
  ferrion_link_t out, in;
  ferrion_delivery_t delivery;
  ferrion_partial_t partial;
  ferrion_incoming_t incoming;
  ferrion_bytes_t octets;
  ferrion_event_t event;
  uint64_t held;
  ferrion_link_config_t *config = ferrion_link_config_new();

  make_engines();
  session = open_session(&at_server);
  OK(ferrion_link_config_sender(config, "stream", "box"));
  out = attach(session, config, FERRION_SENDER, &in);
  OK(ferrion_receiver_set_streaming(server, in, true));
  OK(ferrion_receiver_set_credit(server, in, 10));
  settle_down();
  OK(ferrion_sender_stream(client, out, BYTES("s1"), NULL, &delivery));
  OK(ferrion_sender_write(client, out, delivery, BYTES("first ")));
  settle_down();
  expect(server, FERRION_EVENT_DELIVERIES);
  OK(ferrion_receiver_partial(server, in, &partial));
  CHECK(partial.waiting == 6 && same_text(partial.tag, "s1"));
  OK(ferrion_receiver_read_partial(server, in, &octets));
  CHECK(text_is(octets, "first "));
  IS(FERRION_END, ferrion_receiver_read_partial(server, in, &octets));
  OK(ferrion_sender_write(client, out, delivery, BYTES("second")));
  OK(ferrion_sender_finish(client, out, delivery));
  IS(FERRION_STATE, ferrion_sender_finish(client, out, delivery));
  carry_in_pieces(client, server, 1);
  OK(ferrion_receiver_next_delivery(server, in, &incoming));
  CHECK(same_text(incoming.payload, "second") && !incoming.aborted);
  CHECK(incoming.delivery == partial.delivery);
  OK(ferrion_receiver_release(server, in, incoming.delivery));

  OK(ferrion_sender_stream(client, out, BYTES("s2"), NULL, &delivery));
  OK(ferrion_sender_write(client, out, delivery, BYTES("void")));
  settle_down();
  OK(ferrion_receiver_read_partial(server, in, &octets));
  OK(ferrion_sender_abort(client, out, delivery));
  settle_down();
  OK(ferrion_receiver_next_delivery(server, in, &incoming));
  CHECK(incoming.aborted == 1);
  IS(FERRION_ABSENT, ferrion_receiver_partial(server, in, &partial));

  IS(FERRION_STATE, ferrion_receiver_refuse_partial(server, in, "amqp:resource-limit-exceeded", NULL, NULL));
  OK(ferrion_receiver_set_streaming(server, in, false));
  OK(ferrion_sender_stream(client, out, BYTES("s3"), NULL, &delivery));
  OK(ferrion_sender_write(client, out, delivery, BYTES("endless")));
  settle_down();
  while (ferrion_engine_poll_event(client, &event) == FERRION_OK) {
  }
  while (ferrion_engine_poll_event(server, &event) == FERRION_OK) {
  }
  OK(ferrion_engine_partial_octets(server, &held));
  CHECK(held == 64 + 7);
  OK(ferrion_receiver_refuse_partial(server, in, "amqp:resource-limit-exceeded", "too much", NULL));
  OK(ferrion_engine_partial_octets(server, &held));
  CHECK(held == 0);
  expect(server, FERRION_EVENT_LINK_DETACHED);
  settle_down();
  expect(client, FERRION_EVENT_LINK_DETACHED);
  ferrion_link_config_free(config);
  free_engines();
}

/* Octets: room lent for them, pieces for writev, counts that are wrong. */
static void octets(void) {
  static uint8_t large[100000];
  ferrion_session_t at_server, session;
  ferrion_link_t out, in;
  ferrion_room_t room;
  ferrion_bytes_t pieces[4], piece;
  ferrion_incoming_t incoming;
  ferrion_link_config_t *config = ferrion_link_config_new();
  size_t n, taken;

  CHECK(sizeof(struct iovec) == sizeof(ferrion_bytes_t));
  CHECK(offsetof(struct iovec, iov_base) == offsetof(ferrion_bytes_t, data));
  CHECK(offsetof(struct iovec, iov_len) == offsetof(ferrion_bytes_t, len));
  make_engines();
  session = open_session(&at_server);
  OK(ferrion_link_config_sender(config, "large", "box"));
  out = attach(session, config, FERRION_SENDER, &in);
  OK(ferrion_receiver_set_credit(server, in, 1));
  settle_down();
  for (size_t i = 0; i < sizeof large; i++) large[i] = (uint8_t)i;
  OK(ferrion_sender_send(client, out, BYTES("l"), large, sizeof large, NULL));
  IS(FERRION_INVALID_ARGUMENT, ferrion_engine_transmit_pieces(client, now, 0, pieces, &n));
  while (ferrion_engine_transmit_pieces(client, now, 4, pieces, &n) == FERRION_OK) {
    CHECK(n >= 1 && n <= 4);
    taken = 0;
    for (size_t i = 0; i < n; i++) {
      OK(ferrion_engine_recv_buffer(server, pieces[i].len, &room));
      CHECK(room.len >= pieces[i].len);
      memcpy(room.data, pieces[i].data, pieces[i].len);
      IS(FERRION_INVALID_ARGUMENT, ferrion_engine_recv_filled(server, now, room.len + 1));
      OK(ferrion_engine_recv_filled(server, now, pieces[i].len));
      taken += pieces[i].len;
    }
    IS(FERRION_INVALID_ARGUMENT, ferrion_engine_advance(client, now, taken + 1));
    OK(ferrion_engine_advance(client, now, taken));
    IS(FERRION_INVALID_ARGUMENT, ferrion_engine_advance(client, now, 1));
  }
  OK(ferrion_receiver_next_delivery(server, in, &incoming));
  CHECK(same(incoming.payload, large, sizeof large));

  IS(FERRION_END, ferrion_engine_transmit(client, now, &piece));
  OK(ferrion_engine_advance(client, now, 0));
  IS(FERRION_STATE, ferrion_engine_recv_filled(server, now, 1));
  OK(ferrion_engine_recv_buffer(server, 0, &room));
  IS(FERRION_INVALID_ARGUMENT, ferrion_engine_recv_filled(server, now, room.len + 1));
  OK(ferrion_engine_recv_buffer(server, 10, &room));
  OK(ferrion_engine_recv(server, now, NULL, 0));
  IS(FERRION_STATE, ferrion_engine_recv_filled(server, now, 1));
  IS(FERRION_INVALID_ARGUMENT, ferrion_engine_recv_buffer(server, SIZE_MAX, &room));
  /* What is in the room is told of, and not given once more. */
  OK(ferrion_engine_recv_buffer(server, 10, &room));
  IS(FERRION_INVALID_ARGUMENT, ferrion_engine_recv(server, now, room.data, 1));
  IS(FERRION_INVALID_ARGUMENT, ferrion_engine_recv(server, now, room.data + room.len - 1, 1));
  OK(ferrion_engine_recv(server, now, room.data, 0));
  IS(FERRION_NULL_POINTER, ferrion_engine_recv(server, now, NULL, 1));
  IS(FERRION_INVALID_ARGUMENT, ferrion_engine_recv(server, now, large, SIZE_MAX));

  /* Of a room that was told of too short the rest can be given, though there may have to be another room to take it: that for
     the whole frame, whose size is in what was told. */
  OK(ferrion_receiver_set_credit(server, in, 1));
  settle_down();
  OK(ferrion_sender_send(client, out, BYTES("m"), large, sizeof large, NULL));
  while (ferrion_engine_transmit(client, now, &piece) == FERRION_OK) {
    OK(ferrion_engine_recv_buffer(server, piece.len, &room));
    memcpy(room.data, piece.data, piece.len);
    taken = piece.len < 8 ? piece.len : 8;
    OK(ferrion_engine_recv_filled(server, now, taken));
    OK(ferrion_engine_recv(server, now, room.data + taken, piece.len - taken));
    OK(ferrion_engine_advance(client, now, piece.len));
  }
  OK(ferrion_receiver_next_delivery(server, in, &incoming));
  CHECK(same(incoming.payload, large, sizeof large));
  ferrion_link_config_free(config);
  free_engines();
}

/* Ends: of links, sessions, the connection, each with its reason; events in rows. */
static void ends(void) {
  ferrion_session_t at_server, session;
  ferrion_link_t out, in, second, second_in;
  ferrion_link_config_t *config = ferrion_link_config_new();
  ferrion_event_t events[8];
  ferrion_bytes_t condition, description, text;
  ferrion_closing closing;
  ferrion_failure failure;
  ferrion_reason reason;
  uint64_t at;
  size_t n;
  bool remote, truth;

  make_engines();
  OK(ferrion_engine_set_tracing(client, true));
  session = open_session(&at_server);
  OK(ferrion_engine_poll_trace(client, &text));
  CHECK(text.len > 0);
  OK(ferrion_link_config_sender(config, "one", "box"));
  out = attach(session, config, FERRION_SENDER, &in);
  OK(ferrion_link_config_sender(config, "two", "box"));
  second = attach(session, config, FERRION_SENDER, &second_in);

  OK(ferrion_value_clear(value));
  OK(ferrion_value_begin_map(value));
  OK(ferrion_value_put_symbol_text(value, "network-host"));
  OK(ferrion_value_put_text(value, "elsewhere"));
  OK(ferrion_value_end(value));
  OK(ferrion_link_close(server, in, "amqp:link:redirect", "moved", value));
  settle_down();
  OK(ferrion_engine_poll_events(client, 8, events, &n));
  CHECK(n == 1 && events[0].kind == FERRION_EVENT_LINK_DETACHED && events[0].link == out);
  CHECK(events[0].session == session);
  OK(ferrion_link_error(client, out, &remote, &condition, &description, value));
  CHECK(remote && text_is(condition, "amqp:link:redirect") && text_is(description, "moved"));
  OK(ferrion_value_next(value));
  OK(ferrion_link_awaits_detach(client, out, &truth));
  CHECK(truth);
  OK(ferrion_link_close(client, out, NULL, NULL, NULL));
  settle_down();
  IS(FERRION_END, ferrion_engine_poll_events(client, 8, events, &n));
  IS(FERRION_INVALID_ARGUMENT, ferrion_engine_poll_events(client, 0, events, &n));
  IS(FERRION_STALE_HANDLE, ferrion_link_is_attached(client, out, &truth));

  OK(ferrion_link_close_by(client, second, now + 500));
  OK(ferrion_link_closing(client, second, &closing));
  CHECK(closing == FERRION_CLOSING_COMPLETE);
  settle_down();
  OK(ferrion_session_end(client, session, "amqp:not-allowed", NULL, NULL));
  settle_down();
  while (ferrion_engine_poll_events(server, 8, events, &n) == FERRION_OK) {
    if (events[n - 1].kind == FERRION_EVENT_SESSION_ENDED) {
      OK(ferrion_session_error(server, at_server, &remote, &condition, &description, NULL));
      CHECK(remote && text_is(condition, "amqp:not-allowed") && description.len == 0);
    }
  }
  IS(FERRION_STALE_HANDLE, ferrion_session_is_begun(server, at_server, &truth));

  OK(ferrion_connection_close(client, "amqp:connection:forced", "by hand", NULL));
  carry(client, server);
  OK(ferrion_engine_poll_timeout(client, &at, &reason));
  CHECK(reason == FERRION_REASON_CLOSE && at == now + 30000);
  carry(server, client);
  IS(FERRION_ABSENT, ferrion_engine_poll_timeout(client, &at, NULL));
  OK(ferrion_connection_remote_condition(server, &condition, &description, NULL));
  CHECK(text_is(condition, "amqp:connection:forced") && text_is(description, "by hand"));
  OK(ferrion_engine_failure(server, &failure, &text));
  CHECK(failure == FERRION_FAILURE_REMOTE && text.len > 0);
  OK(ferrion_engine_is_done(server, &truth));
  CHECK(truth);
  IS(FERRION_STATE, ferrion_connection_close(client, NULL, NULL, NULL));
  IS(FERRION_STATE, ferrion_connection_begin(client, NULL, &session));
  ferrion_link_config_free(config);
  free_engines();

  /* A peer that is silent, and one that is none. */
  make_engines();
  OK(ferrion_connection_open(client));
  OK(ferrion_engine_poll_timeout(client, &at, &reason) == FERRION_ABSENT ? FERRION_OK : FERRION_STATE);
  IS(FERRION_OK, ferrion_engine_handle_timeout(client, now));
  OK(ferrion_engine_poll_timeout(client, &at, &reason));
  CHECK(reason == FERRION_REASON_HANDSHAKE && at == now + 30000);
  OK(ferrion_engine_handle_timeout(client, at));
  OK(ferrion_engine_failure(client, &failure, NULL));
  CHECK(failure == FERRION_FAILURE_HANDSHAKE_TIMEOUT);
  OK(ferrion_engine_recv(server, now, BYTES("GET / HTTP/1.1\r\n\r\n")));
  OK(ferrion_engine_failure(server, &failure, &text));
  CHECK(failure == FERRION_FAILURE_NOT_AMQP);
  free_engines();

  make_engines();
  OK(ferrion_connection_open(client));
  OK(ferrion_engine_recv_eof(client, now));
  OK(ferrion_engine_failure(client, &failure, NULL));
  CHECK(failure == FERRION_FAILURE_TRANSPORT_CLOSED);
  expect(client, FERRION_EVENT_DISCONNECTED);
  nothing(client);
  free_engines();
}

/* A link that is refused, and one that is answered with what the server chose. */
static void answers(void) {
  ferrion_session_t at_server, session;
  ferrion_link_t link, in;
  ferrion_link_config_t *config = ferrion_link_config_new();
  ferrion_bytes_t condition, address;
  ferrion_rcv_settle_mode mode;
  bool truth;

  make_engines();
  session = open_session(&at_server);
  OK(ferrion_link_config_sender(config, "refused", "nowhere"));
  OK(ferrion_session_attach_sender(client, session, config, &link));
  settle_down();
  in = expect(server, FERRION_EVENT_LINK_ATTACHED).link;
  OK(ferrion_link_is_incoming(server, in, &truth));
  CHECK(truth);
  IS(FERRION_NULL_POINTER, ferrion_link_refuse(server, in, NULL, NULL, NULL));
  OK(ferrion_link_refuse(server, in, "amqp:not-found", "no such box", NULL));
  settle_down();
  expect(client, FERRION_EVENT_LINK_ATTACHED);
  CHECK(expect(client, FERRION_EVENT_LINK_DETACHED).link == link);
  OK(ferrion_link_error(client, link, NULL, &condition, NULL, NULL));
  CHECK(text_is(condition, "amqp:not-found"));

  /* A dynamic node: the server makes up its address. */
  OK(ferrion_link_config_receiver(config, "dynamic", ""));
  OK(ferrion_link_config_set_source_address(config, NULL));
  OK(ferrion_value_clear(value));
  OK(ferrion_value_put_bool(value, true));
  OK(ferrion_link_config_set_source(config, FERRION_SOURCE_DYNAMIC, value));
  OK(ferrion_link_config_set_number(config, FERRION_LINK_RCV_SETTLE_MODE, FERRION_RCV_SECOND));
  OK(ferrion_session_attach_receiver(client, session, config, &link));
  settle_down();
  in = expect(server, FERRION_EVENT_LINK_ATTACHED).link;
  IS(FERRION_INVALID_ARGUMENT, ferrion_link_accept(server, in));
  OK(ferrion_link_offer(server, in, config));
  OK(ferrion_link_config_set_source_address(config, "made-up"));
  OK(ferrion_link_accept_with(server, in, config));
  settle_down();
  expect(client, FERRION_EVENT_LINK_ATTACHED);
  OK(ferrion_link_remote_address(client, link, &address));
  CHECK(text_is(address, "made-up"));
  OK(ferrion_link_rcv_settle_mode(client, link, &mode));
  CHECK(mode == FERRION_RCV_SECOND);
  OK(ferrion_link_detach(client, link));
  IS(FERRION_STATE, ferrion_link_detach(client, link));
  ferrion_link_config_free(config);
  free_engines();
}

/* Whether output of an engine lies where these octets are. */
static bool is_sent_from(ferrion_engine_t *engine, ferrion_bytes_t octets) {
  ferrion_bytes_t pieces[8];
  size_t n;
  OK(ferrion_engine_transmit_pieces(engine, now, 8, pieces, &n));
  while (n > 0)
    if (pieces[--n].data == octets.data && pieces[n].len == octets.len) return true;
  return false;
}

/* A large message goes out as often as one likes, and on from where it arrived, without a copy. */
static void passed_on(void) {
  static uint8_t octets[8 + 10000] = {0x00, 0x53, 0x75, 0xb0, 0, 0, 0x27, 0x10};
  ferrion_session_t at_server, session;
  ferrion_link_t out, in, back, from_server;
  ferrion_incoming_t incoming;
  ferrion_link_config_t *config = ferrion_link_config_new();
  ferrion_message_t *message = ferrion_message_new(), *received = ferrion_message_new();
  ferrion_bytes_t encoded, body;

  memset(octets + 8, 'm', 10000);
  make_engines();
  session = open_session(&at_server);
  OK(ferrion_link_config_sender(config, "there", "box"));
  out = attach(session, config, FERRION_SENDER, &in);
  OK(ferrion_link_config_receiver(config, "back", "box"));
  back = attach(session, config, FERRION_RECEIVER, &from_server);
  OK(ferrion_receiver_set_credit(server, in, 10));
  OK(ferrion_receiver_set_credit(client, back, 10));
  settle_down();

  OK(ferrion_message_decode(message, octets, sizeof octets));
  OK(ferrion_message_encode(message, &encoded));
  OK(ferrion_sender_send_message(client, out, BYTES("1"), message, NULL, NULL));
  OK(ferrion_sender_send_message(client, out, BYTES("2"), message, NULL, NULL));
  CHECK(is_sent_from(client, encoded));
  /* What has been sent is the engine's as well, whatever becomes of the object. */
  OK(ferrion_message_set_body_text(message, "another"));
  OK(ferrion_sender_send_message(client, out, BYTES("3"), message, NULL, NULL));
  CHECK(is_sent_from(client, encoded));
  ferrion_message_free(message);
  settle_down();

  for (int i = 0; i < 2; i++) {
    OK(ferrion_receiver_next_delivery(server, in, &incoming));
    CHECK(incoming.payload.len == sizeof octets && memcmp(incoming.payload.data, octets, sizeof octets) == 0);
    OK(ferrion_engine_message(server, received));
    OK(ferrion_receiver_accept(server, in, incoming.delivery));
    OK(ferrion_sender_send_message(server, from_server, &octets[8 + i], 1 + (size_t)i, received, NULL, NULL));
    CHECK(is_sent_from(server, incoming.payload));
  }
  OK(ferrion_receiver_next_delivery(server, in, &incoming));
  OK(ferrion_engine_message(server, received));
  OK(ferrion_message_body_bytes(received, &body));
  CHECK(same_text(body, "another"));
  ferrion_message_free(received);
  settle_down();
  for (int i = 0; i < 2; i++) {
    OK(ferrion_receiver_next_delivery(client, back, &incoming));
    CHECK(incoming.payload.len == sizeof octets && memcmp(incoming.payload.data, octets, sizeof octets) == 0);
  }
  IS(FERRION_END, ferrion_receiver_next_delivery(client, back, &incoming));
  ferrion_link_config_free(config);
  free_engines();
}

/* What was lent of a message stays when it is sent: twice, and before that in vain. */
static void made(void) {
  static char text[10001];
  static uint8_t copy[11000];
  ferrion_session_t at_server, session;
  ferrion_link_t out, in;
  ferrion_incoming_t incoming;
  ferrion_link_config_t *config = ferrion_link_config_new();
  ferrion_message_t *message = ferrion_message_new();
  ferrion_bytes_t encoded;

  memset(text, 't', sizeof text - 1);
  make_engines();
  session = open_session(&at_server);
  OK(ferrion_link_config_sender(config, "there", "box"));
  out = attach(session, config, FERRION_SENDER, &in);
  settle_down();
  OK(ferrion_message_set_body_text(message, text));
  OK(ferrion_message_encode(message, &encoded));
  CHECK(encoded.len > sizeof text && encoded.len < sizeof copy);
  memcpy(copy, encoded.data, encoded.len);
  IS(FERRION_NO_CREDIT, ferrion_sender_send_message(client, out, BYTES("1"), message, NULL, NULL));
  CHECK(memcmp(copy, encoded.data, encoded.len) == 0);
  OK(ferrion_receiver_set_credit(server, in, 10));
  settle_down();
  OK(ferrion_sender_send_message(client, out, BYTES("2"), message, NULL, NULL));
  OK(ferrion_sender_send_message(client, out, BYTES("3"), message, NULL, NULL));
  CHECK(memcmp(copy, encoded.data, encoded.len) == 0);
  settle_down();
  for (int i = 0; i < 2; i++) {
    OK(ferrion_receiver_next_delivery(server, in, &incoming));
    CHECK(incoming.payload.len == encoded.len && memcmp(incoming.payload.data, copy, encoded.len) == 0);
  }
  ferrion_message_free(message);
  ferrion_link_config_free(config);
  free_engines();
}

int main(void) {
  value = ferrion_value_new();
  configurations();
  transfers();
  outcomes();
  drains();
  streams();
  passed_on();
  made();
  octets();
  ends();
  answers();
  ferrion_value_free(value);
  return 0;
}
