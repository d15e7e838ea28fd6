/*
 * Between Perl values and AMQP values.
 *
 * Both directions keep the type: what Perl has no type for has a class in Ferrion (UInt, Symbol, Binary ...), and a map is a hash
 * tied to a Ferrion::Map, which keeps the order and the types of its keys.
 */
#ifndef FERRION_CONVERT_H
#define FERRION_CONVERT_H

#include <ferrion.h>
#include "errors.h"

/* A place for values, which Perl frees with the statement. */
static ferrion_value_t *ferrion_pl_lend(pTHX);

/* Text for C, or NULL for undef; octets for C. They last as long as the statement, whatever becomes of the scalar: what is asked for
   a later argument can run Perl code. */
static const char *ferrion_pl_text(pTHX_ SV *scalar);
static const uint8_t *ferrion_pl_octets(pTHX_ SV *scalar, size_t *len);

/* Appends a Perl value, which has no magic any more. */
static void ferrion_pl_put(pTHX_ ferrion_value_t *value, SV *scalar);

/* Appends a Perl value, or each of several if it is a Ferrion::Abi::Row, which may be none. */
static void ferrion_pl_put_row(pTHX_ ferrion_value_t *value, SV *scalar);

/* All values as an array, mortal. */
static AV *ferrion_pl_get_all(pTHX_ ferrion_value_t *value);

/* The whole number that a scalar is, which must fit the type, a ferrion_type. */
static SV *ferrion_pl_whole(SV *scalar, int32_t type);

/* Whether a scalar is a whole number, and not text that looks like one. */
static bool ferrion_pl_is_whole(SV *scalar);

/* A float as a double, and back, without changing a NaN: in ferrion.i. */
static inline double ferrion_widen(float number);
static inline float ferrion_narrow(double number);

/* ---- state ------------------------------------------------------------------------------------------------------- */

/* The classes of the types, in the order of the table below. */
enum {
  PL_UBYTE, PL_USHORT, PL_UINT, PL_ULONG, PL_BYTE, PL_SHORT, PL_INT, PL_LONG, PL_FLOAT, PL_DOUBLE, PL_DECIMAL32,
  PL_DECIMAL64, PL_DECIMAL128, PL_CHAR, PL_TIMESTAMP, PL_UUID, PL_BINARY, PL_SYMBOL, PL_BOOLEAN, PL_DESCRIBED, PL_ARRAY,
  PL_CLASSES
};
static const struct { const char *name; ferrion_type type; } ferrion_pl_types[PL_CLASSES] = {
  {"Ferrion::UByte", FERRION_TYPE_UBYTE}, {"Ferrion::UShort", FERRION_TYPE_USHORT}, {"Ferrion::UInt", FERRION_TYPE_UINT},
  {"Ferrion::ULong", FERRION_TYPE_ULONG}, {"Ferrion::Byte", FERRION_TYPE_BYTE}, {"Ferrion::Short", FERRION_TYPE_SHORT},
  {"Ferrion::Int", FERRION_TYPE_INT}, {"Ferrion::Long", FERRION_TYPE_LONG}, {"Ferrion::Float", FERRION_TYPE_FLOAT},
  {"Ferrion::Double", FERRION_TYPE_DOUBLE}, {"Ferrion::Decimal32", FERRION_TYPE_DECIMAL32},
  {"Ferrion::Decimal64", FERRION_TYPE_DECIMAL64}, {"Ferrion::Decimal128", FERRION_TYPE_DECIMAL128},
  {"Ferrion::Char", FERRION_TYPE_CHAR}, {"Ferrion::Timestamp", FERRION_TYPE_TIMESTAMP}, {"Ferrion::UUID", FERRION_TYPE_UUID},
  {"Ferrion::Binary", FERRION_TYPE_BINARY}, {"Ferrion::Symbol", FERRION_TYPE_SYMBOL},
  {"Ferrion::Boolean", FERRION_TYPE_BOOL}, {"Ferrion::Described", FERRION_TYPE_DESCRIBED},
  {"Ferrion::Array", FERRION_TYPE_ARRAY}
};

static int ferrion_pl_free_value(pTHX_ SV *scalar, MAGIC *magic) {
  PERL_UNUSED_CONTEXT;
  PERL_UNUSED_ARG(scalar);
  ferrion_value_free((ferrion_value_t *)magic->mg_ptr);
  magic->mg_ptr = NULL;
  return 0;
}

static const MGVTBL ferrion_pl_place = {.svt_free = ferrion_pl_free_value};

static ferrion_value_t *ferrion_pl_lend(pTHX) {
  SV *holder = sv_newmortal();
  ferrion_value_t *value = ferrion_value_new();
  if (!value) ferrion_pl_refuse(aTHX_ "there is no memory");
  sv_magicext(holder, NULL, PERL_MAGIC_ext, &ferrion_pl_place, (const char *)value, 0);
  return value;
}

