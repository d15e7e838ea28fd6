# The scripts of examples/, and those in README.md, as a user starts them.

use strict;
use warnings;
use utf8;
use lib 't/lib';
use Test::More;
use IPC::Open3 qw(open3);
use Pair;

sub started {
    my ($script, @arguments) = @_;
    my $process = open3(my $to, my $from, undef, $^X, '-w', (map { "-I$_" } @INC), $script, @arguments);
    close $to;
    binmode $from, ':encoding(UTF-8)';
    return ($process, $from);
}

# What a script printed, that has to succeed.
sub finished_output {
    my ($process, $from) = @_;
    my $printed = join '', <$from>;
    waitpid $process, 0;
    is($?, 0, 'it succeeded') or diag $printed;
    return $printed;
}

# Starts what listens, gives the code its port, ends it by Ctrl-C, and answers what it printed.
sub listening {
    my ($script, $code) = @_;
    my ($process, $from) = started($script, '~127.0.0.1:0');
    my ($port) = <$from> =~ /\Alistening on port (\d+)$/ or die 'it does not listen';
    $code->($port);
    kill INT => $process;
    return finished_output($process, $from);
}

subtest 'send and recv' => sub {
    my $printed = listening('examples/recv.pl', sub {
        is(finished_output(started('examples/send.pl', "127.0.0.1:$_[0]/greetings", "h\xc3\xa9llo", 'world')),
            "héllo: accepted\nworld: accepted\n", 'send');
    });
    is($printed, "héllo\nworld\nenough\n", 'recv');
};

subtest 'request and serve' => sub {
    my $printed = listening('examples/serve.pl', sub {
        is(finished_output(started('examples/request.pl', "127.0.0.1:$_[0]/capitals", 'hello', "w\xc3\xb6rld")),
            "hello: HELLO\nwörld: WÖRLD\n", 'request');
    });
    is($printed, "enough\n", 'serve');
};

done_testing;
