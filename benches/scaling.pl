#!/usr/bin/perl
# Does the cost grow with the call tree, the heap or the length of the run? And how long does a snapshot stop the program?
#
#   perl benches/scaling.pl [--rounds N] [--only REGEX] [MODE=OPTION,...]...     (after make; about 6 minutes, 3 GB)
#
# Each program first builds as much as the column says and then always does the same work, which is timed from inside:
# CPU time, with the writer's thread, in the quickest round. perl itself is slower where its caches miss, so a figure is
# what comes to the time without the profiler, and in brackets the ratio to that. "one" works at one spot, "all" at random
# all over what was built.
#
# A pause is the longest time between two looks at the clock, each after a bit of that work. It is the median of the rounds.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use List::Util qw(min);
use MProfBench;

my ($rounds, $only, @modes) = arguments(3, 'full');

# build: makes $size of them, and looks at the clock now and then. work: what is timed, at a spot that $at says.
my %programs = (
    nodes => { sizes => [1e3, 1e4, 1e5, 1e6], build => <<'PERL', work => <<'PERL' },
        # Three levels of subs, each of which calls whichever it is told to of the next level.
        our $width = int($size ** (1 / 3) + 0.5);
        my @numbers = (0 .. $width - 1);
        eval join '', map "sub a$_ { &{ \$b[\$_[0]] } } sub b$_ { &{ \$c[\$_[1]] } } sub c$_ { }\n", @numbers;
        our @a = map \&{"a$_"}, @numbers;
        our @b = map \&{"b$_"}, @numbers;
        our @c = map \&{"c$_"}, @numbers;
        for my $i (@numbers) {
            for my $j (@numbers) { $a[$i]->($j, $_) for @numbers; look() }
        }
PERL
        $a[$at % $width]->($at / $width % $width, $at / $width ** 2 % $width);
PERL
    blocks => { sizes => [1e4, 1e5, 1e6, 1e7], build => <<'PERL', work => <<'PERL' },
        our @kept = ();
        $#kept = $size - 1;
        for my $thousand (0 .. $size / 1000 - 1) {
            $kept[$_] .= 'some text' for 1000 * $thousand .. 1000 * $thousand + 999;
            look();
        }
PERL
        undef $kept[$at];
        $kept[$at] .= 'some text';
PERL
    scalars => { sizes => [1e4, 1e5, 1e6, 1e7], build => <<'PERL', work => <<'PERL' },
        # An element, and what it refers to.
        our @kept = ();
        $#kept = $size / 2 - 1;
        for my $thousand (0 .. $size / 2000 - 1) {
            $kept[$_] = \(my $new = $_) for 1000 * $thousand .. 1000 * $thousand + 999;
            look();
        }
PERL
        $kept[$at % @kept] = \(my $new = $at);
PERL
    snapshots => { sizes => [1e1, 1e2, 1e3, 1e4], build => <<'PERL', work => <<'PERL' },
        our @kept = (1) x 1000;
        sub renew { undef $kept[$_[0]]; $kept[$_[0]] .= 'some text' }
        for (1 .. $size) { renew($_ % @kept); Devel::MProf::snapshot(); look() }
PERL
        renew($at % @kept);
PERL
);
$programs{snapshot} = { %{ $programs{snapshots} }, work => 'renew(1); Devel::MProf::snapshot();' };

# row; program; where the work is; how often it is done; how many events it then has
my @rows = (
    ['nodes: a call, one path',            'nodes',     'one', 3e5, 3],
    ['nodes: a call, all paths',           'nodes',     'all', 3e5, 3],
    ['blocks: a free and a malloc, one',   'blocks',    'one', 5e5, 1],
    ['blocks: a free and a malloc, all',   'blocks',    'all', 5e5, 1],
    ['scalars: a death and a birth, one',  'scalars',   'one', 5e5, 1],
    ['scalars: a death and a birth, all',  'scalars',   'all', 5e5, 1],
    ['snapshots: a call, free and malloc', 'snapshots', 'one', 5e5, 1],
    ['snapshots: a snapshot',              'snapshot',  'one', 2e2, 1],
);

# What happens each second while pauses are looked for: name, options, the program's own part. A full snapshot is taken
# only when it is asked for, or where there is little to look through.
my @causes = (
    ['plain',    undef,            ''],
    ['interval', 'interval=1',     ''],
    ['mark',     'interval=86400', 'Devel::MProf::mark()'],
    ['full',     'interval=86400', q(Devel::MProf::snapshot('full'))],
);
# What is big then: row, program, size.
my @big = map ['pause: ' . in_thousands($_->[1]) . " $_->[0]", @$_],
    ['nodes', 1e5], ['nodes', 1e6], ['blocks', 1e7], ['scalars', 3.4e5], ['scalars', 1e7];

