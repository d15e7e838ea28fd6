/*
 * Between Ruby objects and AMQP values.
 *
 * Both directions keep the type: what Ruby has no type for has a class in Ferrion (UInt, Char, Described ...).
 * Ruby's exceptions leave these functions by longjmp, so whatever has to be freed belongs to an object of Ruby's.
 */
#ifndef FERRION_CONVERT_H
#define FERRION_CONVERT_H

#include <ferrion.h>
#include <ruby.h>
#include <ruby/encoding.h>
#include <limits.h>
#include <time.h>

/* Tells this file the exception classes (a hash by status, nil for any other), the module that has the types, and the object
   that stands for no value at all. */
static void ferrion_rb_register(VALUE exceptions, VALUE types, VALUE nothing);

/* Raises the exception for a status, with text, status and condition. */
NORETURN(static void ferrion_rb_raise(int status));

/* Text for C; `*held` keeps it. */
static char *ferrion_rb_text(VALUE object, VALUE *held);

/* A place for values, which `*holder` keeps until it is given back. */
static ferrion_value_t *ferrion_rb_lend(VALUE *holder);
static void ferrion_rb_give_back(VALUE holder);

/* Appends a Ruby object. */
static void ferrion_rb_put(ferrion_value_t *value, VALUE object);

/* Appends a Ruby object, or each of several if it is a Ferrion::Row. */
static void ferrion_rb_put_row(ferrion_value_t *value, VALUE object);

/* All values as an array. */
static VALUE ferrion_rb_get_all(ferrion_value_t *value);

/* The results of a call with one more: nil and a result are that result, two or more an array. */
static VALUE ferrion_rb_add(VALUE results, VALUE one);

/* A float as a double, and back, without changing a NaN: in ferrion.i. */
static inline double ferrion_widen(float number);
static inline float ferrion_narrow(double number);

/* ---- state ------------------------------------------------------------------------------------------------------- */

/* The classes of the types, in the order of the table below. */
enum {
  RB_UBYTE, RB_USHORT, RB_UINT, RB_ULONG, RB_BYTE, RB_SHORT, RB_INT, RB_FLOAT, RB_DECIMAL32,
  RB_DECIMAL64, RB_DECIMAL128, RB_CHAR, RB_UUID, RB_DESCRIBED, RB_ARRAY, RB_MAP, RB_CLASSES
};
static const struct { const char *name; ferrion_type type; } ferrion_rb_types[RB_CLASSES] = {
  {"UByte", FERRION_TYPE_UBYTE}, {"UShort", FERRION_TYPE_USHORT}, {"UInt", FERRION_TYPE_UINT},
  {"ULong", FERRION_TYPE_ULONG}, {"Byte", FERRION_TYPE_BYTE}, {"Short", FERRION_TYPE_SHORT}, {"Int", FERRION_TYPE_INT},
  {"Float32", FERRION_TYPE_FLOAT},
  {"Decimal32", FERRION_TYPE_DECIMAL32}, {"Decimal64", FERRION_TYPE_DECIMAL64},
  {"Decimal128", FERRION_TYPE_DECIMAL128}, {"Char", FERRION_TYPE_CHAR}, {"UUID", FERRION_TYPE_UUID},
  {"Described", FERRION_TYPE_DESCRIBED}, {"TypedArray", FERRION_TYPE_ARRAY}, {"Map", FERRION_TYPE_MAP}
};
static VALUE ferrion_rb_class[RB_CLASSES];
static VALUE ferrion_rb_row;
static VALUE ferrion_rb_exceptions = Qnil;
static VALUE ferrion_rb_nothing = Qundef;
/* One place for values that is used again and again; the interpreter's lock guards it. */
static ferrion_value_t *ferrion_rb_spare;

