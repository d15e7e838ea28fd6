/*
 * Answers requests: sends each text back in capitals. request.c asks.
 *
 *   cc serve.c -o serve $(pkg-config --cflags --libs ferrion)
 *   ./serve '~127.0.0.1:5680' 2
 *
 * With port 0, as in '~127.0.0.1:0', a free port is taken and printed first.
 */
#include <ctype.h>
#include <ferrion.h>
#include <stdio.h>
#include <stdlib.h>

/* Ends the program, with the reason, if a call failed. */
static void check(ferrion_status status, const char *what) {
  if (status == FERRION_OK) return;
  fprintf(stderr, "serve: %s: %s (%s)\n", what, ferrion_last_error(), ferrion_status_name(status));
  exit(1);
}

/* Makes the reply's body of the request's. */
static ferrion_status answer(ferrion_message_t *request, ferrion_message_t *reply) {
  ferrion_bytes_t text;
  char capitals[1024];
  ferrion_status status = ferrion_message_body_bytes(request, &text);
  if (status != FERRION_OK) return status;
  size_t len = text.len < sizeof capitals - 1 ? text.len : sizeof capitals - 1;
  for (size_t i = 0; i < len; i++) capitals[i] = (char)toupper(text.data[i]);
  capitals[len] = '\0';
  return ferrion_message_set_body_text(reply, capitals);
}

int main(int argc, char **argv) {
  if (argc != 3 || atoi(argv[2]) < 1) {
    fprintf(stderr, "usage: %s ADDRESS COUNT\n", argv[0]);
    return 2;
  }
  int count = atoi(argv[2]);
  ferrion_messenger_t *messenger = ferrion_messenger_new(NULL);
  ferrion_message_t *request = ferrion_message_new();
  ferrion_message_t *reply = ferrion_message_new();
  if (!messenger || !request || !reply) {
    fprintf(stderr, "serve: %s\n", ferrion_last_error());
    return 1;
  }

  /* With a window, a request is accepted when it is answered, not when it is taken. */
  check(ferrion_messenger_set_incoming_window(messenger, 100), "set the window");
  ferrion_subscription_t subscription;
  check(ferrion_messenger_subscribe(messenger, argv[1], &subscription), "subscribe");
  uint16_t port;
  if (ferrion_messenger_subscription_port(messenger, subscription, &port) == FERRION_OK) {
    printf("listening on port %u\n", (unsigned)port);
    fflush(stdout);
  }

  while (count > 0) {
    check(ferrion_messenger_recv(messenger, FERRION_CREDIT_ALL), "recv");
    ferrion_tracker_t tracker;
    while (count > 0 && ferrion_messenger_get(messenger, request, &tracker) == FERRION_OK) {
      /* Whoever asks must say where the reply goes, and ask something that we understand. */
      if (ferrion_messenger_reply_to(messenger, tracker, request, reply) != FERRION_OK ||
          answer(request, reply) != FERRION_OK) {
        check(ferrion_messenger_reject(messenger, tracker, FERRION_SINGLE, "amqp:not-implemented", ferrion_last_error(),
                                       NULL),
              "reject");
        continue;
      }
      check(ferrion_messenger_put(messenger, reply, NULL), "put");
      check(ferrion_messenger_accept(messenger, tracker, FERRION_SINGLE), "accept");
      count--;
    }
  }

  check(ferrion_messenger_stop(messenger), "stop");
  ferrion_message_free(reply);
  ferrion_message_free(request);
  ferrion_messenger_free(messenger);
  return 0;
}
