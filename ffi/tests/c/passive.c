/* Messengers in a loop of the caller's, around poll(2). */
#include "pair.h"
#include <poll.h>
#include <pthread.h>

static int64_t deadline(ferrion_messenger_t *messenger) {
  int64_t milliseconds;
  OK(ferrion_messenger_deadline(messenger, &milliseconds));
  return milliseconds;
}

static int descriptor(ferrion_messenger_t *messenger) {
  int32_t descriptor;
  OK(ferrion_messenger_descriptor(messenger, &descriptor));
  CHECK(descriptor >= 0);
  return descriptor;
}

/* One turn of the loop, which sleeps for no longer than a second. Tells how many had news. */
static int turn(void) {
  ferrion_messenger_t *all[] = {sender, receiver};
  struct pollfd watched[2];
  int64_t sleep = 1000;
  for (int i = 0; i < 2; i++) {
    int64_t due = deadline(all[i]);
    watched[i] = (struct pollfd){.fd = descriptor(all[i]), .events = POLLIN};
    if (due >= 0 && due < sleep) sleep = due;
  }
  int ready = poll(watched, 2, (int)sleep);
  CHECK(ready >= 0);
  for (int i = 0; i < 2; i++) {
    if (watched[i].revents || deadline(all[i]) == 0) OK(ferrion_messenger_work(all[i], 0, NULL));
  }
  return ready;
}

static void messages_travel(void) {
  ferrion_tracker_t last = 0;
  int before = descriptor(sender);
  IS(FERRION_WOULD_BLOCK, ferrion_messenger_recv(receiver, FERRION_CREDIT_ALL));
  for (int i = 0; i < 100; i++) last = put("passive");
  /* Nothing leaves by itself, and the loop is told to work at once. */
  CHECK(deadline(sender) == 0);
  IS(FERRION_WOULD_BLOCK, ferrion_messenger_send(sender, -1));
  CHECK(incoming() == 0);
  for (int i = 0; i < 1000 && incoming() < 100; i++) turn();
  CHECK(incoming() == 100);
  OK(ferrion_messenger_recv(receiver, FERRION_CREDIT_ALL));
  for (int i = 0; i < 100; i++) {
    ferrion_tracker_t tracker;
    OK(ferrion_messenger_get(receiver, message, &tracker));
    OK(ferrion_messenger_accept(receiver, tracker, FERRION_SINGLE));
  }
  for (int i = 0; i < 1000 && outgoing() > 0; i++) turn();
  OK(ferrion_messenger_send(sender, -1));
  CHECK(status(sender, last) == FERRION_DELIVERY_ACCEPTED);
  CHECK(descriptor(sender) == before);
}

static void a_loop_sleeps_when_nothing_is_due(void) {
  struct pollfd watched = {.fd = descriptor(sender), .events = POLLIN};
  for (int i = 0; i < 100 && (deadline(sender) == 0 || poll(&watched, 1, 0) > 0); i++) turn();
  /* Only the next sign of life, one day. */
  CHECK(deadline(sender) == -1 || deadline(sender) > 1000);
  CHECK(poll(&watched, 1, 20) == 0);
}

static void *interrupt(void *interrupter) {
  OK(ferrion_interrupter_interrupt((ferrion_interrupter_t *)interrupter));
  return NULL;
}

static void an_interrupt_wakes_the_loop(void) {
  pthread_t thread;
  ferrion_interrupter_t *interrupter = ferrion_interrupter_new(sender);
  struct pollfd watched = {.fd = descriptor(sender), .events = POLLIN};
  CHECK(pthread_create(&thread, NULL, interrupt, interrupter) == 0);
  CHECK(poll(&watched, 1, 10000) == 1);
  CHECK(pthread_join(thread, NULL) == 0);
  IS(FERRION_INTERRUPTED, ferrion_messenger_work(sender, 0, NULL));
  OK(ferrion_messenger_work(sender, 0, NULL));
  ferrion_interrupter_free(interrupter);
}

static void requests_work_too(void) {
  ferrion_request_t request;
  ferrion_tracker_t tracker;
  bool replied = false;
  ferrion_message_t *reply = ferrion_message_new();
  OK(ferrion_message_clear(message));
  OK(ferrion_message_set_address(message, address));
  IS(FERRION_STATE, ferrion_messenger_request(sender, message, reply));
  OK(ferrion_messenger_send_request(sender, message, &request));
  for (int i = 0; i < 1000 && incoming() == 0; i++) turn();
  OK(ferrion_messenger_get(receiver, message, &tracker));
  OK(ferrion_messenger_reply_to(receiver, tracker, message, reply));
  OK(ferrion_messenger_put(receiver, reply, NULL));
  for (int i = 0; i < 1000 && !replied; i++) {
    turn();
    OK(ferrion_messenger_poll_reply(sender, request, reply, &replied));
  }
  CHECK(replied);
  ferrion_message_free(reply);
}

static void stopping_takes_turns(void) {
  ferrion_status stopped;
  for (int i = 0; i < 1000 && (stopped = ferrion_messenger_stop(sender)) == FERRION_WOULD_BLOCK; i++) turn();
  CHECK(stopped == FERRION_OK);
}

int main(void) {
  bool passive;
  begin_pair();
  CHECK(deadline(sender) == -1);
  /* Waiting calls do not wait in passive mode, blocking or not. */
  OK(ferrion_messenger_set_blocking(sender, true));
  OK(ferrion_messenger_passive(sender, &passive));
  CHECK(!passive);
  OK(ferrion_messenger_set_passive(sender, true));
  OK(ferrion_messenger_passive(sender, &passive));
  CHECK(passive);
  listen_on("", 0);
  OK(ferrion_messenger_set_passive(receiver, true));
  messages_travel();
  a_loop_sleeps_when_nothing_is_due();
  an_interrupt_wakes_the_loop();
  requests_work_too();
  stopping_takes_turns();
  end_pair();
  return 0;
}
