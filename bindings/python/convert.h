/*
 * Between Python objects and AMQP values.
 *
 * Both directions keep the type: what Python has no type for has a class in ferrion.types (symbol, uint, timestamp ...).
 */
#ifndef FERRION_CONVERT_H
#define FERRION_CONVERT_H

#include <Python.h>
#include <ferrion.h>

/* Tells this file the exception classes (a dict by status, None for any other) and the module ferrion.types. */
static void ferrion_py_register(PyObject *exceptions, PyObject *types);

/* Sets the Python exception for a status; its arguments are text, status and condition. */
static void ferrion_py_raise(int status);

/* A place for values, to be given back. NULL with an exception set if there is no memory. */
static ferrion_value_t *ferrion_py_lend(void);
static void ferrion_py_give_back(const ferrion_value_t *value);

/* Appends a Python object. Negative with an exception set if it has no place in AMQP. */
static int ferrion_py_put(ferrion_value_t *value, PyObject *object);

/* Appends a Python object, or each of several if it is a ferrion.types.Row. */
static int ferrion_py_put_row(ferrion_value_t *value, PyObject *object);

/* All values as a Python list; NULL with an exception set on failure. */
static PyObject *ferrion_py_get_all(ferrion_value_t *value);

/* The results of a call with one more: None and a result are that result, two or more a tuple. Takes over both. */
static PyObject *ferrion_py_add(PyObject *results, PyObject *one);

/* A float as a double, and back, without changing a NaN: in ferrion.i. */
static inline double ferrion_widen(float number);
static inline float ferrion_narrow(double number);

/* ---- state ------------------------------------------------------------------------------------------------------- */

/* The classes of ferrion.types, in the order of the names below. */
enum {
  PY_UBYTE, PY_USHORT, PY_UINT, PY_ULONG, PY_BYTE, PY_SHORT, PY_INT32, PY_FLOAT32, PY_DECIMAL32, PY_DECIMAL64,
  PY_DECIMAL128, PY_CHAR, PY_TIMESTAMP, PY_SYMBOL, PY_UUID, PY_DESCRIBED, PY_ARRAY, PY_MAP, PY_CLASSES
};
static const char *const ferrion_py_names[PY_CLASSES] = {
  "ubyte", "ushort", "uint", "ulong", "byte", "short", "int32", "float32", "decimal32", "decimal64",
  "decimal128", "char", "timestamp", "symbol", "UUID", "Described", "Array", "Map"
};
static PyObject *ferrion_py_class[PY_CLASSES];
static PyObject *ferrion_py_row;
static PyObject *ferrion_py_exceptions;
/* One place for values that is used again and again; the interpreter lock guards it. */
static ferrion_value_t *ferrion_py_spare;

static void ferrion_py_register(PyObject *exceptions, PyObject *types) {
  for (int i = 0; i < PY_CLASSES; i++) {
    PyObject *found = PyObject_GetAttrString(types, ferrion_py_names[i]);
    if (!found) return;
    Py_XDECREF(ferrion_py_class[i]);
    ferrion_py_class[i] = found;
  }
  PyObject *row = PyObject_GetAttrString(types, "Row");
  if (!row) return;
  Py_XDECREF(ferrion_py_row);
  ferrion_py_row = row;
  Py_INCREF(exceptions);
  Py_XDECREF(ferrion_py_exceptions);
  ferrion_py_exceptions = exceptions;
}

static void ferrion_py_raise(int status) {
  PyObject *number = PyLong_FromLong(status);
  PyObject *kind = NULL;
  if (number && ferrion_py_exceptions) {
    kind = PyDict_GetItem(ferrion_py_exceptions, number);
    if (!kind) kind = PyDict_GetItem(ferrion_py_exceptions, Py_None);
  }
  if (!kind) kind = PyExc_RuntimeError;
  PyObject *args = Py_BuildValue("(zOz)", ferrion_last_error(), number ? number : Py_None, ferrion_last_condition());
  if (args) PyErr_SetObject(kind, args);
  Py_XDECREF(args);
  Py_XDECREF(number);
}

