package Ferrion::Message;

use strict;
use warnings;
use Scalar::Util qw(blessed refaddr);
use Ferrion::Abi;
use Ferrion::Durations;
use Ferrion::Error;
use Ferrion::Types;

our $VERSION = '0.1.0';

# Stands for a section that was received and not looked at yet.
my $UNREAD = \'unread';

# ---- fields ----

# What a field is to be set to, as the type that it has on the wire.
my %AS = (
    id               => \&_id,
    correlation_id   => \&_id,
    user_id          => sub { _of('Ferrion::Binary', $_[0]) },
    content_type     => sub { _of('Ferrion::Symbol', $_[0]) },
    content_encoding => sub { _of('Ferrion::Symbol', $_[0]) },
    expiry_time      => sub { Ferrion::Timestamp->from_seconds($_[0]) },
    creation_time    => sub { Ferrion::Timestamp->from_seconds($_[0]) },
    group_sequence   => sub { _of('Ferrion::UInt', $_[0]) },
    ttl              => sub { Ferrion::UInt->new(Ferrion::Durations::milliseconds($_[0])) },
);

for my $name (qw(
    id user_id address subject reply_to correlation_id content_type content_encoding expiry_time creation_time group_id
    group_sequence reply_to_group_id ttl
)) {
    no strict 'refs';
    my $number = &{ 'Ferrion::Abi::FERRION_FIELD_' . uc $name }();
    my $as     = $AS{$name};
    *$name = sub {
        my ($self, @value) = @_;
        if (@value) {
            my $value = $as && defined $value[0] ? $as->($value[0]) : $value[0];
            Ferrion::Abi::ferrion_message_set($self->{abi}, $number, $value);
            return $self;
        }
        my $values = Ferrion::Abi::ferrion_message_get($self->{abi}, $number) or return undef;
        return $name eq 'ttl' ? $values->[0] / 1000 : $values->[0];
    };
}

sub durable {
    my ($self, @value) = @_;
    return Ferrion::Abi::ferrion_message_durable($self->{abi}) unless @value;
    Ferrion::Abi::ferrion_message_set_durable($self->{abi}, $value[0] ? 1 : 0);
    return $self;
}

sub priority {
    my ($self, @value) = @_;
    return Ferrion::Abi::ferrion_message_priority($self->{abi}) unless @value;
    Ferrion::Abi::ferrion_message_set_priority($self->{abi}, $value[0]);
    return $self;
}

sub first_acquirer {
    my ($self, @value) = @_;
    return Ferrion::Abi::ferrion_message_first_acquirer($self->{abi}) unless @value;
    Ferrion::Abi::ferrion_message_set_first_acquirer($self->{abi}, $value[0] ? 1 : 0);
    return $self;
}

sub delivery_count {
    my ($self, @value) = @_;
    return Ferrion::Abi::ferrion_message_delivery_count($self->{abi}) unless @value;
    Ferrion::Abi::ferrion_message_set_delivery_count($self->{abi}, $value[0]);
    return $self;
}

# ---- sections ----

my %SECTION = (
    properties   => Ferrion::Abi::FERRION_SECTION_APPLICATION_PROPERTIES,
    annotations  => Ferrion::Abi::FERRION_SECTION_MESSAGE_ANNOTATIONS,
    instructions => Ferrion::Abi::FERRION_SECTION_DELIVERY_ANNOTATIONS,
    footer       => Ferrion::Abi::FERRION_SECTION_FOOTER,
);

for my $name (keys %SECTION) {
    no strict 'refs';
    *$name = sub {
        my ($self, @value) = @_;
        if (@value) {
            Ferrion::Error::Argument->throw("the $name of a message are a reference to a hash")
                if defined $value[0] && (ref $value[0] ne 'HASH');
            $self->{$name} = $value[0];
            return $self;
        }
        if (_is_unread($self->{$name})) {
            my $values = Ferrion::Abi::ferrion_message_section($self->{abi}, $SECTION{$name});
            $self->{$name} = $values ? $values->[0] : undef;
        }
        return $self->{$name};
    };
}

sub body {
    my ($self, @value) = @_;
    if (@value) {
        $self->{inferred} = 0 if _is_unread($self->{inferred});
        @$self{qw(body borders)} = ($value[0], []);
        return $self;
    }
    $self->_read_body if _is_unread($self->{body});
    return $self->{body};
}

sub inferred {
    my ($self, @value) = @_;
    $self->_read_body if _is_unread($self->{body}) || _is_unread($self->{inferred});
    return $self->{inferred} unless @value;
    $self->{inferred} = $value[0] ? 1 : 0;
    return $self;
}

