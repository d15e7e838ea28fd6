/* A sender, and a receiver that listens on a free port of this machine; one thread works for both. */
#ifndef PAIR_H
#define PAIR_H

#include "check.h"

static ferrion_messenger_t *sender;
static ferrion_messenger_t *receiver;
static ferrion_message_t *message;
static uint16_t port;
static char address[64];

static inline size_t incoming(void) {
  size_t n;
  OK(ferrion_messenger_incoming(receiver, &n));
  return n;
}

static inline size_t outgoing(void) {
  size_t n;
  OK(ferrion_messenger_outgoing(sender, &n));
  return n;
}

static inline ferrion_delivery_status status(ferrion_messenger_t *messenger, ferrion_tracker_t tracker) {
  ferrion_delivery_status status;
  OK(ferrion_messenger_status(messenger, tracker, &status));
  return status;
}

/* Lets both work once, briefly. What connections suffer meanwhile is told elsewhere. */
static inline void work(void) {
  OK(ferrion_messenger_work(sender, 1, NULL));
  OK(ferrion_messenger_work(receiver, 1, NULL));
}

/* Lets both work in turn until the condition holds. */
#define UNTIL(condition) \
  do { \
    int turns_ = 0; \
    while (!(condition)) { \
      CHECK(turns_++ < 10000 && #condition); \
      work(); \
    } \
  } while (0)

/* Listens on a port, 0 for a free one, with a scheme such as "amqps://" or none. */
static inline void listen_on(const char *scheme, unsigned wanted) {
  char text[64];
  ferrion_subscription_t subscription;
  snprintf(text, sizeof text, "%s~127.0.0.1:%u", scheme, wanted);
  OK(ferrion_messenger_subscribe(receiver, text, &subscription));
  OK(ferrion_messenger_subscription_port(receiver, subscription, &port));
  snprintf(address, sizeof address, "%s127.0.0.1:%u/test", scheme, (unsigned)port);
}

/* Both are new, none of their calls waits, and nothing listens yet. */
static inline void begin_pair(void) {
  sender = ferrion_messenger_new("sender");
  receiver = ferrion_messenger_new("receiver");
  message = ferrion_message_new();
  CHECK(sender && receiver && message);
  OK(ferrion_messenger_set_blocking(sender, false));
  OK(ferrion_messenger_set_blocking(receiver, false));
  OK(ferrion_messenger_set_outgoing_window(sender, FERRION_UNLIMITED));
  OK(ferrion_messenger_set_incoming_window(receiver, FERRION_UNLIMITED));
}

static inline void end_pair(void) {
  ferrion_message_free(message);
  ferrion_messenger_free(sender);
  ferrion_messenger_free(receiver);
}

/* Puts a message with this text for the receiver. */
static inline ferrion_tracker_t put(const char *text) {
  ferrion_tracker_t tracker;
  OK(ferrion_message_clear(message));
  OK(ferrion_message_set_address(message, address));
  OK(ferrion_message_set_body_text(message, text));
  OK(ferrion_messenger_put(sender, message, &tracker));
  return tracker;
}

/* Waits for the next message, which must have this text. */
static inline ferrion_tracker_t expect(const char *text) {
  ferrion_tracker_t tracker;
  ferrion_bytes_t body;
  ferrion_status ready = ferrion_messenger_recv(receiver, FERRION_CREDIT_ALL);
  CHECK(ready == FERRION_OK || ready == FERRION_WOULD_BLOCK);
  UNTIL(incoming() > 0);
  OK(ferrion_messenger_get(receiver, message, &tracker));
  OK(ferrion_message_body_bytes(message, &body));
  CHECK(same_text(body, text));
  return tracker;
}

#endif
