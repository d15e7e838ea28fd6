#!/usr/bin/perl
# Prints the messages that come, until Ctrl-C.
#
#   perl recv.pl '~127.0.0.1:5680'

use strict;
use warnings;
use Ferrion;

binmode STDOUT, ':encoding(UTF-8)';
$| = 1;
my ($from) = @ARGV or die "usage: $0 ADDRESS\n";

my $messenger = Ferrion::Messenger->new;
$messenger->incoming_window(100);
my $subscription = $messenger->subscribe($from);
print 'listening on port ', $subscription->port, "\n" if defined $subscription->port;

local $SIG{INT} = sub { die "enough\n" };
# Each message is accepted when the next one is asked for.
eval {
    while (my $message = $messenger->next) { print $message->body // 'undef', "\n" }
};
die $@ unless $@ eq "enough\n";
print "enough\n";
$messenger->stop;
