# Of each program that leaks, the report names first a line that is to blame, and says how many scalars stay.

use strict;
use warnings;

use FindBin;
use List::Util qw(sum0);
use Test::More;

use lib "$FindBin::Bin/../lib";
use MProfTest;

my @programs = grep { @{ $_->{places} } } leak_programs(qr/./);
cmp_ok(scalar @programs, '>=', 16, 'patterns as they are met in practice');

for my $program (@programs) {
    my $name  = $program->{name};
    my $run   = profiled(undef, script => $program->{path}, mprof => $program->{mark} && "mark=$program->{mark}");
    my @leaks = $run->leaks;
    ok(scalar @leaks, "$name: a leak is listed") or next;

    my %to_blame = map { ($_ => 1) } @{ $program->{places} };
    ok($to_blame{ $leaks[0]{place} }, "$name: the first is a line to blame")
        or diag("to blame: @{ $program->{places} }", "\nlisted: @{ [map { $_->{place} } @leaks] }");
    next if !defined $program->{scalars_per_mark};

    # A part that stays may stand in an entry of its own.
    my $scalars = sum0(map { $_->{scalars_per_mark} } @leaks);
    my $allowed = 0.05 * $program->{scalars_per_mark} + 0.05;
    cmp_ok(abs($scalars - $program->{scalars_per_mark}), '<=', $allowed, "$name: scalars that stay, per mark")
        or diag("they are $scalars, and should be $program->{scalars_per_mark}");
}

done_testing;