static PyObject *ferrion_py_add(PyObject *results, PyObject *one) {
  if (!results || results == Py_None || !one) {
    Py_XDECREF(results);
    return one;
  }
  if (!PyTuple_Check(results)) {
    PyObject *both = PyTuple_Pack(2, results, one);
    Py_DECREF(results);
    Py_DECREF(one);
    return both;
  }
  PyObject *last = PyTuple_Pack(1, one);
  PyObject *all = last ? PySequence_Concat(results, last) : NULL;
  Py_XDECREF(last);
  Py_DECREF(results);
  Py_DECREF(one);
  return all;
}

static ferrion_value_t *ferrion_py_lend(void) {
  ferrion_value_t *value = ferrion_py_spare;
  ferrion_py_spare = NULL;
  if (value) {
    ferrion_value_clear(value);
  } else {
    value = ferrion_value_new();
    if (!value) PyErr_NoMemory();
  }
  return value;
}

static void ferrion_py_give_back(const ferrion_value_t *value) {
  if (!ferrion_py_spare) {
    ferrion_py_spare = (ferrion_value_t *)value;
  } else {
    ferrion_value_free((ferrion_value_t *)value);
  }
}

/* ---- from Python ------------------------------------------------------------------------------------------------- */

static int ferrion_py_put_as(ferrion_value_t *value, PyObject *object, ferrion_type type);

static int ferrion_py_check(ferrion_status status) {
  if (status == FERRION_OK) return 0;
  ferrion_py_raise(status);
  return -1;
}

static int ferrion_py_range(PyObject *object, const char *type) {
  PyErr_Format(PyExc_OverflowError, "%R does not fit the AMQP type %s", object, type);
  return -1;
}

/* A number that must lie between two others. */
static int ferrion_py_signed(PyObject *object, long long low, long long high, const char *type, long long *number) {
  int overflow = 0;
  *number = PyLong_AsLongLongAndOverflow(object, &overflow);
  if (*number == -1 && PyErr_Occurred()) return -1;
  if (overflow || *number < low || *number > high) return ferrion_py_range(object, type);
  return 0;
}

/* A number of 64 bits without sign. */
static int ferrion_py_unsigned(PyObject *object, const char *type, unsigned long long *number) {
  PyObject *index = PyNumber_Index(object);
  if (!index) return -1;
  *number = PyLong_AsUnsignedLongLong(index);
  Py_DECREF(index);
  if (*number == (unsigned long long)-1 && PyErr_Occurred()) {
    if (!PyErr_ExceptionMatches(PyExc_OverflowError)) return -1;
    PyErr_Clear();
    return ferrion_py_range(object, type);
  }
  return 0;
}

/* An int without a width of its own: a long, or a ulong if it is too large for that. */
static int ferrion_py_put_int(ferrion_value_t *value, PyObject *object) {
  int overflow = 0;
  long long number = PyLong_AsLongLongAndOverflow(object, &overflow);
  if (number == -1 && PyErr_Occurred()) return -1;
  if (!overflow) return ferrion_py_check(ferrion_value_put_long(value, number));
  if (overflow < 0) return ferrion_py_range(object, "long");
  return ferrion_py_put_as(value, object, FERRION_TYPE_ULONG);
}

static int ferrion_py_put_octets(ferrion_value_t *value, PyObject *object,
                                 ferrion_status (*put)(ferrion_value_t *, const uint8_t *, size_t)) {
  Py_buffer view;
  if (PyObject_GetBuffer(object, &view, PyBUF_SIMPLE) < 0) return -1;
  int done = ferrion_py_check(put(value, (const uint8_t *)view.buf, (size_t)view.len));
  PyBuffer_Release(&view);
  return done;
}

