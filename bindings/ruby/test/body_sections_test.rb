# frozen_string_literal: true

require_relative "helper"

# Bodies in several sections: they are one body, and their borders stay where they were. Sections that are empty.
class BodySectionsTest < Minitest::Test
  include Ferrion

  DATA = "\x00\x53\x75\xa0\x02ab\x00\x53\x75\xa0\x00\x00\x53\x75\xa0\x01c".b.freeze
  # [1, 2], [] and [["three"]], in the shortest forms.
  SEQUENCES = ("\x00\x53\x76\xc0\x05\x02\x55\x01\x55\x02".b +
               "\x00\x53\x76\x45".b +
               "\x00\x53\x76\xc0\x0b\x01\xc0\x08\x01\xa1\x05three".b).freeze

  def decoded(octets)
    Message.new.decode(octets)
  end

  def copy_of(message)
    decoded(message.encode)
  end

  def test_several_sections_are_one_body
    assert_equal ["abc".b, true], [decoded(DATA).body, decoded(DATA).inferred?]
    assert_equal Encoding::BINARY, decoded(DATA).body.encoding
    assert_equal [[1, 2, ["three"]], true], [decoded(SEQUENCES).body, decoded(SEQUENCES).inferred?]
  end

  def test_each_section_can_be_looked_at
    assert_equal ["ab".b, "".b, "c".b], decoded(DATA).body_sections
    assert_equal [[1, 2], [], [["three"]]], decoded(SEQUENCES).body_sections
  end

  def test_a_single_value_is_in_no_such_section
    [nil, "text", "octets".b, [1], {}, Map.new([[1, 2]])].each { |value| assert_nil copy_of(Message.new(value)).body_sections }
  end

  def test_a_body_in_one_section
    ["octets".b, "".b, [1, 2], []].each do |body|
      message = Message.new(body, inferred: true)
      assert_equal [body], message.body_sections
      assert_equal [body], copy_of(message).body_sections
    end
  end

  def test_borders_stay_when_a_message_was_read_and_changed
    [DATA, SEQUENCES].each do |octets|
      message = decoded(octets)
      refute_empty message.body
      assert_equal octets, message.encode
      message.subject = "changed"
      message.properties = { "colour" => "green" }
      assert message.encode.end_with?(octets)
      assert_equal decoded(octets).body_sections, copy_of(message).body_sections
      assert_equal decoded(octets).body_sections, message.dup.body_sections
    end
  end

  def test_borders_stay_when_what_is_between_them_changes
    message = decoded(SEQUENCES)
    message.body[1] = "two"
    message.body[2] << "four"
    assert_equal [[1, "two"], [], [%w[three four]]], copy_of(message).body_sections
  end

  def test_a_body_of_another_length_has_no_borders
    message = decoded(SEQUENCES)
    message.body << "four"
    assert_equal [[1, 2, ["three"], "four"]], message.body_sections
    assert_equal [[1, 2, ["three"], "four"]], copy_of(message).body_sections
    message = decoded(DATA)
    message.body << "d"
    assert_equal ["abcd".b], copy_of(message).body_sections
  end

  def test_another_body_has_no_borders
    message = decoded(DATA)
    assert_equal "abc".b, message.body
    message.body = "xyz".b
    assert_equal ["xyz".b], copy_of(message).body_sections
    message.body_sections = ["a".b, "b".b]
    message.clear
    message.body = "ab".b
    message.inferred = true
    assert_equal ["ab".b], message.body_sections
  end

  def test_sections_can_be_made
    assert_equal DATA, Message.new(body_sections: ["ab".b, "".b, "c".b]).encode
    message = Message.new("text")
    message.body_sections = [[1, 2], [], [["three"]]]
    assert_equal [[1, 2, ["three"]], true], [message.body, message.inferred?]
    assert_equal [[1, 2], [], [["three"]]], copy_of(message).body_sections
    message.body_sections = ["one".b]
    assert_equal ["one".b], copy_of(message).body_sections
    message.body_sections = nil
    assert_nil copy_of(message).body
  end

  def test_sections_can_be_passed_on
    [DATA, SEQUENCES].each { |octets| assert_equal octets, Message.new(body_sections: decoded(octets).body_sections).encode }
  end

  def test_empty_sections_have_borders_too
    assert_equal ["".b, "".b], copy_of(Message.new(body_sections: ["".b, "".b])).body_sections
    assert_equal [[], []], copy_of(Message.new(body_sections: [[], []])).body_sections
  end

  def test_sections_make_one_value_when_that_is_asked_for
    message = decoded(DATA)
    message.inferred = false
    assert_nil message.body_sections
    assert_equal ["abc".b, false], [copy_of(message).body, copy_of(message).inferred?]
  end

  def test_mistakes_change_nothing
    message = Message.new("text")
    ["ab", "ab".b, ["a".b, [1]], ["a"], [{}], [Map.new], Map.new([[1, 2]]), [nil], 7].each do |sections|
      assert_raises(TypeError, sections.inspect) { message.body_sections = sections }
    end
    assert_raises(ArgumentError) { message.body_sections = [] }
    assert_equal ["text", false], [message.body, message.inferred?]
  end

  def test_an_empty_section_is_another_than_none
    message = copy_of(Message.new(properties: {}, annotations: {}, instructions: Map.new))
    assert_equal [{}, {}, {}, nil], [message.properties, message.annotations, message.instructions, message.footer]
    message = copy_of(message)
    assert_equal [{}, {}, {}, nil], [message.properties, message.annotations, message.instructions, message.footer]
    message.properties = message.annotations = message.instructions = nil
    assert_equal Message.new.encode, message.encode
  end
end