static void ferrion_pl_check(pTHX_ ferrion_status status) {
  if (status != FERRION_OK) ferrion_pl_raise(aTHX_ status);
}

/* ---- scalars ----------------------------------------------------------------------------------------------------- */

static noreturn void ferrion_pl_wrong(pTHX_ SV *scalar, const char *type) {
  if (!SvOK(scalar)) ferrion_pl_refuse(aTHX_ "undef is not of the AMQP type %s", type);
  ferrion_pl_refuse(aTHX_ "%" SVf " is not of the AMQP type %s", SVfARG(scalar), type);
}

/* What is in an object of a class of ours, or the scalar itself. */
static SV *ferrion_pl_inside(pTHX_ SV *scalar) {
  if (!SvROK(scalar) || !SvOBJECT(SvRV(scalar)) || SvTYPE(SvRV(scalar)) >= SVt_PVAV) return scalar;
  /* What has magic can run Perl code that lets go of the object. */
  return SvMAGICAL(SvRV(scalar)) ? sv_2mortal(SvREFCNT_inc_simple_NN(SvRV(scalar))) : SvRV(scalar);
}

/* The characters of a scalar in UTF-8. */
static const char *ferrion_pl_utf8(pTHX_ SV *scalar, STRLEN *len) {
  const char *text = SvPV_nomg_const(scalar, *len);
  if (SvUTF8(scalar)) return text;
  for (STRLEN i = 0; i < *len; i++) {
    if (!UTF8_IS_INVARIANT((U8)text[i])) {
      SV *copy = newSVpvn_flags(text, *len, SVs_TEMP);
      sv_utf8_upgrade(copy);
      return SvPV_const(copy, *len);
    }
  }
  return text;
}

static const char *ferrion_pl_text(pTHX_ SV *scalar) {
  scalar = sv_mortalcopy(scalar);
  if (!SvOK(scalar)) return NULL;
  STRLEN len;
  const char *text = ferrion_pl_utf8(aTHX_ scalar, &len);
  if (strlen(text) != len) ferrion_pl_refuse(aTHX_ "text for C cannot contain the character NUL");
  return text;
}

/* Octets that are used at once. */
static const uint8_t *ferrion_pl_octets_now(pTHX_ SV *scalar, size_t *len) {
  SvGETMAGIC(scalar);
  if (!SvOK(scalar)) ferrion_pl_refuse(aTHX_ "octets are wanted, not undef");
  STRLEN octets;
  const char *data = SvPV_nomg_const(scalar, octets);
  if (SvUTF8(scalar)) {
    SV *copy = newSVpvn_flags(data, octets, SVs_TEMP | SVf_UTF8);
    if (!sv_utf8_downgrade(copy, true)) {
      ferrion_pl_refuse(aTHX_ "octets are wanted, and there is a character above 255: encode the text first, with Encode");
    }
    data = SvPV_const(copy, octets);
  }
  *len = octets;
  return (const uint8_t *)data;
}

static const uint8_t *ferrion_pl_octets(pTHX_ SV *scalar, size_t *len) {
  return ferrion_pl_octets_now(aTHX_ sv_mortalcopy(scalar), len);
}

/* A whole number: its size, and whether it is negative. False if it is none, or of more than 64 bits. */
static bool ferrion_pl_integer(pTHX_ SV *scalar, UV *size, bool *negative) {
  *negative = false;
  if (SvIOK(scalar) && !SvPOK(scalar)) {
    *negative = !SvIsUV(scalar) && SvIVX(scalar) < 0;
    *size = *negative ? (UV)0 - (UV)SvIVX(scalar) : SvUVX(scalar);
    return true;
  }
  if (SvNOK(scalar) && !SvPOK(scalar)) {
    NV number = SvNVX(scalar);
    *negative = number < 0;
    if (*negative) number = -number;
    /* 2 to the power of 64. Also refuses what is not a number. */
    if (!(number < 18446744073709551616.0) || number != (NV)(UV)number) return false;
    *size = (UV)number;
    return true;
  }
  if (!SvPOK(scalar) && !SvPOKp(scalar)) return false;
  STRLEN len;
  const char *digits = SvPV_nomg_const(scalar, len);
  int kind = grok_number(digits, len, size);
  *negative = (kind & IS_NUMBER_NEG) != 0;
  return (kind & IS_NUMBER_IN_UV) && !(kind & (IS_NUMBER_NOT_INT | IS_NUMBER_GREATER_THAN_UV_MAX));
}

