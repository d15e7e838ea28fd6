/* Messages to octets and back, by the C++ header, in the notation of ../interop/README.md: see README.md. */
#include <ferrion.hpp>

#include <iostream>

#include "notation.h"

using ferrion::Bytes;
using ferrion::Message;
using ferrion::Value;

/* What must come next. */
static void expect(const char *what) {
  if (!next_is(what)) throw std::runtime_error(std::string("not ") + what + ": " + at);
}

/* Calls this for each item of a list, all of it. */
template <typename F>
static void each(const char *begin, const char *end, F item) {
  expect(begin);
  while (!next_is(end)) {
    item();
    next_is(",");
  }
}

/* ---- values ---------------------------------------------------------------------------------------------------------- */

/* What these bits are as another type. */
template <typename To, typename From>
static To as(From from) {
  static_assert(sizeof(To) == sizeof(From), "of the same size");
  To to;
  std::memcpy(&to, &from, sizeof to);
  return to;
}

static void put_scalar(Value &v, int32_t type) {
  switch (type) {
    case FERRION_TYPE_UBYTE: v.put_ubyte(static_cast<uint8_t>(std::stoul(word()))); return;
    case FERRION_TYPE_USHORT: v.put_ushort(static_cast<uint16_t>(std::stoul(word()))); return;
    case FERRION_TYPE_UINT: v.put_uint(static_cast<uint32_t>(std::stoul(word()))); return;
    case FERRION_TYPE_ULONG: v.put_ulong(std::stoull(word())); return;
    case FERRION_TYPE_BYTE: v.put_byte(static_cast<int8_t>(std::stoi(word()))); return;
    case FERRION_TYPE_SHORT: v.put_short(static_cast<int16_t>(std::stoi(word()))); return;
    case FERRION_TYPE_INT: v.put_int(std::stoi(word())); return;
    case FERRION_TYPE_LONG: v.put_long(std::stoll(word())); return;
    case FERRION_TYPE_TIMESTAMP: v.put_timestamp(std::stoll(word())); return;
    case FERRION_TYPE_CHAR: v.put_char(static_cast<uint32_t>(std::stoul(word(), nullptr, 16))); return;
    case FERRION_TYPE_FLOAT: v.put_float(as<float>(static_cast<uint32_t>(bits()))); return;
    case FERRION_TYPE_DOUBLE: v.put_double(as<double>(bits())); return;
    case FERRION_TYPE_STRING: v.put_string(text()); return;
    case FERRION_TYPE_SYMBOL: v.put_symbol(text()); return;
    case FERRION_TYPE_DECIMAL32: v.put_decimal32(octets()); return;
    case FERRION_TYPE_DECIMAL64: v.put_decimal64(octets()); return;
    case FERRION_TYPE_DECIMAL128: v.put_decimal128(octets()); return;
    case FERRION_TYPE_UUID: v.put_uuid(octets()); return;
    default: v.put_binary(octets()); return;
  }
}

/* Appends the value that the notation stands for. */
static void put(Value &v) {
  const auto items = [&v] { each("[", "]", [&v] { put(v); }); };
  expect("[");
  const int32_t type = number_of(TYPES, word());
  if (type != FERRION_TYPE_NULL) expect(",");
  switch (type) {
    case FERRION_TYPE_NULL: v.put_null(); break;
    case FERRION_TYPE_BOOL: v.put_bool(next_is("true") || (expect("false"), false)); break;
    case FERRION_TYPE_LIST:
      v.begin_list();
      items();
      v.end();
      break;
    case FERRION_TYPE_MAP:
      v.begin_map();
      each("[", "]", items);
      v.end();
      break;
    case FERRION_TYPE_ARRAY: {
      const auto element = static_cast<ferrion_type>(number_of(TYPES, word()));
      expect(",");
      bool several = false;
      const size_t descriptors = array_descriptors(&several);
      v.begin_array(element, descriptors);
      for (size_t i = 0; i < descriptors; i++) {
        if (several) expect(",");
        put(v);
      }
      expect(several ? "]," : ",");
      items();
      v.end();
      break;
    }
    case FERRION_TYPE_DESCRIBED:
      v.begin_described();
      put(v);
      expect(",");
      put(v);
      v.end();
      break;
    default: put_scalar(v, type);
  }
  expect("]");
}

static void show(Value &v);

/* The rest of a row of values, with commas between them. */
static void show_rest(Value &v) {
  for (const char *comma = ""; v.next(); comma = ",") {
    std::cout << comma;
    show(v);
  }
}

/* What is in a list. */
static void show_items(Value &v) {
  v.enter();
  std::cout << '[';
  show_rest(v);
  std::cout << ']';
  v.exit();
}

static void show_map(Value &v) {
  v.enter();
  std::cout << '[';
  for (const char *comma = ""; v.next(); comma = ",") {
    std::cout << comma << '[';
    show(v);
    std::cout << ',';
    v.next();
    show(v);
    std::cout << ']';
  }
  std::cout << ']';
  v.exit();
}

static void show_array(Value &v) {
  ferrion_type type;
  size_t descriptors;
  ferrion::check(ferrion_value_get_array(v.get(), &type, &descriptors));
  std::cout << '"' << name_of(TYPES, type) << "\",";
  v.enter();
  if (descriptors == 0) std::cout << "null";
  if (descriptors > 1) std::cout << "[\"descriptors\",\"" << descriptors << "\",";
  for (size_t i = 0; i < descriptors; i++) {
    if (i > 0) std::cout << ',';
    v.next();
    show(v);
  }
  std::cout << (descriptors > 1 ? "],[" : ",[");
  show_rest(v);
  std::cout << ']';
  v.exit();
}

