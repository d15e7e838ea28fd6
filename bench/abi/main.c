/* ferrion by its C header doing the same work as ferrion-bench, with the same options: `abi-bench WORK --name value ...`.
 * What it takes more is what the border between C and Rust costs. */
#include "abi.h"

#include <stdio.h>
#include <string.h>

static const struct {
  const char *name;
  int (*run)(const options_t *options);
} works[] = {
    {"pair", run_pair},
    {"calls", run_calls},
    {"encode", run_encode},
    {"decode", run_decode},
    {"messenger-pair", run_messenger_pair},
};

int main(int argc, char **argv) {
  for (size_t i = 0; argc > 1 && i < sizeof works / sizeof *works; i++) {
    if (!strcmp(argv[1], works[i].name)) {
      options_t options = options_parse(argc, argv);
      return works[i].run(&options);
    }
  }
  fprintf(stderr, "usage: abi-bench pair|calls|encode|decode|messenger-pair [--name value ...]\n");
  return 2;
}
