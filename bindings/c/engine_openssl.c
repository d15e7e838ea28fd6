/*
 * The engine behind OpenSSL, over a socket that only this program touches. OpenSSL works between two BIOs in memory: octets
 * from the socket go into one, what OpenSSL wants to send comes out of the other, and the engine sees what is inside.
 *
 *   cc engine_openssl.c -o engine_openssl $(pkg-config --cflags --libs ferrion openssl)
 *   ./engine_openssl serve PORT CERTIFICATE KEY       prints the port, then the texts that arrive on one connection
 *   ./engine_openssl send HOST PORT AUTHORITIES ADDRESS TEXT
 *
 * Files are in PEM. PORT 0 takes a free one of this machine. HOST is also the name that the server's certificate must be for.
 */
#include "drive.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <signal.h>

/* A connection: a socket, TLS on it, and the engine inside of that. */
struct secured {
  int fd;
  SSL *ssl;
  BIO *in, *out; /* from and to the socket; they belong to ssl */
  ferrion_engine_t *engine;
  bool over; /* nothing more will come */
};

static void tls_gives_up(const char *what) {
  fprintf(stderr, "%s\n", what);
  ERR_print_errors_fp(stderr);
  exit(1);
}

#define TLS_MUST(call) \
  do { \
    if ((call) != 1) tls_gives_up(#call); \
  } while (0)

/* The peer has ended, or was cut off, or is not to be talked to. */
static void end(struct secured *secured) {
  MUST(ferrion_engine_recv_eof(secured->engine, milliseconds()));
  secured->over = true;
}

static void secure(struct secured *secured, SSL_CTX *context, int fd, ferrion_engine_t *engine) {
  secured->fd = fd;
  secured->engine = engine;
  secured->over = false;
  secured->ssl = SSL_new(context);
  secured->in = BIO_new(BIO_s_mem());
  secured->out = BIO_new(BIO_s_mem());
  if (!secured->ssl || !secured->in || !secured->out) tls_gives_up("TLS cannot begin");
  SSL_set_bio(secured->ssl, secured->in, secured->out);
}

/* Writes to the socket what OpenSSL has encrypted. */
static void write_encrypted(struct secured *secured) {
  char *data;
  size_t len = (size_t)BIO_get_mem_data(secured->out, &data);
  while (len > 0) {
    ssize_t written = write(secured->fd, data, len);
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) {
      end(secured);
      break;
    }
    data += written;
    len -= (size_t)written;
  }
  (void)BIO_reset(secured->out);
}

/* Encrypts all that the engine has to say. During the handshake OpenSSL takes nothing, and the engine keeps it. */
static void pull(struct secured *secured) {
  ferrion_bytes_t output;
  while (SSL_is_init_finished(secured->ssl) &&
         ferrion_engine_transmit(secured->engine, milliseconds(), &output) == FERRION_OK && output.len > 0) {
    size_t taken;
    if (SSL_write_ex(secured->ssl, output.data, output.len, &taken) != 1) tls_gives_up("what was to be sent cannot be encrypted");
    MUST(ferrion_engine_advance(secured->engine, milliseconds(), taken));
  }
  write_encrypted(secured);
}

/* Decrypts what the socket had, straight into the engine's buffer. */
static void feed(struct secured *secured) {
  for (;;) {
    ferrion_room_t room;
    size_t got = 0;
    MUST(ferrion_engine_recv_buffer(secured->engine, 16384, &room));
    if (SSL_read_ex(secured->ssl, room.data, room.len, &got) == 1) {
      MUST(ferrion_engine_recv_filled(secured->engine, milliseconds(), got));
      continue;
    }
    switch (SSL_get_error(secured->ssl, 0)) {
      case SSL_ERROR_WANT_READ:
      case SSL_ERROR_WANT_WRITE: return;
      case SSL_ERROR_ZERO_RETURN: break;
      default:
        fprintf(stderr, "TLS failed: ");
        if (SSL_get_verify_result(secured->ssl) != X509_V_OK)
          fprintf(stderr, "%s\n", X509_verify_cert_error_string(SSL_get_verify_result(secured->ssl)));
        else
          fprintf(stderr, "%s\n", ERR_reason_error_string(ERR_peek_error()));
        ERR_clear_error();
        break;
    }
    end(secured);
    return;
  }
}