static int ferrion_py_put_text(ferrion_value_t *value, PyObject *object,
                               ferrion_status (*put)(ferrion_value_t *, const uint8_t *, size_t)) {
  Py_ssize_t len = 0;
  const char *text = PyUnicode_AsUTF8AndSize(object, &len);
  if (!text) return -1;
  return ferrion_py_check(put(value, (const uint8_t *)text, (size_t)len));
}

/* A decimal given as the number that its bits make. */
static int ferrion_py_put_bits(ferrion_value_t *value, PyObject *object, size_t octets, const char *type,
                               ferrion_status (*put)(ferrion_value_t *, const uint8_t *, size_t)) {
  unsigned long long bits = 0;
  uint8_t data[8];
  if (ferrion_py_unsigned(object, type, &bits) < 0) return -1;
  if (octets < sizeof bits && bits >> (8 * octets)) return ferrion_py_range(object, type);
  for (size_t i = 0; i < octets; i++) data[i] = (uint8_t)(bits >> (8 * (octets - 1 - i)));
  return ferrion_py_check(put(value, data, octets));
}

static int ferrion_py_put_uuid(ferrion_value_t *value, PyObject *object) {
  PyObject *octets = PyObject_GetAttrString(object, "bytes");
  if (!octets) return -1;
  int done = ferrion_py_put_octets(value, octets, ferrion_value_put_uuid);
  Py_DECREF(octets);
  return done;
}

static int ferrion_py_put_items(ferrion_value_t *value, PyObject *items) {
  /* The length is asked anew each time: putting an item can run Python code that changes the list. */
  for (Py_ssize_t i = 0; i < PySequence_Fast_GET_SIZE(items); i++) {
    PyObject *item = PySequence_Fast_GET_ITEM(items, i);
    Py_INCREF(item);
    int done = ferrion_py_put(value, item);
    Py_DECREF(item);
    if (done < 0) return -1;
  }
  return 0;
}

static int ferrion_py_put_list(ferrion_value_t *value, PyObject *object) {
  if (ferrion_py_check(ferrion_value_begin_list(value)) < 0) return -1;
  if (ferrion_py_put_items(value, object) < 0) return -1;
  return ferrion_py_check(ferrion_value_end(value));
}

/* A dict, or a ferrion.types.Map: pairs. */
static int ferrion_py_put_map(ferrion_value_t *value, PyObject *object) {
  PyObject *pairs = PyDict_Check(object) ? PyDict_Items(object) : PySequence_List(object);
  if (!pairs) return -1;
  int done = ferrion_py_check(ferrion_value_begin_map(value));
  for (Py_ssize_t i = 0; done == 0 && i < PyList_GET_SIZE(pairs); i++) {
    PyObject *pair = PySequence_Fast(PyList_GET_ITEM(pairs, i), "a Map is made of pairs");
    if (!pair) {
      done = -1;
    } else if (PySequence_Fast_GET_SIZE(pair) != 2) {
      PyErr_SetString(PyExc_ValueError, "a Map is made of pairs");
      done = -1;
    } else {
      done = ferrion_py_put_items(value, pair);
    }
    Py_XDECREF(pair);
  }
  Py_DECREF(pairs);
  return done < 0 ? -1 : ferrion_py_check(ferrion_value_end(value));
}

static int ferrion_py_put_described(ferrion_value_t *value, PyObject *object) {
  PyObject *descriptor = PyObject_GetAttrString(object, "descriptor");
  PyObject *inner = PyObject_GetAttrString(object, "value");
  int done = -1;
  if (descriptor && inner && ferrion_py_check(ferrion_value_begin_described(value)) == 0 &&
      ferrion_py_put(value, descriptor) == 0 && ferrion_py_put(value, inner) == 0) {
    done = ferrion_py_check(ferrion_value_end(value));
  }
  Py_XDECREF(descriptor);
  Py_XDECREF(inner);
  return done;
}

