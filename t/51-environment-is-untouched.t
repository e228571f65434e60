# What a program finds around it is as without the profiler: environment, files, descriptors, variables, switches.

use strict;
use warnings;

use File::Temp qw(tempdir);
use FindBin;
use Test::More;

use lib "$FindBin::Bin/lib";
use MProfTest;

my %unusual = (
    'standard input is the script' => [undef, stdin => "print 'from stdin: ', \$0, ' ', __FILE__, ' ', __LINE__, qq(\\n);\nprint <STDIN>;\n__END__\nrest\n"],
    'arguments'   => ['print "@ARGV|$0|$#ARGV\n"', args => ['-x', '--', 'a b', '']],
    'standard input' => ['print "<$_>" while <STDIN>; print eof(STDIN) ? "eof" : "more"', stdin => "one\ntwo\n"],
    '-c'          => ['print "never"; BEGIN { print "compiled\n" }', switches => ['-c']],
    '-w'          => ['print $^W; my $x = undef . "a"; print $x', switches => ['-w']],
    '-n'          => ['print "$.:$_"; END { print "$.\n" }', switches => ['-n'], stdin => "a\nb\n"],
    '-T'          => ['print ${^TAINT}, "\n"; eval { system "echo $ENV{PATH}" }; print $@', switches => ['-T']],
    '-l and -a'   => ['print $F[1]', switches => ['-lna'], stdin => "a b c\nd e f\n"],
    '-Mmodule'    => ['print exists $INC{"List/Util.pm"} ? "there" : "not", "\n"; print sum(1, 2)', switches => ['-MList::Util=sum']],
    '-C'          => ['print "\x{e9}\x{263a}\n"', switches => ['-CS']],
    'exit code'   => ['exit 42'],
    'death'       => ['die "last words\n"'],
    'death with errno' => ['$! = 5; die "x\n"'],
    'die with $?' => ['$! = 0; $? = 0x300; die "x\n"'],
    'a syntax error' => ["print 'never';\nif (\n"],
    'a missing module' => ['use No::Such::Module; print "never"'],
    'a failing BEGIN' => ['BEGIN { die "in BEGIN\n" } print "never"'],
    'exit in BEGIN' => ['BEGIN { print "b"; exit 3 } print "never"; END { print "end $?" }'],
    'END changes the exit code' => ['END { $? = 9 } exit 1'],
    'die in END'  => ['END { die "in END\n" } print "ran\n"'],
    'a signal'    => ['$| = 1; print "before\n"; kill TERM => $$; sleep 5'],
    'SIGPIPE is as it was' => ['print defined $SIG{PIPE} ? "set" : "default", "\n"; print join ",", map { "$_=$SIG{$_}" } grep { defined $SIG{$_} } sort keys %SIG'],
    'no warnings of ours' => ['use warnings FATAL => "all"; print "fine\n"; my %h = (a => 1); sub f { return $h{a} } print f()', switches => ['-w']],
    'DATA'        => ["print <DATA>; print tell DATA;\n__DATA__\nabc\n"],
    '__END__'     => ["print <main::DATA>;\n__END__\nabc\n"],
    'a #! line'   => ["#!/usr/bin/perl -w\nprint \$^W, \"\\n\";"],
    'CORE::GLOBAL' => ['BEGIN { *CORE::GLOBAL::time = sub { 5 }; *CORE::GLOBAL::die = sub { print "die: @_"; CORE::die(@_) } } print time, "\n"; eval { die "x\n" }; '],
    'utf8 source' => ["use utf8; sub \xc3\xa9t\xc3\xa9 { return 'summer' } binmode STDOUT, ':utf8'; print \xc3\xa9t\xc3\xa9(), \"\\n\"; print +(sub { (caller 0)[3] })->();"],
    'the module folder' => ['print join "\n", @INC', env => { PERL5LIB => '/nonexistent/lib' }],
    'PERL5OPT'    => ['print $^W, exists $INC{"strict.pm"} ? "s" : ""', env => { PERL5OPT => '-w -Mstrict' }],
);
for my $name (sort keys %unusual) {
    my ($program, %how) = @{ $unusual{$name} };
    my $run = same_behaviour($name, $program, %how);
    cmp_ok(length($run->{stdout} . $run->{stderr}) + $run->{exit}, '>', 0, "$name: there is something to see");
}

# Code that is compiled before us is compiled for a debugger.
for my $before ('use First;', 'package First; sub twice { one() + $_[0] } sub one { return $_[0] } package main;') {
    my $dir = tempdir(CLEANUP => 1);
    write_file("$dir/First.pm", "package First; sub twice { one(\$_[0]) + \$_[0] } sub one { return \$_[0] } 1;\n");
    my @command = MProfTest::command(["-I$dir", '-d'], '-e', 'print First::twice(4)');
    my %here = (PERL5DB => "$before use Devel::MProf;", MPROF => "file=$dir/mprof.bin");
    my $run = MProfTest::run_command(\@command, $dir, env => \%here);
    is("$run->{stdout}$run->{stderr}", $before =~ /use/ ? 8 : 4, "before us: $before");
    is($run->{exit} . $run->{signal}, '00', 'no crash');
    ok(-s "$dir/mprof.bin", 'and a trace');
}

