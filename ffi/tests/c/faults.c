/* A fault inside the library, in the middle of work: what suffered it can only be freed, and all else goes on. */
#include "faults.h"
/* Engines and messengers each have an expect() of their own. */
#define expect expect_event
#include "engines.h"
#undef expect
#include "pair.h"

/* One of two engines: the other one, and two more, do not notice more than that their peer is silent. */
static void engines(void) {
  ferrion_session_t session, at_server;
  ferrion_link_config_t *config = ferrion_link_config_new();
  ferrion_link_t link, receiving;
  ferrion_census_t census;
  ferrion_bytes_t piece;
  for (size_t nth = 0; nth < 3; nth++) {
    make_engines();
    session = open_session(&at_server);
    OK(ferrion_link_config_sender(config, "link", "there"));
    link = attach(session, config, FERRION_SENDER, &receiving);
    OK(ferrion_receiver_set_credit(server, receiving, 10));
    settle_down();

    memset(&census, 7, sizeof census);
    plant(client, nth);
    for (size_t before = 0; before < nth; before++)
      OK(ferrion_sender_send(client, link, BYTES("tag") - before, BYTES("payload"), NULL));
    faulty(ferrion_sender_send(client, link, BYTES("other"), BYTES("payload"), NULL));
    spoilt(ferrion_sender_send(client, link, BYTES("other"), BYTES("payload"), NULL));
    spoilt(ferrion_engine_transmit(client, now, &piece));
    spoilt(ferrion_engine_census(client, &census));
    CHECK(census.sessions == census.links && census.sessions > 7);

    OK(ferrion_engine_census(server, &census));
    CHECK(census.sessions == 1 && census.links == 1);
    OK(ferrion_connection_close(server, "amqp:internal-error", "the client is silent", NULL));
    OK(ferrion_engine_transmit(server, now, &piece));
    CHECK(piece.len > 0);
    free_engines();
  }
  make_engines();
  open_session(&at_server);
  free_engines();
  ferrion_link_config_free(config);
}

/* One of two messengers: the other one hears that the connection is lost, and serves a new one. */
static void messengers(void) {
  ferrion_interrupter_t *interrupter;
  ferrion_tracker_t tracker;
  size_t n;
  begin_pair();
  listen_on("", 0);
  put("before");
  expect("before");

  CHECK(interrupter = ferrion_interrupter_new(sender));
  plant(sender, 1);
  OK(ferrion_messenger_outgoing(sender, &n));
  faulty(ferrion_messenger_outgoing(sender, &n));
  spoilt(ferrion_messenger_outgoing(sender, &n));
  spoilt(ferrion_messenger_put(sender, message, &tracker));
  spoilt(ferrion_messenger_stop(sender));
  /* It interrupts nobody, and does not mind. */
  OK(ferrion_messenger_interrupt(sender));
  OK(ferrion_interrupter_interrupt(interrupter));
  ferrion_messenger_free(sender);
  OK(ferrion_interrupter_interrupt(interrupter));
  ferrion_interrupter_free(interrupter);

  CHECK(sender = ferrion_messenger_new("sender"));
  OK(ferrion_messenger_set_blocking(sender, false));
  put("after");
  expect("after");
  end_pair();
}

/* A message; and a call that has two objects in hand when the fault happens in the second: neither can be trusted. */
static void messages(void) {
  ferrion_message_t *other = ferrion_message_new();
  ferrion_bytes_t octets;
  ferrion_messenger_t *messenger = ferrion_messenger_new(NULL);
  size_t n;
  CHECK(message = ferrion_message_new());
  OK(ferrion_message_set_body_text(other, "well"));
  plant(message, 0);
  faulty(ferrion_message_set_body_text(message, "ill"));
  spoilt(ferrion_message_encode(message, &octets));
  spoilt(ferrion_message_copy(other, message));
  OK(ferrion_message_body_bytes(other, &octets));
  CHECK(same_text(octets, "well"));
  /* The one that is spoilt harms no other. */
  spoilt(ferrion_messenger_put(messenger, message, NULL));
  OK(ferrion_messenger_outgoing(messenger, &n));
  CHECK(n == 0);
  ferrion_message_free(message);

  plant(other, 0);
  faulty(ferrion_messenger_put(messenger, other, NULL));
  spoilt(ferrion_message_encode(other, &octets));
  spoilt(ferrion_messenger_outgoing(messenger, &n));
  ferrion_message_free(other);
  ferrion_messenger_free(messenger);
}

int main(void) {
  engines();
  messengers();
  messages();
  return 0;
}
