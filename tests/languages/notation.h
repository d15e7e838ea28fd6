/* What the programs in C and C++ share: the names of the notation, and reading and printing it. */
#ifndef NOTATION_H
#define NOTATION_H

#include "../../ffi/tests/c/check.h"

#include <ctype.h>
#include <inttypes.h>

typedef struct {
  const char *name;
  int32_t number;
} name_t;

static const name_t TYPES[] = {
  {"null", FERRION_TYPE_NULL}, {"boolean", FERRION_TYPE_BOOL}, {"ubyte", FERRION_TYPE_UBYTE}, {"ushort", FERRION_TYPE_USHORT},
  {"uint", FERRION_TYPE_UINT}, {"ulong", FERRION_TYPE_ULONG}, {"byte", FERRION_TYPE_BYTE}, {"short", FERRION_TYPE_SHORT},
  {"int", FERRION_TYPE_INT}, {"long", FERRION_TYPE_LONG}, {"float", FERRION_TYPE_FLOAT}, {"double", FERRION_TYPE_DOUBLE},
  {"decimal32", FERRION_TYPE_DECIMAL32}, {"decimal64", FERRION_TYPE_DECIMAL64}, {"decimal128", FERRION_TYPE_DECIMAL128},
  {"char", FERRION_TYPE_CHAR}, {"timestamp", FERRION_TYPE_TIMESTAMP}, {"uuid", FERRION_TYPE_UUID},
  {"binary", FERRION_TYPE_BINARY}, {"string", FERRION_TYPE_STRING}, {"symbol", FERRION_TYPE_SYMBOL},
  {"list", FERRION_TYPE_LIST}, {"map", FERRION_TYPE_MAP}, {"array", FERRION_TYPE_ARRAY},
  {"described", FERRION_TYPE_DESCRIBED}, {NULL, 0}};
static const name_t HEADER[] = {
  {"durable", FERRION_FIELD_DURABLE}, {"priority", FERRION_FIELD_PRIORITY}, {"ttl", FERRION_FIELD_TTL},
  {"first_acquirer", FERRION_FIELD_FIRST_ACQUIRER}, {"delivery_count", FERRION_FIELD_DELIVERY_COUNT}, {NULL, 0}};
static const name_t PROPERTIES[] = {
  {"message_id", FERRION_FIELD_ID}, {"user_id", FERRION_FIELD_USER_ID}, {"to", FERRION_FIELD_ADDRESS},
  {"subject", FERRION_FIELD_SUBJECT}, {"reply_to", FERRION_FIELD_REPLY_TO}, {"correlation_id", FERRION_FIELD_CORRELATION_ID},
  {"content_type", FERRION_FIELD_CONTENT_TYPE}, {"content_encoding", FERRION_FIELD_CONTENT_ENCODING},
  {"absolute_expiry_time", FERRION_FIELD_EXPIRY_TIME}, {"creation_time", FERRION_FIELD_CREATION_TIME},
  {"group_id", FERRION_FIELD_GROUP_ID}, {"group_sequence", FERRION_FIELD_GROUP_SEQUENCE},
  {"reply_to_group_id", FERRION_FIELD_REPLY_TO_GROUP_ID}, {NULL, 0}};
static const name_t SECTIONS[] = {
  {"delivery_annotations", FERRION_SECTION_DELIVERY_ANNOTATIONS}, {"message_annotations", FERRION_SECTION_MESSAGE_ANNOTATIONS},
  {"application_properties", FERRION_SECTION_APPLICATION_PROPERTIES}, {"footer", FERRION_SECTION_FOOTER}, {NULL, 0}};
static const name_t BODIES[] = {
  {"data", FERRION_BODY_DATA}, {"sequence", FERRION_BODY_SEQUENCE}, {"value", FERRION_BODY_VALUE}, {NULL, 0}};

static inline int32_t number_of(const name_t *names, const char *name) {
  while (names->name && strcmp(names->name, name)) names++;
  CHECK(names->name != NULL);
  return names->number;
}

