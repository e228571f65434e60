# Marks: made by the program, at the returns of a sub, by a signal; counted by label; with snapshots, ever rarer. And what
# else the program may ask for: stats, and full snapshots.

use strict;
use warnings;

use FindBin;
use Test::More;

use lib "$FindBin::Bin/lib";
use MProfTest;

# {label => marks}
sub marks {
    my ($run, @trace) = @_;
    return { map { ($_->{label} => $_->{marks}) } @{ $run->report('info', @trace)->{marks}{rows} } };
}

# {cause => snapshots}
sub snapshots {
    my ($run) = @_;
    return { map { ($_->{cause} => $_->{snapshots}) } @{ $run->report('info')->{snapshots}{rows} } };
}

# {kind => chunks}
sub chunks {
    my ($run) = @_;
    return { map { ($_->{kind} => $_->{chunks}) } @{ $run->report('info')->{chunks}{rows} } };
}

my $run = profiled(<<'PERL');
for my $n (1 .. 30) { Devel::MProf::mark($n % 3 ? 'small' : 'large') }
Devel::MProf->mark('method');
Devel::MProf::mark();
Devel::MProf::mark(undef);
print defined(Devel::MProf::mark('x')) ? 'something' : 'nothing', "\n";
eval { Devel::MProf::mark(1, 2) };
print $@ =~ /\AUsage: Devel::MProf::mark\(LABEL\)/ ? "usage\n" : "[$@]\n";
PERL
is($run->{stdout}, "nothing\nusage\n", 'mark returns nothing, and takes one label');
is($run->{stderr}, '', 'in silence');
is_deeply(marks($run), { small => 20, large => 10, method => 1, '(mark)' => 2, x => 1 }, 'counted by label');

# Labels without end do not fill the memory, and no mark is lost.
$run = profiled('for my $n (1 .. 5000) { Devel::MProf::mark("GET /$n") }');
my $marks = marks($run);
is(scalar keys %$marks, 257, 'as many labels as are told apart, and one');
is($marks->{'(other)'}, 5000 - 256, 'all others together');
cmp_ok(snapshots($run)->{mark}, '>=', 40, 'snapshots at many of them');
cmp_ok(snapshots($run)->{mark}, '<', 300, 'but not at all');

# Every return of a sub, however it returns, and no line of the program changed.
my $program = <<'PERL';
package My::Worker;
sub new    { return bless {}, shift }
sub do_job { my ($self, $n) = @_; die "no\n" if $n % 10 == 0; return other() if $n % 10 == 1; return $n }
sub other  { return 1 }
package main;
my $worker = My::Worker->new;
my $failed = 0;
for my $n (1 .. 100) { eval { $worker->do_job($n); 1 } or $failed++ }
print "$failed\n";
PERL
for my $hook (qw(op db)) {
    $run = profiled($program, options => "mark=My::Worker::do_job,hook=$hook");
    is($run->{stdout}, "10\n", "$hook: the program runs");
    is($run->{stderr}, '', "$hook: in silence");
    is_deeply(marks($run), { 'My::Worker::do_job' => 100 }, "$hook: mark=: each return of the sub");
}
$run = profiled($program, mprof => 'mark=My::Worker::do_job:interval=5');
is_deeply(marks($run), { 'My::Worker::do_job' => 100 }, 'in MPROF, where colons divide options');
$run = profiled($program, options => 'mark=My::Worker::nothing');
is_deeply(marks($run), {}, 'a sub that there is none of makes none');
for my $bad ('do_job', '', '::x') {
    $run = profiled($program, options => "mark=$bad");
    isnt($run->{exit}, 0, "mark=$bad is refused");
    like($run->{stderr}, qr/bad value '\Q$bad\E' for option 'mark'/, 'in a sentence');
}

