# A store of sessions: each visitor gets one, and those not used for 20 ticks are dropped.
# MARK main::handle_request

use strict;
use warnings;

package Sessions;

my %session;
my $clock = 0;

sub of {
    my ($class, $cookie) = @_;
    $clock++;
    my $session = $session{$cookie} ||= { cookie => $cookie, visits => 0, seen => 0 };
    $session->{visits}++;
    $session->{seen} = $clock;
    delete @session{ grep { $session{$_}{seen} < $clock - 20 } keys %session };
    return $session;
}

sub count { return scalar keys %session }

package main;

sub handle_request {
    my ($number) = @_;
    my %cookies = map { split /=/ } "sid=visitor$number", 'lang=en';
    my $session = Sessions->of($cookies{sid});
    my @greeting = ('Hello', $session->{visits} > 1 ? 'again' : 'stranger', $cookies{lang});
    return length "@greeting";
}

my $requests = shift || 200;
my $bytes    = 0;
$bytes += handle_request($_) for 1 .. $requests;
printf "%d requests, %d bytes, sessions: %s\n", $requests, $bytes, Sessions->count > 0 ? 'some' : 'none';
