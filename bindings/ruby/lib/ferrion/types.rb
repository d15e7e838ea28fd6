# frozen_string_literal: true

module Ferrion
  # What Ruby's own types travel as: String as string, or as binary if its encoding is BINARY; Symbol as symbol; Integer as long,
  # or as ulong if it is too large for that; Float as double; Time as timestamp, of whole milliseconds; Hash as map; Array as
  # list; nil, true and false as themselves. The classes here are for the rest of AMQP's types. A value that was received is of
  # the class of its type, and goes out again as that type.
  module Types
    # The names of the AMQP types, as TypedArray has them, with their numbers in the header.
    NUMBERS = {
      null: Abi::FERRION_TYPE_NULL, bool: Abi::FERRION_TYPE_BOOL, ubyte: Abi::FERRION_TYPE_UBYTE,
      ushort: Abi::FERRION_TYPE_USHORT, uint: Abi::FERRION_TYPE_UINT, ulong: Abi::FERRION_TYPE_ULONG,
      byte: Abi::FERRION_TYPE_BYTE, short: Abi::FERRION_TYPE_SHORT, int: Abi::FERRION_TYPE_INT, long: Abi::FERRION_TYPE_LONG,
      float: Abi::FERRION_TYPE_FLOAT, double: Abi::FERRION_TYPE_DOUBLE, decimal32: Abi::FERRION_TYPE_DECIMAL32,
      decimal64: Abi::FERRION_TYPE_DECIMAL64, decimal128: Abi::FERRION_TYPE_DECIMAL128, char: Abi::FERRION_TYPE_CHAR,
      timestamp: Abi::FERRION_TYPE_TIMESTAMP, uuid: Abi::FERRION_TYPE_UUID, binary: Abi::FERRION_TYPE_BINARY,
      string: Abi::FERRION_TYPE_STRING, symbol: Abi::FERRION_TYPE_SYMBOL, list: Abi::FERRION_TYPE_LIST,
      map: Abi::FERRION_TYPE_MAP, array: Abi::FERRION_TYPE_ARRAY
    }.freeze
    NAMES = NUMBERS.invert.freeze
  end

  # A number of a type that Ruby has none for. It reckons as a number (the result is one of Ruby's own), compares with numbers,
  # and is as a key of a Hash different from a number and from the same number of another type.
  class Number < Numeric
    # The number as one of Ruby's own.
    attr_reader :value

    def initialize(value)
      super()
      @value = value
      freeze
    end

    def ==(other)
      @value == (other.is_a?(Number) ? other.value : other)
    end

    def eql?(other)
      other.instance_of?(self.class) && @value.eql?(other.value)
    end

    def hash
      [self.class, @value].hash
    end

    def <=>(other)
      @value <=> (other.is_a?(Number) ? other.value : other)
    end

    def coerce(other)
      [other, @value]
    end

    %i[+ - * / % ** div modulo divmod fdiv].each do |operator|
      define_method(operator) { |other| @value.public_send(operator, other.is_a?(Number) ? other.value : other) }
    end

    %i[to_i to_f to_r -@ abs].each do |conversion|
      define_method(conversion) { @value.public_send(conversion) }
    end

    def to_s
      @value.to_s
    end

    def inspect
      "#{self.class}(#{@value.inspect})"
    end
  end

  # A whole number with the range of its AMQP type.
  class WholeNumber < Number
    def initialize(value)
      number = Integer(value)
      raise RangeError, "#{number} does not fit the AMQP type #{self.class}" unless self.class::RANGE.cover?(number)

      super(number)
    end

    alias to_int to_i
    %i[& | ^ << >> []].each { |operator| define_method(operator) { |other| @value.public_send(operator, other.to_int) } }

    def ~
      ~@value
    end

    def integer?
      true
    end
  end

  # Unsigned, 8 bits.
  class UByte < WholeNumber
    RANGE = (0..(2**8) - 1)
  end

  # Unsigned, 16 bits.
  class UShort < WholeNumber
    RANGE = (0..(2**16) - 1)
  end

  # Unsigned, 32 bits.
  class UInt < WholeNumber
    RANGE = (0..(2**32) - 1)
  end

  # Unsigned, 64 bits.
  class ULong < WholeNumber
    RANGE = (0..(2**64) - 1)
  end

  # Signed, 8 bits.
  class Byte < WholeNumber
    RANGE = (-(2**7)..(2**7) - 1)
  end

  # Signed, 16 bits.
  class Short < WholeNumber
    RANGE = (-(2**15)..(2**15) - 1)
  end

  # Signed, 32 bits. Ruby's own Integer is a long, of 64 bits.
  class Int < WholeNumber
    RANGE = (-(2**31)..(2**31) - 1)
  end

  # An IEEE 754 decimal32, as the number that its 32 bits make. ferrion carries decimals and does not reckon with them.
  class Decimal32 < WholeNumber
    RANGE = (0..(2**32) - 1)
  end

  # An IEEE 754 decimal64, as the number that its 64 bits make.
  class Decimal64 < WholeNumber
    RANGE = (0..(2**64) - 1)
  end

  # A float of 32 bits. Ruby's own Float is a double.
  class Float32 < Number
    def initialize(value)
      number = Float(value)
      # What pack makes of a NaN can be another one.
      super(number.nan? ? number : [number].pack("e").unpack1("e"))
    end

    def nan?
      @value.nan?
    end
  end

  # What is a number of octets that always is the same.
  class Octets
    # The octets, a String with Encoding::BINARY.
    attr_reader :octets

    def initialize(octets)
      @octets = String.new(octets, encoding: Encoding::BINARY).freeze
      size = self.class::SIZE
      raise ArgumentError, "a #{self.class} has #{size} octets, not #{@octets.bytesize}" unless @octets.bytesize == size

      freeze
    end

    def ==(other)
      other.instance_of?(self.class) && @octets == other.octets
    end
    alias eql? ==

    def hash
      [self.class, @octets].hash
    end

    def inspect
      "#{self.class}(#{self})"
    end

    def to_s
      @octets.unpack1("H*")
    end
  end

  # An IEEE 754 decimal128, as its 16 octets.
  class Decimal128 < Octets
    SIZE = 16
  end

  # A UUID.
  class UUID < Octets
    SIZE = 16

    # From the usual text: <tt>Ferrion::UUID.parse("12345678-1234-5678-1234-567812345678")</tt>.
    def self.parse(text)
      digits = text.delete("-")
      raise ArgumentError, "not a UUID: #{text.inspect}" unless digits.match?(/\A\h{32}\z/)

      new([digits].pack("H*"))
    end

    # A random one.
    def self.random
      require "securerandom"
      parse(SecureRandom.uuid)
    end

    def to_s
      @octets.unpack("H8H4H4H4H12").join("-")
    end
  end

  # A single character.
  class Char
    # The character, a String.
    attr_reader :value

    def initialize(character)
      @value = String.new(character).encode(Encoding::UTF_8).freeze
      raise ArgumentError, "a char is a single character, not #{character.inspect}" unless @value.length == 1

      freeze
    end

    def ==(other)
      @value == (other.is_a?(Char) ? other.value : other)
    end

    def eql?(other)
      other.is_a?(Char) && @value == other.value
    end

    def hash
      [Char, @value].hash
    end

    def to_s
      @value
    end
    alias to_str to_s

    def ord
      @value.ord
    end

    def inspect
      "#{self.class}(#{@value.inspect})"
    end
  end

  # A value, and the descriptor that gives it its meaning.
  class Described
    # What gives the value its meaning: a Symbol or a ULong, mostly.
    attr_reader :descriptor
    # The value itself.
    attr_reader :value

    def initialize(descriptor, value)
      @descriptor = descriptor
      @value = value
      freeze
    end

    def ==(other)
      other.is_a?(Described) && @descriptor == other.descriptor && @value == other.value
    end

    def eql?(other)
      other.is_a?(Described) && @descriptor.eql?(other.descriptor) && @value.eql?(other.value)
    end

    def hash
      [Described, @descriptor, @value].hash
    end

    def inspect
      "#{self.class}(#{@descriptor.inspect}, #{@value.inspect})"
    end
  end

  # Values of one type, which may share descriptors; an Array is a list of any values.
  #
  #   Ferrion::TypedArray.new(:uint, [1, 2, 3])                        # the array says what the numbers are
  #   Ferrion::TypedArray.new(:list, [[1], [2]], :"my:type")           # described lists
  class TypedArray
    include Enumerable

    # The type of the elements, one of the names in Types::NUMBERS.
    attr_reader :type
    # The elements, without their descriptor.
    attr_reader :elements
    # The descriptors that all elements share, the outermost first; mostly none, hardly ever more than one.
    attr_reader :descriptors

    # What came over the wire.
    def self.received(number, elements, descriptors) # :nodoc:
      new(Types::NAMES.fetch(number), elements, *descriptors)
    end

    def initialize(type, elements = [], *descriptors)
      raise ArgumentError, "no type for an array: #{type.inspect}" unless Types::NUMBERS.key?(type)

      @type = type
      @elements = Array(elements)
      @descriptors = descriptors
    end

    def type_number # :nodoc:
      Types::NUMBERS.fetch(@type)
    end

    def each(&block)
      return enum_for(:each) { size } unless block

      @elements.each(&block)
      self
    end

    def [](index)
      @elements[index]
    end

    def size
      @elements.size
    end
    alias length size

    def to_a
      @elements.dup
    end

    def ==(other)
      other.is_a?(TypedArray) && @type == other.type && @elements == other.elements && @descriptors == other.descriptors
    end

    def eql?(other)
      other.is_a?(TypedArray) && @type == other.type && @elements.eql?(other.elements) && @descriptors.eql?(other.descriptors)
    end

    def hash
      [TypedArray, @type, @elements, @descriptors].hash
    end

    def inspect
      "#{self.class}(#{[@type, @elements, *@descriptors].map(&:inspect).join(", ")})"
    end
  end

  # A map that a Hash cannot hold, as an Array of pairs: with keys that are the same to Ruby but not to AMQP, as 0.0 and -0.0 are.
  class Map < Array
  end

  # Several values side by side, where a function of Abi takes more than one.
  class Row < Array # :nodoc:
  end
end