static int ferrion_py_put_array(ferrion_value_t *value, PyObject *object) {
  PyObject *descriptors = PyObject_GetAttrString(object, "descriptors");
  PyObject *elements = PyObject_GetAttrString(object, "elements");
  PyObject *type = PyObject_GetAttrString(object, "type");
  int done = -1;
  if (descriptors && elements && type && PyTuple_Check(descriptors) && PyList_Check(elements)) {
    long kind = PyLong_AsLong(type);
    done = kind == -1 && PyErr_Occurred() ? -1 : 0;
    if (done == 0) {
      done = ferrion_py_check(ferrion_value_begin_array(value, (int32_t)kind, (size_t)PyTuple_GET_SIZE(descriptors)));
    }
    if (done == 0) done = ferrion_py_put_items(value, descriptors);
    for (Py_ssize_t i = 0; done == 0 && i < PyList_GET_SIZE(elements); i++) {
      PyObject *element = PyList_GET_ITEM(elements, i);
      Py_INCREF(element);
      done = ferrion_py_put_as(value, element, (ferrion_type)kind);
      Py_DECREF(element);
    }
    if (done == 0) done = ferrion_py_check(ferrion_value_end(value));
  } else if (!PyErr_Occurred()) {
    PyErr_SetString(PyExc_TypeError, "an Array has a tuple of descriptors and a list of elements");
  }
  Py_XDECREF(descriptors);
  Py_XDECREF(elements);
  Py_XDECREF(type);
  return done;
}

static int ferrion_py_put_char(ferrion_value_t *value, PyObject *object) {
  if (!PyUnicode_Check(object) || PyUnicode_GET_LENGTH(object) != 1) {
    PyErr_Format(PyExc_ValueError, "a char is a str of one character, not %R", object);
    return -1;
  }
  return ferrion_py_check(ferrion_value_put_char(value, PyUnicode_READ_CHAR(object, 0)));
}

/* Puts an object as a certain type: what the object's class says, or what the array around it is made of. */
static int ferrion_py_put_as(ferrion_value_t *value, PyObject *object, ferrion_type type) {
  long long i = 0;
  unsigned long long u = 0;
  double d = 0;
  switch (type) {
    case FERRION_TYPE_BOOL: {
      int truth = PyObject_IsTrue(object);
      return truth < 0 ? -1 : ferrion_py_check(ferrion_value_put_bool(value, truth != 0));
    }
    case FERRION_TYPE_UBYTE:
      return ferrion_py_signed(object, 0, UINT8_MAX, "ubyte", &i) < 0
               ? -1 : ferrion_py_check(ferrion_value_put_ubyte(value, (uint8_t)i));
    case FERRION_TYPE_USHORT:
      return ferrion_py_signed(object, 0, UINT16_MAX, "ushort", &i) < 0
               ? -1 : ferrion_py_check(ferrion_value_put_ushort(value, (uint16_t)i));
    case FERRION_TYPE_UINT:
      return ferrion_py_signed(object, 0, UINT32_MAX, "uint", &i) < 0
               ? -1 : ferrion_py_check(ferrion_value_put_uint(value, (uint32_t)i));
    case FERRION_TYPE_ULONG:
      return ferrion_py_unsigned(object, "ulong", &u) < 0 ? -1 : ferrion_py_check(ferrion_value_put_ulong(value, u));
    case FERRION_TYPE_BYTE:
      return ferrion_py_signed(object, INT8_MIN, INT8_MAX, "byte", &i) < 0
               ? -1 : ferrion_py_check(ferrion_value_put_byte(value, (int8_t)i));
    case FERRION_TYPE_SHORT:
      return ferrion_py_signed(object, INT16_MIN, INT16_MAX, "short", &i) < 0
               ? -1 : ferrion_py_check(ferrion_value_put_short(value, (int16_t)i));
    case FERRION_TYPE_INT:
      return ferrion_py_signed(object, INT32_MIN, INT32_MAX, "int", &i) < 0
               ? -1 : ferrion_py_check(ferrion_value_put_int(value, (int32_t)i));
    case FERRION_TYPE_LONG:
      return ferrion_py_signed(object, INT64_MIN, INT64_MAX, "long", &i) < 0
               ? -1 : ferrion_py_check(ferrion_value_put_long(value, i));
    case FERRION_TYPE_TIMESTAMP:
      return ferrion_py_signed(object, INT64_MIN, INT64_MAX, "timestamp", &i) < 0
               ? -1 : ferrion_py_check(ferrion_value_put_timestamp(value, i));
    case FERRION_TYPE_FLOAT:
    case FERRION_TYPE_DOUBLE:
      d = PyFloat_AsDouble(object);
      if (d == -1.0 && PyErr_Occurred()) return -1;
      return ferrion_py_check(type == FERRION_TYPE_FLOAT ? ferrion_value_put_float(value, ferrion_narrow(d))
                                                         : ferrion_value_put_double(value, d));
    case FERRION_TYPE_DECIMAL32:
      return ferrion_py_put_bits(value, object, 4, "decimal32", ferrion_value_put_decimal32);
    case FERRION_TYPE_DECIMAL64:
      return ferrion_py_put_bits(value, object, 8, "decimal64", ferrion_value_put_decimal64);
    case FERRION_TYPE_DECIMAL128:
      return ferrion_py_put_octets(value, object, ferrion_value_put_decimal128);
    case FERRION_TYPE_CHAR:
      return ferrion_py_put_char(value, object);
    case FERRION_TYPE_UUID:
      return ferrion_py_put_uuid(value, object);
    case FERRION_TYPE_BINARY:
      return ferrion_py_put_octets(value, object, ferrion_value_put_binary);
    case FERRION_TYPE_STRING:
      return ferrion_py_put_text(value, object, ferrion_value_put_string);
    case FERRION_TYPE_SYMBOL:
      return ferrion_py_put_text(value, object, ferrion_value_put_symbol);
    default:
      /* The compound types: the object's class tells, and ferrion refuses what does not belong. */
      return ferrion_py_put(value, object);
  }
}

