# frozen_string_literal: true

require_relative "helper"
require "socket"
require "timeout"

# What can end a wait, and what goes on during one.
class WaitingTest < PairTest
  include Ferrion

  # Does so a moment later, when the test waits.
  def soon(&block)
    Thread.new do
      sleep 0.2
      block.call
    end
  end

  def assert_ends_with(error, &block)
    took = seconds { assert_raises(error, &block) }
    assert_operator took, :<, 5
  end

  def test_the_timeout
    [0, 0.05, 0.25].each do |timeout|
      @receiver.timeout = timeout
      took = seconds { assert_raises(Ferrion::Timeout) { @receiver.recv } }
      assert_includes timeout..(timeout + 5), took
    end
  end

  def test_ctrl_c_ends_a_wait
    @receiver.timeout = nil
    soon { Process.kill(:INT, Process.pid) }
    assert_ends_with(::Interrupt) { @receiver.recv }
  end

  def test_ctrl_c_ends_a_request_and_nothing_is_left_of_it
    @sender.timeout = nil
    soon { Process.kill(:INT, Process.pid) }
    assert_ends_with(::Interrupt) { @sender.request(Message.new("?", address: @address)) }
    assert_equal 0, @sender.requests
  end

  def test_signal_handlers_run_and_the_wait_goes_on
    ran = []
    before = trap(:USR1) { ran << 1 }
    soon { Process.kill(:USR1, Process.pid) }
    @receiver.timeout = 0.6
    assert_raises(Ferrion::Timeout) { @receiver.recv }
    assert_equal [1], ran
  ensure
    trap(:USR1, before)
  end

  def test_another_thread_can_raise_in_the_one_that_waits
    @receiver.timeout = nil
    main = Thread.current
    soon { main.raise(IOError, "enough") }
    assert_ends_with(IOError) { @receiver.recv }
    assert_ends_with(::Timeout::Error) { ::Timeout.timeout(0.2) { @receiver.recv } }
    # It can be used as before.
    put("x")
    assert_equal(["x"], receive.first.map(&:body))
  end

  def test_a_thread_that_waits_can_be_killed
    @receiver.timeout = nil
    thread = Thread.new { @receiver.recv }
    Thread.pass until thread.status == "sleep"
    thread.kill
    assert thread.join(5)
  end

  def test_interrupt_ends_a_wait
    @receiver.timeout = nil
    soon { @receiver.interrupt }
    assert_ends_with(Interrupted) { @receiver.recv }
  end

  def test_other_threads_run_while_one_waits
    @receiver.timeout = nil
    thread = Thread.new { assert_raises(Interrupted) { @receiver.recv } }
    Thread.pass until thread.status == "sleep"
    ticks = 0
    stop_at = clock + 0.2
    ticks += 1 while clock < stop_at
    assert_operator ticks, :>, 1000
    assert_raises(MessengerError) { @receiver.work(1) }
    @receiver.interrupt
    assert thread.join(5)
  end

  def test_without_blocking_nothing_waits
    @receiver.blocking = false
    took = seconds { assert_equal false, @receiver.recv }
    assert_operator took, :<, 5
    assert_equal [0, false], [@receiver.incoming, @receiver.work(0)]
    request = @sender.send_request(Message.new("?", address: @address))
    @sender.blocking = false
    assert_raises(WouldBlock) { @sender.reply(request) }
    assert_raises(MessengerError) { @sender.request(Message.new("?", address: @address)) }
  end

  def test_a_loop_of_ones_own
    @sender.passive = @receiver.passive = true
    @sender.outgoing_window = 1
    assert_predicate @sender, :passive?
    tracker = put("by a loop")
    assert_equal false, @receiver.recv
    both = [@sender, @receiver]
    deadline = clock + PATIENCE
    until @sender.status(tracker) == :accepted
      assert_operator clock, :<, deadline
      IO.select(both, nil, nil, both.filter_map(&:due_in).min)
      both.each { |messenger| messenger.work(0) }
      assert_equal "by a loop", @receiver.get.body if @receiver.incoming.positive?
    end
  end

  def test_stop_keeps_to_the_timeout
    # Somebody who listens and never says a word.
    mute = TCPServer.new("127.0.0.1", 0)
    @sender.outgoing_window = 1
    @sender.timeout = 0.3
    tracker = @sender.put(Message.new(address: "127.0.0.1:#{mute.addr[1]}/x"))
    assert_ends_with(MessengerError) { @sender.stop }
    assert_equal :aborted, @sender.status(tracker)
  ensure
    mute&.close
  end
end
