# Coroutines (Coro): what each allocates is booked on its own calls, however they give way to each other.

use strict;
use warnings;

use FindBin;
use Test::More;

use lib "$FindBin::Bin/lib";
use MProfTest;

need_package('libcoro-perl', 'Coro');

my $program = <<'PERL';
use strict;
use warnings;
use Coro;
use Coro::Channel;
our @kept;
$#kept = 5000;
$#kept = -1;
my $bytes = 400;
sub alpha { my ($n) = @_; for my $i (1 .. $n) { keep(); middle() } return 'alpha' }
sub beta { my ($n) = @_; for my $i (1 .. $n) { keep(); cede; by_beta() } return 'beta' }
sub by_beta { cede; my @sorted = sort by_number 5, 3, 9, 1; cede; return }
sub by_number { $a <=> $b }
sub keep { push @kept, 'k' x $bytes; return }
sub middle {
    push @kept, 'm' x $bytes;                 # BEFORE
    cede;
    push @kept, 'm' x $bytes;                 # AFTER
    push @kept, (cede, 'm' x $bytes, [1])[-2, -1]; # AMID
    return;
}
my $channel = Coro::Channel->new(2);
sub give { my ($n) = @_; for my $i (1 .. $n) { $channel->put('g' x ($bytes + $i)) } $channel->shutdown; return 'give' }
sub take { my $got; while (defined($got = $channel->get)) { push @kept, $got; cede } return 'take' }
sub dies { keep(); cede; die "dies\n" }
sub endless { while (1) { keep(); cede } }
sub passing { keep(); cede; keep(); return }
my @coroutines = map { my $do = $_; async { $do->() } } sub { alpha(20) }, sub { beta(30) }, sub { give(40) }, sub { take() },
    sub { eval { dies() } || 'died' };
my $endless = async { endless() };
my @pool = map { async_pool { passing() } } 1 .. 10;
cede for 1 .. 7;
$endless->cancel;
print join(' ', map { $_->join } @coroutines), "\n";
sub marker { return 1 }
marker();
PERL

sub same_figures {
    my ($options) = @_;
    my $run = same_behaviour("$options: the program does the same", $program, options => $options);
    is($run->{stdout}, "alpha beta give take died\n", "$options: and comes to its end") or diag($run->{stderr});
    my %calls = (alpha => 1, beta => 1, by_beta => 30, middle => 20, keep => 20 + 30 + 1 + 7 + 20, give => 1, take => 1, endless => 1,
        passing => 10, dies => 1, by_number => 30 * 5);
    for my $name (sort keys %calls) {
        is($run->of_sub("main::$name")->{calls}, $calls{$name}, "$options: calls of $name");
    }
    is($run->of_sub('main::keep')->{self_live_blocks}, $calls{keep}, "$options: blocks that live on are those of who made them")
        if $options ne 'live=0';
    is($run->of_sub('main::keep')->{self_net_scalars}, $calls{keep}, "$options: scalars too");
    conserves($run) if $options ne 'live=0';
    return $run;
}

my $run = same_figures('depth=100');
my %under = (keep => 'alpha beta dies endless passing', middle => 'alpha', by_beta => 'beta', by_number => 'by_beta');
for my $name (sort keys %under) {
    my $parents = join ' ', map { "main::$_" } split ' ', $under{$name};
    is($run->parents_of("main::$name"), $parents, "$name was called by none but $parents");
}
is($run->parents_of('main::marker'), '(main program)', 'the program is where it was');

# A call for each time that it gives way, wherever that was seen before.
my %given;
$given{ $_->{parent} } += $_->{calls} for grep { $_->{name} eq 'Coro::cede' } @{ $run->{tree} };
is_deeply(
    { map { /^main::(\w+)$/ ? ($1 => $given{$_}) : () } keys %given },
    { middle => 40, beta => 30, by_beta => 60, take => 40, endless => 7, passing => 10, dies => 1 },
    'calls of what gives way',
);
my ($main) = grep { $_->{name} eq 'Coro::cede' && $_->{parent} eq '(main program)' } @{ $run->{tree} };
is($main->{calls}, 7, 'from the program, too');

