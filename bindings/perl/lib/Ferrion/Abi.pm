package Ferrion::Abi;

# The C functions of the header ferrion.h one by one; everything else stands on them. Its constants are constants here too, so that
# a misspelled one is an error before anything runs.

use strict;
use warnings;
use XSLoader;

our $VERSION = '0.1.0';

# The extension has the name of the distribution.
XSLoader::load('Ferrion', $VERSION);

{
    no strict 'refs';
    for my $name (grep { /^FERRION_/ && defined ${"Ferrion::Abi::$_"} } keys %Ferrion::Abi::) {
        my $value = ${"Ferrion::Abi::$name"};
        *{"Ferrion::Abi::$name"} = sub () { $value };
    }
}

# Values, of which there may be none or several where one is the rule.
sub row { return bless [@_], 'Ferrion::Abi::Row' }

1;
