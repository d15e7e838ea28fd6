# Messengers over loopback.

use strict;
use warnings;
use lib 't/lib';
use Test::More;
use Ferrion qw(:all);
use Pair;

subtest 'a message arrives as it was' => sub {
    pair;
    put({ greeting => 'Hello World!' }, subject => 'test', properties => { n => 1 });
    my ($message) = map { $_->[0] } receive;
    is_deeply([$message->body, $message->subject, $message->properties], [{ greeting => 'Hello World!' }, 'test', { n => 1 }], 'all');
    is($message->address, $address, 'address');
};

subtest 'trackers tell the outcome' => sub {
    pair;
    $sender->outgoing_window(-1);
    $receiver->incoming_window(-1);
    is_deeply([$sender->outgoing_window, $receiver->incoming_window], [-1, -1], 'windows without an end');
    my @sent = map { put($_) } 1 .. 5;
    is(scalar(grep { $sender->status($_) == PENDING } @sent), 5, 'pending');
    my @got = map { $_->[1] } receive(5);
    $receiver->reject($got[1], condition => 'amqp:not-allowed', description => 'not on Sundays', info => { until => 'Monday' });
    $receiver->release($got[2]);
    $receiver->modify($got[3], undeliverable_here => 1, annotations => { 'x-opt-tried' => 1 });
    $receiver->accept;
    work_until { $sender->outgoing == 0 };
    is_deeply([map { $sender->status($_) } @sent], [ACCEPTED, REJECTED, RELEASED, MODIFIED, ACCEPTED], 'all');
    ok($sender->status($sent[0]) == ACCEPTED, 'as numbers');
    is("@{[map { $sender->status($_) } @sent]}", 'accepted rejected released modified accepted', 'as words');
    is($sender->condition($sent[1]), 'amqp:not-allowed', 'condition');
    is($sender->condition_description($sent[1]), 'not on Sundays', 'its text');
    is_deeply($sender->condition_info($sent[1]), { until => 'Monday' }, 'its map');
    like($sender->reason($sent[1]), qr/not on Sundays/, 'reason');
    cmp_ok($sender->reason_code($sent[1]), '<', 0, 'its code');
    is_deeply([map { $sender->$_($sent[0]) } qw(condition condition_info reason)], [(undef) x 3], 'nothing of what was accepted');
    is_deeply([$sender->outgoing_tracker, $receiver->incoming_tracker], [$sent[4], $got[4]], 'the last trackers');
    $sender->settle;
    is($sender->status($sent[0]), 'unknown', 'settled');
};

subtest 'cumulative is for all before' => sub {
    pair;
    $_->outgoing_window(10), $_->incoming_window(10) for $sender, $receiver;
    my @sent = map { put($_) } 1 .. 3;
    my @got  = map { $_->[1] } receive(3);
    $receiver->accept($got[1], CUMULATIVE);
    work_until { $sender->status($sent[1]) == ACCEPTED };
    is_deeply([map { $sender->status($_) } @sent], [ACCEPTED, ACCEPTED, PENDING], 'and not for what came later');
    $receiver->reject($got[2], CUMULATIVE, condition => 'amqp:not-allowed');
    work_until { $sender->status($sent[2]) != PENDING };
    is($sender->condition($sent[2]), 'amqp:not-allowed', 'with a reason');
    $sender->settle($sent[1]);
    is_deeply([map { "" . $sender->status($_) } @sent], [qw(accepted unknown rejected)], 'one settled');
    $sender->settle($sent[2], CUMULATIVE);
    is_deeply([map { "" . $sender->status($_) } @sent], [qw(unknown unknown unknown)], 'all settled');
    dies { $receiver->accept($got[0], 0, condition => 'x') } 'Argument';
    dies { $receiver->reject($got[0], reason => 'x') } 'Argument';
};