static void ferrion_rb_register(VALUE exceptions, VALUE types, VALUE nothing) {
  for (int i = 0; i < RB_CLASSES; i++) {
    ferrion_rb_class[i] = rb_const_get(types, rb_intern(ferrion_rb_types[i].name));
    rb_gc_register_mark_object(ferrion_rb_class[i]);
  }
  ferrion_rb_row = rb_const_get(types, rb_intern("Row"));
  rb_gc_register_mark_object(ferrion_rb_row);
  ferrion_rb_exceptions = exceptions;
  rb_gc_register_mark_object(exceptions);
  ferrion_rb_nothing = nothing;
  rb_gc_register_mark_object(nothing);
}

static void ferrion_rb_raise(int status) {
  const char *error = ferrion_last_error();
  const char *condition = ferrion_last_condition();
  VALUE text = rb_utf8_str_new_cstr(error ? error : "");
  VALUE arguments[3] = {text, INT2NUM(status), condition && *condition ? rb_utf8_str_new_cstr(condition) : Qnil};
  VALUE kind = rb_eRuntimeError;
  if (!NIL_P(ferrion_rb_exceptions)) {
    kind = rb_hash_lookup(ferrion_rb_exceptions, INT2NUM(status));
    if (NIL_P(kind)) kind = rb_hash_lookup(ferrion_rb_exceptions, Qnil);
  }
  rb_exc_raise(rb_class_new_instance(kind == rb_eRuntimeError ? 1 : 3, arguments, kind));
}

static VALUE ferrion_rb_add(VALUE results, VALUE one) {
  if (NIL_P(results)) return one;
  if (!RB_TYPE_P(results, T_ARRAY)) results = rb_ary_new_from_args(1, results);
  return rb_ary_push(results, one);
}

static char *ferrion_rb_text(VALUE object, VALUE *held) {
  if (NIL_P(object)) return NULL;
  /* Frozen: another thread may change the script's string while a call waits. */
  *held = rb_str_new_frozen(rb_str_export_to_enc(StringValue(object), rb_utf8_encoding()));
  return StringValueCStr(*held);
}

/* ---- places for values ------------------------------------------------------------------------------------------- */

static void ferrion_rb_free_value(void *value) {
  ferrion_value_free((ferrion_value_t *)value);
}

static const rb_data_type_t ferrion_rb_value_type = {
  .wrap_struct_name = "Ferrion value",
  .function = {.dmark = NULL, .dfree = ferrion_rb_free_value, .dsize = NULL},
  .flags = RUBY_TYPED_FREE_IMMEDIATELY,
};

static ferrion_value_t *ferrion_rb_lend(VALUE *holder) {
  /* First what can fail. */
  *holder = TypedData_Wrap_Struct(0, &ferrion_rb_value_type, NULL);
  ferrion_value_t *value = ferrion_rb_spare;
  ferrion_rb_spare = NULL;
  if (value) {
    ferrion_value_clear(value);
  } else {
    value = ferrion_value_new();
    if (!value) rb_memerror();
  }
  DATA_PTR(*holder) = value;
  return value;
}

static void ferrion_rb_give_back(VALUE holder) {
  ferrion_value_t *value = (ferrion_value_t *)DATA_PTR(holder);
  DATA_PTR(holder) = NULL;
  if (!ferrion_rb_spare) {
    ferrion_rb_spare = value;
  } else {
    ferrion_value_free(value);
  }
  RB_GC_GUARD(holder);
}

/* ---- from Ruby --------------------------------------------------------------------------------------------------- */

static void ferrion_rb_put_as(ferrion_value_t *value, VALUE object, ferrion_type type);

static void ferrion_rb_check(ferrion_status status) {
  if (status != FERRION_OK) ferrion_rb_raise(status);
}

NORETURN(static void ferrion_rb_wrong_class(VALUE object, const char *type));
static void ferrion_rb_wrong_class(VALUE object, const char *type) {
  rb_raise(rb_eTypeError, "%+" PRIsVALUE " is not of the AMQP type %s", object, type);
}

