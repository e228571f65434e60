# A program that is killed while it waits has lost at most the last interval: all it did before it began to wait is there.

use strict;
use warnings;

use Config;
use Cwd qw(realpath);
use File::Temp qw(tempdir);
use FindBin;
use IO::Socket::INET;
use JSON::PP ();
use POSIX ();
use Test::More;
use Time::HiRes qw(sleep time);

use lib "$FindBin::Bin/lib";
use MProfTest;

my $interval = 0.5;
my $kept     = 10_000_000;
# Nothing here takes that long, however busy the machine is.
my $patience_seconds = 120;
# Begins well after the start, so that snapshots are as far from each other as the interval.
my $grow = 'sub grow { push our @kept, "x" x 1000 for 1 .. 10_000; return } $| = 1; ';

# What a program may wait for; `grown` is printed when all has been done.
my %waits = (
    'sleep'              => 'grow(); print "grown\n"; sleep 1000',
    'a finer sleep'      => 'use Time::HiRes (); grow(); print "grown\n"; Time::HiRes::sleep(1000)',
    'select with no end' => 'grow(); print "grown\n"; select undef, undef, undef, undef',
    'select in a loop'   => 'grow(); print "grown\n"; select undef, undef, undef, 0.25 while 1',
    'a pipe'             => 'pipe my $r, my $w; grow(); print "grown\n"; <$r>',
    'sysread'            => 'pipe my $r, my $w; grow(); print "grown\n"; sysread $r, my $x, 1',
    'a signal'           => 'require POSIX; grow(); print "grown\n"; POSIX::pause() while 1',
    'sigsuspend'         => 'require POSIX; grow(); print "grown\n"; POSIX::sigsuspend(POSIX::SigSet->new)',
    'poll'               => 'use IO::Poll; pipe my $r, my $w; my $p = IO::Poll->new; $p->mask($r => POLLIN); grow(); print "grown\n"; $p->poll',
    'a connection'       => 'use IO::Socket::INET; my $s = IO::Socket::INET->new(LocalAddr => "127.0.0.1", Listen => 1) or die; grow(); print "grown\n"; $s->accept',
    'a datagram'         => 'use IO::Socket::INET; my $s = IO::Socket::INET->new(LocalAddr => "127.0.0.1", Proto => "udp") or die; grow(); print "grown\n"; $s->recv(my $x, 10)',
    'a child'            => 'my $p = fork; if (!$p) { exec "sleep", 1000 } grow(); print "grown\n"; waitpid $p, 0',
    'system'             => 'grow(); print "grown\n"; system "sleep", 1000',
    'backticks'          => 'grow(); print "grown\n"; `sleep 1000`',
    'a lock'             => 'open my $l, ">", "lock"; flock $l, 2; my $p = fork; if (!$p) { open my $m, ">", "lock"; select undef, undef, undef, 0.1; exec "sleep", 1000 } open my $m, ">", "lock"; grow(); print "grown\n"; flock $m, 2',
    'one long match'     => 'grow(); print "grown\n"; my $n = 0; ("a" x 40) =~ /^(?:a?){40}a{40}(?{ $n++ })b/',
    'a call that grows while it runs' => 'print "grown\n"; my @x = map { "x" x 1000 } 1 .. 10_000; @x = sort { select undef, undef, undef, 10; 0 } @x',
);
for my $wait (sort keys %waits) {
    my $run = killed_after("$grow select undef, undef, undef, 0.3; $waits{$wait}");
    is($run->{said}, "grown\n", "$wait: the program runs");
    cmp_ok($run->counters->{live_bytes}, '>=', $kept, "$wait: what it kept before it was killed is in the trace");
    is_deeply([sort(traces_in($run->{dir}))], ['mprof.bin'], "$wait: and there is no other");
}

# Within a thread of the program's, and before any tick was attended to.
SKIP: {
    skip 'this perl is built without ithreads', 1 if !$Config{useithreads};
    my $run = killed_after(<<"PERL");
use threads;
$grow
my \$t = threads->create(sub { grow(); print "grown\\n"; sleep 1000 });
sleep 1000;
PERL
    cmp_ok($run->counters->{live_bytes}, '>=', $kept, 'in a thread, while both wait');
}