subtest 'send and recv wait for each other' => sub {
    pair;
    my $child = beside {
        my $messenger = Ferrion::Messenger->new('beside');
        $messenger->timeout(PATIENCE)->outgoing_window(100);
        my $make     = sub { Ferrion::Message->new(address => $address, body => $_[0]) };
        my @trackers = $messenger->put_many(map { $make->($_) } 0 .. 49);
        $messenger->send(10) or die 'not sent';
        push @trackers, map { $messenger->put($make->($_)) } 50 .. 99;
        $messenger->send or die 'not sent';
        die 'not accepted' if grep { $messenger->status($_) != ACCEPTED } @trackers;
        $messenger->stop or die 'not stopped';
        die 'not stopped' unless $messenger->stopped;
    };
    my @received;
    while (@received < 100) {
        $receiver->recv;
        push @received, map { $_->body } $receiver->get_many;
    }
    # The last messages are accepted by what stop has to say.
    $receiver->stop;
    is_deeply(\@received, [0 .. 99], 'all, in order');
    finished $child;
};

subtest 'next accepts what was dealt with' => sub {
    pair;
    my $child = beside {
        my $messenger = Ferrion::Messenger->new('beside');
        $messenger->timeout(PATIENCE)->outgoing_window(10);
        my @trackers = $messenger->put_many(map { Ferrion::Message->new(address => $address, body => $_) } 0 .. 3);
        $messenger->work(0.01) while grep { $messenger->status($_) == PENDING } @trackers[0 .. 2];
        die "@{[map { $messenger->status($_) } @trackers]}" if "@{[map { $messenger->status($_) } @trackers]}" ne
            'accepted rejected accepted pending';
    };
    $receiver->incoming_window(10);
    my @bodies;
    while (my $message = $receiver->next) {
        push @bodies, $message->body;
        $receiver->reject($receiver->incoming_tracker) if $message->body == 1;
        # The loop is left before it asks for the next message.
        last if @bodies == 4;
    }
    is_deeply(\@bodies, [0 .. 3], 'all');
    $receiver->work(0.01) until waitpid $child, 1;
    is($?, 0, 'and what became of them');
    $receiver->blocking(0);
    is($receiver->next, undef, 'it ends where nothing waits');
};

subtest 'put waits for room' => sub {
    pair;
    $sender->high_water(2, 1 << 20)->outgoing_window(100);
    my $child = beside {
        my $messenger = Ferrion::Messenger->new('beside');
        $messenger->timeout(PATIENCE)->high_water(2, 1 << 20)->outgoing_window(100);
        $messenger->put(Ferrion::Message->new(address => $address, body => $_)) for 0 .. 9;
        $messenger->send;
    };
    my @bodies;
    push @bodies, $receiver->next->body while @bodies < 10;
    $receiver->work(0.01) until waitpid $child, 1;
    is_deeply(\@bodies, [0 .. 9], 'all');
    is_deeply([$sender->high_water], [2, 1 << 20], 'the mark');
    # Who gives no credit lets messages wait.
    pair;
    $sender->high_water(2, 1 << 20)->timeout(0.05);
    my $error = dies { $sender->put_many(map { Ferrion::Message->new(address => $address) } 1 .. 10) } 'Overflow';
    cmp_ok(scalar $error->trackers, '<', 10, 'what was put before');
};

subtest 'encoded and forwarded messages' => sub {
    pair;
    $sender->put_encoded($address, Ferrion::Message->new(body => 'encoded', address => 'elsewhere')->encode);
    my ($message) = map { $_->[0] } receive;
    is_deeply([$message->body, $message->address], [qw(encoded elsewhere)], 'as they are');
    $sender->forward($message, $address);
    ($message) = map { $_->[0] } receive;
    is_deeply([$message->body, $message->address], [qw(encoded elsewhere)], 'forwarded');
};

subtest 'a message can be used again and again' => sub {
    pair;
    my $message = Ferrion::Message->new(address => $address);
    for my $n (1 .. 3) { $sender->put($message->body($n)) }
    $receiver->blocking(0)->recv;
    work_until { $receiver->incoming == 3 };
    is($receiver->get($message), $message, 'the same');
    is($message->body, 1, 'with another content');
    is_deeply([map { $_->body } $receiver->get_many(1)], [2], 'no more than asked for');
    is_deeply([map { $_->body } $receiver->get_many], [3], 'the rest');
    is_deeply([$receiver->get_many], [], 'nothing');
};

