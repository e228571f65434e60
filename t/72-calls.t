# calls=1: every entry and exit in order, with the process's counters, as `mprof-dump calls` prints them.

use strict;
use warnings;

use FindBin;
use JSON::PP ();
use Test::More;

use lib "$FindBin::Bin/lib";
use MProfTest;

my $program = <<'PERL';
our @kept;
sub inner { push @kept, 'x' x (1000 + @_); return }
sub outer { inner(); inner(); return }
sub fails { die "no\n" }
sub deep  { my ($n) = @_; return $n ? deep($n - 1) : 0 }
outer() for 1 .. 50;
eval { fails() } for 1 .. 3;
deep(5);
print "ran\n";
PERL

sub calls {
    my ($run, @arguments) = @_;
    my $read = mprof_dump('calls', @arguments, $run->trace);
    is($read->{exit}, 0, "mprof-dump calls @arguments") or diag($read->{stderr});
    return ($read, split /\n/, $read->{stdout});
}

my $run = profiled($program, options => 'calls=1');
is($run->{stdout}, "ran\n", 'the program runs');
is($run->{stderr}, '', 'in silence');
my ($read, @lines) = calls($run);
is($read->{stderr}, '', 'no warning');
is_deeply([grep { !/\A.+:\d+:\d+\z/ } @lines], [], 'function:before:after');
my %times;
$times{ (split /:\d/)[0] }++ for @lines;
is_deeply(
    { map { ($_ => $times{$_}) } qw(main::inner main::outer main::fails main::deep) },
    { 'main::inner' => 100, 'main::outer' => 50, 'main::fails' => 3, 'main::deep' => 6 },
    'each call is there, those that die too',
);
is($run->of_sub($_)->{calls}, $times{$_}, "$_: as many as the table says") for qw(main::inner main::deep);
is(join(' ', map { /::(\w+)/ } grep { /^main::(?:inner|outer)/ } @lines[0 .. 5]), 'inner inner outer inner inner outer', 'in the order of their ends');

my @net = map { /:(\d+):(\d+)\z/ ? $2 - $1 : () } grep { /^main::inner:/ } @lines;
my $grown = 0;
$grown += $_ for @net;
cmp_ok(abs($grown - $run->of_sub('main::inner')->{inclusive_net_bytes}), '<', 4096, 'what inner grew is what the table says');
cmp_ok((sort { $a <=> $b } @net)[50], '>=', usable_bytes(1000), 'a kilobyte each time');

my (undef, @outer) = calls($run, '--json', '--filter', '^main::outer$');
my @objects = map { JSON::PP->new->utf8->decode($_) } @outer;
is(scalar @objects, 50, '--filter, --json');
is_deeply([sort keys %{ $objects[0] }], [qw(after before depth function interpreter node_id)], 'fields');
is_deeply([sort keys %{ $objects[0]{after} }], [qw(live_bytes resident_pages scalars size_pages)], 'counters');
cmp_ok($objects[-1]{after}{scalars} - $objects[0]{before}{scalars}, '>=', 100, 'scalars');
my (undef, @pages) = calls($run, '--pages');
is(scalar @pages, scalar @lines, '--pages: as many');
like($pages[-1], qr/\A.+:\d{3,6}:\d{3,6}\z/, '--pages: numbers of pages');

# A stream that becomes too long ends, and nothing else does.
$run = profiled('sub f { return $_[0] } srand 42; my $s = 0; my $k; for my $i (1 .. 400_000) { $s += f($i); $k = [1 .. rand 40] } print "$s\n";', options => 'calls=1,calls_max=64k');
is($run->{stdout}, 400_000 * 400_001 / 2 . "\n", 'calls_max: the program runs on');
like($run->{stderr}, qr/\ADevel::MProf: the stream of calls has reached calls_max;[^\n]+\n\z/, 'and is told once');
my ($cut, @some) = calls($run);
like($cut->{stderr}, qr/ends at calls_max/, 'the reader says so');
cmp_ok(scalar @some, '>', 10_000, 'there are calls');
cmp_ok(scalar @some, '<', 400_000, 'but not all');
is($run->of_sub('main::f')->{calls}, 400_000, 'the tables have all');
my %chunks = map { ($_->{kind} => $_->{stored_bytes}) } @{ $run->report('info')->{chunks}{rows} };
cmp_ok($chunks{calls}, '<', 4 * 64 * 1024, 'and the trace stays small');

# Without calls=1 there is nothing to print.
$run = profiled('print "ran\n"');
$read = mprof_dump('calls', $run->trace);
is($read->{exit}, 2, 'no stream: exit code 2');
like($read->{stderr}, qr/\Amprof-dump: .+ has no stream of calls; run the program with -d:MProf=calls=1\n\z/, 'and a sentence');

# A child has its own, and a thread its own interpreter number.
$run = profiled(<<'PERL', options => 'calls=1');
sub f { return 1 }
sub g { return f() }
sub forks { my $pid = fork; if (!$pid) { g() for 1 .. 10; exit } waitpid $pid, 0; return $pid }
my $pid = forks();
g() for 1 .. 5;
print "$pid\n";
PERL
chomp(my $pid = $run->{stdout});
my %count;
for my $trace ($run->trace, $run->trace . ".$pid") {
    $count{$trace}{$_}++ for map { /\A(main::[fg]):/ } split /\n/, mprof_dump('calls', $trace)->{stdout};
}
is_deeply([@count{ $run->trace, $run->trace . ".$pid" }], [{ 'main::f' => 5, 'main::g' => 5 }, { 'main::f' => 10, 'main::g' => 10 }], 'a forked child has a stream of its own');

done_testing;
