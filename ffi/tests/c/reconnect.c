/* Connections that are lost and made again, what is told of it, and other places to find an address at. */
#include "pair.h"

static ferrion_connection_events_t *events;

/* Steps to the next event, which must be of this kind; polls for new ones as long as there is none. */
static void event(ferrion_connection_event wanted) {
  ferrion_connection_event kind;
  if (ferrion_connection_events_next(events) != FERRION_OK) {
    ferrion_status polled = FERRION_END;
    UNTIL((polled = ferrion_messenger_poll_connection_events(sender, events, 100)) == FERRION_OK);
    OK(ferrion_connection_events_next(events));
  }
  OK(ferrion_connection_events_kind(events, &kind));
  CHECK(kind == wanted);
}

static void listen_again(void) {
  ferrion_messenger_free(receiver);
  receiver = ferrion_messenger_new("receiver");
  CHECK(receiver);
  OK(ferrion_messenger_set_blocking(receiver, false));
  OK(ferrion_messenger_set_incoming_window(receiver, FERRION_UNLIMITED));
}

static void the_policy_is_what_was_set(void) {
  uint64_t milliseconds;
  int64_t give_up;
  bool initial;
  ferrion_reconnect_t *policy = ferrion_reconnect_new();
  OK(ferrion_messenger_reconnect(sender, policy));
  OK(ferrion_messenger_set_reconnect(sender, NULL));
  IS(FERRION_ABSENT, ferrion_messenger_reconnect(sender, policy));
  OK(ferrion_reconnect_first_delay(policy, &milliseconds));
  CHECK(milliseconds == 100);
  OK(ferrion_reconnect_max_delay(policy, &milliseconds));
  CHECK(milliseconds == 10000);
  OK(ferrion_reconnect_give_up_after(policy, &give_up));
  CHECK(give_up == 60000);
  OK(ferrion_reconnect_initial(policy, &initial));
  CHECK(!initial);
  OK(ferrion_reconnect_set_first_delay(policy, 5));
  OK(ferrion_reconnect_set_max_delay(policy, 20));
  OK(ferrion_reconnect_set_give_up_after(policy, -1));
  OK(ferrion_reconnect_set_initial(policy, true));
  OK(ferrion_messenger_set_reconnect(sender, policy));
  OK(ferrion_messenger_set_reconnect_seed(sender, 7));
  ferrion_reconnect_free(policy);

  /* The messenger has kept it. */
  policy = ferrion_reconnect_new();
  OK(ferrion_messenger_reconnect(sender, policy));
  OK(ferrion_reconnect_first_delay(policy, &milliseconds));
  CHECK(milliseconds == 5);
  OK(ferrion_reconnect_max_delay(policy, &milliseconds));
  CHECK(milliseconds == 20);
  OK(ferrion_reconnect_give_up_after(policy, &give_up));
  CHECK(give_up == -1);
  OK(ferrion_reconnect_initial(policy, &initial));
  CHECK(initial);
  ferrion_reconnect_free(policy);
}

static void a_lost_connection_is_made_again(void) {
  ferrion_bytes_t text;
  ferrion_status why;
  uint32_t failures;
  uint64_t delay;
  ferrion_tracker_t tracker = put("before");
  OK(ferrion_messenger_accept(receiver, expect("before"), FERRION_SINGLE));
  UNTIL(status(sender, tracker) == FERRION_DELIVERY_ACCEPTED);
  event(FERRION_CONNECTION_CONNECTED);
  OK(ferrion_connection_events_address(events, &text));
  CHECK(text.len > 0);
  IS(FERRION_ABSENT, ferrion_connection_events_reason(events, &text));
  IS(FERRION_ABSENT, ferrion_connection_events_failures(events, &failures));

  unsigned same_port = port;
  listen_again();
  tracker = put("after");
  event(FERRION_CONNECTION_FAILED);
  OK(ferrion_connection_events_reason(events, &text));
  CHECK(text.len > 0);
  OK(ferrion_connection_events_status(events, &why));
  CHECK(why == FERRION_LOST || why == FERRION_CONNECT);
  IS(FERRION_ABSENT, ferrion_connection_events_condition(events, &text));
  IS(FERRION_ABSENT, ferrion_connection_events_delay(events, &delay));
  event(FERRION_CONNECTION_RETRYING);
  OK(ferrion_connection_events_failures(events, &failures));
  CHECK(failures > 0);
  OK(ferrion_connection_events_delay(events, &delay));
  CHECK(delay <= 25);

  listen_on("", same_port);
  OK(ferrion_messenger_accept(receiver, expect("after"), FERRION_SINGLE));
  UNTIL(status(sender, tracker) == FERRION_DELIVERY_ACCEPTED);
}

