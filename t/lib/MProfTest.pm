package MProfTest;

# Runs a program plainly or under the profiler, in a folder of its own, and reads the trace it left.
#
#     use lib "$FindBin::Bin/lib";
#     use MProfTest;
#
#     my $run = profiled('sub f { 1 } f() for 1 .. 3;', options => 'live=0');
#     is($run->{exit}, 0);                              # also: stdout, stderr, signal, dir
#     is($run->of_sub('main::f')->{calls}, 3);          # the row of `mprof-dump subs --json`
#
# profiled(PROGRAM, KEY => VALUE...) and plain(...) take the same:
#     options   what follows -d:MProf=, as text
#     mprof     the environment variable MPROF
#     switches  perl's switches before the program, as a list reference
#     args      the program's arguments, as a list reference
#     stdin     text for standard input; the program itself when PROGRAM is undef
#     files     {NAME => TEXT}: files to write beforehand; the folder is the program's current one, and in @INC
#     env       {NAME => VALUE}; undef removes
#     dir       an earlier run's folder, to run there again
#     script    path of an existing program, instead of PROGRAM
# The program is written to and run as `prog.pl`, so places are named prog.pl:LINE.

use strict;
use warnings;

use Config;
use Cwd qw(realpath);
use Exporter qw(import);
use File::Basename qw(dirname);
use File::Path qw(mkpath);
use File::Temp qw(tempdir);
use JSON::PP ();
use Test::More ();

our @EXPORT = qw(
    profiled plain same_behaviour conserves usable_bytes usable_bytes_of_c mprof_dump read_file write_file need_package traces_in
    leak_programs
);

my $root   = realpath(dirname(__FILE__) . '/../..');
my @include = map { "-I$root/blib/$_" } qw(lib arch);
my $reader  = "$root/blib/script/mprof-dump";

# What of our environment a program is not to have: it would change what it does, or what perl finds.
my @not_inherited = qw(
    MPROF PERL5OPT PERL5DB PERL5LIB PERL_HASH_SEED PERL_PERTURB_KEYS PERL_UNICODE NO_COLOR CLICOLOR_FORCE LC_ALL LANGUAGE
);

# No run of a program in the suite takes near this long; one that hangs is killed.
my $patience_seconds = 1200;

Test::More::plan(skip_all => 'not built yet: run make first')
    if grep { !-e "$root/$_" } qw(blib/script/mprof-dump blib/arch/auto/Devel/MProf/MProf.so);

sub profiled {
    my ($program, %how) = @_;
    my $switch = '-d:MProf' . (defined $how{options} ? "=$how{options}" : '');
    return run_perl([$switch], $program, %how);
}

sub plain {
    my ($program, %how) = @_;
    return run_perl([], $program, %how);
}

# Passes when a program prints the same and ends the same with and without the profiler. Returns the profiled run.
sub same_behaviour {
    my ($name, $program, %how) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    my @seen;
    my $profiled;
    for my $run (plain($program, %how), $profiled = profiled($program, %how)) {
        my %shown = map { ($_ => $run->{$_}) } qw(stdout stderr exit signal);
        s/\Q$run->{dir}\E/THE FOLDER/g for @shown{qw(stdout stderr)};
        push @seen, \%shown;
    }
    my $fine = Test::More::is_deeply($seen[1], $seen[0], $name);
    Test::More::diag(Test::More::explain({ profiled => $seen[1], plain => $seen[0] })) if !$fine;
    return $profiled;
}

sub run_perl {
    my ($profiler, $program, %how) = @_;
    my $dir = $how{dir} || realpath(tempdir(CLEANUP => 1));
    my $files = $how{files} || {};
    for my $name (sort keys %$files) {
        mkpath(dirname("$dir/$name"));
        write_file("$dir/$name", $files->{$name});
    }
    my @script = defined $how{script} ? $how{script} : defined $program ? 'prog.pl' : '-';
    write_file("$dir/prog.pl", $program) if defined $program;
    my @switches = ("-I$dir", @$profiler, @{ $how{switches} || [] });
    my $run = run_command([command(\@switches, @script, @{ $how{args} || [] })], $dir, %how);
    return bless { %$run, dir => $dir }, __PACKAGE__;
}

# The command that runs a script, with the switches given, so that perl can find what was built.
sub command {
    my ($switches, @script) = @_;
    return ($^X, @include, @$switches, @script);
}

