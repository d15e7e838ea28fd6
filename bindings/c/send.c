/*
 * Sends a message for each text, reliably, and tells what became of each. It waits for a receiver that is not there yet, and for
 * one that went away: connections are made again, and what was not answered is sent again.
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

/* What happened to connections, for whoever looks after them. */
static void tell_of_connections(ferrion_messenger_t *messenger) {
  ferrion_connection_events_t *events = ferrion_connection_events_new();
  while (ferrion_messenger_poll_connection_events(messenger, events, 100) == FERRION_OK) {
    while (ferrion_connection_events_next(events) == FERRION_OK) {
      ferrion_bytes_t reason;
      if (ferrion_connection_events_reason(events, &reason) == FERRION_OK) {
        fprintf(stderr, "send: %.*s\n", (int)reason.len, (const char *)reason.data);
      }
    }
  }
  ferrion_connection_events_free(events);
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
  check(ferrion_messenger_set_timeout(messenger, 30000), "set the timeout");

  /* Connections that are lost are made again in any case; here also one that cannot be made at first. */
  ferrion_reconnect_t *reconnect = ferrion_reconnect_new();
  check(ferrion_reconnect_set_initial(reconnect, true), "set the policy");
  check(ferrion_reconnect_set_max_delay(reconnect, 1000), "set the policy");
  check(ferrion_messenger_set_reconnect(messenger, reconnect), "set the policy");
  ferrion_reconnect_free(reconnect);

  check(ferrion_message_set_address(message, argv[1]), "set the address");
  for (int i = 0; i < texts; i++) {
    check(ferrion_message_set_body_text(message, argv[i + 2]), "set the body");
    check(ferrion_messenger_put(messenger, message, &trackers[i]), "put");
  }
  check(ferrion_messenger_send(messenger, -1), "send");
  tell_of_connections(messenger);

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
