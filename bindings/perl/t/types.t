# Values of every type, from Perl to AMQP and back.

use strict;
use warnings;
use utf8;
use lib 't/lib';
use Test::More;
use B ();
use Scalar::Util qw(blessed reftype);
use Ferrion;
use Pair;

binmode Test::More->builder->$_, ':encoding(UTF-8)' for qw(output failure_output todo_output);

sub back { return Ferrion::Message->decode(Ferrion::Message->new(body => $_[0])->encode)->body }

# What a scalar is to AMQP: that is what must not change on the way.
sub kind {
    my ($value) = @_;
    return 'undef' unless defined $value;
    return tied %$value && !blessed $value ? 'map' : blessed $value // reftype $value if ref $value && reftype $value eq 'HASH';
    return blessed $value // ref $value if ref $value;
    my $flags = B::svref_2object(\$value)->FLAGS;
    return $flags & B::SVf_POK ? 'text' : $flags & B::SVf_IOK ? 'integer' : 'number';
}

sub kept {
    my ($value, $name) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    my $back = back($value);
    is_deeply($back, $value, $name // 'kept ' . ($value // 'undef'));
    is(kind($back), kind($value), '... as what it was');
    return $back;
}

subtest 'values of Perl come back as they went' => sub {
    kept($_) for undef, 0, -1, 2**62, -9223372036854775807 - 1, 9223372036854775807, 0.5, 9**9**9, -9**9**9, 'text', '', '5', '0',
        'é', 'crab 🦀', "a\0b", [], [1, ['two', [3.5]]];
    my $nan = back(9**9**9 - 9**9**9);
    ok($nan != $nan, 'what is no number');
    is(sprintf('%g', back(-0.0)), '-0', 'a zero with a sign') if sprintf('%g', -0.0) eq '-0';
    is(kind(back(1e15)), kind(1e15), 'a double without a fraction is a double still');
};

subtest 'a number that was used as text is a number, and the other way round' => sub {
    my ($number, $text) = (17, '17');
    my $unused = "$number" . ($text + 1);
    is(kind(back($text)), 'text', 'text');
    SKIP: {
        skip 'Perl knows that from 5.36 on', 1 if $] < 5.036;
        is(kind(back($number)), 'integer', 'a number');
    }
};

subtest 'truth' => sub {
    for my $truth (0, 1) {
        my $back = back(Ferrion::Boolean->new($truth));
        isa_ok($back, 'Ferrion::Boolean');
        is(!!$back, !!$truth, 'is as true as before');
    }
    SKIP: {
        skip 'Perl tells truth from 1 from 5.36 on', 2 if $] < 5.036;
        isa_ok(back(1 == 1), 'Ferrion::Boolean', 'a comparison');
        ok(!back(1 == 2), 'that is false');
    }
};

subtest 'integers too large for a long are ulongs' => sub {
    for my $number (9223372036854775808, 18446744073709551615) {
        my $back = back($number);
        isa_ok($back, 'Ferrion::ULong');
        cmp_ok($back, '==', $number, 'of the same size');
        is("$back", "$number", 'and of the same text');
    }
};

subtest 'text is characters, however Perl keeps them' => sub {
    my ($narrow, $wide) = ("\xe9", "\xe9");
    utf8::downgrade($narrow);
    utf8::upgrade($wide);
    is(back($narrow), 'é', 'in one octet');
    is(back($wide),   'é', 'in two');
    ok(!utf8::is_utf8($narrow), 'and the script has its scalar as it was');
    dies { back("\x{d800}") } 'Message', 'what is no character of Unicode';
};

subtest 'octets' => sub {
    my $back = kept(Ferrion::Binary->new("\x00\xff"));
    is($back->octets, "\x00\xff", 'are octets');
    is("$back", "\x00\xff", 'and text of as many characters');
    is(length $back, 2, 'of that length');
    dies { Ferrion::Binary->new('🦀') } 'Argument';
    dies { Ferrion::Message->decode('🦀') } 'Argument';
};