# Runs a command; {stdout, stderr, exit, signal}.
sub run_command {
    my ($command, $dir, %how) = @_;
    my $outputs = tempdir(CLEANUP => 1);
    write_file("$outputs/in", defined $how{stdin} ? $how{stdin} : '');
    my $pid = fork;
    die "Cannot fork: $!" if !defined $pid;
    if (!$pid) {
        delete @ENV{@not_inherited};
        $ENV{MPROF} = $how{mprof} if defined $how{mprof};
        # Two runs of a program that prints hashes are to print them in the same order.
        $ENV{PERL_HASH_SEED} = 0;
        # What the system says is to be in English, and a locale that is not installed is nobody's business.
        @ENV{qw(LC_MESSAGES PERL_BADLANG)} = ('C', 0);
        my $env = $how{env} || {};
        for my $name (keys %$env) {
            if (defined $env->{$name}) { $ENV{$name} = $env->{$name} }
            else                       { delete $ENV{$name} }
        }
        open STDIN,  '<', "$outputs/in"  or die "Cannot redirect: $!";
        open STDOUT, '>', "$outputs/out" or die "Cannot redirect: $!";
        open STDERR, '>', "$outputs/err" or die "Cannot redirect: $!";
        chdir $dir or die "Cannot enter $dir: $!";
        # Whoever runs the tests may ignore signals (nohup does); programs are to have them as a shell would give them.
        $SIG{$_} = 'DEFAULT' for qw(HUP INT QUIT TERM PIPE CHLD);
        alarm $patience_seconds;
        exec { $command->[0] } @$command or die "Cannot run $command->[0]: $!";
    }
    waitpid $pid, 0;
    return {
        exit   => $? >> 8,
        signal => $? & 127,
        stdout => read_file("$outputs/out"),
        stderr => read_file("$outputs/err"),
        pid    => $pid,
    };
}

# `mprof-dump ARGUMENTS`; {stdout, stderr, exit, signal}.
sub mprof_dump {
    my @arguments = @_;
    return run_command([$reader, @arguments], '/');
}

# Path of the trace.
sub trace {
    my ($run) = @_;
    return "$run->{dir}/mprof.bin";
}

