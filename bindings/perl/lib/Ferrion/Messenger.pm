package Ferrion::Messenger;

use strict;
use warnings;
use Ferrion::Abi;
use Ferrion::Constants;
use Ferrion::Durations;
use Ferrion::Error;
use Ferrion::Message;
use Ferrion::Settings;
use Ferrion::Subscription;
use Ferrion::Waiting;

our $VERSION = '0.1.0';
our @ISA     = qw(Ferrion::Settings Ferrion::Waiting);

use constant MOST => 2**31 - 1;

sub new {
    my ($class, $name) = @_;
    my $abi = Ferrion::Abi::ferrion_messenger_new($name) // Ferrion::Error::Messenger->throw(Ferrion::Abi::ferrion_last_error());
    Ferrion::Abi::ferrion_messenger_set_blocking($abi, 0);
    return bless { abi => $abi, blocking => 1, waiting => 0 }, $class;
}

# ---- life ----

sub name { return Ferrion::Abi::ferrion_messenger_name($_[0]{abi}) }

sub start {
    my ($self) = @_;
    return $self->_in_time(sub { Ferrion::Abi::ferrion_messenger_start($self->{abi}) });
}

sub stop {
    my ($self) = @_;
    return $self->_wait(undef, sub { Ferrion::Abi::ferrion_messenger_stop($self->{abi}) });
}

sub stopped { return Ferrion::Abi::ferrion_messenger_stopped($_[0]{abi}) }

sub address_error {
    my ($self, $address) = @_;
    my $reason = Ferrion::Abi::ferrion_messenger_address_reason($self->{abi}, $address);
    return undef unless defined $reason;
    my $status = Ferrion::Abi::ferrion_messenger_address_status($self->{abi}, $address);
    return Ferrion::Error::from_abi($reason, $status, scalar Ferrion::Abi::ferrion_messenger_address_condition($self->{abi}, $address));
}

sub remote_idle_timeout {
    my ($self, $address) = @_;
    my $silence = Ferrion::Abi::ferrion_messenger_remote_idle_time_out($self->{abi}, $address);
    return defined $silence ? Ferrion::Durations::seconds($silence) : undef;
}

# ---- sending ----

sub put {
    my ($self, $message) = @_;
    my $its = _abi_of($message);
    return $self->_when_there_is_room(sub { Ferrion::Abi::ferrion_messenger_put($self->{abi}, $its) });
}

sub put_many {
    my ($self, @messages) = @_;
    my @trackers;
    local $@;
    for my $message (@messages) {
        next if eval { push @trackers, $self->put($message); 1 };
        my $error = $@;
        $error->{trackers} = \@trackers if ref $error && $error->isa('Ferrion::Error');
        die $error;
    }
    return @trackers;
}

sub put_encoded {
    my ($self, $address, $octets) = @_;
    return $self->_when_there_is_room(sub { Ferrion::Abi::ferrion_messenger_put_encoded($self->{abi}, $address, $octets) });
}

sub forward {
    my ($self, $message, $address) = @_;
    my $its = _abi_of($message);
    return $self->_when_there_is_room(sub { Ferrion::Abi::ferrion_messenger_forward($self->{abi}, $its, $address) });
}

sub send {
    my ($self, $count) = @_;
    my $goal = defined $count && $count >= 0 ? $self->outgoing - $count : undef;
    $goal = 0 if defined $goal && $goal < 0;
    return $self->_in_time(sub {
        my $more = defined $goal ? $self->outgoing - $goal : -1;
        $more = $more < 0 ? 0 : $more > MOST ? MOST : $more if defined $goal;
        return Ferrion::Abi::ferrion_messenger_send($self->{abi}, $more);
    });
}

sub outgoing         { return Ferrion::Abi::ferrion_messenger_outgoing($_[0]{abi}) }
sub outgoing_tracker { return Ferrion::Abi::ferrion_messenger_outgoing_tracker($_[0]{abi}) }
sub buffered         { return Ferrion::Abi::ferrion_messenger_buffered($_[0]{abi}, $_[1]) }

# ---- receiving ----

