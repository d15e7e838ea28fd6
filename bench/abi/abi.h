/* What the programs that use ferrion by its header share, beside what they share with Proton's. */
#ifndef FERRION_BENCH_ABI_H
#define FERRION_BENCH_ABI_H

#include "../proton/work.h"

#include <ferrion.h>

/* Nothing here depends on time. */
enum { NOW = 0 };

/* The call must succeed; asked where it is made, as programs do. */
#define MUST(call)                                 \
  do {                                             \
    if ((call) != FERRION_OK) require(false, #call); \
  } while (0)

/* Two engines, and a link from one to the other. */
typedef struct {
  const options_t *options;
  ring_t ring;
  ferrion_message_t **shared; /* the payloads as messages, each made once, where they are shared with the engine */
  uint64_t total;
  ferrion_engine_t *client, *server;
  ferrion_link_t sender, receiver;
  uint64_t sent;
  uint64_t received;
  uint64_t acknowledged; /* accepted and settled, seen by the sender */
  uint64_t check;
} pair_t;

/* Makes the engines and the link, of which `options` and `ring` are set. */
void pair_establish(pair_t *pair);
void pair_free(pair_t *pair);
/* Moves everything `from` has to say into `to`, by copy; whether there was something. */
bool pair_carry(ferrion_engine_t *from, ferrion_engine_t *to);

int run_calls(const options_t *options);
int run_messenger_pair(const options_t *options);

#endif
