# frozen_string_literal: true

require "socket"
require_relative "helper"

# Messengers over loopback.
class MessengerTest < PairTest
  include Ferrion

  def test_a_message_arrives_as_it_was
    put({ "greeting" => "Hello World!" }, subject: "test", properties: { "n" => 1 })
    (message,), = receive
    assert_equal [{ "greeting" => "Hello World!" }, "test", { "n" => 1 }], [message.body, message.subject, message.properties]
    assert_equal @address, message.address
  end

  def test_trackers_tell_the_outcome
    @sender.outgoing_window = @receiver.incoming_window = -1
    assert_equal [-1, -1], [@sender.outgoing_window, @receiver.incoming_window]
    sent = Array.new(5) { |n| put(n) }
    assert_equal [:pending] * 5, sent.map { |tracker| @sender.status(tracker) }
    _, got = receive(5)
    @receiver.reject(got[1], condition: "amqp:not-allowed", description: "not on Sundays", info: { "until" => "Monday" })
    @receiver.release(got[2])
    @receiver.modify(got[3], undeliverable_here: true, annotations: { "x-opt-tried" => true })
    @receiver.accept
    work_until { @sender.outgoing.zero? }
    assert_equal %i[accepted rejected released modified accepted], sent.map { |tracker| @sender.status(tracker) }
    assert_equal "amqp:not-allowed", @sender.condition(sent[1])
    assert_equal "not on Sundays", @sender.condition_description(sent[1])
    assert_equal({ until: "Monday" }, @sender.condition_info(sent[1]))
    assert_includes @sender.reason(sent[1]), "not on Sundays"
    assert_operator @sender.reason_status(sent[1]), :<, 0
    %i[condition condition_info reason].each { |what| assert_nil @sender.public_send(what, sent[0]) }
    assert_equal [sent[4], got[4]], [@sender.outgoing_tracker, @receiver.incoming_tracker]
    @sender.settle
    assert_equal :unknown, @sender.status(sent[0])
  end

  def test_cumulative_is_for_all_before
    @sender.outgoing_window = @receiver.incoming_window = 10
    sent = Array.new(3) { |n| put(n) }
    _, got = receive(3)
    @receiver.accept(got[1], cumulative: true)
    work_until { @sender.status(sent[1]) == :accepted }
    assert_equal %i[accepted accepted pending], sent.map { |tracker| @sender.status(tracker) }
  end

  def test_send_and_recv_wait_for_each_other
    @sender.outgoing_window = 10
    received = []
    thread = Thread.new do
      @receiver.recv && received.concat(@receiver.get_many.map(&:body)) while received.size < 100
      # The last messages are accepted by what stop has to say.
      @receiver.stop
    end
    trackers = @sender.put_many(Array.new(50) { |n| Message.new(n, address: @address) })
    @sender.send(10)
    trackers += Array.new(50) { |n| put(n + 50) }
    assert @sender.send
    assert_equal :accepted, @sender.status(trackers.last)
    assert thread.join(PATIENCE)
    assert_equal (0...100).to_a, received
    assert @sender.stop
    assert_predicate @sender, :stopped?
  end

  def test_put_waits_for_room
    @sender.high_water = [2, 1 << 20]
    @sender.outgoing_window = 100
    thread = Thread.new { @receiver.first(10).map(&:body) }
    10.times { |n| put(n) }
    work_sender = Thread.new { @sender.work(0.01) while thread.alive? }
    assert_equal (0...10).to_a, thread.value
    work_sender.join
    @receiver.stop
    @sender.timeout = 0.05
    error = assert_raises(Overflow) { @sender.put_many(Array.new(10) { |n| Message.new(n, address: @address) }) }
    assert_operator error.trackers.size, :<, 10
  end

  def test_iteration_accepts_what_was_dealt_with
    @sender.outgoing_window = @receiver.incoming_window = 10
    sent = Array.new(3) { |n| put(n) }
    thread = Thread.new { @sender.work(0.01) until @sender.status(sent[1]) == :accepted }
    bodies = []
    @receiver.each do |message|
      bodies << message.body
      break if bodies.size == 3
    end
    @receiver.work(0.01) while thread.alive?
    assert_equal [0, 1, 2], bodies
    # The loop was left before it asked for the next message.
    assert_equal :pending, @sender.status(sent[2])
  end

  def test_encoded_and_forwarded_messages
    tracker = @sender.put_encoded(@address, Message.new("encoded", address: "elsewhere").encode)
    assert_equal @sender.outgoing_tracker, tracker
    (message,), = receive
    assert_equal %w[encoded elsewhere], [message.body, message.address]
    @sender.forward(message, @address)
    (message,), = receive
    assert_equal %w[encoded elsewhere], [message.body, message.address]
  end

  def test_routes_and_rewrites
    @sender.route("colour/%", @address)
    @sender.rewrite("colour/%", "$1")
    @sender.put(Message.new(address: "colour/green"))
    (message,), = receive
    assert_equal "green", message.address
    assert_equal [true, false], Array.new(2) { @sender.remove_rewrite("colour/%") }
    assert_equal [true, false], Array.new(2) { @sender.remove_route("colour/%") }
    @sender.clear_rules
  end

  def test_subscriptions_tell_what_they_are
    subscription = @receiver.subscribe("~127.0.0.1:0", credit: 5)
    assert_kind_of Integer, subscription.port
    assert_nil subscription.source
    put("x")
    receive
    assert_equal @port, @receiver.incoming_subscription.port
    assert_equal @receiver.incoming_subscription, @receiver.incoming_subscription
    refute_equal subscription, @receiver.incoming_subscription
    assert_raises(ArgumentError) { @receiver.subscribe("127.0.0.1/x", selecter: "typo") }
    assert_raises(MessengerError) { @receiver.subscribe("~127.0.0.1:0", selector: "price > 10") }
  end

  def test_a_subscription_ends_here_or_for_good
    @sender.blocking = false
    [false, true].each do |keep|
      subscription = @sender.subscribe("127.0.0.1:#{@port}/news", durable: "kept: #{keep}")
      work_until { subscription.source }
      @sender.tracing = true
      work_until { @sender.unsubscribe(subscription, keep: keep) }
      @sender.tracing = false
      detach = @sender.trace.find { |line| line.include?("-> @detach") }
      assert_equal !keep, detach.include?("closed=true")
      assert_nil subscription.source
      assert @sender.unsubscribe(subscription)
    end
  end

  def test_settings_are_kept
    @sender.reconnect = Reconnect.new(give_up_after: nil, first_delay: 0.5)
    assert_equal Reconnect.new(give_up_after: nil, first_delay: 0.5), @sender.reconnect
    @sender.reconnect = nil
    assert_nil @sender.reconnect
    @sender.link_recovery = LinkRecovery.new(max_links: 7)
    assert_equal LinkRecovery.new(max_links: 7), @sender.link_recovery
    @sender.incoming_high_water = [-1, 1000]
    assert_equal [-1, 1000], @sender.incoming_high_water
    assert_equal 1 << 30, @sender.limit(:connection_octets)
    @sender.set_limit(:connection_octets, 1 << 20)
    assert_equal 1 << 20, @sender.limit(:connection_octets)
    assert_raises(::ArgumentError) { @sender.limit(:nonsense) }
    @sender.max_frame_size = 4096
    assert_equal 4096, @sender.max_frame_size
    @sender.max_frame_size = nil
    assert_equal 1 << 20, @sender.max_frame_size
    @sender.all_partial_octets = 1 << 20
    assert_equal 1 << 20, @sender.all_partial_octets
    @sender.timeout = 0.25
    assert_in_delta 0.25, @sender.timeout
    @sender.timeout = nil
    assert_nil @sender.timeout
    @sender.snd_settle_mode = :settled
    @sender.rcv_settle_mode = nil
    @sender.idle_timeout = 30
    assert_raises(ArgumentError) { @sender.snd_settle_mode = :sometimes }
    assert_raises(ArgumentError) { @sender.client_certificates = :perhaps }
  end

  def test_what_happens_can_be_read
    @sender.tracing = true
    put("traced")
    receive
    assert(@sender.trace.any? { |line| line.include?("@transfer") })
    event = @sender.connection_events.first
    assert_equal :connected, event.kind
    assert_includes event.address, @port.to_s
    assert_equal [], @sender.warnings
  end

  def test_who_only_receives_is_told_to_who_listens
    @sender.subscribe("127.0.0.1:#{@port}/news")
    @sender.blocking = false
    @sender.recv(1)
    events = []
    work_until { events.concat(@receiver.connection_events).any? }
    event = events.first
    assert_equal [1, :subscribed, "sender", "news"], [events.size, event.kind, event.container, event.node]
    @receiver.put(Message.new("to you", address: event.address))
    work_until { @sender.incoming == 1 }
    message = @sender.get
    assert_equal ["to you", "news"], [message.body, message.address]
  end

  def test_logins
    @receiver.set_listener_user("ruby", "red")
    @sender.reconnect = nil
    @sender.outgoing_window = 1
    @sender.set_credentials("ruby", "green")
    put("refused")
    thread = Thread.new { @receiver.work(0.01) until @sender.nil? }
    assert_raises(LoginFailed) { @sender.send }
    @sender.set_credentials("ruby", "red")
    put("welcome")
    thread.kill.join
    (message,), = receive
    assert_equal "welcome", message.body
  end

  def test_a_connection_that_cannot_be_made
    @receiver.stop
    @sender.reconnect = nil
    @sender.outgoing_window = 1
    tracker = put("lost")
    error = assert_raises(ConnectionFailed) { @sender.send }
    assert_includes error.message, @port.to_s
    assert_equal [:aborted, Abi::FERRION_CONNECT], [@sender.status(tracker), error.status]
  end

  def test_what_is_known_of_addresses
    assert_nil @sender.address_error(@address)
    assert_nil @sender.remote_idle_timeout(@address)
    @receiver.idle_timeout = 8
    @sender.route("*", @address)
    @sender.check_routes = true
    @sender.blocking = false
    refute @sender.start
    work_until { @sender.start }
    assert_includes [4, 8], @sender.remote_idle_timeout("anything")
    @sender.blocking = true
    @receiver.blocking = false
    @sender.stop
    @receiver.stop
    work_until { @receiver.stopped? }
    error = assert_raises(ConnectionFailed) { @sender.start }
    known = @sender.address_error("anything")
    assert_kind_of ConnectionFailed, known
    assert_equal [error.message, error.status, nil], [known.message, known.status, known.condition]
    @sender.clear_rules
    assert_raises(MessengerError) { @sender.address_error("http://x") }
  end

  def test_each_mistake_has_its_exception
    messenger = Messenger.new
    assert_raises(MessengerError) { messenger.recv }
    assert_raises(EndOfQueue) { messenger.get }
    assert_raises(MessengerError) { messenger.put(Message.new) }
    assert_raises(MessengerError) { messenger.subscribe("amqp://[::1") }
    assert_raises(MessengerError) { messenger.status(0) }
    assert_raises(ArgumentError) { messenger.subscribe("a\0b") }
    assert_raises(TypeError) { messenger.subscribe(7) }
    assert_raises(TypeError) { messenger.dup }
    assert_nil messenger.outgoing_tracker
    assert_nil messenger.accept
  end

  def test_what_was_made_from_a_messenger_keeps_it
    subscription = Messenger.new.subscribe("~127.0.0.1:0")
    io = Messenger.new.to_io
    GC.start
    assert_kind_of Integer, subscription.port
    assert_nil io.wait_readable(0)
  end

  def test_what_is_no_object_of_the_header_is_refused
    assert_raises(TypeError) { Abi::Ferrion_messenger_t.new }
    assert_raises(TypeError) { Abi::Ferrion_messenger_t.allocate }
    assert_raises(TypeError) { Abi.ferrion_messenger_name(Message.new.to_abi) }
    assert_raises(Error) { Abi.ferrion_messenger_name(nil) }
  end

  def test_open_stops_at_the_end
    kept = Messenger.open("name") do |messenger|
      assert_equal "name", messenger.name
      messenger.subscribe("~127.0.0.1:0")
      refute_predicate messenger, :stopped?
      messenger
    end
    assert_predicate kept, :stopped?
  end

  def test_what_ends_a_block_is_not_hidden_by_what_could_not_be_sent
    mute = TCPServer.new("127.0.0.1", 0)
    assert_raises(ZeroDivisionError) do
      Messenger.open do |messenger|
        messenger.outgoing_window = 1
        messenger.timeout = 0.01
        messenger.put(Message.new(1, address: "127.0.0.1:#{mute.addr[1]}/queue"))
        1 / 0
      end
    end
    error = assert_raises(TypeError) { @sender.timeout = "soon" }
    assert_includes error.message, "number of seconds"
  ensure
    mute&.close
  end
end
