/* Logins through the engine: every mechanism, as client and as server, with what can go wrong. */
#include "engines.h"

static ferrion_config_t *ours, *theirs;

static void fresh(void) {
  ours = ferrion_config_new();
  theirs = ferrion_config_new();
}

static void meet(void) {
  CHECK(client = ferrion_engine_new(FERRION_CLIENT, ours));
  CHECK(server = ferrion_engine_new(FERRION_SERVER, theirs));
  OK(ferrion_connection_open(client));
  OK(ferrion_connection_open(server));
  settle_down();
}

static void part(void) {
  free_engines();
  ferrion_config_free(ours);
  ferrion_config_free(theirs);
}

static ferrion_sasl_request asked(ferrion_engine_t *engine) {
  ferrion_sasl_request request;
  expect(engine, FERRION_EVENT_AUTHENTICATE);
  OK(ferrion_engine_sasl_request(engine, &request));
  return request;
}

static bool said(ferrion_engine_t *engine, ferrion_sasl_field field, const char *expected) {
  ferrion_bytes_t octets;
  OK(ferrion_engine_sasl_field(engine, field, &octets));
  return same_text(octets, expected);
}

static void answer(ferrion_engine_t *engine, ferrion_sasl_answer with, const char *octets) {
  OK(ferrion_engine_sasl_answer(engine, with, (const uint8_t *)octets, octets ? strlen(octets) : 0));
  settle_down();
}

static void admitted(void) {
  expect(client, FERRION_EVENT_AUTHENTICATED);
  expect(server, FERRION_EVENT_AUTHENTICATED);
  expect(client, FERRION_EVENT_REMOTE_OPEN);
}

static ferrion_failure failed(ferrion_engine_t *engine) {
  ferrion_failure failure;
  ferrion_bytes_t text;
  OK(ferrion_engine_failure(engine, &failure, &text));
  CHECK(text.len > 0);
  return failure;
}

static void anonymous(void) {
  fresh();
  OK(ferrion_config_login_anonymous(ours));
  OK(ferrion_config_offer(theirs, "ANONYMOUS"));
  meet();
  admitted();
  part();
}

static void plain(void) {
  ferrion_bytes_t text;
  ferrion_sasl_request request;
  fresh();
  OK(ferrion_config_set_text(ours, FERRION_CONFIG_HOSTNAME, "broker.example"));
  IS(FERRION_STATE, ferrion_config_login_allow_clear_text(ours, true));
  OK(ferrion_config_login_plain(ours, "user", "secret"));
  OK(ferrion_config_login_authorize_as(ours, "other"));
  OK(ferrion_config_login_allow_clear_text(ours, true));
  OK(ferrion_config_offer(theirs, "PLAIN"));
  meet();
  CHECK(asked(server) == FERRION_SASL_PLAIN);
  CHECK(said(server, FERRION_SASL_FIELD_USER, "user") && said(server, FERRION_SASL_FIELD_SECRET, "secret"));
  CHECK(said(server, FERRION_SASL_FIELD_AUTHORIZE_AS, "other") && said(server, FERRION_SASL_FIELD_MECHANISM, "PLAIN"));
  IS(FERRION_ABSENT, ferrion_engine_sasl_field(server, FERRION_SASL_FIELD_HOST, &text));
  IS(FERRION_INVALID_ARGUMENT, ferrion_engine_sasl_field(server, 99, &text));
  OK(ferrion_engine_sasl_hostname(server, &text));
  CHECK(same_text(text, "broker.example"));
  OK(ferrion_engine_sasl_mechanism(client, &text));
  CHECK(same_text(text, "PLAIN"));
  IS(FERRION_INVALID_ARGUMENT, ferrion_engine_sasl_answer(server, 99, NULL, 0));
  IS(FERRION_STATE, ferrion_engine_sasl_answer(client, FERRION_SASL_ACCEPT, NULL, 0));
  answer(server, FERRION_SASL_ACCEPT, NULL);
  admitted();
  IS(FERRION_ABSENT, ferrion_engine_sasl_request(server, &request));
  part();

  fresh();
  OK(ferrion_config_login_plain(ours, "user", "wrong"));
  OK(ferrion_config_login_allow_clear_text(ours, true));
  OK(ferrion_config_offer(theirs, "PLAIN"));
  meet();
  CHECK(asked(server) == FERRION_SASL_PLAIN);
  answer(server, FERRION_SASL_REJECT, NULL);
  CHECK(failed(client) == FERRION_FAILURE_SASL_REFUSED && failed(server) == FERRION_FAILURE_SASL_REFUSED);
  part();

  /* Not in clear unless that was allowed; and nothing at all from who knows nothing that is offered. */
  fresh();
  OK(ferrion_config_login_plain(ours, "user", "secret"));
  OK(ferrion_config_offer(theirs, "PLAIN"));
  meet();
  CHECK(failed(client) == FERRION_FAILURE_SASL_CLEAR_TEXT);
  part();
  fresh();
  OK(ferrion_config_login_external(ours));
  OK(ferrion_config_offer(theirs, "PLAIN"));
  meet();
  CHECK(failed(client) == FERRION_FAILURE_SASL_NO_MECHANISM);
  part();
  /* SASL is required, and skipped. */
  fresh();
  OK(ferrion_config_offer(theirs, "PLAIN"));
  meet();
  CHECK(failed(server) == FERRION_FAILURE_SASL_REQUIRED);
  part();
  fresh();
  OK(ferrion_config_offer(theirs, "PLAIN"));
  OK(ferrion_config_offer_required(theirs, false));
  meet();
  expect(server, FERRION_EVENT_REMOTE_OPEN);
  part();
}