subtest 'numbers with the width of their type' => sub {
    my %range = (
        UByte => [0, 255], UShort => [0, 65535], UInt => [0, 4294967295], ULong => [0, 18446744073709551615], Byte => [-128, 127],
        Short => [-32768, 32767], Int => [-2147483648, 2147483647], Decimal32 => [0, 4294967295],
        Decimal64 => [0, 18446744073709551615]
    );
    for my $type (sort keys %range) {
        my ($low, $high) = @{ $range{$type} };
        my $class = "Ferrion::$type";
        for my $number ($low, 1, $high) {
            my $back = kept($class->new($number), "$type $number");
            cmp_ok($back, '==', $number, 'is the number');
            is($back->value, $number, 'and has it');
        }
        dies { $class->new($low - 1) } 'Argument';
        dies { $class->new($high == ~0 ? 18446744073709551616 : $high + 1) } 'Argument';
        dies { $class->new($_) } 'Argument', "no $type" for '', 'one', '1x', 0.5, [], '99999999999999999999', 'inf', 'nan';
        dies { $class->new(undef) } 'Argument';
        cmp_ok($class->new('17'), '==', 17, 'from digits');
    }
    is(kind(back(Ferrion::Long->new('-5'))), 'integer', 'a long is a plain number');
    is(kind(back(Ferrion::Double->new(3))), 'number', 'a double, too');
    cmp_ok(back(Ferrion::Float->new(0.1)), '==', unpack('f', pack 'f', 0.1), 'a float is as exact as 32 bits are');
    dies { Ferrion::Float->new('x') } 'Argument';
};

subtest 'the other types' => sub {
    kept(Ferrion::Symbol->new($_)) for 'amqp:accepted:list', '', 'a b';
    dies { Ferrion::Symbol->new('é') } 'Argument';
    my $char = kept(Ferrion::Char->new('🦀'));
    is($char, '🦀', 'a char');
    is($char->ord, 0x1f980, 'and its number');
    dies { Ferrion::Char->new($_) } 'Argument' for '', 'ab';
    my $uuid = kept(Ferrion::UUID->parse('12345678-1234-5678-1234-56781234567A'));
    is("$uuid", '12345678-1234-5678-1234-56781234567a', 'a UUID reads as usual');
    ok($uuid eq '12345678-1234-5678-1234-56781234567A', 'in either case');
    is(length $uuid->octets, 16, 'and has 16 octets');
    dies { Ferrion::UUID->parse($_) } 'Argument' for '', '12345678', 'z' x 32;
    is(kept(Ferrion::Decimal128->new('0123456789abcdef'))->octets, '0123456789abcdef', 'a decimal of 128 bits');
    dies { Ferrion::Decimal128->new('short') } 'Argument';
    my $described = kept(Ferrion::Described->new(Ferrion::Symbol->new('my:type'), [1, Ferrion::UInt->new(2)]));
    is($described->descriptor, 'my:type', 'a descriptor');
    is($described->value->[0], 1, 'and what it describes');
    kept(Ferrion::Described->new(Ferrion::ULong->new(7), Ferrion::Described->new(Ferrion::Symbol->new('inner'), undef)));
};

subtest 'times' => sub {
    for my $milliseconds (1_700_000_000_123, 0, -1, 9223372036854775807, -9223372036854775807 - 1) {
        is(kept(Ferrion::Timestamp->new($milliseconds))->milliseconds, $milliseconds, 'to the millisecond');
    }
    my $time = Ferrion::Timestamp->from_seconds(1_700_000_000.123);
    is($time->milliseconds, 1_700_000_000_123, 'from seconds');
    is("$time", '2023-11-14T22:13:20.123Z', 'as text');
    cmp_ok(abs($time - 1_700_000_000.123), '<', 1e-6, 'as a number');
    ok($time > 1_700_000_000 && $time < Ferrion::Timestamp->new(1_700_000_000_124), 'compares');
    is(Ferrion::Timestamp->new(-1), '1969-12-31T23:59:59.999Z', 'before 1970');
    cmp_ok(abs(Ferrion::Timestamp->now - time), '<', 60, 'now');
    is((gmtime $time)[5], 123, 'is for gmtime');
    dies { Ferrion::Timestamp->from_seconds($_) } 'Argument' for 'x', 9**9**9, undef;
};

