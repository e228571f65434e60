# With ledger=0 no statement is told of, only calls. They end all the same, and what waits does not wait for one.

use strict;
use warnings;

use FindBin;
use Test::More;

use lib "$FindBin::Bin/lib";
use MProfTest;

# What is left in each of these ways is over at once: what runs afterwards is not below it.
my $ways = <<'PERL';
no warnings 'exiting';
sub inner_dies { die { code => 1 } }
sub inner_last { last }
sub inner_next { next }
sub inner_goto { goto OUT }
sub after      { my @more = (1 .. 10); return scalar @more }
sub by_eval    { my $n = eval { inner_dies(); 1 } || after(); return $n }
sub by_string  { my $n = eval 'inner_dies(); 1' || after(); return $n }
sub by_last    { for (1) { inner_last() } return after() }
sub by_next    { for (1) { inner_next() } return after() }
sub by_goto    { inner_goto(); OUT: return after() }
sub by_sort    { my @s = eval { sort { inner_dies() } 1, 2 }; return after() }
sub by_handler { local $SIG{__DIE__} = sub { after() }; eval { inner_dies() }; return after() }
sub Gone::DESTROY { eval { main::inner_dies() }; return }
sub by_destroy { { my $gone = bless [], 'Gone' } return after() }
$_->() for \&by_eval, \&by_string, \&by_last, \&by_next, \&by_goto, \&by_sort, \&by_handler, \&by_destroy;
PERL
$ways .= <<'PERL' if $] >= 5.034;
use feature 'try'; no warnings;
sub by_try { try { inner_dies() } catch ($e) { return after() } return }
sub by_try_alone { my $n = do { try { inner_dies() } catch ($e) { 0 } } || after(); return $n }
$_->() for \&by_try, \&by_try_alone;
PERL
$ways .= qq{print "done\\n";\n};

my ($light, $full) = map { same_behaviour("ways out of a sub, $_", $ways, options => $_) } 'ledger=0', 'ledger=1';
for my $name (qw(after inner_dies)) {
    my $callers = $light->parents_of("main::$name");
    like($callers, qr/main::by_/, "$name: is called");
    is($callers, $full->parents_of("main::$name"), "$name: from where it is with statements");
}
unlike($light->parents_of('main::after'), qr/inner/, 'after: never from what is over');
conserves($light, 'calls alone');

# A loop that calls nothing. What it waits for is written by nobody else.
my $busy = profiled(<<'PERL', options => 'ledger=0,interval=0.05');
my ($n, $size, $grown, $until) = (0, 0, 0, time + 240);
while ($grown < 3 && time < $until) {
    my @list = (1 .. 200);
    $kept[@kept] = "@list" if @kept < 1000;
    my $now = -s 'mprof.bin' || 0;
    $grown++ if $now > $size;
    $size = $now;
}
print "grown $grown times\n";
PERL
is($busy->{stdout}, "grown 3 times\n", 'snapshots are taken in a loop without a call');

# A child that calls nothing has a trace all the same.
my $forked = profiled('my $pid = fork; if (!$pid) { my $kept = "x" x $$; exit 0 } waitpid $pid, 0;', options => 'ledger=0');
is(scalar(my @traces = glob "$forked->{dir}/mprof.bin*"), 2, 'a child that only ends has a trace');
my $piped = profiled('my $pid = open my $f, "-|"; if (!$pid) { print "x" x 70; exit 0 } print <$f>; close $f;', options => 'ledger=0');
is(scalar(@traces = glob "$piped->{dir}/mprof.bin*"), 2, 'and one that a pipe was opened to');

# The last of perl's pools that grew is a pool's at the end as well.
my @pools = map {
    my $run = profiled('my @x = map { [] } 1 .. 200; 1;', options => $_);
    my ($row) = grep { $_->{kind} eq 'pools' } $run->tree;
    $row->{self_allocated_blocks};
} 'ledger=0', 'ledger=1';
cmp_ok($pools[1], '>', 0, 'perl has pools');
is($pools[0], $pools[1], 'and as many of them: one that grew last is no line\'s');

done_testing;
