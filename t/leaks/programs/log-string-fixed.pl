# A log that is written whenever it has 2000 bytes.
# MARK main::handle_request

use strict;
use warnings;

package Log;

my $log     = '';
my $written = 0;

sub note {
    my ($class, $level, @words) = @_;
    my $line = join ' ', "[$level]", @words;
    $log .= "$line\n";
    $class->write if length $log > 2000;
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
