# A callback uses the watcher that it belongs to, and so keeps it: nobody cancels either.
# MARK main::handle_request

use strict;
use warnings;

# A loop as AnyEvent has: a watcher is active for as long as somebody keeps it.
package Loop;
use Scalar::Util qw(weaken);

my @watchers;
my $now = 0;

sub timer {
    my ($class, $seconds, $callback) = @_;
    my $watcher = bless { due => $now + $seconds, callback => $callback }, 'Loop::Watcher';
    push @watchers, $watcher;
    weaken($watchers[-1]);
    return $watcher;
}

sub run_until {
    my ($class, $time) = @_;
    while ($now < $time) {
        $now++;
        my @due = grep { defined && $_->{due} <= $now } @watchers;
        @watchers = grep { defined && $_->{due} > $now } @watchers;
        weaken($_) for @watchers;
        $_->{callback}->() for @due;
    }
    return;
}

package main;

my $timeouts = 0;

sub handle_request {
    my ($number) = @_;
    my %request = (number => $number, headers => { host => 'localhost', length => $number * 3 });
    my @parts = split /,/, join ',', %request;
    my $timer;
    $timer = Loop->timer(2, sub { $timeouts++ if $timer->{due}; return });    # LEAK
    Loop->run_until($number);
    return scalar @parts;
}

my $requests = shift || 200;
handle_request($_) for 1 .. $requests;
print "$requests requests, $timeouts timeouts\n";
