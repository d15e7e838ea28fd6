package Ferrion::Map;

# Two arrays, of the keys and of the values, and once a key was looked for, the places of each by the text of the key. The first two
# are what the C side reads and makes.

use strict;
use warnings;
use Scalar::Util qw(blessed);

our $VERSION = '0.1.0';

use constant { KEYS => 0, VALUES => 1, PLACES => 2, AT => 3 };

sub new {
    my ($class, @pairs) = @_;
    Ferrion::Error::Argument->throw('a map is made of pairs: one key has no value') if @pairs % 2;
    my %map;
    tie %map, $class, @pairs;
    return \%map;
}

# The pairs of any hash, in the order that it has.
sub pairs {
    my ($class, $hash) = @_;
    my $self = tied %$hash;
    return map { [$_, $hash->{$_}] } keys %$hash unless blessed $self && $self->isa(__PACKAGE__);
    return map { [$self->[KEYS][$_], $self->[VALUES][$_]] } 0 .. $#{ $self->[KEYS] };
}

sub TIEHASH {
    my ($class, @pairs) = @_;
    my $self = bless [[], []], $class;
    while (@pairs) {
        push @{ $self->[KEYS] },   shift @pairs;
        push @{ $self->[VALUES] }, shift @pairs;
    }
    return $self;
}

# The place of a key. An object is the key of its own class; text, and a number, is the first that reads so.
sub _place {
    my ($self, $key) = @_;
    my $places = $self->[PLACES] //= do {
        my %places;
        my $keys = $self->[KEYS];
        push @{ $places{ $keys->[$_] // '' } }, $_ for 0 .. $#$keys;
        \%places;
    };
    my $found = $places->{ $key // '' } or return;
    return $found->[0] unless blessed $key;
    for my $place (@$found) {
        my $its = $self->[KEYS][$place];
        return $place if blessed $its && ref $its eq ref $key;
    }
    return;
}

sub FETCH {
    my ($self, $key) = @_;
    my $place = $self->_place($key);
    return defined $place ? $self->[VALUES][$place] : undef;
}

sub STORE {
    my ($self, $key, $value) = @_;
    my $place = $self->_place($key);
    if (!defined $place) {
        push @{ $self->[KEYS] }, $key;
        $place = $#{ $self->[KEYS] };
        push @{ $self->[PLACES]{ $key // '' } }, $place;
    }
    $self->[VALUES][$place] = $value;
    return;
}

sub EXISTS { return defined $_[0]->_place($_[1]) }

sub DELETE {
    my ($self, $key) = @_;
    my $place = $self->_place($key);
    return unless defined $place;
    splice @{ $self->[KEYS] }, $place, 1;
    $self->[PLACES] = undef;
    # The key that each gave last may be deleted.
    $self->[AT]-- if defined $self->[AT] && $place < $self->[AT];
    return scalar splice @{ $self->[VALUES] }, $place, 1;
}

sub CLEAR    { @{ $_[0] } = ([], []); return }
sub SCALAR   { return scalar @{ $_[0][KEYS] } }
sub FIRSTKEY { $_[0][AT] = 0; return $_[0]->NEXTKEY }

sub NEXTKEY {
    my ($self) = @_;
    my $keys = $self->[KEYS];
    return if ($self->[AT] // 0) >= @$keys;
    # A key that is null would end the row.
    return $keys->[ $self->[AT]++ ] // '';
}

1;

__END__

=encoding utf8

=head1 NAME

Ferrion::Map - a hash that keeps the order and the types of its keys

=head1 SYNOPSIS

    my $map = Ferrion::Map->new(first => 1, Ferrion::Symbol->new('second') => 2, 3 => 'three');
    print $map->{first}, $map->{second}, keys %$map;
    for my $pair (Ferrion::Map->pairs($map)) {
        my ($key, $value) = @$pair;
    }

=head1 DESCRIPTION

The keys of a Perl hash are text, and are in no order. Those of a map in AMQP are of any type, and their order counts. So a map that was
received is a reference to a hash that is tied to this class: it is used as any other, its keys come in their order and as what they are,
and it goes out again as it came. A key is found by its text, or as an object by text and class. A new key has the type that it was given
with. (Perl hands a key on as it is written between the braces: C<< $map->{1} >> looks for a text; C<< 1 => >> in C<new> is a number.)

=head1 METHODS

=over

=item new(@pairs)

A reference to such a hash, of keys and values.

=item pairs($map)

References to a key and its value each, of such a hash or any other. Keys that read the same, C<1> and C<"1">, are all among them.

=back

=cut
