package Ferrion::Settings;

# How a Messenger behaves. Settings concern what is done from then on. What can be read is read without an argument and set with one;
# what can only be set begins with "set_", "allow_" or the like. All answer the messenger when they set.

use strict;
use warnings;
use Ferrion::Abi;
use Ferrion::Connections;
use Ferrion::Durations;
use Ferrion::Error;

our $VERSION = '0.1.0';

use constant UNLIMITED => ~0;

my %SND = (
    unsettled => Ferrion::Abi::FERRION_SND_UNSETTLED,
    settled   => Ferrion::Abi::FERRION_SND_SETTLED,
    mixed     => Ferrion::Abi::FERRION_SND_MIXED,
);
my %RCV = (first => Ferrion::Abi::FERRION_RCV_FIRST, second => Ferrion::Abi::FERRION_RCV_SECOND);
my %CLIENT_CERTIFICATES = (
    ignore  => Ferrion::Abi::FERRION_CLIENT_CERTIFICATES_IGNORE,
    accept  => Ferrion::Abi::FERRION_CLIENT_CERTIFICATES_ACCEPT,
    require => Ferrion::Abi::FERRION_CLIENT_CERTIFICATES_REQUIRE,
);

# ---- windows and limits ----

sub outgoing_window {
    my ($self, @value) = @_;
    return _window(Ferrion::Abi::ferrion_messenger_outgoing_window($self->{abi})) unless @value;
    Ferrion::Abi::ferrion_messenger_set_outgoing_window($self->{abi}, _unlimited($value[0]));
    return $self;
}

sub incoming_window {
    my ($self, @value) = @_;
    return _window(Ferrion::Abi::ferrion_messenger_incoming_window($self->{abi})) unless @value;
    Ferrion::Abi::ferrion_messenger_set_incoming_window($self->{abi}, _unlimited($value[0]));
    return $self;
}

sub high_water {
    my ($self, @most) = @_;
    return Ferrion::Abi::ferrion_messenger_high_water($self->{abi}) unless @most;
    Ferrion::Abi::ferrion_messenger_set_high_water($self->{abi}, @most);
    return $self;
}

sub incoming_high_water {
    my ($self, @most) = @_;
    if (!@most) {
        my ($messages, $octets) = Ferrion::Abi::ferrion_messenger_incoming_high_water($self->{abi});
        return (_window($messages), $octets);
    }
    my ($messages, @octets) = @most;
    Ferrion::Abi::ferrion_messenger_set_incoming_high_water($self->{abi}, _unlimited($messages), @octets);
    return $self;
}

