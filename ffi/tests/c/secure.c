/* Who is who: certificates, passwords, tokens, and WebSocket below them. The argument is a folder with certificates. */
#include "pair.h"

static const char *folder;

static const char *file(const char *name) {
  static char paths[4][512];
  static int next;
  char *path = paths[next++ % 4];
  snprintf(path, sizeof paths[0], "%s/%s", folder, name);
  return path;
}

/* A new pair, of which neither tries a second time. */
static void begin(void) {
  begin_pair();
  OK(ferrion_messenger_set_reconnect(sender, NULL));
}

/* A message goes out, and is accepted if it arrives; the answer is what became of it. */
static ferrion_delivery_status exchange(ferrion_tracker_t *tracker) {
  *tracker = put("hello");
  ferrion_status ready = ferrion_messenger_recv(receiver, FERRION_CREDIT_ALL);
  CHECK(ready == FERRION_OK || ready == FERRION_WOULD_BLOCK);
  UNTIL(incoming() > 0 || status(sender, *tracker) != FERRION_DELIVERY_PENDING);
  if (incoming() > 0) {
    ferrion_tracker_t got;
    OK(ferrion_messenger_get(receiver, message, &got));
    OK(ferrion_messenger_accept(receiver, got, FERRION_SINGLE));
  }
  UNTIL(status(sender, *tracker) != FERRION_DELIVERY_PENDING);
  return status(sender, *tracker);
}

static void arrives(void) {
  ferrion_tracker_t tracker;
  CHECK(exchange(&tracker) == FERRION_DELIVERY_ACCEPTED);
}

/* The next message is lost for this reason, whose text has this in it. */
static void fails(ferrion_status why, const char *text) {
  ferrion_tracker_t tracker;
  ferrion_status reason;
  CHECK(exchange(&tracker) == FERRION_DELIVERY_ABORTED);
  OK(ferrion_messenger_reason_status(sender, tracker, &reason));
  IS(why, reason);
  IS(why, ferrion_messenger_send(sender, -1));
  CHECK(strstr(ferrion_last_error(), text));
}

static bool warned(void) {
  ferrion_bytes_t text;
  bool any = false;
  while (ferrion_messenger_poll_warning(sender, &text) == FERRION_OK) any = true;
  return any;
}

static void servers_are_checked(void) {
  begin();
  IS(FERRION_TLS, ferrion_messenger_subscribe(receiver, "amqps://~127.0.0.1:0", NULL));
  OK(ferrion_messenger_set_certificate(receiver, file("server.crt"), file("server.key")));
  listen_on("amqps://", 0);
  OK(ferrion_messenger_set_trusted_certificates(sender, file("stranger.pem")));
  fails(FERRION_TLS, "authority");
  OK(ferrion_messenger_set_trusted_certificates(sender, file("authority.pem")));
  arrives();
  CHECK(!warned());
  end_pair();

  begin();
  OK(ferrion_messenger_set_certificate(receiver, file("server.crt"), file("server.key")));
  OK(ferrion_messenger_set_listeners_allow_plain(receiver, true));
  listen_on("amqps://", 0);
  OK(ferrion_messenger_set_dangerous_accept_any_certificate(sender, true));
  arrives();
  CHECK(warned());
  /* The same port, without TLS. */
  memmove(address + 4, address + 5, strlen(address + 4));
  CHECK(strncmp(address, "amqp://", 7) == 0);
  arrives();
  end_pair();
}

static void clients_are_checked(void) {
  begin();
  OK(ferrion_messenger_set_certificate(receiver, file("server.crt"), file("server.key")));
  OK(ferrion_messenger_set_trusted_certificates(receiver, file("authority.pem")));
  OK(ferrion_messenger_set_trusted_certificates(sender, file("authority.pem")));
  OK(ferrion_messenger_set_client_certificates(receiver, FERRION_CLIENT_CERTIFICATES_REQUIRE));
  listen_on("amqps://", 0);
  fails(FERRION_TLS, "certificate");
  OK(ferrion_messenger_set_certificate(sender, file("client.crt"), file("client.key")));
  arrives();
  end_pair();
}