/* How large a number may be, and how large a negative one. */
static bool ferrion_pl_range(int32_t type, UV *high, UV *low, const char **name) {
  switch (type) {
    case FERRION_TYPE_UBYTE: *high = UINT8_MAX; *low = 0; *name = "ubyte"; return true;
    case FERRION_TYPE_USHORT: *high = UINT16_MAX; *low = 0; *name = "ushort"; return true;
    case FERRION_TYPE_UINT: *high = UINT32_MAX; *low = 0; *name = "uint"; return true;
    case FERRION_TYPE_ULONG: *high = UINT64_MAX; *low = 0; *name = "ulong"; return true;
    case FERRION_TYPE_BYTE: *high = INT8_MAX; *low = (UV)INT8_MAX + 1; *name = "byte"; return true;
    case FERRION_TYPE_SHORT: *high = INT16_MAX; *low = (UV)INT16_MAX + 1; *name = "short"; return true;
    case FERRION_TYPE_INT: *high = INT32_MAX; *low = (UV)INT32_MAX + 1; *name = "int"; return true;
    case FERRION_TYPE_LONG: *high = INT64_MAX; *low = (UV)INT64_MAX + 1; *name = "long"; return true;
    case FERRION_TYPE_TIMESTAMP: *high = INT64_MAX; *low = (UV)INT64_MAX + 1; *name = "timestamp"; return true;
    case FERRION_TYPE_DECIMAL32: *high = UINT32_MAX; *low = 0; *name = "decimal32"; return true;
    case FERRION_TYPE_DECIMAL64: *high = UINT64_MAX; *low = 0; *name = "decimal64"; return true;
    default: return false;
  }
}

/* The bits of a whole number that fits the type. */
static UV ferrion_pl_bits(pTHX_ SV *scalar, int32_t type) {
  UV high = 0, low = 0, size = 0;
  const char *name = "of whole numbers";
  bool negative = false;
  if (!ferrion_pl_range(type, &high, &low, &name)) ferrion_pl_refuse(aTHX_ "%d is no type of whole numbers", (int)type);
  scalar = ferrion_pl_inside(aTHX_ scalar);
  SvGETMAGIC(scalar);
  if (!ferrion_pl_integer(aTHX_ scalar, &size, &negative)) ferrion_pl_wrong(aTHX_ scalar, name);
  if (size > (negative ? low : high)) ferrion_pl_refuse(aTHX_ "%" SVf " does not fit the AMQP type %s", SVfARG(scalar), name);
  return negative ? (UV)0 - size : size;
}

static bool ferrion_pl_is_signed(int32_t type) {
  return (type >= FERRION_TYPE_BYTE && type <= FERRION_TYPE_LONG) || type == FERRION_TYPE_TIMESTAMP;
}

static SV *ferrion_pl_whole(SV *scalar, int32_t type) {
  dTHX;
  UV bits = ferrion_pl_bits(aTHX_ scalar, type);
  return ferrion_pl_is_signed(type) ? newSViv((IV)bits) : newSVuv(bits);
}

static bool ferrion_pl_is_whole(SV *scalar) {
  dTHX;
  SvGETMAGIC(scalar);
  return SvIOK(scalar) && !SvPOK(scalar);
}

static NV ferrion_pl_number(pTHX_ SV *scalar, const char *type) {
  scalar = ferrion_pl_inside(aTHX_ scalar);
  SvGETMAGIC(scalar);
  if (SvROK(scalar) || !looks_like_number(scalar)) ferrion_pl_wrong(aTHX_ scalar, type);
  return SvNV_nomg(scalar);
}

/* ---- from Perl --------------------------------------------------------------------------------------------------- */

typedef ferrion_status ferrion_pl_putter(ferrion_value_t *, const uint8_t *, size_t);

static void ferrion_pl_put_string(pTHX_ ferrion_value_t *value, SV *scalar, const char *type, ferrion_pl_putter *put) {
  scalar = ferrion_pl_inside(aTHX_ scalar);
  SvGETMAGIC(scalar);
  if (!SvOK(scalar) || SvROK(scalar)) ferrion_pl_wrong(aTHX_ scalar, type);
  STRLEN len;
  const char *text = ferrion_pl_utf8(aTHX_ scalar, &len);
  ferrion_pl_check(aTHX_ put(value, (const uint8_t *)text, len));
}

static void ferrion_pl_put_octets(pTHX_ ferrion_value_t *value, SV *scalar, const char *type, ferrion_pl_putter *put) {
  scalar = ferrion_pl_inside(aTHX_ scalar);
  if (SvROK(scalar)) ferrion_pl_wrong(aTHX_ scalar, type);
  size_t len;
  const uint8_t *data = ferrion_pl_octets_now(aTHX_ scalar, &len);
  ferrion_pl_check(aTHX_ put(value, data, len));
}

