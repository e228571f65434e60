# ithreads: nothing crashes, every thread's calls are counted, and what threads allocate adds up.

use strict;
use warnings;

use Config;
use FindBin;
use Test::More;

use lib "$FindBin::Bin/lib";
use MProfTest;

plan skip_all => 'this perl is built without ithreads' if !$Config{useithreads};

my $run = profiled(<<'PERL');
use strict;
use warnings;
use threads;
use threads::shared;
my $shared :shared = 0;
our @kept;
sub work { my ($n) = @_; push @kept, [$n]; inner() for 1 .. 3; { lock $shared; $shared++ } return $n }
sub inner { return 1 }
sub only_main { return 1 }
only_main() for 1 .. 50;
work($_) for 1 .. 10;
my @threads = map { my $id = $_; threads->create(sub { work($_) for 1 .. 200; return $id }) } 1 .. 4;
work($_) for 1 .. 20;
my $sum = 0;
$sum += $_->join for @threads;
my $detached = threads->create(sub { work(1); return });
$detached->join;
my $dies = threads->create(sub { work(1); no warnings; die "in a thread\n" });
{ local $SIG{__WARN__} = sub {}; $dies->join; }
only_main() for 1 .. 5;
print "$sum $shared\n";
PERL
is($run->{signal}, 0, 'no crash');
is($run->{exit}, 0, 'a clean end') or diag($run->{stderr});
is($run->{stdout}, "10 832\n", 'the program is right');

is($run->of_sub('main::work')->{calls}, 10 + 4 * 200 + 20 + 1 + 1, 'calls of all threads');
is($run->of_sub('main::inner')->{calls}, 3 * 832, 'and of what they call');
is($run->of_sub('main::only_main')->{calls}, 55, 'calls of the main thread');

my $total = $run->counters;
is($total->{live_bytes}, $total->{allocated_bytes} - $total->{freed_bytes}, 'live is allocated less freed');
is($total->{missed_events}, 0, 'nothing was missed');

my @threads = @{ $run->report('info')->{threads}{rows} };
is(scalar @threads, 7, 'seven threads are known');
my ($allocated, $freed) = (0, 0);
$allocated += $_->{allocated_bytes}, $freed += $_->{freed_bytes} for @threads;
is($allocated, $total->{allocated_bytes}, 'what they allocated is what the process did');
is($freed, $total->{freed_bytes}, 'what they freed, too');
my ($places) = (0);
$places += $_->{self_live_bytes} for @{ $run->report('lines')->{lines}{rows} };
is($places, $total->{live_bytes}, 'live by line is what lives');

for my $options ('live=0', 'hook=db', 'statm=every', 'depth=2') {
    my $run = profiled('use threads; sub f { push our @x, [1]; 1 } my @t = map { threads->create(sub { f() for 1 .. 100 }) } 1 .. 3; $_->join for @t; f(); print "ran\n"', options => $options);
    is("$run->{stdout}$run->{stderr} $run->{signal}", "ran\n 0", "$options: it runs");
    is($run->of_sub('main::f')->{calls}, 301, "$options: and the calls are right");
}

for my $end ('exit 3', 'die "x\n"', 'require POSIX; POSIX::_exit(3)', 'kill KILL => $$') {
    my $run = profiled(qq{use threads; sub f { 1 } my \$t = threads->create(sub { f() for 1 .. 100; sleep 1 while 1 }); f() for 1 .. 7; select undef, undef, undef, 0.2; Devel::MProf::snapshot(); $end});
    cmp_ok($run->of_sub('main::f')->{calls}, '>=', 7, "$end, with a thread that runs: there is a trace");
}

# A child of a program that has threads.
$run = profiled('use threads; sub f { push our @x, [1]; 1 } threads->create(sub { f() })->join; my $p = fork; if (!$p) { f() for 1 .. 3; threads->create(sub { f() })->join; exit 3 } waitpid $p, 0; print $? >> 8, " $p"');
my ($exit, $pid) = split ' ', $run->{stdout};
is($exit, 3, 'a program that has had threads forks: the child ends well');
is($run->subs(trace => "$run->{dir}/mprof.bin.$pid")->{'main::f'}{calls}, 4, 'and its calls are in its trace');
is($run->of_sub('main::f')->{calls}, 1, "and the parent's in the parent's");

done_testing;