sub limit {
    my ($self, $name, @value) = @_;
    my $number = Ferrion::Abi->can('FERRION_LIMIT_' . uc($name // ''))
        or Ferrion::Error::Argument->throw('there is no limit ' . ($name // 'undef'));
    return Ferrion::Abi::ferrion_messenger_limit($self->{abi}, $number->()) unless @value;
    Ferrion::Abi::ferrion_messenger_set_limit($self->{abi}, $number->(), @value);
    return $self;
}

sub max_frame_size {
    my ($self, @value) = @_;
    return Ferrion::Abi::ferrion_messenger_max_frame_size($self->{abi}) unless @value;
    Ferrion::Abi::ferrion_messenger_set_max_frame_size($self->{abi}, $value[0] // 0);
    return $self;
}

sub all_partial_octets {
    my ($self, @value) = @_;
    return Ferrion::Abi::ferrion_messenger_all_partial_octets($self->{abi}) unless @value;
    Ferrion::Abi::ferrion_messenger_set_all_partial_octets($self->{abi}, @value);
    return $self;
}

# ---- routes ----

sub route {
    my ($self, $pattern, $address) = @_;
    Ferrion::Abi::ferrion_messenger_route($self->{abi}, $pattern, $address);
    return $self;
}

sub rewrite {
    my ($self, $pattern, $address) = @_;
    Ferrion::Abi::ferrion_messenger_rewrite($self->{abi}, $pattern, $address);
    return $self;
}

sub remove_route   { return Ferrion::Abi::ferrion_messenger_remove_route($_[0]{abi}, $_[1]) ? 1 : !1 }
sub remove_rewrite { return Ferrion::Abi::ferrion_messenger_remove_rewrite($_[0]{abi}, $_[1]) ? 1 : !1 }

sub clear_rules {
    my ($self) = @_;
    Ferrion::Abi::ferrion_messenger_clear_rules($self->{abi});
    return $self;
}

sub set_check_routes { return _switch($_[0], $_[1], \&Ferrion::Abi::ferrion_messenger_set_check_routes) }

# ---- logging in ----

sub set_credentials {
    my ($self, $user, $password) = @_;
    Ferrion::Abi::ferrion_messenger_set_credentials($self->{abi}, $user, $password);
    return $self;
}

sub set_token {
    my ($self, $token) = @_;
    Ferrion::Abi::ferrion_messenger_set_token($self->{abi}, $token);
    return $self;
}

sub allow_plain_without_tls { return _switch($_[0], $_[1], \&Ferrion::Abi::ferrion_messenger_set_allow_plain_without_tls) }

sub set_listener_user {
    my ($self, $user, $password) = @_;
    Ferrion::Abi::ferrion_messenger_set_listener_user($self->{abi}, $user, $password);
    return $self;
}

sub set_listener_token {
    my ($self, $user, $token) = @_;
    Ferrion::Abi::ferrion_messenger_set_listener_token($self->{abi}, $user, $token);
    return $self;
}

# ---- TLS and WebSocket ----

sub set_certificate {
    my ($self, $certificate, $private_key) = @_;
    Ferrion::Abi::ferrion_messenger_set_certificate($self->{abi}, $certificate, $private_key // $certificate);
    return $self;
}

sub set_trusted_certificates {
    my ($self, $file) = @_;
    Ferrion::Abi::ferrion_messenger_set_trusted_certificates($self->{abi}, $file);
    return $self;
}

sub dangerous_accept_any_certificate {
    return _switch($_[0], $_[1], \&Ferrion::Abi::ferrion_messenger_set_dangerous_accept_any_certificate);
}

sub set_client_certificates {
    my ($self, $what) = @_;
    Ferrion::Abi::ferrion_messenger_set_client_certificates($self->{abi}, _choose(\%CLIENT_CERTIFICATES, $what));
    return $self;
}

sub listeners_allow_plain { return _switch($_[0], $_[1], \&Ferrion::Abi::ferrion_messenger_set_listeners_allow_plain) }

sub set_websocket_path {
    my ($self, $path) = @_;
    Ferrion::Abi::ferrion_messenger_set_websocket_path($self->{abi}, $path);
    return $self;
}

sub set_handshake_timeout {
    my ($self, $seconds) = @_;
    my $milliseconds = Ferrion::Durations::milliseconds($seconds);
    Ferrion::Abi::ferrion_messenger_set_handshake_time_out($self->{abi}, $milliseconds < 0 ? 0 : $milliseconds);
    return $self;
}

# ---- connections ----

sub set_idle_timeout {
    my ($self, $seconds) = @_;
    Ferrion::Abi::ferrion_messenger_set_idle_time_out($self->{abi}, Ferrion::Durations::milliseconds($seconds));
    return $self;
}

sub reconnect {
    my ($self, @value) = @_;
    return Ferrion::Reconnect->of($self->{abi}) unless @value;
    Ferrion::Abi::ferrion_messenger_set_reconnect($self->{abi}, _policy('Ferrion::Reconnect', $value[0]));
    return $self;
}

sub link_recovery {
    my ($self, @value) = @_;
    return Ferrion::LinkRecovery->of($self->{abi}) unless @value;
    Ferrion::Abi::ferrion_messenger_set_link_recovery($self->{abi}, _policy('Ferrion::LinkRecovery', $value[0]));
    return $self;
}

sub set_snd_settle_mode {
    my ($self, $mode) = @_;
    Ferrion::Abi::ferrion_messenger_set_snd_settle_mode($self->{abi}, defined $mode ? _choose(\%SND, $mode) : -1);
    return $self;
}

sub set_rcv_settle_mode {
    my ($self, $mode) = @_;
    Ferrion::Abi::ferrion_messenger_set_rcv_settle_mode($self->{abi}, defined $mode ? _choose(\%RCV, $mode) : -1);
    return $self;
}

sub set_reconnect_seed {
    my ($self, $seed) = @_;
    Ferrion::Abi::ferrion_messenger_set_reconnect_seed($self->{abi}, $seed);
    return $self;
}

sub set_alternatives {
    my ($self, $address, @others) = @_;
    Ferrion::Abi::ferrion_messenger_set_alternatives($self->{abi}, $address, join ', ', @others);
    return $self;
}

sub connection_events {
    my ($self) = @_;
    my $batch = Ferrion::Abi::ferrion_connection_events_new() // Ferrion::Error->throw('there is no memory');
    return _drain(sub {
        Ferrion::Abi::ferrion_messenger_poll_connection_events($self->{abi}, $batch, 1);
        Ferrion::Abi::ferrion_connection_events_next($batch);
        return Ferrion::ConnectionEvent->of($batch);
    });
}

# ---- what can be read ----

sub set_tracing { return _switch($_[0], $_[1], \&Ferrion::Abi::ferrion_messenger_set_tracing) }

sub trace {
    my ($self) = @_;
    return _drain(sub { scalar Ferrion::Abi::ferrion_messenger_poll_trace($self->{abi}) });
}

sub warnings {
    my ($self) = @_;
    return _drain(sub { scalar Ferrion::Abi::ferrion_messenger_poll_warning($self->{abi}) });
}

# ---- helpers ----

sub _switch {
    my ($self, $on, $set) = @_;
    $set->($self->{abi}, $on ? 1 : 0);
    return $self;
}

sub _choose {
    my ($choices, $choice) = @_;
    return $choices->{ $choice // '' }
        // Ferrion::Error::Argument->throw('one of ' . join(', ', sort keys %$choices) . ' is wanted, not ' . ($choice // 'undef'));
}

sub _policy {
    my ($class, $policy) = @_;
    return undef unless defined $policy;
    Ferrion::Error::Argument->throw("a $class is wanted, not $policy") unless Scalar::Util::blessed($policy) && $policy->isa($class);
    return $policy->to_abi;
}

# What is unlimited is -1 to a script.
sub _window    { return $_[0] > 2**63 - 1 ? -1 : $_[0] }
sub _unlimited { return Scalar::Util::looks_like_number($_[0]) && $_[0] < 0 ? UNLIMITED : $_[0] }

# All that is there now.
sub _drain {
    my ($next) = @_;
    my @all;
    local $@;
    1 while eval { push @all, $next->(); 1 };
    my $error = $@;
    die $error unless ref $error && $error->isa('Ferrion::Error::EndOfQueue');
    return @all;
}

require Scalar::Util;

1;
