# However often a program forks: its descriptors, threads and files are as they should be, in it and in its children.

use strict;
use warnings;

use FindBin;
use Test::More;

use lib "$FindBin::Bin/lib";
use MProfTest;

# What a process has, for programs below: descriptors and threads.
my $counts = <<'PERL';
use POSIX ();
our @kept;
sub f { push @kept, [1]; return }
sub entries { my ($dir) = @_; opendir my $d, $dir or die "$dir: $!"; return scalar grep { !/^\./ } readdir $d }
sub counts { return join ' ', map { entries("/proc/self/$_") } qw(fd task) }
sub resident { open my $s, '<', '/proc/self/statm' or die; return (split ' ', <$s>)[1] * 4 }
f() for 1 .. 10;
PERL

# Children of every kind: how many, how many traces they leave, and what is the statement that forks. A child's trace
# begins with its first statement or call.
my %children = (
    'die at once'           => [10_000, 0, 'my $p = fork || kill KILL => $$;'],
    'end at once'           => [300, 0, 'my $p = fork || exit;'],
    'become a program'      => [300, 0, 'my $p = fork; if (!$p) { exec "/bin/true" }'],
    'open a file, then become a program' => [200, 0, 'my $p = fork; if (!$p) { open STDIN, "<", "/dev/null"; exec "/bin/true" }'],
    'call, then become a program' => [200, 0, 'my $p = fork; if (!$p) { f(); exec "/bin/true" }'],
    'are killed'            => [200, 0, 'my $p = fork; if (!$p) { f(); kill KILL => $$; sleep 10 }'],
    'call and exit'         => [200, 200, 'my $p = fork; if (!$p) { f(); exit 0 }'],
    'call and end by _exit' => [200, 200, 'my $p = fork; if (!$p) { f(); POSIX::_exit(0) }'],
);
for my $name (sort keys %children) {
    my ($many, $traces, $forks) = @{ $children{$name} };
    # A child that has lived for an interval when it execs or is killed leaves a trace. On a busy machine that may be a second.
    my $run = profiled("$counts my \$before = counts(); for (1 .. $many) { $forks waitpid \$p, 0 } print counts() eq \$before ? 'same' : counts() . qq( was \$before);",
        options => 'interval=60');
    is("$run->{stdout}$run->{stderr} $run->{exit}", 'same 0', "$many children that $name: the parent's descriptors and threads are as before");
    is(scalar traces_in($run->{dir}), 1 + $traces, "and there are $traces traces of them");
    is($run->of_sub('main::f')->{calls}, 10, "and the parent's is right");
    for my $trace ((grep /\.\d+$/, traces_in($run->{dir}))[0, -1]) {
        next if !defined $trace;
        is($run->subs(trace => "$run->{dir}/$trace")->{'main::f'}{calls}, 1, "$trace: the call is in it");
    }
}

# Each generation forks the next and ends, as a program does that starts itself anew.
my $run = profiled($counts . <<'PERL');
$| = 1;
pipe my $read, my $write;
my $first = counts();
for my $generation (1 .. 200) {
    my $p = fork // die;
    if ($p) { waitpid $p, 0 if $generation == 1; POSIX::_exit(0) if $generation > 1; last }
    f();
    POSIX::setsid();
    if ($generation == 10 || $generation == 200) { syswrite $write, counts() . ' ' . resident() . "\n" }
    POSIX::_exit(0) if $generation == 200;
}
close $write;
print "$first\n", <$read>;
PERL
my ($first, $tenth, $last) = map { [split] } split /\n/, $run->{stdout};
is($tenth->[1], $first->[1], 'the tenth generation has the threads of the first') or diag($run->{stdout}, $run->{stderr});
cmp_ok($tenth->[0], '<=', $first->[0], 'and no more descriptors');
is("@$last[0, 1]", "@$tenth[0, 1]", 'and so has the two hundredth');
cmp_ok($last->[2], '<', $tenth->[2] * 2 + 30_000, 'and it is not much larger') or diag($run->{stdout});

# A child that lives on does not keep its parent's trace locked: the next run replaces it.
$run = profiled($counts . 'my $p = fork; if (!$p) { open STDOUT, ">", "/dev/null"; open STDERR, ">&STDOUT"; f(); sleep 3; exit } print "ran\n"');
my $again = profiled('sub g { 1 } g(); print "ran\n"', dir => $run->{dir});
is($again->of_sub('main::g')->{calls}, 1, 'a trace whose process has ended is replaced, whatever its children do');

# What a child closed, and what it got in its place, is its own.
$run = profiled($counts . <<'PERL');
for (1 .. 3) {
    my $p = fork;
    if (!$p) {
        my %before = map { $_ => readlink "/proc/self/fd/$_" } 3 .. 1100;
        POSIX::close($_) for 3 .. 1100;
        my @mine;
        for (1 .. 1050) { open my $f, '<', $0 or last; push @mine, $f }
        my $q = fork;
        if (!$q) { f(); my @read = grep { !defined readline $_ } @mine; print @read ? scalar @read . " are not mine\n" : "all are mine\n"; exit }
        waitpid $q, 0;
        exit;
    }
    waitpid $p, 0;
}
PERL
is($run->{stdout}, "all are mine\n" x 3, "a child's descriptors are its own, whatever numbers ours had");
is($run->{stderr}, '', 'and nothing is said');

done_testing;
