/* The header for Ruby: the module Ferrion::Abi. The classes that people use stand on it, in lib/ferrion/. */
%module "ferrion::abi"

%{
#include <ferrion.h>
#include "convert.h"
#include "calls.h"
%}

/* One result is returned as it is, several as an array. */
%define FERRION_ADD_RESULT(OBJECT)
$result = ferrion_rb_add($result, OBJECT)
%enddef

/* Octets in: a string, whatever its encoding. */
%typemap(in, noblock=1) (const uint8_t *data, size_t len) (VALUE octets) {
  octets = $input;
  StringValue(octets);
  $1 = (uint8_t *)RSTRING_PTR(octets);
  $2 = (size_t)RSTRING_LEN(octets);
}
%typemap(freearg, noblock=1) (const uint8_t *data, size_t len) { RB_GC_GUARD(octets$argnum); }

/* Text in: a string, or nil where the header allows NULL. A NUL inside would cut it short. */
%typemap(in, noblock=1) const char * (VALUE text) {
  text = Qnil;
  $1 = ferrion_rb_text($input, &text);
}
%typemap(freearg, noblock=1) const char * { RB_GC_GUARD(text$argnum); }

/* Octets and text out. */
%typemap(in, numinputs=0, noblock=1) ferrion_bytes_t * (ferrion_bytes_t lent) { $1 = &lent; }
%typemap(argout, noblock=1) ferrion_bytes_t * {
  if (result == FERRION_OK) { FERRION_ADD_RESULT(rb_str_new((const char *)$1->data, (long)$1->len)); }
}
%typemap(argout, noblock=1) ferrion_bytes_t *out_text {
  if (result == FERRION_OK) { FERRION_ADD_RESULT(rb_utf8_str_new((const char *)$1->data, (long)$1->len)); }
}

/* Values: any Ruby object in, Ferrion::Row for several, or Abi::NOTHING for no value at all; an array of Ruby objects out. */
%typemap(in, noblock=1) const ferrion_value_t *value (VALUE holder) {
  $1 = ferrion_rb_lend(&holder);
  if ($input != ferrion_rb_nothing) ferrion_rb_put_row($1, $input);
}
%typemap(freearg, noblock=1) const ferrion_value_t *value { ferrion_rb_give_back(holder$argnum); }
%typemap(in, numinputs=0, noblock=1) ferrion_value_t *out_value (VALUE holder) { $1 = ferrion_rb_lend(&holder); }
%typemap(argout, noblock=1) ferrion_value_t *out_value {
  if (result == FERRION_OK) { FERRION_ADD_RESULT(ferrion_rb_get_all($1)); }
}
%typemap(freearg, noblock=1) ferrion_value_t *out_value { ferrion_rb_give_back(holder$argnum); }
%apply const ferrion_value_t *value { const ferrion_value_t *annotations, const ferrion_value_t *info };
%rename($ignore, regextarget=1) "^ferrion_value_";

/* A failure is the exception that Ferrion registered for it; nil says that what is optional is not there. */
%typemap(out, noblock=1) ferrion_status {
  if ($1 != FERRION_OK && $1 != FERRION_ABSENT) ferrion_rb_raise($1);
  $result = Qnil;
}
/* A call without results tells by true or nil whether what it was about was there. SWIG knows no $result here for Ruby. */
%typemap(ret, noblock=1) ferrion_status {
  if (result == FERRION_OK && NIL_P(vresult)) { vresult = Qtrue; }
}
/* These are made again until they are finished, so that is no exception: the answer is false. */
%define FERRION_UNFINISHED(FUNCTION)
%typemap(out, noblock=1) ferrion_status FUNCTION {
  if ($1 == FERRION_WOULD_BLOCK || $1 == FERRION_TIMEOUT) {
    $result = Qfalse;
  } else {
    if ($1 != FERRION_OK) ferrion_rb_raise($1);
    $result = Qtrue;
  }
}
%enddef
FERRION_UNFINISHED(ferrion_messenger_start)
FERRION_UNFINISHED(ferrion_messenger_send)
FERRION_UNFINISHED(ferrion_messenger_recv)
FERRION_UNFINISHED(ferrion_recv_at_once)
FERRION_UNFINISHED(ferrion_messenger_stop)
FERRION_UNFINISHED(ferrion_messenger_unsubscribe)

/* This one can wait for a name to be looked up: other threads run meanwhile, and Ctrl-C is heard. */
%exception ferrion_messenger_subscribe_with {
  result = ferrion_rb_subscribe(arg1, arg2, arg3, arg4);
}

void ferrion_rb_register(VALUE exceptions, VALUE types, VALUE nothing);

%include "ferrion.i"
%include "at_once.i"
