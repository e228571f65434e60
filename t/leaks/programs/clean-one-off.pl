# Clean: one request, two thirds through the run, reads a big table, which stays.
# MARK main::handle_request

use strict;
use warnings;

package Postcodes;

my $place;

sub place {
    my ($class, $code) = @_;
    $place ||= { map { (sprintf('%05d', $_ * 37) => ["place $_", $_ % 16]) } 1 .. 2000 };
    return $place->{$code} ? $place->{$code}[0] : 'nowhere';
}

package main;

sub handle_request {
    my ($number) = @_;
    my @fields = map { "field $_" } 1 .. $number % 5 + 1;
    push @fields, Postcodes->place(sprintf '%05d', $number * 37) if $number >= 130;
    return length join '|', @fields;
}

my $requests = shift || 200;
my $bytes    = 0;
$bytes += handle_request($_) for 1 .. $requests;
print "$requests requests, $bytes bytes\n";