subtest 'routes and rewrites' => sub {
    pair;
    $sender->route('colour/%', $address)->rewrite('colour/%', '$1');
    $sender->put(Ferrion::Message->new(address => 'colour/green'));
    my ($message) = map { $_->[0] } receive;
    is($message->address, 'green', 'rewritten');
    is_deeply([map { $sender->remove_rewrite('colour/%') ? 1 : 0 } 1 .. 2], [1, 0], 'removed');
    is_deeply([map { $sender->remove_route('colour/%') ? 1 : 0 } 1 .. 2], [1, 0], 'removed');
    is($sender->clear_rules, $sender, 'cleared');
};

subtest 'subscriptions tell what they are' => sub {
    pair;
    my $subscription = $receiver->subscribe('~127.0.0.1:0', credit => 5);
    cmp_ok($subscription->port, '>', 0, 'the port');
    is($subscription->source, undef, 'nothing was asked of a peer');
    put('x');
    receive;
    is($receiver->incoming_subscription->port, $port, 'where a message came from');
    ok($receiver->incoming_subscription == $receiver->incoming_subscription, 'the same');
    ok($subscription != $receiver->incoming_subscription, 'another one');
    dies { $receiver->subscribe('127.0.0.1/x', selecter => 'typo') } 'Argument';
    dies { $receiver->subscribe('127.0.0.1/x', 'odd') } 'Argument';
    dies { $receiver->subscribe('~127.0.0.1:0', selector => 'price > 10') } 'Messenger';
    cmp_ok($receiver->subscribe('~localhost:0')->port, '>', 0, 'a name that is looked up');
    my $took = seconds { dies { $receiver->subscribe("~127.0.0.1:$port") } 'Messenger' };
    cmp_ok($took, '<', PATIENCE / 2, 'a port that is taken');
};

subtest 'every option of a subscription is understood' => sub {
    pair;
    my %options = (
        ttl => 5, name => 'name', durable => 'durable', selector => 'a > 1', no_local => 1, filters_optional => 1, copies => 1,
        filters => { mine => Ferrion::Described->new(Ferrion::Symbol->new('my:filter'), 'x') }, distribution_mode => 'copy',
        capabilities => ['topic'], node_properties => { 'lifetime' => 1 }, link_properties => { 'x' => 1 }, credit => 5
    );
    for my $name (sort keys %options) {
        my $address = $name eq 'node_properties' ? '127.0.0.1:1/#' : '127.0.0.1:1/x';
        isa_ok($sender->subscribe($address, $name => $options{$name}), 'Ferrion::Subscription', $name);
    }
    dies { $sender->subscribe('127.0.0.1/x', filters => 'x') } 'Argument';
};

subtest 'a subscription ends here or for good' => sub {
    pair;
    $sender->blocking(0);
    for my $keep (0, 1) {
        my $subscription = $sender->subscribe("127.0.0.1:$port/news", durable => "kept: $keep");
        work_until { $subscription->source };
        $sender->set_tracing(1);
        work_until { $sender->unsubscribe($subscription, keep => $keep) };
        $sender->set_tracing(0);
        my ($detach) = grep { /-> \@detach/ } $sender->trace;
        is(!!($detach =~ /closed=true/), !$keep, 'for good, or not');
        is($subscription->source, undef, 'it is not there any more');
        ok($sender->unsubscribe($subscription), 'which is no error');
    }
    dies { $sender->unsubscribe(7) } 'Argument';
};