static inline const char *name_of(const name_t *names, int32_t number) {
  while (names->name && names->number != number) names++;
  CHECK(names->name != NULL);
  return names->name;
}

/* ---- JSON, as the test writes it: what is read is replaced by what it means -------------------------------------------- */

static char *at;

/* Whether this comes next; if so, it is passed over. */
static inline bool next_is(const char *word) {
  size_t len = strlen(word);
  if (strncmp(at, word, len)) return false;
  at += len;
  return true;
}

static inline unsigned digits(const char *from, int n) {
  unsigned number = 0;
  for (int i = 0; i < n; i++) {
    CHECK(isxdigit((unsigned char)from[i]));
    number = number << 4 | (unsigned)(isdigit((unsigned char)from[i]) ? from[i] - '0' : (from[i] | 0x20) - 'a' + 10);
  }
  return number;
}

/* A text, with a NUL behind it. */
static inline ferrion_bytes_t text(void) {
  CHECK(next_is("\""));
  char *begin = at, *end = at;
  while (*at != '"') {
    CHECK(*at != '\0');
    if (*at != '\\') {
      *end++ = *at++;
      continue;
    }
    const char *escaped = strchr("\"\"\\\\//b\bf\fn\nr\rt\t", at[1]);
    if (at[1] == 'u') {
      /* All else is there as UTF-8. */
      CHECK(digits(at + 2, 4) < 0x20);
      *end++ = (char)digits(at + 2, 4);
      at += 6;
    } else {
      CHECK(escaped != NULL);
      *end++ = escaped[1];
      at += 2;
    }
  }
  at++;
  *end = '\0';
  ferrion_bytes_t found = {(const uint8_t *)begin, (size_t)(end - begin)};
  return found;
}

static inline const char *word(void) { return (const char *)text().data; }

/* Octets in hexadecimal digits, of which dashes are none. */
static inline ferrion_bytes_t octets(void) {
  ferrion_bytes_t found = text();
  uint8_t *end = (uint8_t *)found.data;
  for (const char *from = (const char *)found.data; *from;) {
    if (*from == '-') {
      from++;
    } else {
      *end++ = (uint8_t)digits(from, 2);
      from += 2;
    }
  }
  found.len = (size_t)(end - found.data);
  return found;
}

static inline uint64_t bits(void) {
  ferrion_bytes_t found = octets();
  uint64_t number = 0;
  for (size_t i = 0; i < found.len; i++) number = number << 8 | found.data[i];
  return number;
}

static inline void show_text(ferrion_bytes_t bytes) {
  putchar('"');
  for (size_t i = 0; i < bytes.len; i++) {
    uint8_t octet = bytes.data[i];
    if (octet < 0x20) printf("\\u%04x", octet);
    else printf(octet == '"' || octet == '\\' ? "\\%c" : "%c", octet);
  }
  putchar('"');
}

static inline void show_octets(ferrion_bytes_t bytes) {
  for (size_t i = 0; i < bytes.len; i++) printf("%02x", bytes.data[i]);
}

/* How many descriptors the elements of an array share; `several` says whether they are a list, which goes on after a comma. */
static inline size_t array_descriptors(bool *several) {
  if (next_is("null")) return 0;
  *several = next_is("[\"descriptors\",");
  return *several ? strtoul(word(), NULL, 10) : 1;
}

/* With dashes where a UUID has them. */
static inline void show_uuid(ferrion_bytes_t bytes) {
  for (size_t i = 0; i < bytes.len; i++) printf(i == 4 || i == 6 || i == 8 || i == 10 ? "-%02x" : "%02x", bytes.data[i]);
}

/* Turns the hexadecimal digits that the rest of the line is into octets, where they stand. */
static inline ferrion_bytes_t rest(void) {
  size_t len = strlen(at) / 2;
  for (size_t i = 0; i < len; i++) at[i] = (char)digits(at + 2 * i, 2);
  ferrion_bytes_t found = {(const uint8_t *)at, len};
  return found;
}

#endif
