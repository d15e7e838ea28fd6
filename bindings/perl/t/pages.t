# The scripts in README.md, and in the pages that FERRION_PAGES names, do what they show.

use strict;
use warnings;
use lib 't/lib';
use Test::More;
use File::Temp ();
use IPC::Open3 qw(open3);
use Ferrion qw(:all);
use Pair;

# They go with the test.
my @files;

sub started {
    my ($text, @switches) = @_;
    my $file = File::Temp->new(SUFFIX => '.pl');
    push @files, $file;
    print {$file} $text;
    close $file;
    my $process = open3(my $to, my $from, undef, $^X, '-w', (map { "-I$_" } 't/lib', @INC), @switches, "$file");
    close $to;
    return ($process, $from);
}

# A script that listens: it gets a message, and prints it.
sub listens {
    my ($text) = @_;
    pair;
    my ($process, $from) = started($text, '-MListening');
    my ($its_port) = <$from> =~ /\Alistening on port (\d+)$/ or return fail('it does not listen');
    $sender->outgoing_window(2);
    my @trackers = $sender->put_many(map { Ferrion::Message->new(address => "127.0.0.1:$its_port", body => $_) } qw(one two));
    $sender->work(0.1) until $sender->status($trackers[0]) != PENDING;
    is($sender->status($trackers[0]), 'accepted', 'what it got');
    kill INT => $process;
    my $printed = join '', <$from>;
    waitpid $process, 0;
    is($? & 127, 2, 'ended by Ctrl-C') or diag $printed;
    return;
}

# A script that sends: its messages are accepted, and its requests are answered.
sub sends {
    my ($text) = @_;
    pair;
    $text =~ s{127\.0\.0\.1/}{127.0.0.1:$port/}g;
    my ($process, $from) = started($text);
    $receiver->blocking(0)->incoming_window(10);
    until (waitpid $process, 1) {
        $receiver->recv;
        for my $message ($receiver->get_many) {
            $receiver->put($receiver->reply_to($message, uc $message->body)) if defined $message->reply_to;
            $receiver->accept;
        }
        $receiver->work(0.05);
    }
    my $printed = join '', <$from>;
    is($?, 0, 'it succeeds') or diag $printed;
    like($printed, qr/^(?:accepted|HELLO|in time)$/m, 'and prints what it should');
    return;
}

for my $page ('README.md', split /:/, $ENV{FERRION_PAGES} // '') {
    open my $file, '<:encoding(UTF-8)', $page or die "$page: $!";
    my $text    = do { local $/; <$file> };
    my @scripts = $text =~ /^```perl\n(.*?)^```$/msg;
    cmp_ok(scalar @scripts, '>', 0, "scripts in $page");
    for my $number (1 .. @scripts) {
        my $script = $scripts[$number - 1];
        subtest "$page, $number" => sub { $script =~ /subscribe/ ? listens($script) : sends($script) };
    }
}

done_testing;
