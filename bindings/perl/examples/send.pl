#!/usr/bin/perl
# Sends each text as a message, and prints what became of it.
#
#   perl send.pl 127.0.0.1:5680/greetings hello world

use strict;
use warnings;
use Encode qw(decode_utf8);
use Ferrion;

binmode STDOUT, ':encoding(UTF-8)';
my ($address, @texts) = map { decode_utf8($_) } @ARGV;
die "usage: $0 ADDRESS TEXT...\n" unless @texts;

my $messenger = Ferrion::Messenger->new;
$messenger->timeout(10)->outgoing_window(scalar @texts);
my @trackers = map { $messenger->put(Ferrion::Message->new(address => $address, body => $_)) } @texts;
$messenger->send;
print "$texts[$_]: ", $messenger->status($trackers[$_]), "\n" for 0 .. $#texts;
$messenger->stop;