static void ferrion_pl_put_decimal(pTHX_ ferrion_value_t *value, SV *scalar, int32_t type, size_t octets, ferrion_pl_putter *put) {
  UV bits = ferrion_pl_bits(aTHX_ scalar, type);
  uint8_t data[8];
  for (size_t i = 0; i < octets; i++) data[i] = (uint8_t)(bits >> (8 * (octets - 1 - i)));
  ferrion_pl_check(aTHX_ put(value, data, octets));
}

static void ferrion_pl_put_char(pTHX_ ferrion_value_t *value, SV *scalar) {
  scalar = ferrion_pl_inside(aTHX_ scalar);
  SvGETMAGIC(scalar);
  if (!SvOK(scalar) || SvROK(scalar)) ferrion_pl_wrong(aTHX_ scalar, "char");
  STRLEN len;
  const U8 *text = (const U8 *)ferrion_pl_utf8(aTHX_ scalar, &len);
  if (len == 0 || UTF8SKIP(text) != len) {
    ferrion_pl_refuse(aTHX_ "a char is a single character, not %" SVf, SVfARG(scalar));
  }
  ferrion_pl_check(aTHX_ ferrion_value_put_char(value, (uint32_t)utf8_to_uvchr_buf(text, text + len, NULL)));
}

/* One element. What has magic is asked once, and may do with its container what it likes meanwhile. */
static SV *ferrion_pl_element(pTHX_ AV *list, SSize_t index) {
  SV **found = av_fetch(list, index, 0);
  if (!found) return &PL_sv_undef;
  return SvMAGICAL(*found) ? sv_mortalcopy(*found) : *found;
}

static void ferrion_pl_put_items(pTHX_ ferrion_value_t *value, AV *list) {
  /* It stays until the statement is over, and its length is asked anew each time: what has magic can run Perl code. */
  sv_2mortal(SvREFCNT_inc_simple_NN((SV *)list));
  for (SSize_t i = 0; i <= av_len(list); i++) ferrion_pl_put(aTHX_ value, ferrion_pl_element(aTHX_ list, i));
}

static void ferrion_pl_put_list(pTHX_ ferrion_value_t *value, AV *list) {
  ferrion_pl_check(aTHX_ ferrion_value_begin_list(value));
  ferrion_pl_put_items(aTHX_ value, list);
  ferrion_pl_check(aTHX_ ferrion_value_end(value));
}

/* An array inside of an object that is an array; dies if there is none, since somebody else has blessed it. */
static AV *ferrion_pl_part(pTHX_ SV *part) {
  if (!part || !SvROK(part) || SvTYPE(SvRV(part)) != SVt_PVAV) ferrion_pl_refuse(aTHX_ "this was not made by its class");
  return (AV *)SvRV(part);
}

/* The keys and the values of a hash that is tied to a Ferrion::Map, or NULL. */
static AV *ferrion_pl_map_of(pTHX_ HV *hash) {
  MAGIC *magic = SvRMAGICAL(hash) ? mg_find((SV *)hash, PERL_MAGIC_tied) : NULL;
  if (!magic || !magic->mg_obj || !SvROK(magic->mg_obj) || !sv_derived_from(magic->mg_obj, "Ferrion::Map")) return NULL;
  return ferrion_pl_part(aTHX_ magic->mg_obj);
}

static void ferrion_pl_put_pairs(pTHX_ ferrion_value_t *value, AV *map) {
  sv_2mortal(SvREFCNT_inc_simple_NN((SV *)map));
  AV *keys = ferrion_pl_part(aTHX_ ferrion_pl_element(aTHX_ map, 0));
  AV *values = ferrion_pl_part(aTHX_ ferrion_pl_element(aTHX_ map, 1));
  sv_2mortal(SvREFCNT_inc_simple_NN((SV *)keys));
  sv_2mortal(SvREFCNT_inc_simple_NN((SV *)values));
  for (SSize_t i = 0; i <= av_len(keys); i++) {
    ferrion_pl_put(aTHX_ value, ferrion_pl_element(aTHX_ keys, i));
    ferrion_pl_put(aTHX_ value, ferrion_pl_element(aTHX_ values, i));
  }
}

static void ferrion_pl_put_hash(pTHX_ ferrion_value_t *value, HV *hash) {
  sv_2mortal(SvREFCNT_inc_simple_NN((SV *)hash));
  AV *keys = (AV *)sv_2mortal((SV *)newAV());
  hv_iterinit(hash);
  for (HE *entry = hv_iternext(hash); entry; entry = hv_iternext(hash)) av_push(keys, newSVsv(hv_iterkeysv(entry)));
  /* A hash of Perl's has no order, and octets that change from run to run are of no use. */
  if (!SvRMAGICAL(hash)) sortsv(AvARRAY(keys), (size_t)(av_len(keys) + 1), Perl_sv_cmp);
  for (SSize_t i = 0; i <= av_len(keys); i++) {
    SV *key = ferrion_pl_element(aTHX_ keys, i);
    ferrion_pl_put(aTHX_ value, key);
    HE *found = hv_fetch_ent(hash, key, 0, 0);
    SV *item = found ? HeVAL(found) : &PL_sv_undef;
    ferrion_pl_put(aTHX_ value, SvMAGICAL(item) ? sv_mortalcopy(item) : item);
  }
}