/* Writes, waits for the peer or the deadline, and reads. False: the connection is over. */
static bool work_secured(struct secured *secured) {
  struct pollfd readable = {secured->fd, POLLIN, 0};
  char encrypted[16384];
  ssize_t got = -1;
  bool done, was_blocked = is_blocked(secured->engine);
  pull(secured);
  MUST(ferrion_engine_is_done(secured->engine, &done));
  if (done || secured->over) {
    /* Says goodbye; without it, a peer cannot tell the end from a cut. */
    (void)SSL_shutdown(secured->ssl);
    write_encrypted(secured);
    return false;
  }
  /* What the peer had said before is heard only now: there may be events. */
  if (was_blocked && !is_blocked(secured->engine)) return true;
  if (poll(&readable, 1, until_deadline(secured->engine)) > 0) {
    got = read(secured->fd, encrypted, sizeof encrypted);
    if (got > 0) {
      if (BIO_write(secured->in, encrypted, (int)got) != (int)got) tls_gives_up("there is no memory for what arrived");
      feed(secured);
    } else if (got == 0 || errno != EINTR) {
      end(secured);
    }
  }
  MUST(ferrion_engine_handle_timeout(secured->engine, milliseconds()));
  return true;
}

static void tell_failure(ferrion_engine_t *engine) {
  ferrion_bytes_t text;
  if (ferrion_engine_failure(engine, NULL, &text) == FERRION_OK)
    fprintf(stderr, "%.*s\n", (int)text.len, (const char *)text.data);
}

static void print(ferrion_engine_t *engine, ferrion_message_t *message) {
  ferrion_bytes_t text;
  if (ferrion_engine_message(engine, message) != FERRION_OK || ferrion_message_body_bytes(message, &text) != FERRION_OK)
    printf("(no text)\n");
  else printf("%.*s\n", (int)text.len, (const char *)text.data);
  fflush(stdout);
}

/* ---- the server ---- */

static int accept_one(uint16_t port) {
  struct sockaddr_in here = {0};
  socklen_t size = sizeof here;
  int fd, listener = socket(AF_INET, SOCK_STREAM, 0);
  here.sin_family = AF_INET;
  here.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  here.sin_port = htons(port);
  if (bind(listener, (struct sockaddr *)&here, sizeof here) != 0 || listen(listener, 1) != 0) {
    perror("cannot listen");
    exit(1);
  }
  getsockname(listener, (struct sockaddr *)&here, &size);
  printf("listening on port %d\n", ntohs(here.sin_port));
  fflush(stdout);
  fd = accept(listener, NULL, NULL);
  close(listener);
  return fd;
}

static int serve(char **argv) {
  SSL_CTX *context = SSL_CTX_new(TLS_server_method());
  TLS_MUST(SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION));
  TLS_MUST(SSL_CTX_use_certificate_chain_file(context, argv[3]));
  TLS_MUST(SSL_CTX_use_PrivateKey_file(context, argv[4], SSL_FILETYPE_PEM));

  ferrion_config_t *config = ferrion_config_new();
  MUST(ferrion_config_set_text(config, FERRION_CONFIG_CONTAINER_ID, "engine_openssl"));
  MUST(ferrion_config_offer(config, "ANONYMOUS"));
  MUST(ferrion_config_offer_required(config, false));
  ferrion_engine_t *engine = ferrion_engine_new(FERRION_SERVER, config);
  MUST(ferrion_connection_open(engine));

  struct secured secured;
  secure(&secured, context, accept_one((uint16_t)atoi(argv[2])), engine);
  SSL_set_accept_state(secured.ssl);
  ferrion_message_t *message = ferrion_message_new();
  do {
    ferrion_event_t event;
    ferrion_incoming_t incoming;
    while (ferrion_engine_poll_event(engine, &event) == FERRION_OK) {
      switch (event.kind) {
        case FERRION_EVENT_SESSION_BEGUN: accept_session(engine, event.session); break;
        case FERRION_EVENT_LINK_ATTACHED:
          if (!is_incoming(engine, event.link)) break;
          if (event.is_sender) refuse_link(engine, event.link, "amqp:not-allowed", "there is nothing to be had here");
          else accept_sender(engine, event.link);
          break;
        case FERRION_EVENT_DELIVERIES:
          while (ferrion_receiver_next_delivery(engine, event.link, &incoming) == FERRION_OK) {
            print(engine, message);
            /* The sender may have settled it by now. */
            if (incoming.delivery) (void)ferrion_receiver_accept(engine, event.link, incoming.delivery);
          }
          break;
        case FERRION_EVENT_LINK_DETACHED: (void)ferrion_link_close(engine, event.link, NULL, NULL, NULL); break;
        case FERRION_EVENT_DISCONNECTED: tell_failure(engine); break;
        default: break;
      }
    }
  } while (work_secured(&secured));

  bool failed = ferrion_engine_failure(engine, NULL, NULL) == FERRION_OK;
  ferrion_message_free(message);
  ferrion_engine_free(engine);
  ferrion_config_free(config);
  SSL_free(secured.ssl);
  SSL_CTX_free(context);
  close(secured.fd);
  return failed;
}

/* ---- the client ---- */

