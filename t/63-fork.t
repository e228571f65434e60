# A forked child that runs Perl code leaves a trace of its own, linked to its parent's; others leave no file.

use strict;
use warnings;

use Cwd qw(realpath);
use FindBin;
use Test::More;

use lib "$FindBin::Bin/lib";
use MProfTest;

my $run = profiled(<<'PERL');
use POSIX ();
our @kept;
our $length = 400;
sub before { push @kept, 'x' x $length; return }
sub child  { push @kept, 'y' x $length; return }
sub parent { push @kept, 'z' x $length; return }
before() for 1 .. 100;
my $pid = fork;
if (!$pid) { child() for 1 .. 30; exit 3 }
waitpid $pid, 0;
my $exit = $? >> 8;
parent() for 1 .. 20;
print "$pid $exit\n";
PERL
is($run->{stderr}, '', 'the program runs in silence');
my ($pid, $exit) = split ' ', $run->{stdout};
is($exit, 3, 'the child ends as it should');
is_deeply([traces_in($run->{dir})], ['mprof.bin', "mprof.bin.$pid"], 'two traces');
my @child = (trace => "$run->{dir}/mprof.bin.$pid");

is($run->of_sub('main::before')->{calls}, 100, 'the parent: before');
is($run->of_sub('main::parent')->{calls}, 20, 'the parent: after');
is($run->of_sub('main::child')->{calls}, 0, 'the parent: nothing of the child');
is_deeply([stat($run->trace)]->[2] & 0777, 0600, 'private');
is_deeply([stat($child[1])]->[2] & 0777, 0600, "the child's is private too");

my $info = $run->report('info', @child);
is($info->{header}{pid}, $pid, "the child's has its pid");
is($info->{header}{parent_pid}, $run->report('info')->{header}{pid}, "and its parent's");
is($info->{header}{parent_trace}, realpath($run->trace), "and its parent's trace");
is($run->report('info')->{header}{parent_trace}, undef, 'the parent has none');

my $subs = $run->subs(@child);
is($subs->{'main::child'}{calls}, 30, "the child's own calls");
is($subs->{'main::child'}{self_net_scalars}, 30, "the child's own scalars");
cmp_ok($subs->{'main::child'}{self_live_blocks}, '>=', 30, "the child's own blocks");
is(($subs->{'main::before'} || {})->{calls} || 0, 0, "the calls of its parent before the fork are not its own");
is(($subs->{'main::before'} || {})->{self_net_scalars} || 0, 0, 'nor are the scalars');
is(($subs->{'main::before'} || {})->{self_allocated_bytes} || 0, 0, 'nor the bytes');
is(($subs->{'main::parent'} || {})->{calls} || 0, 0, 'nor what the parent did afterwards');
my ($before) = grep { $_->{name} eq 'main::before' } @{ $run->report('subs', @child)->{subs}{rows} };
cmp_ok($before ? $before->{self_base_live_blocks} : 0, '>=', 100, 'what it inherited is known as such');
my $total = $info->{counters};
cmp_ok($total->{allocated_bytes}, '<', 100 * 400, "the child's totals are its own");

# Every way to have children.
my @ways = (
    ['system',      0, 'system $^X, "-e", "1"; print "ran\n"'],
    ['system of a shell', 0, 'system "true; true"; print "ran\n"'],
    ['backticks',   0, 'my $out = `echo ran`; print $out'],
    ['a pipe',      0, 'open my $p, "-|", "echo ran" or die; print <$p>; close $p'],
    ['a pipe to',   0, 'open my $p, "|-", "cat" or die; print {$p} "ran\n"; close $p'],
    ['glob',        0, 'my @f = glob "*.pl"; print "ran\n"'],
    ['a list pipe', 0, 'open my $p, "-|", $^X, "-e", q(print "ran\n") or die; print <$p>; close $p'],
    ['a child that only execs', 0, 'my $pid = fork; if (!$pid) { exec "true" } waitpid $pid, 0; print "ran\n"', 1],
    ['a fork open', 1, 'my $pid = open my $p, "-|"; if (!$pid) { print "ran\n"; exit } print <$p>; close $p'],
    ['three children', 3, 'my @p = map { my $p = fork; if (!$p) { f() for 1 .. 5; exit } $p } 1 .. 3; waitpid $_, 0 for @p; print "ran\n"'],
    ['a grandchild', 2, 'my $p = fork; if (!$p) { my $q = fork; if (!$q) { f(); exit } f(); waitpid $q, 0; exit } waitpid $p, 0; print "ran\n"'],
    ['a child that is killed', 1, 'my $p = fork; if (!$p) { f() for 1 .. 5; Devel::MProf::snapshot(); kill KILL => $$; sleep 5 } waitpid $p, 0; print "ran\n"'],
    ['a child that ends by _exit', 1, 'require POSIX; my $p = fork; if (!$p) { f() for 1 .. 5; POSIX::_exit(0) } waitpid $p, 0; print "ran\n"'],
    ['a child that goes elsewhere', 1, 'mkdir "away"; my $p = fork; if (!$p) { chdir "away"; f(); exit } waitpid $p, 0; print "ran\n"'],
    ['a daemon',    1, 'pipe my $r, my $w; if (my $p = fork) { close $w; waitpid $p, 0; print <$r>; exit } close $r; require POSIX; POSIX::setsid(); open STDOUT, ">&", $w; print "ran\n"; f(); exit'],
    ['a thousand allocations in parent and child', 1, 'my $p = fork; my @x = map { "x" x $_ } 1 .. 1000; undef @x; if (!$p) { exit } waitpid $p, 0; print "ran\n"'],
);
for my $way (@ways) {
    my ($name, $children, $text, $at_most) = @$way;
    # A child that has lived for an interval when it execs leaves a trace. On a busy machine that may be a second.
    my $run = profiled("sub f { return 1 } f() for 1 .. 10; $text", options => 'interval=60');
    subtest $name => sub {
        is($run->{stdout}, "ran\n", 'the program runs');
        is($run->{stderr}, '', 'in silence');
        my @traces = traces_in($run->{dir});
        if ($at_most) { cmp_ok(scalar @traces, '<=', 1 + $at_most, 'no more traces than processes') }
        else          { is(scalar @traces, 1 + $children, "traces: the program's and $children") or diag("@traces") }
        is($run->of_sub('main::f')->{calls}, 10, "the program's calls are in its own");
        for my $trace (@traces) {
            my $read = mprof_dump('subs', "$run->{dir}/$trace");
            is($read->{exit}, 0, "$trace can be read") or diag($read->{stderr});
        }
    };
}

same_behaviour('fork, wait, pipes and exit codes are as without', <<'PERL');
$| = 1;
pipe my $r, my $w;
my $p = fork;
if (!$p) { close $r; print {$w} "child ", fileno $r // 'closed', "\n"; close $w; exit 12 }
close $w;
print waitpid($p, 0) == $p ? "reaped " : "not ", $? >> 8, "\n";
print <$r>;
print wait, "\n";
local $SIG{CHLD} = sub { print "CHLD\n" };
if (!($p = fork)) { exit 0 }
1 while waitpid($p, 0) != $p;
print "ends\n";
if (!($p = fork)) { END { print "END in $$\n" =~ s/\d+/somewhere/r } die "child dies\n" }
waitpid $p, 0;
print $? >> 8, "\n";
PERL

done_testing;
