/* The little that the test programs in C++ share. */
#ifndef CHECK_HPP
#define CHECK_HPP

#include <ferrion.hpp>

#include "../c/check.h"

/* What is done must throw an Error with this status: the error, to look at more of it. */
template <typename Do>
ferrion::Error thrown(ferrion_status status, Do do_it) {
  try {
    do_it();
  } catch (const ferrion::Error &error) {
    CHECK(error.status() == status);
    CHECK(*error.what() != '\0');
    return error;
  }
  check_failed(__FILE__, __LINE__, "nothing was thrown");
  throw 0;
}

#endif
