# frozen_string_literal: true

module Ferrion
  # Sends and receives messages, and looks after the connections for that behind the scenes.
  #
  # put, get, accept and the like do not touch the network, but that put begins to send what it has, without waiting, each time that this
  # is worth a write (32 KiB), though not in passive mode. send, recv, request, stop and work (and put, when too much waits already) do,
  # for everybody, while they wait.
  # Other threads run meanwhile; one of them may call interrupt, and nothing else.
  #
  # Addresses are written <tt>[amqp[s]://][user[:password]@]host[:port][/name]</tt>; <tt>~host[:port]</tt> listens. <tt>ws://</tt> and
  # <tt>wss://</tt> go through WebSocket.
  #
  #   Ferrion::Messenger.open do |messenger|
  #     messenger.put(Ferrion::Message.new("Hello World!", address: "127.0.0.1/greetings"))
  #     messenger.send
  #   end
  #
  # What waits longer than the timeout raises Timeout. Trackers are numbers, and what became of a message is one of these:
  #
  # [+:unknown+] The tracker is outside its window, was settled and forgotten, or never was.
  # [+:pending+] No outcome yet.
  # [+:accepted+] The receiver accepted the message.
  # [+:rejected+] The receiver rejected the message as invalid.
  # [+:released+] The receiver gave the message back, untouched.
  # [+:modified+] The receiver gave the message back, with changes.
  # [+:aborted+] The message was not sent, or its fate cannot be known any more.
  # [+:settled+] The other side settled the message without saying how it ended.
  class Messenger
    include Enumerable
    include Settings
    include Waiting

    STATUSES = {
      Abi::FERRION_DELIVERY_UNKNOWN => :unknown, Abi::FERRION_DELIVERY_PENDING => :pending,
      Abi::FERRION_DELIVERY_ACCEPTED => :accepted, Abi::FERRION_DELIVERY_REJECTED => :rejected,
      Abi::FERRION_DELIVERY_RELEASED => :released, Abi::FERRION_DELIVERY_MODIFIED => :modified,
      Abi::FERRION_DELIVERY_ABORTED => :aborted, Abi::FERRION_DELIVERY_SETTLED => :settled
    }.freeze
    INT32_MAX = (2**31) - 1
    private_constant :STATUSES, :INT32_MAX

    # A messenger that is stopped after the block; answers what the block does.
    def self.open(name = nil)
      messenger = new(name)
      messenger.start
      failed = false
      begin
        yield messenger
      rescue Exception
        failed = true
        raise
      ensure
        begin
          messenger.stop
        rescue Error
          # What ended the block matters more than what could not be sent after it.
          raise unless failed
        end
      end
    end

    # Peers see the name, and reply by it; without one it is made up.
    def initialize(name = nil)
      @abi = Abi.ferrion_messenger_new(name) or raise MessengerError, Abi.ferrion_last_error
      Abi.ferrion_messenger_set_blocking(@abi, false)
      @blocking = true
      @waiting = false
    end

    def initialize_copy(_source) # :nodoc:
      raise TypeError, "a messenger cannot be copied"
    end

    # ---- life ----

    # The name that peers see.
    def name
      Abi.ferrion_messenger_name(@abi)
    end

    # Begins to work. Nothing needs it but checked routes, see check_routes=, which it tries: it connects to where they lead, and waits
    # until all of those peers have answered. Raises what ConnectionFailed it is if one cannot be reached.
    #
    # In non-blocking and passive mode it answers false until that is known of all of them: work, then start again.
    def start
      wait(deadline_in(timeout)) { Abi.ferrion_messenger_start(@abi) }
    end

    # What went wrong last at an address, as the Error that it is: with the connection to its host and port, or with the link to or
    # from its name; of a listening address, why it cannot be listened on. Also where all is well again since; nil if nothing did.
    def address_error(address)
      reason = Abi.ferrion_messenger_address_reason(@abi, address) or return
      status = Abi.ferrion_messenger_address_status(@abi, address)
      Ferrion.error(reason, status, Abi.ferrion_messenger_address_condition(@abi, address))
    end

    # After how many seconds of silence the peer at an address gives the connection up, as it said when it opened it; nil if it never
    # does, or there is no connection to it.
    def remote_idle_timeout(address)
      silence = Abi.ferrion_messenger_remote_idle_time_out(@abi, address)
      silence && Durations.seconds(silence)
    end

    # Sends what is unsent, closes all connections in order and forgets all subscriptions. Takes no longer than the timeout, or 10
    # seconds if there is none; messages that were given up are an Error. The messenger can be used again.
    #
    # Messages that came and were not taken are given back to their senders; those that were sent settled, which nobody else has
    # any more, stay for #get.
    #
    # In non-blocking and passive mode it answers false if it is not finished: work, then stop again.
    def stop
      wait(nil) { Abi.ferrion_messenger_stop(@abi) }
    end

    # Whether there are neither connections nor listeners.
    def stopped?
      Abi.ferrion_messenger_stopped(@abi)
    end

    def inspect
      "#<#{self.class} #{name}>"
    end

    # ---- sending ----

    # Queues a message for the address that it carries. The tracker answered tells later what became of it, if the outgoing_window is
    # larger than 0. Raises Overflow if too much waits already, after the timeout.
    def put(message)
      its = message.to_abi
      when_there_is_room { Abi.ferrion_messenger_put(@abi, its) }
    end

    # Puts one message after the other, and answers their trackers. An Error has those of the messages before it as its +trackers+.
    def put_many(messages)
      trackers = []
      messages.each { |message| trackers << put(message) }
      trackers
    rescue Error => e
      e.trackers = trackers
      raise
    end

    # Puts a message that is encoded already, for an address that need not be the one it carries. Nothing in it is changed.
    def put_encoded(address, octets)
      when_there_is_room { Abi.ferrion_messenger_put_encoded(@abi, address, octets) }
    end

    # Sends a message on to another address. What of it was not looked at goes as it came, and nothing is changed but what the script
    # changed.
    def forward(message, address)
      its = message.to_abi
      when_there_is_room { Abi.ferrion_messenger_forward(@abi, its, address) }
    end

    # Waits until +count+ messages fewer are unsent than now, or, without an argument, all are sent: acknowledged, or, with an
    # outgoing_window of 0, taken by the system. Answers true; in non-blocking and passive mode false if it is not so yet.
    def send(count = -1)
      goal = count.negative? ? nil : [outgoing - count, 0].max
      wait(deadline_in(timeout)) do
        Abi.ferrion_messenger_send(@abi, goal ? (outgoing - goal).clamp(0, INT32_MAX) : -1)
      end
    end

    # How many messages were put and are not sent yet.
    def outgoing
      Abi.ferrion_messenger_outgoing(@abi)
    end

    # The tracker of the last message that was put.
    def outgoing_tracker
      Abi.ferrion_messenger_outgoing_tracker(@abi)
    end

    # Whether a message still waits in this process. If not, that does not mean that it arrived.
    def buffered?(tracker)
      Abi.ferrion_messenger_buffered(@abi, tracker)
    end

    # ---- receiving ----

    # Receives from an address, or with <tt>~host[:port]</tt> from everyone who connects there; port 0 takes a free one. Answers a
    # Subscription. The peer can be asked for more, and is asked again whenever the connection is made again:
    #
    # [ttl] For how many seconds it is to keep the subscription after the link was lost.
    # [name] Names the subscription: a peer that kept it finds it again by this and the name of the messenger.
    # [durable] Names the subscription, and asks the peer to keep it, and what comes for it, also while nobody is there.
    # [selector] A JMS selector: only messages come for which it is true.
    # [no_local] Whether no messages come that were sent over the same connection.
    # [filters] A Hash of filters by names of one's own choice, each Described: that tells the peer what kind it is.
    # [filters_optional] Whether to receive also if the peer does not apply all the filters; that is one of the warnings then.
    # [copies] Whether to take copies of messages, which stay there for others.
    # [distribution_mode] How the peer distributes messages: "move", "copy", or what else it knows.
    # [capabilities] What the node must be able to do: an Array, of "topic" or "shared" for example.
    # [node_properties] A Hash: what kind of node is to be made up, for the address <tt>#</tt>.
    # [link_properties] A Hash: properties of the link.
    # [credit] How many messages may be under way, or wait to be got.
    def subscribe(address, **options)
      asked = options.empty? ? nil : SubscribeOptions.to_abi(options)
      Subscription.new(@abi, Abi.ferrion_messenger_subscribe_with(@abi, address, asked))
    end

    # Ends a Subscription, and waits until the peer has answered that. With +keep+, what the peer keeps under its name stays there, and is
    # found again by who subscribes with that name; otherwise it ends there too, also if its connection is lost at present: that is then
    # made again for it.
    #
    # What came and has no outcome, got or not, goes back to whom it came from, and its trackers say RELEASED; what was sent settled
    # stays for get, and until the peer has answered, for two seconds at most, more of that may come. Of a listening address nobody is let in any more, and who is connected can send nothing more.
    #
    # Answers true, also if it has ended before; in non-blocking and passive mode false if the peer has not answered: work, then call it
    # again. If it cannot be ended at the peer, call it again to try again, or with +keep+ to leave it there; but not otherwise than
    # before while the peer has not answered.
    def unsubscribe(subscription, keep: false)
      wait(deadline_in(timeout)) { Abi.ferrion_messenger_unsubscribe(@abi, subscription.bits, keep ? true : false) }
    end

    # Lets +count+ messages come, and waits until at least one is there. Without an argument, or with -1, as many come as are taken with
    # get; with -2 what was let come before may still come where it was, and nothing more. Each call replaces what the one before it
    # asked for. Answers true; in non-blocking and passive mode false if no message is there yet.
    def recv(count = -1)
      asked = count.clamp(-2, INT32_MAX)
      wait(deadline_in(timeout)) do
        waits? ? Abi.ferrion_recv_at_once(@abi, asked) : Abi.ferrion_messenger_recv(@abi, asked)
      end
    end

    # How many messages wait for get.
    def incoming
      Abi.ferrion_messenger_incoming(@abi)
    end

    # How many messages may still come without another recv.
    def receiving
      Abi.ferrion_messenger_receiving(@abi)
    end

    # Takes the oldest message received, and answers it: a new one, or that of the argument, in place of what it was. With an
    # incoming_window of 0 this accepts it; otherwise it is the incoming_tracker that accept and its like are for. Raises EndOfQueue if
    # no message waits.
    def get(message = Message.new)
      message.received_by { |its| Abi.ferrion_messenger_get(@abi, its) }
      message
    end

    # Takes the messages that wait, oldest first and no more than +most+. With an incoming_window that holds them, one accept is for
    # all. An Error has the messages before it as its +messages+.
    def get_many(most = incoming)
      messages = []
      [most, incoming].min.times { messages << get }
      messages
    rescue Error => e
      e.messages = messages
      raise
    end

    # The tracker of the last message that was got.
    def incoming_tracker
      Abi.ferrion_messenger_incoming_tracker(@abi)
    end

    # The Subscription by which the last message that was got came.
    def incoming_subscription
      bits = Abi.ferrion_messenger_incoming_subscription(@abi)
      bits && Subscription.new(@abi, bits)
    end

    # Receives for ever, and accepts each message when the next one is asked for, unless something else was decided about it; in
    # non-blocking and passive mode it ends when nothing waits.
    def each
      return enum_for(:each) unless block_given?

      while recv || incoming.positive?
        while incoming.positive?
          message = get
          tracker = incoming_tracker
          yield message
          accept(tracker) if incoming_window != 0 && status(tracker) == :pending
        end
      end
      self
    end

    # ---- requests ----

    # Sends a request to the address that it carries, and waits for the reply, at most for the timeout.
    def request(message)
      # It says what to do instead.
      Abi.ferrion_messenger_request(@abi, message.to_abi, Message.new.to_abi) unless waits?
      request = send_request(message)
      begin
        reply(request)
      ensure
        # Nothing is left of it, whatever ended the waiting.
        cancel_request(request)
      end
    end

    # Sends a request to the address that it carries, and does not wait. The number answered is for reply, poll_reply and
    # cancel_request. The time for the reply is the timeout that is set now. There may be many requests; when a connection is made
    # again, those without a reply are sent again.
    def send_request(message)
      Abi.ferrion_messenger_send_request(@abi, message.to_abi)
    end

    # Waits for the reply to a request. Raises Timeout when its time is over, and what else ended it, and then there is no such request
    # any more. In non-blocking and passive mode it raises WouldBlock until the reply is there.
    def reply(request)
      return Message.new.tap { |to| to.received_by { |its| Abi.ferrion_messenger_reply(@abi, request, its) } } unless waits?

      wait(nil) { poll_reply(request) }
    end

    # The reply to a request, if it has come. Does not touch the network: work in between.
    def poll_reply(request)
      reply = Message.new
      reply if reply.received_by { |its| Abi.ferrion_messenger_poll_reply(@abi, request, its) }
    end

    # Gives a request up: it is not sent any more if it was not yet, and a reply is dropped. Tells whether there was such a request.
    def cancel_request(request)
      Abi.ferrion_messenger_cancel_request(@abi, request) ? true : false
    end

    # How many requests wait for their reply.
    def requests
      Abi.ferrion_messenger_requests(@abi)
    end

    # A reply to a message that was got, to be put: addressed to its +reply_to+, and with its correlation id, or else its id. The message
    # is the last one that was got, or that of the tracker.
    def reply_to(message, body = nil, tracker: incoming_tracker || 0)
      reply = Message.new
      reply.received_by { |its| Abi.ferrion_messenger_reply_to(@abi, tracker, message.to_abi, its) }
      reply.body = body
      reply
    end

    # ---- outcomes ----

    # Takes responsibility for a message that was got; without a tracker for all that have no outcome yet. With +cumulative+ also for
    # every message in the window before it that has none.
    def accept(tracker = nil, cumulative: false)
      decide(tracker, cumulative) { |its, flags| Abi.ferrion_messenger_accept(@abi, its, flags) }
    end

    # Refuses a message that was got as invalid; without a tracker all that have no outcome yet. The reason is an error condition, a
    # text for people, and a Hash with more for programs that know the condition.
    def reject(tracker = nil, cumulative: false, condition: nil, description: nil, info: nil)
      extra = symbols(info)
      decide(tracker, cumulative) do |its, flags|
        Abi.ferrion_messenger_reject(@abi, its, flags, condition, description, extra)
      end
    end

    # Gives a message that was got back as if it had never come; without a tracker all that have no outcome yet.
    def release(tracker = nil, cumulative: false)
      decide(tracker, cumulative) { |its, flags| Abi.ferrion_messenger_release(@abi, its, flags) }
    end

    # Gives a message that was got back with changes: whether the attempt counts as failed, whether the message should not come here
    # again, and annotations to add. Without a tracker all that have no outcome yet.
    def modify(tracker = nil, cumulative: false, failed: true, undeliverable_here: false, annotations: nil)
      changes = symbols(annotations)
      decide(tracker, cumulative) do |its, flags|
        Abi.ferrion_messenger_modify(@abi, its, flags, failed ? true : false, undeliverable_here ? true : false, changes)
      end
    end

    # Forgets a message of either direction; without a tracker all that were put.
    def settle(tracker = nil, cumulative: false)
      decide(tracker, cumulative, outgoing_tracker) { |its, flags| Abi.ferrion_messenger_settle(@abi, its, flags) }
    end

    # What became of a message in the window; see above.
    def status(tracker)
      STATUSES.fetch(Abi.ferrion_messenger_status(@abi, tracker))
    end

    # Why a message that was put was not accepted, for a person.
    def reason(tracker)
      Abi.ferrion_messenger_reason(@abi, tracker)
    end

    # The status that reason has as a failure, one of the +FERRION_+ numbers of the header.
    def reason_status(tracker)
      Abi.ferrion_messenger_reason_status(@abi, tracker)
    end

    # The error condition with which a message that was put was refused, "amqp:not-found" for example.
    def condition(tracker)
      Abi.ferrion_messenger_condition(@abi, tracker)
    end

    # The text for people that came with that condition.
    def condition_description(tracker)
      Abi.ferrion_messenger_condition_description(@abi, tracker)
    end

    # The map with more that came with that condition.
    def condition_info(tracker)
      Abi.ferrion_messenger_condition_info(@abi, tracker)&.first
    end

    private

    # Puts; when there is no room, waits for some.
    def when_there_is_room
      deadline = deadline_in(timeout)
      begin
        yield
      rescue Overflow
        raise if !waits? || (deadline && Durations.now >= deadline)

        work_until(deadline)
        retry
      end
    end

    def decide(tracker, cumulative, last = incoming_tracker)
      cumulative = true if tracker.nil?
      tracker ||= last
      yield tracker, cumulative ? Abi::FERRION_CUMULATIVE : 0 if tracker
      nil
    end

    def symbols(map)
      map.nil? || map.empty? ? Abi::NOTHING : Message.with_symbols(map)
    end
  end
end
