# Every method that scripts can call is described.

use strict;
use warnings;
use lib 't/lib';
use Test::More;
use B ();
use Ferrion;

# The methods of a class and of what it is made of, but for what it imports and keeps to itself.
sub methods {
    my ($class) = @_;
    no strict 'refs';
    my @own = grep {
        defined &{"${class}::$_"} && !/^(?:_|\(|to_abi\z|[A-Z]+\z)/ && B::svref_2object(\&{"${class}::$_"})->GV->STASH->NAME =~ /^Ferrion/
    } keys %{"${class}::"};
    return (@own, map { methods($_) } @{"${class}::ISA"});
}

my %internal = map { $_ => 1 } qw(received_by with_symbols from_abi dualvar blessed refaddr);

for my $class (qw(Messenger Message Map Error)) {
    my $path = $INC{"Ferrion/$class.pm"};
    open my $file, '<:encoding(UTF-8)', $path or die "$path: $!";
    my $text  = do { local $/; <$file> };
    my $items = join ' ', $text =~ /^=item (.*)$/mg;
    my @left  = grep { !$internal{$_} && $items !~ /\b$_\b/ } sort { $a cmp $b } methods("Ferrion::$class");
    is("@left", $class eq 'Error' ? 'new' : '', "Ferrion::$class");
}

done_testing;
