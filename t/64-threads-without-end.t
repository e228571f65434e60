# A program that makes threads one after the other, without end: what is kept of them does not grow, and nothing is lost.

use strict;
use warnings;

use Config;
use FindBin;
use Test::More;

use lib "$FindBin::Bin/lib";
use MProfTest;

plan skip_all => 'this perl is built without ithreads' if !$Config{useithreads};

my $program = <<'PERL';
use strict;
use warnings;
use threads;
our @kept;
sub work { my ($n) = @_; push @kept, "kept $n"; inner(); return $n }
sub inner { push @kept, [1]; return }
sub detached { inner(); return }
my ($rounds, $sum) = (shift, 0);
sub threads_there { opendir my $tasks, '/proc/self/task' or die; return scalar grep { /^\d/ } readdir $tasks }
my $alone = threads_there();
# Nothing else tells when a detached thread is gone.
sub wait_for_threads {
    for (1 .. 6000) { return if threads_there() <= $alone; select undef, undef, undef, 0.01 }
    die "threads that do not end\n";
}
sub round {
    my @threads = map { my $n = $_; threads->create(sub { work($n) }) } 1 .. 8;
    threads->create(\&detached)->detach for 1 .. 2;
    $sum += $_->join for @threads;
    return;
}
round() for 1 .. 20;
wait_for_threads();
my $before = Devel::MProf::stats()->{profiler_bytes};
round() for 1 .. $rounds;
wait_for_threads();
my $grown = Devel::MProf::stats()->{profiler_bytes} - $before;
print "$sum ", $grown < 1e6 ? 'small' : "grown by $grown", "\n";
PERL

my $rounds = 130;
for my $options ('depth=1000', 'live=0', 'ledger=0', 'calls=1') {
    my $run = profiled($program, options => $options, args => [$rounds]);
    my $all = 20 + $rounds;
    is("$run->{stdout}$run->{stderr}", $all * 36 . " small\n", "$options: the profiler does not grow with the threads");
    is($run->{exit} . $run->{signal}, '00', "$options: a clean end");
    is($run->of_sub('main::work')->{calls}, 8 * $all, "$options: each call is counted");
    is($run->of_sub('main::inner')->{calls}, 10 * $all, "$options: those of detached threads too");
    is($run->of_sub('main::inner')->{self_net_scalars}, 0, "$options: scalars die with their thread") if $options ne 'ledger=0';
    my @roots = grep { !defined $_->{parent_id} } $run->tree;
    my @threads = grep { $_->{name} =~ /^\(thread \d+\)$/ } @roots;
    cmp_ok(scalar @threads, '<=', 40, "$options: few roots, which thread after thread is below");
    my @rows = @{ $run->report('info')->{threads}{rows} };
    cmp_ok(scalar @rows, '<=', 300, "$options: a row for each thread, up to some hundreds");
    my %sum;
    for my $row (@rows) { $sum{$_} += $row->{$_} for qw(allocated_bytes freed_bytes allocated_blocks freed_blocks) }
    my $total = $run->counters;
    is_deeply(\%sum, { map { ($_ => $total->{$_}) } keys %sum }, "$options: the rows add up to the process's figures");
    is($total->{missed_events}, 0, "$options: nothing was missed");
    conserves($run) if $options ne 'live=0';
}

done_testing;