sub subscribe {
    my ($self, $address, @options) = @_;
    my $asked = @options ? Ferrion::Subscription::options(@options) : undef;
    my $subscription = Ferrion::Subscription->new($self->{abi},
        Ferrion::Abi::ferrion_messenger_subscribe_with($self->{abi}, $address, $asked));
    # The name of an address to listen on may have to be looked up, and there may be no such address here.
    if ($address =~ m{\A(?:[a-z]+://)?~} && $self->_waits) {
        $self->_in_time(sub {
            return 1 if defined $subscription->port;
            my $error = $self->address_error($address);
            die $error if $error;
            return !1;
        });
    }
    return $subscription;
}

sub unsubscribe {
    my ($self, $subscription, %how) = @_;
    Ferrion::Error::Argument->throw('a Ferrion::Subscription is wanted')
        unless Scalar::Util::blessed($subscription) && $subscription->isa('Ferrion::Subscription');
    my $keep = delete $how{keep} ? 1 : 0;
    Ferrion::Error::Argument->throw("unsubscribe has no option $_") for sort keys %how;
    return $self->_in_time(sub {
        return Ferrion::Abi::ferrion_messenger_unsubscribe($self->{abi}, $subscription->{bits}, $keep);
    });
}

sub recv {
    my ($self, $count) = @_;
    $count //= -1;
    $count = $count < -2 ? -2 : $count > MOST ? MOST : $count;
    return $self->_in_time(sub {
        return $self->_waits ? Ferrion::Abi::ferrion_recv_at_once($self->{abi}, $count)
                             : Ferrion::Abi::ferrion_messenger_recv($self->{abi}, $count);
    });
}

sub incoming         { return Ferrion::Abi::ferrion_messenger_incoming($_[0]{abi}) }
sub receiving        { return Ferrion::Abi::ferrion_messenger_receiving($_[0]{abi}) }
sub incoming_tracker { return Ferrion::Abi::ferrion_messenger_incoming_tracker($_[0]{abi}) }

sub get {
    my ($self, $message) = @_;
    $message //= Ferrion::Message->new;
    _abi_of($message);
    $message->received_by(sub { Ferrion::Abi::ferrion_messenger_get($self->{abi}, $_[0]); 1 });
    return $message;
}

sub get_many {
    my ($self, $most) = @_;
    my $count = $self->incoming;
    $count = $most if defined $most && $most < $count;
    my @messages;
    local $@;
    for (1 .. $count) {
        next if eval { push @messages, $self->get; 1 };
        my $error = $@;
        $error->{messages} = \@messages if ref $error && $error->isa('Ferrion::Error');
        die $error;
    }
    return @messages;
}

sub next {
    my ($self) = @_;
    my $tracker = delete $self->{handed_out};
    $self->accept($tracker)
        if defined $tracker && $self->incoming_window != 0 && $self->status($tracker) == Ferrion::Constants::PENDING;
    return undef unless $self->incoming || $self->recv || $self->incoming;
    my $message = $self->get;
    $self->{handed_out} = $self->incoming_tracker;
    return $message;
}

sub incoming_subscription {
    my ($self) = @_;
    my $bits = Ferrion::Abi::ferrion_messenger_incoming_subscription($self->{abi});
    return defined $bits ? Ferrion::Subscription->new($self->{abi}, $bits) : undef;
}

# ---- requests ----

sub request {
    my ($self, $message) = @_;
    # It says what to do instead.
    Ferrion::Abi::ferrion_messenger_request($self->{abi}, _abi_of($message), Ferrion::Message->new->to_abi) unless $self->_waits;
    my $request = $self->send_request($message);
    local $@;
    my $reply   = eval { $self->reply($request) };
    my $error   = $@;
    # Nothing is left of it, whatever ended the waiting.
    $self->cancel_request($request);
    return $reply // die $error;
}

sub send_request {
    my ($self, $message) = @_;
    return Ferrion::Abi::ferrion_messenger_send_request($self->{abi}, _abi_of($message));
}

sub reply {
    my ($self, $request) = @_;
    return $self->_wait(undef, sub { $self->poll_reply($request) }) if $self->_waits;
    my $reply = Ferrion::Message->new;
    $reply->received_by(sub { Ferrion::Abi::ferrion_messenger_reply($self->{abi}, $request, $_[0]); 1 });
    return $reply;
}

sub poll_reply {
    my ($self, $request) = @_;
    my $reply = Ferrion::Message->new;
    return $reply->received_by(sub { Ferrion::Abi::ferrion_messenger_poll_reply($self->{abi}, $request, $_[0]) }) ? $reply : undef;
}

sub cancel_request { return Ferrion::Abi::ferrion_messenger_cancel_request($_[0]{abi}, $_[1]) ? 1 : !1 }
sub requests       { return Ferrion::Abi::ferrion_messenger_requests($_[0]{abi}) }

sub reply_to {
    my ($self, $message, $body, $tracker) = @_;
    $tracker //= $self->incoming_tracker // 0;
    my $its   = _abi_of($message);
    my $reply = Ferrion::Message->new;
    $reply->received_by(sub { Ferrion::Abi::ferrion_messenger_reply_to($self->{abi}, $tracker, $its, $_[0]); 1 });
    return $reply->body($body);
}

# ---- outcomes ----

sub accept {
    my ($self, @which) = @_;
    return $self->_decide('accept', \@which, [], sub { Ferrion::Abi::ferrion_messenger_accept($self->{abi}, @_) });
}

sub reject {
    my ($self, @which) = @_;
    return $self->_decide('reject', \@which, [qw(condition description info)], sub {
        my ($tracker, $flags, %reason) = @_;
        Ferrion::Abi::ferrion_messenger_reject($self->{abi}, $tracker, $flags, @reason{qw(condition description)}, _extra($reason{info}));
    });
}

sub release {
    my ($self, @which) = @_;
    return $self->_decide('release', \@which, [], sub { Ferrion::Abi::ferrion_messenger_release($self->{abi}, @_) });
}

sub modify {
    my ($self, @which) = @_;
    return $self->_decide('modify', \@which, [qw(failed undeliverable_here annotations)], sub {
        my ($tracker, $flags, %how) = @_;
        my $failed = !exists $how{failed} || $how{failed};
        Ferrion::Abi::ferrion_messenger_modify(
            $self->{abi}, $tracker, $flags, $failed ? 1 : 0, $how{undeliverable_here} ? 1 : 0, _extra($how{annotations})
        );
    });
}

sub settle {
    my ($self, @which) = @_;
    $which[0] //= $self->outgoing_tracker;
    return unless defined $which[0];
    # Without a tracker it is all that were put.
    $which[1] = Ferrion::Constants::CUMULATIVE if !defined $_[1];
    return $self->_decide('settle', \@which, [], sub { Ferrion::Abi::ferrion_messenger_settle($self->{abi}, @_) });
}

sub status { return Ferrion::Constants::status(Ferrion::Abi::ferrion_messenger_status($_[0]{abi}, $_[1])) }

sub reason                { return Ferrion::Abi::ferrion_messenger_reason($_[0]{abi}, $_[1]) }
sub reason_code           { return Ferrion::Abi::ferrion_messenger_reason_status($_[0]{abi}, $_[1]) }
sub condition             { return Ferrion::Abi::ferrion_messenger_condition($_[0]{abi}, $_[1]) }
sub condition_description { return Ferrion::Abi::ferrion_messenger_condition_description($_[0]{abi}, $_[1]) }

sub condition_info {
    my ($self, $tracker) = @_;
    my $values = Ferrion::Abi::ferrion_messenger_condition_info($self->{abi}, $tracker);
    return $values ? $values->[0] : undef;
}

# ---- helpers ----

sub _abi_of {
    my ($message) = @_;
    Ferrion::Error::Argument->throw('a Ferrion::Message is wanted, not ' . ($message // 'undef'))
        unless Scalar::Util::blessed($message) && $message->isa('Ferrion::Message');
    return $message->to_abi;
}

sub _in_time {
    my ($self, $call) = @_;
    return $self->_wait(Ferrion::Waiting::_deadline_in($self->timeout), $call);
}

# Puts; when there is no room, waits for some.
sub _when_there_is_room {
    my ($self, $put) = @_;
    my $deadline = Ferrion::Waiting::_deadline_in($self->timeout);
    local $@;
    while (1) {
        my $tracker = eval { $put->() };
        return $tracker if defined $tracker;
        my $error = $@;
        die $error
            if !ref $error || !$error->isa('Ferrion::Error::Overflow') || !$self->_waits
            || (defined $deadline && Ferrion::Durations::now() >= $deadline);
        $self->_work_until($deadline);
    }
}

# A tracker, flags if they are given, and named reasons. Without a tracker it is all that have no outcome yet.
sub _decide {
    my ($self, $what, $which, $known, $call) = @_;
    my ($tracker, @rest) = @$which;
    my $flags = @rest % 2 ? shift(@rest) // 0 : 0;
    my %named = @rest;
    for my $name (keys %named) {
        Ferrion::Error::Argument->throw("$what has no option $name") unless grep { $_ eq $name } @$known;
    }
    if (!defined $tracker) {
        $tracker = $self->incoming_tracker;
        return unless defined $tracker;
        $flags = Ferrion::Constants::CUMULATIVE;
    }
    $call->($tracker, $flags, %named);
    return;
}

sub _extra {
    my ($map) = @_;
    return Ferrion::Abi::row() unless defined $map && %$map;
    return Ferrion::Message::with_symbols($map);
}

require Scalar::Util;

1;

__END__

=encoding utf8

=head1 NAME

Ferrion::Messenger - sends and receives messages, and looks after the connections for that

=head1 SYNOPSIS

    my $messenger = Ferrion::Messenger->new;
    $messenger->subscribe('~0.0.0.0');
    while (my $message = $messenger->next) { print $message->body, "\n" }

=head1 DESCRIPTION

C<put>, C<get>, C<accept> and the like do not touch the network, but that C<put> begins to send what it has, without waiting, each time
that this is worth a write (32 KiB), though not in passive mode. C<send>, C<recv>, C<next>, C<request>, C<stop> and C<work> (and C<put>,
when too much waits already) do, for everything, while they wait. They wait for the timeout and then die of a C<Ferrion::Error::Timeout>. Handlers of signals run meanwhile.

Addresses are written C<[amqp[s]://][user[:password]@]host[:port][/name]>; C<~host[:port]> listens. C<ws://> and C<wss://> go through
WebSocket.

Settings are read without an argument and set with one; those that can only be set have C<set> or a verb in their names. All answer the
messenger when they set, and concern what is done from then on. Times are in seconds, and C<undef> is for ever.

What became of a message is told by its tracker, a number:

    UNKNOWN     it is outside its window, was settled and forgotten, or never was
    PENDING     no outcome yet
    ACCEPTED    the receiver accepted the message
    REJECTED    the receiver rejected the message as invalid
    RELEASED    the receiver gave the message back, untouched
    MODIFIED    the receiver gave the message back, with changes
    ABORTED     the message was not sent, or its fate cannot be known any more
    SETTLED     the other side settled the message without saying how it ended

=head1 METHODS

=head2 Life

=over

=item new($name)

Peers see the name, and reply by it; without one it is made up.

=item name

The name that peers see.

=item start

Begins to work. Nothing needs it but checked routes, see C<set_check_routes>, which it tries: it connects to where they lead, and waits
until all of those peers have answered. In non-blocking and passive mode it answers false until that is known: work, then start again.

=item stop

Sends what is unsent, closes all connections in order and forgets all subscriptions. Takes no longer than the timeout, or 10 seconds if
there is none; it dies if messages were given up. The messenger can be used again. Messages that came and were not taken are given back
to their senders; those that were sent settled, which nobody else has any more, stay for C<get>. In non-blocking and passive mode it answers false if it
is not finished: work, then stop again. A messenger that is let go without closes its connections at once.

=item stopped

Whether there are neither connections nor listeners.

=item address_error($address)

What went wrong last at an address, as the L<Ferrion::Error> that it is, also where all is well again since; C<undef> if nothing did.

=item remote_idle_timeout($address)

After how many seconds of silence the peer at an address gives the connection up, as it said; C<undef> if it never does, or there is no
connection to it.

=back

=head2 Sending

=over

=item put($message)

Queues a message for the address that it carries, and answers its tracker, which tells later what became of it if the outgoing window is
larger than 0. Waits if too much waits already; dies of a C<Ferrion::Error::Overflow> after the timeout.

=item put_many(@messages)

Puts one message after the other, and answers their trackers. An error has those of the messages before as its C<trackers>.

=item put_encoded($address, $octets)

Puts a message that is encoded already, for an address that need not be the one it carries. Nothing in it is changed.

=item forward($message, $address)

Sends a message on to another address. What of it was not looked at goes as it came.

=item send($count)

Waits until so many messages fewer are unsent than now, or, without an argument, all are sent: acknowledged, or, with an outgoing window
of 0, taken by the system. Answers true; in non-blocking and passive mode false if it is not so yet.

=item outgoing

How many messages were put and are not sent yet.

=item outgoing_tracker

The tracker of the last message that was put.

=item buffered($tracker)

Whether a message still waits in this process. If not, that does not mean that it arrived.

=back

=head2 Receiving

=over

=item subscribe($address, %options)

Receives from an address, or with C<~host[:port]> from everyone who connects there; port 0 takes a free one. Answers a subscription, which
tells its C<port>, if it listens; its C<address>, for a dynamic node (C<#>) where others can send to, once the peer told; and its
C<source>, a reference to a hash by the names of part 3.5.3 of the specification, of what the peer granted of what was asked for.
The options are:

    ttl                 for how many seconds the peer is to keep the subscription after the link was lost
    name                names the subscription: a peer that kept it finds it again by this and the name of the messenger
    durable             names it, and asks the peer to keep it, and what comes for it, also while nobody is there
    selector            a JMS selector: only messages come for which it is true
    no_local            whether no messages come that were sent over the same connection
    filters             a hash of filters by names of one's own choice, each a Ferrion::Described
    filters_optional    whether to receive also if the peer does not apply them all; that is one of the warnings then
    copies              whether to take copies of messages, which stay there for others
    distribution_mode   how the peer distributes messages: "move", "copy", or what else it knows
    capabilities        what the node must be able to do: an array, of "topic" or "shared" for example
    node_properties     a hash: what kind of node is to be made up, for the address "#"
    link_properties     a hash: properties of the link
    credit              how many messages may be under way, or wait to be got

=item unsubscribe($subscription, keep => $keep)

Ends a subscription, and waits until the peer has answered that. With C<keep>, what the peer keeps under its name stays there, and is
found again by who subscribes with that name; otherwise it ends there too, also if its connection is lost at present: that is then made
again for it.

What came and has no outcome, got or not, goes back to whom it came from, and its trackers say RELEASED; what was sent settled stays for
C<get>, and until the peer has answered, for two seconds at most, more of that may come. Of a listening address nobody is let in any more, and who is connected can send nothing more.

Answers true, also if it has ended before; in non-blocking and passive mode false if the peer has not answered: C<work>, then call it
again. If it cannot be ended at the peer, call it again to try again, or with C<keep> to leave it there; but not otherwise than before
while the peer has not answered.

=item next

Waits for the next message, and answers it; accepts the one before, unless something else was decided about it. In non-blocking and passive
mode C<undef> if nothing waits.

=item recv($count)

Lets so many messages come, and waits until at least one is there. Without an argument, or with -1, as many come as are taken with
C<get>; with -2 what was let come before may still come where it was, and nothing more. Each call replaces what the one before it asked
for. Answers true; in non-blocking and passive mode false if no message is there yet.

=item get($message)

Takes the oldest message received, and answers it: a new one, or that of the argument, in place of what it was. With an incoming window
of 0 this accepts it; otherwise it is the C<incoming_tracker> that C<accept> and its like are for. Dies of a C<Ferrion::Error::EndOfQueue> if
no message waits.

=item get_many($most)

Takes the messages that wait, oldest first. An error has those before as its C<messages>.

=item incoming

How many messages wait for C<get>.

=item receiving

How many messages may still come without another C<recv>.

=item incoming_tracker

The tracker of the last message that was got.

=item incoming_subscription

The subscription by which the last message that was got came. Subscriptions compare with C<==>.

=back

=head2 Requests

=over

=item request($message)

Sends a request to the address that it carries, waits for the reply, at most for the timeout, and answers it.

=item send_request($message)

Sends a request, and does not wait. The number answered is for C<reply>, C<poll_reply> and C<cancel_request>. The time for the reply is the
timeout that is set now. There may be many requests; when a connection is made again, those without a reply are sent again.

=item reply($request)

Waits for the reply to a request. Dies when its time is over, or of what else ended it, and then there is no such request any more. In
non-blocking and passive mode it dies of a C<Ferrion::Error::WouldBlock> until the reply is there.

=item poll_reply($request)

The reply to a request, if it has come. Does not touch the network: work in between.

=item cancel_request($request)

Gives a request up: it is not sent any more if it was not yet, and a reply is dropped. Tells whether there was such a request.

=item requests

How many requests wait for their reply.

=item reply_to($message, $body, $tracker)

A reply to a message that was got, to be put: addressed to its C<reply_to>, and with its correlation id, or else its id. The message is the
last one that was got, or that of the tracker.

=back

=head2 Outcomes

The tracker may be left out: then it is for all messages that have no outcome yet. After it there may be C<CUMULATIVE>: then it is also for
every message in the window before that has none.

=over

=item accept($tracker, $flags)

Takes responsibility for a message that was got.

=item reject($tracker, $flags, %reason)

Refuses a message that was got as invalid. The reason is a C<condition>, a C<description> for people, and C<info>, a hash with more for
programs that know the condition.

=item release($tracker, $flags)

Gives a message that was got back as if it had never come.

=item modify($tracker, $flags, %how)

Gives a message that was got back with changes: whether the attempt counts as C<failed>, which it does unless told otherwise, whether the
message is C<undeliverable_here>, and C<annotations> to add, a hash.

=item settle($tracker, $flags)

Forgets a message of either direction; without a tracker all that were put.

=item status($tracker)

What became of a message in the window.

=item reason($tracker), reason_code($tracker)

Why a message that was put was not accepted, for a person, and the C<code> that this has as an error.

=item condition($tracker), condition_description($tracker), condition_info($tracker)

The error condition with which a message that was put was refused, C<amqp:not-found> for example, and the text for people and the map
that came with it.

=back

=head2 Waiting

=over

=item timeout

How many seconds waiting calls wait; C<undef>, the default, is for ever.

=item blocking

Whether waiting calls wait, which is the default. Otherwise they do what can be done at once, and answer false or die of a
C<Ferrion::Error::WouldBlock> if that is not all.

=item passive

Whether only C<work> touches the network, and a loop of the script's own waits: for C<fileno> to become readable, or for C<due_in> to pass.
Then C<work(0)> does what there is to do.

=item fileno

The descriptor that C<select> and its like watch, for reading only. It never changes, and is not to be read from or closed.

=item due_in

In how many seconds C<work> has to be called whether or not there is news; 0 is now, C<undef> not at all. To be asked again after each call.

=item work($timeout)

Does network work until something happened, at most for so many seconds. Tells whether anything did: octets came or left, or a time was
over, of a connection, of a request or of a stop that was begun.

=item interrupt

Makes the call that waits on this messenger, or else the next one that would, die of a C<Ferrion::Error::Interrupted>. For handlers of
signals.

=item interrupter

An object whose C<interrupt> does the same, also from other threads, and nothing once the messenger is gone.

=back

=head2 Windows and limits

=over

=item outgoing_window

How many of the last messages put have a status; negative is all. With 0, the default, nobody asks whether they arrived.

=item incoming_window

How many of the last messages got wait for a decision; negative is all. With 0, the default, getting accepts.

=item high_water($messages, $octets)

How many messages, and how many octets of them, may wait to be sent before C<put> waits.

=item incoming_high_water($messages, $octets)

How many messages, and how many octets of them, may wait for C<get>, whatever C<recv> asked for. A negative number of messages is as many
as that lets come. A single message gets through whatever its size.

=item limit($name), limit($name, $number)

What each connection may make the messenger hold or wait for, whether it is made or accepted, on those that are made from then on:
C<connection_octets>, C<links_per_session>, C<unsettled_per_session> and the others of the table in F<SECURITY.md>. Who listens for many
peers that are not trusted lowers what its clients do not need.

=item max_frame_size($octets)

The largest frame that is taken, on connections made from then on: 65,536 unless set, or with C<link_recovery> 1,048,576. To set undef is
the default again.

=item all_partial_octets($octets)

The most octets that messages of which more is to come hold on all connections together that listeners accepted; 1 GiB unless set. Beyond
it whoever holds most then is refused, and one of the C<warnings> says who that was.

=back

=head2 Routes

=over

=item route($pattern, $address)

Messages whose address matches the pattern go to this address instead. C<%> matches anything but C</>, C<*> anything; C<$1>, C<$2> ... in
the address are what they matched.

=item rewrite($pattern, $address)

Messages whose address matches the pattern carry this address instead, or with C<undef> none; they go where they would have gone.

=item remove_route($pattern), remove_rewrite($pattern)

Removes the first one with this pattern; tells whether there was one.

=item clear_rules

Removes all routes and rewrites.

=item set_check_routes($check)

Whether C<start> tries the routes, and dies if one of them leads nowhere. Those are tried whose host and port are the same whatever
matches.

=back

=head2 Logging in

=over

=item set_credentials($user, $password)

For addresses that carry none. They go by SCRAM, which shows the password to nobody, where the peer offers it, or else by PLAIN.

=item set_token($token)

An OAuth 2.0 token to log in with (OAUTHBEARER, or else XOAUTH2) to addresses that carry no password; the user is that of
C<set_credentials>. Set the next one before it expires: connections are made again with the last one.

=item allow_plain_without_tls($allow)

Whether passwords and tokens may go in clear over connections without TLS to other machines.

=item set_listener_user($user, $password)

Admits a user to listening addresses, or no longer if the password is C<undef>. Before the first user is
named everyone is admitted; when the last is taken away, nobody.

=item set_listener_token($user, $token)

Admits who shows this token as this user to listening addresses, or no longer if the token is C<undef>. A user has one token; the empty
user is for tokens that come without a user's name.

=back

=head2 TLS and WebSocket

=over

=item set_certificate($certificate, $private_key)

Reads the certificate that is shown to peers, and that is needed to listen on C<amqps://~>: files in PEM form, of a chain, the own one
first, and of its key, which may be in the same file.

=item set_trusted_certificates($file)

Reads the file (PEM form) with the certificates of the authorities that are trusted to say who is who, instead of those whom the system
trusts.

=item dangerous_accept_any_certificate($accept)

For experiments only: connects to whoever answers, with whatever certificate, so that anybody on the way can read and change everything.

=item set_client_certificates($what)

What C<amqps://~> listeners do about certificates of those who connect: with C<ignore> none is asked for; with C<accept> one is, and must be
good if it is shown; with C<require> nobody comes in without a good one.

=item listeners_allow_plain($allow)

Whether those who connect to C<amqps://~> listeners may also begin without TLS, on the same port.

=item set_websocket_path($path)

Which path is asked for on C<ws://> and C<wss://>, and which one such listeners insist on.

=item set_handshake_timeout($seconds)

How long the two sides of a new connection may take to agree on TLS and WebSocket, and then as long again for the login and the opening
of AMQP, on connections made from then on; 30 seconds unless set.

=back

=head2 Connections

=over

=item set_idle_timeout($seconds)

After how long a silent peer is given up, on connections made from then on; C<undef> is never. Peers made of ferrion refuse less than
0.2 seconds.

=item reconnect

How connections that were lost are made again, C<< Ferrion::Reconnect->new(first_delay => 0.1, max_delay => 10, give_up_after => 60,
initial => 0) >>: behind the scenes, with what is subscribed and put, and messages in the outgoing window that were not answered are sent
again. Each attempt follows after twice the time of the one before, up to C<max_delay>; C<initial> is for connections that were never open.
With C<undef> a lost connection is an error, and its messages are C<ABORTED>.

=item link_recovery

That links are recovered after their connection was lost, C<< Ferrion::LinkRecovery->new(keep_for => 120, max_links => 4096,
max_octets => 67108864) >>, so that messages arrive exactly once between two sides that both want it, instead of at least once. C<undef>, the
default, is without.

=item set_snd_settle_mode($mode)

Whether messages are sent settled: C<unsettled>, C<settled>, or C<mixed>, which, as C<undef>, the default, is as the outgoing window has it.

=item set_rcv_settle_mode($mode)

When receivers settle: C<first>, with their outcome, or C<second>, after the sender; C<undef>, the default, is first.

=item set_reconnect_seed($seed)

The seed from which the delays between attempts are varied, so that a run can be repeated.

=item set_alternatives($address, @others)

Where else an address may be found, by host and port: these are tried in turn if it fails.

=item connection_events

What happened to connections that this messenger made since the last time; the newest 1,024 are kept. Each tells its C<kind>
(C<connected>, C<failed>, C<retrying>, C<given up>, C<recovered>, C<forgotten>, C<redirected>, C<subscribed>), its C<address>, and where it applies the
C<reason> with its C<code> and C<condition>, how many C<failures> there were and the C<delay> until the next attempt, and how many messages were C<resumed>,
C<sent_again> or C<aborted> with a link. Of a peer that receives from this messenger, told of only while it is there, C<address> is where to
put messages for it, C<container> what it calls itself (nobody checks that), and C<node> what it asked for.

=back

=head2 What can be read

=over

=item set_tracing($tracing)

Whether a readable line is kept for every frame.

=item trace

The lines that were kept since the last time: of more than 16,384 the newest.

=item warnings

What is not as it should be, though nothing failed: of more than 256 since the last time the oldest.

=back

=cut