/* The octets of a string, symbol, uuid, decimal or binary. */
static ferrion_bytes_t bytes_of(const Value &v) {
  const Bytes bytes = v.get_bytes();
  return {bytes.data(), bytes.size()};
}

static void show_scalar(Value &v) {
  std::cout << '"';
  switch (v.type()) {
    case FERRION_TYPE_UBYTE: std::cout << +v.get_ubyte(); break;
    case FERRION_TYPE_USHORT: std::cout << v.get_ushort(); break;
    case FERRION_TYPE_UINT: std::cout << v.get_uint(); break;
    case FERRION_TYPE_ULONG: std::cout << v.get_ulong(); break;
    case FERRION_TYPE_BYTE: std::cout << +v.get_byte(); break;
    case FERRION_TYPE_SHORT: std::cout << v.get_short(); break;
    case FERRION_TYPE_INT: std::cout << v.get_int(); break;
    case FERRION_TYPE_LONG: std::cout << v.get_long(); break;
    case FERRION_TYPE_TIMESTAMP: std::cout << v.get_timestamp(); break;
    case FERRION_TYPE_CHAR: std::cout << std::hex << v.get_char() << std::dec; break;
    case FERRION_TYPE_FLOAT: printf("%08" PRIx32, as<uint32_t>(v.get_float())); break;
    case FERRION_TYPE_DOUBLE: printf("%016" PRIx64, as<uint64_t>(v.get_double())); break;
    case FERRION_TYPE_UUID: show_uuid(bytes_of(v)); break;
    default: show_octets(bytes_of(v));
  }
  std::cout << '"';
}

/* Prints the notation of the value that is looked at. */
static void show(Value &v) {
  const ferrion_type type = v.type();
  std::cout << "[\"" << name_of(TYPES, type) << '"' << (type == FERRION_TYPE_NULL ? "" : ",");
  switch (type) {
    case FERRION_TYPE_NULL: break;
    case FERRION_TYPE_BOOL: std::cout << (v.get_bool() ? "true" : "false"); break;
    case FERRION_TYPE_STRING:
    case FERRION_TYPE_SYMBOL: show_text(bytes_of(v)); break;
    case FERRION_TYPE_LIST: show_items(v); break;
    case FERRION_TYPE_MAP: show_map(v); break;
    case FERRION_TYPE_ARRAY: show_array(v); break;
    case FERRION_TYPE_DESCRIBED:
      v.enter();
      show_rest(v);
      v.exit();
      break;
    default: show_scalar(v);
  }
  std::cout << ']';
}

/* ---- messages -------------------------------------------------------------------------------------------------------- */

/* The one value that comes next. */
static Value single() {
  Value v;
  put(v);
  return v;
}

static void set_fields(Message &m, const name_t *names) {
  each("{", "}", [&] {
    const auto field = static_cast<ferrion_field>(number_of(names, word()));
    expect(":");
    m.set_field(field, single());
  });
}

static void set_body(Message &m) {
  expect("[");
  const auto kind = static_cast<ferrion_body>(number_of(BODIES, word()));
  expect(",");
  Value v;
  if (kind == FERRION_BODY_VALUE) {
    put(v);
  } else if (kind == FERRION_BODY_DATA) {
    each("[", "]", [&v] { v.put_binary(octets()); });
  } else {
    each("[", "]", [&v] {
      v.begin_list();
      each("[", "]", [&v] { put(v); });
      v.end();
    });
  }
  m.set_body(kind, v);
  expect("]");
}

static void encode(Message &m) {
  m.clear();
  each("{", "}", [&m] {
    const std::string name = word();
    expect(":");
    if (name == "header") set_fields(m, HEADER);
    else if (name == "properties") set_fields(m, PROPERTIES);
    else if (name == "body") set_body(m);
    else m.set_section(static_cast<ferrion_section>(number_of(SECTIONS, name.c_str())), single());
  });
  const Bytes encoded = m.encode();
  show_octets({encoded.data(), encoded.size()});
}

static void show_fields(const Message &m, const char *section, const name_t *names) {
  Value v;
  const char *comma = "";
  std::cout << '"' << section << "\":{";
  for (; names->name; names++) {
    if (!m.get_field(static_cast<ferrion_field>(names->number), v)) continue;
    v.next();
    std::cout << comma << '"' << names->name << "\":";
    show(v);
    comma = ",";
  }
  std::cout << "},";
}

static void show_body(const Message &m) {
  Value v;
  const ferrion_body kind = m.body(v);
  std::cout << "\"body\":[\"" << name_of(BODIES, kind) << "\"," << (kind == FERRION_BODY_VALUE ? "" : "[");
  for (const char *comma = ""; v.next(); comma = ",") {
    std::cout << comma;
    if (kind == FERRION_BODY_VALUE) show(v);
    else if (kind == FERRION_BODY_DATA) show_scalar(v);
    else show_items(v);
  }
  std::cout << (kind == FERRION_BODY_VALUE ? "]" : "]]");
}

static void decode(Message &m) {
  m.decode_lenient(rest());
  std::cout << '{';
  show_fields(m, "header", HEADER);
  show_fields(m, "properties", PROPERTIES);
  for (const name_t *section = SECTIONS; section->name; section++) {
    Value v;
    if (!m.section(static_cast<ferrion_section>(section->number), v)) continue;
    v.next();
    std::cout << '"' << section->name << "\":";
    show(v);
    std::cout << ',';
  }
  show_body(m);
  std::cout << '}';
}

int main() {
  Message m;
  std::string line;
  while (std::getline(std::cin, line)) {
    at = &line[0];
    try {
      if (next_is("encode ")) {
        encode(m);
      } else {
        expect("decode ");
        decode(m);
      }
    } catch (const std::exception &error) {
      std::cout << "error: " << error.what();
    }
    std::cout << '\n';
  }
  return 0;
}
