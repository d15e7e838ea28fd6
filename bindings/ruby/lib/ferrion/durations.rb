# frozen_string_literal: true

module Ferrion
  # Seconds, which Ruby counts in, and milliseconds, which the header does.
  module Durations # :nodoc:
    # More than this is for ever.
    LONGEST = (2**63) - 1

    module_function

    # Whole milliseconds, and no fewer than the seconds are; nil and negative seconds are for ever, which is -1.
    def milliseconds(seconds)
      return -1 if seconds.nil?
      raise TypeError, "a time is a number of seconds, not #{seconds.inspect}" unless seconds.is_a?(Numeric)
      return -1 if seconds.negative? || seconds >= LONGEST / 1000

      # What floating point adds in the last place does not make another millisecond.
      [(seconds * 1000).round(3).ceil, LONGEST].min
    end

    # Seconds; nil is for ever.
    def seconds(milliseconds)
      milliseconds.negative? ? nil : milliseconds / 1000.0
    end

    # By a clock that nobody sets.
    def now
      Process.clock_gettime(Process::CLOCK_MONOTONIC)
    end
  end
  private_constant :Durations
end