# Each sees a thing of the process that a profiler may disturb.
my %sights = (
    'errno at the start is 0'    => 'BEGIN { print $! + 0 } print " ", $! + 0',
    'the next descriptor is 3'   => 'BEGIN { open my $f, "<", $0; print fileno $f } open my $g, "<", $0; print " ", fileno $g; pipe my $r, my $w; print " ", fileno $r, fileno $w',
    'descriptors 0 to 2'         => 'print join ",", map { -t $_ ? "tty" : (stat $_)[1] ? "open" : "closed" } *STDIN, *STDOUT, *STDERR; print fileno STDIN, fileno STDOUT, fileno STDERR',
    'no descriptor below 100 but the script' => 'opendir my $d, "/proc/self/fd"; print join ",", sort { $a <=> $b } grep { /^\d+$/ && $_ < 100 } readdir $d',
    'the environment'            => 'print map { "$_=$ENV{$_}\n" } sort grep { !/^(?:_|MPROF)$/ } keys %ENV',
    'the environment of a child' => 'print grep { !/^(?:_|MPROF)=/ } sort `env`',
    'no strict from us'          => 'print join ",", sort grep { !/Devel/ } keys %INC; $x = 5; @y = "z"; print $x, @y',
    'no package but ours'        => 'print join " ", sort grep { /::$/ && !/^(?:Devel|DB)::/ } keys %main::',
    'no variable of ours in main' => 'print join " ", sort grep { /^\w+$/ && !/^_</ && $_ ne "BEGIN" } keys %main::',
    'the working directory'      => 'require Cwd; print -d Cwd::cwd() ? "there" : "not"',
    'the umask'                  => 'printf "%03o", umask; open my $f, ">", "made"; printf " %04o", (stat "made")[2] & 07777',
    'signals that are blocked'   => 'open my $s, "<", "/proc/self/status"; print map { /^(Sig(?:Blk|Ign|Cgt)).*(.{8})$/ ? "$1 $2\n" : () } <$s>',
    'children'                   => 'print wait, " ", $!{ECHILD} ? "none" : $!',
    'process times and names'    => 'print getppid == getppid, " $0 ", $^X =~ /perl/ ? 1 : 0; open my $c, "<", "/proc/self/comm"; print <$c>',
    'srand and rand'             => 'srand 42; print join " ", map { int rand 1000 } 1 .. 5',
    'hash order'                 => 'my %h = map { ($_ => 1) } "a" .. "z"; print join "", keys %h',
    'the locale'                 => 'require POSIX; print POSIX::setlocale(POSIX::LC_ALL(), "") || "not installed"',
    # The suite itself sets an alarm that is far away: how many seconds are left of it, is another matter.
    'alarm and timers'           => 'my $left = alarm 0; print $left > 100 ? "far away" : $left; require Time::HiRes; print join ",", Time::HiRes::getitimer(Time::HiRes::ITIMER_REAL())',
    'limits'                     => 'open my $l, "<", "/proc/self/limits"; print grep { /open files|core|stack/ } <$l>',
    'that $_, $@ and $/ are as ever' => 'no warnings; print defined $_ ? "d" : "u", "[$@]", $/ eq "\n" ? "n" : "?", defined $, ? "d" : "u", $; eq "\034" ? 1 : 0, "[$&]", $0',
    'no debugger that Sub::Util would tell of names' => 'my $renamed = eval { require Sub::Util; Sub::Util::set_subname("Some::name", sub { 5 }) } || sub { 5 }; print $renamed->(), " ", join ",", keys %DB::sub',
    'no subs of a debugger'      => 'package DB; sub m { "mine" } print DB->m, grep defined &$_, qw(DB::sub DB::lsub DB::DB)',
    'DB.pm, and no warning of it' => '$^W = 1; $SIG{__WARN__} = sub { print "warned: @_" }; print require DB; DB::catch(); print "loaded"',
    'debugging from now on'      => 'BEGIN { $^P |= 0x103 } sub two { return 2 } print two(), " $^P ", eval "two() + 1"',
    'files in the folder'        => 'opendir my $d, "."; print join ",", sort grep { !/^mprof/ } readdir $d',
);
for my $name (sort keys %sights) {
    my $run = same_behaviour($name, $sights{$name});
    is($run->{stderr}, '', "$name: the program runs");
    cmp_ok(length $run->{stdout}, '>', 0, "$name: and sees something");
}

same_behaviour('no source lines are kept', 'print scalar grep { /^_</ && @{ $::{$_} } } keys %main::');

# Standard descriptors that are closed stay so.
for my $closed ('<&-', '>&-', '2>&-') {
    my @seen = map {
        my $run = $_->('open my $f, ">", "result"; print {$f} join ",", map { defined fileno $_ ? fileno $_ : "closed" } *STDIN, *STDOUT, *STDERR, $f; close $f');
        my $switch = $_ == \&profiled ? ['-d:MProf'] : [];
        my $command = join ' ', map { "'$_'" } MProfTest::command($switch, 'prog.pl');
        system "cd '$run->{dir}' && rm -f mprof.bin result && $command $closed";
        read_file("$run->{dir}/result");
    } \&plain, \&profiled;
    is($seen[1], $seen[0], "closed by the shell ($closed): closed they stay");
}

done_testing;
