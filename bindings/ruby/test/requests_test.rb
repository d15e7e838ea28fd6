# frozen_string_literal: true

require_relative "helper"

# Requests and replies.
class RequestsTest < PairTest
  include Ferrion

  def setup
    super
    @receiver.incoming_window = -1
  end

  def answer(message, body, tracker)
    @receiver.put(@receiver.reply_to(message, body, tracker: tracker))
    @receiver.accept(tracker)
  end

  def test_many_replies_find_their_requests
    requests = Array.new(10) { |n| @sender.send_request(Message.new(n, address: @address)) }
    assert_equal 10, @sender.requests
    assert_nil @sender.poll_reply(requests.first)
    messages, trackers = receive(10)
    messages.zip(trackers).reverse_each { |message, tracker| answer(message, 2 * message.body, tracker) }
    replies = {}
    work_until do
      requests.each { |request| replies[request] ||= @sender.poll_reply(request) unless replies[request] }
      replies.values.compact.size == 10
    end
    assert_equal((0...10).map { |n| 2 * n }, requests.map { |request| replies[request].body })
    assert_equal 0, @sender.requests
    assert_raises(MessengerError) { @sender.reply(requests.first) }
  end

  def test_a_request_waits_for_its_reply
    server = Thread.new do
      3.times do
        @receiver.recv
        request = @receiver.get
        answer(request, request.body.upcase, @receiver.incoming_tracker)
      end
      @receiver.stop
    end
    question = Message.new(address: @address)
    %w[a b c].each do |text|
      question.body = text
      reply = @sender.request(question)
      assert_equal text.upcase, reply.body
      refute_nil reply.correlation_id
    end
    assert_nil question.reply_to, "the request itself stays as it is"
    assert server.join(PATIENCE)
  end

  def test_a_request_has_its_time
    @sender.timeout = 0.25
    took = seconds { assert_raises(Timeout) { @sender.request(Message.new(address: @address)) } }
    assert_includes 0.2..5, took
    assert_equal 0, @sender.requests
  end

  def test_a_request_can_be_given_up
    request = @sender.send_request(Message.new("?", address: @address))
    assert_equal [true, false], [@sender.cancel_request(request), @sender.cancel_request(request)]
  end
end
