/*
 * The call that can wait inside of the library, made while other Ruby threads run. All other waiting is Ruby's own, on the
 * descriptor of the messenger.
 */
#ifndef FERRION_CALLS_H
#define FERRION_CALLS_H

#include <ferrion.h>
#include <ruby.h>
#include <ruby/thread.h>

/* ferrion_messenger_subscribe_with. A signal or another thread that wants this one interrupts it. */
static ferrion_status ferrion_rb_subscribe(ferrion_messenger_t *messenger, const char *address,
                                           const ferrion_subscribe_options_t *options, ferrion_subscription_t *subscription);

/* ------------------------------------------------------------------------------------------------------------------ */

typedef struct {
  ferrion_messenger_t *messenger;
  const char *address;
  const ferrion_subscribe_options_t *options;
  ferrion_subscription_t *subscription;
  ferrion_status status;
  volatile bool wanted;
} ferrion_rb_subscribing;

static void *ferrion_rb_do_subscribe(void *data) {
  ferrion_rb_subscribing *it = (ferrion_rb_subscribing *)data;
  it->status = ferrion_messenger_subscribe_with(it->messenger, it->address, it->options, it->subscription);
  return NULL;
}

static void ferrion_rb_stop_subscribing(void *data) {
  ferrion_rb_subscribing *it = (ferrion_rb_subscribing *)data;
  it->wanted = true;
  ferrion_messenger_interrupt(it->messenger);
}

static ferrion_status ferrion_rb_subscribe(ferrion_messenger_t *messenger, const char *address,
                                           const ferrion_subscribe_options_t *options, ferrion_subscription_t *subscription) {
  for (;;) {
    ferrion_rb_subscribing it = {messenger, address, options, subscription, FERRION_OK, false};
    /* No argument is checked by then; what is NULL is refused inside. */
    rb_thread_call_without_gvl(ferrion_rb_do_subscribe, &it, ferrion_rb_stop_subscribing, &it);
    if (!it.wanted) return it.status;
    if (it.status != FERRION_INTERRUPTED) {
      /* It ended by itself in the same moment: the interrupt is not for the next call that waits. */
      bool worked = false;
      ferrion_messenger_work(messenger, 0, &worked);
      return it.status;
    }
    /* Raises what was wanted; if that was no more than a handler that has run, everything begins anew. */
    rb_thread_check_ints();
  }
}

#endif
