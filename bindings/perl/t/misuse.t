# Every function of the C side, called with whatever there is: it answers, or dies of a Ferrion::Error, and nothing breaks.

use strict;
use warnings;
use lib 't/lib';
use Test::More;
use Scalar::Util qw(blessed);
use Ferrion;

# Ten thousand calls in an order that is the same in every run.
srand 4711;
my $calls = 10_000;

# These may wait, or make others wait.
my %waits = map { $_ => 1 } qw(ferrion_messenger_work ferrion_messenger_set_blocking ferrion_recv_at_once);

my %functions;
{
    no strict 'refs';
    my @names = grep { /^(?:ferrion_|delete_|whole|is_whole)/ && !$waits{$_} && defined &{"Ferrion::Abi::$_"} } keys %Ferrion::Abi::;
    %functions = map { $_ => \&{"Ferrion::Abi::$_"} } @names;
}
my @names = sort keys %functions;
cmp_ok(scalar @names, '>', 150, 'there are functions');

# The usage tells how many arguments there are.
my %takes;
for my $name (@names) {
    eval { $functions{$name}->((undef) x 20) };
    my ($list) = $@ =~ /Usage: \w+\((.*?)\)/ or die "$name: $@";
    $takes{$name} = () = $list =~ /\w+/g;
}

sub fresh {
    my ($kind) = @_;
    my $messenger = Ferrion::Abi::ferrion_messenger_new('misuse');
    Ferrion::Abi::ferrion_messenger_set_blocking($messenger, 0);
    return $messenger if $kind eq 'messenger';
    return Ferrion::Abi::ferrion_interrupter_new($messenger) if $kind eq 'interrupter';
    return $functions{"ferrion_${kind}_new"}->();
}

my @kinds   = map { /^ferrion_(.*)_new$/ ? $1 : () } @names;
my %handles = map { $_ => fresh($_) } @kinds;
my @values  = (
    undef, 0, 1, -1, 2, 7, 255, 2**31, 2**32, ~0, 0.5, 9**9**9, -9**9**9, '', 'text', '~127.0.0.1:0', '127.0.0.1:1/x', "a\0b", "\xff",
    "\x{100}", "\x{d800}", 'x' x 100_000, [], [1, [2]], {}, { a => 1 }, \1, sub { }, *STDOUT, \*STDOUT, qr/x/,
    Ferrion::Abi::row(), Ferrion::Abi::row(1, 'two'), Ferrion::Symbol->new('symbol'), Ferrion::UInt->new(7), Ferrion::Binary->new('xy'),
    Ferrion::Described->new(Ferrion::Symbol->new('a'), 1), Ferrion::Array->new(uint => [1]), Ferrion::Map->new(a => 1),
    bless({}, 'Ferrion::Abi::Handle'), bless(\(my $number = 4711), 'Ferrion::Abi::Handle'), Ferrion::Message->new
);

my @others;
my %ended = (answered => 0, died => 0);
for (1 .. $calls) {
    my $name      = $names[rand @names];
    my ($own)     = grep { $name =~ /^(?:ferrion|delete_ferrion)_${_}_/ } reverse sort { length $a <=> length $b } @kinds;
    my @arguments = map { rand() < 0.2 ? $handles{ $kinds[rand @kinds] } : $values[rand @values] } 1 .. $takes{$name};
    # Mostly the first is what it has to be, so that something happens.
    $arguments[0] = $handles{$own} if defined $own && @arguments && rand() < 0.9;
    if (eval { $functions{$name}->(@arguments); 1 }) {
        $ended{answered}++;
    } else {
        $ended{died}++;
        push @others, "$name: $@" unless blessed $@ && $@->isa('Ferrion::Error');
    }
    # What was freed is used for a while, and then there is a new one.
    if (rand() < 0.01) {
        my $kind = $kinds[rand @kinds];
        $handles{$kind} = fresh($kind);
    }
}
is_deeply(\@others, [], 'all that died did so of a Ferrion::Error');
cmp_ok($ended{$_}, '>', $calls / 10, $_) for sort keys %ended;
is(Ferrion::Message->decode(Ferrion::Message->new(body => 'fine')->encode)->body, 'fine', 'and all goes on');

# Asking for one argument can run code that changes, or lets go of, what was asked for before.
{
    package Meanwhile;
    sub TIESCALAR { my ($class, $does) = @_; return bless $does, $class }
    sub FETCH { return $_[0]->() }
}

for my $length (8, 100_000) {
    my $message = Ferrion::Abi::ferrion_message_new();
    my $name    = 'n' x $length;
    my @others;
    tie my $text, 'Meanwhile', sub {
        substr $name, 0, 4, 'else';
        undef $name;
        @others = map { 'o' x $length } 1 .. 50;
        return 'text';
    };
    Ferrion::Abi::ferrion_message_set_property_text($message, $name, $text);
    is_deeply(Ferrion::Abi::ferrion_message_property($message, 'n' x $length), ['text'], "a name of $length octets stays what it was");
}

my %ways = (
    'let go of' => sub { undef $_[0] },
    'given up'  => sub { Ferrion::Abi::delete_ferrion_message_t($_[0]) },
);
for my $way (sort keys %ways) {
    my $message = Ferrion::Abi::ferrion_message_new();
    my @others;
    tie my $address, 'Meanwhile', sub {
        $ways{$way}->($message);
        @others = map { Ferrion::Abi::ferrion_message_new() } 1 .. 50;
        return 'somewhere';
    };
    ok(Ferrion::Abi::ferrion_message_set_address($message, $address), "an object that is $way lasts as long as the call");
    is_deeply([grep { defined } map { Ferrion::Abi::ferrion_message_address($_) } @others], [], 'and no other is taken for it');
    ok(!eval { Ferrion::Abi::ferrion_message_set_address($message, 'elsewhere'); 1 }, 'and is gone then');
}

done_testing;
