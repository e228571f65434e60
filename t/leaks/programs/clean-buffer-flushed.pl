# Clean: rows are gathered and written forty at a time, so what is kept goes up and down like the teeth of a saw.
# MARK main::handle_request

use strict;
use warnings;

package Batch;

my @rows;
my $written = 0;

sub add {
    my ($class, %row) = @_;
    push @rows, {%row};
    $class->flush if @rows >= 40;
    return;
}

sub flush {
    my ($class) = @_;
    $written += @rows;
    @rows = ();
    return $written;
}

package main;

sub handle_request {
    my ($number) = @_;
    my @words = map { "w$_" } 1 .. $number % 6 + 2;
    Batch->add(number => $number, text => "@words");
    return scalar @words;
}

my $requests = shift || 200;
handle_request($_) for 1 .. $requests;
printf "%d requests, %d rows\n", $requests, Batch->flush;
