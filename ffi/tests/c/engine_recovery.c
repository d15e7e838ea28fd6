/* A link outlives its connection: what both sides remember goes through octets, and on with new engines. */
#include "engines.h"

static ferrion_link_state_t *ours, *theirs;

/* As from a file: through octets, into an object that knew nothing. */
static void through_octets(ferrion_link_state_t **state) {
  ferrion_link_state_t *read = ferrion_link_state_new();
  ferrion_bytes_t octets, cut;
  OK(ferrion_link_state_encode(*state, &octets));
  for (size_t len = 0; len < octets.len; len++) IS(FERRION_DECODE, ferrion_link_state_decode(read, octets.data, len));
  OK(ferrion_link_state_decode(read, octets.data, octets.len));
  OK(ferrion_link_state_encode(read, &cut));
  CHECK(cut.len == octets.len && memcmp(cut.data, octets.data, cut.len) == 0);
  IS(FERRION_DECODE, ferrion_link_state_decode(read, BYTES("\x40")));
  ferrion_link_state_free(*state);
  *state = read;
}

static void lose(void) {
  OK(ferrion_engine_recv_eof(client, now));
  OK(ferrion_engine_recv_eof(server, now));
  OK(ferrion_engine_link_state(client, 0, ours));
  IS(FERRION_END, ferrion_engine_link_state(client, 1, ours));
  OK(ferrion_engine_link_state(server, 0, theirs));
  free_engines();
  through_octets(&ours);
  through_octets(&theirs);
}

int main(void) {
  ferrion_session_t session, at_server;
  ferrion_link_t out, in;
  ferrion_link_config_t *config = ferrion_link_config_new();
  ferrion_value_t *value = ferrion_value_new();
  ferrion_remembered_t remembered;
  ferrion_incoming_t incoming;
  ferrion_update_t update;
  ferrion_recovery_t recovery;
  ferrion_role role;
  size_t n;

  ours = ferrion_link_state_new();
  theirs = ferrion_link_state_new();
  make_engines();
  session = open_session(&at_server);
  OK(ferrion_link_config_sender(config, "durable", "box"));
  OK(ferrion_link_config_set_number(config, FERRION_LINK_RECOVERABLE, 1));
  OK(ferrion_link_config_set_number(config, FERRION_LINK_RCV_SETTLE_MODE, FERRION_RCV_SECOND));
  OK(ferrion_session_attach_sender(client, session, config, &out));
  settle_down();
  in = expect(server, FERRION_EVENT_LINK_ATTACHED).link;
  OK(ferrion_link_offer(server, in, config));
  OK(ferrion_link_config_set_number(config, FERRION_LINK_RECOVERABLE, 1));
  OK(ferrion_link_accept_with(server, in, config));
  OK(ferrion_receiver_set_credit(server, in, 10));
  settle_down();
  IS(FERRION_ABSENT, ferrion_link_recovered(client, out, &recovery));

  /* One is accepted and not settled, one arrives and is not taken, one never leaves. */
  OK(ferrion_sender_send(client, out, BYTES("1"), BYTES("accepted"), NULL));
  OK(ferrion_sender_send(client, out, BYTES("2"), BYTES("arrived"), NULL));
  settle_down();
  OK(ferrion_receiver_next_delivery(server, in, &incoming));
  OK(ferrion_value_put_accepted(value));
  OK(ferrion_receiver_update(server, in, incoming.delivery, value));
  OK(ferrion_sender_send(client, out, BYTES("3"), BYTES("precious"), NULL));
  OK(ferrion_link_state(client, out, ours));
  OK(ferrion_link_state_count(ours, &n));
  CHECK(n == 3);
  lose();

  OK(ferrion_link_state_role(ours, &role));
  CHECK(role == FERRION_SENDER);
  OK(ferrion_link_state_count(ours, &n));
  CHECK(n == 3);
  OK(ferrion_link_state_delivery(ours, 2, &remembered));
  CHECK(same_text(remembered.tag, "3") && same_text(remembered.payload, "precious") && remembered.complete);
  CHECK(remembered.local_state == FERRION_STATE_NONE && remembered.has_payload);
  IS(FERRION_ABSENT, ferrion_link_state_remote(ours, 2, value));
  IS(FERRION_END, ferrion_link_state_delivery(ours, 3, &remembered));
  OK(ferrion_link_state_delivery(theirs, 0, &remembered));
  CHECK(same_text(remembered.tag, "1") && remembered.local_state == FERRION_STATE_ACCEPTED && !remembered.has_payload);
  OK(ferrion_link_state_local(theirs, 0, value));
  OK(ferrion_link_state_config(ours, config));
  OK(ferrion_link_state_set_config(ours, config));

  make_engines();
  session = open_session(&at_server);
  OK(ferrion_session_resume(client, session, ours, &out));
  settle_down();
  in = expect(server, FERRION_EVENT_LINK_ATTACHED).link;
  OK(ferrion_link_resume(server, in, theirs));
  OK(ferrion_receiver_set_credit(server, in, 10));
  settle_down();
  OK(ferrion_link_recovered(client, out, &recovery));
  CHECK(recovery.peer_remembers && recovery.complete && recovery.sent_again == 1 && recovery.lost == 0);
  OK(ferrion_link_next_update(client, out, &update));
  CHECK(same_text(update.tag, "1") && update.state == FERRION_STATE_ACCEPTED);
  OK(ferrion_sender_settle(client, out, update.delivery));
  OK(ferrion_receiver_next_delivery(server, in, &incoming));
  CHECK(same_text(incoming.payload, "arrived"));
  OK(ferrion_receiver_accept(server, in, incoming.delivery));
  OK(ferrion_receiver_next_delivery(server, in, &incoming));
  CHECK(same_text(incoming.payload, "precious"));
  IS(FERRION_END, ferrion_receiver_next_delivery(server, in, &incoming));

  /* What is taken out of a state is settled; what is put in is sent. */
  OK(ferrion_link_state_set_payload(ours, 1, 0, BYTES("changed")));
  OK(ferrion_link_state_delivery(ours, 1, &remembered));
  CHECK(same_text(remembered.payload, "changed") && remembered.read == 0);
  OK(ferrion_link_state_remove(ours, 0));
  OK(ferrion_link_state_copy(theirs, ours));
  OK(ferrion_link_state_count(theirs, &n));
  CHECK(n == 2);
  IS(FERRION_END, ferrion_link_state_remove(ours, 2));

  free_engines();
  ferrion_link_state_free(ours);
  ferrion_link_state_free(theirs);
  ferrion_value_free(value);
  ferrion_link_config_free(config);
  return 0;
}
