# Messages to octets and back, by the Perl distribution, in the notation of ../interop/README.md: see README.md.

use strict;
use warnings;
use B ();
use Ferrion;
use JSON::PP ();
use Scalar::Util qw(blessed);

# What the notation calls the fields and sections, and what a Message does.
my %HEADER     = (durable => 'Boolean', priority => 'UByte', first_acquirer => 'Boolean', delivery_count => 'UInt');
my %PROPERTIES = (
    message_id => 'id', to => 'address', absolute_expiry_time => 'expiry_time',
    map { $_ => $_ } qw(
        user_id subject reply_to correlation_id content_type content_encoding creation_time group_id group_sequence reply_to_group_id
    )
);
my %SECTIONS = (
    delivery_annotations => 'instructions', message_annotations => 'annotations', application_properties => 'properties',
    footer => 'footer'
);

my %NUMBERS = map { lc $_ => "Ferrion::$_" } qw(UByte UShort UInt ULong Byte Short Int Timestamp);
my %CLASSES = reverse %NUMBERS;

# ---- values ----

# The value that a notation stands for, by its type.
my %VALUE = (
    null       => sub { undef },
    boolean    => sub { Ferrion::Boolean->new($_[0]) },
    long       => sub { 0 + $_[0] },
    float      => sub { Ferrion::Float->new(widened($_[0])) },
    double     => sub { unpack 'd>', pack 'H*', $_[0] },
    decimal32  => sub { Ferrion::Decimal32->new(hex $_[0]) },
    decimal64  => sub { Ferrion::Decimal64->new(unpack 'Q>', pack 'H*', $_[0]) },
    decimal128 => sub { Ferrion::Decimal128->new(pack 'H*', $_[0]) },
    char       => sub { Ferrion::Char->new(chr hex $_[0]) },
    uuid       => sub { Ferrion::UUID->parse($_[0]) },
    binary     => sub { Ferrion::Binary->new(pack 'H*', $_[0]) },
    string     => sub { "$_[0]" },
    symbol     => sub { Ferrion::Symbol->new($_[0]) },
    list       => sub { items($_[0]) },
    map        => sub { Ferrion::Map->new(map { @{ items($_) } } @{ $_[0] }) },
    array      => sub { Ferrion::Array->new(type($_[0]), items($_[2]), shared($_[1])) },
    described  => sub { Ferrion::Described->new(value($_[0]), value($_[1])) },
);

