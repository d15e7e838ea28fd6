package Ferrion::Types;

use strict;
use warnings;
use Ferrion::Abi;
use Ferrion::Error;
use Ferrion::Map;

our $VERSION = '0.1.0';

# The names of the AMQP types, as Ferrion::Array has them, with their numbers in the header.
my @NAMES = qw(
    null bool ubyte ushort uint ulong byte short int long float double decimal32 decimal64 decimal128 char timestamp uuid binary
    string symbol list map array
);
my %NUMBER = map { my $name = $_; no strict 'refs'; $name => &{ 'Ferrion::Abi::FERRION_TYPE_' . uc $name }() } @NAMES;
my %NAME   = reverse %NUMBER;

sub number_of { return $NUMBER{ $_[0] } // Ferrion::Error::Argument->throw("no type for an array: $_[0]; there are: @NAMES") }
sub name_of   { return $NAME{ $_[0] } }

# What stands for a single plain value of Perl's, which it is as text, as a number, and to eq and ==.
package Ferrion::Plain;

use overload
    '""'     => sub { "${ $_[0] }" },
    'eq'     => sub { defined $_[1] && "${ $_[0] }" eq "$_[1]" },
    'ne'     => sub { !defined $_[1] || "${ $_[0] }" ne "$_[1]" },
    bool     => sub { ${ $_[0] } ? 1 : !1 },
    '0+'     => sub { ${ $_[0] } },
    fallback => 1;

sub value { return ${ $_[0] } }

# Never two objects for one scalar.
sub of {
    my ($class, $value) = @_;
    return bless \$value, $class;
}

# Whole numbers with the range of their type.
package Ferrion::Number;

our @ISA = ('Ferrion::Plain');

sub new {
    my ($class, $value) = @_;
    return $class->of(Ferrion::Abi::whole($value, $class->type));
}

for my $type (qw(UByte UShort UInt ULong Byte Short Int Long Decimal32 Decimal64)) {
    no strict 'refs';
    my $number = Ferrion::Types::number_of(lc $type);
    @{"Ferrion::${type}::ISA"} = ('Ferrion::Number');
    *{"Ferrion::${type}::type"} = sub () { $number };
}

# A number that is a double whatever else Perl does with it.
package Ferrion::Double;

our @ISA = ('Ferrion::Plain');

sub new {
    my ($class, $value) = @_;
    Ferrion::Error::Argument->throw(defined $value ? "$value is no number" : 'undef is no number')
        unless Scalar::Util::looks_like_number($value);
    return $class->of($class->rounded($value));
}

sub rounded { return unpack 'd', pack 'd', $_[1] }

# A number of 32 bits.
package Ferrion::Float;

our @ISA = ('Ferrion::Double');

# What pack makes of a NaN can be another one.
sub rounded { return $_[1] != $_[1] ? $_[1] : unpack 'f', pack 'f', $_[1] }

package Ferrion::Boolean;

our @ISA = ('Ferrion::Plain');

sub new {
    my ($class, $truth) = @_;
    return $class->of($truth ? 1 : 0);
}

# Octets, and what is a number of them.
package Ferrion::Binary;

our @ISA = ('Ferrion::Plain');

# How many there are, if that is always the same.
sub size { return }

sub new {
    my ($class, $octets) = @_;
    Ferrion::Error::Argument->throw("a $class is made of octets, not of undef") unless defined $octets;
    $octets = "$octets";
    Ferrion::Error::Argument->throw("a $class is made of octets, and there is a character above 255: encode the text first")
        unless utf8::downgrade($octets, 1);
    my $size = $class->size;
    Ferrion::Error::Argument->throw("a $class has $size octets, not " . length $octets) if $size && length $octets != $size;
    return $class->of($octets);
}

sub octets { return ${ $_[0] } }
sub hex    { return unpack 'H*', ${ $_[0] } }

package Ferrion::Decimal128;

our @ISA = ('Ferrion::Binary');

use overload '""' => 'hex', '0+' => 'hex', 'eq' => sub { "$_[0]" eq ($_[1] // '') }, 'ne' => sub { "$_[0]" ne ($_[1] // '') };

sub size { return 16 }

package Ferrion::UUID;

our @ISA = ('Ferrion::Binary');

use overload '""' => 'text', '0+' => 'text', 'eq' => sub { "$_[0]" eq lc($_[1] // '') }, 'ne' => sub { "$_[0]" ne lc($_[1] // '') };

sub size { return 16 }

sub text { return join '-', unpack 'H8 H4 H4 H4 H12', ${ $_[0] } }

# From the usual text, or from the octets.
sub parse {
    my ($class, $text) = @_;
    (my $digits = $text // '') =~ tr/-//d;
    Ferrion::Error::Argument->throw('not a UUID: ' . ($text // 'undef')) unless $digits =~ /\A[0-9a-fA-F]{32}\z/;
    return $class->new(pack 'H*', $digits);
}

package Ferrion::Symbol;

our @ISA = ('Ferrion::Plain');

sub new {
    my ($class, $name) = @_;
    Ferrion::Error::Argument->throw('a symbol of AMQP is ASCII: ' . ($name // 'undef') . ' is not')
        unless defined $name && "$name" =~ /\A[\x00-\x7f]*\z/;
    return $class->of("$name");
}

package Ferrion::Char;

our @ISA = ('Ferrion::Plain');

sub new {
    my ($class, $character) = @_;
    Ferrion::Error::Argument->throw('a char is a single character, not ' . ($character // 'undef'))
        unless defined $character && length "$character" == 1;
    return $class->of("$character");
}

sub ord { return CORE::ord ${ $_[0] } }

# Milliseconds since 1970; as a number it is seconds, as for time and localtime.
package Ferrion::Timestamp;

our @ISA = ('Ferrion::Plain');

use overload
    '""'  => 'text',
    '0+'  => 'seconds',
    bool  => sub { 1 },
    'eq'  => sub { "$_[0]" eq ($_[1] // '') },
    'ne'  => sub { "$_[0]" ne ($_[1] // '') },
    '<=>' => sub {
        my ($self, $other, $swapped) = @_;
        my $order = ref $other && Scalar::Util::blessed($other) && $other->isa(__PACKAGE__) ? $$self <=> $$other : $self->seconds <=> $other;
        return $swapped ? -$order : $order;
    };

# From whole milliseconds.
sub new {
    my ($class, $milliseconds) = @_;
    return $class->of(Ferrion::Abi::whole($milliseconds, Ferrion::Abi::FERRION_TYPE_TIMESTAMP));
}

# From seconds, as time gives them: the last millisecond that was full. Those of Time::HiRes are not exact, so half a microsecond is added.
sub from_seconds {
    my ($class, $seconds) = @_;
    return $seconds if ref $seconds && Scalar::Util::blessed($seconds) && $seconds->isa(__PACKAGE__);
    Ferrion::Error::Argument->throw('no number of seconds: ' . ($seconds // 'undef'))
        unless Scalar::Util::looks_like_number($seconds) && abs $seconds < 9e15;
    return $class->new(POSIX::floor($seconds * 1000 + 0.0005));
}

sub now { return $_[0]->from_seconds(Time::HiRes::time()) }

sub milliseconds { return ${ $_[0] } }
sub seconds      { return ${ $_[0] } / 1000 }

# By ISO 8601, as far as calendars go.
sub text {
    my $milliseconds = ${ $_[0] };
    my $rest         = $milliseconds % 1000;
    my $seconds      = do { use integer; ($milliseconds - $rest) / 1000 };
    return "${milliseconds}ms" if abs $seconds > 1e11;
    my ($second, $minute, $hour, $day, $month, $year) = gmtime $seconds;
    return sprintf '%04d-%02d-%02dT%02d:%02d:%02d.%03dZ', $year + 1900, $month + 1, $day, $hour, $minute, $second, $rest;
}

# A value, and the descriptor that gives it its meaning.
package Ferrion::Described;

sub new {
    my ($class, $descriptor, $value) = @_;
    return bless [$descriptor, $value], $class;
}

sub descriptor { return $_[0][0] }
sub value      { return $_[0][1] }

# Values of one type, which may share descriptors.
package Ferrion::Array;

use overload '@{}' => sub { $_[0]->elements }, bool => sub { 1 }, fallback => 1;

sub new {
    my ($class, $type, $elements, @descriptors) = @_;
    my $number = Ferrion::Types::number_of($type // 'undef');
    $elements //= [];
    Ferrion::Error::Argument->throw('the elements of an array are a reference to an array') unless ref $elements eq 'ARRAY';
    return bless { number => $number, elements => [@$elements], descriptors => \@descriptors }, $class;
}

sub type        { return Ferrion::Types::name_of($_[0]{number}) }
sub elements    { return $_[0]{elements} }
sub descriptors { return @{ $_[0]{descriptors} } }

package Ferrion::Types;

# Used above by their full names.
require POSIX;
require Scalar::Util;
require Time::HiRes;

1;

__END__

=encoding utf8

=head1 NAME

Ferrion::Types - Perl values and AMQP values

=head1 SYNOPSIS

    Ferrion::Message->new(body => [
        'text', 42, 0.5, undef, { key => 'value' },
        Ferrion::Binary->new($octets), Ferrion::Symbol->new('amqp:accepted:list'), Ferrion::Boolean->new(1), Ferrion::UInt->new(7),
        Ferrion::Timestamp->now, Ferrion::UUID->parse('12345678-1234-5678-1234-567812345678'),
        Ferrion::Described->new(Ferrion::Symbol->new('my:type'), 'value'), Ferrion::Array->new(uint => [1, 2, 3]),
    ]);

=head1 DESCRIPTION

Values of Perl's own go as these types, and what is received of these types comes as values of Perl's own:

    undef                         null
    text                          string, by its characters
    an integer                    long, or ulong if it is too large for that
    another number                double
    reference to an array         list
    reference to a hash           map

Text is what was made as text: C<'5'> and C<"$number"> are text, C<5> and C<0 + $text> are numbers. (Before Perl 5.36 a number that was used
as text is text from then on.) From Perl 5.36 on the truth of a comparison is a boolean.

All else comes as an object of one of the classes below, and goes out as the type that it came as. The objects are never changed. Those
of a single value are, to every operator, that text or number.

A plain hash goes out in the order of its sorted keys, which are strings. A map that is received is a hash tied to L<Ferrion::Map>.

=head1 CLASSES

=over

=item Ferrion::UByte, Ferrion::UShort, Ferrion::UInt, Ferrion::ULong, Ferrion::Byte, Ferrion::Short, Ferrion::Int, Ferrion::Long

Whole numbers of 8, 16, 32 and 64 bits: C<< new($number) >>, C<value>. A long is received as a plain integer.

=item Ferrion::Float, Ferrion::Double

Numbers of 32 and 64 bits: C<< new($number) >>, C<value>. A double is received as a plain number.

=item Ferrion::Decimal32, Ferrion::Decimal64

IEEE 754 decimals, as the whole numbers that their bits make. They are carried, and not reckoned with.

=item Ferrion::Decimal128

Its 16 octets: C<< new($octets) >>, C<octets>, C<hex>.

=item Ferrion::Boolean

C<< new($truth) >>.

=item Ferrion::Binary

Octets, a string without characters above 255: C<< new($octets) >>, C<octets>, C<hex>.

=item Ferrion::Symbol

A name in ASCII: C<< new($name) >>.

=item Ferrion::Char

A single character: C<< new($character) >>, C<ord>.

=item Ferrion::UUID

C<< parse($text) >>, C<< new($octets) >>, C<octets>, C<text>, which is also what it is as text.

=item Ferrion::Timestamp

C<< new($milliseconds) >> since 1970, C<< from_seconds($seconds) >>, C<now>; C<milliseconds>, C<seconds>, which it is as a number, and
C<text>, which it is as text.

=item Ferrion::Described

A value, and the descriptor that gives it its meaning: C<< new($descriptor, $value) >>, C<descriptor>, C<value>.

=item Ferrion::Array

Values of one type: C<< new($type, \@elements, @descriptors) >>. C<type> is a name of an AMQP type, as C<uint> or C<list>; C<elements> a
reference to them, as which the object can be used; C<descriptors> those that all elements share, mostly none. Elements can be plain.

=back

=cut