sub body_sections {
    my ($self, @value) = @_;
    if (@value) {
        my ($sections) = @value;
        return $self->body(undef) unless defined $sections;
        Ferrion::Error::Argument->throw('the sections of a body are several: a reference to an array of octets, or of arrays')
            unless ref $sections eq 'ARRAY' && @$sections;
        Ferrion::Error::Argument->throw('the sections of a body are all Ferrion::Binary, or all references to arrays')
            unless @$sections == grep({ _is_data($_) } @$sections) || @$sections == grep { ref $_ eq 'ARRAY' } @$sections;
        $self->_join(@$sections);
        $self->{inferred} = 1;
        return $self;
    }
    my $body = $self->body;
    return undef unless $self->inferred && (_is_data($body) || ref $body eq 'ARRAY');
    return [$self->_sections];
}

# ---- whole messages ----

sub new {
    my ($class, @fields) = @_;
    Ferrion::Error::Argument->throw("a $class is made of names and values: body => 'Hello', address => '127.0.0.1/queue'")
        if @fields % 2;
    my $self = bless {
        abi => Ferrion::Abi::ferrion_message_new() // Ferrion::Error->throw('there is no memory'),
    }, $class;
    $self->_forget;
    while (my ($name, $value) = splice @fields, 0, 2) {
        Ferrion::Error::Argument->throw("a $class has no field " . ($name // 'undef')) unless defined $name && $class->_has_field($name);
        $self->$name($value);
    }
    return $self;
}

my %FIELDS = map { $_ => 1 } keys %SECTION, keys %AS, qw(
    address subject reply_to group_id reply_to_group_id durable priority first_acquirer delivery_count body inferred body_sections
);

sub _has_field { return $FIELDS{ $_[1] } }

sub clear {
    my ($self) = @_;
    Ferrion::Abi::ferrion_message_clear($self->{abi});
    $self->_forget;
    return $self;
}

sub encode { return Ferrion::Abi::ferrion_message_encode($_[0]->to_abi) }

sub decode {
    my ($self, $octets) = @_;
    $self = $self->new unless ref $self;
    Ferrion::Abi::ferrion_message_decode($self->{abi}, $octets);
    $self->_received;
    return $self;
}

sub decode_lenient {
    my ($self, $octets) = @_;
    $self = $self->new unless ref $self;
    Ferrion::Abi::ferrion_message_decode_lenient($self->{abi}, $octets);
    $self->_received;
    return $self;
}

sub copy {
    my ($self) = @_;
    my $copy = (ref $self)->new;
    Ferrion::Abi::ferrion_message_copy($copy->{abi}, $self->to_abi);
    $copy->_received;
    return $copy;
}

# ---- for the Messenger ----

# The object of the header, with what is kept here handed over. What was received and not looked at stays as it came.
sub to_abi {
    my ($self) = @_;
    $self->_write_body unless _is_unread($self->{body});
    for my $name (keys %SECTION) {
        my $section = $self->{$name};
        next if _is_unread($section);
        $section = with_symbols($section) if defined $section && $name ne 'properties';
        Ferrion::Abi::ferrion_message_set_section($self->{abi}, $SECTION{$name}, $section // Ferrion::Abi::row());
    }
    return $self->{abi};
}

# Lets another message be put behind this one by a call that gets the object of the header.
sub received_by {
    my ($self, $call) = @_;
    my $answer = $call->($self->{abi});
    $self->_received if $answer;
    return $answer;
}

# Annotations as they go out: keys that are text become the symbols that AMQP wants there.
sub with_symbols {
    my ($hash) = @_;
    return Ferrion::Map->new(map {
        my ($key, $value) = @$_;
        (ref $key || Ferrion::Abi::is_whole($key) ? $key : Ferrion::Symbol->new($key), $value)
    } (tied %$hash ? Ferrion::Map->pairs($hash) : map { [$_, $hash->{$_}] } sort keys %$hash));
}

# ---- helpers ----

sub _is_unread { return ref $_[0] && refaddr $_[0] == refaddr $UNREAD }
sub _is_data   { return blessed $_[0] && ref $_[0] eq 'Ferrion::Binary' }

sub _of {
    my ($class, $value) = @_;
    return blessed $value && $value->isa($class) ? $value : $class->new($value);
}

# An id that is a plain number is a ulong, as there are no others.
sub _id { return Ferrion::Abi::is_whole($_[0]) ? Ferrion::ULong->new($_[0]) : $_[0] }

sub _forget {
    my ($self) = @_;
    @$self{ 'body', keys %SECTION } = ();
    @$self{qw(inferred borders)} = (0, []);
    return;
}

sub _received {
    my ($self) = @_;
    @$self{ 'body', 'inferred', keys %SECTION } = ($UNREAD) x (2 + keys %SECTION);
    $self->{borders} = [];
    return;
}

sub _read_body {
    my ($self) = @_;
    my ($kind, $values) = Ferrion::Abi::ferrion_message_body($self->{abi});
    my $is_value = $kind == Ferrion::Abi::FERRION_BODY_VALUE;
    $self->{inferred} = $is_value ? 0 : 1 if _is_unread($self->{inferred});
    return unless _is_unread($self->{body});
    if ($is_value) {
        @$self{qw(body borders)} = ($values->[0], []);
    } else {
        $self->_join(@$values);
    }
    return;
}

# Makes the body what is in these sections, and remembers where one ends and the next begins.
sub _join {
    my ($self, @sections) = @_;
    if (@sections == 1) {
        @$self{qw(body borders)} = ($sections[0], []);
    } elsif (_is_data($sections[0])) {
        $self->{body} = Ferrion::Binary->new(join '', map { $_->octets } @sections);
        $self->{borders} = [map { length $_->octets } @sections];
    } else {
        $self->{body}    = [map { @$_ } @sections];
        $self->{borders} = [map { scalar @$_ } @sections];
    }
    return;
}

# The sections of a body of data or of a sequence: one, if it has another length than the ones that it came in.
sub _sections {
    my ($self) = @_;
    my $body    = $self->{body};
    my @borders = @{ $self->{borders} };
    my $length  = _is_data($body) ? length $body->octets : @$body;
    my $whole   = 0;
    $whole += $_ for @borders;
    return $body if !@borders || $whole != $length;
    my $begin = 0;
    return map {
        my $from = $begin;
        $begin += $_;
        _is_data($body) ? Ferrion::Binary->new(substr $body->octets, $from, $_) : [@$body[$from .. $begin - 1]]
    } @borders;
}

sub _write_body {
    my ($self) = @_;
    my ($abi, $body) = @$self{qw(abi body)};
    my $inferred = !_is_unread($self->{inferred}) && $self->{inferred};
    if ($inferred && _is_data($body)) {
        Ferrion::Abi::ferrion_message_set_body($abi, Ferrion::Abi::FERRION_BODY_DATA, Ferrion::Abi::row($self->_sections));
    } elsif ($inferred && ref $body eq 'ARRAY') {
        Ferrion::Abi::ferrion_message_set_body($abi, Ferrion::Abi::FERRION_BODY_SEQUENCE, Ferrion::Abi::row($self->_sections));
    } else {
        Ferrion::Abi::ferrion_message_set_body($abi, Ferrion::Abi::FERRION_BODY_VALUE, $body);
    }
    return;
}

1;

__END__

=encoding utf8

=head1 NAME

Ferrion::Message - a message with all its sections

=head1 SYNOPSIS

    my $message = Ferrion::Message->new(address => '127.0.0.1/queue', body => 'Hello World!', durable => 1);
    $message->subject('greeting')->properties({ colour => 'green' });
    print $message->body;

=head1 DESCRIPTION

It can be used again and again, for sending and for receiving. Each field is read without an argument, C<undef> if it is absent, and set
with one, which answers the message; C<undef> takes it back. For values see L<Ferrion::Types>.

=head1 METHODS

=over

=item new(%fields)

A message with these fields, by the names below.

=item encode

The message as AMQP 1.0 encodes it, as octets.

=item decode_lenient($octets)

The same, but a message without a body has the body undef. Some peers leave it out.

=item decode($octets)

Makes this the message that is encoded here, or as C<< Ferrion::Message->decode($octets) >> a new one; answers it.

=item copy

A message of its own, equal to this one.

=item clear

Makes this a new message.

=back

=head2 Content

=over

=item body

Any value.

=item inferred

Whether the kind of the body's section follows from the body: a C<Ferrion::Binary> travels as data, a reference to an array as a
sequence. Otherwise, and for all else, the body is a single AMQP value.

=item body_sections

A reference to the sections that the body is in: of data a C<Ferrion::Binary> each, of a sequence a reference to an array each; C<undef>
if it is a single value. C<body> is all that is in them, and goes out in the same ones unless its length changes.

=item properties

The application's properties: a reference to a hash. It is the message's own: changes to it go out with the message.

=item annotations, instructions, footer

The message annotations, for every node on the way; the delivery annotations, for the next node only; and the footer. Likewise, with
symbols as keys; text becomes such.

=back

=head2 Properties

=over

=item id, correlation_id

A C<Ferrion::ULong>, as which a plain number goes, a C<Ferrion::UUID>, a C<Ferrion::Binary> or text.

=item user_id

The user that made the message, a C<Ferrion::Binary>.

=item address, subject, reply_to, group_id, reply_to_group_id

Text.

=item content_type, content_encoding

Of a body of data, a C<Ferrion::Symbol>, as which text goes.

=item creation_time, expiry_time

A C<Ferrion::Timestamp>, as which seconds go, such as C<time> gives.

=item group_sequence

The place in the group, a C<Ferrion::UInt>.

=back

=head2 Header

=over

=item durable

Whether the message must survive a crash of the node it is on.

=item priority

4 unless set.

=item ttl

How many seconds the message is worth delivering; C<undef> is for ever.

=item first_acquirer

Whether no other receiver has acquired the message before.

=item delivery_count

How many deliveries of the message failed before.

=back

=cut
