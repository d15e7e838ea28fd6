# Messages with all their sections.

use strict;
use warnings;
use utf8;
use lib 't/lib';
use Test::More;
use Ferrion;
use Pair;

my %fields = (
    durable => 1, priority => 9, first_acquirer => 1, delivery_count => 3, ttl => 1.5,
    id => Ferrion::ULong->new(7), user_id => Ferrion::Binary->new("me\xff"), address => 'queue', subject => 'about é',
    reply_to => 'me/back', correlation_id => Ferrion::UUID->parse('12345678-1234-5678-1234-567812345678'),
    content_type => Ferrion::Symbol->new('text/plain'), content_encoding => Ferrion::Symbol->new('gzip'),
    expiry_time => Ferrion::Timestamp->new(1_700_000_000_001), creation_time => Ferrion::Timestamp->new(1_600_000_000_999),
    group_id => 'group', group_sequence => Ferrion::UInt->new(5), reply_to_group_id => 'other',
    properties => { n => 1, s => 'text' }, annotations => { 'x-opt-a' => 1 }, instructions => { 'x-opt-i' => 'yes' },
    footer => { 'x-opt-f' => 'sum' }
);
my @plain = qw(durable priority first_acquirer delivery_count);

sub again { return Ferrion::Message->decode($_[0]->encode) }

subtest 'every section arrives' => sub {
    my $message = again(Ferrion::Message->new(body => { a => 1 }, %fields));
    for my $name (sort keys %fields) {
        is_deeply($message->$name, $fields{$name}, $name);
        is(ref $message->$name, ref $fields{$name}, '... of its type');
    }
    is_deeply($message->body, { a => 1 }, 'the body');
    ok(!$message->inferred, 'which is a value');
    my ($pair) = Ferrion::Map->pairs($message->annotations);
    isa_ok($pair->[0], 'Ferrion::Symbol', 'the key of an annotation');
};

subtest 'a new message has the defaults' => sub {
    my $message = again(Ferrion::Message->new);
    is($message->body, undef, 'body');
    is_deeply([map { $message->$_ || 0 } @plain], [0, 4, 0, 0], 'header');
    for my $name (sort keys %fields) {
        is_deeply([$message->$name], [undef], $name) unless grep { $_ eq $name } @plain;
    }
};

subtest 'plain values become what the field is' => sub {
    my $message = again(Ferrion::Message->new(
        id => 7, correlation_id => 'seven', user_id => 'me', content_type => 'text/plain', creation_time => 1_600_000_000.5,
        group_sequence => 5, ttl => 0.0001
    ));
    isa_ok($message->id, 'Ferrion::ULong');
    is($message->correlation_id, 'seven', 'text stays text');
    isa_ok($message->user_id, 'Ferrion::Binary');
    isa_ok($message->content_type, 'Ferrion::Symbol');
    is($message->creation_time->milliseconds, 1_600_000_000_500, 'seconds');
    is($message->group_sequence, 5, 'a number');
    is($message->ttl, 0.001, 'no less than it says');
};

subtest 'fields can be taken back' => sub {
    my $message = Ferrion::Message->new(body => 'x', %fields);
    my @names   = qw(ttl id subject correlation_id expiry_time properties footer);
    $message->$_(undef) for @names;
    $message = again($message);
    is($message->$_, undef, $_) for @names;
    is($message->address, 'queue', 'others stay');
    is($message->clear, $message, 'clear');
    is_deeply([$message->address, $message->body, $message->priority], [undef, undef, 4], 'takes all');
};

subtest 'setting answers the message' => sub {
    my $message = Ferrion::Message->new;
    is($message->address('a')->subject('b')->durable(1)->priority(3)->body('c')->inferred(0)->properties({}), $message, 'in a row');
    is_deeply([map { $message->$_ } qw(address subject priority body)], ['a', 'b', 3, 'c'], 'all were set');
};

subtest 'bodies of every kind' => sub {
    for my $inferred (0, 1) {
        for my $body (Ferrion::Binary->new('octets'), Ferrion::Binary->new(''), [1, 'two'], []) {
            my $message = again(Ferrion::Message->new(body => $body, inferred => $inferred));
            is_deeply($message->body, $body, 'the body');
            is($message->inferred, $inferred, 'inferred or not');
        }
    }
    is(again(Ferrion::Message->new(body => 'text', inferred => 1))->inferred, 0, 'text is a value in any case');
};

subtest 'an empty section is there' => sub {
    my $message = again(Ferrion::Message->new(properties => {}, annotations => {}));
    is_deeply([$message->properties, $message->annotations, $message->footer], [{}, {}, undef], 'and others are not');
};

subtest 'sections that were looked at can be changed' => sub {
    my $message = again(Ferrion::Message->new(body => 'x', properties => { n => 1 }, annotations => { 'x-opt-a' => 1 }));
    $message->properties->{m} = 2;
    $message->annotations->{'x-opt-b'} = 3;
    $message = again($message);
    is_deeply($message->properties, { n => 1, m => 2 }, 'properties');
    is_deeply($message->annotations, { 'x-opt-a' => 1, 'x-opt-b' => 3 }, 'annotations');
    is_deeply([map { ref $_->[0] } Ferrion::Map->pairs($message->annotations)], [('Ferrion::Symbol') x 2], 'their keys are symbols');
};

