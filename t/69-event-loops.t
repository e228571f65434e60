# Event loops and subs that wait (AnyEvent, EV, IO::Async, Future::AsyncAwait, Coro on AnyEvent): calls, bytes and scalars
# of what they call are exact.

use strict;
use warnings;

use FindBin;
use Test::More;

use lib "$FindBin::Bin/lib";
use MProfTest;

# What all of the programs have: keep() keeps one scalar and its text.
my $subs = <<'PERL';
use strict;
use warnings;
our @kept;
$#kept = 5000;
$#kept = -1;
my $bytes = 400;
sub keep { push @kept, 'k' x $bytes; return }
sub marker { return 1 }
PERL

sub is_right {
    my ($name, $program, $output, %calls) = @_;
    my $run = same_behaviour("$name: the program does the same", "$subs\n$program\nmarker();\n");
    is("$run->{stdout}$run->{stderr}", $output, "$name: and comes to its end");
    is($run->of_sub("main::$_")->{calls}, $calls{$_}, "$name: calls of $_") for sort keys %calls;
    is($run->of_sub('main::keep')->{self_net_scalars}, $calls{keep}, "$name: scalars that are kept");
    is($run->of_sub('main::keep')->{self_live_blocks}, $calls{keep}, "$name: blocks that are kept");
    is($run->parents_of('main::marker'), '(main program)', "$name: all calls are over then");
    conserves($run);
    return $run;
}

# Skips one block of tests, where need_package would skip them all.
sub there_is {
    my ($package, $module) = @_;
    my $there = system("$^X -M$module -e 1 >/dev/null 2>&1") == 0;
    skip("needs $module: install the Debian package $package", 1) if !$there;
    return;
}

my $anyevent = <<'PERL';
use AnyEvent;
my $done = AnyEvent->condvar;
my ($ticks, $reads) = (0, 0);
sub tick { my ($timers, $number) = @_; keep(); $ticks++; return if ++$timers->{count}[$number] < 10; delete $timers->{$number}; $done->end; return }
sub can_read { my ($handle) = @_; keep(); sysread $handle, my $byte, 1; $reads++; return }
my %timers;
for my $number (1 .. 5) {
    $done->begin;
    $timers{$number} = AnyEvent->timer(after => 0.001, interval => 0.001, cb => sub { tick(\%timers, $number) });
}
pipe my $from, my $to;
$done->begin;
my $watcher;
$watcher = AnyEvent->io(fh => $from, poll => 'r', cb => sub { can_read($from); return if $reads < 20; undef $watcher; $done->end });
syswrite $to, 'x' x 20;
$done->recv;
my $signals = 0;
my $usr = AnyEvent->condvar;
sub signalled { keep(); $signals++; $usr->send; return }
my $handler = AnyEvent->signal(signal => 'USR1', cb => sub { signalled() });
kill USR1 => $$;
$usr->recv;
my ($later, $postponed) = (AnyEvent->condvar, 0);
sub later { keep(); $postponed++; $later->send; return }
AnyEvent::postpone { later() };
$later->recv;
print "$ticks $reads $signals $postponed\n";
PERL

SKIP: {
    there_is('libanyevent-perl', 'AnyEvent');
    is_right('AnyEvent', "BEGIN { \$ENV{PERL_ANYEVENT_MODEL} = 'Perl' }\n$anyevent", "50 20 1 1\n",
        keep => 72, tick => 50, can_read => 20, signalled => 1, later => 1);
    there_is('libev-perl', 'EV');
    is_right('AnyEvent on EV', "use EV;\n$anyevent", "50 20 1 1\n", keep => 72, tick => 50, can_read => 20, signalled => 1, later => 1);
    is_right('EV', <<'PERL', "30 1\n", keep => 31, tick => 30, idle => 1);
use EV;
my ($ticks, $idle) = (0, 0);
sub tick { my ($watcher) = @_; keep(); $watcher->stop if ++$ticks == 30; return }
sub idle { my ($watcher) = @_; keep(); $idle++; $watcher->stop; return }
my $timer = EV::timer(0.001, 0.001, \&tick);
my $when_idle = EV::idle(\&idle);
EV::run();
print "$ticks $idle\n";
PERL
}

