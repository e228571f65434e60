# A store of sessions: each visitor gets one, and none expires.
# MARK main::handle_request
# EXPECT scalars_per_mark=5
# A new visitor each time: the store's value, the session's hash, its three values.

use strict;
use warnings;

package Sessions;

my %session;
my $clock = 0;

sub of {
    my ($class, $cookie) = @_;
    $clock++;
    my $session = $session{$cookie} ||= { cookie => $cookie, visits => 0, seen => 0 };    # LEAK
    $session->{visits}++;
    $session->{seen} = $clock;
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
