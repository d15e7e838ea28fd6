package Ferrion::Subscription;

use strict;
use warnings;
use Scalar::Util qw(blessed);
use Ferrion::Abi;
use Ferrion::Durations;
use Ferrion::Error;

our $VERSION = '0.1.0';

use overload
    '=='     => sub { $_[0]->_equals($_[1]) },
    '!='     => sub { !$_[0]->_equals($_[1]) },
    bool     => sub { 1 },
    fallback => 1;

# The fields of a source (3.5.3), in order.
my @SOURCE = qw(
    address durable expiry-policy timeout dynamic dynamic-node-properties distribution-mode filter default-outcome outcomes
    capabilities
);

# The messenger stays for as long as there are subscriptions of it.
sub new {
    my ($class, $abi, $bits) = @_;
    return bless { abi => $abi, bits => $bits }, $class;
}

sub port    { return Ferrion::Abi::ferrion_messenger_subscription_port($_[0]{abi}, $_[0]{bits}) }
sub address { return Ferrion::Abi::ferrion_messenger_subscription_address($_[0]{abi}, $_[0]{bits}) }

sub source {
    my ($self) = @_;
    my $values = Ferrion::Abi::ferrion_messenger_subscription_source($self->{abi}, $self->{bits}) or return undef;
    my $fields = $values->[0]->value;
    return { map { defined $fields->[$_] ? ($SOURCE[$_] => $fields->[$_]) : () } 0 .. $#SOURCE };
}

sub _equals {
    my ($self, $other) = @_;
    return blessed $other && $other->isa(__PACKAGE__) && $self->{bits} == $other->{bits} && $self->{abi} == $other->{abi};
}

# ---- what Messenger->subscribe can ask of a peer ----

my %OPTION = (
    ttl => sub {
        my $milliseconds = Ferrion::Durations::milliseconds($_[1]);
        Ferrion::Abi::ferrion_subscribe_options_set_ttl($_[0], $milliseconds < 0 ? 0 : $milliseconds);
    },
    name              => sub { Ferrion::Abi::ferrion_subscribe_options_set_name($_[0], $_[1]) },
    durable           => sub { Ferrion::Abi::ferrion_subscribe_options_set_durable($_[0], $_[1]) },
    selector          => sub { Ferrion::Abi::ferrion_subscribe_options_set_selector($_[0], $_[1]) },
    no_local          => sub { Ferrion::Abi::ferrion_subscribe_options_set_no_local($_[0]) },
    filters           => sub { _each($_[0], $_[1], \&Ferrion::Abi::ferrion_subscribe_options_add_filter) },
    filters_optional  => sub { Ferrion::Abi::ferrion_subscribe_options_set_filters_optional($_[0]) },
    copies            => sub { Ferrion::Abi::ferrion_subscribe_options_set_copies($_[0]) },
    distribution_mode => sub { Ferrion::Abi::ferrion_subscribe_options_set_distribution_mode($_[0], $_[1]) },
    capabilities      => sub {
        my ($its, $all) = @_;
        Ferrion::Abi::ferrion_subscribe_options_add_capability($its, $_) for ref $all ? @$all : $all;
    },
    node_properties => sub { _each($_[0], $_[1], \&Ferrion::Abi::ferrion_subscribe_options_set_node_property) },
    link_properties => sub { _each($_[0], $_[1], \&Ferrion::Abi::ferrion_subscribe_options_set_link_property) },
    credit          => sub { Ferrion::Abi::ferrion_subscribe_options_set_credit($_[0], $_[1]) },
);

sub _each {
    my ($its, $hash, $call) = @_;
    Ferrion::Error::Argument->throw('a reference to a hash is wanted') unless ref $hash eq 'HASH';
    $call->($its, $_, $hash->{$_}) for tied %$hash ? keys %$hash : sort keys %$hash;
    return;
}

# The same for the library.
sub options {
    my (@named) = @_;
    Ferrion::Error::Argument->throw('the options of subscribe are names and values') if @named % 2;
    my $its = Ferrion::Abi::ferrion_subscribe_options_new() // Ferrion::Error->throw('there is no memory');
    while (my ($name, $value) = splice @named, 0, 2) {
        my $set = $OPTION{ $name // '' } or Ferrion::Error::Argument->throw('subscribe has no option ' . ($name // 'undef'));
        # What is not wanted is not asked for.
        $set->($its, $value) if defined $value && (ref $value || length $value) && !($value eq '0' && $name !~ /ttl|name|credit/);
    }
    return $its;
}

1;
