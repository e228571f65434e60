# However a program ends, it leaves a trace that can be read, with all up to the end or to at most an interval before.

use strict;
use warnings;

use FindBin;
use Test::More;

use lib "$FindBin::Bin/lib";
use MProfTest;

my $work = 'sub f { push our @kept, [1]; return } f() for 1 .. 100; $| = 1; ';

# Exit code, signal, calls of f in the trace, text, and how the trace says it ended.
my @ends = (
    ['the last line',      0,  0,  100, 'print "ran\n"'],
    ['exit',               3,  0,  100, 'exit 3'],
    ['exit in a sub',      4,  0,  100, 'sub g { exit 4 } g()'],
    ['exit in an eval',    5,  0,  100, 'eval { eval q{ exit 5 } }'],
    ['die',                9,  0,  100, '$! = 9; die "x\n"'],
    ['die in a sub',       9,  0,  100, 'sub g { $! = 9; die "x\n" } g()'],
    ['END that works',     0,  0,  150, 'END { f() for 1 .. 50 }'],
    ['END after exit',     6,  0,  110, 'END { f() for 1 .. 10 } exit 6'],
    ['END that dies',      9,  0,  100, 'END { $! = 9; die "x\n" }'],
    ['POSIX::_exit',       7,  0,  100, 'require POSIX; POSIX::_exit(7)'],
    ['exec',               8,  0,  100, 'exec $^X, "-e", "exit 8"'],
    ['exec of a shell',    8,  0,  100, 'exec "exit 8; true"'],
    ['exec that fails',    2,  0,  110, '{ no warnings; exec "/nonexistent/program" } f() for 1 .. 10; exit 2'],
    ['exec in a sub',      8,  0,  100, 'sub g { exec $^X, "-e", "exit 8" } g()'],
    # What perl does after the program has ended is not its doing.
    ['DESTROY at the end', 0,  0,  100, 'our $o = bless []; sub DESTROY { f() }'],
    ['a signal handler',   0,  0,  120, '$SIG{TERM} = sub { f() for 1 .. 20; exit 0 }; kill TERM => $$; sleep 5'],
    ['die in a handler',   9,  0,  100, '$SIG{TERM} = sub { $! = 9; die "x\n" }; kill TERM => $$; sleep 5'],
    ['compile errors',     255, 0, 0,   'if (', ''],
    ['exit in BEGIN',      3,  0,  0,   'BEGIN { exit 3 }'],
    ['-c',                 0,  0,  0,   '', '-c'],
);
for my $end (@ends) {
    my ($name, $exit, $signal, $calls, $text, @switches) = @$end;
    my $run = profiled($work . $text, switches => [grep length, @switches]);
    subtest $name => sub {
        is("$run->{exit} $run->{signal}", "$exit $signal", 'it ends as it should') or diag($run->{stderr});
        is($run->of_sub('main::f')->{calls}, $calls, 'all calls up to the end are in the trace');
        my $info = $run->report('info');
        is_deeply($info->{warnings}, [], 'no warnings') or diag(explain($info->{warnings}));
        cmp_ok($info->{counters}{allocated_bytes}, '>', 0, 'figures are there');
    };
}

# Killed, while something happened in every interval. What must be in the trace does not depend on how busy the machine is:
# of three snapshots that are begun one after the other, the second begins after the first moment and has been written by
# the last. The program says how often it had called by then, and how often in the end.
for my $signal (qw(TERM KILL HUP SEGV)) {
    my $run = profiled(<<"PERL", options => 'interval=0.1');
sub f { push our \@kept, [1]; return }
my \$calls = 0;
my \$end = time + 120;
sub three_snapshots {
    my \$last = Devel::MProf::stats()->{snapshots} + 3;
    while (Devel::MProf::stats()->{snapshots} < \$last && time < \$end) { f() for 1 .. 50; \$calls += 50; select undef, undef, undef, 0.01 }
    return;
}
three_snapshots();
\$| = 1;
print "\$calls ";
three_snapshots();
print \$calls;
kill $signal => \$\$;
sleep 5;
PERL
    isnt($run->{signal}, 0, "$signal: ends the program");
    my $calls = $run->of_sub('main::f')->{calls};
    my ($least, $most) = split ' ', $run->{stdout};
    cmp_ok($least, '>', 0, "$signal: it worked for some snapshots");
    cmp_ok($calls, '<=', $most, "$signal: the last is of no more than was");
    cmp_ok($calls, '>=', $least, "$signal: but of most");
    my $total = $run->counters;
    is($total->{live_bytes}, $total->{allocated_bytes} - $total->{freed_bytes}, "$signal: it is one moment, not a mixture");
}

# A program that is killed at once leaves a header, at least.
my $run = profiled('kill KILL => $$; sleep 5');
is($run->{signal}, 9, 'killed at once');
my $read = mprof_dump($run->trace);
like("$read->{exit} $read->{signal}", qr/^[02] 0$/, 'no crash of the reader');

done_testing;
