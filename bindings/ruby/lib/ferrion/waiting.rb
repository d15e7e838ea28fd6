# frozen_string_literal: true

require "io/wait"

module Ferrion
  # How a Messenger waits. The library never does: Ruby waits for the messenger's one descriptor, so that Ctrl-C, Thread#raise and
  # Timeout.timeout end a wait, signal handlers run in the middle of it, and other threads all the time.
  module Waiting
    # How long waiting calls wait, in seconds; nil, the default, is for ever.
    def timeout
      Durations.seconds(Abi.ferrion_messenger_timeout(@abi))
    end

    def timeout=(seconds)
      Abi.ferrion_messenger_set_timeout(@abi, Durations.milliseconds(seconds))
    end

    # Whether waiting calls wait, which is the default. Otherwise they do what can be done at once, and answer false or raise
    # WouldBlock if that is not all.
    def blocking?
      @blocking
    end

    def blocking=(blocking)
      @blocking = blocking ? true : false
    end

    # Whether only work touches the network, and a loop of the script's own waits: for the messenger to become readable, by its
    # to_io, or for due_in to pass. Then <tt>work(0)</tt> does what there is to do.
    def passive?
      Abi.ferrion_messenger_passive(@abi)
    end

    def passive=(passive)
      Abi.ferrion_messenger_set_passive(@abi, passive ? true : false)
    end

    # What IO.select and its like watch, for reading only. It never changes, and is not to be read from or closed.
    def to_io
      @to_io ||= begin
        io = IO.for_fd(Abi.ferrion_messenger_descriptor(@abi), autoclose: false)
        # Who holds on to it holds on to what it belongs to: the descriptor cannot become another file's meanwhile.
        io.instance_variable_set(:@messenger, self)
        io
      end
    end

    # In how many seconds work has to be called whether or not there is news; 0 is now, nil not at all. To be asked again after each
    # call.
    def due_in
      Durations.seconds(Abi.ferrion_messenger_deadline(@abi))
    end

    # Does network work until something happened, at most for +timeout+ seconds; nil is for ever. Tells whether anything did: octets
    # came or left, or a time was over, of a connection, of a request or of a stop that was begun.
    def work(timeout = nil)
      work_until(deadline_in(timeout))
    end

    # Makes the call that waits on this messenger, or else the next one that would, raise Interrupted. The one method that other
    # threads may call.
    def interrupt
      Abi.ferrion_messenger_interrupt(@abi)
      nil
    end

    private

    def waits?
      @blocking && !passive?
    end

    def deadline_in(seconds)
      seconds && !seconds.negative? ? Durations.now + seconds : nil
    end

    # Makes a call again, after some work each time, until it answers something; in blocking mode only. A call that has a time of its own
    # in the library has no deadline here: work tells when that is over.
    def wait(deadline)
      loop do
        late = deadline && Durations.now >= deadline
        answer = yield
        return answer if answer || !waits?
        raise Timeout.new("the timeout passed first; the same call again waits longer", Abi::FERRION_TIMEOUT) if late

        work_until(deadline)
      end
    end

    def work_until(deadline)
      raise MessengerError, "another thread waits on this messenger: one thread at a time can use it" if @waiting

      @waiting = true
      begin
        until (worked = Abi.ferrion_messenger_work(@abi, 0))
          left = deadline && (deadline - Durations.now)
          break if left && left <= 0

          to_io.wait_readable([left, due_in].compact.min)
        end
        worked
      ensure
        @waiting = false
      end
    end
  end
end
