/* Two messengers over loopback: trackers, outcomes, windows, routes, interrupts, and what is answered to mistakes. */
#include "pair.h"
#include <pthread.h>

static void outcomes(void) {
  ferrion_tracker_t put[6];
  ferrion_tracker_t got[6];
  ferrion_bytes_t text;
  OK(ferrion_messenger_set_outgoing_window(sender, 10));
  IS(FERRION_WOULD_BLOCK, ferrion_messenger_recv(receiver, -1));

  OK(ferrion_message_set_address(message, address));
  for (uint32_t i = 0; i < 6; i++) {
    OK(ferrion_message_set_group_sequence(message, i));
    OK(ferrion_messenger_put(sender, message, &put[i]));
    CHECK(status(sender, put[i]) == FERRION_DELIVERY_PENDING);
  }
  CHECK(outgoing() == 6);
  UNTIL(incoming() == 6);

  for (uint32_t i = 0; i < 6; i++) {
    uint32_t n;
    OK(ferrion_messenger_get(receiver, message, &got[i]));
    OK(ferrion_message_group_sequence(message, &n));
    CHECK(n == i);
  }
  IS(FERRION_END, ferrion_messenger_get(receiver, message, &got[0]));
  ferrion_tracker_t last;
  OK(ferrion_messenger_incoming_tracker(receiver, &last));
  CHECK(last == got[5]);

  ferrion_value_t *annotations = ferrion_value_new();
  OK(ferrion_value_begin_map(annotations));
  OK(ferrion_value_put_symbol_text(annotations, "x-opt-tried"));
  OK(ferrion_value_put_bool(annotations, true));
  OK(ferrion_value_end(annotations));
  OK(ferrion_messenger_reject(receiver, got[1], FERRION_SINGLE, "amqp:not-allowed", "not on Sundays", annotations));
  OK(ferrion_messenger_release(receiver, got[2], FERRION_SINGLE));
  OK(ferrion_messenger_modify(receiver, got[3], FERRION_SINGLE, true, true, annotations));
  OK(ferrion_messenger_reject(receiver, got[4], FERRION_SINGLE, NULL, "unheard", NULL));
  OK(ferrion_messenger_accept(receiver, got[5], FERRION_CUMULATIVE));
  ferrion_value_free(annotations);
  UNTIL(outgoing() == 0);

  CHECK(status(receiver, got[0]) == FERRION_DELIVERY_ACCEPTED);
  CHECK(status(sender, put[0]) == FERRION_DELIVERY_ACCEPTED);
  CHECK(status(sender, put[1]) == FERRION_DELIVERY_REJECTED);
  CHECK(status(sender, put[2]) == FERRION_DELIVERY_RELEASED);
  CHECK(status(sender, put[3]) == FERRION_DELIVERY_MODIFIED);
  CHECK(status(sender, put[4]) == FERRION_DELIVERY_REJECTED);
  CHECK(status(sender, put[5]) == FERRION_DELIVERY_ACCEPTED);
  OK(ferrion_messenger_condition(sender, put[1], &text));
  CHECK(same_text(text, "amqp:not-allowed"));
  OK(ferrion_messenger_reason(sender, put[1], &text));
  CHECK(text.len > 0);
  ferrion_status reason;
  OK(ferrion_messenger_reason_status(sender, put[1], &reason));
  CHECK(reason == FERRION_REMOTE);
  OK(ferrion_messenger_condition_description(sender, put[1], &text));
  CHECK(same_text(text, "not on Sundays"));
  ferrion_value_t *info = ferrion_value_new();
  bool tried = false;
  OK(ferrion_messenger_condition_info(sender, put[1], info));
  OK(ferrion_value_next(info));
  OK(ferrion_value_enter(info));
  OK(ferrion_value_next(info));
  OK(ferrion_value_get_bytes(info, &text));
  CHECK(same_text(text, "x-opt-tried"));
  OK(ferrion_value_next(info));
  OK(ferrion_value_get_bool(info, &tried));
  CHECK(tried);
  IS(FERRION_ABSENT, ferrion_messenger_condition_info(sender, put[4], info));
  ferrion_value_free(info);
  IS(FERRION_ABSENT, ferrion_messenger_condition_description(sender, put[4], &text));
  IS(FERRION_ABSENT, ferrion_messenger_reason_status(sender, put[0], &reason));
  IS(FERRION_ABSENT, ferrion_messenger_condition(sender, put[0], &text));
  OK(ferrion_messenger_settle(sender, put[0], FERRION_SINGLE));
  CHECK(status(sender, put[0]) == FERRION_DELIVERY_UNKNOWN);
}

