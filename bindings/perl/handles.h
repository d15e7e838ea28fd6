/*
 * Objects of the header in Perl: a reference to a scalar that has the object as its magic. A script cannot make one up, write
 * another number into it, or free it twice; what Perl frees with the scalar is freed here, exactly once.
 *
 * A new thread gets a copy of every scalar, but not of what is in here: a handle belongs to the thread that made it. The one
 * exception is an interrupter, which threads share.
 */
#ifndef FERRION_HANDLES_H
#define FERRION_HANDLES_H

#include <ferrion.h>
#include <unistd.h>
#include "errors.h"

typedef void ferrion_pl_free(void *object);

/* A handle of an object, or undef if it is NULL. With a process id it can be used in that process only: another one would speak
   over the sockets of the first. */
static SV *ferrion_pl_hold(pTHX_ void *object, ferrion_pl_free *free, swig_type_info *type, pid_t process);

/* The object of this type behind a handle; NULL for undef. Dies of anything else. It lasts as long as the statement, whatever becomes of
   the handle: what is asked for a later argument can run Perl code. If it is given up the answer is NULL: nobody gets at it from then
   on, and it is freed when the handle and those statements have let go of it. */
static void *ferrion_pl_held(pTHX_ SV *handle, swig_type_info *type, bool give_up);

/* ------------------------------------------------------------------------------------------------------------------ */

typedef struct {
  void *object;
  ferrion_pl_free *free;
  swig_type_info *type;
  pid_t process;
  /* How many scalars have this: more than one only for what threads share. */
  unsigned int owners;
  bool given_up;
} ferrion_pl_box;

static bool ferrion_pl_is_shared(const ferrion_pl_box *box) {
  return strcmp(box->type->name, "_p_ferrion_interrupter_t") == 0;
}

static int ferrion_pl_let_go(pTHX_ SV *scalar, MAGIC *magic) {
  PERL_UNUSED_CONTEXT;
  PERL_UNUSED_ARG(scalar);
  ferrion_pl_box *box = (ferrion_pl_box *)magic->mg_ptr;
  magic->mg_ptr = NULL;
  if (!box) return 0;
  OP_REFCNT_LOCK;
  unsigned int left = --box->owners;
  OP_REFCNT_UNLOCK;
  if (left > 0) return 0;
  /* In a child of fork the connections are the parent's: saying goodbye on them is not for us. */
  if (box->process == 0 || box->process == getpid()) box->free(box->object);
  PerlMemShared_free(box);
  return 0;
}

#ifdef USE_ITHREADS
static int ferrion_pl_in_new_thread(pTHX_ MAGIC *magic, CLONE_PARAMS *params) {
  PERL_UNUSED_CONTEXT;
  PERL_UNUSED_ARG(params);
  ferrion_pl_box *box = (ferrion_pl_box *)magic->mg_ptr;
  if (box && ferrion_pl_is_shared(box)) {
    OP_REFCNT_LOCK;
    box->owners++;
    OP_REFCNT_UNLOCK;
  } else {
    magic->mg_ptr = NULL;
  }
  return 0;
}
#endif

static const MGVTBL ferrion_pl_handle = {
  .svt_free = ferrion_pl_let_go,
#ifdef USE_ITHREADS
  .svt_dup = ferrion_pl_in_new_thread,
#endif
};

static SV *ferrion_pl_hold(pTHX_ void *object, ferrion_pl_free *free, swig_type_info *type, pid_t process) {
  if (!object) return &PL_sv_undef;
  ferrion_pl_box *box = (ferrion_pl_box *)PerlMemShared_malloc(sizeof *box);
  if (!box) {
    free(object);
    return &PL_sv_undef;
  }
  *box = (ferrion_pl_box){object, free, type, process, 1, false};
  SV *scalar = newSV(0);
  MAGIC *magic = sv_magicext(scalar, NULL, PERL_MAGIC_ext, &ferrion_pl_handle, (const char *)box, 0);
  magic->mg_flags |= MGf_DUP;
  SV *handle = sv_2mortal(newRV_noinc(scalar));
  sv_bless(handle, gv_stashpvs("Ferrion::Abi::Handle", GV_ADD));
  SvREADONLY_on(scalar);
  return handle;
}

static ferrion_pl_box *ferrion_pl_box_of(pTHX_ SV *handle, swig_type_info *type) {
  SvGETMAGIC(handle);
  if (!SvOK(handle)) return NULL;
  bool has_magic = SvROK(handle) && SvTYPE(SvRV(handle)) >= SVt_PVMG;
  MAGIC *magic = has_magic ? mg_findext(SvRV(handle), PERL_MAGIC_ext, &ferrion_pl_handle) : NULL;
  if (!magic) ferrion_pl_refuse(aTHX_ "%" SVf " is no object of ferrion", SVfARG(handle));
  ferrion_pl_box *box = (ferrion_pl_box *)magic->mg_ptr;
  if (!box) ferrion_pl_refuse(aTHX_ "this object belongs to the thread that made it: make another one in this thread");
  if (box->type != type) ferrion_pl_refuse(aTHX_ "an object of type %s is wanted, not %s", type->str, box->type->str);
  if (box->process != 0 && box->process != getpid()) {
    ferrion_pl_refuse(aTHX_ "this messenger belongs to the process that made it: make another one after fork");
  }
  if (box->given_up) ferrion_pl_refuse(aTHX_ "this object was freed");
  return box;
}

static void *ferrion_pl_held(pTHX_ SV *handle, swig_type_info *type, bool give_up) {
  ferrion_pl_box *box = ferrion_pl_box_of(aTHX_ handle, type);
  if (!box) return NULL;
  if (give_up) {
    if (box->owners > 1) ferrion_pl_refuse(aTHX_ "this object is shared with another thread");
    box->given_up = true;
    return NULL;
  }
  sv_2mortal(SvREFCNT_inc_simple_NN(SvRV(handle)));
  return box->object;
}

#endif