static int connect_to(const char *host, const char *port) {
  struct addrinfo hints = {0}, *found, *one;
  int fd = -1;
  hints.ai_socktype = SOCK_STREAM;
  if (getaddrinfo(host, port, &hints, &found) != 0) return -1;
  for (one = found; one && fd < 0; one = one->ai_next) {
    fd = socket(one->ai_family, one->ai_socktype, one->ai_protocol);
    if (fd >= 0 && connect(fd, one->ai_addr, one->ai_addrlen) != 0) {
      close(fd);
      fd = -1;
    }
  }
  freeaddrinfo(found);
  return fd;
}

/* Whom to trust, and for which name: a certificate that is not checked protects from nobody. */
static void expect(SSL *ssl, const char *host) {
  struct in6_addr address;
  SSL_set_verify(ssl, SSL_VERIFY_PEER, NULL);
  if (inet_pton(AF_INET, host, &address) == 1 || inet_pton(AF_INET6, host, &address) == 1) {
    TLS_MUST(X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), host));
  } else {
    TLS_MUST(SSL_set1_host(ssl, host));
    TLS_MUST(SSL_set_tlsext_host_name(ssl, host));
  }
}

static int send_one(char **argv) {
  SSL_CTX *context = SSL_CTX_new(TLS_client_method());
  TLS_MUST(SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION));
  TLS_MUST(SSL_CTX_load_verify_locations(context, argv[4], NULL));
  int fd = connect_to(argv[2], argv[3]);
  if (fd < 0) {
    fprintf(stderr, "cannot connect to %s port %s\n", argv[2], argv[3]);
    return 1;
  }

  ferrion_config_t *config = ferrion_config_new();
  MUST(ferrion_config_set_text(config, FERRION_CONFIG_CONTAINER_ID, "engine_openssl"));
  MUST(ferrion_config_set_text(config, FERRION_CONFIG_HOSTNAME, argv[2]));
  MUST(ferrion_config_login_anonymous(config));
  ferrion_engine_t *engine = ferrion_engine_new(FERRION_CLIENT, config);
  ferrion_link_config_t *link_config = ferrion_link_config_new();
  ferrion_message_t *message = ferrion_message_new();
  ferrion_session_t session;
  ferrion_link_t link;
  MUST(ferrion_connection_open(engine));
  MUST(ferrion_connection_begin(engine, NULL, &session));
  MUST(ferrion_link_config_sender(link_config, "engine_openssl", argv[5]));
  MUST(ferrion_session_attach_sender(engine, session, link_config, &link));
  MUST(ferrion_message_set_body_text(message, argv[6]));

  struct secured secured;
  bool sent = false, accepted = false;
  secure(&secured, context, fd, engine);
  expect(secured.ssl, argv[2]);
  SSL_set_connect_state(secured.ssl);
  (void)SSL_do_handshake(secured.ssl); /* the client speaks first */
  do {
    ferrion_event_t event;
    ferrion_update_t update;
    while (ferrion_engine_poll_event(engine, &event) == FERRION_OK) {
      if (event.kind == FERRION_EVENT_UPDATES) {
        while (ferrion_link_next_update(engine, link, &update) == FERRION_OK) {
          accepted = update.state == FERRION_STATE_ACCEPTED;
          if (!update.settled) MUST(ferrion_sender_settle(engine, link, update.delivery));
          (void)ferrion_connection_close(engine, NULL, NULL, NULL);
        }
      } else if (event.kind == FERRION_EVENT_LINK_DETACHED) {
        (void)ferrion_connection_close(engine, NULL, NULL, NULL);
      } else if (event.kind == FERRION_EVENT_DISCONNECTED) {
        tell_failure(engine);
      }
    }
    if (!sent) {
      const uint8_t tag[] = {1};
      sent = ferrion_sender_send_message(engine, link, tag, sizeof tag, message, NULL, NULL) == FERRION_OK;
    }
  } while (work_secured(&secured));
  printf("%s: %s, by %s\n", argv[6], accepted ? "accepted" : "not accepted", SSL_get_version(secured.ssl));

  ferrion_message_free(message);
  ferrion_link_config_free(link_config);
  ferrion_engine_free(engine);
  ferrion_config_free(config);
  SSL_free(secured.ssl);
  SSL_CTX_free(context);
  close(fd);
  return !accepted;
}

int main(int argc, char **argv) {
  /* A write to a socket that the peer has closed is an error code, not the end of the program. */
  signal(SIGPIPE, SIG_IGN);
  if (argc == 5 && strcmp(argv[1], "serve") == 0) return serve(argv);
  if (argc == 7 && strcmp(argv[1], "send") == 0) return send_one(argv);
  fprintf(stderr, "usage: %s serve PORT CERTIFICATE KEY | send HOST PORT AUTHORITIES ADDRESS TEXT\n", argv[0]);
  return 2;
}