my $beginning = <<'PERL';
use Time::HiRes qw(clock_gettime CLOCK_PROCESS_CPUTIME_ID CLOCK_MONOTONIC);
use Devel::MProf::API;
my ($size, $where, $times) = @ARGV;
my ($seen, $longest) = (0, 0);
sub look {
    my $now = clock_gettime(CLOCK_MONOTONIC);
    $longest = $now - $seen if $now - $seen > $longest && $seen;
    $seen = $now;
}
# Where the work goes, without a scalar for each.
srand 1;
my $spots = 500_000;
my $order = "\0" x (4 * $spots);
if ($where eq 'all') { vec($order, $_, 32) = int rand $size for 0 .. $spots - 1 }
PERL

my $timed = <<'PERL';
my $begin = clock_gettime(CLOCK_PROCESS_CPUTIME_ID);
for (1 .. $times) {
    my $at = vec($order, $_ % $spots, 32);
WORK
}
printf '%.0f', (clock_gettime(CLOCK_PROCESS_CPUTIME_ID) - $begin) * 1e9;
PERL

# Prints the longest pause while building, and after that. The first second is for what is left of the building.
my $paused = <<'PERL';
my $built = $longest;
my $begin = clock_gettime(CLOCK_MONOTONIC);
my ($turn, $next) = (0, $begin + 1);
while ($seen < $begin + 5) {
    my $at = vec($order, $turn++ % $spots, 32);
WORK
    if ($seen > $next) { $next = $seen + 1; CAUSE }
    look();
    $longest = 0 if $seen < $begin + 0.9;
}
printf "%.2f\n", 1000 * $_ for $built, $longest;
PERL

# What a program prints, without the profiler or with these options.
sub result_of {
    my ($options, $program, $ending, $cause, @arguments) = @_;
    my %parts = (WORK => $program->{work}, CAUSE => $cause);
    $ending =~ s/\b(WORK|CAUSE)\b/$parts{$1}/g;
    return output_of(perl_with($options), '-e', "$beginning$program->{build}$ending", @arguments);
}

sub in_thousands { my ($number) = @_; 1 while $number =~ s/(\d)(\d{3})\b/$1,$2/; return $number }

sub print_costs {
    my ($name, $options) = @_;
    my @wanted = grep $_->[0] =~ $only, @rows or return;
    printf "%-36s" . " %15s" x 4 . "\n", "ns per event over plain, $name", '1x', '10x', '100x', '1000x';
    for (@wanted) {
        my ($row, $of, $where, $times, $events) = @$_;
        printf '%-36s', $row;
        for my $size (@{ $programs{$of}{sizes} }) {
            my @least;
            for (1 .. $rounds) {
                for my $profiled (0, 1) {
                    my ($took) = result_of($profiled ? $options : undef, $programs{$of}, $timed, '', $size, $where, $times);
                    $_ = min($_ // $took, $took) for $least[$profiled];
                }
            }
            my ($plain, $ns) = map $_ / $times / $events, @least;
            printf ' %15s', sprintf '%.1f (%.2f)', $ns - $plain, $ns / $plain;
        }
        print "\n";
    }
    print "\n";
}

sub print_pauses {
    my ($name, $options) = @_;
    my @wanted = grep $_->[0] =~ $only, @big or return;
    printf "%-36s %19s   %39s\n", "longest pause in ms, $name", 'while it grows', 'then, at work';
    printf "%-36s %9s %9s  " . " %9s" x @causes . "\n", '', 'plain', 'interval', map $_->[0], @causes;
    for (@wanted) {
        my ($row, $of, $size) = @$_;
        my (@growing, @working);
        for (1 .. $rounds) {
            for my $number (0 .. $#causes) {
                my (undef, $more, $code) = @{ $causes[$number] };
                $more &&= join ',', grep length, $options, $more;
                my ($grew, $worked) = result_of($more, $programs{$of}, $paused, $code, $size, 'all', 0);
                push @{ $growing[$number] }, $grew;
                push @{ $working[$number] }, $worked;
            }
        }
        printf "%-36s %9.1f %9.1f  " . " %9.1f" x @causes . "\n", $row, map median(@$_), @growing[0, 1], @working;
    }
    print "\n";
}

print machine();
for (@modes) {
    print_costs(@$_);
    print_pauses(@$_);
}
