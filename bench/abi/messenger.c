/* Two Messengers in one thread, in turn, as in bench/src/messenger.rs: put, get, accepted, and the tracker seen to say so. */
#include "abi.h"

#include <stdio.h>
#include <stdlib.h>

int run_messenger_pair(const options_t *options) {
  ring_t ring = ring_new(options->body);
  ferrion_messenger_t *receiver = ferrion_messenger_new("bench-receiver"), *sender = ferrion_messenger_new("bench-sender");
  ferrion_message_t *message = ferrion_message_new(), *taken = ferrion_message_new();
  ferrion_tracker_t *trackers = malloc(options->batch * sizeof *trackers), last;
  ferrion_subscription_t subscription;
  ferrion_delivery_status status;
  uint64_t total = options->warmup + options->count, sent = 0, check = 0;
  uint16_t port;
  char address[64];
  require(receiver && sender && message && taken && trackers, "messengers and messages");
  MUST(ferrion_messenger_set_passive(receiver, true));
  MUST(ferrion_messenger_set_incoming_window(receiver, options->window));
  MUST(ferrion_messenger_subscribe(receiver, "amqp://~127.0.0.1:0", &subscription));
  MUST(ferrion_messenger_set_passive(sender, true));
  MUST(ferrion_messenger_set_outgoing_window(sender, options->window));
  do MUST(ferrion_messenger_work(receiver, 0, NULL));
  while (ferrion_messenger_subscription_port(receiver, subscription, &port) != FERRION_OK);
  snprintf(address, sizeof address, "amqp://127.0.0.1:%u/queue", (unsigned)port);
  MUST(ferrion_message_set_address(message, address));

  uint64_t start = now_ns();
  while (sent < total) {
    size_t n = 0, done = 0;
    for (; n < options->batch && sent < total; n++, sent++) {
      const uint8_t *body = ring_payload(&ring, sent) + ring.overhead;
      MUST(ferrion_message_set_body_data(message, body, options->body));
      MUST(ferrion_messenger_put(sender, message, &trackers[n]));
    }
    for (;;) {
      while (done < n) {
        MUST(ferrion_messenger_status(sender, trackers[done], &status));
        if (status == FERRION_DELIVERY_PENDING) break;
        require(status == FERRION_DELIVERY_ACCEPTED, "a message is accepted");
        done++;
      }
      if (done == n) break;
      MUST(ferrion_messenger_work(sender, 0, NULL));
      MUST(ferrion_messenger_work(receiver, 0, NULL));
      ferrion_status coming = ferrion_messenger_recv(receiver, FERRION_CREDIT_ALL);
      require(coming == FERRION_OK || coming == FERRION_WOULD_BLOCK, "messages may come");
      while (ferrion_messenger_get(receiver, taken, NULL) == FERRION_OK) {
        ferrion_bytes_t body;
        MUST(ferrion_message_body_bytes(taken, &body));
        check = fold_payload(check, body.data, body.len, 0);
      }
      if (ferrion_messenger_incoming_tracker(receiver, &last) == FERRION_OK)
        MUST(ferrion_messenger_accept(receiver, last, FERRION_CUMULATIVE));
    }
  }
  report(total, now_ns() - start, options->body, check);
  ferrion_message_free(message);
  ferrion_message_free(taken);
  ferrion_messenger_free(sender);
  ferrion_messenger_free(receiver);
  free(trackers);
  return 0;
}
