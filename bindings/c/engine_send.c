/*
 * Sends lines of text through the engine, over a socket of this program's own, and tells what became of each.
 *
 *   cc engine_send.c -o engine_send $(pkg-config --cflags --libs ferrion)
 *   ./engine_send HOST PORT ADDRESS TEXT...
 *
 * The Messenger (send.c) does all this in a few calls. The engine is for programs that have sockets, threads or an event
 * loop already.
 */
#include "drive.h"

#include <netdb.h>
#include <sys/socket.h>

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

static const char *outcome(ferrion_state state) {
  switch (state) {
    case FERRION_STATE_ACCEPTED: return "accepted";
    case FERRION_STATE_REJECTED: return "rejected";
    case FERRION_STATE_RELEASED: return "released";
    case FERRION_STATE_MODIFIED: return "modified";
    default: return "unknown";
  }
}

int main(int argc, char **argv) {
  if (argc < 5) {
    fprintf(stderr, "usage: %s HOST PORT ADDRESS TEXT...\n", argv[0]);
    return 2;
  }
  int fd = connect_to(argv[1], argv[2]);
  if (fd < 0) {
    fprintf(stderr, "cannot connect to %s port %s\n", argv[1], argv[2]);
    return 1;
  }

  /* Commands come first: nothing is written before `work` asks for it. */
  ferrion_config_t *config = ferrion_config_new();
  MUST(ferrion_config_set_text(config, FERRION_CONFIG_CONTAINER_ID, "engine_send"));
  MUST(ferrion_config_set_text(config, FERRION_CONFIG_HOSTNAME, argv[1]));
  MUST(ferrion_config_login_anonymous(config));
  ferrion_engine_t *engine = ferrion_engine_new(FERRION_CLIENT, config);
  ferrion_link_config_t *link_config = ferrion_link_config_new();
  ferrion_session_t session;
  ferrion_link_t link;
  MUST(ferrion_connection_open(engine));
  MUST(ferrion_connection_begin(engine, NULL, &session));
  MUST(ferrion_link_config_sender(link_config, "engine_send", argv[3]));
  MUST(ferrion_session_attach_sender(engine, session, link_config, &link));

  ferrion_message_t *message = ferrion_message_new();
  int first = 4, next = first, settled = first, failed = 0;
  do {
    ferrion_event_t event;
    while (ferrion_engine_poll_event(engine, &event) == FERRION_OK) {
      ferrion_bytes_t condition, text;
      ferrion_update_t update;
      ferrion_failure kind;
      switch (event.kind) {
        case FERRION_EVENT_UPDATES:
          while (ferrion_link_next_update(engine, link, &update) == FERRION_OK) {
            int which;
            memcpy(&which, update.tag.data, sizeof which);
            printf("%s: %s\n", argv[which], outcome(update.state));
            if (update.state != FERRION_STATE_ACCEPTED) failed = 1;
            if (!update.settled) MUST(ferrion_sender_settle(engine, link, update.delivery));
            settled++;
          }
          /* The peer may have closed it first. */
          if (settled == argc) (void)ferrion_connection_close(engine, NULL, NULL, NULL);
          break;
        case FERRION_EVENT_LINK_DETACHED:
          if (ferrion_link_error(engine, link, NULL, &condition, &text, NULL) == FERRION_OK)
            fprintf(stderr, "%.*s: %.*s\n", (int)condition.len, condition.data, (int)text.len, text.data);
          failed = 1;
          (void)ferrion_connection_close(engine, NULL, NULL, NULL);
          break;
        case FERRION_EVENT_DISCONNECTED:
          if (ferrion_engine_failure(engine, &kind, &text) == FERRION_OK) {
            fprintf(stderr, "%.*s\n", (int)text.len, text.data);
            failed = 1;
          }
          break;
        default: break;
      }
    }
    /* As much as there is credit for. */
    while (next < argc) {
      MUST(ferrion_message_set_body_text(message, argv[next]));
      ferrion_status status =
          ferrion_sender_send_message(engine, link, (const uint8_t *)&next, sizeof next, message, NULL, NULL);
      if (status != FERRION_OK) break;
      next++;
    }
  } while (work(engine, fd));

  close(fd);
  ferrion_message_free(message);
  ferrion_link_config_free(link_config);
  ferrion_engine_free(engine);
  ferrion_config_free(config);
  return failed || settled != argc;
}
