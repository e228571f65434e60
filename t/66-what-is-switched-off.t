# live=0, lines=0 and statm= change what they name, and nothing else.

use strict;
use warnings;

use FindBin;
use Test::More;

use lib "$FindBin::Bin/lib";
use MProfTest;

my $program = <<'PERL';
sub keep { push our @kept, 'x' x 3000 . $_[0]; return }
sub frees { my @x = (1) x 500; undef @x; return }
keep($_) for 1 .. 200;
frees() for 1 .. 200;
sub big { my $s; vec($s, 8 * (1 << 20), 8) = 1; $s =~ tr/\0/x/; push our @big, \$s; return }
big() for 1 .. 3;
PERL
my @figures = qw(calls self_allocated_bytes self_allocated_blocks self_freed_bytes self_net_scalars);
my $all     = profiled($program);
cmp_ok($all->of_sub('main::keep')->{self_live_blocks}, '>=', 200, 'with everything on, keep has live blocks');
# Some kernels tell pages by the batch of each processor, so some dozens may be missing.
my $big_pages = 3 * 2048 - 150;
cmp_ok($all->of_sub('main::big')->{self_resident_pages}, '>=', $big_pages, 'and big its pages: 8 MB each time');

for my $options ('live=0', 'lines=0', 'statm=off', 'statm=every', 'live=0,lines=0,statm=off', 'interval=0.05') {
    my $run = profiled($program, options => $options);
    is("$run->{stderr}$run->{exit}", '0', "$options: the program runs");
    for my $sub (qw(main::keep main::frees main::big)) {
        my ($with, $without) = map { my $row = $_; [@$row{@figures}] } $all->of_sub($sub), $run->of_sub($sub);
        is($without->[0], $with->[0], "$options: $sub: as many calls");
        is($without->[4], $with->[4], "$options: $sub: as many scalars kept");
        is($without->[2], $with->[2], "$options: $sub: as many blocks allocated");
        # A block gets up to 16 bytes more where it fits into a hole of malloc's.
        cmp_ok(abs($without->[1] - $with->[1]), '<=', 16 * $with->[2], "$options: $sub: as many bytes");
    }
    my $total = $run->counters;
    if ($options =~ /live=0/) {
        is($run->of_sub('main::keep')->{self_live_bytes}, 0, "$options: nothing is known to be live");
    }
    else {
        cmp_ok($run->of_sub('main::keep')->{self_live_blocks}, '>=', 200, "$options: live blocks are known");
        is($total->{live_bytes}, $total->{allocated_bytes} - $total->{freed_bytes}, "$options: and add up");
    }
    my @lines = grep { $_->{line} } @{ $run->report('lines')->{lines}{rows} };
    if ($options =~ /lines=0/) {
        is_deeply([grep { $_->{self_allocated_bytes} } @lines], [], "$options: no line has anything");
    }
    else {
        cmp_ok($run->lines_of('prog.pl')->{1}{self_allocated_bytes}, '>=', 200 * 3000, "$options: lines are known");
    }
    my $pages = $run->of_sub('main::big')->{self_resident_pages};
    if ($options =~ /statm=off/) {
        is($pages, 0, "$options: no sub has pages");
    }
    else {
        cmp_ok($pages, '>=', $big_pages, "$options: big has its pages");
    }
    cmp_ok($total->{resident_pages}, '>', $big_pages, "$options: the process has pages in any case");
}

# How many a run has is the clock's affair: each reads them, and so does the start.
my %reads;
for my $mode (qw(auto every off)) {
    my $run = profiled($program, options => "statm=$mode");
    $reads{$mode} = $run->counters->{statm_reads};
    $reads{"$mode, at snapshots"} = 1 + sum_of(snapshots($run));
}
cmp_ok($reads{every}, '>=', 2 * 403, 'statm=every: a read at each entry and exit');
cmp_ok($reads{auto}, '<', $reads{every} / 2, 'statm=auto: fewer');
cmp_ok($reads{auto}, '>=', 3 + $reads{'auto, at snapshots'}, 'but some');
cmp_ok($reads{off}, '<=', $reads{'off, at snapshots'}, 'statm=off: at the snapshots only');

# More intervals, more snapshots. The program goes on until there are some, for a busy machine may take them late.
my $works = 'use Time::HiRes qw(time); my $end = time + 0.7; sub f { push our @k, 1; 1 } while (time < $end || Devel::MProf::stats()->{snapshots} < 3 && time < $end + 60) { f(); select undef, undef, undef, 0.005 }';
my ($many, $few) = map { profiled($works, options => "interval=$_") } 0.05, 60;
cmp_ok(snapshots($many)->{interval} || 0, '>=', 3, 'interval=0.05: several snapshots');
# The first comes with the first tick, after 0.02 s; each of the others a quarter of the time that it has run by then later.
my $ticks = 1 + log(seconds($few) / 0.02) / log(4 / 3);
cmp_ok(snapshots($few)->{interval} || 0, '<=', $ticks + 1, 'interval=60: those of the first seconds, ever rarer');

done_testing;

# {cause => snapshots}
sub snapshots {
    my ($run) = @_;
    return { map { ($_->{cause} => $_->{snapshots}) } @{ $run->report('info')->{snapshots}{rows} } };
}

sub sum_of {
    my ($figures) = @_;
    my $sum = 0;
    $sum += $_ for values %$figures;
    return $sum;
}

# How long it ran.
sub seconds {
    my ($run) = @_;
    my ($end) = grep { $_->{cause} eq 'exit' } @{ $run->report('info')->{snapshots}{rows} };
    return $end->{last_time_ns} / 1e9;
}