static void ferrion_pl_put_map(pTHX_ ferrion_value_t *value, HV *hash) {
  AV *map = ferrion_pl_map_of(aTHX_ hash);
  ferrion_pl_check(aTHX_ ferrion_value_begin_map(value));
  if (map) {
    ferrion_pl_put_pairs(aTHX_ value, map);
  } else {
    ferrion_pl_put_hash(aTHX_ value, hash);
  }
  ferrion_pl_check(aTHX_ ferrion_value_end(value));
}

static void ferrion_pl_put_described(pTHX_ ferrion_value_t *value, SV *object) {
  AV *both = ferrion_pl_part(aTHX_ object);
  sv_2mortal(SvREFCNT_inc_simple_NN((SV *)both));
  ferrion_pl_check(aTHX_ ferrion_value_begin_described(value));
  ferrion_pl_put(aTHX_ value, ferrion_pl_element(aTHX_ both, 0));
  ferrion_pl_put(aTHX_ value, ferrion_pl_element(aTHX_ both, 1));
  ferrion_pl_check(aTHX_ ferrion_value_end(value));
}

static void ferrion_pl_put_as(pTHX_ ferrion_value_t *value, SV *scalar, int32_t type);

/* The number of the type, the elements, and the descriptors. */
static void ferrion_pl_put_array(pTHX_ ferrion_value_t *value, SV *object) {
  AV *parts = SvTYPE(SvRV(object)) == SVt_PVHV ? NULL : ferrion_pl_part(aTHX_ object);
  SV **number = parts ? NULL : hv_fetchs((HV *)SvRV(object), "number", 0);
  SV **items = parts ? NULL : hv_fetchs((HV *)SvRV(object), "elements", 0);
  SV **outer = parts ? NULL : hv_fetchs((HV *)SvRV(object), "descriptors", 0);
  AV *elements = ferrion_pl_part(aTHX_ items ? *items : NULL);
  AV *descriptors = ferrion_pl_part(aTHX_ outer ? *outer : NULL);
  int32_t type = number && SvIOK(*number) ? (int32_t)SvIVX(*number) : 0;
  sv_2mortal(SvREFCNT_inc_simple_NN((SV *)elements));
  ferrion_pl_check(aTHX_ ferrion_value_begin_array(value, type, (size_t)(av_len(descriptors) + 1)));
  ferrion_pl_put_items(aTHX_ value, descriptors);
  for (SSize_t i = 0; i <= av_len(elements); i++) {
    ferrion_pl_put_as(aTHX_ value, ferrion_pl_element(aTHX_ elements, i), type);
  }
  ferrion_pl_check(aTHX_ ferrion_value_end(value));
}

/* Appends as a type, whatever the scalar would be otherwise: the elements of an array. */
static void ferrion_pl_put_as(pTHX_ ferrion_value_t *value, SV *scalar, int32_t type) {
#define FERRION_PL_BITS(TYPE) ((TYPE)ferrion_pl_bits(aTHX_ scalar, type))
  ferrion_status status = FERRION_OK;
  switch (type) {
    case FERRION_TYPE_BOOL: status = ferrion_value_put_bool(value, SvTRUE(ferrion_pl_inside(aTHX_ scalar))); break;
    case FERRION_TYPE_UBYTE: status = ferrion_value_put_ubyte(value, FERRION_PL_BITS(uint8_t)); break;
    case FERRION_TYPE_USHORT: status = ferrion_value_put_ushort(value, FERRION_PL_BITS(uint16_t)); break;
    case FERRION_TYPE_UINT: status = ferrion_value_put_uint(value, FERRION_PL_BITS(uint32_t)); break;
    case FERRION_TYPE_ULONG: status = ferrion_value_put_ulong(value, FERRION_PL_BITS(uint64_t)); break;
    case FERRION_TYPE_BYTE: status = ferrion_value_put_byte(value, FERRION_PL_BITS(int8_t)); break;
    case FERRION_TYPE_SHORT: status = ferrion_value_put_short(value, FERRION_PL_BITS(int16_t)); break;
    case FERRION_TYPE_INT: status = ferrion_value_put_int(value, FERRION_PL_BITS(int32_t)); break;
    case FERRION_TYPE_LONG: status = ferrion_value_put_long(value, FERRION_PL_BITS(int64_t)); break;
    case FERRION_TYPE_TIMESTAMP: status = ferrion_value_put_timestamp(value, FERRION_PL_BITS(int64_t)); break;
    case FERRION_TYPE_FLOAT: status = ferrion_value_put_float(value, ferrion_narrow((double)ferrion_pl_number(aTHX_ scalar, "float"))); break;
    case FERRION_TYPE_DOUBLE: status = ferrion_value_put_double(value, (double)ferrion_pl_number(aTHX_ scalar, "double")); break;
    case FERRION_TYPE_DECIMAL32: ferrion_pl_put_decimal(aTHX_ value, scalar, type, 4, ferrion_value_put_decimal32); break;
    case FERRION_TYPE_DECIMAL64: ferrion_pl_put_decimal(aTHX_ value, scalar, type, 8, ferrion_value_put_decimal64); break;
    case FERRION_TYPE_DECIMAL128: ferrion_pl_put_octets(aTHX_ value, scalar, "decimal128", ferrion_value_put_decimal128); break;
    case FERRION_TYPE_UUID: ferrion_pl_put_octets(aTHX_ value, scalar, "uuid", ferrion_value_put_uuid); break;
    case FERRION_TYPE_CHAR: ferrion_pl_put_char(aTHX_ value, scalar); break;
    case FERRION_TYPE_BINARY: ferrion_pl_put_octets(aTHX_ value, scalar, "binary", ferrion_value_put_binary); break;
    case FERRION_TYPE_STRING: ferrion_pl_put_string(aTHX_ value, scalar, "string", ferrion_value_put_string); break;
    case FERRION_TYPE_SYMBOL: ferrion_pl_put_string(aTHX_ value, scalar, "symbol", ferrion_value_put_symbol); break;
    /* The compound types: the reference tells, and ferrion refuses what does not belong. */
    default: ferrion_pl_put(aTHX_ value, scalar);
  }
  ferrion_pl_check(aTHX_ status);
#undef FERRION_PL_BITS
}

