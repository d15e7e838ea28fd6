/*
 * Many messages of a messenger at a time, between Python lists and the library. What the messages contain stays where it is.
 */
#ifndef FERRION_PY_BATCH_H
#define FERRION_PY_BATCH_H

#include "convert.h"

/* Messages for which there is room on the stack. */
#define FERRION_PY_BATCH 256

static int ferrion_py_are_lists(PyObject *one, PyObject *other) {
  if (PyList_Check(one) && PyList_Check(other)) return 1;
  PyErr_SetString(PyExc_TypeError, "a list belongs here");
  return 0;
}

/* Puts the messages of a list, from one on, and appends their trackers to another: those of the messages before a failure, too. */
static PyObject *ferrion_py_put_many(ferrion_messenger_t *messenger, PyObject *messages, size_t from, PyObject *trackers) {
  ferrion_message_t *batch[FERRION_PY_BATCH];
  ferrion_tracker_t told[FERRION_PY_BATCH];
  if (!ferrion_py_are_lists(messages, trackers)) return NULL;
  for (;;) {
    size_t all = (size_t)PyList_GET_SIZE(messages);
    size_t n = from < all ? all - from : 0;
    size_t done = 0;
    ferrion_status status = FERRION_OK;
    if (n == 0) Py_RETURN_NONE;
    if (n > FERRION_PY_BATCH) n = FERRION_PY_BATCH;
    for (size_t i = 0; i < n; i++) {
      void *message = NULL;
      PyObject *its = PyList_GET_ITEM(messages, (Py_ssize_t)(from + i));
      if (!SWIG_IsOK(SWIG_ConvertPtr(its, &message, SWIGTYPE_p_ferrion_message_t, 0))) {
        PyErr_SetString(PyExc_TypeError, "a message belongs here");
        return NULL;
      }
      batch[i] = message;
    }
    /* Who calls sees to it that none of them waits for room. */
    Py_BEGIN_ALLOW_THREADS
    while (done < n && (status = ferrion_messenger_put(messenger, batch[done], &told[done])) == FERRION_OK) done++;
    Py_END_ALLOW_THREADS
    for (size_t i = 0; i < done; i++) {
      PyObject *tracker = PyLong_FromUnsignedLongLong(told[i]);
      if (!tracker || PyList_Append(trackers, tracker) < 0) {
        Py_XDECREF(tracker);
        return NULL;
      }
      Py_DECREF(tracker);
    }
    if (ferrion_py_check(status) < 0) return NULL;
    from += done;
  }
}

/* Gets messages, `most` at most, and appends them to a list: those before a failure, too. */
static PyObject *ferrion_py_get_many(ferrion_messenger_t *messenger, size_t most, PyObject *messages) {
  if (!ferrion_py_are_lists(messages, messages)) return NULL;
  for (; most > 0; most--) {
    ferrion_tracker_t tracker;
    ferrion_message_t *message = ferrion_message_new();
    if (!message) return PyErr_NoMemory();
    ferrion_status status = ferrion_messenger_get(messenger, message, &tracker);
    if (status != FERRION_OK) {
      ferrion_message_free(message);
      if (status == FERRION_END) break;
      ferrion_py_raise(status);
      return NULL;
    }
    PyObject *its = SWIG_InternalNewPointerObj(message, SWIGTYPE_p_ferrion_message_t, SWIG_POINTER_OWN);
    if (!its || PyList_Append(messages, its) < 0) {
      Py_XDECREF(its);
      return NULL;
    }
    Py_DECREF(its);
  }
  Py_RETURN_NONE;
}

#endif