static const ferrion_type ferrion_py_type[PY_CLASSES] = {
  FERRION_TYPE_UBYTE, FERRION_TYPE_USHORT, FERRION_TYPE_UINT, FERRION_TYPE_ULONG, FERRION_TYPE_BYTE, FERRION_TYPE_SHORT,
  FERRION_TYPE_INT, FERRION_TYPE_FLOAT, FERRION_TYPE_DECIMAL32, FERRION_TYPE_DECIMAL64, FERRION_TYPE_DECIMAL128,
  FERRION_TYPE_CHAR, FERRION_TYPE_TIMESTAMP, FERRION_TYPE_SYMBOL, FERRION_TYPE_UUID, FERRION_TYPE_DESCRIBED,
  FERRION_TYPE_ARRAY, FERRION_TYPE_MAP
};

static int ferrion_py_put_class(ferrion_value_t *value, PyObject *object, int which) {
  switch (which) {
    case PY_DESCRIBED: return ferrion_py_put_described(value, object);
    case PY_ARRAY: return ferrion_py_put_array(value, object);
    case PY_MAP: return ferrion_py_put_map(value, object);
    default: return ferrion_py_put_as(value, object, ferrion_py_type[which]);
  }
}

static int ferrion_py_put(ferrion_value_t *value, PyObject *object) {
  PyTypeObject *type = Py_TYPE(object);
  if (type == &PyUnicode_Type) return ferrion_py_put_text(value, object, ferrion_value_put_string);
  if (type == &PyLong_Type) return ferrion_py_put_int(value, object);
  if (type == &PyBytes_Type) return ferrion_py_put_octets(value, object, ferrion_value_put_binary);
  if (type == &PyFloat_Type) return ferrion_py_check(ferrion_value_put_double(value, PyFloat_AS_DOUBLE(object)));
  if (object == Py_None) return ferrion_py_check(ferrion_value_put_null(value));
  if (type == &PyBool_Type) return ferrion_py_check(ferrion_value_put_bool(value, object == Py_True));
  if (type == &PyList_Type || type == &PyTuple_Type) return ferrion_py_put_list(value, object);
  if (type == &PyDict_Type) return ferrion_py_put_map(value, object);

  for (int i = 0; i < PY_CLASSES; i++) {
    if ((PyObject *)type == ferrion_py_class[i]) return ferrion_py_put_class(value, object, i);
  }
  for (int i = 0; i < PY_CLASSES; i++) {
    if (!ferrion_py_class[i]) continue;
    int is = PyObject_IsInstance(object, ferrion_py_class[i]);
    if (is < 0) return -1;
    if (is) return ferrion_py_put_class(value, object, i);
  }
  /* Classes derived from Python's own. */
  if (PyUnicode_Check(object)) return ferrion_py_put_text(value, object, ferrion_value_put_string);
  if (PyLong_Check(object)) return ferrion_py_put_int(value, object);
  if (PyFloat_Check(object)) return ferrion_py_put_as(value, object, FERRION_TYPE_DOUBLE);
  if (PyList_Check(object) || PyTuple_Check(object)) return ferrion_py_put_list(value, object);
  if (PyDict_Check(object)) return ferrion_py_put_map(value, object);
  if (PyObject_CheckBuffer(object)) return ferrion_py_put_octets(value, object, ferrion_value_put_binary);
  PyErr_Format(PyExc_TypeError, "AMQP has no type for %R of %R: see ferrion.types", object, (PyObject *)type);
  return -1;
}