# A signal makes a mark and a full snapshot; the program's own handlers come first.
$run = profiled(<<'PERL', options => 'signal=USR2,full=off');
my $seen = defined $SIG{USR2} ? $SIG{USR2} : 'undef';
for my $n (1 .. 3) { kill 'USR2' => $$; my $later = $n }
$SIG{USR1} = sub { $seen .= ' handled' };
kill 'USR1' => $$;
print "$seen\n";
PERL
is($run->{stdout}, "undef handled\n", 'signal=: the program sees no handler, and has its own');
is($run->{signal}, 0, 'and is not killed');
is_deeply(marks($run), { '(signal USR2)' => 3 }, 'a mark each time');
is(chunks($run)->{samples}, 3, 'with a sample of the heap');
$run = profiled('$SIG{USR2} = sub { print "mine\n" }; kill USR2 => $$; my $later = 1;', options => 'signal=SIGUSR2');
is($run->{stdout}, "mine\n", 'a handler that the program sets takes precedence');
is_deeply(marks($run), {}, 'and there is no mark');
$run = profiled('print "no\n"', options => 'signal=KILL');
like($run->{stderr}, qr/bad value 'KILL' for option 'signal'/, 'a signal that cannot be');

# Full snapshots.
my $works = 'our @kept; for my $n (1 .. 100) { push @kept, [$n]; Devel::MProf::mark("work") } ';
is(chunks(profiled($works))->{samples}, 3, 'full=auto: at 32 and 64 marks, and at the end');
is(chunks(profiled($works, options => 'full=10'))->{samples}, 11, 'full=10: every ten marks, and at the end');
is(chunks(profiled($works, options => 'full=off'))->{samples}, 0, 'full=off: none');
is(chunks(profiled($works . 'Devel::MProf::snapshot("full"); Devel::MProf->snapshot("full"); Devel::MProf::snapshot()', options => 'full=off'))->{samples}, 2, 'but those that are asked for');
$run = profiled('eval { Devel::MProf::snapshot("half") }; print $@');
like($run->{stdout}, qr/\AUsage: Devel::MProf::snapshot\(\) or Devel::MProf::snapshot\('full'\)/, 'snapshot takes nothing else');
like(profiled('1', options => 'full=0')->{stderr}, qr/bad value '0' for option 'full'/, 'full=0 is refused');

# Figures as of now.
$run = profiled(<<'PERL');
my @names = sort keys %{ Devel::MProf::stats() };
print "@names\n";
my $before = Devel::MProf::stats();
my $length = 1000;
our @kept = map { 'x' x $length } 1 .. 1000;
Devel::MProf::mark('x');
my $after = Devel::MProf->stats;
print join(' ', map { $after->{$_} - $before->{$_} } qw(live_bytes scalars marks)), "\n";
Devel::MProf::stop();
my @none = Devel::MProf::stats();
print scalar @none, "\n";
PERL
my ($names, $grown, $none) = split /\n/, $run->{stdout};
is($names, 'allocated_blocks allocated_bytes freed_blocks freed_bytes live_blocks live_bytes marks peak_bytes profiler_bytes resident_bytes scalars snapshots', 'stats: the figures');
my ($live_bytes, $scalars, $made) = split ' ', $grown;
cmp_ok($live_bytes, '>=', 1000 * usable_bytes(1001), 'live bytes');
cmp_ok($live_bytes, '<', 1000 * usable_bytes(1001) + 80_000, 'and not many more');
cmp_ok($scalars, '>=', 1000, 'scalars');
cmp_ok($scalars, '<', 1100, 'and not many more');
is($made, 1, 'marks');
is($none, 0, 'nothing while nothing is recorded');

# A forked child counts its own.
$run = profiled('for (1 .. 5) { Devel::MProf::mark("before") } my $pid = fork; if (!$pid) { Devel::MProf::mark("child") for 1 .. 7; exit } waitpid $pid, 0; Devel::MProf::mark("after"); print "$pid\n"');
chomp(my $pid = $run->{stdout});
is_deeply(marks($run), { before => 5, after => 1 }, 'the parent');
is_deeply(marks($run, trace => $run->trace . ".$pid"), { child => 7 }, 'the child');

done_testing;
