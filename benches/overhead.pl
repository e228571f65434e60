#!/usr/bin/perl
# What the profiler costs whole programs: CPU time, user and system, as a ratio to the program without it.
#
#   perl benches/overhead.pl [--rounds N] [--only REGEX] [MODE=OPTION,...]...     (after make)
#
# Each round runs a program plain, in every mode, and plain again, so that whatever else the machine does falls on all of
# them; a ratio is taken within its round, and the median of the rounds is shown. The programs are those in
# benches/programs, and some of Debian's on modules of this perl's.
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

sub seconds_and_status { my ($options, @program) = @_; return children_seconds(pinned(perl_with($options), @program)) }

print machine(), sprintf '%-12s %9s', 'program', 'plain s';
printf ' %9s', $_->[0] for @modes;
print "\n";
my %ratios;
for (grep $_->[0] =~ $only, @programs) {
    my ($name, @program) = @$_;
    my (@plain, %here, @failed);
    for (1 .. $rounds) {
        my ($first, $status) = seconds_and_status(undef, @program);
        my %seconds;
        for (@modes) {
            my ($mode, $options) = @$_;
            ($seconds{$mode}, my $other) = seconds_and_status($options, @program);
            push @failed, "$mode: exit status $other, plain $status" if $other != $status;
        }
        my ($second) = seconds_and_status(undef, @program);
        my $plain = ($first + $second) / 2;
        push @plain, $plain;
        push @{ $here{$_} }, $seconds{$_} / $plain for keys %seconds;
    }
    printf '%-12s %9.2f', $name, median(@plain);
    for (map $_->[0], @modes) {
        my $ratio = median(@{ $here{$_} });
        push @{ $ratios{$_} }, $ratio;
        printf ' %9.2f', $ratio;
    }
    print map("  $_", @failed), "\n";
}
die "no program is called so\n" if !%ratios;
printf '%-22s' . ' %9.2f' x @modes . "\n", @$_
    for ['geometric mean', map geometric_mean(@{ $ratios{ $_->[0] } }), @modes], ['worst', map max(@{ $ratios{ $_->[0] } }), @modes];
print "not installed, or without its input: @missing\n" if @missing;
