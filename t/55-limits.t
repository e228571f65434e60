# Within limits of the system, and without /proc, a program runs as without the profiler, with one line on standard error
# at most.

use strict;
use warnings;

use Config;
use FindBin;
use Test::More;

use lib "$FindBin::Bin/lib";
use MProfConfined;
use MProfTest;

my $program = <<'PERL';
our @kept;
sub f { push @kept, [1]; return }
f() for 1 .. 100;
my @p = map { my $p = fork; if (!$p) { f() for 1 .. 3; exit 3 } $p } 1 .. 3;
my $sum = 0;
for (@p) { waitpid $_, 0; $sum += $? >> 8 }
print "children $sum\n";
exit 7;
PERL
my $silence     = qr/\A\z/;
my $one_at_most = qr/\A(?:Devel::MProf: [^\n]+\n)?\z/;

# As `as_without`, and whatever was written can be read.
sub reads_as_without {
    my ($name, @how) = @_;
    my $run = as_without($name, @how);
    can_be_read("$name: $_", "$run->{dir}/$_") for traces_in($run->{dir});
    return $run;
}

# As few descriptors as perl itself needs, and some more.
my ($least) = grep { confined("ulimit -n $_; \"\$@\"", "use POSIX; use Time::HiRes; $program")->{exit} == 7 } 3 .. 20;
for my $descriptors ($least .. $least + 3) {
    reads_as_without("$descriptors descriptors", "ulimit -n $descriptors; \"\$@\"", $program, $one_at_most);
}
my $run = reads_as_without('all descriptors taken by the program', '"$@"', "my \@f; while (open my \$f, '<', \$0) { push \@f, \$f; last if \@f > 20_000 } print 'taken '; $program", $one_at_most);
is($run->of_sub('main::f')->{calls}, 100, 'all descriptors taken: its own trace is whole');

# No more threads: as another user, since root has no such limit.
SKIP: {
    skip 'only root runs as another user', 1 if $> != 0;
    my $as_nobody = 'setpriv --reuid=65534 --regid=65534 --clear-groups';
    skip 'another user cannot read these folders', 1 if confined("$as_nobody \"\$@\"", $program, profiled => 1)->{exit} != 7;
    my $alone = 'print "alone\n"; sub f { 1 } f() for 1 .. 3; exit 7';
    reads_as_without('no second thread', "$as_nobody prlimit --nproc=1 \"\$@\"", $alone, qr/\ADevel::MProf: cannot start the writer thread: [^\n]+; the program runs unprofiled\n\z/);
    my $run = confined("$as_nobody prlimit --nproc=1 \"\$@\"", $alone, profiled => 1);
    is_deeply([traces_in($run->{dir})], [], 'no second thread: and there is no trace');
    # The limit comes while the program runs: its children get no thread.
    reads_as_without('no second thread for children', "$as_nobody \"\$@\"", "system 'prlimit --pid ' . \$\$ . ' --nproc=4096:4096'; $program", $silence);
}

# A limit to memory that the program stays within by itself.
for my $megabytes (64, 200) {
    reads_as_without("$megabytes MB of addresses", 'ulimit -v ' . $megabytes * 1024 . '; "$@"', $program, $one_at_most);
}
# Many subs and places: where the profiler comes to the limit and the program would not, recording ends, and nothing else.
# With perl there is no telling: it may say that it is out of memory, or crash, in whatever happens to need some.
my $subs = join('', map "sub s_$_ { g() } sub t_$_ { s_$_() for 1 .. 2 }\n", 1 .. 20_000)
    . 'sub g { push our @kept, [] } for my $n (1 .. 20_000) { &{"t_$n"}(); @kept = () } print "ran\n"; exit 7';
my ($needs) = grep { confined("ulimit -c 0; ulimit -v @{[$_ * 1024]}; \"\$\@\"", $subs)->{exit} == 7 } map 10 * $_, 3 .. 40;
my %ends;
for my $megabytes (map $needs + 6 * $_, 0 .. 20) {
    my $run = confined("ulimit -c 0; ulimit -v @{[$megabytes * 1024]}; \"\$\@\"", $subs, profiled => 1);
    my $said = join '', grep !/^Devel::MProf: there is no memory left; [^\n]*$|^Out of memory|^Can't load|^Compilation|^BEGIN/, split /^/, $run->{stderr};
    my $warned = () = $run->{stderr} =~ /^Devel::MProf: /mg;
    # One that checks itself (-DDEBUGGING) aborts where another crashes: S_new_slab: Assertion `((void*)(slab)) != 0' failed.
    my $is_perls_end = $run->{signal} == 11 || $run->{signal} == 6 && $said =~ s/^perl: \w+\.[ch]:\d+: .*Assertion .*\n//m;
    my $end = $is_perls_end ? 'no memory for perl' : $run->{signal} ? "signal $run->{signal}" : $said =~ /\S/ ? "said $said" : $warned > 1 ? "said $warned times" : $run->{exit} == 7 ? 'ran' : 'no memory for perl';
    push @{ $ends{$end} }, $megabytes;
    $ends{'not readable'} = [$megabytes] if $run->{exit} == 7 && $warned && mprof_dump('subs', $run->trace)->{exit} != 0;
}
is_deeply([sort grep !/^(?:ran|no memory for perl)$/, keys %ends], [], 'memory that is short: the profiler ends no program') or diag(explain(\%ends));
ok($ends{ran}, 'and with enough it runs');

