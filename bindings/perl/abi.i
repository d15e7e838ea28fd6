/* The header for Perl: the package Ferrion::Abi. The classes that people use stand on it, in lib/. */
%module(package="Ferrion::Abi") Ferrion

%{
#include <ferrion.h>
#include "errors.h"
#include "handles.h"
#include "convert.h"
/* What SWIG itself refuses is an object too. */
#undef SWIG_Error
#define SWIG_Error(code, text) ferrion_pl_refuse_later(aTHX_ text)
%}

/* Several results are a list. */
%define FERRION_ADD_RESULT(OBJECT)
if (argvi >= items) EXTEND(sp, argvi + 1);
$result = OBJECT;
argvi++
%enddef

/* Objects of the header are handles, which cannot be made up, and are freed once. */
%typemap(out, noblock=1) SWIGTYPE * {
  $result = ferrion_pl_hold(aTHX_ $1, (ferrion_pl_free *)delete_$*1_ltype, $1_descriptor, 0);
  argvi++;
}
%typemap(out, noblock=1) ferrion_messenger_t * {
  $result = ferrion_pl_hold(aTHX_ $1, (ferrion_pl_free *)delete_$*1_ltype, $1_descriptor, getpid());
  argvi++;
}
/* $disown is set where the object is freed: it is given up, and the free function gets NULL, which is fine with it. */
%typemap(in, noblock=1) SWIGTYPE * { $1 = ($1_ltype)ferrion_pl_held(aTHX_ $input, $1_descriptor, ($disown) != 0); }

/* Octets in: a string without characters above 255. */
%typemap(in, noblock=1) (const uint8_t *data, size_t len) { $1 = (uint8_t *)ferrion_pl_octets(aTHX_ $input, &$2); }
%typemap(freearg) (const uint8_t *data, size_t len) ""

/* Text in: a string, or undef where the header allows NULL. A NUL inside would cut it short. */
%typemap(in, noblock=1) const char * { $1 = (char *)ferrion_pl_text(aTHX_ $input); }
%typemap(freearg) const char * ""

/* Octets and text out. */
%typemap(in, numinputs=0, noblock=1) ferrion_bytes_t * (ferrion_bytes_t lent) { $1 = &lent; }
%typemap(argout, noblock=1) ferrion_bytes_t * {
  if (result == FERRION_OK) { FERRION_ADD_RESULT(newSVpvn_flags((const char *)$1->data, $1->len, SVs_TEMP)); }
}
%typemap(argout, noblock=1) ferrion_bytes_t *out_text {
  if (result == FERRION_OK) { FERRION_ADD_RESULT(newSVpvn_flags((const char *)$1->data, $1->len, SVs_TEMP | SVf_UTF8)); }
}

/* Values: any Perl value in, $Ferrion::Abi::ROW of several, or $Ferrion::Abi::NOTHING for none at all; an array of Perl values out. */
%typemap(in, noblock=1) const ferrion_value_t *value {
  $1 = ferrion_pl_lend(aTHX);
  ferrion_pl_put_row(aTHX_ $1, $input);
}
%typemap(in, numinputs=0, noblock=1) ferrion_value_t *out_value { $1 = ferrion_pl_lend(aTHX); }
%typemap(argout, noblock=1) ferrion_value_t *out_value {
  if (result == FERRION_OK) { FERRION_ADD_RESULT(sv_2mortal(newRV_inc((SV *)ferrion_pl_get_all(aTHX_ $1)))); }
}
%apply const ferrion_value_t *value { const ferrion_value_t *annotations, const ferrion_value_t *info };
%rename($ignore, regextarget=1) "^ferrion_value_";

/* A failure is the exception that Ferrion::Error has for it. */
%typemap(out, noblock=1) ferrion_status {
  if ($1 != FERRION_OK && $1 != FERRION_ABSENT) ferrion_pl_raise(aTHX_ $1);
}
/* What is optional and not there is undef; a call without results tells by true or undef whether what it was about was there. */
%typemap(ret, noblock=1) ferrion_status {
  if (argvi == 0) {
    ST(0) = $1 == FERRION_OK ? &PL_sv_yes : &PL_sv_undef;
    argvi = 1;
  }
}
/* These are made again until they are finished, so that is no exception: the answer is false. */
%define FERRION_UNFINISHED(FUNCTION)
%typemap(out, noblock=1) ferrion_status FUNCTION {
  if ($1 != FERRION_OK && $1 != FERRION_WOULD_BLOCK && $1 != FERRION_TIMEOUT) ferrion_pl_raise(aTHX_ $1);
  $result = boolSV($1 == FERRION_OK);
  argvi++;
}
%enddef
FERRION_UNFINISHED(ferrion_messenger_start)
FERRION_UNFINISHED(ferrion_messenger_send)
FERRION_UNFINISHED(ferrion_messenger_recv)
FERRION_UNFINISHED(ferrion_recv_at_once)
FERRION_UNFINISHED(ferrion_messenger_stop)
FERRION_UNFINISHED(ferrion_messenger_unsubscribe)

/* Whole numbers in, which undef and text without digits are not. */
%define FERRION_WHOLE(TYPE, AS)
%typemap(in, noblock=1) TYPE { $1 = (TYPE)ferrion_pl_bits(aTHX_ $input, FERRION_TYPE_##AS); }
%enddef
FERRION_WHOLE(int32_t, INT)
FERRION_WHOLE(int64_t, LONG)
FERRION_WHOLE(uint8_t, UBYTE)
FERRION_WHOLE(uint16_t, USHORT)
FERRION_WHOLE(uint32_t, UINT)
FERRION_WHOLE(uint64_t, ULONG)
FERRION_WHOLE(size_t, ULONG)
FERRION_WHOLE(ferrion_tracker_t, ULONG)
FERRION_WHOLE(ferrion_subscription_t, ULONG)
FERRION_WHOLE(ferrion_request_t, ULONG)

%include "../ferrion.i"
%include "../at_once.i"

/* Perl values as they are. */
%typemap(in, noblock=1) SV *scalar { $1 = $input; }
%typemap(out, noblock=1) SV * {
  $result = sv_2mortal($1);
  argvi++;
}
%rename(whole) ferrion_pl_whole;
SV *ferrion_pl_whole(SV *scalar, int32_t type);
%rename(is_whole) ferrion_pl_is_whole;
bool ferrion_pl_is_whole(SV *scalar);
