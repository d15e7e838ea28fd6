/* What a subscription asks of a peer, what the peer grants of it, and how the header says both. */
#include "pair.h"

static ferrion_subscribe_options_t *options;
static ferrion_value_t *value;

static ferrion_subscription_t subscribe(const char *name) {
  ferrion_subscription_t subscription;
  char text[96];
  snprintf(text, sizeof text, "127.0.0.1:%u/%s", (unsigned)port, name);
  OK(ferrion_messenger_subscribe_with(sender, text, options, &subscription));
  return subscription;
}

static bool answered(ferrion_subscription_t subscription) {
  ferrion_status status = ferrion_messenger_subscription_source(sender, subscription, value);
  CHECK(status == FERRION_OK || status == FERRION_ABSENT);
  return status == FERRION_OK;
}

/* New options that ask for nothing. */
static void anew(void) {
  ferrion_subscribe_options_free(options);
  options = ferrion_subscribe_options_new();
  CHECK(options);
}

/* A value that is described: a filter. */
static void make_filter(void) {
  OK(ferrion_value_clear(value));
  OK(ferrion_value_begin_described(value));
  OK(ferrion_value_put_symbol_text(value, "example:stream-offset"));
  OK(ferrion_value_put_text(value, "first"));
  OK(ferrion_value_end(value));
}

/* Whether the frame that asked has this text in it. */
static bool asked(const char *trace, const char *what) {
  if (strstr(trace, what)) return true;
  fprintf(stderr, "%s is not in %s\n", what, trace);
  return false;
}

static void all_of_it_is_asked_for(void) {
  static char attach[4096];
  ferrion_bytes_t line;
  anew();
  OK(ferrion_subscribe_options_set_ttl(options, 60000));
  OK(ferrion_subscribe_options_set_durable(options, "invoices"));
  OK(ferrion_subscribe_options_set_selector(options, "price > 10"));
  OK(ferrion_subscribe_options_set_no_local(options));
  make_filter();
  OK(ferrion_subscribe_options_add_filter(options, "offset", value));
  OK(ferrion_subscribe_options_set_filters_optional(options));
  OK(ferrion_subscribe_options_set_copies(options));
  OK(ferrion_subscribe_options_add_capability(options, "topic"));
  OK(ferrion_value_clear(value));
  OK(ferrion_value_put_uint(value, 4711));
  OK(ferrion_subscribe_options_set_link_property(options, "example:link", value));
  OK(ferrion_subscribe_options_set_node_property(options, "example:node", value));
  OK(ferrion_subscribe_options_set_credit(options, 2));
  OK(ferrion_messenger_set_tracing(sender, true));
  ferrion_subscription_t subscription = subscribe("#");
  UNTIL(answered(subscription));
  while (ferrion_messenger_poll_trace(sender, &line) == FERRION_OK) {
    char text[4096] = {0};
    memcpy(text, line.data, line.len < sizeof text ? line.len : sizeof text - 1);
    if (strstr(text, "-> @attach")) memcpy(attach, text, sizeof attach);
  }
  OK(ferrion_messenger_set_tracing(sender, false));
  const char *parts[] = {"invoices", "price > 10", "apache.org:selector-filter:string", "apache.org:no-local-filter:list",
                         "example:stream-offset", "first", "copy", "topic", "example:link", "example:node", "4711",
                         "link-detach", "60"};
  for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) CHECK(asked(attach, parts[i]));

  /* What the peer does not do is told, and was not insisted on. */
  bool warned = false;
  while (ferrion_messenger_poll_warning(sender, &line) == FERRION_OK) warned = true;
  CHECK(warned);
  /* The source of its answer is a described list. */
  ferrion_type type;
  OK(ferrion_value_next(value));
  OK(ferrion_value_type(value, &type));
  CHECK(type == FERRION_TYPE_DESCRIBED);
}

