# frozen_string_literal: true

module Ferrion
  # How a Messenger behaves. Settings concern what is done from then on.
  module Settings
    UNLIMITED = (2**64) - 1
    SETTLE_MODES = {
      snd: { nil => -1, unsettled: Abi::FERRION_SND_UNSETTLED, settled: Abi::FERRION_SND_SETTLED, mixed: Abi::FERRION_SND_MIXED },
      rcv: { nil => -1, first: Abi::FERRION_RCV_FIRST, second: Abi::FERRION_RCV_SECOND }
    }.freeze
    CLIENT_CERTIFICATES = {
      ignore: Abi::FERRION_CLIENT_CERTIFICATES_IGNORE,
      accept: Abi::FERRION_CLIENT_CERTIFICATES_ACCEPT,
      require: Abi::FERRION_CLIENT_CERTIFICATES_REQUIRE
    }.freeze
    LIMITS = Abi.constants.grep(/\AFERRION_LIMIT_/).to_h do |name|
      [name.to_s.delete_prefix("FERRION_LIMIT_").downcase.to_sym, Abi.const_get(name)]
    end.freeze
    private_constant :UNLIMITED, :SETTLE_MODES, :CLIENT_CERTIFICATES, :LIMITS

    # ---- windows and limits ----

    # How many of the last messages put have a status; negative is all. With 0, the default, nobody asks whether they arrived.
    def outgoing_window
      window(Abi.ferrion_messenger_outgoing_window(@abi))
    end

    def outgoing_window=(messages)
      Abi.ferrion_messenger_set_outgoing_window(@abi, unlimited(messages))
    end

    # How many of the last messages got wait for a decision; negative is all. With 0, the default, getting accepts.
    def incoming_window
      window(Abi.ferrion_messenger_incoming_window(@abi))
    end

    def incoming_window=(messages)
      Abi.ferrion_messenger_set_incoming_window(@abi, unlimited(messages))
    end

    # How many messages, and how many octets of them, may wait to be sent before Messenger#put waits: two numbers.
    def high_water
      Abi.ferrion_messenger_high_water(@abi)
    end

    def high_water=(most)
      messages, octets = most
      Abi.ferrion_messenger_set_high_water(@abi, messages, octets)
    end

    # How many messages, and how many octets of them, may wait for Messenger#get, whatever Messenger#recv asked for. A negative
    # number of messages is as many as that lets come. A single message gets through whatever its size.
    def incoming_high_water
      messages, octets = Abi.ferrion_messenger_incoming_high_water(@abi)
      [window(messages), octets]
    end

    def incoming_high_water=(most)
      messages, octets = most
      Abi.ferrion_messenger_set_incoming_high_water(@abi, unlimited(messages), octets)
    end

    # What each connection may make the messenger hold or wait for: +:connection_octets+, +:links_per_session+,
    # +:unsettled_per_session+ and the others of the table in SECURITY.md.
    def limit(limit)
      Abi.ferrion_messenger_limit(@abi, choose(LIMITS, limit))
    end

    # Sets what each connection may make the messenger hold or wait for, whether it is made or accepted, on those that are made from
    # then on. Who listens for many peers that are not trusted lowers what its clients do not need.
    def set_limit(limit, number)
      Abi.ferrion_messenger_set_limit(@abi, choose(LIMITS, limit), number)
    end

    # The largest frame that is taken, in octets, on connections made from then on: 65,536 unless set, or with link_recovery
    # 1,048,576. To set nil is the default again.
    def max_frame_size
      Abi.ferrion_messenger_max_frame_size(@abi)
    end

    def max_frame_size=(octets)
      Abi.ferrion_messenger_set_max_frame_size(@abi, octets || 0)
    end

    # The most octets that messages of which more is to come hold on all connections together that listeners accepted; 1 GiB unless
    # set. Beyond it whoever holds most then is refused, and one of the warnings says who that was.
    def all_partial_octets
      Abi.ferrion_messenger_all_partial_octets(@abi)
    end

    def all_partial_octets=(octets)
      Abi.ferrion_messenger_set_all_partial_octets(@abi, octets)
    end

    # ---- routes ----

    # Messages whose address matches the pattern go to +address+ instead. <tt>%</tt> matches anything but <tt>/</tt>, <tt>*</tt>
    # anything; <tt>$1</tt>, <tt>$2</tt> ... in the address are what they matched.
    def route(pattern, address)
      Abi.ferrion_messenger_route(@abi, pattern, address)
    end

    # Whether start tries the routes, and raises if one of them leads nowhere. Those are tried whose host and port are the same
    # whatever matches.
    def check_routes=(check)
      Abi.ferrion_messenger_set_check_routes(@abi, check ? true : false)
    end

    # Messages whose address matches the pattern carry +address+ instead, or with nil none; they go where they would have gone.
    def rewrite(pattern, address)
      Abi.ferrion_messenger_rewrite(@abi, pattern, address)
    end

    # Removes the first route with this pattern; tells whether there was one.
    def remove_route(pattern)
      Abi.ferrion_messenger_remove_route(@abi, pattern) ? true : false
    end

    # Removes the first rewrite with this pattern; tells whether there was one.
    def remove_rewrite(pattern)
      Abi.ferrion_messenger_remove_rewrite(@abi, pattern) ? true : false
    end

    # Removes all routes and rewrites.
    def clear_rules
      Abi.ferrion_messenger_clear_rules(@abi)
    end

    # ---- logging in ----

    # User and password for addresses that carry none. They go by SCRAM, which shows the password to nobody, where the peer offers
    # it, or else by PLAIN.
    def set_credentials(user, password = nil)
      Abi.ferrion_messenger_set_credentials(@abi, user, password)
    end

    # An OAuth 2.0 token to log in with (OAUTHBEARER, or else XOAUTH2) to addresses that carry no password; the user is that of
    # set_credentials. Set the next one before it expires: connections are made again with the last one.
    def token=(token)
      Abi.ferrion_messenger_set_token(@abi, token)
    end

    # Whether passwords and tokens may go in clear over connections without TLS to other machines.
    def allow_plain_without_tls=(allow)
      Abi.ferrion_messenger_set_allow_plain_without_tls(@abi, allow ? true : false)
    end

    # Admits a user to listening addresses, or no longer if the password is nil. Before the first user is named everyone is admitted;
    # when the last is taken away, nobody.
    def set_listener_user(user, password)
      Abi.ferrion_messenger_set_listener_user(@abi, user, password)
    end

    # Admits who shows this token as this user to listening addresses (OAUTHBEARER, XOAUTH2), or no longer if the token is nil. A
    # user has one token; the empty user is for tokens that come without a user's name. Nobody else is admitted but those of
    # set_listener_user.
    def set_listener_token(user, token)
      Abi.ferrion_messenger_set_listener_token(@abi, user, token)
    end

    # ---- TLS and WebSocket ----

    # Reads the certificate that is shown to peers, and that is needed to listen on <tt>amqps://~</tt>: files in PEM form, of a
    # chain, the own one first, and of its key, which may be in the same file.
    def set_certificate(certificate, private_key = certificate)
      Abi.ferrion_messenger_set_certificate(@abi, path(certificate), path(private_key))
    end

    # Reads the file (PEM form) with the certificates of the authorities that are trusted to say who is who, instead of those whom
    # the system trusts.
    def trusted_certificates=(file)
      Abi.ferrion_messenger_set_trusted_certificates(@abi, path(file))
    end

    # For experiments only: connects to whoever answers, with whatever certificate, so that anybody on the way can read and change
    # everything. Each connection that is made so leaves one of the warnings.
    def dangerous_accept_any_certificate=(accept)
      Abi.ferrion_messenger_set_dangerous_accept_any_certificate(@abi, accept ? true : false)
    end

    # What <tt>amqps://~</tt> listeners do about certificates of those who connect: with +:ignore+ none is asked for; with +:accept+
    # one is, and must be good if it is shown; with +:require+ nobody comes in without a good one.
    def client_certificates=(what)
      Abi.ferrion_messenger_set_client_certificates(@abi, choose(CLIENT_CERTIFICATES, what))
    end

    # Whether those who connect to <tt>amqps://~</tt> listeners may also begin without TLS, on the same port.
    def listeners_allow_plain=(allow)
      Abi.ferrion_messenger_set_listeners_allow_plain(@abi, allow ? true : false)
    end

    # The path of a WebSocket: which one is asked for on <tt>ws://</tt> and <tt>wss://</tt>, and which one such listeners insist on.
    def websocket_path=(path)
      Abi.ferrion_messenger_set_websocket_path(@abi, path)
    end

    # How many seconds the two sides of a new connection may take to agree on TLS and WebSocket, and then as long again for the login and
    # the opening of AMQP, on connections made from then on; 30 unless set.
    def handshake_timeout=(seconds)
      Abi.ferrion_messenger_set_handshake_time_out(@abi, [Durations.milliseconds(seconds), 0].max)
    end

    # ---- connections ----

    # After how many seconds a silent peer is given up, on connections made from then on; nil is never. Peers made of ferrion refuse
    # less than 0.2.
    def idle_timeout=(seconds)
      Abi.ferrion_messenger_set_idle_time_out(@abi, Durations.milliseconds(seconds))
    end

    # How connections that were lost are made again, a Reconnect: behind the scenes, with what is subscribed and put, and messages in
    # the outgoing window that were not answered are sent again. With nil a lost connection is an exception, and its messages are
    # +:aborted+.
    def reconnect
      Reconnect.of(@abi)
    end

    def reconnect=(policy)
      Abi.ferrion_messenger_set_reconnect(@abi, policy&.to_abi)
    end

    # That links are recovered after their connection was lost, a LinkRecovery, so that messages arrive exactly once between two sides
    # that both want it, instead of at least once. It concerns links that are made from then on; nil, the default, is without.
    def link_recovery
      LinkRecovery.of(@abi)
    end

    def link_recovery=(recovery)
      Abi.ferrion_messenger_set_link_recovery(@abi, recovery&.to_abi)
    end

    # Whether messages are sent settled, on links that are made from then on: +:unsettled+, +:settled+, or +:mixed+, which, as nil, the
    # default, is as the outgoing window has it.
    def snd_settle_mode=(mode)
      Abi.ferrion_messenger_set_snd_settle_mode(@abi, choose(SETTLE_MODES[:snd], mode))
    end

    # When receivers settle, on links that are made from then on: +:first+, with their outcome, or +:second+, after the sender; nil,
    # the default, is first.
    def rcv_settle_mode=(mode)
      Abi.ferrion_messenger_set_rcv_settle_mode(@abi, choose(SETTLE_MODES[:rcv], mode))
    end

    # The seed from which the delays between attempts are varied, so that a run can be repeated.
    def reconnect_seed=(seed)
      Abi.ferrion_messenger_set_reconnect_seed(@abi, seed)
    end

    # Where else an address may be found, by host and port: these are tried in turn if it fails.
    def set_alternatives(address, others)
      Abi.ferrion_messenger_set_alternatives(@abi, address, others.join(", "))
    end

    # What happened to connections that this messenger made since the last time, an Array of ConnectionEvent; the newest 1,024 are
    # kept. And which peers receive from it, whoever made the connection: all of them that still do.
    def connection_events
      batch = Abi.ferrion_connection_events_new or raise NoMemoryError
      drain do
        Abi.ferrion_messenger_poll_connection_events(@abi, batch, 1)
        Abi.ferrion_connection_events_next(batch)
        ConnectionEvent.read(batch)
      end
    end

    # ---- what can be read ----

    # Whether a readable line is kept for every frame, for trace.
    def tracing=(tracing)
      Abi.ferrion_messenger_set_tracing(@abi, tracing ? true : false)
    end

    # The lines of the trace that were kept since the last time: of more than 16,384 the newest.
    def trace
      drain { Abi.ferrion_messenger_poll_trace(@abi) }
    end

    # What is not as it should be, though nothing failed: of more than 256 since the last time the oldest.
    def warnings
      drain { Abi.ferrion_messenger_poll_warning(@abi) }
    end

    private

    def choose(choices, choice)
      choices.fetch(choice) { raise ArgumentError, "one of #{choices.keys.map(&:inspect).join(", ")}, not #{choice.inspect}" }
    end

    def path(file)
      file.respond_to?(:to_path) ? file.to_path : file
    end

    # What is unlimited is -1 to Ruby.
    def window(messages)
      messages >= 2**63 ? -1 : messages
    end

    def unlimited(messages)
      messages.negative? ? UNLIMITED : messages
    end

    # All that is there now.
    def drain
      all = []
      loop { all << yield }
    rescue EndOfQueue
      all
    end
  end
end