subtest 'arrays have one type' => sub {
    my $array = back(Ferrion::Array->new(uint => [1, 2, 3]));
    is($array->type, 'uint', 'the type');
    is_deeply([map { ref } @$array], [('Ferrion::UInt') x 3], 'of each element');
    is_deeply([map { $_ + 0 } @$array], [1, 2, 3], 'the elements');
    is_deeply([$array->descriptors], [], 'no descriptors');
    kept(Ferrion::Array->new(list => [[1], ['two']], Ferrion::Symbol->new('my:type')));
    kept(Ferrion::Array->new(symbol => []));
    kept(Ferrion::Array->new(bool => [map { Ferrion::Boolean->new($_) } 1, 0]));
    kept(Ferrion::Array->new(array => [Ferrion::Array->new(double => [0.5])]));
    is_deeply([@{ back(Ferrion::Array->new(symbol => [qw(a b)])) }], [map { Ferrion::Symbol->new($_) } qw(a b)], 'of plain text');
    is_deeply([@{ back(Ferrion::Array->new(float => [1, '0.5'])) }], [map { Ferrion::Float->new($_) } 1, 0.5], 'of plain numbers');
    dies { Ferrion::Array->new(integer => []) } 'Argument';
    dies { Ferrion::Array->new(uint => 7) } 'Argument';
    dies { back(Ferrion::Array->new(uint => [$_])) } 'Argument' for -1, 'x', undef, [], {};
    dies { back(Ferrion::Array->new(list => [7])) } '';
};

subtest 'hashes go as maps, and come back as hashes' => sub {
    my $back = back({ b => 1, a => { c => [2] }, '' => undef });
    is_deeply($back, { b => 1, a => { c => [2] }, '' => undef }, 'with what is in them');
    is_deeply([keys %$back], ['', 'a', 'b'], 'sorted, since they have no order');
    is_deeply(back({}), {}, 'also empty');
    ok(!%{ back({}) }, 'which is false');
};

subtest 'a map keeps the order and the types of its keys' => sub {
    my $symbol = Ferrion::Symbol->new('z');
    my $back   = back(Ferrion::Map->new($symbol => 1, a => 2, 10 => 3, '10' => 4, Ferrion::UInt->new(10) => 5, undef, 6, z => 7));
    is_deeply([map { [kind($_->[0]), $_->[1]] } Ferrion::Map->pairs($back)],
        [['Ferrion::Symbol', 1], ['text', 2], ['integer', 3], ['text', 4], ['Ferrion::UInt', 5], ['undef', 6], ['text', 7]], 'all');
    is_deeply([keys %$back], ['z', 'a', 10, 10, 10, '', 'z'], 'the keys in their order');
    is($back->{z}, 1, 'text finds the first that reads so');
    is($back->{ Ferrion::UInt->new(10) }, 5, 'an object finds its own type');
    is($back->{$symbol}, 1, 'and a symbol a symbol');
    is_deeply(back($back), $back, 'it goes out again as it came');
    is_deeply([map { kind($_->[0]) } Ferrion::Map->pairs(back($back))], [map { kind($_->[0]) } Ferrion::Map->pairs($back)], 'the keys too');
    dies { Ferrion::Map->new(1) } 'Argument';
};

subtest 'a map that was received is used as any hash' => sub {
    my $map = back({ a => 1, b => 2, c => 3 });
    $map->{d} = 4;
    $map->{a} = 10;
    is(delete $map->{b}, 2, 'delete');
    is(delete $map->{none}, undef, 'delete what is not there');
    ok(exists $map->{a} && !exists $map->{b} && !exists $map->{none}, 'exists');
    is_deeply({%$map}, { a => 10, c => 3, d => 4 }, 'a copy');
    is_deeply([keys %$map], [qw(a c d)], 'keys');
    is_deeply([values %$map], [10, 3, 4], 'values');
    is(scalar(keys %$map), 3, 'how many');
    $map->{e}{f} = 'deep';
    is_deeply(back($map), { a => 10, c => 3, d => 4, e => { f => 'deep' } }, 'changes go out');
    while (my ($key) = each %$map) { delete $map->{$key} }
    is_deeply([keys %$map], [], 'emptied while it is walked');
    %$map = (x => 1);
    is_deeply(back($map), { x => 1 }, 'assigned anew');
};