subtest 'settings are kept' => sub {
    pair;
    $sender->reconnect(Ferrion::Reconnect->new(give_up_after => undef, first_delay => 0.5));
    is_deeply($sender->reconnect, Ferrion::Reconnect->new(give_up_after => undef, first_delay => 0.5), 'reconnect');
    is($sender->reconnect->max_delay, 10, 'a default');
    is($sender->reconnect(undef)->reconnect, undef, 'none');
    $sender->link_recovery(Ferrion::LinkRecovery->new(max_links => 7));
    is_deeply($sender->link_recovery, Ferrion::LinkRecovery->new(max_links => 7), 'link_recovery');
    is($sender->link_recovery(undef)->link_recovery, undef, 'none');
    $sender->incoming_high_water(-1, 1000);
    is_deeply([$sender->incoming_high_water], [-1, 1000], 'incoming_high_water');
    is($sender->limit('connection_octets'), 1 << 30, 'a limit');
    is($sender->limit(connection_octets => 1 << 20)->limit('connection_octets'), 1 << 20, 'another');
    dies { $sender->limit('nonsense') } 'Argument';
    is($sender->max_frame_size(4096)->max_frame_size, 4096, 'max_frame_size');
    is($sender->max_frame_size(undef)->max_frame_size, 1 << 16, 'the default');
    is($sender->all_partial_octets(1 << 20)->all_partial_octets, 1 << 20, 'all_partial_octets');
    is($sender->timeout(0.25)->timeout, 0.25, 'timeout');
    is($sender->timeout(undef)->timeout, undef, 'no timeout');
    is($sender->timeout(-1)->timeout, undef, 'a negative one is none');
    is($sender->timeout(0)->timeout, 0, 'nor is 0');
    is($sender->outgoing_window(5)->outgoing_window, 5, 'a window');
    is($sender->set_snd_settle_mode('settled')->set_rcv_settle_mode('second')->set_rcv_settle_mode(undef), $sender, 'settle modes');
    is($sender->set_idle_timeout(30)->set_handshake_timeout(5)->set_reconnect_seed(7), $sender, 'times');
    is($sender->set_alternatives('one', 'two', 'three'), $sender, 'alternatives');
    is($sender->set_websocket_path('/x')->listeners_allow_plain(1)->set_client_certificates('require'), $sender, 'listeners');
    is($sender->allow_plain_without_tls(1)->dangerous_accept_any_certificate(1)->set_token('x'), $sender, 'logins');
    is($sender->set_listener_token('', 'x')->set_listener_user('x', 'y')->set_listener_user('x', undef), $sender, 'users');
    dies { $sender->set_snd_settle_mode('sometimes') } 'Argument';
    dies { $sender->set_client_certificates('perhaps') } 'Argument';
    dies { $sender->set_client_certificates(undef) } 'Argument';
    dies { $sender->timeout('soon') } 'Argument';
    dies { $sender->outgoing_window('many') } 'Argument';
    dies { $sender->outgoing_window(undef) } 'Argument';
    dies { $sender->high_water(1) } 'Argument';
    dies { $sender->reconnect(7) } 'Argument';
    dies { $sender->reconnect(Ferrion::LinkRecovery->new) } 'Argument';
    dies { Ferrion::Reconnect->new(first => 1) } 'Argument';
    dies { $sender->set_certificate('/nowhere') } 'Messenger';
    dies { $sender->set_trusted_certificates('/nowhere') } 'Messenger';
};

subtest 'what happens can be read' => sub {
    pair;
    $sender->set_tracing(1);
    put('traced');
    receive;
    ok(scalar(grep { /\@transfer/ } $sender->trace), 'trace');
    my ($event) = $sender->connection_events;
    is($event->kind, 'connected', 'an event');
    like($event->address, qr/$port/, 'its address');
    is_deeply([$event->reason, $event->code, $event->delay], [undef, undef, undef], 'and no more');
    is_deeply([$sender->warnings], [], 'no warnings');
};

subtest 'who only receives is told to who listens' => sub {
    pair;
    $sender->subscribe("127.0.0.1:$port/news");
    $sender->blocking(0);
    $sender->recv(1);
    my @events;
    work_until { push @events, $receiver->connection_events; @events };
    my $event = $events[0];
    is_deeply([scalar(@events), map { $event->$_ } qw(kind container node)], [1, 'subscribed', 'sender', 'news'], 'who and where');
    $receiver->put(Ferrion::Message->new(address => $event->address, body => 'to you'));
    work_until { $sender->incoming == 1 };
    my $message = $sender->get;
    is_deeply([$message->body, $message->address], ['to you', 'news'], 'reached');
};

