# The trace is private, in the directory at the start, and in nobody's way: never through a link, never over another's file.

use strict;
use warnings;

use FindBin;
use Test::More;

use lib "$FindBin::Bin/lib";
use MProfTest;

my $program = 'sub f { push our @kept, 1 } f() for 1 .. 10; print "ran\n";';

for my $umask (0000, 0022, 0077, 0777) {
    my $before = umask $umask;
    my $dir = plain('1')->{dir};
    umask $before;
    my $run = profiled("umask $umask; $program", dir => $dir);
    is(mode($run->trace), '0600', sprintf 'mode, umask %04o in the program', $umask);
}
{
    my $before = umask 0;
    my $run = profiled($program);
    umask $before;
    is(mode($run->trace), '0600', 'mode, whatever umask the program inherits');
}

my $run = profiled('mkdir "away"; chdir "away" or die; sub f { 1 } f(); exec $^X, "-e", "print qq(ran\n)" if @ARGV; print "ran\n"');
is($run->{stdout}, "ran\n", 'a program that goes elsewhere');
ok(-e $run->trace, 'its trace is where it started');
ok(!-e "$run->{dir}/away/mprof.bin", 'and not where it went');

$run = profiled('BEGIN { mkdir "away"; chdir "away" or die } sub f { 1 } f();', options => 'start=init');
ok(-e $run->trace, 'start=init: likewise');
$run = profiled('mkdir "away"; chdir "away" or die; sub f { 1 } Devel::MProf::start(); f();', options => 'start=no');
ok(-e $run->trace, 'start=no: likewise');
$run = profiled('mkdir "away"; chdir "away" or die; my $pid = fork; sub f { 1 } f(); waitpid $pid, 0 if $pid; exit');
my @two = traces_in($run->{dir});
is(scalar @two, 2, 'and so is the trace of a child');

# What stands in the way of the trace, and must be there afterwards.
my %others = (
    'a file of text'   => sub { write_file($_[0], "precious\n") },
    'a file that is almost a trace' => sub { write_file($_[0], "MPROF\x1a\n") },
    'an executable'    => sub { write_file($_[0], "#!/bin/sh\n"); chmod 0755, $_[0] },
    'a folder'         => sub { mkdir $_[0] },
    'a link to a file' => sub { write_file("$_[0].target", "precious\n"); symlink "$_[0].target", $_[0] },
    'a link to nothing' => sub { symlink "$_[0].nothing", $_[0] },
    'a link to a trace' => sub { profiled($program, dir => $_[1], options => 'file=old.bin'); symlink "$_[1]/old.bin", $_[0] },
    'a pipe'           => sub { require POSIX; POSIX::mkfifo($_[0], 0600) or die },
);
for my $name (sort keys %others) {
    my $dir = plain($program)->{dir};
    $others{$name}->("$dir/mprof.bin", $dir);
    my $before = listing($dir);
    my $run = profiled($program, dir => $dir);
    is($run->{stdout}, "ran\n", "$name: the program runs");
    is($run->{exit}, 0, "$name: to a good end");
    like($run->{stderr}, qr/\ADevel::MProf: [^\n]*mprof\.bin[^\n]*\n\z/, "$name: it is said in one line");
    is(listing($dir), $before, "$name: everything is as it was");
}

SKIP: {
    skip 'root may write everywhere', 3 if $> == 0;
    my $dir = plain($program)->{dir};
    chmod 0555, $dir;
    my $run = profiled(undef, dir => $dir, stdin => $program);
    chmod 0755, $dir;
    is($run->{stdout}, "ran\n", 'a folder that is not writable: the program runs');
    is($run->{exit}, 0, 'to a good end');
    like($run->{stderr}, qr/\ADevel::MProf: [^\n]*mprof\.bin[^\n]*\n\z/, 'and it is said in one line');
}

# One of ours is replaced, whole or not.
for my $length (undef, 12, 40, 100, 0) {
    my $name = defined $length ? "an old trace of $length bytes" : 'an old trace';
    my $run = profiled('sub old_sub { 1 } old_sub();');
    truncate $run->trace, $length if defined $length;
    my $again = profiled('sub new_sub { 1 } new_sub(); print "ran\n"', dir => $run->{dir});
    is("$again->{stdout}$again->{stderr}", "ran\n", "$name: the program runs in silence");
    is_deeply([traces_in($run->{dir})], ['mprof.bin'], "$name: there is one trace then");
    is($again->of_sub('main::new_sub')->{calls}, 1, "$name: the new one");
    is($again->of_sub('main::old_sub')->{calls}, 0, "$name: and not the old one");
    is(mode($again->trace), '0600', "$name: private again");
}

# A trace that is being written is not replaced.
$run = profiled('sub outer { 1 } outer(); my @c = grep length, split /\n/, $ENV{INNER}; $ENV{INNER} = ""; system @c if @c; print "ran\n"',
    env => { INNER => join "\n", MProfTest::command(['-d:MProf'], 'prog.pl') });
is($run->{stdout}, "ran\nran\n", 'two profiled programs at once in one folder');
my @traces = traces_in($run->{dir});
is(scalar @traces, 2, 'leave a trace each');
is($run->subs(trace => "$run->{dir}/$_")->{'main::outer'}{calls}, 1, "$_: can be read") for @traces;

done_testing;

sub mode {
    my ($file) = @_;
    my @stat = stat $file or return "no file";
    return sprintf '%04o', $stat[2] & 07777;
}

# Names, kinds, modes and contents of what is in a folder.
sub listing {
    my ($dir) = @_;
    opendir my $in, $dir or die "Cannot read $dir: $!";
    return join "\n", map {
        my @stat = lstat "$dir/$_";
        my $content = -l _ ? '-> ' . readlink "$dir/$_" : -f _ ? read_file("$dir/$_") : '';
        sprintf '%s %o %s', $_, $stat[2], $content;
    } sort grep { !/^\.\.?$/ } readdir $in;
}
