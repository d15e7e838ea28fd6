# frozen_string_literal: true

require_relative "helper"

# Messages with all their sections.
class MessageTest < Minitest::Test
  include Ferrion

  FIELDS = {
    durable: true, priority: 9, first_acquirer: true, delivery_count: 3, ttl: 1.5,
    id: ULong.new(7), user_id: "me".b, address: "queue", subject: "about", reply_to: "me/back",
    correlation_id: UUID.parse("12345678-1234-5678-1234-567812345678"), content_type: :"text/plain", content_encoding: :gzip,
    expiry_time: Time.at(1_700_000_000).utc, creation_time: Time.at(1_600_000_000).utc, group_id: "group",
    group_sequence: UInt.new(5), reply_to_group_id: "other",
    properties: { "n" => 1, "s" => "text" }, annotations: { "x-opt-a": 1 }, instructions: { "x-opt-i": true },
    footer: { "x-opt-f": "sum" }
  }.freeze

  def again(message)
    Message.new.decode(message.encode)
  end

  def test_every_section_arrives
    message = again(Message.new({ "a" => 1 }, **FIELDS))
    FIELDS.each { |name, value| assert_equal value, message.public_send(name), name }
    assert_equal({ "a" => 1 }, message.body)
    refute_predicate message, :inferred?
  end

  def test_a_new_message_has_the_defaults
    message = again(Message.new)
    assert_nil message.body
    assert_equal [false, 4, false, 0], [message.durable?, message.priority, message.first_acquirer?, message.delivery_count]
    (FIELDS.keys - %i[durable priority first_acquirer delivery_count]).each { |name| assert_nil message.public_send(name), name }
  end

  def test_fields_can_be_taken_back
    message = Message.new("x", **FIELDS)
    %i[ttl id subject correlation_id expiry_time properties footer].each { |name| message.public_send(:"#{name}=", nil) }
    message = again(message)
    %i[ttl id subject correlation_id expiry_time properties footer].each { |name| assert_nil message.public_send(name), name }
    assert_equal "queue", message.address
    message.clear
    assert_equal [nil, nil, 4], [message.address, message.body, message.priority]
  end

  def test_bodies_of_every_kind
    [["octets".b, true], [[1, "two"], true], ["octets".b, false], [[1, "two"], false], ["text", false]].each do |body, inferred|
      message = again(Message.new(body, inferred: inferred))
      assert_equal [body, inferred], [message.body, message.inferred?]
    end
  end

  def test_sections_that_were_looked_at_can_be_changed
    message = again(Message.new("x", properties: { "n" => 1 }, annotations: { "x-opt-a" => 1 }))
    message.properties["m"] = 2
    message.annotations[:"x-opt-b"] = 3
    message = again(message)
    assert_equal({ "n" => 1, "m" => 2 }, message.properties)
    assert_equal({ "x-opt-a": 1, "x-opt-b": 3 }, message.annotations)
  end

  def test_a_copy_is_a_message_of_its_own
    message = Message.new("body", **FIELDS)
    copy = message.dup
    message.subject = "changed"
    message.properties["n"] = 2
    assert_equal ["about", 1, "body"], [copy.subject, copy.properties["n"], copy.body]
  end

  def test_mistakes_change_nothing
    message = Message.new("body", subject: "about")
    assert_raises(ArgumentError) { Message.new("x", subjct: "typo") }
    assert_raises(TypeError, Error) { message.subject = 7 }
    assert_raises(TypeError, Error) { message.id = 1.5 }
    error = assert_raises(MessageError) { message.decode("nonsense") }
    assert_equal Abi::FERRION_DECODE, error.status
    assert_equal %w[about body], [message.subject, message.body]
  end

  def test_the_garbage_collector_may_come_at_any_time
    GC.stress = true
    begin
      message = again(Message.new({ "a" => ["b" * 30] }, **FIELDS))
      FIELDS.each { |name, value| assert_equal value, message.public_send(name) }
      assert_equal({ "a" => ["b" * 30] }, message.dup.body)
    ensure
      GC.stress = false
    end
  end

  def test_marshal_carries_messages
    message = Ferrion::Message.new({ a: Ferrion::UInt.new(1) }, subject: "s", properties: { "k" => 1 })
    other = Marshal.load(Marshal.dump(message))
    assert_equal message.encode, other.encode
    other.subject = "t"
    assert_equal "s", message.subject
  end

  def test_a_message_without_a_body_is_taken_leniently
    octets = ["005373c00704404040a10173"].pack("H*")
    assert_raises(Ferrion::MessageError) { Ferrion::Message.new.decode(octets) }
    message = Ferrion::Message.new.decode_lenient(octets)
    assert_equal ["s", nil], [message.subject, message.body]
  end
end
