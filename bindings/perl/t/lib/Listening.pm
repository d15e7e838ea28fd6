package Listening;

# Lets scripts that listen on the usual port of this machine listen on a free one, and tell which.

use strict;
use warnings;
use Ferrion::Messenger;

my $subscribe = \&Ferrion::Messenger::subscribe;
no warnings 'redefine';
*Ferrion::Messenger::subscribe = sub {
    my ($self, $address, @options) = @_;
    my $subscription = $self->$subscribe($address eq '~0.0.0.0' ? '~127.0.0.1:0' : $address, @options);
    local $| = 1;
    print 'listening on port ', $subscription->port, "\n";
    return $subscription;
};

1;
