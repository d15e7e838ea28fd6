/* Many messages with one call, messages that are encoded already, and messages that are sent on. */
#include "pair.h"

static ferrion_messages_t *messages;

/* Makes the list `n` messages, with the texts "0", "1" and so on. */
static void fill(int n) {
  OK(ferrion_messages_clear(messages));
  OK(ferrion_message_clear(message));
  OK(ferrion_message_set_address(message, address));
  for (int i = 0; i < n; i++) {
    char text[16];
    snprintf(text, sizeof text, "%d", i);
    OK(ferrion_message_set_body_text(message, text));
    OK(ferrion_messages_add(messages, message));
  }
}

static size_t count(void) {
  size_t n;
  OK(ferrion_messages_count(messages, &n));
  return n;
}

static void many_are_put_and_got(void) {
  ferrion_tracker_t put[10], last;
  ferrion_bytes_t body;
  fill(10);
  IS(FERRION_ABSENT, ferrion_messages_tracker(messages, 0, &last));
  OK(ferrion_messenger_put_many(sender, messages));
  for (size_t i = 0; i < 10; i++) OK(ferrion_messages_tracker(messages, i, &put[i]));
  OK(ferrion_messenger_outgoing_tracker(sender, &last));
  CHECK(last == put[9]);
  CHECK(outgoing() == 10);
  /* They were put already. */
  OK(ferrion_messenger_put_many(sender, messages));
  CHECK(outgoing() == 10);

  IS(FERRION_END, ferrion_messenger_get_many(receiver, messages, 10, NULL));
  CHECK(count() == 0);
  IS(FERRION_WOULD_BLOCK, ferrion_messenger_recv(receiver, FERRION_CREDIT_ALL));
  UNTIL(incoming() == 10);
  OK(ferrion_messenger_get_many(receiver, messages, 4, &last));
  CHECK(count() == 4);
  OK(ferrion_messenger_get_many(receiver, messages, 100, &last));
  CHECK(count() == 6);
  for (size_t i = 0; i < 6; i++) {
    char text[16];
    snprintf(text, sizeof text, "%u", (unsigned)i + 4);
    OK(ferrion_messages_get(messages, i, message));
    OK(ferrion_message_body_bytes(message, &body));
    CHECK(same_text(body, text));
  }
  ferrion_tracker_t got;
  OK(ferrion_messages_tracker(messages, 5, &got));
  CHECK(got == last);
  OK(ferrion_messages_tracker(messages, 4, &got));
  CHECK(got != last);
  OK(ferrion_messenger_reject(receiver, got, FERRION_SINGLE, NULL, NULL, NULL));
  OK(ferrion_messenger_accept(receiver, last, FERRION_CUMULATIVE));
  UNTIL(outgoing() == 0);
  for (size_t i = 0; i < 10; i++) {
    CHECK(status(sender, put[i]) == (i == 8 ? FERRION_DELIVERY_REJECTED : FERRION_DELIVERY_ACCEPTED));
  }
}

static void what_comes_is_bounded(void) {
  size_t most, octets;
  OK(ferrion_messenger_incoming_high_water(receiver, &most, &octets));
  CHECK(most == FERRION_UNLIMITED && octets == 64 * 1024 * 1024);
  OK(ferrion_messenger_set_incoming_high_water(receiver, 3, octets));
  fill(5);
  OK(ferrion_messenger_put_many(sender, messages));
  UNTIL(incoming() >= 3);
  for (int i = 0; i < 10; i++) work();
  CHECK(incoming() == 3);
  OK(ferrion_messenger_set_incoming_high_water(receiver, most, octets));
  UNTIL(incoming() == 5);
  ferrion_tracker_t last;
  OK(ferrion_messenger_get_many(receiver, messages, 5, &last));
  OK(ferrion_messenger_accept(receiver, last, FERRION_CUMULATIVE));
  UNTIL(outgoing() == 0);
}

