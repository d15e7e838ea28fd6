/* Messenger to Messenger, one process each: the receiver listens and accepts, the sender counts a message only
 * when its tracker says ACCEPTED. */
#include "work.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <proton/codec.h>
#include <proton/error.h>
#include <proton/message.h>
#include <proton/messenger.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define TIMEOUT_MS 60000

static void check(pn_messenger_t *messenger, const char *what) {
  if (pn_messenger_errno(messenger)) {
    fprintf(stderr, "proton-bench: %s: %s\n", what, pn_error_text(pn_messenger_error(messenger)));
    exit(1);
  }
}

static pn_messenger_t *messenger_new(const char *name) {
  pn_messenger_t *messenger = pn_messenger(name);
  pn_messenger_set_timeout(messenger, TIMEOUT_MS);
  return messenger;
}

/* The port of this process's one listening socket: the Messenger chose it (port 0) and does not tell. */
static uint16_t listening_port(void) {
  for (int fd = 3; fd < 256; fd++) {
    int listening = 0;
    socklen_t size = sizeof listening;
    if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &size) || !listening) continue;
    struct sockaddr_in address;
    size = sizeof address;
    if (!getsockname(fd, (struct sockaddr *)&address, &size)) return ntohs(address.sin_port);
  }
  return 0;
}

int run_messenger_recv(const options_t *options) {
  ring_t ring = ring_new(options->body);
  pn_messenger_t *messenger = messenger_new("bench-receiver");
  pn_messenger_set_incoming_window(messenger, (int)options->window);
  pn_messenger_start(messenger);
  pn_messenger_subscribe(messenger, "amqp://~127.0.0.1:0");
  check(messenger, "subscribe");
  printf("{\"port\":%u}\n", listening_port());
  fflush(stdout);

  pn_message_t *message = pn_message();
  uint64_t total = options->warmup + options->count;
  uint64_t received = 0;
  uint64_t sum = 0;
  uint64_t start = 0;
  while (received < total) {
    pn_messenger_recv(messenger, -1);
    check(messenger, "recv");
    while (pn_messenger_incoming(messenger) > 0) {
      if (received == options->warmup) start = now_ns();
      pn_messenger_get(messenger, message);
      pn_data_t *body = pn_message_body(message);
      pn_data_rewind(body);
      pn_data_next(body);
      pn_bytes_t bytes = pn_data_get_binary(body);
      const uint8_t *at = (const uint8_t *)bytes.start;
      size_t overhead = ring.overhead;
      if (received < options->warmup) {
        require(bytes.size == options->body && !memcmp(at, ring_payload(&ring, received) + overhead, bytes.size),
                "a message arrives unchanged");
      } else {
        require(bytes.size == options->body, "a message arrives whole");
        sum = fold_payload(sum, at, bytes.size, 0);
      }
      received++;
    }
    pn_messenger_accept(messenger, pn_messenger_incoming_tracker(messenger), PN_CUMULATIVE);
    check(messenger, "accept");
  }
  uint64_t nanos = now_ns() - start;
  pn_messenger_stop(messenger); /* sends the last acceptances before the connection closes */
  report(options->count, nanos, options->body, sum);
  pn_message_free(message);
  pn_messenger_free(messenger);
  return 0;
}

int run_messenger_send(const options_t *options) {
  ring_t ring = ring_new(options->body);
  pn_messenger_t *messenger = messenger_new("bench-sender");
  pn_messenger_set_outgoing_window(messenger, (int)options->window);
  pn_messenger_start(messenger);

  char address[64];
  snprintf(address, sizeof address, "amqp://127.0.0.1:%u/queue", options->port);
  pn_message_t *message = pn_message();
  pn_message_set_address(message, address);
  pn_message_set_inferred(message, true);
  pn_data_t *body = pn_message_body(message);
  pn_tracker_t *trackers = malloc(options->window * sizeof *trackers);

  uint64_t total = options->warmup + options->count;
  uint64_t confirmed = 0;
  uint64_t sent = 0;
  uint64_t start = now_ns();
  while (confirmed < total) {
    if (confirmed == options->warmup) start = now_ns();
    uint64_t end = confirmed < options->warmup ? options->warmup : total;
    for (uint32_t i = 0; i < options->batch && sent < end && sent - confirmed < options->window; i++, sent++) {
      pn_data_clear(body);
      pn_data_put_binary(body, pn_bytes(options->body, (const char *)ring_payload(&ring, sent) + ring.overhead));
      pn_messenger_put(messenger, message);
      trackers[sent % options->window] = pn_messenger_outgoing_tracker(messenger);
    }
    check(messenger, "put");
    /* Waits for a part only, so that the next batch is prepared while the last is under way. */
    bool wait = sent == end || sent - confirmed == options->window;
    pn_messenger_send(messenger, wait ? -1 : (int)options->advance);
    check(messenger, "send");
    while (confirmed < sent) {
      pn_status_t status = pn_messenger_status(messenger, trackers[confirmed % options->window]);
      if (status == PN_STATUS_PENDING) break;
      require(status == PN_STATUS_ACCEPTED, "every message is accepted");
      confirmed++;
    }
    require(!wait || confirmed == sent, "a full send confirms every message");
  }
  uint64_t nanos = now_ns() - start;
  report(options->count, nanos, options->body, 0);
  pn_messenger_stop(messenger);
  pn_message_free(message);
  pn_messenger_free(messenger);
  return 0;
}
