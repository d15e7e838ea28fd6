/*
 * Receives messages, prints their texts, and accepts each when it is printed.
 *
 *   cc recv.c -o recv $(pkg-config --cflags --libs ferrion)
 *   ./recv '~127.0.0.1' 2
 *
 * With port 0, as in '~127.0.0.1:0', a free port is taken and printed first. From an address without ~, as in broker.example/queue,
 * it receives what is there; if the connection is lost, it is made again.
 */
#include <ferrion.h>
#include <stdio.h>
#include <stdlib.h>

/* Ends the program, with the reason, if a call failed. */
static void check(ferrion_status status, const char *what) {
  if (status == FERRION_OK) return;
  fprintf(stderr, "recv: %s: %s (%s)\n", what, ferrion_last_error(), ferrion_status_name(status));
  exit(1);
}

int main(int argc, char **argv) {
  if (argc != 3 || atoi(argv[2]) < 1) {
    fprintf(stderr, "usage: %s ADDRESS COUNT\n", argv[0]);
    return 2;
  }
  int count = atoi(argv[2]);
  ferrion_messenger_t *messenger = ferrion_messenger_new(NULL);
  ferrion_message_t *message = ferrion_message_new();
  if (!messenger || !message) {
    fprintf(stderr, "recv: %s\n", ferrion_last_error());
    return 1;
  }

  /* With a window, a message is accepted when we say so, not when it is taken. */
  check(ferrion_messenger_set_incoming_window(messenger, 1), "set the window");

  ferrion_subscription_t subscription;
  check(ferrion_messenger_subscribe(messenger, argv[1], &subscription), "subscribe");
  uint16_t port;
  if (ferrion_messenger_subscription_port(messenger, subscription, &port) == FERRION_OK) {
    printf("listening on port %u\n", (unsigned)port);
    fflush(stdout);
  }

  while (count > 0) {
    check(ferrion_messenger_recv(messenger, count), "recv");
    ferrion_tracker_t tracker;
    while (count > 0 && ferrion_messenger_get(messenger, message, &tracker) == FERRION_OK) {
      ferrion_bytes_t text;
      if (ferrion_message_body_bytes(message, &text) == FERRION_OK) {
        printf("%.*s\n", (int)text.len, (const char *)text.data);
        check(ferrion_messenger_accept(messenger, tracker, FERRION_SINGLE), "accept");
      } else {
        check(ferrion_messenger_reject(messenger, tracker, FERRION_SINGLE, "amqp:not-implemented", ferrion_last_error(),
                                       NULL),
              "reject");
      }
      fflush(stdout);
      count--;
    }
  }

  check(ferrion_messenger_stop(messenger), "stop");
  ferrion_message_free(message);
  ferrion_messenger_free(messenger);
  return 0;
}
