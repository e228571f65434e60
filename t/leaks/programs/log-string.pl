# A log that is written at the end of the process only: one string, no scalar more.
# MARK main::handle_request
# EXPECT scalars_per_mark=0

use strict;
use warnings;

package Log;

my $log     = '';
my $written = 0;

sub note {
    my ($class, $level, @words) = @_;
    my $line = join ' ', "[$level]", @words;
    $log .= "$line\n";    # LEAK
    return;
}

sub write {
    $written += length $log;
    $log = '';
    return $written;
}

package main;

sub handle_request {
    my ($number) = @_;
    my %header = (host => 'localhost', 'user-agent' => 'robot ' . $number % 10, accept => '*/*');
    Log->note('debug', "request $number", map { "$_=$header{$_}" } sort keys %header) for 1 .. 2;
    return scalar keys %header;
}

my $requests = shift || 200;
handle_request($_) for 1 .. $requests;
printf "%d requests, %d bytes of log\n", $requests, Log->write;
