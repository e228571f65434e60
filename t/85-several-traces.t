# Traces of a process and of those it forked, read together: everything is counted, and nothing twice.

use strict;
use warnings;

use FindBin;
use JSON::PP ();
use Test::More;

use lib "$FindBin::Bin/lib";
use MProfTest;

my $run = profiled(<<'PERL');
our @kept;
sub keep { my $bytes = shift; push @kept, 'x' x $bytes; return }
sub work { keep(3000) for 1 .. 10; return }
keep(5000) for 1 .. 100;
for my $n (1 .. 3) {
    my $pid = fork;
    if (!$pid) {
        @kept = () if $n == 3;
        work() for 1 .. $n;
        exit 0;
    }
    waitpid $pid, 0;
}
keep(200) for 1 .. 50;
PERL
is($run->{stderr}, '', 'the program runs in silence');
my @traces = map { "$run->{dir}/$_" } traces_in($run->{dir});
is(scalar @traces, 4, 'four traces');

sub report {
    my (@arguments) = @_;
    my $read = mprof_dump(@arguments);
    is($read->{exit}, 0, "mprof-dump @arguments") or diag($read->{stderr});
    return JSON::PP->new->utf8->decode($read->{stdout});
}

my $info    = report('info', '--json', "$run->{dir}/mprof.bin*");
my @members = @{ $info->{members}{rows} };
is(scalar @members, 4, 'the members are listed');
is_deeply([map { $_->{run} } @members], [1, 1, 1, 1], 'they are one run');
is(scalar(grep { $_->{child_of_member} } @members), 3, 'of a parent and three children');
my $sum = $info->{counters};
for my $figure (qw(allocated_bytes live_bytes peak_bytes)) {
    my $members = 0;
    $members += $_->{$figure} for @members;
    is($members, $sum->{$figure}, "$figure: the members' are the whole");
}
is($sum->{live_bytes}, $sum->{allocated_bytes} - $sum->{freed_bytes}, 'live is allocated less freed');

my $allocated = 0;
$allocated += report('info', '--json', $_)->{counters}{allocated_bytes} for @traces;
is($sum->{allocated_bytes}, $allocated, 'what was allocated is what each allocated after the fork, together');

my %subs = map { ($_->{name} => $_) } @{ report('subs', '--json', @traces)->{subs}{rows} };
is($subs{'main::keep'}{calls}, 100 + 10 * (1 + 2 + 3) + 50, 'calls are the sum');
is($subs{'main::work'}{calls}, 1 + 2 + 3, 'also of what only children called');
my $live = $subs{'main::keep'}{self_live_bytes};
my $least = 100 * usable_bytes(5001) + 50 * usable_bytes(201) + 10 * (1 + 2) * usable_bytes(3001);
cmp_ok($live, '>=', $least, 'what each of them keeps is there');
cmp_ok($live, '<', $least + 100 * usable_bytes(5001), 'what children inherited is not there again');

my %modules;
for my $row (@{ report('modules', '--json', @traces)->{modules}{rows} }) {
    $modules{$_} += $row->{"self_$_"} for qw(allocated_bytes freed_bytes live_bytes at_peak_bytes allocated_blocks);
}
is($modules{$_}, $sum->{$_}, "$_: the sum over all modules is the whole's")
    for qw(allocated_bytes freed_bytes live_bytes allocated_blocks);
is($modules{at_peak_bytes}, $sum->{peak_bytes}, 'the sum of all at the peak is the peak');

my $merged = "$run->{dir}/all.bin";
my $merge  = mprof_dump('merge', '-o', $merged, "$run->{dir}/mprof.bin*");
is($merge->{exit}, 0, 'they are merged into one trace') or diag($merge->{stderr});
like($merge->{stderr}, qr/sums of 4 traces of 1 run;.*peak/, 'with a word on what its peak is');
is_deeply(report('info', '--json', $merged)->{counters}, $sum, 'which has the same figures');
is_deeply(
    report('subs', '--json', $merged)->{subs},
    report('subs', '--json', @traces)->{subs},
    'and the same subs'
);

done_testing;