SKIP: {
    my $why = why_no_mounts();
    skip $why, 1 if $why;
    my $run = reads_as_without('no /proc', 'mount -t tmpfs none /proc; "$@"', $program, $silence, mounts => 1);
    is($run->of_sub('main::f')->{calls}, 100, 'no /proc: calls are there');
    is($run->counters->{resident_pages}, 0, 'no /proc: pages are not');
    $run = reads_as_without('/proc that goes away', '"$@"', "system 'mount -t tmpfs none /proc'; $program", $silence, mounts => 1);
    is($run->of_sub('main::f')->{calls}, 100, '/proc that goes away: calls are there');
    $run = reads_as_without('a root of its own', 'mkdir -p cage/tmp; "$@"', "chroot 'cage' or die; chdir '/'; $program", $one_at_most);
    is($run->of_sub('main::f')->{calls}, 100, 'chroot: calls are there');
}

# System calls that are refused, by a filter that the program or its parent has set.
my %number = $Config{archname} =~ /^x86_64/ ? (membarrier => 324, openat => 257, prctl => 157, flock => 73, statx => 332, gettid => 186)
    : (membarrier => 283, openat => 56, prctl => 167, flock => 32, statx => 291, gettid => 178);
sub refuse {
    my (@names) = @_;
    my $numbers = join ', ', map $number{$_}, @names;
    return <<"PERL";
{
    # Load the number of the call; if it is one of these, return EPERM, or else let it be.
    my \@calls  = ($numbers);
    my \@filter = pack 'SCCL', 0x20, 0, 0, 0;
    push \@filter, pack 'SCCL', 0x15, \$#calls - \$_, !!(\$_ == \$#calls), \$calls[\$_] for 0 .. \$#calls;
    push \@filter, pack('SCCL', 0x06, 0, 0, 0x00050001), pack('SCCL', 0x06, 0, 0, 0x7fff0000);
    my \$filter  = join '', \@filter;
    my \$program = pack 'Sx6P', scalar \@filter, \$filter;
    syscall($number{prctl}, 38, 1, 0, 0, 0) == 0 && syscall($number{prctl}, 22, 2, \$program, 0, 0) == 0 or die "no filter: \$!";
}
PERL
}
SKIP: {
    skip 'the kernel filters no system calls here', 1 if plain(refuse('membarrier') . 'exit 7')->{exit} != 7;
    for my $names (['membarrier'], ['flock', 'statx'], ['prctl'], ['gettid']) {
        my $before = refuse(@$names) . 'exec @ARGV or die;';
        my ($plain, $profiled) = map confined('f=$1; shift; perl -e "$f" "$@"' =~ s/\$1; shift/\$REFUSE/r, $program, profiled => $_, env => { REFUSE => $before }), 0, 1;
        is("$profiled->{stdout} $profiled->{exit}", "$plain->{stdout} 7", "no @$names: the program's output and end are the same");
        like($profiled->{stderr}, $one_at_most, "no @$names: what is said");
        next if !-e $profiled->trace;
        is($profiled->of_sub('main::f')->{calls}, 100, "no @$names: the calls are in the trace");
    }
    my $run = reads_as_without('a program that may open no more files', '"$@"', refuse('openat') . $program, $one_at_most);
    is($run->of_sub('main::f')->{calls}, 100, 'a program that may open no more files: its calls are in the trace');
    # Without barriers the recorder is locked at each use; a snapshot is taken while the program waits all the same.
    $run = confined('perl -e "$REFUSE" "$@"', 'sub f { push our @kept, "x" x 1000; return } f() for 1 .. 10_000; select undef, undef, undef, 5; kill KILL => $$',
        profiled => 1, options => 'interval=0.5', env => { REFUSE => refuse('membarrier') . 'exec @ARGV or die;' });
    is($run->of_sub('main::f')->{calls}, 10_000, 'no membarrier: what a waiting program did before it was killed is in the trace');
}

done_testing;
