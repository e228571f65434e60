# A program that the kernel kills for its memory leaves what it kept, and where, up to at most an interval before.

use strict;
use warnings;

use FindBin;
use Test::More;

use lib "$FindBin::Bin/lib";
use MProfConfined;
use MProfTest;

my $limit_bytes = 64 << 20;
my $kept_bytes  = 40 << 20;

my ($group, $why_not) = limited_group($limit_bytes);
plan(skip_all => $why_not) if !$group;
END { rmdir $group if $group }

# Half way, the trace is waited for, so that what it must hold does not depend on how busy the machine is: of three
# snapshots that are begun one after the other, the second begins after what was kept and has been written by the last.
my $program = <<'PERL';
my @kept;
sub keep { push @kept, 'x' x shift; return } # line 2
keep(1 << 20) for 1 .. 40;
my $before = Devel::MProf::stats()->{snapshots};
my $taken = 0;
for (1 .. 2400) {
    keep(10);
    $taken = Devel::MProf::stats()->{snapshots} - $before;
    last if $taken >= 3;
    select undef, undef, undef, 0.05;
}
$| = 1;
print $taken >= 3 ? "written\n" : "$taken snapshots\n";
keep(1 << 20) for 1 .. 1000;
print "survived\n";
PERL
my $run = confined("echo \$\$ > $group/cgroup.procs && exec \"\$@\"", $program, profiled => 1, options => 'interval=0.1');
is($run->{stdout}, "written\n", 'the program does not come to its end') or diag($run->{stderr});
is("$run->{exit} $run->{signal}", '0 9', 'it is killed');
is($run->{stderr}, '', 'and nothing is said');
cmp_ok(oom_kills($group), '>', 0, 'it was the kernel that killed it, for its memory');

my $info = $run->report('info');
# It may be killed while a snapshot is being written.
my @warnings = grep { $_->{kind} ne 'left_out' } @{ $info->{warnings} };
is_deeply(\@warnings, [], 'the trace is read without another warning than of its cut') or diag(explain($info->{warnings}));
ok(!$info->{sizes}{closed}, 'it says that the end was not recorded');
my $total = $info->{counters};
cmp_ok($total->{live_bytes}, '>=', $kept_bytes, 'the trace has what was kept until the last interval');
cmp_ok($total->{live_bytes}, '<=', $limit_bytes, 'and no more than there could be');
is($total->{live_bytes}, $total->{allocated_bytes} - $total->{freed_bytes}, 'it is one moment, not a mixture');
my $line = $run->lines_of('prog.pl')->{2};
cmp_ok($line->{self_live_bytes}, '>=', $kept_bytes, 'at the line that kept it') or diag(explain($line));
like(mprof_dump('summary', $run->trace)->{stdout}, qr/no end recorded .*was killed/, 'and the summary as well');

# A new group of processes that may have so much memory, no swap, below our own group or the nearest above it where that
# can be had: (its folder), or (undef, why there is none).
sub limited_group {
    my ($bytes) = @_;
    return (undef, 'only root limits the memory of a group of processes') if $> != 0;
    return (undef, 'the kernel has no groups of processes') if !-e '/proc/self/cgroup' || !-e '/proc/self/mounts';
    my @tree = memory_tree();
    return (undef, 'no groups of processes by memory are mounted') if !@tree;
    my ($mounted, $own, $limit, %others) = @tree;
    my @above = split m{/}, $own;
    while (1) {
        my $new = join('/', $mounted, grep length, @above) . "/mprof-test-$$";
        if (mkdir $new) {
            if (set("$new/$limit", $bytes)) {
                set("$new/$_", $others{$_}) for keys %others;
                return $new;
            }
            rmdir $new;
        }
        last if !@above;
        pop @above;
    }
    return (undef, "no group of processes with a limit of memory can be made below $mounted");
}

# Where groups by memory are mounted, which is ours, the file of the limit, and what keeps swap out of it.
sub memory_tree {
    my @mounts = map { [(split / /)[1 .. 3]] } split /\n/, read_file('/proc/self/mounts');
    my @groups = map { [split /:/, $_, 3] } split /\n/, read_file('/proc/self/cgroup');
    my ($first) = grep { $_->[1] eq 'cgroup' && $_->[2] =~ /(?:^|,)memory(?:,|$)/ } @mounts;
    my ($own)   = grep { $_->[1] =~ /(?:^|,)memory(?:,|$)/ } @groups;
    return ($first->[0], $own->[2], 'memory.limit_in_bytes', 'memory.swappiness' => 0) if $first && $own;
    my ($second) = grep { $_->[1] eq 'cgroup2' } @mounts;
    ($own) = grep { $_->[0] eq '0' } @groups;
    return ($second->[0], $own->[2], 'memory.max', 'memory.swap.max' => 0) if $second && $own;
    return;
}

# Processes of the group that the kernel has killed for their memory.
sub oom_kills {
    my ($folder) = @_;
    my ($file) = grep { -e } map { "$folder/$_" } qw(memory.events memory.oom_control);
    return read_file($file) =~ /^oom_kill (\d+)$/m ? $1 : undef;
}

# Was it written? The kernel tells at the close.
sub set {
    my ($file, $value) = @_;
    open my $out, '>', $file or return 0;
    print {$out} $value;
    return close $out;
}

done_testing;
