/* Messages to octets and back, by the C header, in the notation of ../interop/README.md: see README.md. */
#include "notation.h"

/* ---- values ---------------------------------------------------------------------------------------------------------- */

static void put(ferrion_value_t *v);

/* The values of a list of notations. */
static void put_items(ferrion_value_t *v) {
  CHECK(next_is("["));
  while (!next_is("]")) {
    put(v);
    next_is(",");
  }
}

static void put_map(ferrion_value_t *v) {
  OK(ferrion_value_begin_map(v));
  CHECK(next_is("["));
  while (!next_is("]")) {
    put_items(v);
    next_is(",");
  }
  OK(ferrion_value_end(v));
}

static void put_array(ferrion_value_t *v) {
  int32_t type = number_of(TYPES, word());
  CHECK(next_is(","));
  bool several = false;
  size_t descriptors = array_descriptors(&several);
  OK(ferrion_value_begin_array(v, type, descriptors));
  for (size_t i = 0; i < descriptors; i++) {
    CHECK(!several || next_is(","));
    put(v);
  }
  CHECK(next_is(several ? "]," : ","));
  put_items(v);
  OK(ferrion_value_end(v));
}

static void put_scalar(ferrion_value_t *v, int32_t type) {
  ferrion_bytes_t bytes;
  uint32_t half;
  uint64_t whole;
  float f;
  double d;
  switch (type) {
    case FERRION_TYPE_UBYTE: OK(ferrion_value_put_ubyte(v, (uint8_t)strtoul(word(), NULL, 10))); return;
    case FERRION_TYPE_USHORT: OK(ferrion_value_put_ushort(v, (uint16_t)strtoul(word(), NULL, 10))); return;
    case FERRION_TYPE_UINT: OK(ferrion_value_put_uint(v, (uint32_t)strtoul(word(), NULL, 10))); return;
    case FERRION_TYPE_ULONG: OK(ferrion_value_put_ulong(v, strtoull(word(), NULL, 10))); return;
    case FERRION_TYPE_BYTE: OK(ferrion_value_put_byte(v, (int8_t)strtol(word(), NULL, 10))); return;
    case FERRION_TYPE_SHORT: OK(ferrion_value_put_short(v, (int16_t)strtol(word(), NULL, 10))); return;
    case FERRION_TYPE_INT: OK(ferrion_value_put_int(v, (int32_t)strtol(word(), NULL, 10))); return;
    case FERRION_TYPE_LONG: OK(ferrion_value_put_long(v, strtoll(word(), NULL, 10))); return;
    case FERRION_TYPE_TIMESTAMP: OK(ferrion_value_put_timestamp(v, strtoll(word(), NULL, 10))); return;
    case FERRION_TYPE_CHAR: OK(ferrion_value_put_char(v, (uint32_t)strtoul(word(), NULL, 16))); return;
    case FERRION_TYPE_FLOAT:
      half = (uint32_t)bits();
      memcpy(&f, &half, sizeof f);
      OK(ferrion_value_put_float(v, f));
      return;
    case FERRION_TYPE_DOUBLE:
      whole = bits();
      memcpy(&d, &whole, sizeof d);
      OK(ferrion_value_put_double(v, d));
      return;
    case FERRION_TYPE_STRING: bytes = text(); OK(ferrion_value_put_string(v, bytes.data, bytes.len)); return;
    case FERRION_TYPE_SYMBOL: bytes = text(); OK(ferrion_value_put_symbol(v, bytes.data, bytes.len)); return;
    default: break;
  }
  bytes = octets();
  switch (type) {
    case FERRION_TYPE_DECIMAL32: OK(ferrion_value_put_decimal32(v, bytes.data, bytes.len)); return;
    case FERRION_TYPE_DECIMAL64: OK(ferrion_value_put_decimal64(v, bytes.data, bytes.len)); return;
    case FERRION_TYPE_DECIMAL128: OK(ferrion_value_put_decimal128(v, bytes.data, bytes.len)); return;
    case FERRION_TYPE_UUID: OK(ferrion_value_put_uuid(v, bytes.data, bytes.len)); return;
    default: OK(ferrion_value_put_binary(v, bytes.data, bytes.len)); return;
  }
}

/* Appends the value that the notation stands for. */
static void put(ferrion_value_t *v) {
  CHECK(next_is("["));
  int32_t type = number_of(TYPES, word());
  if (type != FERRION_TYPE_NULL) CHECK(next_is(","));
  switch (type) {
    case FERRION_TYPE_NULL: OK(ferrion_value_put_null(v)); break;
    case FERRION_TYPE_BOOL: {
      bool truth = next_is("true");
      CHECK(truth || next_is("false"));
      OK(ferrion_value_put_bool(v, truth));
      break;
    }
    case FERRION_TYPE_LIST:
      OK(ferrion_value_begin_list(v));
      put_items(v);
      OK(ferrion_value_end(v));
      break;
    case FERRION_TYPE_MAP: put_map(v); break;
    case FERRION_TYPE_ARRAY: put_array(v); break;
    case FERRION_TYPE_DESCRIBED:
      OK(ferrion_value_begin_described(v));
      put(v);
      CHECK(next_is(","));
      put(v);
      OK(ferrion_value_end(v));
      break;
    default: put_scalar(v, type);
  }
  CHECK(next_is("]"));
}