static int ferrion_py_put_row(ferrion_value_t *value, PyObject *object) {
  if ((PyObject *)Py_TYPE(object) == ferrion_py_row) return ferrion_py_put_items(value, object);
  return ferrion_py_put(value, object);
}

/* ---- to Python --------------------------------------------------------------------------------------------------- */

static PyObject *ferrion_py_get(ferrion_value_t *value);

/* Steps to the next value: 1, 0 at the end, negative with an exception set. */
static int ferrion_py_next(ferrion_value_t *value) {
  ferrion_status status = ferrion_value_next(value);
  if (status == FERRION_OK) return 1;
  return status == FERRION_END ? 0 : ferrion_py_check(status);
}

/* The rest of the row that is walked. */
static PyObject *ferrion_py_get_all(ferrion_value_t *value) {
  PyObject *list = PyList_New(0);
  int more = -1;
  while (list && (more = ferrion_py_next(value)) > 0) {
    PyObject *item = ferrion_py_get(value);
    if (!item || PyList_Append(list, item) < 0) more = -1;
    Py_XDECREF(item);
    if (more < 0) break;
  }
  if (more == 0) return list;
  Py_XDECREF(list);
  return NULL;
}

/* What is inside the value that is looked at. */
static PyObject *ferrion_py_get_inside(ferrion_value_t *value) {
  if (ferrion_py_check(ferrion_value_enter(value)) < 0) return NULL;
  if (Py_EnterRecursiveCall(" while an AMQP value is read")) return NULL;
  PyObject *list = ferrion_py_get_all(value);
  Py_LeaveRecursiveCall();
  if (list && ferrion_py_check(ferrion_value_exit(value)) < 0) Py_CLEAR(list);
  return list;
}

/* A dict, or a ferrion.types.Map where a dict would lose something: two keys that are the same to Python (1 and 1.0, a
   string and a symbol), or one that cannot be hashed. */
