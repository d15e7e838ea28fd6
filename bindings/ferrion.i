/*
 * What every SWIG language shares: include/ferrion.h with its results as return values and its objects under the care of
 * the language's garbage collector. It is short because the header is uniform; ffi/tests/abi/rules.rs keeps it so.
 *
 * A language's own file says %module and includes this one after it has told how
 *   - (const uint8_t *data, size_t len)    octets go in
 *   - ferrion_bytes_t *                    octets come out; *out_text comes out as text
 *   - ferrion_status                       a failure becomes an exception; FERRION_ABSENT becomes the language's nothing
 *   - FERRION_ADD_RESULT(object)           one more result of a call is added to $result
 * For languages whose only floats are doubles there are ferrion_widen and ferrion_narrow.
 */

%{
#include <ferrion.h>
#include <string.h>

/* The double that stands for a float. The processor's own conversion makes another NaN of one that signals. */
static inline double ferrion_widen(float number) {
  uint32_t bits;
  memcpy(&bits, &number, sizeof bits);
  if (number == number) return number;
  uint64_t wide = (uint64_t)(bits >> 31) << 63 | (uint64_t)0x7ff << 52 | (uint64_t)(bits & 0x7fffff) << 29;
  double widened;
  memcpy(&widened, &wide, sizeof widened);
  return widened;
}

/* The float nearest to a double, and the same NaN if it is one. */
static inline float ferrion_narrow(double number) {
  uint64_t wide;
  memcpy(&wide, &number, sizeof wide);
  if (number == number) return (float)number;
  uint32_t bits = (uint32_t)(wide >> 63) << 31 | (uint32_t)0xff << 23 | (uint32_t)(wide >> 29 & 0x7fffff);
  /* Without any bit of those it would be infinity. */
  if (!(bits & 0x7fffff)) bits |= 0x400000;
  float narrowed;
  memcpy(&narrowed, &bits, sizeof narrowed);
  return narrowed;
}
%}

%include <typemaps.i>
%include <stdint.i>

/* By the header's rules a pointer to a number is a result. Nothing was written unless the call succeeded. */
%define FERRION_RESULT(TYPE, SAME_AS)
%typemap(in, numinputs=0, noblock=1) TYPE * (TYPE written) { $1 = &written; }
%typemap(argout, noblock=1, fragment=SWIG_From_frag(SAME_AS)) TYPE * {
  if (result == FERRION_OK) { FERRION_ADD_RESULT(SWIG_From(SAME_AS)((SAME_AS)*$1)); }
}
%enddef
FERRION_RESULT(bool, bool)
FERRION_RESULT(float, float)
FERRION_RESULT(double, double)
FERRION_RESULT(int8_t, int)
FERRION_RESULT(int16_t, int)
FERRION_RESULT(int32_t, int)
FERRION_RESULT(int64_t, long long)
FERRION_RESULT(uint8_t, unsigned int)
FERRION_RESULT(uint16_t, unsigned int)
FERRION_RESULT(uint32_t, unsigned int)
FERRION_RESULT(uint64_t, unsigned long long)
FERRION_RESULT(size_t, size_t)
FERRION_RESULT(ferrion_tracker_t, unsigned long long)
FERRION_RESULT(ferrion_subscription_t, unsigned long long)
FERRION_RESULT(ferrion_request_t, unsigned long long)
FERRION_RESULT(ferrion_type, int)
FERRION_RESULT(ferrion_body, int)
FERRION_RESULT(ferrion_delivery_status, int)
FERRION_RESULT(ferrion_connection_event, int)
FERRION_RESULT(ferrion_status, int)
/* What a call does not change is no result. */
%typemap(argout) const uint8_t * ""

/* Objects are freed when the script lets go of them, and only then: a script cannot use one that is gone. */
%define FERRION_OBJECT(NOUN)
%nodefaultctor ferrion_##NOUN##_t;
%newobject ferrion_##NOUN##_new;
%ignore ferrion_##NOUN##_free;
typedef struct {} ferrion_##NOUN##_t;
%extend ferrion_##NOUN##_t { ~ferrion_##NOUN##_t() { ferrion_##NOUN##_free($self); } }
%enddef
FERRION_OBJECT(value)
FERRION_OBJECT(message)
FERRION_OBJECT(messages)
FERRION_OBJECT(messenger)
FERRION_OBJECT(interrupter)
FERRION_OBJECT(reconnect)
FERRION_OBJECT(link_recovery)
FERRION_OBJECT(subscribe_options)
FERRION_OBJECT(connection_events)

/*
 * What is for programs with sockets of their own. It lends structs and memory that scripts cannot hold safely. A language that
 * has found a way defines FERRION_ENGINE, and its file engine.i tells how.
 * LEFT OUT: ferrion_engine_, ferrion_config_, ferrion_session_, ferrion_link_, ferrion_send_options_, ferrion_sender_, ferrion_receiver_,
 * ferrion_scram_, ferrion_connection_open, ferrion_connection_close, ferrion_connection_begin, ferrion_connection_is,
 * ferrion_connection_remote.
 */
#ifdef FERRION_ENGINE
%include "engine.i"
#else
%rename($ignore, regextarget=1) "^ferrion_(engine_|config_|session_|link_(?!recovery_)|send_options_|sender_|receiver_|scram_|connection_open|connection_close|connection_begin|connection_is|connection_remote)";
%rename($ignore, regextarget=1) "^ferrion_(room|event|update|unsettled|recovery|incoming|partial|remembered|census)_t$";
#endif

%ignore ferrion_bytes_t;
%include <ferrion.h>