static void show(ferrion_value_t *v);

/* The rest of a row of values, with commas between them. */
static void show_rest(ferrion_value_t *v) {
  for (bool first = true; ferrion_value_next(v) == FERRION_OK; first = false) {
    if (!first) putchar(',');
    show(v);
  }
}

/* What is in a list. */
static void show_items(ferrion_value_t *v) {
  OK(ferrion_value_enter(v));
  putchar('[');
  show_rest(v);
  putchar(']');
  OK(ferrion_value_exit(v));
}

static void show_map(ferrion_value_t *v) {
  OK(ferrion_value_enter(v));
  putchar('[');
  for (bool first = true; ferrion_value_next(v) == FERRION_OK; first = false) {
    printf(first ? "[" : ",[");
    show(v);
    putchar(',');
    OK(ferrion_value_next(v));
    show(v);
    putchar(']');
  }
  putchar(']');
  OK(ferrion_value_exit(v));
}

static void show_array(ferrion_value_t *v) {
  ferrion_type type;
  size_t descriptors;
  OK(ferrion_value_get_array(v, &type, &descriptors));
  printf("\"%s\",", name_of(TYPES, (int32_t)type));
  OK(ferrion_value_enter(v));
  if (descriptors == 0) printf("null");
  if (descriptors > 1) printf("[\"descriptors\",\"%zu\",", descriptors);
  for (size_t i = 0; i < descriptors; i++) {
    if (i > 0) putchar(',');
    OK(ferrion_value_next(v));
    show(v);
  }
  printf(descriptors > 1 ? "],[" : ",[");
  show_rest(v);
  putchar(']');
  OK(ferrion_value_exit(v));
}