static void users_have_passwords(void) {
  begin();
  OK(ferrion_messenger_set_listener_user(receiver, "ann", "secret"));
  OK(ferrion_messenger_set_listener_user(receiver, "bob", "hidden"));
  OK(ferrion_messenger_set_listener_user(receiver, "bob", NULL));
  listen_on("", 0);
  fails(FERRION_LOGIN, "");
  OK(ferrion_messenger_set_credentials(sender, "bob", "hidden"));
  fails(FERRION_LOGIN, "");
  OK(ferrion_messenger_set_credentials(sender, "ann", "guess"));
  fails(FERRION_LOGIN, "");
  /* Whoever listens here takes no tokens. */
  OK(ferrion_messenger_set_credentials(sender, "ann", NULL));
  OK(ferrion_messenger_set_token(sender, "eyJhbGciOi"));
  fails(FERRION_LOGIN, "");
  OK(ferrion_messenger_set_token(sender, NULL));
  OK(ferrion_messenger_set_credentials(sender, "ann", "secret"));
  arrives();
  end_pair();
}

static void users_have_tokens(void) {
  begin();
  OK(ferrion_messenger_set_listener_token(receiver, "ann", "eyJhbGciOi"));
  OK(ferrion_messenger_set_listener_token(receiver, "bob", "eyJ0eXAiOi"));
  OK(ferrion_messenger_set_listener_token(receiver, "bob", NULL));
  OK(ferrion_messenger_set_allow_plain_without_tls(sender, true));
  listen_on("", 0);
  fails(FERRION_LOGIN, "");
  OK(ferrion_messenger_set_credentials(sender, "bob", NULL));
  OK(ferrion_messenger_set_token(sender, "eyJ0eXAiOi"));
  fails(FERRION_LOGIN, "");
  OK(ferrion_messenger_set_credentials(sender, "ann", NULL));
  fails(FERRION_LOGIN, "");
  OK(ferrion_messenger_set_token(sender, "eyJhbGciOi"));
  arrives();
  end_pair();
}

static void websockets_have_paths(void) {
  begin();
  OK(ferrion_messenger_set_websocket_path(receiver, "/amqp"));
  OK(ferrion_messenger_set_handshake_time_out(receiver, 10000));
  listen_on("ws://", 0);
  fails(FERRION_WEBSOCKET, "");
  OK(ferrion_messenger_set_websocket_path(sender, "/amqp"));
  arrives();
  end_pair();
}

static void mistakes(void) {
  begin();
  IS(FERRION_CERTIFICATE, ferrion_messenger_set_certificate(sender, file("nothing"), file("client.key")));
  CHECK(strstr(ferrion_last_error(), "nothing"));
  IS(FERRION_CERTIFICATE, ferrion_messenger_set_certificate(sender, file("client.crt"), file("server.key")));
  IS(FERRION_CERTIFICATE, ferrion_messenger_set_certificate(sender, file("client.crt"), file("client.crt")));
  IS(FERRION_CERTIFICATE, ferrion_messenger_set_trusted_certificates(sender, file("client.key")));
  IS(FERRION_INVALID_ARGUMENT, ferrion_messenger_set_client_certificates(receiver, 3));
  IS(FERRION_INVALID_ARGUMENT, ferrion_messenger_set_client_certificates(receiver, -1));
  IS(FERRION_NULL_POINTER, ferrion_messenger_set_certificate(sender, file("client.crt"), NULL));
  end_pair();
}

int main(int argc, char **argv) {
  CHECK(argc == 2);
  folder = argv[1];
  servers_are_checked();
  clients_are_checked();
  users_have_passwords();
  users_have_tokens();
  websockets_have_paths();
  mistakes();
  return 0;
}