static VALUE ferrion_rb_field(VALUE object, const char *name) {
  return rb_ivar_get(object, rb_intern(name));
}

/* The whole number that an object is, which must lie between two others. */
static VALUE ferrion_rb_integer(VALUE object, VALUE low, VALUE high, const char *type) {
  VALUE number = RB_FLOAT_TYPE_P(object) ? Qnil : rb_check_to_integer(object, "to_int");
  if (!RB_INTEGER_TYPE_P(number)) ferrion_rb_wrong_class(object, type);
  if (!RTEST(rb_funcall(number, rb_intern("between?"), 2, low, high))) {
    rb_raise(rb_eRangeError, "%+" PRIsVALUE " does not fit the AMQP type %s", object, type);
  }
  return number;
}

static long long ferrion_rb_signed(VALUE object, long long low, long long high, const char *type) {
  return NUM2LL(ferrion_rb_integer(object, LL2NUM(low), LL2NUM(high), type));
}

static unsigned long long ferrion_rb_unsigned(VALUE object, unsigned long long high, const char *type) {
  return NUM2ULL(ferrion_rb_integer(object, INT2FIX(0), ULL2NUM(high), type));
}

/* A number, which a string is not, though it has to_f. */
static double ferrion_rb_double(VALUE object, const char *type) {
  VALUE number = RB_TYPE_P(object, T_STRING) ? Qnil : rb_check_convert_type(object, T_FLOAT, "Float", "to_f");
  if (NIL_P(object) || !RB_FLOAT_TYPE_P(number)) ferrion_rb_wrong_class(object, type);
  return RFLOAT_VALUE(number);
}

static void ferrion_rb_put_octets(ferrion_value_t *value, VALUE octets, const char *type,
                                  ferrion_status (*put)(ferrion_value_t *, const uint8_t *, size_t)) {
  VALUE string = rb_check_string_type(octets);
  if (NIL_P(string)) ferrion_rb_wrong_class(octets, type);
  ferrion_status status = put(value, (const uint8_t *)RSTRING_PTR(string), (size_t)RSTRING_LEN(string));
  RB_GC_GUARD(string);
  ferrion_rb_check(status);
}

static void ferrion_rb_put_string(ferrion_value_t *value, VALUE object) {
  VALUE string = rb_check_string_type(object);
  if (NIL_P(string)) ferrion_rb_wrong_class(object, "string");
  rb_encoding *encoding = rb_enc_get(string);
  if (encoding != rb_utf8_encoding() && encoding != rb_usascii_encoding()) {
    string = rb_funcall(string, rb_intern("encode"), 1, rb_enc_from_encoding(rb_utf8_encoding()));
  }
  if (rb_enc_str_coderange(string) == ENC_CODERANGE_BROKEN) {
    rb_raise(rb_eArgError, "text that is not valid in its encoding: %+" PRIsVALUE "; octets are strings in Encoding::BINARY", object);
  }
  ferrion_rb_put_octets(value, string, "string", ferrion_value_put_string);
}

/* Symbols are for symbols; in arrays of them strings serve as well. */
static void ferrion_rb_put_symbol(ferrion_value_t *value, VALUE object) {
  VALUE name = RB_SYMBOL_P(object) ? rb_sym2str(object) : rb_check_string_type(object);
  if (NIL_P(name)) ferrion_rb_wrong_class(object, "symbol");
  if (!rb_enc_str_asciionly_p(name)) {
    rb_raise(rb_eArgError, "a symbol of AMQP is ASCII: %+" PRIsVALUE " is not", object);
  }
  ferrion_rb_put_octets(value, name, "symbol", ferrion_value_put_symbol);
}