static void routes_and_rewrites(void) {
  ferrion_tracker_t tracker;
  ferrion_bytes_t text;
  OK(ferrion_messenger_route(sender, "colour/%", address));
  OK(ferrion_messenger_rewrite(sender, "colour/%", "$1"));
  OK(ferrion_message_clear(message));
  OK(ferrion_message_set_address(message, "colour/green"));
  OK(ferrion_messenger_put(sender, message, NULL));
  UNTIL(incoming() == 1);
  OK(ferrion_messenger_get(receiver, message, &tracker));
  OK(ferrion_message_address(message, &text));
  CHECK(same_text(text, "green"));
  OK(ferrion_messenger_remove_route(sender, "colour/%"));
  IS(FERRION_ABSENT, ferrion_messenger_remove_route(sender, "colour/%"));
  OK(ferrion_messenger_remove_rewrite(sender, "colour/%"));
  OK(ferrion_messenger_route(sender, "colour/%", address));
  OK(ferrion_messenger_rewrite(sender, "colour/%", NULL));
  OK(ferrion_messenger_clear_rules(sender));
  IS(FERRION_ABSENT, ferrion_messenger_remove_route(sender, "colour/%"));
  IS(FERRION_ABSENT, ferrion_messenger_remove_rewrite(sender, "colour/%"));
  OK(ferrion_messenger_accept(receiver, tracker, FERRION_SINGLE));
  UNTIL(outgoing() == 0);
}

static void trace(void) {
  ferrion_bytes_t text;
  OK(ferrion_messenger_set_tracing(sender, true));
  OK(ferrion_message_clear(message));
  OK(ferrion_message_set_address(message, address));
  OK(ferrion_messenger_put(sender, message, NULL));
  UNTIL(incoming() == 1);
  bool transfer = false;
  while (ferrion_messenger_poll_trace(sender, &text) == FERRION_OK) {
    char line[512] = {0};
    memcpy(line, text.data, text.len < sizeof line ? text.len : sizeof line - 1);
    transfer = transfer || strstr(line, "@transfer");
  }
  CHECK(transfer);
  IS(FERRION_END, ferrion_messenger_poll_trace(sender, &text));
  /* NULL drops the message. */
  OK(ferrion_messenger_get(receiver, NULL, NULL));
}

static void *interrupt(void *interrupter) {
  OK(ferrion_interrupter_interrupt((ferrion_interrupter_t *)interrupter));
  return NULL;
}

static void interrupts(void) {
  ferrion_interrupter_t *interrupter = ferrion_interrupter_new(receiver);
  pthread_t thread;
  OK(ferrion_messenger_set_blocking(receiver, true));
  CHECK(pthread_create(&thread, NULL, interrupt, interrupter) == 0);
  IS(FERRION_INTERRUPTED, ferrion_messenger_recv(receiver, 1));
  CHECK(pthread_join(thread, NULL) == 0);

  OK(ferrion_messenger_interrupt(receiver));
  IS(FERRION_INTERRUPTED, ferrion_messenger_recv(receiver, 1));

  OK(ferrion_messenger_set_timeout(receiver, 1));
  IS(FERRION_TIMEOUT, ferrion_messenger_recv(receiver, 1));

  ferrion_messenger_t *brief = ferrion_messenger_new("brief");
  ferrion_interrupter_t *survivor = ferrion_interrupter_new(brief);
  ferrion_messenger_free(brief);
  OK(ferrion_interrupter_interrupt(survivor));
  ferrion_interrupter_free(survivor);
  ferrion_interrupter_free(interrupter);
}

static void settings(void) {
  int64_t milliseconds;
  uint64_t number;
  uint32_t size;
  bool truth;
  size_t n;
  ferrion_bytes_t text;
  ferrion_messenger_t *m = ferrion_messenger_new("a name");
  OK(ferrion_messenger_name(m, &text));
  CHECK(same_text(text, "a name"));
  OK(ferrion_messenger_timeout(m, &milliseconds));
  CHECK(milliseconds == -1);
  OK(ferrion_messenger_set_timeout(m, 250));
  OK(ferrion_messenger_timeout(m, &milliseconds));
  CHECK(milliseconds == 250);
  OK(ferrion_messenger_set_timeout(m, INT64_MIN));
  OK(ferrion_messenger_timeout(m, &milliseconds));
  CHECK(milliseconds == -1);
  OK(ferrion_messenger_set_timeout(m, INT64_MAX));
  OK(ferrion_messenger_blocking(m, &truth));
  CHECK(truth);
  OK(ferrion_messenger_outgoing_window(m, &n));
  CHECK(n == 0);
  OK(ferrion_messenger_set_outgoing_window(m, FERRION_UNLIMITED));
  OK(ferrion_messenger_outgoing_window(m, &n));
  CHECK(n == FERRION_UNLIMITED);
  OK(ferrion_messenger_set_credentials(m, "guest", NULL));
  OK(ferrion_messenger_set_listener_user(m, "guest", "secret"));
  OK(ferrion_messenger_set_listener_user(m, "guest", NULL));
  OK(ferrion_messenger_set_listener_token(m, "guest", "eyJhbGciOi"));
  OK(ferrion_messenger_set_listener_token(m, "guest", NULL));
  OK(ferrion_messenger_set_idle_time_out(m, 1000));
  OK(ferrion_messenger_set_high_water(m, 10, 1000));
  OK(ferrion_messenger_limit(m, FERRION_LIMIT_CONNECTION_OCTETS, &number));
  CHECK(number == 1 << 30);
  OK(ferrion_messenger_set_limit(m, FERRION_LIMIT_CONNECTION_OCTETS, 1 << 20));
  OK(ferrion_messenger_limit(m, FERRION_LIMIT_CONNECTION_OCTETS, &number));
  CHECK(number == 1 << 20);
  IS(FERRION_INVALID_ARGUMENT, ferrion_messenger_set_limit(m, 0, 1));
  IS(FERRION_INVALID_ARGUMENT, ferrion_messenger_set_limit(m, FERRION_LIMIT_SASL_ROUNDS, UINT64_MAX));
  OK(ferrion_messenger_max_frame_size(m, &size));
  CHECK(size == 1 << 16);
  OK(ferrion_messenger_set_max_frame_size(m, 4096));
  OK(ferrion_messenger_max_frame_size(m, &size));
  CHECK(size == 4096);
  OK(ferrion_messenger_set_max_frame_size(m, 0));
  OK(ferrion_messenger_max_frame_size(m, &size));
  CHECK(size == 1 << 16);
  OK(ferrion_messenger_all_partial_octets(m, &number));
  CHECK(number == 1 << 30);
  OK(ferrion_messenger_set_all_partial_octets(m, 1 << 20));
  OK(ferrion_messenger_all_partial_octets(m, &number));
  CHECK(number == 1 << 20);
  OK(ferrion_messenger_set_allow_plain_without_tls(m, true));
  OK(ferrion_messenger_start(m));
  OK(ferrion_messenger_stop(m));
  OK(ferrion_messenger_stopped(m, &truth));
  CHECK(truth);
  ferrion_messenger_free(m);
}

