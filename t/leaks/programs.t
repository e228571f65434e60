# The programs of this folder do what they are for: those that leak keep so many scalars, or bytes, more for each unit of
# work, and their twins keep nothing more. It is read from the counters of the process alone, while the program still runs.

use strict;
use warnings;

use FindBin;
use Test::More;

use lib "$FindBin::Bin/../lib";
use MProfTest;

# All caches of the programs have filled, and all one-off growth is over, by the first.
my ($fewer, $more) = (200, 400);

# Variables keep room for the biggest value they had, and arrays grow by steps.
my $stray_bytes = 20;

for my $program (leak_programs(qr/./)) {
    my ($scalars, $bytes) = kept_per_unit($program);
    my $name = $program->{name};
    if (!@{ $program->{places} }) {
        cmp_ok(abs $scalars, '<', 0.1,          "$name: no scalar stays");
        cmp_ok($bytes,       '<', $stray_bytes, "$name: no bytes stay");
        next;
    }
    if (defined $program->{scalars_per_mark}) {
        is(sprintf('%.1f', $scalars), sprintf('%.1f', $program->{scalars_per_mark}), "$name: scalars that stay");
    }
    else { cmp_ok($scalars, '>=', 1, "$name: scalars stay") }
    cmp_ok($bytes, '>', $stray_bytes, "$name: bytes stay");
}

# A twin differs by what repairs it, so that a reader finds it with diff.
for my $fixed (leak_programs(qr/-fixed\z/)) {
    (my $name = $fixed->{name}) =~ s/-fixed\z//;
    my ($leaking) = leak_programs(qr/\A\Q$name\E\z/);
    ok($leaking && @{ $leaking->{places} }, "$fixed->{name}: is the twin of one that leaks") or next;
    my @runs = map { plain(undef, script => $_->{path}, switches => ['-w']) } $fixed, $leaking;
    is("$runs[0]{stdout}$runs[0]{stderr}", $runs[1]{stdout}, "$fixed->{name}: does the same work, in silence");
    is($runs[1]{stderr}, '', "$name: in silence, too");
}

done_testing;

# Before it prints its line, each program is stopped short: what the end of the program would free is still there.
sub kept_per_unit {
    my ($program) = @_;
    my ($short) = $program->{source} =~ /\A(.*)^print/ms or die "$program->{name} prints nothing";
    my @counters = map { run_to_snapshot($short, $_) } $fewer, $more;
    return map { ($counters[1]{$_} - $counters[0]{$_}) / ($more - $fewer) } qw(live_scalars live_bytes);
}

sub run_to_snapshot {
    my ($source, $units) = @_;
    my $run = profiled("$source Devel::MProf::snapshot(); kill KILL => \$\$;", args => [$units]);
    is("$run->{signal}$run->{stderr}", 9, 'the program comes to its end') if $run->{signal} != 9 || $run->{stderr} ne '';
    return $run->counters;
}