static void what_was_insisted_on_is_a_failure(void) {
  ferrion_status received = FERRION_OK;
  anew();
  OK(ferrion_subscribe_options_set_selector(options, "price > 10"));
  subscribe("selected");
  UNTIL((received = ferrion_messenger_recv(sender, 1)) != FERRION_WOULD_BLOCK);
  CHECK(received == FERRION_SUBSCRIBE);
  CHECK(strstr(ferrion_last_error(), "selector"));
}

static void a_subscription_can_be_kept_for_a_time(void) {
  char text[64];
  ferrion_subscription_t subscription;
  snprintf(text, sizeof text, "127.0.0.1:%u/kept", (unsigned)port);
  OK(ferrion_messenger_subscribe_ttl(sender, text, 1500, &subscription));
  CHECK(!answered(subscription));
  UNTIL(answered(subscription));
}

/* Whether the frame that ends a link says this. */
static bool detached(const char *how) {
  ferrion_bytes_t line;
  while (ferrion_messenger_poll_trace(sender, &line) == FERRION_OK) {
    char text[256] = {0};
    memcpy(text, line.data, line.len < sizeof text ? line.len : sizeof text - 1);
    if (strstr(text, "-> @detach")) return strstr(text, how) != NULL;
  }
  return false;
}

static void a_subscription_ends_here_or_for_good(void) {
  ferrion_status ended = FERRION_OK;
  OK(ferrion_messenger_set_tracing(sender, true));
  for (int keep = 0; keep < 2; keep++) {
    anew();
    OK(ferrion_subscribe_options_set_durable(options, keep ? "stays" : "ends"));
    ferrion_subscription_t subscription = subscribe("news");
    UNTIL(answered(subscription));
    UNTIL((ended = ferrion_messenger_unsubscribe(sender, subscription, keep)) != FERRION_WOULD_BLOCK);
    CHECK(ended == FERRION_OK);
    CHECK(detached("closed=true") == !keep);
    IS(FERRION_ABSENT, ferrion_messenger_subscription_source(sender, subscription, value));
    /* It has ended. */
    OK(ferrion_messenger_unsubscribe(sender, subscription, false));
  }
  OK(ferrion_messenger_set_tracing(sender, false));
}

static void mistakes(void) {
  ferrion_subscription_t subscription = 7;
  anew();
  OK(ferrion_subscribe_options_set_name(options, "named"));
  OK(ferrion_subscribe_options_set_distribution_mode(options, "move"));
  /* Whoever listens asks nobody. */
  IS(FERRION_SUBSCRIBE, ferrion_messenger_subscribe_with(sender, "~127.0.0.1:0", options, &subscription));
  OK(ferrion_subscribe_options_set_distribution_mode(options, "m\xc3\xb6ve"));
  IS(FERRION_SUBSCRIBE, ferrion_messenger_subscribe_with(sender, address, options, &subscription));
  CHECK(subscription == 7);
  OK(ferrion_value_clear(value));
  IS(FERRION_INVALID_ARGUMENT, ferrion_subscribe_options_add_filter(options, "offset", value));
  OK(ferrion_value_put_text(value, "plain"));
  IS(FERRION_WRONG_TYPE, ferrion_subscribe_options_add_filter(options, "offset", value));
  /* These listen all the same. */
  anew();
  OK(ferrion_subscribe_options_set_credit(options, 0));
  OK(ferrion_messenger_subscribe_with(sender, "~127.0.0.1:0", options, &subscription));
  OK(ferrion_messenger_subscribe_with(sender, "~127.0.0.1:0", NULL, NULL));
  IS(FERRION_ABSENT, ferrion_messenger_subscription_source(sender, subscription, value));
  IS(FERRION_ABSENT, ferrion_messenger_subscription_source(sender, UINT64_MAX, value));
}

int main(void) {
  value = ferrion_value_new();
  CHECK(value);
  begin_pair();
  listen_on("", 0);
  all_of_it_is_asked_for();
  what_was_insisted_on_is_a_failure();
  a_subscription_can_be_kept_for_a_time();
  a_subscription_ends_here_or_for_good();
  mistakes();
  end_pair();
  ferrion_subscribe_options_free(options);
  ferrion_value_free(value);
  return 0;
}
