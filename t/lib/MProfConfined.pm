package MProfConfined;

# Runs a program within limits that a shell command sets.
#
#     my $run = confined('ulimit -n 5; "$@"', $program, profiled => 1, options => 'file=x', mounts => 1);
#
# "$@" is the command that runs the program. With `mounts` it has a mount namespace of its own; why_no_mounts() says why
# that cannot be had, if it cannot. Returns what `profiled` of MProfTest does.

use strict;
use warnings;

use Cwd qw(realpath);
use Exporter qw(import);
use File::Temp qw(tempdir);
use MProfTest ();

our @EXPORT = qw(confined why_no_mounts);

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

sub why_no_mounts {
    return 'only root mounts' if $> != 0;
    return 'needs unshare: install the Debian package util-linux' if !grep { -x "$_/unshare" } split /:/, $ENV{PATH};
    my $dir = tempdir(CLEANUP => 1);
    return system("unshare -m mount -t tmpfs none '$dir' >/dev/null 2>&1") == 0 ? undef : 'the kernel gives no mount namespace here';
}

1;