/* The place of an object's class in the table of classes, or negative. */
static int ferrion_pl_which(pTHX_ SV *object) {
  const char *name = HvNAME(SvSTASH(SvRV(object)));
  for (int i = 0; name && i < PL_CLASSES; i++) {
    if (strcmp(name, ferrion_pl_types[i].name) == 0) return i;
  }
  for (int i = 0; i < PL_CLASSES; i++) {
    if (sv_derived_from(object, ferrion_pl_types[i].name)) return i;
  }
  return -1;
}

static void ferrion_pl_put_reference(pTHX_ ferrion_value_t *value, SV *reference) {
  SV *referent = SvRV(reference);
  if (!SvOBJECT(referent)) {
    if (SvTYPE(referent) == SVt_PVAV) {
      ferrion_pl_put_list(aTHX_ value, (AV *)referent);
    } else if (SvTYPE(referent) == SVt_PVHV) {
      ferrion_pl_put_map(aTHX_ value, (HV *)referent);
    } else {
      ferrion_pl_refuse(aTHX_ "AMQP has no type for %" SVf, SVfARG(reference));
    }
    return;
  }
  int which = ferrion_pl_which(aTHX_ reference);
  if (which < 0) {
    ferrion_pl_refuse(aTHX_ "AMQP has no type for an object of %s: see Ferrion::Types", sv_reftype(referent, 1));
  }
  if (which == PL_DESCRIBED) {
    ferrion_pl_put_described(aTHX_ value, reference);
  } else if (which == PL_ARRAY) {
    ferrion_pl_put_array(aTHX_ value, reference);
  } else if (SvTYPE(referent) >= SVt_PVAV) {
    ferrion_pl_refuse(aTHX_ "this was not made by its class");
  } else {
    ferrion_pl_put_as(aTHX_ value, reference, ferrion_pl_types[which].type);
  }
}

static void ferrion_pl_put(pTHX_ ferrion_value_t *value, SV *scalar) {
  if (SvROK(scalar)) {
    ferrion_pl_put_reference(aTHX_ value, scalar);
    return;
  }
  ferrion_status status = FERRION_OK;
  if (!SvOK(scalar)) {
    status = ferrion_value_put_null(value);
#ifdef SvIsBOOL
  } else if (SvIsBOOL(scalar)) {
    status = ferrion_value_put_bool(value, SvTRUE(scalar));
#endif
  } else if (isGV_with_GP(scalar)) {
    ferrion_pl_refuse(aTHX_ "AMQP has no type for %" SVf, SVfARG(scalar));
  } else if (SvPOK(scalar)) {
    ferrion_pl_put_string(aTHX_ value, scalar, "string", ferrion_value_put_string);
  } else if (SvIOK(scalar)) {
    status = SvIsUV(scalar) && SvUVX(scalar) > (UV)IV_MAX ? ferrion_value_put_ulong(value, SvUVX(scalar))
                                                           : ferrion_value_put_long(value, SvIVX(scalar));
  } else if (SvNOK(scalar)) {
    status = ferrion_value_put_double(value, (double)SvNVX(scalar));
  } else {
    ferrion_pl_put_string(aTHX_ value, scalar, "string", ferrion_value_put_string);
  }
  ferrion_pl_check(aTHX_ status);
}