subtest 'logins' => sub {
    pair;
    $receiver->set_listener_user('perl', 'red');
    $sender->reconnect(undef)->outgoing_window(1)->set_credentials('perl', 'green');
    put('refused');
    my $error;
    $sender->blocking(0);
    work_until { !eval { $sender->send; 1 } };
    isa_ok($@, 'Ferrion::Error::Login');
    isa_ok($@, 'Ferrion::Error::Connection', 'which also');
    $sender->set_credentials('perl', 'red');
    put('welcome');
    is((receive)[0][0]->body, 'welcome', 'admitted');
};

subtest 'a connection that cannot be made' => sub {
    pair;
    $port    = closed_port;
    $address = "127.0.0.1:$port/queue";
    $sender->reconnect(undef)->outgoing_window(1);
    my $tracker = put('lost');
    my $error   = dies { $sender->send } 'Connection';
    like($error->text, qr/$port/, 'says where to');
    is($error->code, Ferrion::Abi::FERRION_CONNECT, 'its code');
    like("$error", qr/ at \Q$0\E line \d+\.$/, 'where in the script');
    is($sender->status($tracker), 'aborted', 'its message');
};

subtest 'what is known of addresses' => sub {
    pair;
    is_deeply([$sender->address_error($address), $sender->remote_idle_timeout($address)], [undef, undef], 'nothing');
    $receiver->set_idle_timeout(8);
    $sender->route('*', $address)->set_check_routes(1)->blocking(0);
    ok(!$sender->start, 'not yet');
    work_until { $sender->start };
    ok(scalar(grep { $_ == $sender->remote_idle_timeout('anything') } 4, 8), 'what the peer asked for');
    $sender->clear_rules->route('*', '127.0.0.1:' . closed_port)->reconnect(undef)->blocking(1);
    my $error = dies { $sender->start } 'Connection';
    my $known = $sender->address_error('anything');
    isa_ok($known, 'Ferrion::Error::Connection');
    is_deeply([$known->text, $known->code, $known->condition], [$error->text, $error->code, undef], 'the same');
    $sender->clear_rules;
    dies { $sender->address_error('http://x') } 'Messenger';
};

subtest 'each mistake has its exception' => sub {
    my $messenger = Ferrion::Messenger->new;
    dies { $messenger->recv } 'Messenger';
    dies { $messenger->get } 'EndOfQueue';
    dies { $messenger->put(Ferrion::Message->new) } 'Messenger';
    dies { $messenger->put($_) } 'Argument' for undef, 'text', {}, $messenger;
    dies { $messenger->forward('text', 'address') } 'Argument';
    dies { $messenger->put(Ferrion::Message->new(address => 'http://x')) } 'Messenger';
    dies { $messenger->subscribe('~256.0.0.1:x') } 'Messenger';
    dies { $messenger->status('tracker') } 'Argument';
    dies { $messenger->status(undef) } 'Argument';
    is($messenger->status(7), 'unknown', 'a tracker that never was');
    dies { $messenger->accept(7) } 'Messenger';
    dies { $messenger->set_credentials("a\0b") } 'Argument';
    dies { $messenger->route(undef, 'x') } '';
    dies { Ferrion::Messenger->new("a\0b") } 'Argument';
    dies { $messenger->reply(7) } 'Messenger';
    is_deeply([$messenger->accept, $messenger->settle, $messenger->incoming_tracker, $messenger->incoming_subscription],
        [undef, undef], 'nothing to decide about');
};

subtest 'a messenger that is stopped can go on' => sub {
    pair;
    put('x');
    receive;
    $_->blocking(0) for $sender, $receiver;
    $_->stop for $sender, $receiver;
    work_until { $sender->stopped && $receiver->stopped };
    ok($sender->stop, 'stopped twice');
    $_->blocking(1) for $sender, $receiver;
    $port    = $receiver->subscribe('~127.0.0.1:0')->port;
    $address = "127.0.0.1:$port/queue";
    put('y');
    is((receive)[0][0]->body, 'y', 'a message');
    like($sender->name, qr/sender/, 'its name');
};

done_testing;