# What is kept in one statement before and after it has given way.
my $lines = $run->lines_of('prog.pl');
my @source = split /\n/, $program;
my ($before, $after, $amid) = map { my $word = $_; grep { $source[ $_ - 1 ] =~ /# $word$/ } 1 .. @source } qw(BEFORE AFTER AMID);
# perl keeps a buffer for the text in each of the sub's pads, of which Coro makes more.
for my $line ($before, $after) {
    my $more = $lines->{$line}{self_live_bytes} - 20 * usable_bytes(402);
    ok($more >= 0 && $more < 4096, "line $line: the bytes it keeps");
}
is($lines->{$_}{self_net_scalars}, 20, "line $_: the scalars it keeps") for $before, $after;
is($lines->{$amid}{self_net_scalars}, 4 * 20, 'in the statement that gives way, scalars');
cmp_ok($lines->{$amid}{self_live_blocks}, '>=', 2 * 20, 'and blocks, of a text and of an array');
cmp_ok($lines->{$amid}{self_live_bytes}, '>=', 20 * usable_bytes(402), 'and bytes');

same_figures($_) for 'live=0', 'ledger=0', 'calls=1,statm=every';

# A stream of calls for each coroutine.
my $stream = profiled($program, options => 'calls=1');
my $read = mprof_dump('calls', $stream->trace);
my %streamed;
$streamed{$1}++ while $read->{stdout} =~ /^main::(\w+):/mg;
is_deeply({ map { ($_ => $streamed{$_}) } qw(alpha middle keep by_beta by_number passing) },
    { alpha => 1, middle => 20, keep => 78, by_beta => 30, by_number => 150, passing => 10 }, 'calls=1: every call ends');

# Coroutines without number, one after the other: what is known of each goes with it.
my $many = profiled(<<'PERL', options => 'calls=1');
use strict;
use warnings;
use Coro;
our $n = 0;
sub work { $n++; cede; return step() }
sub step { return $n }
for my $round (1 .. 500) { $_->join for map { async { work() } } 1 .. 10 }
print "$n\n";
print Devel::MProf::stats()->{profiler_bytes} < 16e6 ? "small\n" : "big\n";
PERL
is("$many->{stdout}$many->{stderr}", "5000\nsmall\n", '5000 coroutines');
is($many->of_sub('main::step')->{calls}, 5000, 'every call is counted');
is($many->parents_of('main::step'), 'main::work', 'where it was made');
my $calls = mprof_dump('calls', '--json', '--filter', '^main::step$', $many->trace);
my %streams = map { ($_ => 1) } $calls->{stdout} =~ /"interpreter":(\d+)/g;
cmp_ok(scalar(keys %streams), '<=', 20, 'a stream of calls is gone on with when a coroutine is over');

# Ways for coroutines to end, and to end the program.
my @ways = (
    ['exit',                   'async { f(); exit 3 }; f(); cede; print "not here\n"', 3],
    ['die',                    'async { f(); die "x\n" }; cede; f(); print "ran\n"', 255],
    ['throw',                  'my $c = async { eval { g() }; print $@ }; cede; $c->throw("thrown\n"); cede; f(); print "ran\n"'],
    ['terminate in a call',    'my $c = async { h() }; print $c->join, "\n"; f()'],
    ['cancel in a call',       'my $c = async { g() }; cede; $c->cancel; f(); print "ran\n"'],
    ['safe_cancel',            'my $c = async { g() }; cede; $c->safe_cancel; cede; f(); print "ran\n"'],
    ['a guard',                'use Coro::Semaphore; my $s = Coro::Semaphore->new(1); my @c = map { async { my $g = $s->guard; g() } } 1 .. 3; $_->join for @c; f(); print "ran\n"'],
    ['inside a sort',          'sub by { cede; $a <=> $b } my @c = map { async { my @x = sort by 3, 1, 2; f(); "@x" } } 1 .. 3; print $_->join, "\n" for @c; f()'],
    ['inside a DESTROY',       'sub O::DESTROY { f(); cede; f() } my @c = map { async { { my $o = bless [], "O" } f() } } 1 .. 3; $_->join for @c; f(); print "ran\n"'],
    ['inside a string eval',   'my @c = map { async { eval q{ f(); cede; f(); 1 } or die } } 1 .. 3; $_->join for @c; f(); print "ran\n"'],
    ['inside a tie',           'package T { sub TIESCALAR { bless [] } sub FETCH { main::f(); Coro::cede(); 5 } } tie my $t, "T"; my @c = map { async { f(); $t + 1 } } 1 .. 3; print $_->join, "\n" for @c; f()'],
    ['one that never ends',    'async { f(), cede while 1 }; cede; cede; f(); print "ran\n"'],
    ['_exit',                  'use POSIX (); $| = 1; async { f(); print "ran\n"; POSIX::_exit(0) }; cede while 1'],
    ['fork in one',            'async { my $p = fork; f(); if (!$p) { f(); exit } waitpid $p, 0; print "ran\n" }->join; f()'],
    ['start inside of one',    'async { Devel::MProf::stop(); f(); Devel::MProf::start(); g() }->join; f(); print "ran\n"'],
    ['local',                  'our $l = 1; my @c = map { my $n = $_; async { local $l = $n; g(); print "$l\n" } } 1 .. 3; $_->join for @c; f()'],
    ['a method',               'use Coro::Semaphore; my $s = Coro::Semaphore->new(0); my $c = async { $s->down, f() for 1 .. 3; print "ran\n" }; $s->up, cede for 1 .. 3; $c->join; f()'],
);
for my $way (@ways) {
    my ($name, $text, $exit) = @$way;
    my $subs = 'sub f { return 1 } sub g { cede; cede; f(); return } sub h { f(); terminate("ended") } sub marker { return 1 }';
    $text =~ s/Devel::MProf::(\w+)\(\)/Devel::MProf->can('$1') && Devel::MProf::$1()/g;
    subtest $name => sub {
        my $run = same_behaviour('it is the same', "use strict; use warnings; use Coro; $subs\n$text;\nmarker();\n");
        is($run->{signal}, 0, 'no crash');
        is($run->of_sub('main::marker')->{calls}, 1, 'the program goes on') if !$exit && $name ne '_exit';
        is($run->parents_of('main::marker'), '(main program)', 'where it was') if !$exit && $name ne '_exit';
        my @lost = grep { ($_->{parent} || '') eq '(coroutines)' && $_->{name} =~ /^main::[fgh]$/ } @{ $run->{tree} || [$run->tree] };
        is(scalar @lost, 0, 'no call has lost its caller') if $name ne 'start inside of one';
    };
}

done_testing;