static void ferrion_pl_put_row(pTHX_ ferrion_value_t *value, SV *scalar) {
  /* What has magic is asked once, here as inside of others. */
  if (SvMAGICAL(scalar)) scalar = sv_mortalcopy(scalar);
  if (sv_isobject(scalar) && SvTYPE(SvRV(scalar)) == SVt_PVAV && sv_derived_from(scalar, "Ferrion::Abi::Row")) {
    ferrion_pl_put_items(aTHX_ value, (AV *)SvRV(scalar));
  } else {
    ferrion_pl_put(aTHX_ value, scalar);
  }
}

/* ---- to Perl ----------------------------------------------------------------------------------------------------- */

/* A new scalar, for whoever asked to own at once: it would be lost if something died first. */
static SV *ferrion_pl_get(pTHX_ ferrion_value_t *value);

/* The rest of the row that is walked. */
static AV *ferrion_pl_get_all(pTHX_ ferrion_value_t *value) {
  AV *list = (AV *)sv_2mortal((SV *)newAV());
  for (;;) {
    ferrion_status status = ferrion_value_next(value);
    if (status == FERRION_END) return list;
    ferrion_pl_check(aTHX_ status);
    av_push(list, ferrion_pl_get(aTHX_ value));
  }
}

/* What is inside the value that is looked at. */
static AV *ferrion_pl_get_inside(pTHX_ ferrion_value_t *value) {
  ferrion_pl_check(aTHX_ ferrion_value_enter(value));
  AV *list = ferrion_pl_get_all(aTHX_ value);
  ferrion_pl_check(aTHX_ ferrion_value_exit(value));
  return list;
}

/* Takes over what is in the object, which may be an array or a hash. */
static SV *ferrion_pl_bless(pTHX_ SV *inside, const char *name) {
  return sv_bless(newRV_noinc(inside), gv_stashpv(name, GV_ADD));
}

static SV *ferrion_pl_wrap(pTHX_ int which, SV *inside) {
  return ferrion_pl_bless(aTHX_ inside, ferrion_pl_types[which].name);
}

/* A hash that is tied to what keeps order and types: keys and values, each in their own array. */
static SV *ferrion_pl_get_map(pTHX_ ferrion_value_t *value) {
  AV *items = ferrion_pl_get_inside(aTHX_ value);
  AV *keys = newAV();
  AV *values = newAV();
  for (SSize_t i = 0; i + 1 <= av_len(items); i += 2) {
    av_push(keys, SvREFCNT_inc_simple_NN(*av_fetch(items, i, 0)));
    av_push(values, SvREFCNT_inc_simple_NN(*av_fetch(items, i + 1, 0)));
  }
  AV *both = newAV();
  av_push(both, newRV_noinc((SV *)keys));
  av_push(both, newRV_noinc((SV *)values));
  SV *map = ferrion_pl_bless(aTHX_ (SV *)both, "Ferrion::Map");
  HV *hash = newHV();
  hv_magic(hash, (GV *)map, PERL_MAGIC_tied);
  SvREFCNT_dec_NN(map);
  return newRV_noinc((SV *)hash);
}

static SV *ferrion_pl_get_array(pTHX_ ferrion_value_t *value) {
  ferrion_type type = FERRION_TYPE_NULL;
  size_t n = 0;
  ferrion_pl_check(aTHX_ ferrion_value_get_array(value, &type, &n));
  AV *items = ferrion_pl_get_inside(aTHX_ value);
  AV *descriptors = newAV();
  AV *elements = newAV();
  for (SSize_t i = 0; i <= av_len(items); i++) {
    av_push((size_t)i < n ? descriptors : elements, SvREFCNT_inc_simple_NN(*av_fetch(items, i, 0)));
  }
  HV *array = newHV();
  (void)hv_stores(array, "number", newSViv(type));
  (void)hv_stores(array, "elements", newRV_noinc((SV *)elements));
  (void)hv_stores(array, "descriptors", newRV_noinc((SV *)descriptors));
  return ferrion_pl_wrap(aTHX_ PL_ARRAY, (SV *)array);
}

