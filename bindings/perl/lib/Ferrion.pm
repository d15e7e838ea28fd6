package Ferrion;

use strict;
use warnings;
use Exporter qw(import);
use Ferrion::Constants @Ferrion::Constants::EXPORT_OK;
use Ferrion::Error;
use Ferrion::Types;
use Ferrion::Message;
use Ferrion::Messenger;

our $VERSION     = '0.1.0';
our @EXPORT_OK   = @Ferrion::Constants::EXPORT_OK;
our %EXPORT_TAGS = (all => \@EXPORT_OK);

1;

__END__

=encoding utf8

=head1 NAME

Ferrion - AMQP 1.0 messaging

=head1 SYNOPSIS

    use Ferrion qw(ACCEPTED);

    my $messenger = Ferrion::Messenger->new;
    $messenger->outgoing_window(100);
    my $tracker = $messenger->put(Ferrion::Message->new(address => '127.0.0.1/greetings', body => 'Hello World!'));
    $messenger->send;
    print "it arrived\n" if $messenger->status($tracker) == ACCEPTED;
    $messenger->stop;

=head1 DESCRIPTION

This loads all there is:

=over

=item L<Ferrion::Messenger>

sends and receives messages, and looks after the connections for that.

=item L<Ferrion::Message>

is what travels.

=item L<Ferrion::Types>

tells which Perl value is which AMQP value, and has classes for what Perl has not.

=item L<Ferrion::Map>

is a hash that keeps the order and the types of its keys.

=item L<Ferrion::Error>

is what they die of.

=back

=head1 CONSTANTS

None is exported unless it is asked for, by name or all with C<:all>.

C<UNKNOWN>, C<PENDING>, C<ACCEPTED>, C<REJECTED>, C<RELEASED>, C<MODIFIED>, C<ABORTED> and C<SETTLED> are what C<status> of a messenger
answers: numbers to C<==>, words to C<print> and C<eq>. C<CUMULATIVE> is for C<accept> and its like.

=head1 PROCESSES, THREADS AND SIGNALS

Handlers of signals run while a call waits, and end it if they die. A messenger belongs to the process and to the thread that made it:
everywhere else its methods die and say so, and letting go of it there does nothing to it. An interrupter of a messenger is for all
threads.

=head1 LICENSE

Apache License 2.0 or MIT, at your choice.

=cut
