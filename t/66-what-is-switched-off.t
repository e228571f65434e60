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
cmp_ok($all->of_sub('main::big')->{self_resident_pages}, '>=', 3 * 2048, 'and big its pages: 8 MB each time');

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
        cmp_ok($pages, '>=', 3 * 2048, "$options: big has its pages");
    }
    cmp_ok($total->{resident_pages}, '>', 3 * 2048, "$options: the process has pages in any case");
}

my ($auto, $every, $off) = map { profiled($program, options => "statm=$_")->counters->{statm_reads} } qw(auto every off);
cmp_ok($every, '>=', 2 * 403, 'statm=every: a read at each entry and exit');
cmp_ok($auto, '<', $every / 2, 'statm=auto: fewer');
cmp_ok($auto, '>=', 3, 'but some');
cmp_ok($off, '<', $auto, 'statm=off: at the snapshots only');

# More intervals, more snapshots.
my $works = 'use Time::HiRes qw(time); my $end = time + 0.7; sub f { push our @k, 1; 1 } while (time < $end) { f(); select undef, undef, undef, 0.005 }';
my ($many, $few) = map { my %of = map { ($_->{cause} => $_->{snapshots}) } @{ profiled($works, options => "interval=$_")->report('info')->{snapshots}{rows} }; $of{interval} || 0 } 0.05, 60;
cmp_ok($many, '>=', 3, 'interval=0.05: several snapshots');
cmp_ok($few, '<=', 16, 'interval=60: those of the first seconds, ever rarer');

done_testing;
