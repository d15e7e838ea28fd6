package Ferrion::Error;

use strict;
use warnings;
use Ferrion::Abi;

our $VERSION = '0.1.0';

use overload
    '""'     => sub { $_[0]->text . " at $_[0]{file} line $_[0]{line}.\n" },
    bool     => sub { 1 },
    fallback => 1;

# The class for each status; for any other it is Ferrion::Error::Messenger.
my %CLASS = (
    Ferrion::Abi::FERRION_WOULD_BLOCK()      => 'WouldBlock',
    Ferrion::Abi::FERRION_END()              => 'EndOfQueue',
    Ferrion::Abi::FERRION_TIMEOUT()          => 'Timeout',
    Ferrion::Abi::FERRION_INTERRUPTED()      => 'Interrupted',
    Ferrion::Abi::FERRION_OVERFLOW()         => 'Overflow',
    Ferrion::Abi::FERRION_NULL_POINTER()     => 'Argument',
    Ferrion::Abi::FERRION_INVALID_ARGUMENT() => 'Message',
    Ferrion::Abi::FERRION_WRONG_TYPE()       => 'Message',
    Ferrion::Abi::FERRION_DECODE()           => 'Message',
    Ferrion::Abi::FERRION_ENCODE()           => 'Message',
    Ferrion::Abi::FERRION_CONNECT()          => 'Connection',
    Ferrion::Abi::FERRION_LOST()             => 'Connection',
    Ferrion::Abi::FERRION_WEBSOCKET()        => 'Connection',
    Ferrion::Abi::FERRION_LOGIN()            => 'Login',
    Ferrion::Abi::FERRION_TLS()              => 'TLS',
    Ferrion::Abi::FERRION_PANIC()            => 'Fault',
    Ferrion::Abi::FERRION_POISONED()         => 'Fault',
);

sub new {
    my ($class, $text, %fields) = @_;
    my $self = bless { code => undef, condition => undef, trackers => [], messages => [], %fields, text => $text }, $class;
    # The place in the script, not the one in here.
    my $level = 0;
    $level++ while defined caller($level) && caller($level) =~ /^Ferrion(?:::|\z)/;
    (undef, @$self{qw(file line)}) = defined caller($level) ? caller($level) : caller($level - 1);
    return $self;
}

sub throw {
    my ($class, @arguments) = @_;
    die $class->new(@arguments);
}

sub text      { return $_[0]{text} }
sub code      { return $_[0]{code} }
sub condition { return $_[0]{condition} }
sub file      { return $_[0]{file} }
sub line      { return $_[0]{line} }
sub trackers  { return @{ $_[0]{trackers} } }
sub messages  { return @{ $_[0]{messages} } }

# The exception for a status; without one an argument is not what it has to be.
sub from_abi {
    my ($text, $status, $condition) = @_;
    my $class = defined $status ? $CLASS{$status} // 'Messenger' : 'Argument';
    $text =~ s/^TypeError in method/wrong type in the call of/;
    return "Ferrion::Error::$class"->new($text, code => $status, condition => $condition);
}

{
    my %parent = (
        Argument => '', Message => '', Messenger => '', Fault => '',
        Connection => '::Messenger', Login => '::Connection', TLS => '::Connection',
        map { $_ => '::Messenger' } qw(EndOfQueue Overflow Timeout Interrupted WouldBlock)
    );
    no strict 'refs';
    @{"Ferrion::Error::${_}::ISA"} = ("Ferrion::Error$parent{$_}") for keys %parent;
}

1;

__END__

=encoding utf8

=head1 NAME

Ferrion::Error - what ferrion dies of

=head1 SYNOPSIS

    unless (eval { $messenger->recv; 1 }) {
        my $error = $@;
        die $error unless ref $error && $error->isa('Ferrion::Error::Timeout');
        print 'nothing came: ', $error->text, "\n";
    }

=head1 DESCRIPTION

Every failure is an object of one of these classes. As text it says what to do, and where in the script it happened.

=over

=item Ferrion::Error

All of them.

=item Ferrion::Error::Argument

A value that is of no AMQP type or does not fit its type, an option that does not exist, an object of another class, thread or
process.

=item Ferrion::Error::Message

A message, or a value in it, cannot be encoded or decoded, or cannot be what it was asked to be.

=item Ferrion::Error::Messenger

A messenger cannot do what it was asked for. All that follow are such.

=item Ferrion::Error::Connection

No connection could be made, or it was lost.

=item Ferrion::Error::Login

The peer refused the user or the password, or offers no way to log in that may be used. It is a C<Connection>.

=item Ferrion::Error::TLS

A connection could not be secured with TLS, or a listener cannot offer it. It is a C<Connection>.

=item Ferrion::Error::EndOfQueue

Nothing waits to be taken.

=item Ferrion::Error::Overflow

Too many messages wait to be sent.

=item Ferrion::Error::Timeout

The timeout passed first. What was begun goes on: the same call again waits longer.

=item Ferrion::Error::Interrupted

The call was interrupted; see C<interrupt> in L<Ferrion::Messenger>.

=item Ferrion::Error::WouldBlock

In non-blocking and passive mode: what was asked for has begun and is not finished.

=item Ferrion::Error::Fault

A fault inside of the library. The objects concerned can only be let go.

=back

=head1 METHODS

=over

=item text

What went wrong, for a person, without the place.

=item code

One of the C<FERRION_> numbers of the C header, if there is one.

=item condition

The error condition that a peer gave as its reason, C<amqp:not-found> for example.

=item file, line

Where in the script it happened.

=item trackers

Of C<put_many>: the trackers of the messages that were put before.

=item messages

Of C<get_many>: the messages that were got before.

=item throw($text)

Dies of a new one.

=back

=cut