sub value {
    my ($kind, @rest) = @{ $_[0] };
    return $NUMBERS{$kind}->new(@rest) if $NUMBERS{$kind};
    return ($VALUE{$kind} // die "no such type: $kind\n")->(@rest);
}

# The descriptors that the elements of an array share.
sub shared {
    my ($note) = @_;
    return unless $note;
    my ($kind, undef, @several) = @$note;
    return $kind eq 'descriptors' ? @{ items(\@several) } : value($note);
}

sub items { return [map { value($_) } @{ $_[0] }] }

# The notation of a value, by its class.
my %NOTE = (
    'Ferrion::Boolean'    => sub { [boolean => $_[0] ? JSON::PP::true : JSON::PP::false] },
    'Ferrion::Float'      => sub { [float => narrowed($_[0]->value)] },
    'Ferrion::Decimal32'  => sub { [decimal32 => sprintf '%08x', $_[0]->value] },
    'Ferrion::Decimal64'  => sub { [decimal64 => sprintf '%016x', $_[0]->value] },
    'Ferrion::Decimal128' => sub { [decimal128 => $_[0]->hex] },
    'Ferrion::Char'       => sub { [char => sprintf '%x', $_[0]->ord] },
    'Ferrion::UUID'       => sub { [uuid => $_[0]->text] },
    'Ferrion::Binary'     => sub { [binary => $_[0]->hex] },
    'Ferrion::Symbol'     => sub { [symbol => "$_[0]"] },
    'Ferrion::Described'  => sub { [described => describe($_[0]->descriptor), describe($_[0]->value)] },
    'Ferrion::Array'      => sub {
        my @shared = map { describe($_) } $_[0]->descriptors;
        my $shared = @shared > 1 ? ['descriptors', '' . @shared, @shared] : $shared[0];
        [array => type_name($_[0]->type), $shared, [map { describe($_) } @{ $_[0] }]]
    },
    ARRAY => sub { [list => [map { describe($_) } @{ $_[0] }]] },
    HASH  => sub { [map => [map { [map { describe($_) } @$_] } Ferrion::Map->pairs($_[0])]] },
);

sub describe {
    my ($it) = @_;
    return ['null'] unless defined $it;
    my $class = ref $it;
    return [$CLASSES{$class}, '' . $it->value] if $CLASSES{$class};
    return ($NOTE{$class} // die "no such class: $class\n")->($it) if $class;
    # Perl's own: text, or one of two kinds of numbers.
    my $flags = B::svref_2object(\$it)->FLAGS;
    return [string => $it] if $flags & B::SVf_POK;
    return $flags & B::SVf_IOK ? [long => "$it"] : [double => unpack 'H*', pack 'd>', $it];
}

sub type      { return $_[0] eq 'boolean' ? 'bool'    : $_[0] }
sub type_name { return $_[0] eq 'bool'    ? 'boolean' : $_[0] }

# The double for the octets of a float. What unpack makes of a NaN is not the same NaN.
sub widened {
    my $bits = hex $_[0];
    return unpack 'f>', pack 'H*', $_[0] unless ($bits & 0x7fff_ffff) > 0x7f80_0000;
    return unpack 'd>', pack 'Q>', $bits >> 31 << 63 | 0x7ff << 52 | ($bits & 0x7f_ffff) << 29;
}

# The octets of a float, from the double that it is in.
sub narrowed {
    my ($number) = @_;
    return unpack 'H*', pack 'f>', $number if $number == $number;
    my $bits = unpack 'Q>', pack 'd>', $number;
    return sprintf '%08x', $bits >> 63 << 31 | 0xff << 23 | $bits >> 29 & 0x7f_ffff;
}

# ---- messages ----

# A message in notation, as octets.
sub encode {
    my ($note)  = @_;
    my $message = Ferrion::Message->new;
    my ($header, $properties) = map { $_ // {} } @$note{qw(header properties)};
    for my $name (keys %$header) {
        my $field = value($header->{$name});
        $message->$name($name eq 'ttl' ? $field / 1000 : $HEADER{$name} eq 'Boolean' ? $field : $field->value);
    }
    for my $name (keys %$properties) {
        my $method = $PROPERTIES{$name} // die "no such property: $name\n";
        $message->$method(value($properties->{$name}));
    }
    for my $name (grep { $note->{$_} } keys %SECTIONS) {
        my $method = $SECTIONS{$name};
        $message->$method(value($note->{$name}));
    }
    my ($kind, $content) = @{ $note->{body} };
    if ($kind eq 'value') {
        $message->body(value($content));
    } else {
        $message->body_sections([map { $kind eq 'data' ? Ferrion::Binary->new(pack 'H*', $_) : items($_) } @$content]);
    }
    return $message->encode;
}

# Octets, as a message in notation.
sub decode {
    my ($octets) = @_;
    my $message  = Ferrion::Message->decode_lenient($octets);
    my %note     = (header => {}, properties => {}, body => body($message));
    for my $name (keys %HEADER) {
        $note{header}{$name} = describe("Ferrion::$HEADER{$name}"->new($message->$name));
    }
    $note{header}{ttl} = [uint => sprintf '%.0f', $message->ttl * 1000] if defined $message->ttl;
    for my $name (keys %PROPERTIES) {
        my $method = $PROPERTIES{$name};
        my $field  = $message->$method;
        $note{properties}{$name} = describe($field) if defined $field;
    }
    for my $name (keys %SECTIONS) {
        my $method  = $SECTIONS{$name};
        my $section = $message->$method;
        $note{$name} = describe($section) if defined $section;
    }
    return \%note;
}

sub body {
    my ($message) = @_;
    my $parts = $message->body_sections // return [value => describe($message->body)];
    return [data => [map { $_->hex } @$parts]] if blessed $parts->[0];
    return [sequence => [map { [map { describe($_) } @$_] } @$parts]];
}

my $json = JSON::PP->new->utf8->allow_nonref;
$| = 1;
while (my $line = <STDIN>) {
    chomp $line;
    my ($verb, $what) = split / /, $line, 2;
    my $answer = eval { $verb eq 'encode' ? unpack 'H*', encode($json->decode($what)) : $json->encode(decode(pack 'H*', $what)) };
    # The test shows what went wrong, and goes on with the next case.
    print $answer // 'error: ' . ($@ =~ s/\s+/ /gr), "\n";
}
