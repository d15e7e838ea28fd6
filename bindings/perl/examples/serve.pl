#!/usr/bin/perl
# Answers requests, until Ctrl-C: sends back each text in capitals.
#
#   perl serve.pl '~127.0.0.1:5680'

use strict;
use warnings;
use Ferrion;

$| = 1;
my ($from) = @ARGV or die "usage: $0 ADDRESS\n";

my $messenger = Ferrion::Messenger->new;
$messenger->incoming_window(100);
my $subscription = $messenger->subscribe($from);
print 'listening on port ', $subscription->port, "\n" if defined $subscription->port;

local $SIG{INT} = sub { die "enough\n" };
eval {
    while (my $request = $messenger->next) {
        if (defined $request->reply_to && defined $request->body && !ref $request->body) {
            $messenger->put($messenger->reply_to($request, uc $request->body));
        } else {
            $messenger->reject($messenger->incoming_tracker,
                condition => 'amqp:not-implemented', description => 'ask with a text, and a reply-to');
        }
    }
};
die $@ unless $@ eq "enough\n";
print "enough\n";
$messenger->stop;