/* A decimal, by the number that its bits make. */
static void ferrion_rb_put_bits(ferrion_value_t *value, VALUE object, size_t octets, const char *type,
                                ferrion_status (*put)(ferrion_value_t *, const uint8_t *, size_t)) {
  unsigned long long bits = ferrion_rb_unsigned(object, octets == 4 ? UINT32_MAX : UINT64_MAX, type);
  uint8_t data[8];
  for (size_t i = 0; i < octets; i++) data[i] = (uint8_t)(bits >> (8 * (octets - 1 - i)));
  ferrion_rb_check(put(value, data, octets));
}

/* Milliseconds since 1970: of a Time, which may know more than those, the last that was full. */
static void ferrion_rb_put_timestamp(ferrion_value_t *value, VALUE object) {
  if (!RTEST(rb_obj_is_kind_of(object, rb_cTime))) {
    ferrion_rb_check(ferrion_value_put_timestamp(value, ferrion_rb_signed(object, INT64_MIN, INT64_MAX, "timestamp")));
    return;
  }
  VALUE exact = rb_funcall(rb_funcall(object, rb_intern("to_r"), 0), '*', 1, INT2FIX(1000));
  VALUE whole = rb_funcall(exact, rb_intern("floor"), 0);
  ferrion_rb_check(ferrion_value_put_timestamp(value, ferrion_rb_signed(whole, INT64_MIN, INT64_MAX, "timestamp")));
}

static void ferrion_rb_put_items(ferrion_value_t *value, VALUE items) {
  /* The length is asked anew each time: putting an item can run Ruby code that changes the array. */
  for (long i = 0; i < RARRAY_LEN(items); i++) ferrion_rb_put(value, rb_ary_entry(items, i));
}

static void ferrion_rb_put_list(ferrion_value_t *value, VALUE items) {
  ferrion_rb_check(ferrion_value_begin_list(value));
  ferrion_rb_put_items(value, items);
  ferrion_rb_check(ferrion_value_end(value));
}

static int ferrion_rb_put_pair(VALUE key, VALUE object, VALUE value) {
  ferrion_rb_put((ferrion_value_t *)value, key);
  ferrion_rb_put((ferrion_value_t *)value, object);
  return ST_CONTINUE;
}

/* A Hash, or a Ferrion::Map: pairs. */
static void ferrion_rb_put_map(ferrion_value_t *value, VALUE object) {
  ferrion_rb_check(ferrion_value_begin_map(value));
  if (RB_TYPE_P(object, T_HASH)) {
    rb_hash_foreach(object, ferrion_rb_put_pair, (VALUE)value);
  } else {
    for (long i = 0; i < RARRAY_LEN(object); i++) {
      VALUE pair = rb_check_array_type(rb_ary_entry(object, i));
      if (NIL_P(pair) || RARRAY_LEN(pair) != 2) rb_raise(rb_eArgError, "a Ferrion::Map is made of pairs");
      ferrion_rb_put_items(value, pair);
    }
  }
  ferrion_rb_check(ferrion_value_end(value));
}

static void ferrion_rb_put_described(ferrion_value_t *value, VALUE object) {
  ferrion_rb_check(ferrion_value_begin_described(value));
  ferrion_rb_put(value, ferrion_rb_field(object, "@descriptor"));
  ferrion_rb_put(value, ferrion_rb_field(object, "@value"));
  ferrion_rb_check(ferrion_value_end(value));
}

static void ferrion_rb_put_array(ferrion_value_t *value, VALUE object) {
  VALUE descriptors = rb_convert_type(ferrion_rb_field(object, "@descriptors"), T_ARRAY, "Array", "to_ary");
  VALUE elements = rb_convert_type(ferrion_rb_field(object, "@elements"), T_ARRAY, "Array", "to_ary");
  int type = NUM2INT(rb_funcall(object, rb_intern("type_number"), 0));
  ferrion_rb_check(ferrion_value_begin_array(value, type, (size_t)RARRAY_LEN(descriptors)));
  ferrion_rb_put_items(value, descriptors);
  for (long i = 0; i < RARRAY_LEN(elements); i++) {
    ferrion_rb_put_as(value, rb_ary_entry(elements, i), (ferrion_type)type);
  }
  ferrion_rb_check(ferrion_value_end(value));
}