static void addresses(void) {
  ferrion_bytes_t text;
  ferrion_status why;
  int64_t milliseconds;
  const char *nowhere = "amqp://no..such/q";
  ferrion_messenger_t *m = ferrion_messenger_new(NULL);
  IS(FERRION_ABSENT, ferrion_messenger_address_reason(m, nowhere, &text));
  IS(FERRION_ABSENT, ferrion_messenger_address_status(m, nowhere, &why));
  IS(FERRION_ABSENT, ferrion_messenger_address_condition(m, nowhere, &text));
  IS(FERRION_ABSENT, ferrion_messenger_remote_idle_time_out(m, nowhere, &milliseconds));
  IS(FERRION_ADDRESS, ferrion_messenger_address_reason(m, "http://x", &text));
  IS(FERRION_ADDRESS, ferrion_messenger_remote_idle_time_out(m, "http://x", &milliseconds));
  OK(ferrion_messenger_set_timeout(m, 10000));
  OK(ferrion_messenger_route(m, "*", "amqp://no..such/$1"));
  OK(ferrion_messenger_start(m));
  OK(ferrion_messenger_set_check_routes(m, true));
  IS(FERRION_CONNECT, ferrion_messenger_start(m));
  OK(ferrion_messenger_address_reason(m, "whatever", &text));
  CHECK(text.len > 0);
  OK(ferrion_messenger_address_status(m, nowhere, &why));
  CHECK(why == FERRION_CONNECT);
  IS(FERRION_ABSENT, ferrion_messenger_address_condition(m, nowhere, &text));
  OK(ferrion_messenger_stop(m));
  ferrion_messenger_free(m);
}

static void mistakes(void) {
  ferrion_tracker_t tracker;
  ferrion_delivery_status status;
  uint16_t port;
  ferrion_messenger_t *m = ferrion_messenger_new(NULL);
  CHECK(ferrion_messenger_new("\xff") == NULL);
  CHECK(ferrion_interrupter_new(NULL) == NULL);
  IS(FERRION_STATE, ferrion_messenger_recv(m, 1));
  IS(FERRION_ABSENT, ferrion_messenger_outgoing_tracker(m, &tracker));
  IS(FERRION_ABSENT, ferrion_messenger_incoming_tracker(m, &tracker));
  IS(FERRION_UNKNOWN_TRACKER, ferrion_messenger_status(m, 0, &status));
  IS(FERRION_UNKNOWN_TRACKER, ferrion_messenger_accept(m, UINT64_MAX, FERRION_SINGLE));
  IS(FERRION_UNKNOWN_TRACKER, ferrion_messenger_reject(m, 7, FERRION_SINGLE, NULL, NULL, NULL));
  IS(FERRION_INVALID_ARGUMENT, ferrion_messenger_release(m, 7, 99));
  IS(FERRION_ABSENT, ferrion_messenger_subscription_port(m, 12345, &port));
  OK(ferrion_message_clear(message));
  IS(FERRION_ADDRESS, ferrion_messenger_put(m, message, &tracker));
  IS(FERRION_ADDRESS, ferrion_messenger_subscribe(m, "amqp://[::1", NULL));
  IS(FERRION_ADDRESS, ferrion_messenger_route(m, "*", "$x"));
  IS(FERRION_NULL_POINTER, ferrion_messenger_put(m, NULL, &tracker));
  ferrion_messenger_free(m);
}

int main(void) {
  begin_pair();
  listen_on("", 0);
  outcomes();
  routes_and_rewrites();
  trace();
  interrupts();
  settings();
  addresses();
  mistakes();
  end_pair();
  return 0;
}
