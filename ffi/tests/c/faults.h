/* Faults inside the library, planted where a program wants them. Only builds for tests have these two. */
#ifndef FAULTS_H
#define FAULTS_H

#include "check.h"

extern volatile size_t ferrion_testing_faulty, ferrion_testing_calls_before;

/* So many calls on this object go well, and the one after them does not. */
static inline void plant(const void *object, size_t calls_before) {
  ferrion_testing_calls_before = calls_before;
  ferrion_testing_faulty = (size_t)object;
}

/* A call in which the fault happened: it says so, and what to do. */
static inline void faulty(ferrion_status status) {
  IS(FERRION_PANIC, status);
  CHECK(strstr(ferrion_last_error(), "a fault that a test planted"));
  CHECK(strstr(ferrion_last_error(), "please report it"));
}

/* A call on an object that suffered one earlier. */
static inline void spoilt(ferrion_status status) {
  IS(FERRION_POISONED, status);
  CHECK(strstr(ferrion_last_error(), "free it and make a new one"));
}

#endif
