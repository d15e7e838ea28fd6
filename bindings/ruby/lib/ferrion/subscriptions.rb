# frozen_string_literal: true

module Ferrion
  # What a messenger receives from.
  class Subscription
    # The fields of a source (3.5.3), in order.
    SOURCE = %i[
      address durable expiry-policy timeout dynamic dynamic-node-properties distribution-mode filter default-outcome outcomes
      capabilities
    ].freeze
    private_constant :SOURCE

    attr_reader :bits # :nodoc:

    # +abi+ keeps the messenger alive for as long as there are subscriptions of it.
    def initialize(abi, bits) # :nodoc:
      @abi = abi
      @bits = bits
      freeze
    end

    # The port that is listened on; nil if this does not listen.
    def port
      Abi.ferrion_messenger_subscription_port(@abi, @bits)
    end

    # The address that messages come from; for a dynamic node (<tt>#</tt>) where others can send to. Nil until the peer told.
    def address
      Abi.ferrion_messenger_subscription_address(@abi, @bits)
    end

    # What the peer granted of what was asked for, a Hash by the names of part 3.5.3 of the specification: <tt>:filter</tt> has the
    # filters that it applies. Nil until it answered, and if this listens.
    def source
      found = Abi.ferrion_messenger_subscription_source(@abi, @bits)&.first
      found && SOURCE.zip(found.value).to_h.compact
    end

    def ==(other)
      other.is_a?(Subscription) && @bits == other.bits && @abi.equal?(other.abi)
    end
    alias eql? ==

    def hash
      [Subscription, @bits].hash
    end

    def inspect
      "#<#{self.class} port: #{port.inspect}, address: #{address.inspect}>"
    end

    protected

    attr_reader :abi
  end

  # What Messenger#subscribe can ask of a peer, by name; described there.
  module SubscribeOptions # :nodoc:
    KNOWN = %i[
      ttl name durable selector no_local filters filters_optional copies distribution_mode capabilities node_properties
      link_properties credit
    ].freeze

    module_function

    # The same for the library.
    def to_abi(options)
      unknown = options.keys - KNOWN
      raise ArgumentError, "subscribe has no option #{unknown.first.inspect}" unless unknown.empty?

      its = Abi.ferrion_subscribe_options_new or raise NoMemoryError
      options.each { |name, value| set(its, name, value) unless value.nil? || value == false }
      its
    end

    def set(its, name, value)
      case name
      when :ttl then Abi.ferrion_subscribe_options_set_ttl(its, [Durations.milliseconds(value), 0].max)
      when :name then Abi.ferrion_subscribe_options_set_name(its, value)
      when :durable then Abi.ferrion_subscribe_options_set_durable(its, value)
      when :selector then Abi.ferrion_subscribe_options_set_selector(its, value)
      when :no_local then Abi.ferrion_subscribe_options_set_no_local(its)
      when :filters then value.each { |key, filter| Abi.ferrion_subscribe_options_add_filter(its, key.to_s, filter) }
      when :filters_optional then Abi.ferrion_subscribe_options_set_filters_optional(its)
      when :copies then Abi.ferrion_subscribe_options_set_copies(its)
      when :distribution_mode then Abi.ferrion_subscribe_options_set_distribution_mode(its, value.to_s)
      when :capabilities then value.each { |one| Abi.ferrion_subscribe_options_add_capability(its, one.to_s) }
      when :node_properties
        value.each { |key, property| Abi.ferrion_subscribe_options_set_node_property(its, key.to_s, property) }
      when :link_properties
        value.each { |key, property| Abi.ferrion_subscribe_options_set_link_property(its, key.to_s, property) }
      when :credit then Abi.ferrion_subscribe_options_set_credit(its, value)
      end
    end
  end
  private_constant :SubscribeOptions
end
