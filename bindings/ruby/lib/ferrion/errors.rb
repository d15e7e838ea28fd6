# frozen_string_literal: true

module Ferrion
  # Anything that ferrion answers instead of success. The message says what to do.
  class Error < StandardError
    # One of the +FERRION_+ numbers of the header.
    attr_reader :status
    # The error condition that a peer gave as its reason, "amqp:not-found" for example.
    attr_reader :condition
    # Of Messenger#put_many: the trackers of the messages that were put before.
    attr_accessor :trackers
    # Of Messenger#get_many: the messages that were got before.
    attr_accessor :messages

    def initialize(text = nil, status = nil, condition = nil)
      super(text)
      @status = status
      @condition = condition
      @trackers = []
      @messages = []
    end
  end

  # A messenger cannot do what it was asked for.
  class MessengerError < Error
  end

  # A message, or a value in it, cannot be encoded or decoded, or cannot be what it was asked to be.
  class MessageError < Error
  end

  # No connection could be made, or it was lost.
  class ConnectionFailed < MessengerError
  end

  # The peer refused the user or the password, or offers no way to log in that may be used.
  class LoginFailed < ConnectionFailed
  end

  # A connection could not be secured with TLS, or a listener cannot offer it. The text says why, and what to do.
  class TlsFailed < ConnectionFailed
  end

  # Nothing waits to be taken.
  class EndOfQueue < MessengerError
  end

  # Too many messages wait to be sent.
  class Overflow < MessengerError
  end

  # The timeout passed first. What was begun goes on: the same call again waits longer.
  class Timeout < MessengerError
  end

  # Another thread interrupted the call; see Messenger#interrupt.
  class Interrupted < MessengerError
  end

  # In non-blocking and passive mode: what was asked for has begun and is not finished.
  class WouldBlock < MessengerError
  end

  # The exception for each status; for any other it is that of nil.
  ERRORS = {
    nil => MessengerError,
    Abi::FERRION_WOULD_BLOCK => WouldBlock,
    Abi::FERRION_END => EndOfQueue,
    Abi::FERRION_TIMEOUT => Timeout,
    Abi::FERRION_INTERRUPTED => Interrupted,
    Abi::FERRION_OVERFLOW => Overflow,
    Abi::FERRION_INVALID_ARGUMENT => MessageError,
    Abi::FERRION_WRONG_TYPE => MessageError,
    Abi::FERRION_DECODE => MessageError,
    Abi::FERRION_ENCODE => MessageError,
    Abi::FERRION_CONNECT => ConnectionFailed,
    Abi::FERRION_LOST => ConnectionFailed,
    Abi::FERRION_LOGIN => LoginFailed,
    Abi::FERRION_TLS => TlsFailed,
    Abi::FERRION_WEBSOCKET => ConnectionFailed,
    Abi::FERRION_PANIC => Error,
    Abi::FERRION_POISONED => Error
  }.freeze
  private_constant :ERRORS

  # The exception for a status.
  def self.error(text, status, condition) # :nodoc:
    ERRORS.fetch(status, MessengerError).new(text, status, condition)
  end

  def self.register # :nodoc:
    Abi.ferrion_rb_register(ERRORS, self, Abi::NOTHING)
  end
  private_class_method :register
end
