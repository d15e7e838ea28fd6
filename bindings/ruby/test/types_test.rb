# frozen_string_literal: true

require_relative "helper"

# Every type, from Ruby to AMQP and back.
class TypesTest < Minitest::Test
  include Ferrion

  def there_and_back(value)
    Message.new.decode(Message.new(value).encode).body
  end

  def assert_kept(value)
    back = there_and_back(value)
    assert_instance_of value.class, back
    value.nil? ? assert_nil(back) : assert_equal(value, back)
  end

  def test_rubys_own_types
    [nil, true, false, 0, -1, 2**62, -(2**63), (2**63) - 1, 0.5, -0.0, "text", "\u{1F980}", "", :symbol, :"a b",
     [], [1, ["two", [:three]]], {}, { "a" => { 1 => nil } }, Float::INFINITY].each { |value| assert_kept(value) }
    assert_predicate there_and_back(Float::NAN), :nan?
  end

  def test_numbers_too_large_for_a_long_are_ulongs
    assert_equal ULong.new(2**63), there_and_back(2**63)
    assert_equal ULong.new((2**64) - 1), there_and_back((2**64) - 1)
  end

  def test_octets_are_strings_in_binary
    back = there_and_back("\x00\xFF".b)
    assert_equal ["\x00\xFF".b, Encoding::BINARY], [back, back.encoding]
    assert_equal Encoding::UTF_8, there_and_back("text").encoding
    assert_equal "\u00e9", there_and_back("\xE9".dup.force_encoding(Encoding::ISO_8859_1))
  end

  def test_the_classes_for_the_other_types
    [UByte, UShort, UInt, ULong, Byte, Short, Int, Decimal32, Decimal64].each do |kind|
      [kind::RANGE.min, 1, kind::RANGE.max].each { |number| assert_kept(kind.new(number)) }
      assert_raises(RangeError) { kind.new(kind::RANGE.max + 1) }
      assert_raises(RangeError) { kind.new(kind::RANGE.min - 1) }
    end
    assert_kept Float32.new(0.1)
    assert_kept Decimal128.new("0123456789abcdef")
    assert_kept UUID.parse("12345678-1234-5678-1234-567812345678")
    assert_kept UUID.random
    assert_kept Char.new("\u{1F980}")
    assert_kept Described.new(:"my:type", [1, UInt.new(2)])
    assert_kept Described.new(ULong.new(7), Described.new(:inner, nil))
  end

  def test_arrays_have_one_type
    array = there_and_back(TypedArray.new(:uint, [1, 2, 3]))
    assert_equal TypedArray.new(:uint, [UInt.new(1), UInt.new(2), UInt.new(3)]), array
    assert_equal [:uint, 3, []], [array.type, array.size, array.descriptors]
    assert_kept TypedArray.new(:list, [[1], ["two"]], :"my:type")
    assert_kept TypedArray.new(:symbol, %i[a b])
    assert_kept TypedArray.new(:string, [])
    assert_raises(ArgumentError) { TypedArray.new(:integer) }
    assert_raises(TypeError, RangeError) { there_and_back(TypedArray.new(:uint, [-1])) }
  end

  def test_times_have_milliseconds
    at = Time.at(1_700_000_000, 123, :millisecond).utc
    assert_kept at
    assert_kept Time.at(-1, 999, :millisecond).utc
    assert_equal at, there_and_back(at + Rational(1, 10_000))
  end

  def test_a_hash_that_would_lose_something_is_a_map
    map = Map.new([[0.0, "a"], [-0.0, "b"], [0.0.next_float, "c"]])
    back = there_and_back(map)
    # Ruby's Hash tells these apart by eql?, and 0.0.eql?(-0.0) depends on the version.
    assert_equal map.to_a, back.to_a
    assert_raises(Error, ArgumentError) { there_and_back(Map.new([1])) }
  end

  def test_numbers_reckon_and_compare
    assert_equal 5, UInt.new(2) + 3
    assert_equal 5, 2 + UInt.new(3)
    assert_operator UInt.new(2), :<, 3
    assert_equal UInt.new(2), 2
    refute UInt.new(2).eql?(UShort.new(2))
    assert_equal "b", %w[a b][UByte.new(1)]
    assert_equal 1, { UInt.new(2) => 1 }[UInt.new(2)]
  end

  def test_what_has_no_type_is_refused_and_nothing_breaks
    message = Message.new
    circle = []
    circle << circle
    [Object.new, 2**64, -(2**63) - 1, "\xFF", :"\u00e9", 1..2, circle, [Object.new], { 1 => Object.new }].each do |value|
      message.body = value
      assert_raises(TypeError, RangeError, ArgumentError, Error) { message.encode }
    end
    message.body = "fine"
    assert_equal "fine", Message.new.decode(message.encode).body
  end

  def test_conversions_keep_what_they_hold_from_the_garbage_collector
    value = {
      "list" => [1, 2.5, "text" * 10, "octets".b, :symbol, Time.at(1), 2**63, nil, true],
      "types" => [UInt.new(1), UUID.random, Char.new("x"), Float32.new(0.5), Described.new(:d, ["x" * 30])],
      "array" => TypedArray.new(:string, %w[a b c], :d), 1 => { 2 => { 3 => "deep" } }
    }
    GC.stress = true
    begin
      assert_equal value, there_and_back(value)
      assert_raises(TypeError) { there_and_back(["x" * 30, Object.new]) }
    ensure
      GC.stress = false
    end
  end
end
