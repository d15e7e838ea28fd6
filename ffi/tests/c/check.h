/* The little that the test programs share. */
#ifndef CHECK_H
#define CHECK_H

#include <ferrion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static inline void check_failed(const char *file, int line, const char *what) {
  fprintf(stderr, "%s:%d: %s (last error: %s)\n", file, line, what, ferrion_last_error());
  exit(1);
}

/* The condition must hold. */
#define CHECK(condition) \
  do { \
    if (!(condition)) check_failed(__FILE__, __LINE__, #condition); \
  } while (0)

/* The call must succeed. */
#define OK(call) CHECK((call) == FERRION_OK)

/* The call must be answered with this status. */
#define IS(status, call) CHECK((call) == (status))

/* Octets that must be these. */
static inline bool same(ferrion_bytes_t bytes, const void *data, size_t len) {
  return bytes.len == len && memcmp(bytes.data, data, len) == 0;
}

static inline bool same_text(ferrion_bytes_t bytes, const char *text) { return same(bytes, text, strlen(text)); }

#define BYTES(text) ((const uint8_t *)(text)), (sizeof(text) - 1)

#endif
