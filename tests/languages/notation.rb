# frozen_string_literal: true

# Messages to octets and back, by the Ruby gem, in the notation of ../interop/README.md: see README.md.

require "ferrion"
require "json"

# Messages and values, from the notation and back.
module Notation
  include Ferrion

  # What the notation calls the fields and sections, and what a Message does.
  HEADER = { "durable" => nil, "priority" => UByte, "first_acquirer" => nil, "delivery_count" => UInt }.freeze
  PROPERTIES = {
    "message_id" => :id, "user_id" => :user_id, "to" => :address, "subject" => :subject, "reply_to" => :reply_to,
    "correlation_id" => :correlation_id, "content_type" => :content_type, "content_encoding" => :content_encoding,
    "absolute_expiry_time" => :expiry_time, "creation_time" => :creation_time, "group_id" => :group_id,
    "group_sequence" => :group_sequence, "reply_to_group_id" => :reply_to_group_id
  }.freeze
  SECTIONS = {
    "delivery_annotations" => :instructions, "message_annotations" => :annotations, "application_properties" => :properties,
    "footer" => :footer
  }.freeze
  NUMBERS = { "ubyte" => UByte, "ushort" => UShort, "uint" => UInt, "ulong" => ULong, "byte" => Byte, "short" => Short, "int" => Int }.freeze

  module_function

  # ---- values ----

  # The value that a notation stands for.
  def value(note)
    kind, *rest = note
    case kind
    when "null" then nil
    when "boolean" then rest[0]
    when *NUMBERS.keys then NUMBERS.fetch(kind).new(Integer(rest[0], 10))
    when "long" then Integer(rest[0], 10)
    when "timestamp" then Time.at(Rational(Integer(rest[0], 10), 1000)).utc
    when "float" then Float32.new(widened(rest[0]))
    when "double" then octets(rest[0]).unpack1("G")
    when "decimal32" then Decimal32.new(rest[0].hex)
    when "decimal64" then Decimal64.new(rest[0].hex)
    when "decimal128" then Decimal128.new(octets(rest[0]))
    when "char" then Char.new([rest[0].hex].pack("U"))
    when "uuid" then UUID.parse(rest[0])
    when "binary" then octets(rest[0])
    when "string" then rest[0]
    when "symbol" then rest[0].to_sym
    when "list" then items(rest[0])
    when "map" then mapping(rest[0].map { |pair| items(pair) })
    when "array" then TypedArray.new(type(rest[0]), items(rest[2]), *shared(rest[1]))
    when "described" then Described.new(value(rest[0]), value(rest[1]))
    else raise ArgumentError, "no such type: #{kind}"
    end
  end

  # The notation of a value.
  def describe(it)
    case it
    when nil then ["null"]
    when true, false then ["boolean", it]
    when *NUMBERS.values then [NUMBERS.key(it.class), it.to_s]
    when Integer then ["long", it.to_s]
    when Time then ["timestamp", (it.to_r * 1000).floor.to_s]
    when Float32 then ["float", narrowed(it.value)]
    when Float then ["double", [it].pack("G").unpack1("H*")]
    when Decimal32 then ["decimal32", it.value.to_s(16).rjust(8, "0")]
    when Decimal64 then ["decimal64", it.value.to_s(16).rjust(16, "0")]
    when Decimal128 then ["decimal128", it.to_s]
    when Char then ["char", it.ord.to_s(16)]
    when UUID then ["uuid", it.to_s]
    when String then it.encoding == Encoding::BINARY ? ["binary", it.unpack1("H*")] : ["string", it]
    when Symbol then ["symbol", it.to_s]
    when Map, Hash then ["map", it.map { |key, item| [describe(key), describe(item)] }]
    when Array then ["list", it.map { |item| describe(item) }]
    when TypedArray then ["array", type_name(it.type), describe_shared(it.descriptors), it.map { |item| describe(item) }]
    when Described then ["described", describe(it.descriptor), describe(it.value)]
    else raise ArgumentError, "no such class: #{it.class}"
    end
  end

  # The descriptors that the elements of an array share.
  def shared(note)
    return [] if note.nil?
    note[0] == "descriptors" ? items(note.drop(2)) : [value(note)]
  end

  def describe_shared(descriptors)
    notes = descriptors.map { |shared| describe(shared) }
    notes.size > 1 ? ["descriptors", notes.size.to_s, *notes] : notes.first
  end

  # A Hash, or a Map where a Hash would lose something.
  def mapping(pairs)
    hash = pairs.to_h
    hash.size == pairs.size ? hash : Map.new(pairs)
  end

  def items(notes)
    notes.map { |note| value(note) }
  end

  def octets(digits)
    [digits].pack("H*")
  end

  def type(name)
    name == "boolean" ? :bool : name.to_sym
  end

  def type_name(type)
    type == :bool ? "boolean" : type.to_s
  end

  # The double for the octets of a float. What unpack makes of a NaN is not the same NaN.
  def widened(digits)
    bits = digits.hex
    return octets(digits).unpack1("g") unless bits & 0x7fff_ffff > 0x7f80_0000

    [(bits >> 31) << 63 | 0x7ff << 52 | (bits & 0x7f_ffff) << 29].pack("Q>").unpack1("G")
  end

  # The octets of a float, from the double that it is in.
  def narrowed(number)
    return [number].pack("g").unpack1("H*") unless number.nan?

    bits = [number].pack("G").unpack1("Q>")
    ((bits >> 63) << 31 | 0xff << 23 | (bits >> 29) & 0x7f_ffff).to_s(16).rjust(8, "0")
  end

  # ---- messages ----

  # A message in notation, as octets.
  def encode(note)
    message = Message.new
    note.fetch("header", {}).each { |name, field| message.public_send(:"#{name}=", name == "ttl" ? value(field) / 1000r : value(field)) }
    note.fetch("properties", {}).each { |name, field| message.public_send(:"#{PROPERTIES.fetch(name)}=", value(field)) }
    SECTIONS.each { |name, attribute| message.public_send(:"#{attribute}=", value(note[name])) if note.key?(name) }
    kind, content = note.fetch("body")
    case kind
    when "data" then message.body_sections = content.map { |part| octets(part) }
    when "sequence" then message.body_sections = content.map { |part| items(part) }
    when "value" then message.body = value(content)
    end
    message.encode
  end

  # Octets, as a message in notation.
  def decode(octets)
    message = Message.new.decode_lenient(octets)
    header = HEADER.to_h do |name, kind|
      field = message.public_send(name)
      [name, describe(kind ? kind.new(field) : field)]
    end
    header["ttl"] = ["uint", (message.ttl * 1000).round.to_s] if message.ttl
    fields = PROPERTIES.transform_values { |attribute| message.public_send(attribute) }.compact
    sections = SECTIONS.transform_values { |attribute| message.public_send(attribute) }.compact
    {
      "header" => header, "properties" => fields.transform_values { |field| describe(field) },
      "body" => body(message), **sections.transform_values { |section| describe(section) }
    }
  end

  def body(message)
    parts = message.body_sections
    return ["value", describe(message.body)] unless parts
    return ["data", parts.map { |part| part.unpack1("H*") }] if parts.first.is_a?(String)

    ["sequence", parts.map { |part| part.map { |item| describe(item) } }]
  end
end

$stdin.set_encoding(Encoding::UTF_8)
$stdin.each_line(chomp: true) do |line|
  verb, what = line.split(" ", 2)
  puts verb == "encode" ? Notation.encode(JSON.parse(what)).unpack1("H*") : JSON.generate(Notation.decode([what].pack("H*")))
rescue StandardError => e # The test shows it, and goes on with the next case.
  puts "error: #{e.inspect}"
end
