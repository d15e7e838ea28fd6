# frozen_string_literal: true

module Ferrion
  # What happened to a connection; see Settings#connection_events.
  #
  # [kind] +:connected+: the peer answered. +:failed+: it was lost, or could not be made. +:retrying+: it will be made again, after
  #        the delay, at an address that can be another one than before. +:given_up+: it will not be made again, unless something is
  #        put or received there. +:recovered+: a link was attached again, and both sides knew what had become of what.
  #        +:forgotten+: a link was to be recovered, and the peer does not know it. +:redirected+: the peer sends a link elsewhere, to
  #        the address, where messages that it had not answered are sent again. +:subscribed+: a peer receives from this
  #        messenger; told of only while it is there. +:other+: what this package has no name for.
  # [address] Where the connection goes to. Of a peer that receives: where to put messages for it, as long as it is there.
  # [reason] Why it failed, was given up or is sent elsewhere, for a person.
  # [status] The status that this reason has as a failure, one of the +FERRION_+ numbers of the header.
  # [condition] The error condition that the peer gave as its reason.
  # [failures] If it will be made again: how many attempts have failed since a message last got through.
  # [delay] If it will be made again: in how many seconds.
  # [resumed] Of a link that was recovered: of how many messages both sides knew.
  # [sent_again] Of a link that was, or was to be recovered: how many messages are sent again.
  # [aborted] Of a link that the peer has forgotten: of how many messages from it nothing was decided, and cannot be any more.
  # [container] Of a peer that receives: what it calls itself. Nobody checks that.
  # [node] Of a peer that receives: the node that it asked for, or that was made up for it.
  ConnectionEvent = Struct.new(
    :kind, :address, :reason, :status, :condition, :failures, :delay, :resumed, :sent_again, :aborted,
    :container, :node, keyword_init: true
  )

  # The kinds by their numbers in the header, and reading them.
  class ConnectionEvent
    KINDS = {
      Abi::FERRION_CONNECTION_CONNECTED => :connected, Abi::FERRION_CONNECTION_FAILED => :failed,
      Abi::FERRION_CONNECTION_RETRYING => :retrying, Abi::FERRION_CONNECTION_GIVEN_UP => :given_up,
      Abi::FERRION_CONNECTION_RECOVERED => :recovered, Abi::FERRION_CONNECTION_FORGOTTEN => :forgotten,
      Abi::FERRION_CONNECTION_REDIRECTED => :redirected, Abi::FERRION_CONNECTION_SUBSCRIBED => :subscribed,
      Abi::FERRION_CONNECTION_OTHER => :other
    }.freeze
    private_constant :KINDS

    # The next event of a batch.
    def self.read(batch) # :nodoc:
      delay = Abi.ferrion_connection_events_delay(batch)
      new(
        kind: KINDS.fetch(Abi.ferrion_connection_events_kind(batch), :other),
        address: Abi.ferrion_connection_events_address(batch),
        reason: Abi.ferrion_connection_events_reason(batch),
        status: Abi.ferrion_connection_events_status(batch),
        condition: Abi.ferrion_connection_events_condition(batch),
        failures: Abi.ferrion_connection_events_failures(batch),
        delay: delay && (delay / 1000.0),
        resumed: Abi.ferrion_connection_events_resumed(batch),
        sent_again: Abi.ferrion_connection_events_sent_again(batch),
        aborted: Abi.ferrion_connection_events_aborted(batch),
        container: Abi.ferrion_connection_events_container(batch),
        node: Abi.ferrion_connection_events_node(batch)
      )
    end
  end

  # How connections that were lost are made again; times are in seconds. Each attempt follows after twice the time of the one
  # before, varied by up to a quarter.
  #
  # [first_delay] What passes before the first attempt.
  # [max_delay] The most that passes between attempts.
  # [give_up_after] How long a connection may fail, without one message getting through or standing for +max_delay+, before it is
  #                 given up; nil never does.
  # [initial] Whether a connection that was never open is tried again too.
  Reconnect = Struct.new(:first_delay, :max_delay, :give_up_after, :initial, keyword_init: true)

  # Its defaults, and the header's form of it.
  class Reconnect
    def initialize(first_delay: 0.1, max_delay: 10.0, give_up_after: 60.0, initial: false)
      super
    end

    def to_abi # :nodoc:
      its = Abi.ferrion_reconnect_new or raise NoMemoryError
      Abi.ferrion_reconnect_set_first_delay(its, Durations.milliseconds(first_delay))
      Abi.ferrion_reconnect_set_max_delay(its, Durations.milliseconds(max_delay))
      Abi.ferrion_reconnect_set_give_up_after(its, Durations.milliseconds(give_up_after))
      Abi.ferrion_reconnect_set_initial(its, initial ? true : false)
      its
    end

    # The policy that a messenger has, if any.
    def self.of(messenger) # :nodoc:
      its = Abi.ferrion_reconnect_new or raise NoMemoryError
      return unless Abi.ferrion_messenger_reconnect(messenger, its)

      new(
        first_delay: Abi.ferrion_reconnect_first_delay(its) / 1000.0,
        max_delay: Abi.ferrion_reconnect_max_delay(its) / 1000.0,
        give_up_after: Durations.seconds(Abi.ferrion_reconnect_give_up_after(its)),
        initial: Abi.ferrion_reconnect_initial(its)
      )
    end
  end

  # That links are recovered, and what is kept for that of peers that connected to this messenger and were lost.
  #
  # [keep_for] For how many seconds their links are kept.
  # [max_links] How many links, of all of them together; beyond it those lost longest ago are given up.
  # [max_octets] How many octets with them: payloads, long texts about messages, names and termini of links, and 128 for each
  #              unsettled message and each link.
  LinkRecovery = Struct.new(:keep_for, :max_links, :max_octets, keyword_init: true)

  # Its defaults, and the header's form of it.
  class LinkRecovery
    def initialize(keep_for: 120.0, max_links: 4096, max_octets: 64 << 20)
      super
    end

    def to_abi # :nodoc:
      its = Abi.ferrion_link_recovery_new or raise NoMemoryError
      Abi.ferrion_link_recovery_set_keep_for(its, Durations.milliseconds(keep_for))
      Abi.ferrion_link_recovery_set_max_links(its, max_links)
      Abi.ferrion_link_recovery_set_max_octets(its, max_octets)
      its
    end

    # What a messenger was given, if anything.
    def self.of(messenger) # :nodoc:
      its = Abi.ferrion_link_recovery_new or raise NoMemoryError
      return unless Abi.ferrion_messenger_link_recovery(messenger, its)

      new(
        keep_for: Abi.ferrion_link_recovery_keep_for(its) / 1000.0,
        max_links: Abi.ferrion_link_recovery_max_links(its),
        max_octets: Abi.ferrion_link_recovery_max_octets(its)
      )
    end
  end
end
