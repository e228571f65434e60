# A prefork server under load, with workers that are replaced: the responses are as without the profiler, and each worker
# leaves a whole trace, linked to its parent's.

use strict;
use warnings;

use Cwd qw(realpath);
use File::Temp qw(tempdir);
use FindBin;
use IO::Socket::INET;
use POSIX ();
use Test::More;
use Time::HiRes qw(sleep time);

use lib "$FindBin::Bin/lib";
use MProfTest;

my ($starman) = grep -x, map "$_/starman", split /:/, $ENV{PATH};
plan skip_all => 'needs starman: install the Debian package starman' if !$starman;
need_package('starman', 'Starman::Server');

my $requests = 240;
my $app      = <<'PERL';
our @kept;
sub handle { my ($env) = @_; push @kept, 'x' x 1000; return "$env->{PATH_INFO} by a worker\n" }
sub { my $body = handle(@_); [200, ['Content-Type' => 'text/plain'], [$body]] };
PERL

my ($plain, $profiled) = map served($_), 0, 1;
is_deeply($profiled->{responses}, $plain->{responses}, "$requests responses are as without the profiler");
is($profiled->{responses}[17] =~ /\r\n\r\n(.*)/s ? $1 : '', "/18 by a worker\n", 'and right');
is($profiled->{ended}, $plain->{ended}, 'and so is the end of the server');

my ($master, @workers) = sort { length $a <=> length $b } traces_in($profiled->{dir});
is($master, 'mprof.bin', 'the master has a trace');
cmp_ok(scalar @workers, '>=', $requests / 20, 'workers have been replaced, and each has one');
my $run = bless { dir => $profiled->{dir} }, 'MProfTest';
my $info = $run->report('info');
is_deeply($info->{warnings}, [], "the master's is whole");
my ($handled, %wrong) = (0);
for my $worker (@workers) {
    my @trace = (trace => "$run->{dir}/$worker");
    my $of = $run->report('info', @trace);
    $wrong{"$worker: @{ $of->{warnings} }"}++ if @{ $of->{warnings} };
    $wrong{"$worker: of $of->{header}{parent_pid}"}++ if $of->{header}{parent_pid} != $info->{header}{pid};
    $wrong{"$worker: of $of->{header}{parent_trace}"}++ if $of->{header}{parent_trace} ne realpath($run->trace);
    my $handle = $run->subs(@trace)->{'main::handle'} || $run->subs(@trace)->{ (grep /::handle\z/, keys %{ $run->subs(@trace) })[0] || '' } || { calls => 0, self_live_bytes => 0 };
    $handled += $handle->{calls};
    $wrong{"$worker: $handle->{self_live_bytes} bytes of $handle->{calls} calls"}++ if $handle->{self_live_bytes} < $handle->{calls} * 1000;
}
is_deeply(\%wrong, {}, "each worker's is whole, and linked to the master's");
is($handled, $requests, 'each request is in one of them');

done_testing;

sub served {
    my ($is_profiled) = @_;
    my $dir = realpath(tempdir(CLEANUP => 1));
    write_file("$dir/app.psgi", $app);
    my $port = IO::Socket::INET->new(LocalAddr => '127.0.0.1', Listen => 1)->sockport;
    my $pid = fork;
    die "Cannot fork: $!" if !defined $pid;
    if (!$pid) {
        delete @ENV{qw(MPROF PERL5OPT)};
        chdir $dir or POSIX::_exit(99);
        open STDOUT, '>', "$dir/out";
        open STDERR, '>', "$dir/err";
        my @command = MProfTest::command([$is_profiled ? '-d:MProf' : ()], $starman, '--listen', "127.0.0.1:$port", '--workers', 3,
            '--max-requests', 20, '--preload-app', '--env', 'deployment', 'app.psgi');
        exec @command or POSIX::_exit(99);
    }
    my @responses;
    my $end = time + 300;
    # Two at a time, so that there is always more than one worker at work.
    while (@responses < $requests && time < $end) {
        my @sockets = map IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $port, Timeout => 5), 1, 2;
        if (grep !defined, @sockets) { sleep 0.1; next }
        for my $socket (@sockets) {
            print {$socket} 'GET /', @responses + ($socket == $sockets[0] ? 1 : 2), " HTTP/1.0\r\nHost: localhost\r\n\r\n";
        }
        for my $socket (@sockets) {
            my $response = do { local $/; <$socket> };
            $response =~ s/^Date: .*\r\n//m if defined $response;
            push @responses, $response;
        }
    }
    # A worker that is about to end by itself, after its last request, must not be killed by the master meanwhile: for three
    # seconds all must have been as they are, and have had nothing to do.
    my ($were, $quiet) = ('', 0);
    while ($is_profiled && $quiet < 30 && time < $end) {
        my $are = join ' ', map { $_ . (is_idle($_) ? '' : ' works') } processes_in($dir);
        $quiet = $are eq $were && $are !~ /works/ ? $quiet + 1 : 0;
        $were  = $are;
        sleep 0.1;
    }
    kill QUIT => $pid;
    my $ended = waitpid($pid, 0) == $pid ? $? : 'not';
    # Workers end after the master.
    sleep 0.1 while time < $end && processes_in($dir);
    return { dir => $dir, responses => \@responses, ended => $ended };
}

sub processes_in {
    my ($dir) = @_;
    return grep { my $of = readlink "/proc/$_/cwd"; defined $of && $of eq $dir } map m{/proc/(\d+)}, glob '/proc/[0-9]*';
}

# Does the program wait for something? The profiler's own thread is seldom seen at work where the program is not.
sub is_idle {
    my ($pid) = @_;
    return !grep { !/\) [SI] / } map { eval { read_file($_) } || '' } glob "/proc/$pid/task/[0-9]*/stat";
}
