/*
 * Listens on a port of this machine, takes one connection, and prints the texts that arrive, through the engine.
 *
 *   cc engine_recv.c -o engine_recv $(pkg-config --cflags --libs ferrion)
 *   ./engine_recv PORT COUNT
 *
 * Port 0 takes a free one. After COUNT messages the connection is closed.
 */
#include "drive.h"

#include <arpa/inet.h>
#include <sys/socket.h>

static int listen_on(uint16_t port) {
  struct sockaddr_in here = {0};
  socklen_t size = sizeof here;
  int yes = 1, fd = socket(AF_INET, SOCK_STREAM, 0);
  here.sin_family = AF_INET;
  here.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  here.sin_port = htons(port);
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  if (bind(fd, (struct sockaddr *)&here, sizeof here) != 0 || listen(fd, 8) != 0) {
    perror("cannot listen");
    exit(1);
  }
  getsockname(fd, (struct sockaddr *)&here, &size);
  printf("listening on port %d\n", ntohs(here.sin_port));
  fflush(stdout);
  return fd;
}

/* Prints the text of the delivery that was taken last. */
static void print(ferrion_engine_t *engine, ferrion_message_t *message, ferrion_value_t *body) {
  ferrion_body kind;
  ferrion_bytes_t text;
  if (ferrion_engine_message(engine, message) != FERRION_OK || ferrion_message_body(message, &kind, body) != FERRION_OK ||
      ferrion_value_next(body) != FERRION_OK || ferrion_value_get_bytes(body, &text) != FERRION_OK) {
    printf("(no text)\n");
    return;
  }
  printf("%.*s\n", (int)text.len, (const char *)text.data);
  fflush(stdout);
}

int main(int argc, char **argv) {
  if (argc != 3) {
    fprintf(stderr, "usage: %s PORT COUNT\n", argv[0]);
    return 2;
  }
  int listener = listen_on((uint16_t)atoi(argv[1]));
  int left = atoi(argv[2]);
  int fd = accept(listener, NULL, NULL);

  ferrion_config_t *config = ferrion_config_new();
  MUST(ferrion_config_set_text(config, FERRION_CONFIG_CONTAINER_ID, "engine_recv"));
  MUST(ferrion_config_offer(config, "ANONYMOUS"));
  MUST(ferrion_config_offer_required(config, false));
  ferrion_engine_t *engine = ferrion_engine_new(FERRION_SERVER, config);
  MUST(ferrion_connection_open(engine));

  ferrion_message_t *message = ferrion_message_new();
  ferrion_value_t *body = ferrion_value_new();
  do {
    ferrion_event_t event;
    while (ferrion_engine_poll_event(engine, &event) == FERRION_OK) {
      ferrion_incoming_t incoming;
      ferrion_bytes_t text;
      switch (event.kind) {
        case FERRION_EVENT_SESSION_BEGUN: accept_session(engine, event.session); break;
        case FERRION_EVENT_LINK_ATTACHED:
          if (!is_incoming(engine, event.link)) break;
          if (event.is_sender) refuse_link(engine, event.link, "amqp:not-allowed", "there is nothing to be had here");
          else accept_sender(engine, event.link);
          break;
        case FERRION_EVENT_DELIVERIES:
          while (left > 0 && ferrion_receiver_next_delivery(engine, event.link, &incoming) == FERRION_OK) {
            print(engine, message, body);
            /* The sender may have settled it by now. */
            if (incoming.delivery) (void)ferrion_receiver_accept(engine, event.link, incoming.delivery);
            left--;
          }
          if (left == 0) (void)ferrion_connection_close(engine, NULL, NULL, NULL);
          break;
        case FERRION_EVENT_LINK_DETACHED: (void)ferrion_link_close(engine, event.link, NULL, NULL, NULL); break;
        case FERRION_EVENT_DISCONNECTED:
          if (ferrion_engine_failure(engine, NULL, &text) == FERRION_OK)
            fprintf(stderr, "%.*s\n", (int)text.len, (const char *)text.data);
          break;
        default: break;
      }
    }
  } while (work(engine, fd));

  close(fd);
  close(listener);
  ferrion_value_free(body);
  ferrion_message_free(message);
  ferrion_engine_free(engine);
  ferrion_config_free(config);
  return left != 0;
}
