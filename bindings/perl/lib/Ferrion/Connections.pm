package Ferrion::Connections;

use strict;
use warnings;
use Ferrion::Abi;
use Ferrion::Durations;
use Ferrion::Error;

our $VERSION = '0.1.0';

# Settings with names and defaults, that are read by these names.
package Ferrion::Policy;

sub new {
    my ($class, @fields) = @_;
    Ferrion::Error::Argument->throw("a $class is made of names and values") if @fields % 2;
    my %fields = @fields;
    my %all    = $class->defaults;
    for my $name (keys %fields) {
        Ferrion::Error::Argument->throw("a $class has no $name") unless exists $all{$name};
    }
    return bless { %all, %fields }, $class;
}

sub _readers {
    my ($class, @names) = @_;
    for my $name (@names) {
        no strict 'refs';
        *{"${class}::$name"} = sub { $_[0]{$name} };
    }
    return;
}

# How connections that were lost are made again.
package Ferrion::Reconnect;

our @ISA = ('Ferrion::Policy');

sub defaults { return (first_delay => 0.1, max_delay => 10, give_up_after => 60, initial => 0) }

__PACKAGE__->_readers(qw(first_delay max_delay give_up_after initial));

sub to_abi {
    my ($self) = @_;
    my $its = Ferrion::Abi::ferrion_reconnect_new() // Ferrion::Error->throw('there is no memory');
    Ferrion::Abi::ferrion_reconnect_set_first_delay($its, Ferrion::Durations::milliseconds($self->first_delay));
    Ferrion::Abi::ferrion_reconnect_set_max_delay($its, Ferrion::Durations::milliseconds($self->max_delay));
    Ferrion::Abi::ferrion_reconnect_set_give_up_after($its, Ferrion::Durations::milliseconds($self->give_up_after));
    Ferrion::Abi::ferrion_reconnect_set_initial($its, $self->initial ? 1 : 0);
    return $its;
}

# The policy that a messenger has, if any.
sub of {
    my ($class, $messenger) = @_;
    my $its = Ferrion::Abi::ferrion_reconnect_new() // Ferrion::Error->throw('there is no memory');
    return undef unless Ferrion::Abi::ferrion_messenger_reconnect($messenger, $its);
    return $class->new(
        first_delay   => Ferrion::Abi::ferrion_reconnect_first_delay($its) / 1000,
        max_delay     => Ferrion::Abi::ferrion_reconnect_max_delay($its) / 1000,
        give_up_after => Ferrion::Durations::seconds(Ferrion::Abi::ferrion_reconnect_give_up_after($its)),
        initial       => Ferrion::Abi::ferrion_reconnect_initial($its) ? 1 : 0,
    );
}

# That links are recovered, and what is kept for that.
package Ferrion::LinkRecovery;

our @ISA = ('Ferrion::Policy');

sub defaults { return (keep_for => 120, max_links => 4096, max_octets => 64 << 20) }

__PACKAGE__->_readers(qw(keep_for max_links max_octets));

sub to_abi {
    my ($self) = @_;
    my $its = Ferrion::Abi::ferrion_link_recovery_new() // Ferrion::Error->throw('there is no memory');
    Ferrion::Abi::ferrion_link_recovery_set_keep_for($its, Ferrion::Durations::milliseconds($self->keep_for));
    Ferrion::Abi::ferrion_link_recovery_set_max_links($its, $self->max_links);
    Ferrion::Abi::ferrion_link_recovery_set_max_octets($its, $self->max_octets);
    return $its;
}

# What a messenger was given, if anything.
sub of {
    my ($class, $messenger) = @_;
    my $its = Ferrion::Abi::ferrion_link_recovery_new() // Ferrion::Error->throw('there is no memory');
    return undef unless Ferrion::Abi::ferrion_messenger_link_recovery($messenger, $its);
    return $class->new(
        keep_for   => Ferrion::Abi::ferrion_link_recovery_keep_for($its) / 1000,
        max_links  => Ferrion::Abi::ferrion_link_recovery_max_links($its),
        max_octets => Ferrion::Abi::ferrion_link_recovery_max_octets($its),
    );
}

# What happened to a connection.
package Ferrion::ConnectionEvent;

our @ISA = ('Ferrion::Policy');

my %KIND = (
    Ferrion::Abi::FERRION_CONNECTION_CONNECTED()  => 'connected',
    Ferrion::Abi::FERRION_CONNECTION_FAILED()     => 'failed',
    Ferrion::Abi::FERRION_CONNECTION_RETRYING()   => 'retrying',
    Ferrion::Abi::FERRION_CONNECTION_GIVEN_UP()   => 'given up',
    Ferrion::Abi::FERRION_CONNECTION_RECOVERED()  => 'recovered',
    Ferrion::Abi::FERRION_CONNECTION_FORGOTTEN()  => 'forgotten',
    Ferrion::Abi::FERRION_CONNECTION_REDIRECTED() => 'redirected',
    Ferrion::Abi::FERRION_CONNECTION_SUBSCRIBED() => 'subscribed',
);

my @EVENT = qw(kind address reason code condition failures delay resumed sent_again aborted container node);

sub defaults { return map { $_ => undef } @EVENT }

__PACKAGE__->_readers(@EVENT);

# The next event of a batch.
sub of {
    my ($class, $batch) = @_;
    my $delay = Ferrion::Abi::ferrion_connection_events_delay($batch);
    return $class->new(
        kind       => $KIND{ Ferrion::Abi::ferrion_connection_events_kind($batch) } // 'other',
        address    => scalar Ferrion::Abi::ferrion_connection_events_address($batch),
        reason     => scalar Ferrion::Abi::ferrion_connection_events_reason($batch),
        code       => scalar Ferrion::Abi::ferrion_connection_events_status($batch),
        condition  => scalar Ferrion::Abi::ferrion_connection_events_condition($batch),
        failures   => scalar Ferrion::Abi::ferrion_connection_events_failures($batch),
        delay      => defined $delay ? $delay / 1000 : undef,
        resumed    => scalar Ferrion::Abi::ferrion_connection_events_resumed($batch),
        sent_again => scalar Ferrion::Abi::ferrion_connection_events_sent_again($batch),
        aborted    => scalar Ferrion::Abi::ferrion_connection_events_aborted($batch),
        container  => scalar Ferrion::Abi::ferrion_connection_events_container($batch),
        node       => scalar Ferrion::Abi::ferrion_connection_events_node($batch),
    );
}

1;
