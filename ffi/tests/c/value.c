/* Values of every AMQP type: built, printed, encoded, decoded, walked. */
#include "check.h"
#include <math.h>

static void build(ferrion_value_t *v) {
  static const uint8_t octets[16] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
  OK(ferrion_value_begin_list(v));
  OK(ferrion_value_put_null(v));
  OK(ferrion_value_put_bool(v, true));
  OK(ferrion_value_put_ubyte(v, UINT8_MAX));
  OK(ferrion_value_put_ushort(v, UINT16_MAX));
  OK(ferrion_value_put_uint(v, UINT32_MAX));
  OK(ferrion_value_put_ulong(v, UINT64_MAX));
  OK(ferrion_value_put_byte(v, INT8_MIN));
  OK(ferrion_value_put_short(v, INT16_MIN));
  OK(ferrion_value_put_int(v, INT32_MIN));
  OK(ferrion_value_put_long(v, INT64_MIN));
  OK(ferrion_value_put_float(v, 1.5f));
  OK(ferrion_value_put_double(v, -INFINITY));
  OK(ferrion_value_put_decimal32(v, octets, 4));
  OK(ferrion_value_put_decimal64(v, octets, 8));
  OK(ferrion_value_put_decimal128(v, octets, 16));
  OK(ferrion_value_put_char(v, 0x1f41d));
  OK(ferrion_value_put_timestamp(v, -1));
  OK(ferrion_value_put_uuid(v, octets, 16));
  OK(ferrion_value_put_binary(v, NULL, 0));
  OK(ferrion_value_put_string(v, BYTES("a\0b")));
  OK(ferrion_value_put_symbol(v, BYTES("sym")));
  OK(ferrion_value_begin_map(v));
  OK(ferrion_value_put_symbol_text(v, "colour"));
  OK(ferrion_value_put_text(v, "green"));
  OK(ferrion_value_end(v));
  OK(ferrion_value_begin_array(v, FERRION_TYPE_UINT, 0));
  OK(ferrion_value_put_uint(v, 1));
  OK(ferrion_value_put_uint(v, 1000));
  OK(ferrion_value_end(v));
  OK(ferrion_value_begin_array(v, FERRION_TYPE_STRING, 1));
  OK(ferrion_value_put_symbol_text(v, "shared"));
  OK(ferrion_value_end(v));
  OK(ferrion_value_begin_described(v));
  OK(ferrion_value_put_ulong(v, 42));
  OK(ferrion_value_begin_list(v));
  OK(ferrion_value_end(v));
  OK(ferrion_value_end(v));
  OK(ferrion_value_end(v));
}

static ferrion_type type(ferrion_value_t *v) {
  ferrion_type found;
  OK(ferrion_value_type(v, &found));
  return found;
}

static size_t count(ferrion_value_t *v) {
  size_t n;
  OK(ferrion_value_count(v, &n));
  return n;
}

