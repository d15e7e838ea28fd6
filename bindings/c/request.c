/*
 * Asks a question with each text, all at once, and prints the replies as they come. serve.c answers.
 *
 *   cc request.c -o request $(pkg-config --cflags --libs ferrion)
 *   ./request 127.0.0.1:5680/capitals "hello" "world"
 *
 * Who has one question at a time calls ferrion_messenger_request, which does all of this.
 */
#include <ferrion.h>
#include <stdio.h>
#include <stdlib.h>

/* Ends the program, with the reason, if a call failed. */
static void check(ferrion_status status, const char *what) {
  if (status == FERRION_OK) return;
  fprintf(stderr, "request: %s: %s (%s)\n", what, ferrion_last_error(), ferrion_status_name(status));
  exit(1);
}

int main(int argc, char **argv) {
  if (argc < 3) {
    fprintf(stderr, "usage: %s ADDRESS TEXT...\n", argv[0]);
    return 2;
  }
  int texts = argc - 2;
  ferrion_messenger_t *messenger = ferrion_messenger_new(NULL);
  ferrion_message_t *message = ferrion_message_new();
  ferrion_request_t *requests = calloc((size_t)texts, sizeof *requests);
  if (!messenger || !message || !requests) {
    fprintf(stderr, "request: %s\n", ferrion_last_error());
    return 1;
  }

  /* The time that each reply has. */
  check(ferrion_messenger_set_timeout(messenger, 10000), "set the timeout");
  check(ferrion_message_set_address(message, argv[1]), "set the address");
  for (int i = 0; i < texts; i++) {
    check(ferrion_message_set_body_text(message, argv[i + 2]), "set the body");
    check(ferrion_messenger_send_request(messenger, message, &requests[i]), "send the request");
  }

  int failed = 0;
  int left = texts;
  while (left > 0) {
    check(ferrion_messenger_work(messenger, -1, NULL), "work");
    for (int i = 0; i < texts; i++) {
      bool replied;
      if (requests[i] == 0) continue;
      if (ferrion_messenger_poll_reply(messenger, requests[i], message, &replied) != FERRION_OK) {
        fprintf(stderr, "%s: %s\n", argv[i + 2], ferrion_last_error());
        requests[i] = 0;
        left--;
        failed++;
      } else if (replied) {
        ferrion_bytes_t text;
        check(ferrion_message_body_bytes(message, &text), "read the reply");
        printf("%s: %.*s\n", argv[i + 2], (int)text.len, (const char *)text.data);
        requests[i] = 0;
        left--;
      }
    }
  }

  check(ferrion_messenger_stop(messenger), "stop");
  free(requests);
  ferrion_message_free(message);
  ferrion_messenger_free(messenger);
  return failed ? 1 : 0;
}