static PyObject *ferrion_py_get_map(ferrion_value_t *value) {
  PyObject *items = ferrion_py_get_inside(value);
  if (!items) return NULL;
  Py_ssize_t pairs = PyList_GET_SIZE(items) / 2;
  PyObject *map = PyDict_New();
  for (Py_ssize_t i = 0; map && i < pairs; i++) {
    if (PyDict_SetItem(map, PyList_GET_ITEM(items, 2 * i), PyList_GET_ITEM(items, 2 * i + 1)) < 0) {
      Py_CLEAR(map);
      if (PyErr_ExceptionMatches(PyExc_TypeError)) PyErr_Clear();
    }
  }
  if ((map && PyDict_GET_SIZE(map) != pairs) || (!map && !PyErr_Occurred())) {
    Py_XDECREF(map);
    map = PyObject_CallNoArgs(ferrion_py_class[PY_MAP]);
    for (Py_ssize_t i = 0; map && i < pairs; i++) {
      PyObject *pair = PyTuple_Pack(2, PyList_GET_ITEM(items, 2 * i), PyList_GET_ITEM(items, 2 * i + 1));
      if (!pair || PyList_Append(map, pair) < 0) Py_CLEAR(map);
      Py_XDECREF(pair);
    }
  }
  Py_DECREF(items);
  return map;
}

static PyObject *ferrion_py_get_described(ferrion_value_t *value) {
  PyObject *both = ferrion_py_get_inside(value);
  PyObject *described = NULL;
  if (both && PyList_GET_SIZE(both) == 2) {
    described = PyObject_CallFunctionObjArgs(ferrion_py_class[PY_DESCRIBED], PyList_GET_ITEM(both, 0),
                                             PyList_GET_ITEM(both, 1), NULL);
  }
  Py_XDECREF(both);
  return described;
}

static PyObject *ferrion_py_get_array(ferrion_value_t *value) {
  ferrion_type type = FERRION_TYPE_NULL;
  size_t n = 0;
  if (ferrion_py_check(ferrion_value_get_array(value, &type, &n)) < 0) return NULL;
  PyObject *items = ferrion_py_get_inside(value);
  if (!items) return NULL;
  PyObject *head = PyList_GetSlice(items, 0, (Py_ssize_t)n);
  PyObject *tail = PyList_GetSlice(items, (Py_ssize_t)n, PyList_GET_SIZE(items));
  PyObject *array = NULL;
  if (head && tail) array = PyObject_CallMethod(ferrion_py_class[PY_ARRAY], "_received", "OiO", head, (int)type, tail);
  Py_XDECREF(head);
  Py_XDECREF(tail);
  Py_DECREF(items);
  return array;
}

/* An instance of one of the classes; takes over `plain`. */
static PyObject *ferrion_py_wrap(int which, PyObject *plain) {
  if (!plain) return NULL;
  PyObject *wrapped = PyObject_CallFunctionObjArgs(ferrion_py_class[which], plain, NULL);
  Py_DECREF(plain);
  return wrapped;
}

static PyObject *ferrion_py_get_uuid(ferrion_bytes_t octets) {
  PyObject *args = PyTuple_New(0);
  PyObject *kwargs = Py_BuildValue("{s:y#}", "bytes", (const char *)octets.data, (Py_ssize_t)octets.len);
  PyObject *uuid = args && kwargs ? PyObject_Call(ferrion_py_class[PY_UUID], args, kwargs) : NULL;
  Py_XDECREF(args);
  Py_XDECREF(kwargs);
  return uuid;
}

