/*
 * Failures as exceptions. They leave by longjmp, so whatever has to be freed belongs to a mortal of Perl's.
 */
#ifndef FERRION_ERRORS_H
#define FERRION_ERRORS_H

#include <ferrion.h>
#include <stdarg.h>
#include <stdnoreturn.h>

/* Dies of the last failure, which had this status. */
static noreturn void ferrion_pl_raise(pTHX_ int status);

/* Dies because an argument cannot be what it is. The format is Perl's own: %" SVf " is a scalar. */
static noreturn void ferrion_pl_refuse(pTHX_ const char *format, ...);

/* Leaves such an exception in $@, for who dies of that. */
static void ferrion_pl_refuse_later(pTHX_ const char *text);

/* ------------------------------------------------------------------------------------------------------------------ */

/* The object, mortal. The classes are told apart in Perl. */
static SV *ferrion_pl_exception(pTHX_ SV *text, SV *status, const char *condition) {
  dSP;
  ENTER;
  SAVETMPS;
  PUSHMARK(SP);
  EXTEND(SP, 3);
  PUSHs(text);
  PUSHs(status);
  PUSHs(condition && *condition ? newSVpvn_flags(condition, strlen(condition), SVs_TEMP | SVf_UTF8) : &PL_sv_undef);
  PUTBACK;
  call_pv("Ferrion::Error::from_abi", G_SCALAR);
  SPAGAIN;
  SV *exception = POPs;
  SvREFCNT_inc_simple_void_NN(exception);
  PUTBACK;
  FREETMPS;
  LEAVE;
  return sv_2mortal(exception);
}

static noreturn void ferrion_pl_raise(pTHX_ int status) {
  const char *error = ferrion_last_error();
  if (!error) error = "";
  SV *text = newSVpvn_flags(error, strlen(error), SVs_TEMP | SVf_UTF8);
  croak_sv(ferrion_pl_exception(aTHX_ text, sv_2mortal(newSViv(status)), ferrion_last_condition()));
}

static noreturn void ferrion_pl_refuse(pTHX_ const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  SV *text = sv_2mortal(vnewSVpvf(format, &arguments));
  va_end(arguments);
  croak_sv(ferrion_pl_exception(aTHX_ text, &PL_sv_undef, NULL));
}

static void ferrion_pl_refuse_later(pTHX_ const char *text) {
  SV *said = newSVpvn_flags(text, strlen(text), SVs_TEMP);
  sv_setsv(ERRSV, ferrion_pl_exception(aTHX_ said, &PL_sv_undef, NULL));
}

#endif
