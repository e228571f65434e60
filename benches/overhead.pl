#!/usr/bin/perl
# What the profiler costs whole programs: CPU time, user and system, as a ratio to the program without it.
#
#   perl benches/overhead.pl [--rounds N] [--only REGEX] [MODE=OPTION,...]...     (after make)
#
# A profiled run has a plain one beside it: both start together on the same CPU, which goes from one to the other every few
# milliseconds. A CPU of a shared machine may be half as fast a second later; then it is so for both, and the ratio stays.
# For that no one may go on alone for long, so the plain run has the smaller share that the ratios so far ask for.
#
# Each round has a pair for every mode, and the median of the rounds is shown. In "plain" neither is profiled: what differs
# from 1.00 there is the machine. The programs are those in benches/programs, and some of Debian's on modules of this perl's.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use Config;
use List::Util qw(first max);
use MProfBench;

my ($rounds, $only, @modes) = arguments(5, 'full', 'light', 'calls', 'off');

my $library = $Config{privlib};
my @tools = (
    ['perltidy',   '-st', '-npro', "$library/CPAN/Shell.pm"],
    ['perlcritic', '--noprofile', '--brutal', "$library/Memoize.pm"],
    ['ack',        '--noenv', '--perl', '-h', 'sub\s+(\w+_)+\w+', $library, grep -d, $Config{vendorlib}],
    ['pod2text',   "$library/pod/perldiag.pod"],
);

my @programs = map { my ($name) = m{(\w+)\.pl$}; [$name, $_] } sort glob "$FindBin::Bin/programs/*.pl";
my @missing;
for (@tools) {
    my ($name, @arguments) = @$_;
    my $script = first { -x } map "$_/$name", split /:/, $ENV{PATH};
    if ($script && !grep { m{^/} && !-e } @arguments) { push @programs, [$name, $script, @arguments] }
    else { push @missing, $name }
}

unshift @modes, ['plain', undef];

print machine(), sprintf '%-12s %9s', 'program', 'plain s';
printf ' %9s', $_->[0] for @modes;
print "\n";
my @ratios;
for (grep $_->[0] =~ $only, @programs) {
    my ($name, @program) = @$_;
    my (@plain, @here, @failed);
    for my $round (1 .. $rounds) {
        for my $number (0 .. $#modes) {
            my ($mode, $options) = @{ $modes[$number] };
            my $expected = median(@{ $here[$number] // [1] });
            my @pair = (
                [giving_way($expected, pinned(perl_with(undef), @program))],
                [pinned(perl_with($options), @program)],
            );
            # Whoever starts first is a little ahead, so they take turns.
            my ($plain, $other) = $round % 2 ? run_together(@pair) : reverse run_together(reverse @pair);
            push @plain, $plain->[0];
            push @{ $here[$number] }, $other->[0] / $plain->[0];
            push @failed, "$mode: exit status $other->[1], plain $plain->[1]" if $other->[1] != $plain->[1];
        }
    }
    my @medians = map median(@$_), @here;
    push @{ $ratios[$_] }, $medians[$_] for 0 .. $#medians;
    printf '%-12s %9.2f' . ' %9.2f' x @medians . "%s\n", $name, median(@plain), @medians, join '', map "  $_", @failed;
}
die "no program is called so\n" if !@ratios;
printf '%-22s' . ' %9.2f' x @modes . "\n", @$_
    for ['geometric mean', map geometric_mean(@$_), @ratios], ['worst', map max(@$_), @ratios];
print "not installed, or without its input: @missing\n" if @missing;
