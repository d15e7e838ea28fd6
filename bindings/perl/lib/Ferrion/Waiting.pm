package Ferrion::Waiting;

# How a Messenger waits. The library never does: Perl waits for the messenger's one descriptor, so that the handlers of signals run in
# the middle of a wait, and end it if they die.

use strict;
use warnings;
use Ferrion::Abi;
use Ferrion::Durations;
use Ferrion::Error;

our $VERSION = '0.1.0';

# A signal that comes in the moment before select is noticed when select ends, which so is no later than this.
use constant SLICE => 1;

sub timeout {
    my ($self, @value) = @_;
    return Ferrion::Durations::seconds(Ferrion::Abi::ferrion_messenger_timeout($self->{abi})) unless @value;
    Ferrion::Abi::ferrion_messenger_set_timeout($self->{abi}, Ferrion::Durations::milliseconds($value[0]));
    return $self;
}

sub blocking {
    my ($self, @value) = @_;
    return $self->{blocking} unless @value;
    $self->{blocking} = $value[0] ? 1 : 0;
    return $self;
}

sub passive {
    my ($self, @value) = @_;
    return Ferrion::Abi::ferrion_messenger_passive($self->{abi}) unless @value;
    Ferrion::Abi::ferrion_messenger_set_passive($self->{abi}, $value[0] ? 1 : 0);
    return $self;
}

sub fileno { return Ferrion::Abi::ferrion_messenger_descriptor($_[0]{abi}) }
sub due_in { return Ferrion::Durations::seconds(Ferrion::Abi::ferrion_messenger_deadline($_[0]{abi})) }

sub work {
    my ($self, $timeout) = @_;
    return $self->_work_until(_deadline_in($timeout));
}

sub interrupt {
    my ($self) = @_;
    Ferrion::Abi::ferrion_messenger_interrupt($self->{abi});
    return;
}

sub interrupter {
    my ($self) = @_;
    my $abi = Ferrion::Abi::ferrion_interrupter_new($self->{abi}) // Ferrion::Error->throw('there is no memory');
    return bless { abi => $abi }, 'Ferrion::Interrupter';
}

sub Ferrion::Interrupter::interrupt {
    my ($self) = @_;
    Ferrion::Abi::ferrion_interrupter_interrupt($self->{abi});
    return;
}

# ---- for the Messenger ----

sub _waits { return $_[0]{blocking} && !$_[0]->passive }

sub _deadline_in {
    my ($seconds) = @_;
    return defined $seconds && $seconds >= 0 ? Ferrion::Durations::now() + $seconds : undef;
}

# Makes a call again, after some work each time, until it answers something; in blocking mode only. A call that has a time of its own in
# the library has no deadline here: work tells when that is over.
sub _wait {
    my ($self, $deadline, $call) = @_;
    while (1) {
        my $late   = defined $deadline && Ferrion::Durations::now() >= $deadline;
        my $answer = $call->();
        return $answer if $answer || !$self->_waits;
        Ferrion::Error::Timeout->throw(
            'the timeout passed first; the same call again waits longer',
            code => Ferrion::Abi::FERRION_TIMEOUT
        ) if $late;
        $self->_work_until($deadline);
    }
}

sub _earliest {
    my ($earliest) = sort { $a <=> $b } grep { defined } @_;
    return $earliest;
}

sub _work_until {
    my ($self, $deadline) = @_;
    # The handler of a signal can get here while its messenger waits.
    Ferrion::Error::Messenger->throw('this messenger waits already: let what waits return first', code => Ferrion::Abi::FERRION_BUSY)
        if $self->{waiting};
    local $self->{waiting} = 1;
    my $descriptor = $self->fileno;
    while (1) {
        return 1 if Ferrion::Abi::ferrion_messenger_work($self->{abi}, 0);
        my $left = defined $deadline ? $deadline - Ferrion::Durations::now() : undef;
        return !1 if defined $left && $left <= 0;
        vec(my $readable = '', $descriptor, 1) = 1;
        select $readable, undef, undef, _earliest($left, $self->due_in, SLICE);
    }
}

1;
