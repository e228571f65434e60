#!/usr/bin/perl
# What an event costs a whole program: nanoseconds of CPU time over the plain run, for a call, a statement, and an
# allocation with its free.
#
#   perl benches/events.pl [ROUNDS]      (in the build folder, after make; default 5 rounds, the median is printed)
use strict;
use warnings;
use File::Temp 'tempdir';

my $rounds = shift // 5;
my $trace  = tempdir(CLEANUP => 1) . '/mprof.bin';
my @switch = ('-Iblib/lib', '-Iblib/arch', "-d:MProf=file=$trace");

# name, events in a run, program
my @programs = (
    ['call (enter and leave)', 3e6, 'sub f { } f() for 1 .. 3_000_000'],
    ['statement',              1e7, 'my $x; for (1 .. 2_000_000) { $x = 1; $x = 2; $x = 3; $x = 4; $x = 5 }'],
    ['malloc and free',        3e6, 'for (1 .. 1_000_000) { my $x = [1]; my $y = {} ; $#$x = 9 }'],
    ['string eval',            1e5, 'eval "1" for 1 .. 100_000'],
);

sub seconds {
    my @command = @_;
    my $before  = (times)[2];
    system(@command) == 0 or die "@command: exit status $?\n";
    return (times)[2] - $before;
}

sub median { my @sorted = sort { $a <=> $b } @_; return $sorted[@sorted / 2] }

printf "%-24s %14s %14s %10s\n", 'event', 'plain ns', 'more ns', 'ratio';
for (@programs) {
    my ($name, $events, $program) = @$_;
    my (@plain, @more, @ratio);
    for (1 .. $rounds) {
        my $plain    = seconds($^X, '-e', $program);
        my $profiled = seconds($^X, @switch, '-e', $program);
        push @plain, $plain / $events * 1e9;
        push @more,  ($profiled - $plain) / $events * 1e9;
        push @ratio, $profiled / $plain;
    }
    printf "%-24s %14.1f %14.1f %10.2f\n", $name, median(@plain), median(@more), median(@ratio);
}