static void ferrion_rb_put_char(ferrion_value_t *value, VALUE object) {
  VALUE text = rb_check_string_type(object);
  if (NIL_P(text) || RTEST(rb_obj_is_kind_of(object, ferrion_rb_class[RB_CHAR]))) {
    text = ferrion_rb_field(object, "@value");
  }
  text = rb_check_string_type(text);
  if (NIL_P(text)) ferrion_rb_wrong_class(object, "char");
  if (rb_str_strlen(text) != 1) rb_raise(rb_eArgError, "a char is a single character, not %+" PRIsVALUE, object);
  VALUE code = rb_funcall(rb_funcall(text, rb_intern("encode"), 1, rb_enc_from_encoding(rb_utf8_encoding())), rb_intern("ord"), 0);
  ferrion_rb_check(ferrion_value_put_char(value, NUM2UINT(code)));
}

/* The octets in an object of one of the classes, or the object itself, if it has none. */
static VALUE ferrion_rb_octets_of(VALUE object, int which) {
  return RTEST(rb_obj_is_kind_of(object, ferrion_rb_class[which])) ? ferrion_rb_field(object, "@octets") : object;
}

/* Appends as a type, whatever the object would be otherwise: the elements of an array. */
static void ferrion_rb_put_as(ferrion_value_t *value, VALUE object, ferrion_type type) {
  switch (type) {
    case FERRION_TYPE_UBYTE:
      ferrion_rb_check(ferrion_value_put_ubyte(value, (uint8_t)ferrion_rb_unsigned(object, UINT8_MAX, "ubyte")));
      return;
    case FERRION_TYPE_USHORT:
      ferrion_rb_check(ferrion_value_put_ushort(value, (uint16_t)ferrion_rb_unsigned(object, UINT16_MAX, "ushort")));
      return;
    case FERRION_TYPE_UINT:
      ferrion_rb_check(ferrion_value_put_uint(value, (uint32_t)ferrion_rb_unsigned(object, UINT32_MAX, "uint")));
      return;
    case FERRION_TYPE_ULONG:
      ferrion_rb_check(ferrion_value_put_ulong(value, ferrion_rb_unsigned(object, UINT64_MAX, "ulong")));
      return;
    case FERRION_TYPE_BYTE:
      ferrion_rb_check(ferrion_value_put_byte(value, (int8_t)ferrion_rb_signed(object, INT8_MIN, INT8_MAX, "byte")));
      return;
    case FERRION_TYPE_SHORT:
      ferrion_rb_check(ferrion_value_put_short(value, (int16_t)ferrion_rb_signed(object, INT16_MIN, INT16_MAX, "short")));
      return;
    case FERRION_TYPE_INT:
      ferrion_rb_check(ferrion_value_put_int(value, (int32_t)ferrion_rb_signed(object, INT32_MIN, INT32_MAX, "int")));
      return;
    case FERRION_TYPE_LONG:
      ferrion_rb_check(ferrion_value_put_long(value, ferrion_rb_signed(object, INT64_MIN, INT64_MAX, "long")));
      return;
    case FERRION_TYPE_TIMESTAMP: ferrion_rb_put_timestamp(value, object); return;
    case FERRION_TYPE_FLOAT: ferrion_rb_check(ferrion_value_put_float(value, ferrion_narrow(ferrion_rb_double(object, "float")))); return;
    case FERRION_TYPE_DOUBLE: ferrion_rb_check(ferrion_value_put_double(value, ferrion_rb_double(object, "double"))); return;
    case FERRION_TYPE_DECIMAL32: ferrion_rb_put_bits(value, object, 4, "decimal32", ferrion_value_put_decimal32); return;
    case FERRION_TYPE_DECIMAL64: ferrion_rb_put_bits(value, object, 8, "decimal64", ferrion_value_put_decimal64); return;
    case FERRION_TYPE_DECIMAL128:
      ferrion_rb_put_octets(value, ferrion_rb_octets_of(object, RB_DECIMAL128), "decimal128", ferrion_value_put_decimal128);
      return;
    case FERRION_TYPE_UUID:
      ferrion_rb_put_octets(value, ferrion_rb_octets_of(object, RB_UUID), "uuid", ferrion_value_put_uuid);
      return;
    case FERRION_TYPE_CHAR: ferrion_rb_put_char(value, object); return;
    case FERRION_TYPE_BINARY: ferrion_rb_put_octets(value, object, "binary", ferrion_value_put_binary); return;
    case FERRION_TYPE_STRING: ferrion_rb_put_string(value, object); return;
    case FERRION_TYPE_SYMBOL: ferrion_rb_put_symbol(value, object); return;
    default:
      /* The compound types: the object's class tells, and ferrion refuses what does not belong. */
      ferrion_rb_put(value, object);
  }
}