static void what_finds_no_room_can_be_put_later(void) {
  size_t most, octets;
  ferrion_tracker_t tracker;
  OK(ferrion_messenger_high_water(sender, &most, &octets));
  CHECK(most == 65536 && octets == 64 * 1024 * 1024);
  OK(ferrion_messenger_set_high_water(sender, 3, octets));
  fill(5);
  IS(FERRION_OVERFLOW, ferrion_messenger_put_many(sender, messages));
  OK(ferrion_messages_tracker(messages, 2, &tracker));
  IS(FERRION_ABSENT, ferrion_messages_tracker(messages, 3, &tracker));
  CHECK(outgoing() == 3);
  OK(ferrion_messenger_set_high_water(sender, most, octets));
  OK(ferrion_messenger_put_many(sender, messages));
  OK(ferrion_messages_tracker(messages, 4, &tracker));
  CHECK(outgoing() == 5);
  const char *texts[] = {"0", "1", "2", "3", "4"};
  for (int i = 0; i < 5; i++) expect(texts[i]);
  OK(ferrion_messenger_incoming_tracker(receiver, &tracker));
  OK(ferrion_messenger_accept(receiver, tracker, FERRION_CUMULATIVE));
  UNTIL(outgoing() == 0);
}

/* What was got is not what was put: a list goes on to where its messages are addressed. */
static void what_was_got_can_be_put_on(void) {
  ferrion_tracker_t last, got, on;
  put("on");
  IS(FERRION_WOULD_BLOCK, ferrion_messenger_recv(receiver, FERRION_CREDIT_ALL));
  UNTIL(incoming() == 1);
  OK(ferrion_messenger_get_many(receiver, messages, 0, &last));
  OK(ferrion_messages_tracker(messages, 0, &got));
  OK(ferrion_messenger_set_outgoing_window(receiver, 1));
  OK(ferrion_messenger_put_many(receiver, messages));
  OK(ferrion_messages_tracker(messages, 0, &on));
  CHECK(got == last && on != got);
  OK(ferrion_messenger_accept(receiver, last, FERRION_SINGLE));
  OK(ferrion_messenger_accept(receiver, expect("on"), FERRION_SINGLE));
  UNTIL(status(receiver, on) == FERRION_DELIVERY_ACCEPTED);
}

static void octets_and_messages_go_on_as_they_are(void) {
  ferrion_bytes_t octets, text;
  ferrion_tracker_t tracker;
  OK(ferrion_message_clear(message));
  OK(ferrion_message_set_address(message, "somewhere else"));
  OK(ferrion_message_set_body_text(message, "encoded"));
  OK(ferrion_message_encode(message, &octets));
  OK(ferrion_messenger_put_encoded(sender, address, octets.data, octets.len, &tracker));
  CHECK(status(sender, tracker) == FERRION_DELIVERY_PENDING);
  expect("encoded");
  OK(ferrion_message_address(message, &text));
  CHECK(same_text(text, "somewhere else"));

  OK(ferrion_messenger_forward(receiver, message, address, &tracker));
  expect("encoded");
  OK(ferrion_message_address(message, &text));
  CHECK(same_text(text, "somewhere else"));

  IS(FERRION_DECODE, ferrion_messenger_put_encoded(sender, address, BYTES("\x00\x53\xff"), NULL));
  IS(FERRION_DECODE, ferrion_messenger_put_encoded(sender, address, NULL, 0, NULL));
  IS(FERRION_ADDRESS, ferrion_messenger_put_encoded(sender, "amqp://[::1", BYTES("\0Sw@"), NULL));
  IS(FERRION_ADDRESS, ferrion_messenger_forward(sender, message, "", NULL));
  IS(FERRION_NULL_POINTER, ferrion_messenger_put_encoded(sender, address, NULL, 1, NULL));
}

static void mistakes(void) {
  ferrion_tracker_t tracker;
  fill(2);
  IS(FERRION_END, ferrion_messages_get(messages, 2, message));
  IS(FERRION_END, ferrion_messages_get(messages, SIZE_MAX, message));
  IS(FERRION_END, ferrion_messages_tracker(messages, 2, &tracker));
  OK(ferrion_messages_clear(messages));
  /* The room is still there, and what was in it is not. */
  IS(FERRION_END, ferrion_messages_get(messages, 0, message));
  OK(ferrion_messenger_put_many(sender, messages));
  IS(FERRION_NULL_POINTER, ferrion_messenger_put_many(sender, NULL));
  OK(ferrion_message_clear(message));
  OK(ferrion_messages_add(messages, message));
  IS(FERRION_ADDRESS, ferrion_messenger_put_many(sender, messages));
}

int main(void) {
  messages = ferrion_messages_new();
  CHECK(messages);
  begin_pair();
  listen_on("", 0);
  many_are_put_and_got();
  what_comes_is_bounded();
  what_finds_no_room_can_be_put_later();
  what_was_got_can_be_put_on();
  octets_and_messages_go_on_as_they_are();
  mistakes();
  end_pair();
  ferrion_messages_free(messages);
  return 0;
}
