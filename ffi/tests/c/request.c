/* Requests and replies: many at once, with a server that works on them in its own order, and none that waits for ever. */
#include "pair.h"
#include <pthread.h>

static ferrion_message_t *reply;

static ferrion_request_t ask(const char *text) {
  ferrion_request_t request;
  OK(ferrion_message_clear(message));
  OK(ferrion_message_set_address(message, address));
  OK(ferrion_message_set_body_text(message, text));
  OK(ferrion_messenger_send_request(sender, message, &request));
  CHECK(request != 0);
  return request;
}

static size_t requests(void) {
  size_t n;
  OK(ferrion_messenger_requests(sender, &n));
  return n;
}

static bool replied(ferrion_request_t request) {
  bool replied;
  OK(ferrion_messenger_poll_reply(sender, request, reply, &replied));
  return replied;
}

static bool same_body(const char *text) {
  ferrion_bytes_t body;
  OK(ferrion_message_body_bytes(reply, &body));
  return same_text(body, text);
}

/* Answers the request that was got last with a text. */
static void answer(ferrion_tracker_t tracker, const char *text) {
  OK(ferrion_messenger_reply_to(receiver, tracker, message, reply));
  OK(ferrion_message_set_body_text(reply, text));
  OK(ferrion_messenger_put(receiver, reply, NULL));
  OK(ferrion_messenger_accept(receiver, tracker, FERRION_SINGLE));
}

static void replies_find_their_requests(void) {
  ferrion_request_t first = ask("first"), second = ask("second"), third = ask("third");
  CHECK(first != second && second != third);
  CHECK(requests() == 3);
  CHECK(!replied(first));
  /* They are got in order, and answered out of it. */
  ferrion_message_t *kept = ferrion_message_new();
  ferrion_tracker_t tracker = expect("first");
  OK(ferrion_message_copy(kept, message));
  answer(expect("second"), "2");
  answer(expect("third"), "3");
  OK(ferrion_message_copy(message, kept));
  answer(tracker, "1");
  ferrion_message_free(kept);

  UNTIL(replied(first));
  CHECK(same_body("1"));
  UNTIL(replied(third));
  CHECK(same_body("3"));
  UNTIL(ferrion_messenger_reply(sender, second, reply) == FERRION_OK);
  CHECK(same_body("2"));
  CHECK(requests() == 0);
  /* A reply is taken once. */
  bool out = true;
  IS(FERRION_STATE, ferrion_messenger_poll_reply(sender, first, reply, &out));
  IS(FERRION_STATE, ferrion_messenger_reply(sender, first, reply));
  CHECK(out && same_body("2"));
}

static void a_request_can_be_given_up(void) {
  ferrion_request_t request = ask("never mind");
  OK(ferrion_messenger_cancel_request(sender, request));
  IS(FERRION_ABSENT, ferrion_messenger_cancel_request(sender, request));
  IS(FERRION_STATE, ferrion_messenger_reply(sender, request, reply));
  CHECK(requests() == 0);
}

static void what_the_server_refuses_has_no_reply(void) {
  ferrion_status answered;
  ferrion_request_t request = ask("rude");
  OK(ferrion_messenger_reject(receiver, expect("rude"), FERRION_SINGLE, "example:rude", "say please", NULL));
  UNTIL((answered = ferrion_messenger_reply(sender, request, reply)) != FERRION_WOULD_BLOCK);
  CHECK(answered == FERRION_REMOTE);
  CHECK(strcmp(ferrion_last_condition(), "example:rude") == 0);
  CHECK(strstr(ferrion_last_error(), "say please"));
  IS(FERRION_STATE, ferrion_messenger_reply(sender, request, reply));
}

