/* What every benchmark program shares with its counterpart in Rust (bench/src/work.rs): the options, the
 * message bodies, the checksum that shows both sides did the same work, and the line that reports a run.
 * The two files must agree octet for octet; the runner compares the checksums. */
#ifndef FERRION_BENCH_WORK_H
#define FERRION_BENCH_WORK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct {
  uint64_t count;      /* messages (or links) that are timed */
  uint64_t warmup;     /* messages before the clock starts */
  size_t body;         /* octets of each message's body */
  bool copied;         /* large payloads are copied into the engine rather than shared with it (ferrion's alone) */
  bool settled;        /* senders settle at once; otherwise every delivery is accepted and settled */
  uint32_t credit;     /* the receiver's credit window, replenished at half */
  uint32_t batch;      /* messages handed over before output is moved */
  uint32_t window;     /* the Messenger's windows */
  uint32_t advance;    /* messages that each Messenger send waits for while more follow */
  uint16_t port;       /* where the Messenger's receiver listens */
  const char *corpus;  /* file of encoded messages, see corpus_load */
  bool all;            /* decode: read every section rather than the routing fields */
} options_t;

/* Reads `--name value` pairs; ends the process with a message on anything it does not know. */
options_t options_parse(int argc, char **argv);

/* Ends the process with a message when `condition` does not hold: a benchmark that goes wrong reports nothing. */
void require(bool condition, const char *what);

/* CLOCK_MONOTONIC in nanoseconds. */
uint64_t now_ns(void);

/* A ring of distinct message payloads: one data section, whose body starts with the index (8 octets, big
 * endian) and goes on with a pattern made from it. */
typedef struct {
  size_t len;        /* slots */
  size_t overhead;   /* octets of the section's constructor, before the body */
  size_t octets;     /* length of each payload */
  uint8_t **payload;
} ring_t;

ring_t ring_new(size_t body);
const uint8_t *ring_payload(const ring_t *ring, uint64_t index);
/* Whether `payload` is what slot `index` holds, octet for octet. */
bool ring_matches(const ring_t *ring, uint64_t index, const uint8_t *payload, size_t octets);

/* Folds 64 bits into a checksum. */
static inline uint64_t fold(uint64_t sum, uint64_t value) {
  return (((sum << 5) | (sum >> 59)) ^ value) * 0x9e3779b97f4a7c15u;
}

/* The first eight octets at `at`, big endian. */
static inline uint64_t load64(const uint8_t *at) {
  uint64_t value;
  __builtin_memcpy(&value, at, sizeof value);
  return __builtin_bswap64(value);
}

/* Folds what a receiver looks at in a payload: its length and its body's first and last eight octets. */
static inline uint64_t fold_payload(uint64_t sum, const uint8_t *payload, size_t octets, size_t overhead) {
  sum = fold(sum, octets);
  sum = fold(sum, load64(payload + overhead));
  return fold(sum, load64(payload + octets - 8));
}

/* Prints the line that the runner reads. */
void report(uint64_t count, uint64_t nanos, uint64_t octets, uint64_t check);

/* Encoded messages, each as a 4-octet big-endian length and its octets. */
typedef struct {
  size_t len;
  uint8_t **message;
  size_t *octets;
} corpus_t;

corpus_t corpus_load(const char *path);

int run_pair(const options_t *options);
int run_encode(const options_t *options);
int run_decode(const options_t *options);
int run_corpus(const options_t *options);
int run_messenger_send(const options_t *options);
int run_messenger_recv(const options_t *options);

#endif