static void another_place_is_tried(void) {
  ferrion_tracker_t tracker;
  char other[64], gone[32];
  snprintf(gone, sizeof gone, "127.0.0.1:%u", (unsigned)port);
  listen_again();
  listen_on("", 0);
  snprintf(other, sizeof other, " localhost:1, 127.0.0.1:%u ", (unsigned)port);
  ferrion_status stopped;
  UNTIL((stopped = ferrion_messenger_stop(sender)) != FERRION_WOULD_BLOCK);
  OK(ferrion_messenger_set_alternatives(sender, gone, other));
  snprintf(address, sizeof address, "%s/test", gone);
  tracker = put("elsewhere");
  OK(ferrion_messenger_accept(receiver, expect("elsewhere"), FERRION_SINGLE));
  UNTIL(status(sender, tracker) == FERRION_DELIVERY_ACCEPTED);
  IS(FERRION_ADDRESS, ferrion_messenger_set_alternatives(sender, gone, "127.0.0.1,,"));
  IS(FERRION_ADDRESS, ferrion_messenger_set_alternatives(sender, "", "127.0.0.1"));
  OK(ferrion_messenger_set_alternatives(sender, gone, NULL));
  OK(ferrion_messenger_set_alternatives(sender, gone, " "));
}

static void what_is_given_up_is_told(void) {
  ferrion_status reason;
  ferrion_connection_event kind = FERRION_CONNECTION_OTHER;
  ferrion_reconnect_t *policy = ferrion_reconnect_new();
  ferrion_messenger_free(sender);
  sender = ferrion_messenger_new("sender");
  OK(ferrion_messenger_set_blocking(sender, false));
  OK(ferrion_messenger_set_outgoing_window(sender, 10));
  OK(ferrion_reconnect_set_first_delay(policy, 1));
  OK(ferrion_reconnect_set_give_up_after(policy, 10));
  OK(ferrion_reconnect_set_initial(policy, true));
  OK(ferrion_messenger_set_reconnect(sender, policy));
  ferrion_reconnect_free(policy);
  listen_on("", 0);
  listen_again();
  ferrion_tracker_t tracker = put("lost");
  UNTIL(status(sender, tracker) == FERRION_DELIVERY_ABORTED);
  OK(ferrion_messenger_reason_status(sender, tracker, &reason));
  CHECK(reason == FERRION_CONNECT);
  /* One at a time. */
  while (ferrion_messenger_poll_connection_events(sender, events, 0) == FERRION_OK) {
    OK(ferrion_connection_events_next(events));
    OK(ferrion_connection_events_kind(events, &kind));
    IS(FERRION_END, ferrion_connection_events_next(events));
  }
  CHECK(kind == FERRION_CONNECTION_GIVEN_UP);
  OK(ferrion_messenger_set_reconnect(sender, NULL));
}

static void links_are_recovered(void) {
  uint64_t milliseconds;
  size_t n;
  uint32_t messages;
  ferrion_link_recovery_t *recovery = ferrion_link_recovery_new();
  ferrion_messenger_free(sender);
  sender = ferrion_messenger_new("sender");
  OK(ferrion_messenger_set_blocking(sender, false));
  OK(ferrion_messenger_set_outgoing_window(sender, 10));
  IS(FERRION_ABSENT, ferrion_messenger_link_recovery(sender, recovery));
  OK(ferrion_link_recovery_set_keep_for(recovery, 30000));
  OK(ferrion_link_recovery_set_max_links(recovery, 10));
  OK(ferrion_link_recovery_set_max_octets(recovery, 100000));
  OK(ferrion_messenger_set_link_recovery(sender, recovery));
  ferrion_link_recovery_free(recovery);
  recovery = ferrion_link_recovery_new();
  OK(ferrion_messenger_link_recovery(sender, recovery));
  OK(ferrion_link_recovery_keep_for(recovery, &milliseconds));
  CHECK(milliseconds == 30000);
  OK(ferrion_link_recovery_max_links(recovery, &n));
  CHECK(n == 10);
  OK(ferrion_link_recovery_max_octets(recovery, &n));
  CHECK(n == 100000);

  listen_again();
  OK(ferrion_messenger_set_link_recovery(receiver, recovery));
  listen_on("", 0);
  ferrion_tracker_t tracker = put("before");
  OK(ferrion_messenger_accept(receiver, expect("before"), FERRION_SINGLE));
  UNTIL(status(sender, tracker) == FERRION_DELIVERY_ACCEPTED);
  event(FERRION_CONNECTION_CONNECTED);
  /* Whoever listens there afterwards knows nothing of what was before. */
  unsigned same_port = port;
  listen_again();
  OK(ferrion_messenger_set_link_recovery(receiver, recovery));
  listen_on("", same_port);
  tracker = put("after");
  OK(ferrion_messenger_accept(receiver, expect("after"), FERRION_SINGLE));
  UNTIL(status(sender, tracker) == FERRION_DELIVERY_ACCEPTED);
  ferrion_connection_event kind = FERRION_CONNECTION_OTHER;
  while (kind != FERRION_CONNECTION_FORGOTTEN) {
    if (ferrion_connection_events_next(events) != FERRION_OK) {
      OK(ferrion_messenger_poll_connection_events(sender, events, 1));
      OK(ferrion_connection_events_next(events));
    }
    OK(ferrion_connection_events_kind(events, &kind));
  }
  OK(ferrion_connection_events_sent_again(events, &messages));
  OK(ferrion_connection_events_aborted(events, &messages));
  CHECK(messages == 0);
  IS(FERRION_ABSENT, ferrion_connection_events_resumed(events, &messages));
  OK(ferrion_messenger_set_link_recovery(sender, NULL));
  ferrion_link_recovery_free(recovery);
}