SKIP: {
    there_is('libio-async-perl', 'IO::Async');
    is_right('IO::Async', <<'PERL', "30 3 a line\n4\n", keep => 35, tick => 30, line => 3, after => 2);
use IO::Async::Loop;
use IO::Async::Timer::Periodic;
use IO::Async::Stream;
use Future;
my $loop = IO::Async::Loop->new;
my ($ticks, $lines, $last) = (0, 0, '');
sub tick { my ($timer) = @_; keep(); $timer->stop if ++$ticks == 30; return }
sub line { my ($line) = @_; keep(); $lines++; $last = $line; return }
sub after { my ($value) = @_; keep(); return Future->done($value + 1) }
my $timer = IO::Async::Timer::Periodic->new(interval => 0.001, on_tick => \&tick);
$timer->start;
$loop->add($timer);
pipe my $from, my $to;
my $closed = $loop->new_future;
my $stream = IO::Async::Stream->new(
    read_handle    => $from,
    on_read        => sub { my (undef, $buffer) = @_; line($1) while $$buffer =~ s/^(.*)\n//; return 0 },
    on_read_eof    => sub { $closed->done },
);
$loop->add($stream);
syswrite $to, "one line\ntwo\na line\n";
close $to;
$closed->get;
$loop->loop_once while $ticks < 30;
print "$ticks $lines $last\n";
print $loop->delay_future(after => 0.001)->then(sub { after(2) })->then(sub { after(@_) })->get, "\n";
PERL

    there_is('libfuture-asyncawait-perl', 'Future::AsyncAwait');
    my $waits = is_right('async and await', <<'PERL', "1 3 6 10 15\n7\nfails\n", keep => 15 * 2 + 1 + 1, of_main => 1);
use IO::Async::Loop;
use Future;
use Future::AsyncAwait;
my $loop = IO::Async::Loop->new;
async sub inner { my ($n) = @_; keep(); await $loop->delay_future(after => 0.001); keep(); return $n }
async sub outer { my ($n) = @_; my $sum = 0; for my $i (1 .. $n) { $sum += await inner($i) } return $sum }
async sub ready { my $value = await Future->done(7); keep(); return $value }
async sub fails { await $loop->delay_future(after => 0.001); keep(); die "fails\n" }
sub of_main { return map { outer($_) } 1 .. 5 }
print join(' ', map { scalar $_->get } of_main()), "\n", ready()->get, "\n", fails()->failure;
PERL
    is($waits->of_sub('main::inner')->{calls}, 15 * 2, 'a sub that has waited is called anew when it is gone on with');
    is($waits->of_sub('main::ready')->{calls}, 1, 'not one that had nothing to wait for');
}

SKIP: {
    there_is('libanyevent-perl', 'AnyEvent');
    there_is('libcoro-perl', 'Coro');
    my $program = <<'PERL';
use AnyEvent;
use Coro;
use Coro::AnyEvent;
use Coro::Handle;
sub sleeper { my ($n) = @_; for (1 .. $n) { keep(); Coro::AnyEvent::sleep(0.001) } return }
sub reader { my ($handle) = @_; my $n = 0; while (defined(my $line = $handle->readline)) { keep(); $n++; last if $line =~ /end/ } return $n }
pipe my $from, my $to;
$from = unblock $from;
my @coroutines = ((map { my $n = $_; async { sleeper($n) } } 1 .. 10), async { reader($from) });
for (1 .. 10) { syswrite $to, "line $_\n"; Coro::AnyEvent::sleep(0.001) }
syswrite $to, "end\n";
my @results = map { $_->join } @coroutines;
print "$results[-1]\n";
PERL
    my $run = is_right('Coro on AnyEvent', $program, "11\n", keep => 55 + 11, sleeper => 10, reader => 1);
    is($run->parents_of('main::keep'), 'main::reader main::sleeper', 'each call has the caller that made it');
    there_is('libev-perl', 'EV');
    $run = is_right('Coro on EV', "use EV;\n$program", "11\n", keep => 55 + 11, sleeper => 10, reader => 1);
    is($run->parents_of('main::keep'), 'main::reader main::sleeper', 'each call has the caller that made it');
}

done_testing;