static void external(void) {
  fresh();
  OK(ferrion_config_login_external(ours));
  OK(ferrion_config_offer(theirs, "EXTERNAL"));
  meet();
  CHECK(asked(server) == FERRION_SASL_EXTERNAL);
  CHECK(said(server, FERRION_SASL_FIELD_AUTHORIZE_AS, ""));
  answer(server, FERRION_SASL_UNAVAILABLE, NULL);
  CHECK(failed(client) == FERRION_FAILURE_SASL_TEMPORARY);
  part();
}

static void scram(const char *mechanism, const char *password, bool good) {
  static const uint8_t random[2][18] = {"client randomness!", "server randomness!"};
  ferrion_scram_t *stored = ferrion_scram_new(), *loaded = ferrion_scram_new();
  ferrion_bytes_t part_of;
  uint32_t iterations;

  /* A user is made, and what is stored of the password read back from a file. */
  OK(ferrion_scram_derive(stored, mechanism, "secret", 4096, BYTES("sixteen octets..")));
  for (int field = FERRION_SCRAM_SALT; field <= FERRION_SCRAM_SERVER_KEY; field++) {
    OK(ferrion_scram_get(stored, field, &part_of));
    OK(ferrion_scram_set(loaded, field, part_of.data, part_of.len));
  }
  OK(ferrion_scram_iterations(stored, &iterations));
  OK(ferrion_scram_set_iterations(loaded, iterations));
  IS(FERRION_INVALID_ARGUMENT, ferrion_scram_get(stored, 9, &part_of));
  IS(FERRION_INVALID_ARGUMENT, ferrion_scram_derive(stored, "PLAIN", "secret", 4096, BYTES("salt")));
  IS(FERRION_STATE, ferrion_scram_derive(stored, mechanism, "", 4096, BYTES("salt")));

  fresh();
  IS(FERRION_INVALID_ARGUMENT, ferrion_config_login_scram(ours, mechanism, "user", password, BYTES("short")));
  OK(ferrion_config_login_scram(ours, NULL, "user", password, random[0], 18));
  OK(ferrion_config_login_least_iterations(ours, 4096));
  OK(ferrion_config_offer(theirs, mechanism));
  IS(FERRION_STATE, ferrion_config_offer_salt(theirs, mechanism, "user", stored));
  IS(FERRION_INVALID_ARGUMENT, ferrion_config_offer_scram(theirs, "short", 4096, 16, random[1], 18));
  OK(ferrion_config_offer_scram(theirs, "a key of this server", 4096, 16, random[1], 18));
  OK(ferrion_config_offer_salt(theirs, mechanism, "user", stored));
  meet();
  CHECK(asked(server) == FERRION_SASL_SCRAM && said(server, FERRION_SASL_FIELD_USER, "user"));
  OK(ferrion_engine_sasl_answer_scram(server, loaded));
  settle_down();
  if (good) admitted();
  else CHECK(failed(client) == FERRION_FAILURE_SASL_REFUSED);
  part();
  ferrion_scram_free(loaded);
  ferrion_scram_free(stored);
}