/* Gets the value that is looked at with its getter, and shows it. */
#define SHOW(TYPE, GETTER, FORMAT) \
  do { \
    TYPE number; \
    OK(ferrion_value_get_##GETTER(v, &number)); \
    printf("\"%" FORMAT "\"", number); \
  } while (0)

static void show_scalar(ferrion_value_t *v, ferrion_type type) {
  ferrion_bytes_t bytes;
  switch (type) {
    case FERRION_TYPE_UBYTE: SHOW(uint8_t, ubyte, PRIu8); return;
    case FERRION_TYPE_USHORT: SHOW(uint16_t, ushort, PRIu16); return;
    case FERRION_TYPE_UINT: SHOW(uint32_t, uint, PRIu32); return;
    case FERRION_TYPE_ULONG: SHOW(uint64_t, ulong, PRIu64); return;
    case FERRION_TYPE_BYTE: SHOW(int8_t, byte, PRId8); return;
    case FERRION_TYPE_SHORT: SHOW(int16_t, short, PRId16); return;
    case FERRION_TYPE_INT: SHOW(int32_t, int, PRId32); return;
    case FERRION_TYPE_LONG: SHOW(int64_t, long, PRId64); return;
    case FERRION_TYPE_TIMESTAMP: SHOW(int64_t, timestamp, PRId64); return;
    case FERRION_TYPE_CHAR: SHOW(uint32_t, char, PRIx32); return;
    case FERRION_TYPE_FLOAT: {
      float number;
      uint32_t half;
      OK(ferrion_value_get_float(v, &number));
      memcpy(&half, &number, sizeof half);
      printf("\"%08" PRIx32 "\"", half);
      return;
    }
    case FERRION_TYPE_DOUBLE: {
      double number;
      uint64_t whole;
      OK(ferrion_value_get_double(v, &number));
      memcpy(&whole, &number, sizeof whole);
      printf("\"%016" PRIx64 "\"", whole);
      return;
    }
    default: break;
  }
  OK(ferrion_value_get_bytes(v, &bytes));
  if (type == FERRION_TYPE_STRING || type == FERRION_TYPE_SYMBOL) {
    show_text(bytes);
    return;
  }
  putchar('"');
  if (type == FERRION_TYPE_UUID) {
    show_uuid(bytes);
  } else {
    show_octets(bytes);
  }
  putchar('"');
}

/* Prints the notation of the value that is looked at. */
static void show(ferrion_value_t *v) {
  ferrion_type type;
  bool truth;
  OK(ferrion_value_type(v, &type));
  printf("[\"%s\"", name_of(TYPES, (int32_t)type));
  if (type != FERRION_TYPE_NULL) putchar(',');
  switch (type) {
    case FERRION_TYPE_NULL: break;
    case FERRION_TYPE_BOOL:
      OK(ferrion_value_get_bool(v, &truth));
      printf(truth ? "true" : "false");
      break;
    case FERRION_TYPE_LIST: show_items(v); break;
    case FERRION_TYPE_MAP: show_map(v); break;
    case FERRION_TYPE_ARRAY: show_array(v); break;
    case FERRION_TYPE_DESCRIBED:
      OK(ferrion_value_enter(v));
      show_rest(v);
      OK(ferrion_value_exit(v));
      break;
    default: show_scalar(v, type);
  }
  putchar(']');
}

/* ---- messages -------------------------------------------------------------------------------------------------------- */

/* One value on its own, to set something to. */
static ferrion_value_t *single(ferrion_value_t *v) {
  OK(ferrion_value_clear(v));
  put(v);
  return v;
}

static void set_fields(ferrion_message_t *m, const name_t *names, ferrion_value_t *v) {
  CHECK(next_is("{"));
  while (!next_is("}")) {
    int32_t field = number_of(names, word());
    CHECK(next_is(":"));
    OK(ferrion_message_set(m, field, single(v)));
    next_is(",");
  }
}

static void set_body(ferrion_message_t *m, ferrion_value_t *v) {
  CHECK(next_is("["));
  int32_t kind = number_of(BODIES, word());
  CHECK(next_is(","));
  if (kind == FERRION_BODY_VALUE) {
    OK(ferrion_message_set_body(m, kind, single(v)));
  } else {
    OK(ferrion_value_clear(v));
    CHECK(next_is("["));
    while (!next_is("]")) {
      if (kind == FERRION_BODY_DATA) {
        ferrion_bytes_t part = octets();
        OK(ferrion_value_put_binary(v, part.data, part.len));
      } else {
        OK(ferrion_value_begin_list(v));
        put_items(v);
        OK(ferrion_value_end(v));
      }
      next_is(",");
    }
    OK(ferrion_message_set_body(m, kind, v));
  }
  CHECK(next_is("]"));
}

static void encode(ferrion_message_t *m, ferrion_value_t *v) {
  ferrion_bytes_t encoded;
  OK(ferrion_message_clear(m));
  CHECK(next_is("{"));
  while (!next_is("}")) {
    const char *name = word();
    CHECK(next_is(":"));
    if (!strcmp(name, "header")) set_fields(m, HEADER, v);
    else if (!strcmp(name, "properties")) set_fields(m, PROPERTIES, v);
    else if (!strcmp(name, "body")) set_body(m, v);
    else OK(ferrion_message_set_section(m, number_of(SECTIONS, name), single(v)));
    next_is(",");
  }
  OK(ferrion_message_encode(m, &encoded));
  show_octets(encoded);
}

static void show_fields(ferrion_message_t *m, const char *section, const name_t *names, ferrion_value_t *v) {
  const char *comma = "";
  printf("\"%s\":{", section);
  for (; names->name; names++) {
    if (ferrion_message_get(m, names->number, v) == FERRION_ABSENT) continue;
    OK(ferrion_value_next(v));
    printf("%s\"%s\":", comma, names->name);
    show(v);
    comma = ",";
  }
  printf("},");
}

static void show_body(ferrion_message_t *m, ferrion_value_t *v) {
  ferrion_body kind;
  ferrion_bytes_t part;
  OK(ferrion_message_body(m, &kind, v));
  printf("\"body\":[\"%s\",", name_of(BODIES, (int32_t)kind));
  if (kind == FERRION_BODY_VALUE) {
    OK(ferrion_value_next(v));
    show(v);
  } else {
    putchar('[');
    for (bool first = true; ferrion_value_next(v) == FERRION_OK; first = false) {
      if (!first) putchar(',');
      if (kind == FERRION_BODY_SEQUENCE) {
        show_items(v);
      } else {
        OK(ferrion_value_get_bytes(v, &part));
        putchar('"');
        show_octets(part);
        putchar('"');
      }
    }
    putchar(']');
  }
  putchar(']');
}

static void decode(ferrion_message_t *m, ferrion_value_t *v) {
  ferrion_bytes_t encoded = rest();
  OK(ferrion_message_decode_lenient(m, encoded.data, encoded.len));
  putchar('{');
  show_fields(m, "header", HEADER, v);
  show_fields(m, "properties", PROPERTIES, v);
  for (const name_t *section = SECTIONS; section->name; section++) {
    if (ferrion_message_section(m, section->number, v) == FERRION_ABSENT) continue;
    OK(ferrion_value_next(v));
    printf("\"%s\":", section->name);
    show(v);
    putchar(',');
  }
  show_body(m, v);
  putchar('}');
}

int main(void) {
  ferrion_message_t *m = ferrion_message_new();
  ferrion_value_t *v = ferrion_value_new();
  char *line = NULL;
  size_t room = 0;
  ssize_t len;
  while ((len = getline(&line, &room, stdin)) > 0) {
    if (line[len - 1] == '\n') line[len - 1] = '\0';
    at = line;
    if (next_is("encode ")) {
      encode(m, v);
    } else {
      CHECK(next_is("decode "));
      decode(m, v);
    }
    putchar('\n');
  }
  free(line);
  ferrion_value_free(v);
  ferrion_message_free(m);
  return 0;
}