/* Reads the value that is looked at with its getter; answers NULL if that fails. */
#define FERRION_PY_READ(TYPE, GETTER, INTO) \
  TYPE INTO = 0; \
  if (ferrion_py_check(ferrion_value_get_##GETTER(value, &INTO)) < 0) return NULL

static PyObject *ferrion_py_get_octets(ferrion_value_t *value, ferrion_type type) {
  ferrion_bytes_t octets;
  if (ferrion_py_check(ferrion_value_get_bytes(value, &octets)) < 0) return NULL;
  const char *data = (const char *)octets.data;
  Py_ssize_t len = (Py_ssize_t)octets.len;
  unsigned long long bits = 0;
  switch (type) {
    case FERRION_TYPE_BINARY: return PyBytes_FromStringAndSize(data, len);
    case FERRION_TYPE_STRING: return PyUnicode_DecodeUTF8(data, len, "strict");
    case FERRION_TYPE_SYMBOL: return ferrion_py_wrap(PY_SYMBOL, PyUnicode_DecodeASCII(data, len, "strict"));
    case FERRION_TYPE_UUID: return ferrion_py_get_uuid(octets);
    case FERRION_TYPE_DECIMAL128: return ferrion_py_wrap(PY_DECIMAL128, PyBytes_FromStringAndSize(data, len));
    default:
      for (Py_ssize_t i = 0; i < len; i++) bits = bits << 8 | octets.data[i];
      return ferrion_py_wrap(type == FERRION_TYPE_DECIMAL32 ? PY_DECIMAL32 : PY_DECIMAL64,
                             PyLong_FromUnsignedLongLong(bits));
  }
}

/* The value that is looked at. */
static PyObject *ferrion_py_get(ferrion_value_t *value) {
  ferrion_type type = FERRION_TYPE_NULL;
  if (ferrion_py_check(ferrion_value_type(value, &type)) < 0) return NULL;
  switch (type) {
    case FERRION_TYPE_NULL: Py_RETURN_NONE;
    case FERRION_TYPE_BOOL: { FERRION_PY_READ(bool, bool, v); return PyBool_FromLong(v); }
    case FERRION_TYPE_UBYTE: { FERRION_PY_READ(uint8_t, ubyte, v); return ferrion_py_wrap(PY_UBYTE, PyLong_FromLong(v)); }
    case FERRION_TYPE_USHORT: { FERRION_PY_READ(uint16_t, ushort, v); return ferrion_py_wrap(PY_USHORT, PyLong_FromLong(v)); }
    case FERRION_TYPE_UINT: { FERRION_PY_READ(uint32_t, uint, v); return ferrion_py_wrap(PY_UINT, PyLong_FromUnsignedLong(v)); }
    case FERRION_TYPE_ULONG: { FERRION_PY_READ(uint64_t, ulong, v); return ferrion_py_wrap(PY_ULONG, PyLong_FromUnsignedLongLong(v)); }
    case FERRION_TYPE_BYTE: { FERRION_PY_READ(int8_t, byte, v); return ferrion_py_wrap(PY_BYTE, PyLong_FromLong(v)); }
    case FERRION_TYPE_SHORT: { FERRION_PY_READ(int16_t, short, v); return ferrion_py_wrap(PY_SHORT, PyLong_FromLong(v)); }
    case FERRION_TYPE_INT: { FERRION_PY_READ(int32_t, int, v); return ferrion_py_wrap(PY_INT32, PyLong_FromLong(v)); }
    case FERRION_TYPE_LONG: { FERRION_PY_READ(int64_t, long, v); return PyLong_FromLongLong(v); }
    case FERRION_TYPE_TIMESTAMP: { FERRION_PY_READ(int64_t, timestamp, v); return ferrion_py_wrap(PY_TIMESTAMP, PyLong_FromLongLong(v)); }
    case FERRION_TYPE_FLOAT: { FERRION_PY_READ(float, float, v); return ferrion_py_wrap(PY_FLOAT32, PyFloat_FromDouble(ferrion_widen(v))); }
    case FERRION_TYPE_DOUBLE: { FERRION_PY_READ(double, double, v); return PyFloat_FromDouble(v); }
    case FERRION_TYPE_CHAR: { FERRION_PY_READ(uint32_t, char, v); return ferrion_py_wrap(PY_CHAR, PyUnicode_FromOrdinal((int)v)); }
    case FERRION_TYPE_LIST: return ferrion_py_get_inside(value);
    case FERRION_TYPE_MAP: return ferrion_py_get_map(value);
    case FERRION_TYPE_ARRAY: return ferrion_py_get_array(value);
    case FERRION_TYPE_DESCRIBED: return ferrion_py_get_described(value);
    default: return ferrion_py_get_octets(value, type);
  }
}

#endif
