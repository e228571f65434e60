#!/usr/bin/perl
# What an event costs: nanoseconds of CPU time over what perl itself takes for it.
#
#   perl benches/events.pl [--rounds N] [--only REGEX] [MODE=OPTION,...]...     (after make)
#
# An event is what one program has in its loop and another has not; all else is the same in both. The loop is timed from
# inside, with the writer's thread. What others do on the machine only adds, so the quickest round counts.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use List::Util qw(min);
use MProfBench;

my ($rounds, $only, @modes) = arguments(7, 'full', 'light', 'calls', 'off');

my $ten_statements = join '', map "\$x = $_;\n", 1 .. 10;
my $one_statement  = join(', ', map "\$x = $_", 1 .. 10) . ';';

# name; times the loop runs; events each time; the loop with them and without. A sub has a statement even if it is empty.
my @events = (
    ['call: enter and leave',   2e6, 1, 'f();',                               '$x; $x;'],
    ['unchanged statement',     1e6, 9, $ten_statements,                      $one_statement],
    ['malloc and free',         2e6, 1, '$#x = 9; undef @x;',                 '$#x = 9; undef @y;'],
    ['2 scalars born and dead', 2e6, 1, '$x = [];',                           '$x = 1;'],
    ['string eval with all',    1e5, 1, 'eval "1";',                          '$x; $x;'],
);

sub nanoseconds {
    my ($options, $times, $body) = @_;
    my $program = <<"PERL";
use Time::HiRes qw(clock_gettime CLOCK_PROCESS_CPUTIME_ID);
sub f { }
my \$begin = clock_gettime(CLOCK_PROCESS_CPUTIME_ID);
for (1 .. $times) { $body }
printf '%.0f', (clock_gettime(CLOCK_PROCESS_CPUTIME_ID) - \$begin) * 1e9;
PERL
    return output_of(pinned(perl_with($options), '-e', $program));
}

print machine(), sprintf "%-26s %9s", 'ns per event', 'plain';
printf " %9s", "+ $_->[0]" for @modes;
print "\n";
for (grep $_->[0] =~ $only, @events) {
    my ($name, $times, $events, @bodies) = @$_;
    my @all = (undef, map $_->[1], @modes);
    my @least;
    for (1 .. $rounds) {
        for my $mode (0 .. $#all) {
            for my $body (0, 1) {
                my ($took) = nanoseconds($all[$mode], $times, $bodies[$body]);
                $_ = min($_ // $took, $took) for $least[$mode][$body];
            }
        }
    }
    my ($plain, @more) = map { ($_->[0] - $_->[1]) / $times / $events } @least;
    printf "%-26s %9.1f" . " %9.1f" x @more . "\n", $name, $plain, map $_ - $plain, @more;
}
