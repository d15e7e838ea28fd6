# What can end a wait, and what goes on during one.

use strict;
use warnings;
use lib 't/lib';
use Test::More;
use Config;
use IO::Socket::INET;
use Time::HiRes qw(ualarm alarm);
use Ferrion qw(:all);
use Pair;

sub ends {
    my ($what, $name) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    cmp_ok(&seconds($what), '<', PATIENCE / 2, $name);
    return;
}

subtest 'the timeout' => sub {
    pair;
    for my $timeout (0, 0.05, 0.25) {
        $receiver->timeout($timeout);
        my $took = seconds {
            my $error = dies { $receiver->recv } 'Timeout';
            is($error->code, Ferrion::Abi::FERRION_TIMEOUT, 'its code');
        };
        cmp_ok($took, '>=', $timeout, 'no less');
        cmp_ok($took, '<', $timeout + PATIENCE / 2, 'not much more');
    }
};

subtest 'the handler of a signal ends a wait if it dies' => sub {
    pair;
    $receiver->timeout(undef);
    for my $signal (qw(ALRM INT TERM)) {
        local $SIG{$signal} = sub { die "enough\n" };
        my $child = beside { select undef, undef, undef, 0.2; kill $signal => getppid };
        ends sub { ok(!eval { $receiver->recv; 1 }, "recv and $signal"); is($@, "enough\n", 'of what the handler said') }, 'soon';
        finished $child;
    }
    local $SIG{ALRM} = sub { die "enough\n" };
    ends sub { alarm 0.1; eval { $receiver->work }; is($@, "enough\n", 'work') }, 'soon';
    ends sub { alarm 0.1; eval { $sender->timeout(undef)->request(Ferrion::Message->new(address => $address)) }; is($@, "enough\n", 'request') },
        'soon';
    is($sender->requests, 0, 'nothing is left of the request');
    # They can be used as before.
    $_->timeout(PATIENCE) for $sender, $receiver;
    put('x');
    is((receive)[0][0]->body, 'x', 'a message');
};

subtest 'the handler of a signal runs, and the wait goes on' => sub {
    pair;
    my $ran = 0;
    # The second time it ends what the first time it did not.
    local $SIG{ALRM} = sub { ++$ran < 2 ? alarm 0.2 : $receiver->interrupt };
    alarm 0.2;
    ends sub { dies { $receiver->recv } 'Interrupted' }, 'soon';
    is($ran, 2, 'it ran twice during one call');
};

subtest 'a handler may use the messenger that waits for what does not wait' => sub {
    pair;
    my @seen;
    local $SIG{ALRM} = sub {
        push @seen, $receiver->incoming, $receiver->timeout, eval { $receiver->work(1); 1 } ? 'worked' : $@->text;
        $receiver->interrupt;
    };
    $receiver->timeout(PATIENCE);
    alarm 0.1;
    ends sub { dies { $receiver->recv } 'Interrupted' }, 'soon';
    is_deeply(\@seen, [0, PATIENCE, 'this messenger waits already: let what waits return first'], 'what the handler got');
};

subtest 'interrupt is for the next wait if there is none' => sub {
    pair;
    $receiver->interrupt;
    ends sub { dies { $receiver->recv } 'Interrupted' }, 'at once';
    $receiver->interrupter->interrupt;
    ends sub { dies { $receiver->work(10) } 'Interrupted' }, 'at once';
    my $interrupter = Ferrion::Messenger->new->interrupter;
    is($interrupter->interrupt, undef, 'of a messenger that is gone');
};

subtest 'without blocking nothing waits' => sub {
    pair;
    $receiver->blocking(0);
    ok(!$receiver->blocking, 'it does not block');
    ends sub { ok(!$receiver->recv, 'recv') }, 'at once';
    is($receiver->incoming, 0, 'nothing');
    ok(!$receiver->work(0), 'no work');
    $sender->blocking(0)->outgoing_window(1);
    put('x');
    ends sub { ok(!$sender->send, 'send') }, 'at once';
};

subtest 'a loop of ones own' => sub {
    pair;
    $_->passive(1) for $sender, $receiver;
    $sender->outgoing_window(1);
    ok($sender->passive, 'passive');
    my $tracker = put('by a loop');
    ok(!$receiver->recv, 'nothing yet');
    my $deadline = Ferrion::Durations::now() + PATIENCE;
    my $body;
    until ($sender->status($tracker) == ACCEPTED) {
        die 'it takes too long' if Ferrion::Durations::now() > $deadline;
        my $readable = '';
        vec($readable, $_->fileno, 1) = 1 for $sender, $receiver;
        my ($due) = sort { $a <=> $b } grep { defined } 1, map { $_->due_in } $sender, $receiver;
        select $readable, undef, undef, $due;
        $_->work(0) for $sender, $receiver;
        $body = $receiver->get->body if $receiver->incoming;
    }
    is($body, 'by a loop', 'received');
};

subtest 'stop keeps to the timeout' => sub {
    pair;
    # Somebody who listens and never says a word.
    my $mute = IO::Socket::INET->new(LocalAddr => '127.0.0.1', Listen => 1) or die "no socket: $@";
    $sender->outgoing_window(1)->timeout(0.3);
    my $tracker = $sender->put(Ferrion::Message->new(address => '127.0.0.1:' . $mute->sockport . '/x'));
    ends sub { dies { $sender->stop } 'Messenger' }, 'soon';
    is($sender->status($tracker), 'aborted', 'its message');
};

done_testing;