#define NEXT(v, kind, what, field, expected) \
  do { \
    OK(ferrion_value_next(v)); \
    CHECK(type(v) == kind); \
    OK(ferrion_value_get_##what(v, &field)); \
    CHECK(field == expected); \
  } while (0)

#define NEXT_BYTES(v, kind, n, first) \
  do { \
    ferrion_bytes_t bytes; \
    OK(ferrion_value_next(v)); \
    CHECK(type(v) == kind); \
    OK(ferrion_value_get_bytes(v, &bytes)); \
    CHECK(same(bytes, first, n)); \
  } while (0)

static void walk(ferrion_value_t *v) {
  static const uint8_t octets[16] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
  bool truth;
  uint8_t u8;
  uint16_t u16;
  uint32_t u32;
  uint64_t u64;
  int8_t i8;
  int16_t i16;
  int32_t i32;
  int64_t i64;
  float f;
  double d;
  size_t n;
  ferrion_type element;

  OK(ferrion_value_rewind(v));
  IS(FERRION_STATE, ferrion_value_enter(v));
  OK(ferrion_value_next(v));
  CHECK(type(v) == FERRION_TYPE_LIST && count(v) == 25);
  OK(ferrion_value_enter(v));
  OK(ferrion_value_next(v));
  CHECK(type(v) == FERRION_TYPE_NULL);
  NEXT(v, FERRION_TYPE_BOOL, bool, truth, true);
  IS(FERRION_WRONG_TYPE, ferrion_value_get_ubyte(v, &u8));
  IS(FERRION_WRONG_TYPE, ferrion_value_enter(v));
  NEXT(v, FERRION_TYPE_UBYTE, ubyte, u8, UINT8_MAX);
  NEXT(v, FERRION_TYPE_USHORT, ushort, u16, UINT16_MAX);
  NEXT(v, FERRION_TYPE_UINT, uint, u32, UINT32_MAX);
  NEXT(v, FERRION_TYPE_ULONG, ulong, u64, UINT64_MAX);
  NEXT(v, FERRION_TYPE_BYTE, byte, i8, INT8_MIN);
  NEXT(v, FERRION_TYPE_SHORT, short, i16, INT16_MIN);
  NEXT(v, FERRION_TYPE_INT, int, i32, INT32_MIN);
  NEXT(v, FERRION_TYPE_LONG, long, i64, INT64_MIN);
  NEXT(v, FERRION_TYPE_FLOAT, float, f, 1.5f);
  NEXT(v, FERRION_TYPE_DOUBLE, double, d, -INFINITY);
  NEXT_BYTES(v, FERRION_TYPE_DECIMAL32, 4, octets);
  NEXT_BYTES(v, FERRION_TYPE_DECIMAL64, 8, octets);
  NEXT_BYTES(v, FERRION_TYPE_DECIMAL128, 16, octets);
  NEXT(v, FERRION_TYPE_CHAR, char, u32, 0x1f41d);
  NEXT(v, FERRION_TYPE_TIMESTAMP, timestamp, i64, -1);
  NEXT_BYTES(v, FERRION_TYPE_UUID, 16, octets);
  NEXT_BYTES(v, FERRION_TYPE_BINARY, 0, "");
  NEXT_BYTES(v, FERRION_TYPE_STRING, 3, "a\0b");
  NEXT_BYTES(v, FERRION_TYPE_SYMBOL, 3, "sym");

  OK(ferrion_value_next(v));
  CHECK(type(v) == FERRION_TYPE_MAP && count(v) == 2);
  OK(ferrion_value_enter(v));
  NEXT_BYTES(v, FERRION_TYPE_SYMBOL, 6, "colour");
  NEXT_BYTES(v, FERRION_TYPE_STRING, 5, "green");
  IS(FERRION_END, ferrion_value_next(v));
  OK(ferrion_value_exit(v));
  CHECK(type(v) == FERRION_TYPE_MAP);

  OK(ferrion_value_next(v));
  OK(ferrion_value_get_array(v, &element, &n));
  CHECK(element == FERRION_TYPE_UINT && n == 0 && count(v) == 2);
  OK(ferrion_value_enter(v));
  NEXT(v, FERRION_TYPE_UINT, uint, u32, 1);
  /* Out in the middle: what was not walked is passed over. */
  OK(ferrion_value_exit(v));

  OK(ferrion_value_next(v));
  OK(ferrion_value_get_array(v, &element, &n));
  CHECK(element == FERRION_TYPE_STRING && n == 1 && count(v) == 1);

  OK(ferrion_value_next(v));
  CHECK(type(v) == FERRION_TYPE_DESCRIBED);
  IS(FERRION_WRONG_TYPE, ferrion_value_get_array(v, &element, &n));
  OK(ferrion_value_enter(v));
  NEXT(v, FERRION_TYPE_ULONG, ulong, u64, 42);
  OK(ferrion_value_next(v));
  CHECK(type(v) == FERRION_TYPE_LIST && count(v) == 0);
  OK(ferrion_value_enter(v));
  IS(FERRION_END, ferrion_value_next(v));
  OK(ferrion_value_exit(v));
  IS(FERRION_END, ferrion_value_next(v));
  OK(ferrion_value_exit(v));
  IS(FERRION_END, ferrion_value_next(v));
  OK(ferrion_value_exit(v));
  IS(FERRION_END, ferrion_value_next(v));
  IS(FERRION_STATE, ferrion_value_exit(v));
}

static void mistakes(ferrion_value_t *v) {
  ferrion_bytes_t bytes;
  uint32_t u32;

  OK(ferrion_value_clear(v));
  IS(FERRION_STATE, ferrion_value_end(v));
  IS(FERRION_END, ferrion_value_next(v));
  IS(FERRION_STATE, ferrion_value_get_uint(v, &u32));
  IS(FERRION_INVALID_ARGUMENT, ferrion_value_put_char(v, 0xd800));
  IS(FERRION_INVALID_ARGUMENT, ferrion_value_put_uuid(v, BYTES("short")));
  IS(FERRION_INVALID_ARGUMENT, ferrion_value_put_string(v, BYTES("\xff")));
  IS(FERRION_INVALID_ARGUMENT, ferrion_value_put_symbol(v, BYTES("\xc3\xa9")));
  IS(FERRION_INVALID_ARGUMENT, ferrion_value_begin_array(v, 99, 0));
  IS(FERRION_INVALID_ARGUMENT, ferrion_value_begin_array(v, FERRION_TYPE_DESCRIBED, 0));
  IS(FERRION_NULL_POINTER, ferrion_value_put_text(v, NULL));
  IS(FERRION_NULL_POINTER, ferrion_value_put_binary(v, NULL, 1));
  IS(FERRION_INVALID_ARGUMENT, ferrion_value_put_binary(v, (const uint8_t *)"", SIZE_MAX));
  IS(FERRION_BUSY, ferrion_value_copy(v, v));

  OK(ferrion_value_begin_map(v));
  OK(ferrion_value_put_text(v, "key"));
  IS(FERRION_STATE, ferrion_value_end(v));
  IS(FERRION_STATE, ferrion_value_next(v));
  IS(FERRION_STATE, ferrion_value_encode(v, &bytes));
  OK(ferrion_value_put_null(v));
  OK(ferrion_value_put_text(v, "key"));
  OK(ferrion_value_put_null(v));
  OK(ferrion_value_end(v));
  IS(FERRION_INVALID_ARGUMENT, ferrion_value_encode(v, &bytes));

  OK(ferrion_value_clear(v));
  OK(ferrion_value_begin_array(v, FERRION_TYPE_UINT, 0));
  IS(FERRION_WRONG_TYPE, ferrion_value_put_int(v, 1));
  OK(ferrion_value_end(v));
  OK(ferrion_value_begin_array(v, FERRION_TYPE_UINT, 2));
  IS(FERRION_STATE, ferrion_value_end(v));

  OK(ferrion_value_clear(v));
  OK(ferrion_value_begin_described(v));
  IS(FERRION_STATE, ferrion_value_end(v));
  OK(ferrion_value_put_ulong(v, 1));
  OK(ferrion_value_put_ulong(v, 2));
  IS(FERRION_STATE, ferrion_value_put_ulong(v, 3));
  OK(ferrion_value_end(v));

  OK(ferrion_value_clear(v));
  int depth = 0;
  while (ferrion_value_begin_list(v) == FERRION_OK) depth++;
  IS(FERRION_ENCODE, ferrion_value_begin_list(v));
  CHECK(depth >= 16);
  while (depth-- > 0) OK(ferrion_value_end(v));
  OK(ferrion_value_encode(v, &bytes));

  OK(ferrion_value_clear(v));
  OK(ferrion_value_put_uint(v, 7));
  IS(FERRION_DECODE, ferrion_value_decode(v, BYTES("\xa1\x05" "abc")));
  OK(ferrion_value_next(v));
  OK(ferrion_value_get_uint(v, &u32));
  CHECK(u32 == 7);
}

/* What the last failure says, of whatever kind it and the one before were. */
static void failures(ferrion_value_t *v) {
  OK(ferrion_value_clear(v));
  OK(ferrion_value_put_uint(v, 7));
  for (int i = 0; i < 2; i++) {
    OK(ferrion_value_rewind(v));
    IS(FERRION_STATE, ferrion_value_exit(v));
    CHECK(strstr(ferrion_last_error(), "nothing was entered"));
    OK(ferrion_value_next(v));
    IS(FERRION_END, ferrion_value_next(v));
    CHECK(strstr(ferrion_last_error(), "no more values") && !*ferrion_last_condition());
    CHECK(strstr(ferrion_last_error(), "no more values"));
  }
  IS(FERRION_END, ferrion_value_next(v));
  IS(FERRION_STATE, ferrion_value_exit(v));
  CHECK(strstr(ferrion_last_error(), "nothing was entered") && !*ferrion_last_condition());
}

int main(void) {
  ferrion_value_t *v = ferrion_value_new();
  ferrion_value_t *copy = ferrion_value_new();
  ferrion_bytes_t bytes;

  build(v);
  walk(v);
  OK(ferrion_value_copy(copy, v));
  walk(copy);

  OK(ferrion_value_encode(v, &bytes));
  OK(ferrion_value_decode(copy, bytes.data, bytes.len));
  OK(ferrion_value_next(copy));
  walk(copy);

  OK(ferrion_value_clear(v));
  OK(ferrion_value_put_uint(v, 1));
  OK(ferrion_value_put_text(v, "two"));
  OK(ferrion_value_print(v, &bytes));
  CHECK(same_text(bytes, "1 \"two\""));
  OK(ferrion_value_encode(v, &bytes));
  CHECK(same(bytes, "\x52\x01\xa1\x03two", 7));

  mistakes(v);
  failures(v);
  ferrion_value_free(copy);
  ferrion_value_free(v);
  ferrion_value_free(NULL);
  return 0;
}