subtest 'what has no type is refused, and nothing breaks' => sub {
    my $circle = [];
    push @$circle, $circle;
    my %circle;
    $circle{self} = \%circle;
    my $message = Ferrion::Message->new;
    my @wrong   = (
        sub { }, \1, \*STDOUT, *STDOUT, qr/x/, bless({}, 'Somebody'), bless([], 'Somebody'), [sub { }], { a => \1 }, $circle, \%circle,
        # What others bless is not what the classes make.
        map { bless $_->[0], "Ferrion::$_->[1]" } [{}, 'UInt'], [[], 'Symbol'], [{}, 'Described'], [\(my $x = 'x'), 'UInt'],
        [[], 'Array'], [{}, 'Array'], [{ number => 5, elements => 7, descriptors => [] }, 'Array'], [\(my $y = 1), 'Array'],
        [{ number => 99, elements => [1], descriptors => [] }, 'Array'], [[], 'Boolean'], [\(my $z = []), 'Timestamp'], [\(my $d = 1), 'Described']
    );
    for my $value (@wrong) {
        $message->body($value);
        dies { $message->encode } '', 'refuses ' . (ref $value || $value);
    }
    my $hollow = tie my %hollow, 'Ferrion::Map';
    for my $broken ([], [1, 2], [[1], {}]) {
        @$hollow = @$broken;
        $message->body(\%hollow);
        dies { $message->encode } 'Argument', 'a map that somebody broke';
    }
    @$circle = %circle = ();
    $message->body('fine');
    is(Ferrion::Message->decode($message->encode)->body, 'fine', 'and goes on');
};

{
    # Runs code when it is read, as tied scalars can.
    package Running;
    sub TIESCALAR { my ($class, $code) = @_; return bless $code, $class }
    sub FETCH     { return $_[0]->() }
}

subtest 'values that run code may do what they like meanwhile' => sub {
    tie my $tied, 'Running', sub { 'read' };
    is(back($tied), 'read', 'a tied scalar');
    my $asked = 0;
    tie my $counted, 'Running', sub { ++$asked };
    is(back([$counted])->[0] + back({ n => $counted })->{n}, 3, 'each is asked');
    is($asked, 2, 'once');
    is_deeply(back([$tied, { a => $tied }]), ['read', { a => 'read' }], 'inside of others');
    my @list = (1, 2, 3);
    tie $list[1], 'Running', sub { untie $list[1]; @list = (); 'emptied' };
    my $back = back([\@list])->[0];
    is($back->[1], 'emptied', 'a list that empties itself');
    my $outer = [[1, 2]];
    my $inner = $outer->[0];
    tie $inner->[0], 'Running', sub { undef $outer; undef $inner; 'gone' };
    ok(eval { back([$outer]); 1 } || ref $@, 'a list that lets itself go');
    my %hash = (a => 1, b => 2);
    tie $hash{a}, 'Running', sub { untie $hash{a}; %hash = (); 'x' };
    ok(eval { back(\%hash); 1 }, 'a hash that empties itself') or diag $@;
    tie my $dying, 'Running', sub { die "in the middle\n" };
    ok(!eval { back([1, $dying]); 1 }, 'one that dies');
    is($@, "in the middle\n", 'of what it died of');
};

subtest 'deep and long values' => sub {
    my $deep = 1;
    $deep = [$deep] for 1 .. 30;
    kept($deep, 'deep');
    $deep = [$deep] for 1 .. 1000;
    dies { back($deep) } '', 'too deep';
    my $long = [map { { n => $_, text => 'x' x 10 } } 1 .. 10_000];
    is_deeply(back($long), $long, 'long');
};

done_testing;