/* The place of the object's class in the table of classes, or negative. */
static int ferrion_rb_which(VALUE object) {
  VALUE kind = rb_obj_class(object);
  for (int i = 0; i < RB_CLASSES; i++) {
    if (kind == ferrion_rb_class[i]) return i;
  }
  for (int i = 0; i < RB_CLASSES; i++) {
    if (RTEST(rb_obj_is_kind_of(object, ferrion_rb_class[i]))) return i;
  }
  return -1;
}

static void ferrion_rb_put(ferrion_value_t *value, VALUE object) {
  switch (rb_type(object)) {
    case T_NIL: ferrion_rb_check(ferrion_value_put_null(value)); return;
    case T_TRUE: ferrion_rb_check(ferrion_value_put_bool(value, true)); return;
    case T_FALSE: ferrion_rb_check(ferrion_value_put_bool(value, false)); return;
    case T_FIXNUM: ferrion_rb_check(ferrion_value_put_long(value, FIX2LONG(object))); return;
    case T_BIGNUM: {
      /* A long, or a ulong if it is too large for that. */
      int large = RTEST(rb_funcall(object, '>', 1, LL2NUM(INT64_MAX)));
      ferrion_rb_put_as(value, object, large ? FERRION_TYPE_ULONG : FERRION_TYPE_LONG);
      return;
    }
    case T_FLOAT: ferrion_rb_check(ferrion_value_put_double(value, RFLOAT_VALUE(object))); return;
    case T_SYMBOL: ferrion_rb_put_symbol(value, object); return;
    case T_STRING:
      if (rb_enc_get_index(object) == rb_ascii8bit_encindex()) {
        ferrion_rb_put_octets(value, object, "binary", ferrion_value_put_binary);
      } else {
        ferrion_rb_put_string(value, object);
      }
      return;
    case T_HASH: ferrion_rb_put_map(value, object); return;
    case T_ARRAY:
      if (RTEST(rb_obj_is_kind_of(object, ferrion_rb_class[RB_MAP]))) {
        ferrion_rb_put_map(value, object);
      } else {
        ferrion_rb_put_list(value, object);
      }
      return;
    default: break;
  }
  int which = ferrion_rb_which(object);
  if (which == RB_DESCRIBED) {
    ferrion_rb_put_described(value, object);
  } else if (which == RB_ARRAY) {
    ferrion_rb_put_array(value, object);
  } else if (which >= 0) {
    ferrion_rb_put_as(value, object, ferrion_rb_types[which].type);
  } else if (RTEST(rb_obj_is_kind_of(object, rb_cTime))) {
    ferrion_rb_put_timestamp(value, object);
  } else {
    rb_raise(rb_eTypeError, "AMQP has no type for %+" PRIsVALUE ": see Ferrion::Types", object);
  }
}

