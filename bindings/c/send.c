/*
 * Sends a message for each text, reliably, and tells what became of each.
 *
 *   cc send.c -o send $(pkg-config --cflags --libs ferrion)
 *   ./send 127.0.0.1/greetings "Hello World!" "And hello again!"
 */
#include <ferrion.h>
#include <stdio.h>
#include <stdlib.h>

/* Ends the program, with the reason, if a call failed. */
static void check(ferrion_status status, const char *what) {
  if (status == FERRION_OK) return;
  fprintf(stderr, "send: %s: %s (%s)\n", what, ferrion_last_error(), ferrion_status_name(status));
  exit(1);
}

static const char *outcome(ferrion_delivery_status status) {
  switch (status) {
    case FERRION_DELIVERY_ACCEPTED: return "accepted";
    case FERRION_DELIVERY_REJECTED: return "rejected";
    case FERRION_DELIVERY_RELEASED: return "released";
    case FERRION_DELIVERY_MODIFIED: return "modified";
    case FERRION_DELIVERY_ABORTED: return "aborted";
    case FERRION_DELIVERY_SETTLED: return "settled";
    case FERRION_DELIVERY_PENDING: return "pending";
    default: return "unknown";
  }
}

int main(int argc, char **argv) {
  if (argc < 3) {
    fprintf(stderr, "usage: %s ADDRESS TEXT...\n", argv[0]);
    return 2;
  }
  int texts = argc - 2;
  ferrion_messenger_t *messenger = ferrion_messenger_new(NULL);
  ferrion_message_t *message = ferrion_message_new();
  ferrion_tracker_t *trackers = calloc((size_t)texts, sizeof *trackers);
  if (!messenger || !message || !trackers) {
    fprintf(stderr, "send: %s\n", ferrion_last_error());
    return 1;
  }

  /* The window makes the sending reliable: so many messages can be asked after by their trackers. */
  check(ferrion_messenger_set_outgoing_window(messenger, (size_t)texts), "set the window");
  check(ferrion_messenger_set_timeout(messenger, 10000), "set the timeout");

  check(ferrion_message_set_address(message, argv[1]), "set the address");
  for (int i = 0; i < texts; i++) {
    check(ferrion_message_set_body_text(message, argv[i + 2]), "set the body");
    check(ferrion_messenger_put(messenger, message, &trackers[i]), "put");
  }
  check(ferrion_messenger_send(messenger, -1), "send");

  int accepted = 0;
  for (int i = 0; i < texts; i++) {
    ferrion_delivery_status status;
    check(ferrion_messenger_status(messenger, trackers[i], &status), "ask for the status");
    printf("%s: %s\n", argv[i + 2], outcome(status));
    accepted += status == FERRION_DELIVERY_ACCEPTED;
  }

  check(ferrion_messenger_stop(messenger), "stop");
  free(trackers);
  ferrion_message_free(message);
  ferrion_messenger_free(messenger);
  return accepted == texts ? 0 : 1;
}