static void a_request_has_its_time(void) {
  ferrion_status answered;
  OK(ferrion_messenger_set_timeout(sender, 20));
  ferrion_request_t request = ask("too late");
  OK(ferrion_messenger_set_timeout(sender, -1));
  ferrion_tracker_t tracker = expect("too late");
  UNTIL((answered = ferrion_messenger_reply(sender, request, reply)) != FERRION_WOULD_BLOCK);
  CHECK(answered == FERRION_TIMEOUT);
  answer(tracker, "here I am");
  for (int i = 0; i < 10; i++) work();
  CHECK(requests() == 0);
}

static void *serve_one(void *unused) {
  (void)unused;
  ferrion_bytes_t body;
  ferrion_tracker_t tracker;
  ferrion_message_t *request = ferrion_message_new();
  ferrion_message_t *response = ferrion_message_new();
  OK(ferrion_messenger_recv(receiver, FERRION_CREDIT_ALL));
  OK(ferrion_messenger_get(receiver, request, &tracker));
  OK(ferrion_message_body_bytes(request, &body));
  OK(ferrion_messenger_reply_to(receiver, tracker, request, response));
  OK(ferrion_message_set_body_data(response, body.data, body.len));
  OK(ferrion_messenger_put(receiver, response, NULL));
  OK(ferrion_messenger_accept(receiver, tracker, FERRION_SINGLE));
  OK(ferrion_messenger_stop(receiver));
  ferrion_message_free(response);
  ferrion_message_free(request);
  return NULL;
}

static void a_call_can_wait_for_the_reply(void) {
  pthread_t server;
  IS(FERRION_STATE, ferrion_messenger_request(sender, message, reply));
  OK(ferrion_messenger_set_blocking(sender, true));
  OK(ferrion_messenger_set_blocking(receiver, true));
  CHECK(pthread_create(&server, NULL, serve_one, NULL) == 0);
  OK(ferrion_message_clear(message));
  OK(ferrion_message_set_address(message, address));
  OK(ferrion_message_set_body_text(message, "echo"));
  OK(ferrion_messenger_request(sender, message, reply));
  CHECK(same_body("echo"));
  CHECK(pthread_join(server, NULL) == 0);
  /* Nobody listens any more, and that is said at once. */
  OK(ferrion_messenger_set_reconnect(sender, NULL));
  ferrion_status refused = ferrion_messenger_request(sender, message, reply);
  CHECK(refused == FERRION_CONNECT || refused == FERRION_LOST);
  CHECK(requests() == 0);
}

static void mistakes(void) {
  ferrion_request_t request = 7;
  ferrion_tracker_t tracker = put("no reply-to");
  tracker = expect("no reply-to");
  OK(ferrion_message_set_subject(reply, "as it was"));
  IS(FERRION_ADDRESS, ferrion_messenger_reply_to(receiver, tracker, message, reply));
  IS(FERRION_UNKNOWN_TRACKER, ferrion_messenger_reply_to(receiver, 0, message, reply));
  IS(FERRION_UNKNOWN_TRACKER, ferrion_messenger_reply_to(sender, tracker, message, reply));
  IS(FERRION_BUSY, ferrion_messenger_reply_to(receiver, tracker, message, message));
  OK(ferrion_message_clear(message));
  IS(FERRION_ADDRESS, ferrion_messenger_send_request(sender, message, &request));
  CHECK(request == 7);
  IS(FERRION_STATE, ferrion_messenger_reply(sender, 0, reply));
  IS(FERRION_STATE, ferrion_messenger_reply(sender, UINT64_MAX, reply));
  IS(FERRION_ABSENT, ferrion_messenger_cancel_request(sender, UINT64_MAX));
  ferrion_bytes_t subject;
  OK(ferrion_message_subject(reply, &subject));
  CHECK(same_text(subject, "as it was"));
}

int main(void) {
  reply = ferrion_message_new();
  CHECK(reply);
  begin_pair();
  listen_on("", 0);
  replies_find_their_requests();
  a_request_can_be_given_up();
  what_the_server_refuses_has_no_reply();
  a_request_has_its_time();
  mistakes();
  a_call_can_wait_for_the_reply();
  end_pair();
  ferrion_message_free(reply);
  return 0;
}
