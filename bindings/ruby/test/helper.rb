# frozen_string_literal: true

require "minitest/autorun"
require "ferrion"

PATIENCE = 20

# A sender and a receiver that listens on a free port, both worked by the one thread of the test.
class PairTest < Minitest::Test
  def setup
    @sender = Ferrion::Messenger.new("sender")
    @receiver = Ferrion::Messenger.new("receiver")
    @port = @receiver.subscribe("~127.0.0.1:0").port
    @address = "127.0.0.1:#{@port}/queue"
    @sender.timeout = @receiver.timeout = PATIENCE
  end

  def put(body = nil, **fields)
    @sender.put(Ferrion::Message.new(body, address: @address, **fields))
  end

  # Lets both work until the block says so.
  def work_until
    deadline = clock + PATIENCE
    until yield
      assert_operator clock, :<, deadline, "it takes too long"
      @sender.work(0.001)
      @receiver.work(0.001)
    end
  end

  # Receives messages: those, and their trackers.
  def receive(count = 1)
    @receiver.blocking = false
    @receiver.recv
    work_until { @receiver.incoming >= count }
    @receiver.blocking = true
    Array.new(count) { [@receiver.get, @receiver.incoming_tracker] }.transpose
  end

  # How long the block takes.
  def seconds
    begin_at = clock
    yield
    clock - begin_at
  end

  def clock
    Process.clock_gettime(Process::CLOCK_MONOTONIC)
  end
end
