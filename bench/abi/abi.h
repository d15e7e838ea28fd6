/* What the programs that use ferrion by its header share, beside what they share with Proton's. */
#ifndef FERRION_BENCH_ABI_H
#define FERRION_BENCH_ABI_H

#include "../proton/work.h"

#include <ferrion.h>

/* Nothing here depends on time. */
enum { NOW = 0 };

/* The call must succeed. */
#define MUST(call) require((call) == FERRION_OK, #call)

int run_messenger_pair(const options_t *options);

#endif
