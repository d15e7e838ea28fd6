package Ferrion::Durations;

# Seconds, which Perl counts in, and milliseconds, which the header does.

use strict;
use warnings;
use POSIX ();
use Scalar::Util qw(looks_like_number);
use Time::HiRes ();
use Ferrion::Error;

our $VERSION = '0.1.0';

# Whole milliseconds, and no fewer than the seconds are; undef and negative seconds are for ever, which is -1.
sub milliseconds {
    my ($seconds) = @_;
    return -1 unless defined $seconds;
    Ferrion::Error::Argument->throw("no number of seconds: $seconds") unless looks_like_number($seconds) && $seconds == $seconds;
    return -1 if $seconds < 0 || $seconds >= 9e15;
    # What floating point adds in the last place does not make another millisecond.
    return POSIX::ceil($seconds * 1000 - 0.0005);
}

# Seconds; undef is for ever.
sub seconds {
    my ($milliseconds) = @_;
    return $milliseconds < 0 ? undef : $milliseconds / 1000;
}

# By a clock that nobody sets.
sub now { return Time::HiRes::clock_gettime(Time::HiRes::CLOCK_MONOTONIC()) }

1;