static void ferrion_rb_put_row(ferrion_value_t *value, VALUE object) {
  if (rb_obj_class(object) == ferrion_rb_row) {
    ferrion_rb_put_items(value, object);
  } else {
    ferrion_rb_put(value, object);
  }
}

/* ---- to Ruby ----------------------------------------------------------------------------------------------------- */

static VALUE ferrion_rb_get(ferrion_value_t *value);

/* The rest of the row that is walked. */
static VALUE ferrion_rb_get_all(ferrion_value_t *value) {
  VALUE list = rb_ary_new();
  for (;;) {
    ferrion_status status = ferrion_value_next(value);
    if (status == FERRION_END) return list;
    ferrion_rb_check(status);
    rb_ary_push(list, ferrion_rb_get(value));
  }
}

/* What is inside the value that is looked at. */
static VALUE ferrion_rb_get_inside(ferrion_value_t *value) {
  ferrion_rb_check(ferrion_value_enter(value));
  VALUE list = ferrion_rb_get_all(value);
  ferrion_rb_check(ferrion_value_exit(value));
  return list;
}

/* A Hash, or a Ferrion::Map where a Hash would lose something: two keys that are the same to Ruby, as 0.0 and -0.0 are. */
static VALUE ferrion_rb_get_map(ferrion_value_t *value) {
  VALUE items = ferrion_rb_get_inside(value);
  long count = RARRAY_LEN(items);
  VALUE map = rb_hash_new();
  for (long i = 0; i + 1 < count; i += 2) rb_hash_aset(map, rb_ary_entry(items, i), rb_ary_entry(items, i + 1));
  if ((long)RHASH_SIZE(map) == count / 2) return map;
  map = rb_class_new_instance(0, NULL, ferrion_rb_class[RB_MAP]);
  for (long i = 0; i + 1 < count; i += 2) {
    rb_ary_push(map, rb_assoc_new(rb_ary_entry(items, i), rb_ary_entry(items, i + 1)));
  }
  return map;
}

static VALUE ferrion_rb_get_array(ferrion_value_t *value) {
  ferrion_type type = FERRION_TYPE_NULL;
  size_t n = 0;
  ferrion_rb_check(ferrion_value_get_array(value, &type, &n));
  VALUE items = ferrion_rb_get_inside(value);
  VALUE descriptors = rb_ary_subseq(items, 0, (long)n);
  VALUE elements = rb_ary_subseq(items, (long)n, RARRAY_LEN(items) - (long)n);
  return rb_funcall(ferrion_rb_class[RB_ARRAY], rb_intern("received"), 3, INT2NUM((int)type), elements, descriptors);
}

/* An instance of one of the classes. */
static VALUE ferrion_rb_wrap(int which, VALUE plain) {
  return rb_class_new_instance(1, &plain, ferrion_rb_class[which]);
}

static VALUE ferrion_rb_time(int64_t milliseconds) {
  int64_t seconds = milliseconds / 1000;
  int64_t rest = milliseconds % 1000;
  if (rest < 0) {
    rest += 1000;
    seconds -= 1;
  }
  struct timespec at = {.tv_sec = (time_t)seconds, .tv_nsec = (long)(rest * 1000000)};
  /* That is UTC. */
  return rb_time_timespec_new(&at, INT_MAX - 1);
}

