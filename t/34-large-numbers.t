# A million of anything is bounded: calls deep, closures, string evals. The figures are right, and memory stays small.

use strict;
use warnings;

use FindBin;
use Test::More;

use lib "$FindBin::Bin/lib";
use MProfTest;

my $run = profiled(<<'PERL');
no warnings 'recursion';
sub deep { return $_[0] ? deep($_[0] - 1) : 'bottom' }
print deep(1_000_000), "\n";
sub marker { return 1 }
marker();
PERL
is("$run->{stdout}$run->{stderr}$run->{signal}", "bottom\n0", 'recursion a million deep: it runs');
is($run->of_sub('main::deep')->{calls}, 1_000_001, 'and every call is counted');
is($run->parents_of('main::marker'), '(main program)', 'and closed');
cmp_ok(scalar(() = $run->tree), '<', 50, 'in a tree that stays small');
# perl keeps the variables of each level for the next time.
my $total = $run->counters;
cmp_ok($total->{profiler_bytes}, '<', (8 << 20) + 32 * $total->{live_blocks}, 'the stack of calls is given back');

# Closures that are kept, and closures that go.
$run = profiled(<<'PERL');
our @kept;
sub make { my ($n) = @_; return sub { return $n } }
for my $n (1 .. 1_000_000) { my $made = make($n); $made->(); push @kept, $made if $n % 20 == 0 }
print scalar @kept, "\n";
PERL
is("$run->{stdout}$run->{stderr}", "50000\n", 'a million closures: it runs');
is($run->of_sub('main::make')->{calls}, 1_000_000, 'their maker was called as often');
my ($closure) = grep { $_->{name} =~ /^main::__ANON__\[prog\.pl:2\]/ } values %{ $run->{subs} };
is($closure->{calls}, 1_000_000, 'all are one sub');
cmp_ok($run->of_sub('main::make')->{self_net_scalars}, '>=', 2 * 50_000, 'those that are kept are known');
cmp_ok($run->of_sub('main::make')->{self_net_scalars}, '<', 5 * 50_000, 'and those that went are not');
cmp_ok(scalar keys %{ $run->{subs} }, '<', 50, 'among few subs');
cmp_ok(-s $run->trace, '<', small_trace($run), 'in a small trace');

$run = profiled(<<'PERL');
my $sum = 0;
for my $n (1 .. 100_000) { $sum += eval "my \$x = $n; sub { \$x }->()" }
print "$sum\n";
PERL
is("$run->{stdout}$run->{stderr}", "5000050000\n", 'a hundred thousand string evals: it runs');
is($run->of_sub('(eval)[prog.pl:2]')->{calls}, 100_000, 'they are one');
cmp_ok(scalar keys %{ $run->{subs} }, '<', 50, 'among few subs');
cmp_ok($run->counters->{profiler_bytes}, '<', 8 << 20, 'the profiler does not grow with them');
cmp_ok(-s $run->trace, '<', small_trace($run), 'nor does the trace');

done_testing;

# Each snapshot takes some, and the longer a run takes, the more of them there are.
sub small_trace {
    my ($run) = @_;
    my $snapshots = 0;
    $snapshots += $_->{snapshots} for @{ $run->report('info')->{snapshots}{rows} };
    return 100_000 + 10_000 * $snapshots;
}
