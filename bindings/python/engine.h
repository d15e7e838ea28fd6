/*
 * The engine's part of the header for Python: structs become tuples, in the order of their members, and what would
 * cross the border many times does so once.
 */
#ifndef FERRION_PY_ENGINE_H
#define FERRION_PY_ENGINE_H

#include "convert.h"

static PyObject *ferrion_py_octets(ferrion_bytes_t octets) {
  return PyBytes_FromStringAndSize((const char *)octets.data, (Py_ssize_t)octets.len);
}

static PyObject *ferrion_py_event(const ferrion_event_t *it) {
  return Py_BuildValue("(iIKK)", (int)it->kind, it->is_sender, (unsigned long long)it->session,
                       (unsigned long long)it->link);
}

static PyObject *ferrion_py_census(const ferrion_census_t *it) {
  return Py_BuildValue("(nnnn)", (Py_ssize_t)it->sessions, (Py_ssize_t)it->links, (Py_ssize_t)it->outgoing_deliveries,
                       (Py_ssize_t)it->incoming_deliveries);
}

static PyObject *ferrion_py_update(const ferrion_update_t *it) {
  return Py_BuildValue("(KNiI)", (unsigned long long)it->delivery, ferrion_py_octets(it->tag), (int)it->state, it->settled);
}

static PyObject *ferrion_py_unsettled(const ferrion_unsettled_t *it) {
  return Py_BuildValue("(KNIiiI)", (unsigned long long)it->delivery, ferrion_py_octets(it->tag), it->message_format,
                       (int)it->local_state, (int)it->remote_state, it->settled);
}

static PyObject *ferrion_py_recovery(const ferrion_recovery_t *it) {
  return Py_BuildValue("(IIIIIII)", it->peer_remembers, it->complete, it->resumed, it->sent_again, it->aborted,
                       it->settled, it->lost);
}

static PyObject *ferrion_py_remembered(const ferrion_remembered_t *it) {
  return Py_BuildValue("(NNKIiiIIII)", ferrion_py_octets(it->tag), ferrion_py_octets(it->payload),
                       (unsigned long long)it->read, it->message_format, (int)it->local_state, (int)it->remote_state,
                       it->has_payload, it->complete, it->done, it->settled);
}

static PyObject *ferrion_py_incoming(const ferrion_incoming_t *it) {
  return Py_BuildValue("(KNNIiII)", (unsigned long long)it->delivery, ferrion_py_octets(it->tag),
                       ferrion_py_octets(it->payload), it->message_format, (int)it->state, it->batchable, it->aborted);
}

static PyObject *ferrion_py_partial(const ferrion_partial_t *it) {
  return Py_BuildValue("(KNKI)", (unsigned long long)it->delivery, ferrion_py_octets(it->tag),
                       (unsigned long long)it->waiting, it->message_format);
}

/* A row of events, as a list that is empty if nothing happened. */
static PyObject *ferrion_py_poll_events(ferrion_engine_t *engine) {
  ferrion_event_t events[64];
  size_t n = 0;
  ferrion_status status = ferrion_engine_poll_events(engine, 64, events, &n);
  if (status != FERRION_END && ferrion_py_check(status) < 0) return NULL;
  PyObject *list = PyList_New((Py_ssize_t)n);
  for (size_t i = 0; list && i < n; i++) {
    PyObject *event = ferrion_py_event(&events[i]);
    if (!event) {
      Py_CLEAR(list);
      break;
    }
    PyList_SET_ITEM(list, (Py_ssize_t)i, event);
  }
  return list;
}

/* Takes output, `most` octets at most; b"" if there is none at present. */
static PyObject *ferrion_py_to_send(ferrion_engine_t *engine, uint64_t now, size_t most) {
  ferrion_bytes_t pieces[64];
  size_t n = 0, total = 0, filled = 0;
  ferrion_status status = ferrion_engine_transmit_pieces(engine, now, 64, pieces, &n);
  if (status == FERRION_END) return PyBytes_FromStringAndSize(NULL, 0);
  if (ferrion_py_check(status) < 0) return NULL;
  for (size_t i = 0; i < n && total < most; i++) total += pieces[i].len;
  if (total > most) total = most;
  PyObject *taken = PyBytes_FromStringAndSize(NULL, (Py_ssize_t)total);
  if (!taken) return NULL;
  char *to = PyBytes_AS_STRING(taken);
  for (size_t i = 0; filled < total; i++) {
    size_t len = pieces[i].len < total - filled ? pieces[i].len : total - filled;
    memcpy(to + filled, pieces[i].data, len);
    filled += len;
  }
  if (ferrion_py_check(ferrion_engine_advance(engine, now, total)) < 0) Py_CLEAR(taken);
  return taken;
}

/* A login by a mechanism of the program's; without an initial response if that is None. */
static PyObject *ferrion_py_login_raw(ferrion_config_t *config, const char *mechanism, PyObject *initial) {
  Py_buffer view = {0};
  if (initial != Py_None && PyObject_GetBuffer(initial, &view, PyBUF_SIMPLE) < 0) return NULL;
  /* An empty response is not the same as none. */
  const uint8_t *data = initial == Py_None ? NULL : view.len ? (const uint8_t *)view.buf : (const uint8_t *)"";
  ferrion_status status = ferrion_config_login_raw(config, mechanism, data, (size_t)view.len);
  if (view.obj) PyBuffer_Release(&view);
  if (ferrion_py_check(status) < 0) return NULL;
  Py_RETURN_NONE;
}

#endif
