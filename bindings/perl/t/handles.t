# Objects of the library cannot be made up, used for another, used after their end, or freed twice: whatever a script does.

use strict;
use warnings;
use lib 't/lib';
use Test::More;
use Config;
use Ferrion qw(:all);
use Pair;

subtest 'what is no object of the library is refused' => sub {
    my $message = Ferrion::Message->new;
    my $handle  = $message->{abi};
    for my $wrong (1, 'text', {}, [], \1, $message, bless(\(my $number = 4711), ref $handle), bless({}, ref $handle), sub { }, *STDOUT) {
        dies { Ferrion::Abi::ferrion_message_encode($wrong) } 'Argument';
        dies { Ferrion::Abi::ferrion_messenger_name($wrong) } 'Argument';
    }
    dies { Ferrion::Abi::ferrion_messenger_name($handle) } 'Argument';
    dies { Ferrion::Abi::ferrion_messenger_name(undef) } 'Argument';
    dies { Ferrion::Abi::ferrion_messenger_name() } 'Argument';
    dies { Ferrion::Abi::ferrion_messenger_name(1, 2) } 'Argument';
    dies { Ferrion::Messenger::name({}) } 'Argument';
    ok(!eval { $$handle = 4711; 1 }, 'a number cannot be written into one');
    is($message->body('x')->copy->body, 'x', 'and it works as before');
};

subtest 'an object is freed once' => sub {
    my $message = Ferrion::Message->new(body => 'x');
    my $copy    = $message->{abi};
    Ferrion::Abi::delete_ferrion_message_t($copy);
    dies { $message->encode } 'Argument';
    dies { Ferrion::Abi::delete_ferrion_message_t($copy) } 'Argument';
    Ferrion::Abi::delete_ferrion_message_t(undef);
    my $messenger = Ferrion::Messenger->new;
    $messenger->subscribe('~127.0.0.1:0');
    Ferrion::Abi::delete_ferrion_messenger_t($messenger->{abi});
    for my $call (qw(recv stop get start incoming name timeout interrupt fileno)) {
        dies { $messenger->$call } 'Argument';
    }
    $copy->DESTROY if $copy->can('DESTROY');
    undef $messenger;
    undef $message;
    pass('and let go');
};

subtest 'who holds on to a part holds on to the whole' => sub {
    my $subscription = do {
        my $messenger = Ferrion::Messenger->new;
        $messenger->subscribe('~127.0.0.1:0');
    };
    cmp_ok($subscription->port, '>', 0, 'a subscription');
    my $interrupter = Ferrion::Messenger->new->interrupter;
    is($interrupter->interrupt, undef, 'but not an interrupter');
};

subtest 'a messenger is its process\'s own' => sub {
    pair;
    put('before');
    receive;
    my $child = beside {
        for my $call (sub { $sender->work(0) }, sub { $receiver->incoming }, sub { $sender->stop }) {
            die 'it was used' if eval { $call->(); 1 };
            die $@ unless $@ =~ /belongs to the process/;
        }
        # Letting go of it says nothing to the peer.
        undef $sender;
        undef $receiver;
        # What is no connection can be used.
        die 'no message' unless Ferrion::Message->decode(Ferrion::Message->new(body => 'x')->encode)->body eq 'x';
    };
    finished $child;
    put('after');
    is((receive)[0][0]->body, 'after', 'and goes on in the first');
    is_deeply([map { $_->kind } $sender->connection_events], ['connected'], 'over the same connection');
};

SKIP: {
    skip 'this Perl has no threads', 1 unless $Config{useithreads};
    require threads;
    subtest 'threads have copies of scalars, and not of what is behind' => sub {
        pair;
        my $message = Ferrion::Message->new(body => [1, Ferrion::Symbol->new('x')], address => $address);
        my $thread  = threads->create({ context => 'list' }, sub {
            my @said;
            for my $call (sub { $message->encode }, sub { $sender->put($message) }, sub { $receiver->recv }, sub { $sender->name }) {
                push @said, eval { $call->(); 1 } ? 'worked' : ref $@ && $@->text =~ /belongs to the thread/ ? 'refused' : "$@";
            }
            my $own = Ferrion::Messenger->new('own');
            $own->put(Ferrion::Message->new(address => $address, body => $message->body));
            $own->timeout(PATIENCE)->send;
            return (@said, $own->name);
        });
        is_deeply((receive)[0][0]->body, [1, Ferrion::Symbol->new('x')], 'another thread has messengers of its own');
        is_deeply([$thread->join], [('refused') x 4, 'own'], 'and cannot use those of this one');
        is($message->encode, $message->copy->encode, 'and here all is as it was');
        put('still');
        is((receive)[0][0]->body, 'still', 'the messengers, too');
    };
    subtest 'an interrupter is for other threads' => sub {
        pair;
        my $interrupter = $receiver->interrupter;
        my $thread      = threads->create(sub { select undef, undef, undef, 0.2; $interrupter->interrupt; return 1 });
        my $took        = seconds { dies { $receiver->recv } 'Interrupted' };
        cmp_ok($took, '<', PATIENCE / 2, 'soon');
        $thread->join;
        undef $interrupter;
        threads->create(sub { pass('clones of what is gone') })->join;
    };
}

done_testing;