/* Nonces that are text already, for who reproduces an exchange. */
static void known_nonces(void) {
  ferrion_scram_t *stored = ferrion_scram_new();

  fresh();
  IS(FERRION_INVALID_ARGUMENT, ferrion_config_nonce_from_text(ours, ""));
  IS(FERRION_INVALID_ARGUMENT, ferrion_config_nonce_from_text(ours, "a comma, and a blank"));
  IS(FERRION_INVALID_ARGUMENT, ferrion_config_login_scram(ours, "SCRAM-SHA-256", "user", "secret", NULL, 0));
  OK(ferrion_config_nonce_from_text(ours, "rOprNGfwEbeRWgbNEkqO"));
  OK(ferrion_config_login_scram(ours, "SCRAM-SHA-256", "user", "secret", NULL, 0));
  OK(ferrion_config_offer(theirs, "SCRAM-SHA-256"));
  OK(ferrion_config_nonce_from_text(theirs, "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0"));
  OK(ferrion_config_offer_scram(theirs, "a key of this server", 4096, 16, NULL, 0));
  OK(ferrion_config_nonce_from_text(theirs, NULL));
  IS(FERRION_INVALID_ARGUMENT, ferrion_config_offer_scram(theirs, "a key of this server", 4096, 16, NULL, 0));
  OK(ferrion_scram_derive(stored, "SCRAM-SHA-256", "secret", 4096, BYTES("sixteen octets..")));
  meet();
  CHECK(asked(server) == FERRION_SASL_SCRAM);
  OK(ferrion_engine_sasl_answer_scram(server, stored));
  settle_down();
  admitted();
  part();
  ferrion_scram_free(stored);
}

static void tokens(void) {
  uint16_t port;
  fresh();
  OK(ferrion_config_set_text(ours, FERRION_CONFIG_HOSTNAME, "broker.example"));
  OK(ferrion_config_login_oauthbearer(ours, "", "token"));
  OK(ferrion_config_login_allow_clear_text(ours, true));
  OK(ferrion_config_offer(theirs, "OAUTHBEARER"));
  meet();
  CHECK(asked(server) == FERRION_SASL_BEARER && said(server, FERRION_SASL_FIELD_SECRET, "token"));
  CHECK(said(server, FERRION_SASL_FIELD_HOST, "broker.example"));
  IS(FERRION_ABSENT, ferrion_engine_sasl_port(server, &port));
  answer(server, FERRION_SASL_REJECT, "{\"status\":\"invalid_token\"}");
  CHECK(failed(client) == FERRION_FAILURE_SASL_REFUSED);
  part();
  fresh();
  OK(ferrion_config_login_xoauth2(ours, "user", "token"));
  OK(ferrion_config_login_allow_clear_text(ours, true));
  OK(ferrion_config_offer(theirs, "XOAUTH2"));
  meet();
  CHECK(asked(server) == FERRION_SASL_BEARER);
  answer(server, FERRION_SASL_ACCEPT, NULL);
  admitted();
  part();
}

static void own_mechanism(void) {
  fresh();
  OK(ferrion_config_login_raw(ours, "X-RIDDLE", BYTES("hello")));
  OK(ferrion_config_offer(theirs, "X-RIDDLE"));
  meet();
  CHECK(asked(server) == FERRION_SASL_RAW && said(server, FERRION_SASL_FIELD_SECRET, "hello"));
  answer(server, FERRION_SASL_CONTINUE, "what has keys and opens nothing?");
  CHECK(asked(client) == FERRION_SASL_CHALLENGE);
  CHECK(said(client, FERRION_SASL_FIELD_SECRET, "what has keys and opens nothing?"));
  answer(client, FERRION_SASL_CONTINUE, "a piano");
  CHECK(asked(server) == FERRION_SASL_RAW && said(server, FERRION_SASL_FIELD_SECRET, "a piano"));
  answer(server, FERRION_SASL_ACCEPT, "welcome");
  CHECK(asked(client) == FERRION_SASL_ADMITTED && said(client, FERRION_SASL_FIELD_SECRET, "welcome"));
  answer(client, FERRION_SASL_ACCEPT, NULL);
  admitted();
  part();
}

int main(void) {
  anonymous();
  plain();
  external();
  scram("SCRAM-SHA-1", "secret", true);
  scram("SCRAM-SHA-256", "secret", true);
  scram("SCRAM-SHA-512", "secret", true);
  scram("SCRAM-SHA-256", "guess", false);
  known_nonces();
  tokens();
  own_mechanism();
  return 0;
}
