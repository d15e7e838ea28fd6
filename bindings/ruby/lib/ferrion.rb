# frozen_string_literal: true

# AMQP 1.0 messaging: Messenger sends and receives, Message is what travels.
#
# Ferrion::Abi has the C functions of the header +ferrion.h+ one by one; everything else stands on it.
module Ferrion
end

require "ferrion/abi"

module Ferrion
  # No value at all, where one may be left out.
  Abi::NOTHING = Object.new.freeze
end

require "ferrion/version"
require "ferrion/types"
require "ferrion/errors"
require "ferrion/durations"
require "ferrion/message"
require "ferrion/connections"
require "ferrion/subscriptions"
require "ferrion/settings"
require "ferrion/waiting"
require "ferrion/messenger"

module Ferrion
  register
end
