/* Runs the random driver of the ABI: drive ROUNDS SEED [FILE...]. First on what the files say, then on octets that a generator
 * of numbers makes up. */
#include "check.h"

extern int ferrion_testing_drive(const uint8_t *data, size_t len);

enum { MOST = 600 };

static void drive_file(const char *name) {
  static uint8_t octets[1 << 20];
  FILE *file = fopen(name, "rb");
  CHECK(file);
  size_t len = fread(octets, 1, sizeof octets, file);
  CHECK(feof(file));
  fclose(file);
  fprintf(stderr, "%s\n", name);
  ferrion_testing_drive(octets, len);
}

static void drive_anything(long rounds, uint64_t seed) {
  uint64_t number = 88172645463325252u ^ seed << 20;
  uint8_t octets[MOST];
  for (long round = 0; round < rounds; round++) {
    for (int i = 0; i < MOST; i++) {
      number ^= number << 13;
      number ^= number >> 7;
      number ^= number << 17;
      octets[i] = (uint8_t)(number >> 24);
    }
    /* Most of the time without sockets. */
    if (round % 16) octets[0] &= (uint8_t)~2u;
    fprintf(stderr, "round %ld\n", round);
    ferrion_testing_drive(octets, sizeof octets);
  }
}

int main(int argc, char **argv) {
  CHECK(argc >= 3);
  for (int i = 3; i < argc; i++) drive_file(argv[i]);
  drive_anything(atol(argv[1]), (uint64_t)atol(argv[2]));
  return 0;
}