my $run = killed_after("$grow grow(); grow(); if (!fork) { \@kept = (); grow(); print qq(grown\\n); sleep 1000 } wait", traces => 2);
is(scalar @{ $run->{traces} }, 2, 'a forked child has a trace');
cmp_ok($run->report('info', trace => $run->{traces}[1])->{counters}{live_bytes}, '>=', $kept, 'and its figures are there too');
is($run->of_sub('main::grow')->{calls}, 2, "and its parent's, which waits for it");

# Once what there was is written, waiting writes nothing.
$run = killed_after("$grow grow(); print qq(grown\\n); sleep 1000", quiet_intervals => 4);
ok($run->{is_quiet}, 'a program that only waits writes nothing for four intervals');

# Real servers, killed some time after their last request.
SKIP: {
    skip 'needs Mojolicious: install the Debian package libmojolicious-perl', 2 if system("$^X -MMojolicious -e 1 2>/dev/null");
    my $run = killed_after($grow . <<'PERL', request => 1);
use Mojolicious::Lite;
use Mojo::Server::Daemon;
get '/grow' => sub { my $c = shift; main::grow(); $c->render(text => 'grown') };
app->log->level('fatal');
my $daemon = Mojo::Server::Daemon->new(app => app, listen => ["http://127.0.0.1:$ARGV[0]"], silent => 1);
$daemon->run;
PERL
    like($run->{said}, qr/grown\z/, 'Mojolicious: the request is answered');
    cmp_ok($run->counters->{live_bytes}, '>=', $kept, 'Mojolicious: and what it kept is in the trace');
}
SKIP: {
    skip 'needs plackup: install the Debian package libplack-perl', 2 if system("$^X -MPlack::Runner -e 1 2>/dev/null");
    my $run = killed_after($grow . <<'PERL', request => 1);
use Plack::Runner;
my $runner = Plack::Runner->new;
$runner->parse_options('--host', '127.0.0.1', '--port', $ARGV[0], '--no-default-middleware');
$runner->run(sub { main::grow(); [200, ['Content-Type' => 'text/plain'], ['grown']] });
PERL
    like($run->{said}, qr/grown\z/, 'plackup: the request is answered');
    cmp_ok($run->counters->{live_bytes}, '>=', $kept, 'plackup: and what it kept is in the trace');
}
SKIP: {
    skip 'needs AnyEvent: install the Debian package libanyevent-perl', 1 if system("$^X -MAnyEvent -e 1 2>/dev/null");
    my $run = killed_after("use AnyEvent; $grow" . 'my $t = AnyEvent->timer(after => 0.1, cb => sub { grow(); print "grown\n" }); AnyEvent->condvar->recv');
    cmp_ok($run->counters->{live_bytes}, '>=', $kept, 'AnyEvent: what it kept is in the trace');
}

# The program does not notice: nothing that waits is cut short, and errno stays.
same_behaviour('waits are as long as ever, and errno is kept', <<'PERL', options => 'interval=0.05');
use Time::HiRes qw(time);
use POSIX ();
my @kept;
for my $round (1 .. 6) {
    push @kept, 'x' x 5000 for 1 .. 50;
    my $start = time;
    $! = 7;
    my $n = select undef, undef, undef, 0.1;
    print $n, ' ', $! + 0, ' ', time - $start >= 0.099 ? 'full' : time - $start, "\n";
}
pipe my $r, my $w;
my $p = fork;
if (!$p) { select undef, undef, undef, 0.3; syswrite $w, 'word'; POSIX::_exit(0) }
push @kept, 'x' x 5000 for 1 .. 50;
print sysread($r, my $word, 10), " $word\n";
push @kept, 'x' x 5000 for 1 .. 50;
print waitpid($p, 0) == $p ? "reaped\n" : "not: $!\n";
local $SIG{ALRM} = sub { push @kept, 'x' x 5000; die "alarm\n" };
eval { alarm 1; sleep 10; 1 } or print $@;
eval { alarm 1; select undef, undef, undef, 10; 1 } or print $@;
# A handler that runs at once, wherever the program is.
POSIX::sigaction(POSIX::SIGALRM(), POSIX::SigAction->new(sub { push @kept, 'x' x 5000; die "at once\n" }));
eval { alarm 1; sysread $r, $word, 1; 1 } or print $@;
PERL