static void who_settles_when_can_be_chosen(void) {
  ferrion_messenger_free(sender);
  sender = ferrion_messenger_new("sender");
  OK(ferrion_messenger_set_blocking(sender, false));
  OK(ferrion_messenger_set_outgoing_window(sender, 10));
  OK(ferrion_messenger_set_snd_settle_mode(sender, FERRION_SND_SETTLED));
  OK(ferrion_messenger_set_rcv_settle_mode(sender, FERRION_RCV_SECOND));
  ferrion_tracker_t tracker = put("settled");
  expect("settled");
  CHECK(status(sender, tracker) == FERRION_DELIVERY_SETTLED);
  OK(ferrion_messenger_set_snd_settle_mode(sender, -1));
  OK(ferrion_messenger_set_rcv_settle_mode(sender, -1));
  IS(FERRION_INVALID_ARGUMENT, ferrion_messenger_set_snd_settle_mode(sender, 3));
  IS(FERRION_INVALID_ARGUMENT, ferrion_messenger_set_rcv_settle_mode(sender, -2));
}

static void who_receives_is_told(void) {
  ferrion_connection_event kind;
  ferrion_status polled = FERRION_END;
  ferrion_bytes_t text;
  char other[64];
  ferrion_subscription_t subscription;
  snprintf(other, sizeof other, "127.0.0.1:%u/news", (unsigned)port);
  OK(ferrion_messenger_subscribe(sender, other, &subscription));
  IS(FERRION_WOULD_BLOCK, ferrion_messenger_recv(sender, 1));
  UNTIL((polled = ferrion_messenger_poll_connection_events(receiver, events, 1)) == FERRION_OK);
  OK(ferrion_connection_events_next(events));
  OK(ferrion_connection_events_kind(events, &kind));
  CHECK(kind == FERRION_CONNECTION_SUBSCRIBED);
  OK(ferrion_connection_events_container(events, &text));
  CHECK(same_text(text, "sender"));
  OK(ferrion_connection_events_node(events, &text));
  CHECK(same_text(text, "news"));
  IS(FERRION_ABSENT, ferrion_connection_events_reason(events, &text));
  OK(ferrion_connection_events_address(events, &text));
  snprintf(other, sizeof other, "%.*s", (int)text.len, (const char *)text.data);
  OK(ferrion_message_clear(message));
  OK(ferrion_message_set_address(message, other));
  OK(ferrion_messenger_put(receiver, message, NULL));
  size_t n = 0;
  UNTIL(ferrion_messenger_incoming(sender, &n) == FERRION_OK && n == 1);
}

static void mistakes(void) {
  ferrion_connection_event kind = FERRION_CONNECTION_CONNECTED;
  ferrion_status why = FERRION_OK;
  ferrion_connection_events_t *none = ferrion_connection_events_new();
  IS(FERRION_STATE, ferrion_connection_events_kind(none, &kind));
  IS(FERRION_STATE, ferrion_connection_events_status(none, &why));
  ferrion_bytes_t text;
  IS(FERRION_STATE, ferrion_connection_events_container(none, &text));
  IS(FERRION_STATE, ferrion_connection_events_node(none, &text));
  IS(FERRION_END, ferrion_connection_events_next(none));
  IS(FERRION_STATE, ferrion_connection_events_kind(none, &kind));
  CHECK(kind == FERRION_CONNECTION_CONNECTED && why == FERRION_OK);
  ferrion_connection_events_free(none);
}

int main(void) {
  events = ferrion_connection_events_new();
  CHECK(events);
  begin_pair();
  listen_on("", 0);
  IS(FERRION_END, ferrion_messenger_poll_connection_events(sender, events, 1));
  the_policy_is_what_was_set();
  a_lost_connection_is_made_again();
  another_place_is_tried();
  what_is_given_up_is_told();
  links_are_recovered();
  who_settles_when_can_be_chosen();
  who_receives_is_told();
  mistakes();
  end_pair();
  ferrion_connection_events_free(events);
  return 0;
}
