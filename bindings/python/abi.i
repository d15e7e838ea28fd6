/* The header for Python: the module ferrion.abi. The classes that people use stand on it, in ferrion/. */
%module(package="ferrion", threads="1") abi
%nothread;
/* These may wait, and let other Python threads run meanwhile. */
%thread ferrion_messenger_start;
%thread ferrion_messenger_stop;
%thread ferrion_messenger_subscribe;
%thread ferrion_messenger_subscribe_with;
%thread ferrion_messenger_subscribe_ttl;
%thread ferrion_messenger_unsubscribe;
%thread ferrion_messenger_put;
%thread ferrion_messenger_send;
%thread ferrion_messenger_recv;
%thread ferrion_messenger_work;
%thread ferrion_messenger_put_many;
%thread ferrion_messenger_put_encoded;
%thread ferrion_messenger_forward;
%thread ferrion_messenger_request;
%thread ferrion_messenger_reply;
/* These read files. */
%thread ferrion_messenger_set_certificate;
%thread ferrion_messenger_set_trusted_certificates;

%{
#define PY_SSIZE_T_CLEAN
#include <ferrion.h>
#include "convert.h"
#include "batch.h"
%}

/* One result is returned as it is, several as a tuple. */
%define FERRION_ADD_RESULT(OBJECT)
$result = ferrion_py_add($result, OBJECT)
%enddef

/* Octets in: anything with the buffer interface. */
%typemap(in) (const uint8_t *data, size_t len) (Py_buffer view = {0}) {
  if (PyObject_GetBuffer($input, &view, PyBUF_SIMPLE) < 0) SWIG_fail;
  $1 = (uint8_t *)view.buf;
  $2 = (size_t)view.len;
}
%typemap(freearg) (const uint8_t *data, size_t len) {
  if (view$argnum.obj) PyBuffer_Release(&view$argnum);
}

/* Text in: str, or None where the header allows NULL. A NUL inside would cut it short. */
%typemap(in) const char * {
  if ($input == Py_None) {
    $1 = NULL;
  } else {
    Py_ssize_t length = 0;
    if (!PyUnicode_Check($input)) {
      PyErr_Format(PyExc_TypeError, "a str belongs here, not %R", $input);
      SWIG_fail;
    }
    $1 = (char *)PyUnicode_AsUTF8AndSize($input, &length);
    if (!$1) SWIG_fail;
    if (strlen($1) != (size_t)length) {
      PyErr_SetString(PyExc_ValueError, "text for C cannot contain the character NUL");
      SWIG_fail;
    }
  }
}
%typemap(freearg) const char * ""

/* Octets and text out. */
%typemap(in, numinputs=0, noblock=1) ferrion_bytes_t * (ferrion_bytes_t lent) { $1 = &lent; }
%typemap(argout, noblock=1) ferrion_bytes_t * {
  if (result == FERRION_OK) { FERRION_ADD_RESULT(PyBytes_FromStringAndSize((const char *)$1->data, (Py_ssize_t)$1->len)); }
}
%typemap(argout, noblock=1) ferrion_bytes_t *out_text {
  if (result == FERRION_OK) { FERRION_ADD_RESULT(PyUnicode_DecodeUTF8((const char *)$1->data, (Py_ssize_t)$1->len, "strict")); }
}

/* Values: any Python object in, ferrion.types.Row for several, or abi.NOTHING for no value at all; a list of Python objects out. */
%typemap(in, noblock=1) const ferrion_value_t *value {
  $1 = ferrion_py_lend();
  if (!$1 || ($input != Py_Ellipsis && ferrion_py_put_row($1, $input) < 0)) SWIG_fail;
}
%typemap(freearg, noblock=1) const ferrion_value_t *value { if ($1) ferrion_py_give_back($1); }
%typemap(in, numinputs=0, noblock=1) ferrion_value_t *out_value {
  $1 = ferrion_py_lend();
  if (!$1) SWIG_fail;
}
%typemap(argout, noblock=1) ferrion_value_t *out_value {
  if (result == FERRION_OK) { FERRION_ADD_RESULT(ferrion_py_get_all($1)); }
}
%typemap(freearg, noblock=1) ferrion_value_t *out_value { if ($1) ferrion_py_give_back($1); }
%apply const ferrion_value_t *value { const ferrion_value_t *annotations, const ferrion_value_t *info };
%rename($ignore, regextarget=1) "^ferrion_value_";
%pythoncode %{
#: No value at all, where one may be left out.
NOTHING = ...
%}

/* A failure is the exception that ferrion.errors registered for it. */
%typemap(out, noblock=1) ferrion_status {
  if ($1 != FERRION_OK && $1 != FERRION_ABSENT) {
    ferrion_py_raise($1);
    SWIG_fail;
  }
  $result = SWIG_Py_Void();
}
/* A call that has no results tells by True or None whether what it was about was there. */
%typemap(ret, noblock=1) ferrion_status {
  if ($1 == FERRION_OK && $result == Py_None) {
    Py_DECREF($result);
    $result = PyBool_FromLong(1);
  }
}

void ferrion_py_register(PyObject *exceptions, PyObject *types);

#define FERRION_ENGINE
%include "../ferrion.i"

PyObject *ferrion_py_put_many(ferrion_messenger_t *messenger, PyObject *messages, size_t from, PyObject *trackers);
PyObject *ferrion_py_get_many(ferrion_messenger_t *messenger, size_t most, PyObject *messages);
PyObject *ferrion_py_poll_events(ferrion_engine_t *engine);
PyObject *ferrion_py_to_send(ferrion_engine_t *engine, uint64_t now, size_t most);
PyObject *ferrion_py_login_raw(ferrion_config_t *config, const char *mechanism, PyObject *initial);
