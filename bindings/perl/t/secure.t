# TLS, certificates of clients, WebSocket, tokens, and connections that are lost.

use strict;
use warnings;
use lib 't/lib';
use Test::More;
use Ferrion qw(:all);
use Pair;

subtest 'WebSocket' => sub {
    pair;
    $receiver->set_websocket_path('/amqp');
    $sender->set_websocket_path('/amqp')->outgoing_window(1);
    $address = 'ws://127.0.0.1:' . $receiver->subscribe('ws://~127.0.0.1:0')->port . '/queue';
    my $tracker = put('through WebSocket');
    is((receive)[0][0]->body, 'through WebSocket', 'a message');
    work_until { $sender->status($tracker) == ACCEPTED };
    is_deeply([$sender->warnings], [], 'nothing to say');
};

subtest 'tokens' => sub {
    pair;
    $receiver->set_listener_token('perl', 'eyJhbGciOi');
    $sender->set_credentials('perl')->set_token('eyJhbGciOi')->allow_plain_without_tls(1)->reconnect(undef);
    put('welcome');
    is((receive)[0][0]->body, 'welcome', 'admitted');
};

subtest 'a connection that is lost is made again' => sub {
    pair;
    $sender->outgoing_window(10)->set_reconnect_seed(7);
    $sender->reconnect(Ferrion::Reconnect->new(first_delay => 0.01, max_delay => 0.05, give_up_after => PATIENCE));
    my $other = Ferrion::Messenger->new('other');
    $sender->set_alternatives("127.0.0.1:$port", '127.0.0.1:' . $other->subscribe('~127.0.0.1:0')->port);
    my $before = put('before');
    receive;
    work_until { $sender->status($before) == ACCEPTED };
    # Let go of without a goodbye.
    undef $receiver;
    my $tracker = put('after');
    my @events;
    until (grep { $_->kind eq 'retrying' } @events) {
        $sender->work(0.05);
        push @events, $sender->connection_events;
    }
    my ($failed, $retrying) = map { my $kind = $_; grep { $_->kind eq $kind } @events } qw(failed retrying);
    cmp_ok($failed->code, '<', 0, 'it failed for a reason') or diag explain \@events;
    like($failed->reason, qr/\w/, 'that it tells');
    cmp_ok($retrying->delay, '>=', 0, 'and will be tried again');
    is($sender->status($tracker), 'pending', 'what was put waits');
    $receiver = $other;
    is((receive)[0][0]->body, 'after', 'and arrives at another place');
};

my $pki = $ENV{FERRION_TEST_PKI};
if (!$pki) {
    note('FERRION_TEST_PKI names no folder with certificates: nothing of TLS is tried');
    done_testing;
    exit;
}

sub secure_pair {
    pair;
    $receiver->set_certificate("$pki/server.crt", "$pki/server.key");
    $port    = $receiver->subscribe('amqps://~127.0.0.1:0')->port;
    $address = "amqps://127.0.0.1:$port/queue";
    $sender->outgoing_window(1)->reconnect(undef);
    return;
}

# What a message comes to that cannot be sent.
sub refused {
    my ($class, $name) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    my $tracker = put('secret');
    $sender->blocking(0);
    work_until { $sender->status($tracker) != PENDING };
    is($sender->status($tracker), 'aborted', $name);
    isa_ok($sender->address_error($address), "Ferrion::Error::$class");
    $sender->blocking(1);
    return;
}

subtest 'TLS' => sub {
    secure_pair;
    refused('TLS', 'an authority that nobody trusts');
    $sender->set_trusted_certificates("$pki/authority.pem");
    put('secret');
    is((receive)[0][0]->body, 'secret', 'to who proves who it is');
};

subtest 'any certificate' => sub {
    secure_pair;
    $sender->dangerous_accept_any_certificate(1);
    put('not so secret');
    is((receive)[0][0]->body, 'not so secret', 'if that is asked for');
    cmp_ok(scalar $sender->warnings, '>', 0, 'and warned of');
};

subtest 'certificates of clients' => sub {
    pair;
    $receiver->set_certificate("$pki/server.crt", "$pki/server.key")->set_trusted_certificates("$pki/authority.pem");
    $port    = $receiver->set_client_certificates('require')->subscribe('amqps://~127.0.0.1:0')->port;
    $address = "amqps://127.0.0.1:$port/queue";
    $sender->outgoing_window(1)->reconnect(undef)->set_trusted_certificates("$pki/authority.pem");
    refused('Connection', 'nobody comes in without one');
    $sender->set_certificate("$pki/client.crt", "$pki/client.key");
    put('welcome');
    is((receive)[0][0]->body, 'welcome', 'and who has one does');
};

subtest 'mistakes' => sub {
    my $messenger = Ferrion::Messenger->new;
    dies { $messenger->subscribe('amqps://~127.0.0.1:0') } 'TLS';
    dies { $messenger->set_certificate("$pki/server.crt") } 'Messenger';
    dies { $messenger->set_certificate("$pki/server.crt", "$pki/client.key") } 'Messenger';
    dies { $messenger->set_certificate(undef) } '';
    dies { $messenger->set_trusted_certificates("$pki/server.key") } 'Messenger';
};

done_testing;