subtest 'what was not looked at goes out as it came' => sub {
    # A map in a longer form than it would be written in.
    my $octets  = "\x00\x53\x74\xd1\x00\x00\x00\x09\x00\x00\x00\x02\xa1\x01n\x54\x01\x00\x53\x77\xa1\x01x";
    my $message = Ferrion::Message->decode($octets);
    is($message->subject('x')->body, 'x', 'the body is read');
    cmp_ok(index($message->encode, "\xd1\x00\x00\x00\x09"), '>', 0, 'the properties are not');
};

subtest 'a body in several sections is one body, and keeps its borders' => sub {
    my $data     = "\x00\x53\x75\xa0\x02ab\x00\x53\x75\xa0\x00\x00\x53\x75\xa0\x01c";
    my $sequence = "\x00\x53\x76\xc0\x05\x02\x55\x01\x55\x02\x00\x53\x76\x45\x00\x53\x76\xc0\x0b\x01\xc0\x08\x01\xa1\x05three";
    my %sections = (
        $data     => [map { Ferrion::Binary->new($_) } 'ab', '', 'c'],
        $sequence => [[1, 2], [], [['three']]]
    );
    for my $octets ($data, $sequence) {
        my $message = Ferrion::Message->decode($octets);
        is_deeply($message->body, $octets eq $data ? Ferrion::Binary->new('abc') : [1, 2, ['three']], 'one body');
        is($message->inferred, 1, 'inferred');
        is_deeply($message->body_sections, $sections{$octets}, 'its sections');
        is($message->encode, $octets, 'as it came');
        is(Ferrion::Message->new(body_sections => $message->body_sections)->encode, $octets, 'passed on');
        is(Ferrion::Message->new->body_sections($sections{$octets})->encode, $octets, 'made');
        is($message->copy->body_sections($message->body_sections)->encode, $octets, 'copied');
        is($message->inferred(0)->body_sections, undef, 'a single value is in none');
        is(again($message)->inferred, 0, 'if that is asked for');
    }
    my $message = Ferrion::Message->decode($sequence);
    $message->body->[1] = 2.5;
    is_deeply(again($message)->body_sections, [[1, 2.5], [], [['three']]], 'borders stay when what is between them changes');
    push @{ $message->body }, 'four';
    is_deeply(again($message)->body_sections, [[1, 2.5, ['three'], 'four']], 'and not when the length does');
    is(Ferrion::Message->new(body => $_)->body_sections, undef, 'no sections') for undef, 'text', [1], {};
    is_deeply(Ferrion::Message->new(body => [1], inferred => 1)->body_sections, [[1]], 'one section');
    for my $wrong ('ab', [], ['a'], [[1], Ferrion::Binary->new('a')], [undef], {}, 7) {
        dies { $message->body_sections($wrong) } 'Argument';
    }
    is($message->body_sections(undef)->body, undef, 'taken back');
};

subtest 'a copy is a message of its own' => sub {
    my $message = Ferrion::Message->new(body => 'body', %fields);
    my $copy    = $message->copy;
    $message->subject('changed')->properties->{n} = 2;
    is_deeply([$copy->subject, $copy->properties->{n}, $copy->body], ['about é', 1, 'body'], 'and stays as it was');
};

subtest 'mistakes change nothing' => sub {
    my $message = Ferrion::Message->new(body => 'body', subject => 'about');
    for my $call (
        sub { Ferrion::Message->new(subjct => 'typo') }, sub { Ferrion::Message->new('text') }, sub { Ferrion::Message->new(encode => 1) },
        sub { $message->properties(7) }, sub { $message->footer([]) }, sub { $message->content_type('é') },
        sub { $message->priority(256) }, sub { $message->priority('high') }, sub { $message->group_sequence(-1) },
        sub { $message->ttl(2**40) }, sub { $message->creation_time('now') }, sub { $message->delivery_count(undef) },
        sub { $message->user_id("\x{100}") }, sub { $message->decode(undef) }, sub { $message->subject("\x{d800}"); },
        sub { $message->subject(7) }, sub { $message->id(1.5) }, sub { $message->address([]) }
    ) {
        dies { $call->() } '';
    }
    my $error = dies { $message->decode('nonsense') } 'Message';
    is($error->code, Ferrion::Abi::FERRION_DECODE, 'its code');
    like("$error", qr/ at \Q$0\E line \d+\.$/, 'where it was');
    unlike($error->text, qr/ at \Q$0\E/, 'the text is without');
    is_deeply([$message->subject, $message->body], ['about', 'body'], 'the message is the same');
    $message->annotations({ 'é' => 1 });
    dies { $message->encode } 'Argument';
    ok(!eval { $message->footer->{x} = 1; 1 }, 'a section that is not there cannot be written to');
};

subtest 'a message without a body is taken leniently' => sub {
    # Properties with a subject, and nothing else.
    my $octets = pack 'H*', '005373c00704404040a10173';
    ok(!eval { Ferrion::Message->decode($octets); 1 }, 'it is no message by the letter');
    my $message = Ferrion::Message->decode_lenient($octets);
    is_deeply([$message->subject, $message->body], ['s', undef], 'what is there');
};

done_testing;