# The decoded JSON of a report; `trace => FILE` for another trace than mprof.bin; other arguments go to mprof-dump.
sub report {
    my ($run, $report, @arguments) = @_;
    my $trace = $run->trace;
    ($trace, @arguments) = @arguments[1 .. $#arguments] if @arguments && $arguments[0] eq 'trace';
    my $read = mprof_dump($report, '--json', @arguments, $trace);
    if ($read->{exit} != 0 || $read->{signal}) {
        Test::More::diag("mprof-dump $report: $read->{stderr}", "the program said: $run->{stderr}");
        die "No report: $read->{stderr}";
    }
    return JSON::PP->new->utf8->decode($read->{stdout});
}

# {name => row} of all subs, those of one name (from several lines) summed.
sub subs {
    my ($run, @arguments) = @_;
    my %subs;
    for my $row (@{ $run->report('subs', @arguments)->{subs}{rows} }) {
        my $sum = $subs{ $row->{name} };
        if (!$sum) {
            $subs{ $row->{name} } = {%$row};
            next;
        }
        $sum->{$_} += $row->{$_} for grep { /^(?:calls|self_|inclusive_)/ } keys %$row;
    }
    return \%subs;
}

# Has of_sub know only the subs whose names match, for a program with thousands.
sub only_subs {
    my ($run, $regex) = @_;
    return $run->{subs} = $run->subs('--filter', $regex);
}

# The row of one sub; one with no calls where there is none.
sub of_sub {
    my ($run, $name) = @_;
    $run->{subs} ||= $run->subs;
    return $run->{subs}{$name} || { calls => 0, missing => 1 };
}

# Rows of the whole tree, each with its parent's name as `parent`.
sub tree {
    my ($run, @arguments) = @_;
    my @rows = @{ $run->report('tree', @arguments, '--min', 0)->{tree}{rows} };
    my %by_id = map { ($_->{node_id} => $_) } @rows;
    $_->{parent} = defined $_->{parent_id} ? $by_id{ $_->{parent_id} }{name} : undef for @rows;
    return @rows;
}

# Names of the subs that called a sub, as the tree has them; sorted.
sub parents_of {
    my ($run, $name) = @_;
    $run->{tree} ||= [$run->tree];
    my %parents = map { ($_->{parent} => 1) } grep { $_->{name} eq $name && defined $_->{parent} } @{ $run->{tree} };
    return join ' ', sort keys %parents;
}

# {LINE => row} of one file.
sub lines_of {
    my ($run, $file, @arguments) = @_;
    my $report = $run->report('lines', @arguments);
    return { map { ($_->{line} => $_) } grep { $_->{file} eq $file } @{ $report->{lines}{rows} } };
}

# The process's own counters.
sub counters {
    my ($run, @arguments) = @_;
    return $run->report('info', @arguments)->{counters};
}

# What `mprof-dump leaks` lists, the worst first: {place ("FILE:LINE", the file by its base name), sub, scalars_per_mark,
# bytes_per_mark, scalars_per_call, reason, holder}. Whoever renames a field of the report renames it here.
sub leaks {
    my ($run, @arguments) = @_;
    return map { {
        place            => leak_place($_),
        sub              => $_->{sub},
        scalars_per_mark => $_->{growth_scalars_per_mark},
        bytes_per_mark   => $_->{growth_bytes_per_mark},
        scalars_per_call => $_->{growth_scalars_per_call},
        reason           => $_->{reason}{kind},
        holder           => $_->{reason}{holder},
    } } @{ $run->report('leaks', @arguments)->{leaks}{rows} };
}

# What a string eval keeps is to blame on the line of the eval.
sub leak_place {
    my ($row) = @_;
    my ($file, $line) = @$row{qw(file line)};
    ($file, $line) = ($1, $2) if $file =~ /\A\(eval\)\[(.*):(\d+)\]\z/s;
    $file =~ s{.*/}{}s;
    return "$file:$line";
}

# The programs of t/leaks/programs whose name matches, by name. Their first lines say what they are:
#     # MARK main::handle_request       the sub whose return ends a unit of work; `api` where the program marks by itself
#     # EXPECT scalars_per_mark=N       scalars that stay for each unit of work, where it can be told from the source
# and each line that is to blame for a leak ends in `# LEAK`.
# {name, path, source, mark, scalars_per_mark, places (those to blame, as `leaks` has them)}
sub leak_programs {
    my ($regex) = @_;
    opendir my $in, "$root/t/leaks/programs" or die "Cannot read t/leaks/programs: $!";
    my @names = sort map { /\A([\w-]+)\.pl\z/ ? $1 : () } readdir $in;
    return map { leak_program($_) } grep { $_ =~ $regex } @names;
}

sub leak_program {
    my ($name) = @_;
    my $path   = "$root/t/leaks/programs/$name.pl";
    my $source = read_file($path);
    my @lines  = split /\n/, $source;
    my ($mark) = $source =~ /^# MARK (\S+)$/m or die "$name: no MARK";
    my ($scalars) = $source =~ /^# EXPECT scalars_per_mark=([\d.]+)$/m;
    return {
        name             => $name,
        path             => $path,
        source           => $source,
        mark             => $mark eq 'api' ? undef : $mark,
        scalars_per_mark => $scalars,
        places           => [map { $lines[$_] =~ /# LEAK\b/ ? "$name.pl:" . ($_ + 1) : () } 0 .. $#lines],
    };
}

# Passes when the figures of a trace add up: live is allocated less freed, and sums over modules are the process's.
sub conserves {
    my ($run) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    my $total = $run->counters;
    my %sum;
    for my $row (@{ $run->report('modules')->{modules}{rows} }) {
        $sum{$_} += $row->{"self_$_"} for qw(allocated_bytes freed_bytes live_bytes at_peak_bytes allocated_blocks);
    }
    Test::More::is($total->{live_bytes}, $total->{allocated_bytes} - $total->{freed_bytes}, 'live is allocated less freed');
    Test::More::is($sum{$_}, $total->{$_}, "$_: the sum over all modules is the process's")
        for qw(allocated_bytes freed_bytes live_bytes allocated_blocks);
    return Test::More::is($sum{at_peak_bytes}, $total->{peak_bytes}, 'the sum of all at the peak is the peak');
}

# Usable bytes of a block that perl was asked for with that many: what glibc makes of it on 64 bits.
sub usable_bytes {
    my ($requested) = @_;
    return usable_bytes_of_c($requested + header_bytes());
}

# As usable_bytes, where no perl but C asks.
sub usable_bytes_of_c {
    my ($requested) = @_;
    my $usable = (($requested + 8 + 15) & ~15) - 8;
    return $usable < 24 ? 24 : $usable;
}

# What this perl asks for in addition, to check its use of memory: three words, aligned (`perl_memory_debug_header`).
sub header_bytes {
    return 0 if !grep { $_ eq 'PERL_TRACK_MEMPOOL' } Config::bincompat_options();
    my $align = $Config{alignbytes};
    return $align * int((3 * $Config{ptrsize} + $align - 1) / $align);
}

# Traces in a folder, by name.
sub traces_in {
    my ($dir) = @_;
    opendir my $in, $dir or die "Cannot read $dir: $!";
    my @traces = sort grep { /^mprof\.bin/ } readdir $in;
    return @traces;
}

# Skips the whole file, with the name of the Debian package, unless all the files or modules are there. A module may be
# followed by the lowest version that will do.
sub need_package {
    my ($package, @needed) = @_;
    local %ENV = %ENV;
    delete @ENV{@not_inherited};
    for my $needed (@needed) {
        my $there = $needed =~ m{^/} ? -e $needed : system("$^X -e 'use $needed ();' >/dev/null 2>&1") == 0;
        Test::More::plan(skip_all => "needs $needed: install the Debian package $package") if !$there;
    }
    return;
}

sub read_file {
    my ($file) = @_;
    open my $in, '<:raw', $file or die "Cannot read $file: $!";
    local $/;
    my $text = <$in>;
    return defined $text ? $text : '';
}

sub write_file {
    my ($file, $text) = @_;
    open my $out, '>:raw', $file or die "Cannot write $file: $!";
    print {$out} $text;
    close $out or die "Cannot write $file: $!";
    return;
}

1;
