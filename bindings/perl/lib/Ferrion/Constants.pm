package Ferrion::Constants;

# What a script compares with. The statuses are numbers to == and words to print, as $! is.

use strict;
use warnings;
use Exporter qw(import);
use Scalar::Util qw(dualvar);
use Ferrion::Abi;

our $VERSION = '0.1.0';

my %STATUS = map { my $name = $_; no strict 'refs'; $name => &{"Ferrion::Abi::FERRION_DELIVERY_$name"}() }
    qw(UNKNOWN PENDING ACCEPTED REJECTED RELEASED MODIFIED ABORTED SETTLED);

use constant CUMULATIVE => Ferrion::Abi::FERRION_CUMULATIVE;

my %BY_NUMBER;
for my $name (keys %STATUS) {
    no strict 'refs';
    my $status = $BY_NUMBER{ $STATUS{$name} } = dualvar $STATUS{$name}, lc $name;
    *$name = sub () { $status };
}

our @EXPORT_OK = (keys %STATUS, 'CUMULATIVE');

sub status { return $BY_NUMBER{ $_[0] } // $_[0] }

1;
