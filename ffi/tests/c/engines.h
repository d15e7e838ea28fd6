/* Two engines in memory, a client and a server, and a clock that stands still unless it is moved. */
#ifndef ENGINES_H
#define ENGINES_H

#include "check.h"

static ferrion_engine_t *client, *server;
static uint64_t now = 1000;

/* All octets that wait on one side go to the other, in pieces of this many at most. */
static inline void carry_in_pieces(ferrion_engine_t *from, ferrion_engine_t *to, size_t most) {
  ferrion_bytes_t piece;
  while (ferrion_engine_transmit(from, now, &piece) == FERRION_OK) {
    size_t n = piece.len < most ? piece.len : most;
    CHECK(n > 0);
    OK(ferrion_engine_recv(to, now, piece.data, n));
    OK(ferrion_engine_advance(from, now, n));
  }
}

static inline void carry(ferrion_engine_t *from, ferrion_engine_t *to) { carry_in_pieces(from, to, SIZE_MAX); }

/* Both ways, until nothing is left to say. */
static inline void settle_down(void) {
  ferrion_bytes_t piece;
  do {
    carry(client, server);
    carry(server, client);
  } while (ferrion_engine_transmit(client, now, &piece) == FERRION_OK);
}

/* The next event, which must be of this kind. */
static inline ferrion_event_t expect(ferrion_engine_t *engine, ferrion_event kind) {
  ferrion_event_t event;
  OK(ferrion_engine_poll_event(engine, &event));
  CHECK(event.kind == kind);
  return event;
}

static inline void nothing(ferrion_engine_t *engine) {
  ferrion_event_t event;
  IS(FERRION_END, ferrion_engine_poll_event(engine, &event));
}

static inline void make_engines(void) {
  ferrion_config_t *config = ferrion_config_new();
  OK(ferrion_config_set_text(config, FERRION_CONFIG_CONTAINER_ID, "client"));
  CHECK(client = ferrion_engine_new(FERRION_CLIENT, config));
  OK(ferrion_config_set_text(config, FERRION_CONFIG_CONTAINER_ID, "server"));
  CHECK(server = ferrion_engine_new(FERRION_SERVER, config));
  ferrion_config_free(config);
}

static inline void free_engines(void) {
  ferrion_engine_free(client);
  ferrion_engine_free(server);
}

/* Opens the connection, and begins a session on it. */
static inline ferrion_session_t open_session(ferrion_session_t *out_at_server) {
  ferrion_session_t session;
  OK(ferrion_connection_open(client));
  OK(ferrion_connection_open(server));
  OK(ferrion_connection_begin(client, NULL, &session));
  settle_down();
  expect(server, FERRION_EVENT_REMOTE_OPEN);
  *out_at_server = expect(server, FERRION_EVENT_SESSION_BEGUN).session;
  OK(ferrion_session_accept(server, *out_at_server, NULL));
  settle_down();
  expect(client, FERRION_EVENT_REMOTE_OPEN);
  CHECK(expect(client, FERRION_EVENT_SESSION_BEGUN).session == session);
  return session;
}

/* Attaches a link from the client and lets the server accept it. */
static inline ferrion_link_t attach(ferrion_session_t session, const ferrion_link_config_t *config, ferrion_role role,
                                    ferrion_link_t *out_at_server) {
  ferrion_link_t link;
  if (role == FERRION_SENDER) OK(ferrion_session_attach_sender(client, session, config, &link));
  else OK(ferrion_session_attach_receiver(client, session, config, &link));
  settle_down();
  *out_at_server = expect(server, FERRION_EVENT_LINK_ATTACHED).link;
  OK(ferrion_link_accept(server, *out_at_server));
  settle_down();
  CHECK(expect(client, FERRION_EVENT_LINK_ATTACHED).link == link);
  return link;
}

#endif