static SV *ferrion_pl_get_octets(pTHX_ ferrion_value_t *value, ferrion_type type) {
  ferrion_bytes_t octets;
  ferrion_pl_check(aTHX_ ferrion_value_get_bytes(value, &octets));
  const char *data = (const char *)octets.data;
  UV bits = 0;
  switch (type) {
    case FERRION_TYPE_BINARY: return ferrion_pl_wrap(aTHX_ PL_BINARY, newSVpvn(data, octets.len));
    case FERRION_TYPE_STRING: return newSVpvn_utf8(data, octets.len, 1);
    case FERRION_TYPE_SYMBOL: return ferrion_pl_wrap(aTHX_ PL_SYMBOL, newSVpvn(data, octets.len));
    case FERRION_TYPE_UUID: return ferrion_pl_wrap(aTHX_ PL_UUID, newSVpvn(data, octets.len));
    case FERRION_TYPE_DECIMAL128: return ferrion_pl_wrap(aTHX_ PL_DECIMAL128, newSVpvn(data, octets.len));
    default:
      for (size_t i = 0; i < octets.len; i++) bits = bits << 8 | octets.data[i];
      return ferrion_pl_wrap(aTHX_ type == FERRION_TYPE_DECIMAL32 ? PL_DECIMAL32 : PL_DECIMAL64, newSVuv(bits));
  }
}

static SV *ferrion_pl_get_char(pTHX_ uint32_t character) {
  U8 text[UTF8_MAXBYTES + 1];
  U8 *end = uvchr_to_utf8(text, character);
  return ferrion_pl_wrap(aTHX_ PL_CHAR, newSVpvn_utf8((const char *)text, (STRLEN)(end - text), 1));
}

/* Reads the value that is looked at with its getter. */
#define FERRION_PL_READ(TYPE, GETTER, INTO) \
  TYPE INTO = 0; \
  ferrion_pl_check(aTHX_ ferrion_value_get_##GETTER(value, &INTO))

static SV *ferrion_pl_get(pTHX_ ferrion_value_t *value) {
  ferrion_type type = FERRION_TYPE_NULL;
  ferrion_pl_check(aTHX_ ferrion_value_type(value, &type));
  switch (type) {
    case FERRION_TYPE_NULL: return newSV(0);
    case FERRION_TYPE_BOOL: { FERRION_PL_READ(bool, bool, v); return ferrion_pl_wrap(aTHX_ PL_BOOLEAN, newSViv(v)); }
    case FERRION_TYPE_UBYTE: { FERRION_PL_READ(uint8_t, ubyte, v); return ferrion_pl_wrap(aTHX_ PL_UBYTE, newSVuv(v)); }
    case FERRION_TYPE_USHORT: { FERRION_PL_READ(uint16_t, ushort, v); return ferrion_pl_wrap(aTHX_ PL_USHORT, newSVuv(v)); }
    case FERRION_TYPE_UINT: { FERRION_PL_READ(uint32_t, uint, v); return ferrion_pl_wrap(aTHX_ PL_UINT, newSVuv(v)); }
    case FERRION_TYPE_ULONG: { FERRION_PL_READ(uint64_t, ulong, v); return ferrion_pl_wrap(aTHX_ PL_ULONG, newSVuv(v)); }
    case FERRION_TYPE_BYTE: { FERRION_PL_READ(int8_t, byte, v); return ferrion_pl_wrap(aTHX_ PL_BYTE, newSViv(v)); }
    case FERRION_TYPE_SHORT: { FERRION_PL_READ(int16_t, short, v); return ferrion_pl_wrap(aTHX_ PL_SHORT, newSViv(v)); }
    case FERRION_TYPE_INT: { FERRION_PL_READ(int32_t, int, v); return ferrion_pl_wrap(aTHX_ PL_INT, newSViv(v)); }
    case FERRION_TYPE_LONG: { FERRION_PL_READ(int64_t, long, v); return newSViv(v); }
    case FERRION_TYPE_TIMESTAMP: { FERRION_PL_READ(int64_t, timestamp, v); return ferrion_pl_wrap(aTHX_ PL_TIMESTAMP, newSViv(v)); }
    case FERRION_TYPE_FLOAT: { FERRION_PL_READ(float, float, v); return ferrion_pl_wrap(aTHX_ PL_FLOAT, newSVnv(ferrion_widen(v))); }
    case FERRION_TYPE_DOUBLE: { FERRION_PL_READ(double, double, v); return newSVnv(v); }
    case FERRION_TYPE_CHAR: { FERRION_PL_READ(uint32_t, char, v); return ferrion_pl_get_char(aTHX_ v); }
    case FERRION_TYPE_LIST: return newRV_inc((SV *)ferrion_pl_get_inside(aTHX_ value));
    case FERRION_TYPE_MAP: return ferrion_pl_get_map(aTHX_ value);
    case FERRION_TYPE_ARRAY: return ferrion_pl_get_array(aTHX_ value);
    case FERRION_TYPE_DESCRIBED: {
      AV *both = ferrion_pl_get_inside(aTHX_ value);
      return ferrion_pl_wrap(aTHX_ PL_DESCRIBED, SvREFCNT_inc_simple_NN((SV *)both));
    }
    default: return ferrion_pl_get_octets(aTHX_ value, type);
  }
}

#endif