/* Reads the value that is looked at with its getter. */
#define FERRION_RB_READ(TYPE, GETTER, INTO) \
  TYPE INTO = 0; \
  ferrion_rb_check(ferrion_value_get_##GETTER(value, &INTO))

static VALUE ferrion_rb_get_octets(ferrion_value_t *value, ferrion_type type) {
  ferrion_bytes_t octets;
  ferrion_rb_check(ferrion_value_get_bytes(value, &octets));
  const char *data = (const char *)octets.data;
  long len = (long)octets.len;
  unsigned long long bits = 0;
  switch (type) {
    case FERRION_TYPE_BINARY: return rb_str_new(data, len);
    case FERRION_TYPE_STRING: return rb_utf8_str_new(data, len);
    case FERRION_TYPE_SYMBOL: return rb_str_intern(rb_utf8_str_new(data, len));
    case FERRION_TYPE_UUID: return ferrion_rb_wrap(RB_UUID, rb_str_new(data, len));
    case FERRION_TYPE_DECIMAL128: return ferrion_rb_wrap(RB_DECIMAL128, rb_str_new(data, len));
    default:
      for (long i = 0; i < len; i++) bits = bits << 8 | octets.data[i];
      return ferrion_rb_wrap(type == FERRION_TYPE_DECIMAL32 ? RB_DECIMAL32 : RB_DECIMAL64, ULL2NUM(bits));
  }
}

/* The value that is looked at. */
static VALUE ferrion_rb_get(ferrion_value_t *value) {
  ferrion_type type = FERRION_TYPE_NULL;
  ferrion_rb_check(ferrion_value_type(value, &type));
  switch (type) {
    case FERRION_TYPE_NULL: return Qnil;
    case FERRION_TYPE_BOOL: { FERRION_RB_READ(bool, bool, v); return v ? Qtrue : Qfalse; }
    case FERRION_TYPE_UBYTE: { FERRION_RB_READ(uint8_t, ubyte, v); return ferrion_rb_wrap(RB_UBYTE, UINT2NUM(v)); }
    case FERRION_TYPE_USHORT: { FERRION_RB_READ(uint16_t, ushort, v); return ferrion_rb_wrap(RB_USHORT, UINT2NUM(v)); }
    case FERRION_TYPE_UINT: { FERRION_RB_READ(uint32_t, uint, v); return ferrion_rb_wrap(RB_UINT, UINT2NUM(v)); }
    case FERRION_TYPE_ULONG: { FERRION_RB_READ(uint64_t, ulong, v); return ferrion_rb_wrap(RB_ULONG, ULL2NUM(v)); }
    case FERRION_TYPE_BYTE: { FERRION_RB_READ(int8_t, byte, v); return ferrion_rb_wrap(RB_BYTE, INT2NUM(v)); }
    case FERRION_TYPE_SHORT: { FERRION_RB_READ(int16_t, short, v); return ferrion_rb_wrap(RB_SHORT, INT2NUM(v)); }
    case FERRION_TYPE_INT: { FERRION_RB_READ(int32_t, int, v); return ferrion_rb_wrap(RB_INT, INT2NUM(v)); }
    case FERRION_TYPE_LONG: { FERRION_RB_READ(int64_t, long, v); return LL2NUM(v); }
    case FERRION_TYPE_TIMESTAMP: { FERRION_RB_READ(int64_t, timestamp, v); return ferrion_rb_time(v); }
    case FERRION_TYPE_FLOAT: { FERRION_RB_READ(float, float, v); return ferrion_rb_wrap(RB_FLOAT, DBL2NUM(ferrion_widen(v))); }
    case FERRION_TYPE_DOUBLE: { FERRION_RB_READ(double, double, v); return DBL2NUM(v); }
    case FERRION_TYPE_CHAR: {
      FERRION_RB_READ(uint32_t, char, v);
      return ferrion_rb_wrap(RB_CHAR, rb_enc_uint_chr(v, rb_utf8_encoding()));
    }
    case FERRION_TYPE_LIST: return ferrion_rb_get_inside(value);
    case FERRION_TYPE_MAP: return ferrion_rb_get_map(value);
    case FERRION_TYPE_ARRAY: return ferrion_rb_get_array(value);
    case FERRION_TYPE_DESCRIBED: {
      VALUE both = ferrion_rb_get_inside(value);
      VALUE arguments[2] = {rb_ary_entry(both, 0), rb_ary_entry(both, 1)};
      return rb_class_new_instance(2, arguments, ferrion_rb_class[RB_DESCRIBED]);
    }
    default: return ferrion_rb_get_octets(value, type);
  }
}

#endif
