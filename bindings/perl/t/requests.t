# Requests and replies.

use strict;
use warnings;
use lib 't/lib';
use Test::More;
use Ferrion qw(:all);
use Pair;

sub answer {
    my ($message, $body, $tracker) = @_;
    $receiver->put($receiver->reply_to($message, $body, $tracker));
    $receiver->accept($tracker);
    return;
}

subtest 'many replies find their requests' => sub {
    pair;
    $receiver->incoming_window(-1);
    my @requests = map { $sender->send_request(Ferrion::Message->new(address => $address, body => $_)) } 0 .. 9;
    is($sender->requests, 10, 'they wait');
    is($sender->poll_reply($requests[0]), undef, 'for their replies');
    answer($_->[0], 2 * $_->[0]->body, $_->[1]) for reverse receive(10);
    my %replies;
    work_until {
        for my $request (grep { !$replies{$_} } @requests) { $replies{$request} = $sender->poll_reply($request) }
        return 10 == grep { defined } values %replies;
    };
    is_deeply([map { $replies{$_}->body } @requests], [map { 2 * $_ } 0 .. 9], 'each its own');
    is($sender->requests, 0, 'nothing waits any more');
    dies { $sender->reply($requests[0]) } 'Messenger';
};

subtest 'a request waits for its reply' => sub {
    pair;
    my $child = beside {
        my $messenger = Ferrion::Messenger->new('beside');
        my $question  = Ferrion::Message->new(address => $address);
        $messenger->timeout(PATIENCE);
        for my $text (qw(a b c)) {
            my $reply = $messenger->request($question->body($text));
            die 'another answer: ' . $reply->body unless $reply->body eq uc $text && defined $reply->correlation_id;
        }
        die 'the request itself did not stay as it is' if defined $question->reply_to;
    };
    $receiver->incoming_window(-1);
    for (1 .. 3) {
        $receiver->recv;
        my $request = $receiver->get;
        answer($request, uc $request->body, $receiver->incoming_tracker);
    }
    $receiver->stop;
    finished $child;
};

subtest 'a request has its time' => sub {
    pair;
    $sender->timeout(0.25);
    my $took = seconds { dies { $sender->request(Ferrion::Message->new(address => $address)) } 'Timeout' };
    cmp_ok($took, '>=', 0.2, 'no less');
    cmp_ok($took, '<', PATIENCE / 2, 'not much more');
    is($sender->requests, 0, 'nothing is left of it');
};

subtest 'a request can be given up' => sub {
    pair;
    my $request = $sender->send_request(Ferrion::Message->new(address => $address, body => '?'));
    ok($sender->cancel_request($request), 'it was there');
    ok(!$sender->cancel_request($request), 'and is no more');
};

subtest 'what waits cannot be asked of who does not' => sub {
    pair;
    $sender->blocking(0);
    my $question = Ferrion::Message->new(address => $address, body => '?');
    dies { $sender->request($question) } 'Messenger';
    my $request = $sender->send_request($question);
    dies { $sender->reply($request) } 'WouldBlock';
    dies { $sender->send_request('?') } 'Argument';
    dies { $sender->request(undef) } 'Argument';
    dies { $receiver->reply_to(Ferrion::Message->new) } 'Messenger';
};

done_testing;
