/* Proton C doing the same work as ferrion-bench, with the same options: `proton-bench WORK --name value ...`. */
#include "work.h"

#include <proton/version.h>
#include <stdio.h>
#include <string.h>

static const struct {
  const char *name;
  int (*run)(const options_t *options);
} works[] = {
    {"pair", run_pair},
    {"encode", run_encode},
    {"decode", run_decode},
    {"corpus", run_corpus},
    {"messenger-send", run_messenger_send},
    {"messenger-recv", run_messenger_recv},
};

int main(int argc, char **argv) {
  if (argc == 2 && !strcmp(argv[1], "version")) {
    printf("%d.%d.%d\n", PN_VERSION_MAJOR, PN_VERSION_MINOR, PN_VERSION_POINT);
    return 0;
  }
  for (size_t i = 0; argc > 1 && i < sizeof works / sizeof *works; i++) {
    if (!strcmp(argv[1], works[i].name)) {
      options_t options = options_parse(argc, argv);
      return works[i].run(&options);
    }
  }
  fprintf(stderr, "usage: proton-bench version|pair|encode|decode|corpus|messenger-send|messenger-recv [--name value ...]\n");
  return 2;
}
