#!/usr/bin/perl
# Asks a question with each text, and prints the replies.
#
#   perl request.pl 127.0.0.1:5680/capitals hello world

use strict;
use warnings;
use Encode qw(decode_utf8);
use Ferrion;

binmode STDOUT, ':encoding(UTF-8)';
my ($address, @texts) = map { decode_utf8($_) } @ARGV;
die "usage: $0 ADDRESS TEXT...\n" unless @texts;

my $messenger = Ferrion::Messenger->new;
$messenger->timeout(10);
for my $text (@texts) {
    my $reply = $messenger->request(Ferrion::Message->new(address => $address, body => $text));
    print "$text: ", $reply->body, "\n";
}
$messenger->stop;
