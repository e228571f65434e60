package MProfConfined;

# Runs a program within limits that a shell command sets.
#
#     my $run = confined('ulimit -n 5; "$@"', $program, profiled => 1, options => 'file=x', mounts => 1);
#
# "$@" is the command that runs the program. With `mounts` it has a mount namespace of its own; why_no_mounts() says why
# that cannot be had, if it cannot. Returns what `profiled` of MProfTest does.
#
#     my $run = as_without('few descriptors', 'ulimit -n 5; "$@"', $program, qr/what is said/, options => 'file=x');
#     can_be_read('few descriptors', $run->trace);
#
# test that the program does the same there as without the profiler, and that a trace can be read.

use strict;
use warnings;

use Cwd qw(realpath);
use Exporter qw(import);
use File::Temp qw(tempdir);
use MProfTest ();
use Test::More ();

our @EXPORT = qw(confined as_without can_be_read why_no_mounts);

sub confined {
    my ($wrapper, $program, %how) = @_;
    my $dir = realpath(tempdir(CLEANUP => 1));
    chmod 0777, $dir;
    MProfTest::write_file("$dir/prog.pl", $program);
    my $switch = '-d:MProf' . (defined $how{options} ? "=$how{options}" : '');
    my @perl = MProfTest::command([$how{profiled} ? $switch : ()], 'prog.pl');
    my @namespace = $how{mounts} ? qw(unshare -m) : ();
    my $ran = MProfTest::run_command([@namespace, 'bash', '-c', $wrapper, 'bash', @perl], $dir, %how);
    return bless { %$ran, dir => $dir }, 'MProfTest';
}

sub as_without {
    my ($name, $wrapper, $program, $warning, %how) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    my ($plain, $profiled) = map confined($wrapper, $program, profiled => $_, %how), 0, 1;
    Test::More::is($profiled->{stdout}, $plain->{stdout}, "$name: the program's output is the same");
    Test::More::cmp_ok(length $plain->{stdout}, '>', 0, "$name: and there is some") or Test::More::diag($plain->{stderr});
    Test::More::is("$profiled->{exit} $profiled->{signal}", "$plain->{exit} $plain->{signal}", "$name: and so is its end");
    Test::More::like($profiled->{stderr}, $warning, "$name: what is said");
    return $profiled;
}

sub can_be_read {
    my ($name, $trace) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    my $read = MProfTest::mprof_dump('subs', $trace);
    Test::More::is("$read->{exit} $read->{signal}", '0 0', "$name: what was written can be read") or Test::More::diag($read->{stderr});
    return;
}

sub why_no_mounts {
    return 'only root mounts' if $> != 0;
    return 'needs unshare: install the Debian package util-linux' if !grep { -x "$_/unshare" } split /:/, $ENV{PATH};
    my $dir = tempdir(CLEANUP => 1);
    return system("unshare -m mount -t tmpfs none '$dir' >/dev/null 2>&1") == 0 ? undef : 'the kernel gives no mount namespace here';
}

1;
