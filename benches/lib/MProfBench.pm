# What the benchmarks share: their arguments, how a program is run with and without the profiler, and on what machine.
package MProfBench;

use strict;
use warnings;

use Config;
use Cwd qw(realpath);
use Exporter qw(import);
use File::Basename qw(basename dirname);
use File::Temp qw(tempdir);
use Getopt::Long;
use List::Util qw(max);
use Time::HiRes qw(clock_gettime sleep);

our @EXPORT = qw(arguments geometric_mean giving_way machine median output_of perl_with pinned run_together trace_folder);

my $root = realpath(dirname(__FILE__) . '/../..');

# The modes that are measured where none are named: a name, and options as they stand after -d:MProf=.
my @MODES = (['full', ''], ['light', 'live=0,ledger=0'], ['calls', 'calls=1'], ['off', 'start=no']);

# Reads the command line: the number of rounds, which rows are wanted, and modes as NAME=OPTION,... Without any of these
# the modes are @modes, by name.
sub arguments {
    my ($rounds, @modes) = @_;
    my $only = '';
    my $usage = 'usage: perl benches/' . basename($0) . " [--rounds N] [--only REGEX] [MODE=OPTION,...]...\n"
        . "default: $rounds rounds, all rows, " . join(' ', map "$_->[0]='$_->[1]'", known(@modes)) . "\n";
    GetOptions('rounds=i' => \$rounds, 'only=s' => \$only, 'help' => sub { print $usage; exit }) && $rounds > 0
        or die $usage;
    -e "$root/blib/arch/auto/Devel/MProf/MProf.so" or die "not built yet: run make first\n";
    delete @ENV{qw(MPROF PERL5OPT PERL5DB)};
    @ENV{qw(PERL_HASH_SEED PERL_PERTURB_KEYS)} = (0, 0);
    my @named = map { /^(\w[^=]*)=(.*)/s ? [$1, $2] : die $usage } @ARGV;
    return ($rounds, qr/$only/, @named ? @named : known(@modes));
}

sub known { my %wanted = map { $_ => 1 } @_; return grep $wanted{ $_->[0] }, @MODES }

# Where the traces go. Each run begins with an empty one.
my $folder;
sub trace_folder { return $folder ||= tempdir(CLEANUP => 1) }

# The command that runs perl: without the profiler, or in the mode of these options. Either finds Devel::MProf::API.
sub perl_with {
    my ($options) = @_;
    my @perl = ($^X, "-I$root/blib/lib", "-I$root/blib/arch");
    return @perl if !defined $options;
    unlink glob trace_folder() . '/*';
    return (@perl, join ',', '-d:MProf=file=' . trace_folder() . '/mprof.bin', grep length, $options);
}

# The command on one CPU, where that can be asked for: a program that moves finds cold caches.
sub pinned {
    my @command = @_;
    our $pin //= [pin()];
    return (@$pin, @command);
}

sub pin {
    return if !grep -x "$_/taskset", split /:/, $ENV{PATH};
    my ($last) = slurp('/proc/self/status') =~ /^Cpus_allowed_list:.*?(\d+)$/m or return;
    return ('taskset', '-c', $last);
}

# The command, with so much less of a CPU that one beside it, which needs $times its CPU time, ends when it does. Each step
# of niceness is a factor of 1.25 to Linux.
sub giving_way {
    my ($times, @command) = @_;
    return ('nice', '-n', sprintf('%.0f', max(0, log($times) / log 1.25)), @command);
}

# What a command prints.
sub output_of {
    my @command = @_;
    open my $out, '-|', @command or die "$command[0]: $!\n";
    my @lines = <$out>;
    close $out or die "@command: exit status $?\n";
    return @lines;
}

# Runs commands, which may print what they like, all at once. For each: CPU seconds of its process, in user and kernel mode,
# and its exit status. times() counts in hundredths of a second, so the process's own clock is read, which exists until it
# is waited for.
sub run_together {
    my @commands = @_;
    my @pids = map started(@$_), @commands;
    my @results;
    for my $pid (@pids) {
        sleep 0.01 until has_ended($pid);
        my $seconds = clock_gettime(cpu_clock_of($pid));
        waitpid $pid, 0;
        push @results, [$seconds, $?];
    }
    return @results;
}

sub started {
    my @command = @_;
    my $pid = fork // die "fork: $!\n";
    return $pid if $pid;
    open STDIN,  '<', '/dev/null';
    open STDOUT, '>', '/dev/null';
    open STDERR, '>', '/dev/null';
    exec @command or die;
}

# A zombie, and the last of its threads: the writer's may be the one that still gives the memory back.
sub has_ended { my ($pid) = @_; return slurp("/proc/$pid/stat") =~ /.*\) Z(?: -?\d+){16} 1 /s }

# What clock_getcpuclockid answers in C.
sub cpu_clock_of { my ($pid) = @_; return -8 * $pid - 6 }

sub median { my @sorted = sort { $a <=> $b } @_; return ($sorted[$#sorted / 2] + $sorted[@sorted / 2]) / 2 }

sub geometric_mean { my $sum = 0; $sum += log for @_; return exp($sum / @_) }

# The machine and the versions, as lines to stand above a table.
sub machine {
    my ($model) = slurp('/proc/cpuinfo') =~ /^model name\s*:\s*(.+)$/m;
    my $cpus    = () = slurp('/proc/cpuinfo') =~ /^processor\s*:/mg;
    my ($glibc) = `ldd --version 2>/dev/null` =~ /(\S+)$/m;
    my ($rustc) = `rustc --version 2>/dev/null` =~ /^rustc (\S+)/;
    my ($linux) = slurp('/proc/sys/kernel/osrelease') =~ /(\S+)/;
    my ($memory) = slurp('/proc/meminfo') =~ /^MemTotal:\s*(\d+)/m;
    return sprintf "%s, %d CPUs, %.0f GB; Linux %s, glibc %s\nperl %vd %s, rustc %s\n\n", $model // $Config{archname}, $cpus,
        $memory / 1e6, $linux, $glibc // '?', $^V, $Config{useithreads} ? 'with threads' : 'without threads', $rustc // '?';
}

sub slurp { my ($file) = @_; open my $in, '<', $file or return ''; local $/; return scalar <$in> }

1;
