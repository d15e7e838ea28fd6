package Pair;

# A sender and a receiver that listens on a free port, both worked by the one process of the test.

use strict;
use warnings;
use Exporter qw(import);
use IO::Socket::INET;
use POSIX ();
use Test::More;
use Ferrion qw(:all);

our @EXPORT = qw(pair put receive work_until seconds dies beside finished closed_port PATIENCE $sender $receiver $address $port);
our ($sender, $receiver, $address, $port);

use constant PATIENCE => 30;

# New ones, for each subtest.
sub pair {
    ($sender, $receiver) = map { Ferrion::Messenger->new($_) } qw(sender receiver);
    $port    = $receiver->subscribe('~127.0.0.1:0')->port;
    $address = "127.0.0.1:$port/queue";
    $_->timeout(PATIENCE) for $sender, $receiver;
    return;
}

sub put {
    my ($body, @fields) = @_;
    return $sender->put(Ferrion::Message->new(address => $address, body => $body, @fields));
}

# Lets both work until the condition is true.
sub work_until(&) {
    my ($condition) = @_;
    my $deadline = Ferrion::Durations::now() + PATIENCE;
    until ($condition->()) {
        die 'it takes too long' if Ferrion::Durations::now() > $deadline;
        $sender->work(0.001);
        $receiver->work(0.001);
    }
    return;
}

# Receives messages: those, and their trackers, in pairs.
sub receive {
    my ($count) = @_;
    $count //= 1;
    $receiver->blocking(0);
    $receiver->recv;
    work_until { $receiver->incoming >= $count };
    $receiver->blocking(1);
    return map { [$receiver->get, $receiver->incoming_tracker] } 1 .. $count;
}

# Runs code in a process of its own, which can do with messengers of its own what it likes; its number is for finished.
sub beside(&) {
    my ($code) = @_;
    my $process = fork // die "no fork: $!";
    return $process if $process;
    # Nothing of the test's is freed or reported here.
    my $lived = eval { $code->(); 1 };
    print STDERR "# beside: $@" unless $lived;
    POSIX::_exit($lived ? 0 : 1);
}

sub finished {
    my ($process) = @_;
    waitpid $process, 0;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    is($?, 0, 'the other process succeeded');
    return;
}

# A port that nobody listens on, and that nobody else can take: it is the near end of a connection.
sub closed_port {
    our @held;
    my $listener = IO::Socket::INET->new(LocalAddr => '127.0.0.1', Listen => 1) or die "no socket: $@";
    my $near     = IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $listener->sockport) or die "no connection: $@";
    push @held, $listener, $near;
    return $near->sockport;
}

# How long something takes.
sub seconds(&) {
    my ($what) = @_;
    my $begin = Ferrion::Durations::now();
    $what->();
    return Ferrion::Durations::now() - $begin;
}

# Checks that something dies of an object of this class, and gives it.
sub dies(&$;$) {
    my ($what, $class, $name) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    my $lived = eval { $what->(); 1 };
    my $error = $@;
    $name //= "dies of $class";
    if ($lived) {
        fail("$name: it did not");
        return Ferrion::Error->new('nothing');
    }
    isa_ok($error, "Ferrion::Error" . ($class && "::$class"), $name) or diag $error;
    return $error;
}

1;
