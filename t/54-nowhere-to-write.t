# Where the trace cannot be written, the program runs as without the profiler, with one line on standard error at most.

use strict;
use warnings;

use FindBin;
use Test::More;

use lib "$FindBin::Bin/lib";
use MProfConfined;
use MProfTest;

# A trace of some hundred kilobytes, in many snapshots.
my $big = <<'PERL';
our @kept;
for my $n (1 .. 6000) {
    my $id = sprintf '%x', $n * 2_654_435_761;    # names that hardly compress
    eval "sub a_sub_with_a_name_that_is_long_and_has_the_number_$id { push \@kept, [$n]; return } 1" or die $@;
    &{"a_sub_with_a_name_that_is_long_and_has_the_number_$id"}();
    Devel::MProf->can('snapshot') && Devel::MProf::snapshot() if $n % 600 == 0;
}
print scalar @kept, "\n";
exit 7;
PERL
my $small = 'sub f { push our @kept, [1]; return } f() for 1 .. 100; print "ran\n"; exit 7;';
my $forks = 'my @p = map { my $p = fork; if (!$p) { f() for 1 .. 3; exit 3 } $p } 1 .. 5; my $s = 0; for (@p) { waitpid $_, 0; $s += $? >> 8 } print "children $s\n";';

my $one_line = qr/\ADevel::MProf: [^\n]+\n\z/;
my $silence  = qr/\A\z/;

my $run = as_without('a folder that is not there', '"$@"', $small, qr/\ADevel::MProf: [^\n]*nosuch\/mprof\.bin[^\n]*; the program runs unprofiled\n\z/, options => 'file=nosuch/mprof.bin');
as_without('a folder that is not there, and children', '"$@"', "$small" =~ s/exit 7;/$forks/r, $one_line, options => 'file=nosuch/mprof.bin');

$run = as_without('a folder that vanishes', 'mkdir gone; "$@"', "system 'rm -rf gone'; $small", $silence, options => 'file=gone/mprof.bin');
$run = as_without('a folder that vanishes, and five children', 'mkdir gone; "$@"', "system 'rm -rf gone'; $small" =~ s/exit 7;/$forks/r, $one_line, options => 'file=gone/mprof.bin');
like($run->{stderr}, qr/gone\/mprof\.bin\.\d+/, 'which is said of the first of them');

# A program that closes and reopens standard error, or has none.
$run = as_without('no standard error', '"$@" 2>&-', $small, $silence, options => 'file=nosuch/mprof.bin');

# What is printed goes through pipes, since the limit is one of the files that we read, too. Each `cat` is waited for.
for my $bytes (8, 13, 1000, 30_000) {
    my $run = as_without("a limit of $bytes bytes to a file", "ulimit -c 0; set -o pipefail; { prlimit --fsize=$bytes \"\$\@\" 2>&1 >&3 3>&- | cat >&2 3>&-; } 3>&1 | cat", $big,
        qr/\ADevel::MProf: cannot write [^\n]*mprof\.bin: File too large[^\n]*; recording stops, what was written stays readable\n\z/);
    my @traces = traces_in($run->{dir});
    if ($bytes < 13) { is_deeply(\@traces, [], 'nothing is left of a trace that could not begin') }
    elsif ($bytes > 1000) { can_be_read("a limit of $bytes bytes", "$run->{dir}/mprof.bin") }
    cmp_ok(-s "$run->{dir}/$_", '<=', $bytes, 'it is no longer than allowed') for @traces;
}

SKIP: {
    my $why = why_no_mounts();
    skip $why, 1 if $why;
    for my $size ('4k', '32k') {
        my $run = as_without("a disk of $size", "mkdir small; mount -t tmpfs -o size=$size none small; \"\$\@\"; e=\$?; cp small/mprof.bin mprof.bin 2>/dev/null; exit \$e", $big,
            qr/\ADevel::MProf: cannot write [^\n]*small\/mprof\.bin: No space left[^\n]*; recording stops, what was written stays readable\n\z/,
            options => 'file=small/mprof.bin', mounts => 1);
        can_be_read("a disk of $size", $run->trace) if $size ne '4k';
    }
    $run = as_without('a full disk, and five children', 'mkdir small; mount -t tmpfs -o size=4k none small; head -c 4096 /dev/zero > small/full; "$@"',
        $small =~ s/exit 7;/$forks/r, $one_line, options => 'file=small/mprof.bin', mounts => 1);
    $run = as_without('a disk that is read only', 'mkdir ro; mount -t tmpfs -o ro none ro; "$@"', $small,
        qr/\ADevel::MProf: [^\n]*Read-only file system[^\n]*; the program runs unprofiled\n\z/, options => 'file=ro/mprof.bin', mounts => 1);
}

# A hard link to an old trace: the name is replaced, and what has the other name stays as it was.
my $old = profiled('sub old_sub { 1 } old_sub();', options => 'file=old.bin');
link "$old->{dir}/old.bin", "$old->{dir}/mprof.bin" or die "No link: $!";
my $before = read_file("$old->{dir}/old.bin");
profiled('sub new_sub { 1 } new_sub();', dir => $old->{dir});
is(read_file("$old->{dir}/old.bin"), $before, 'a hard link to a trace: the other name keeps what it had');
is($old->of_sub('main::new_sub')->{calls}, 1, 'and the new trace has a file of its own');
my $text = plain($small);
write_file("$text->{dir}/precious", "precious\n");
link "$text->{dir}/precious", "$text->{dir}/mprof.bin" or die "No link: $!";
my $refused = profiled($small, dir => $text->{dir});
is(read_file("$text->{dir}/precious"), "precious\n", 'a hard link to anything else: it is left alone');
like($refused->{stderr}, qr/\ADevel::MProf: [^\n]*not a trace[^\n]*\n\z/, 'which is said in one line');
SKIP: {
    skip 'only root makes devices', 2 if $> != 0;
    my $dir = plain($small)->{dir};
    skip 'no devices can be made here', 2 if system("mknod '$dir/mprof.bin' c 1 3 2>/dev/null");
    my $run = profiled($small, dir => $dir);
    is("$run->{stdout}$run->{exit}", "ran\n7", 'a device: the program runs');
    like($run->{stderr}, qr/\ADevel::MProf: [^\n]*no regular file[^\n]*\n\z/, 'and it is said in one line');
}

# What runs with another user's rights takes no orders from the environment.
SKIP: {
    skip 'only root can lend its rights', 3 if $> != 0;
    my $lends = 'use lib split /,/, "' . join(',', map "$FindBin::Bin/../blib/$_", qw(lib arch)) . '"; use Devel::MProf; sub f { 1 } f(); print "$< $> ${^TAINT}\n";';
    my $dir = plain($lends)->{dir};
    chmod 0777, $dir;
    my $ran = MProfTest::run_command([$^X, '-e', '$< = 65534; exec { $^X } $^X, "prog.pl"'], $dir, mprof => 'file=ordered.bin');
    skip 'perl does not run so here', 3 if $ran->{stdout} ne "65534 0 1\n";
    is($ran->{stderr}, '', 'a program with more rights than its user: it runs');
    ok(!-e "$dir/ordered.bin", 'MPROF does not say where it writes');
    ok(-e "$dir/mprof.bin", 'its trace is where the program itself says');
}

done_testing;
