#include "work.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

void require(bool condition, const char *what) {
  if (!condition) {
    fprintf(stderr, "proton-bench: failed: %s\n", what);
    exit(1);
  }
}

options_t options_parse(int argc, char **argv) {
  options_t options = {.count = 100000, .warmup = 10000, .body = 100, .credit = 1000, .batch = 100, .window = 2000, .advance = 50};
  for (int i = 2; i < argc; i += 2) {
    const char *name = argv[i];
    require(i + 1 < argc, "every option takes a value");
    const char *value = argv[i + 1];
    if (!strcmp(name, "--count")) options.count = strtoull(value, NULL, 10);
    else if (!strcmp(name, "--warmup")) options.warmup = strtoull(value, NULL, 10);
    else if (!strcmp(name, "--body")) options.body = strtoull(value, NULL, 10);
    else if (!strcmp(name, "--payload")) options.copied = !strcmp(value, "copied");
    else if (!strcmp(name, "--mode")) options.settled = !strcmp(value, "settled");
    else if (!strcmp(name, "--credit")) options.credit = (uint32_t)strtoul(value, NULL, 10);
    else if (!strcmp(name, "--batch")) options.batch = (uint32_t)strtoul(value, NULL, 10);
    else if (!strcmp(name, "--window")) options.window = (uint32_t)strtoul(value, NULL, 10);
    else if (!strcmp(name, "--advance")) options.advance = (uint32_t)strtoul(value, NULL, 10);
    else if (!strcmp(name, "--port")) options.port = (uint16_t)strtoul(value, NULL, 10);
    else if (!strcmp(name, "--corpus")) options.corpus = value;
    else if (!strcmp(name, "--read")) options.all = !strcmp(value, "all");
    else require(false, name);
  }
  require(options.body >= 8, "a body holds at least its index: 8 octets");
  return options;
}

uint64_t now_ns(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static void put32(uint8_t *at, uint32_t value) {
  for (int i = 0; i < 4; i++) at[i] = (uint8_t)(value >> (24 - 8 * i));
}

ring_t ring_new(size_t body) {
  ring_t ring = {.len = body > 65536 ? 8 : 64, .overhead = body < 256 ? 5 : 8};
  ring.octets = ring.overhead + body;
  ring.payload = calloc(ring.len, sizeof *ring.payload);
  for (size_t i = 0; i < ring.len; i++) {
    uint8_t *at = malloc(ring.octets);
    ring.payload[i] = at;
    at[0] = 0x00;
    at[1] = 0x53;
    at[2] = 0x75;
    if (body < 256) {
      at[3] = 0xa0;
      at[4] = (uint8_t)body;
    } else {
      at[3] = 0xb0;
      put32(at + 4, (uint32_t)body);
    }
    at += ring.overhead;
    for (size_t j = 0; j < body; j++) at[j] = (uint8_t)(i * 31 + j * 7 + (j >> 8));
    put32(at, 0);
    put32(at + 4, (uint32_t)i);
  }
  return ring;
}

const uint8_t *ring_payload(const ring_t *ring, uint64_t index) {
  return ring->payload[index % ring->len];
}

bool ring_matches(const ring_t *ring, uint64_t index, const uint8_t *payload, size_t octets) {
  return octets == ring->octets && !memcmp(payload, ring_payload(ring, index), octets);
}

void report(uint64_t count, uint64_t nanos, uint64_t octets, uint64_t check) {
  printf("{\"count\":%" PRIu64 ",\"nanos\":%" PRIu64 ",\"octets\":%" PRIu64 ",\"check\":\"%016" PRIx64 "\"}\n", count, nanos,
         octets, check);
  fflush(stdout);
}

corpus_t corpus_load(const char *path) {
  require(path != NULL, "--corpus FILE is needed");
  FILE *file = fopen(path, "rb");
  require(file != NULL, "the corpus can be opened");
  corpus_t corpus = {0};
  uint8_t head[4];
  while (fread(head, 1, 4, file) == 4) {
    size_t octets = (size_t)head[0] << 24 | (size_t)head[1] << 16 | (size_t)head[2] << 8 | head[3];
    corpus.message = realloc(corpus.message, (corpus.len + 1) * sizeof *corpus.message);
    corpus.octets = realloc(corpus.octets, (corpus.len + 1) * sizeof *corpus.octets);
    corpus.message[corpus.len] = malloc(octets);
    corpus.octets[corpus.len] = octets;
    require(fread(corpus.message[corpus.len], 1, octets, file) == octets, "the corpus is whole");
    corpus.len++;
  }
  fclose(file);
  require(corpus.len > 0, "the corpus holds messages");
  return corpus;
}