# Snapshots that begin as the program wakes up: bursts of work between waits about as long as a tick.
my $work = <<'PERL';
our (@kept, $n);
sub burst { push @kept, [$n++, 'x' x 300] for 1 .. 200; splice @kept, 0, 150; return }
for my $round (1 .. 60) {
    burst() for 1 .. 3;
    select undef, undef, undef, 0.02 + ($round % 7) / 500;
    FORKS
}
$_->join for threads->can('list') ? threads->list : ();
print scalar @kept, "\n";
PERL
my @while = ('', 'if ($round % 3 == 0) { my $p = fork; if (!$p) { burst(); select undef, undef, undef, 0.03; exit } waitpid $p, 0 }');
push @while, 'BEGIN { require threads } threads->create(sub { burst(); select undef, undef, undef, 0.03; burst() }) if $round % 10 == 0;' if $Config{useithreads};
for my $forks (@while) {
    (my $text = $work) =~ s/FORKS/$forks/;
    my $name = $forks eq '' ? 'bursts' : $forks =~ /fork/ ? 'bursts with forks' : 'bursts with threads';
    my $run = profiled($text, options => 'interval=0.05,verify=1');
    is($run->{stderr}, '', "$name: the program runs in silence");
    is($run->{exit} . $run->{signal}, '00', "$name: to a good end");
    conserves($run);
    cmp_ok($run->of_sub('main::burst')->{calls}, '>=', 180, "$name: all calls are there");
    for my $trace (traces_in($run->{dir})) {
        my $read = mprof_dump('subs', "$run->{dir}/$trace");
        is("$read->{exit}$read->{stderr}", '0', "$name: $trace can be read");
    }
}

done_testing;

# Runs a program until it has said `grown` (or answered a request), waits two intervals, or longer on a machine so busy that
# what is due has not been written by then, kills it and its children, and returns the run.
sub killed_after {
    my ($program, %how) = @_;
    my $dir = realpath(tempdir(CLEANUP => 1));
    write_file("$dir/prog.pl", $program);
    my $port = $how{request} ? free_port() : 0;
    pipe my $out, my $in or die "No pipe: $!";
    my $pid = fork;
    die "Cannot fork: $!" if !defined $pid;
    if (!$pid) {
        POSIX::setpgid(0, 0);
        delete @ENV{qw(MPROF PERL5OPT)};
        chdir $dir or POSIX::_exit(99);
        open STDOUT, '>&', $in;
        alarm 3 * $patience_seconds;
        exec MProfTest::command(["-d:MProf=interval=$interval"], "prog.pl", $port) or POSIX::_exit(99);
    }
    close $in;
    my $said = $how{request} ? answer($port) : do { local $/ = "\n"; scalar <$out> };
    sleep $interval * 2;
    my $end = time + $patience_seconds;
    sleep 0.1 while time < $end && !is_written($how{traces} || 1, traces_by_age($dir));
    my $is_quiet = $how{quiet_intervals} && falls_quiet("$dir/mprof.bin", $interval * $how{quiet_intervals}, $end);
    kill KILL => -$pid;
    waitpid $pid, 0;
    return bless { dir => $dir, said => $said, traces => [traces_by_age($dir)], is_quiet => $is_quiet }, 'MProfTest';
}

sub traces_by_age {
    my ($dir) = @_;
    return map "$dir/$_", sort { length $a <=> length $b } traces_in($dir);
}

# Are there so many traces, and has the last what its program kept?
sub is_written {
    my ($wanted, @traces) = @_;
    return 0 if @traces < $wanted;
    my $read = mprof_dump('info', '--json', $traces[-1]);
    return !$read->{exit} && JSON::PP->new->utf8->decode($read->{stdout})->{counters}{live_bytes} >= $kept;
}

# Does a file stay as it is for so many seconds, in the end?
sub falls_quiet {
    my ($file, $seconds, $end) = @_;
    my ($bytes, $since) = (-1, 0);
    while (time < $end) {
        my $now = -s $file;
        return 1 if $now == $bytes && time - $since >= $seconds;
        ($bytes, $since) = ($now, time) if $now != $bytes;
        sleep 0.1;
    }
    return 0;
}

sub free_port {
    my $socket = IO::Socket::INET->new(LocalAddr => '127.0.0.1', Listen => 1) or die "No port: $!";
    return $socket->sockport;
}

sub answer {
    my ($port) = @_;
    my $end = time + $patience_seconds;
    while (time < $end) {
        my $socket = IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $port, Timeout => 5);
        if (!$socket) { sleep 0.1; next }
        print {$socket} "GET /grow HTTP/1.0\r\nHost: localhost\r\n\r\n";
        local $/;
        return scalar <$socket>;
    }
    return 'no answer';
}
