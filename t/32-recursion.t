# Recursion is folded: a sub that calls itself, directly or through others, is one node, however deep it goes.

use strict;
use warnings;

use FindBin;
use Test::More;

use lib "$FindBin::Bin/lib";
use MProfTest;

my $run = profiled(<<'PERL');
no warnings 'recursion';
sub fibonacci { my ($n) = @_; return $n < 2 ? $n : fibonacci($n - 1) + fibonacci($n - 2) }
print fibonacci(15), "\n";
sub ping { return $_[0] ? pong($_[0] - 1) : 0 }
sub pong { return ping(@_) }
ping(300);
my $counted = 0;
my $anonymous; $anonymous = sub { $counted++; return $_[0] ? $anonymous->($_[0] - 1) : 0 };
$anonymous->(200);
sub keeps { my ($n) = @_; push our @kept, $n; return $n > 1 ? keeps($n - 1) : 1 }
keeps(1000);
sub deep { return $_[0] ? deep($_[0] - 1) : bottom() }
sub bottom { return 'bottom' }
print deep(100_000), "\n";
sub marker { return 1 }
marker();
PERL
is($run->{stdout}, "610\nbottom\n", 'the program runs');
is($run->{stderr}, '', 'without complaints');

my %calls = (fibonacci => 1973, ping => 301, pong => 300, keeps => 1000, deep => 100_001, bottom => 1, marker => 1,
    '__ANON__[prog.pl:8]' => 201);
is($run->of_sub("main::$_")->{calls}, $calls{$_}, "$_: $calls{$_} calls") for sort keys %calls;

my %nodes;
$nodes{ $_->{name} }++ for $run->tree;
is($nodes{'main::fibonacci'}, 1, 'direct recursion: one node, from two places of itself');
is($nodes{'main::ping'}, 1, 'mutual recursion: one node');
is($nodes{'main::pong'}, 1, 'of each');
is($nodes{'main::deep'}, 1, 'deep recursion: one node');
is($run->parents_of('main::deep'), '(main program)', 'below the first caller');
is($run->parents_of('main::bottom'), 'main::deep', 'and over what it calls');
is($run->parents_of('main::marker'), '(main program)', '100,000 returns close 100,000 calls');

my $keeps = $run->of_sub('main::keeps');
cmp_ok($keeps->{self_net_scalars}, '>=', 1000, 'what all levels keep is one figure');
is($keeps->{inclusive_live_bytes}, $keeps->{self_live_bytes}, 'no level is counted twice in the inclusive one');
is($run->counters->{depth_capped_calls}, 0, 'nothing of that meets the cap');

$run = profiled(<<'PERL');
no warnings 'recursion';
sub deep { return $_[0] ? deep($_[0] - 1) : die 'bottom' }
eval { deep(100_000) };
print $@ =~ /^bottom/ ? "died\n" : "no\n";
sub marker { return 1 }
marker();
PERL
is($run->{stdout}, "died\n", 'a die at the bottom of 100,000 calls');
is($run->parents_of('main::marker'), '(main program)', 'closes them all');

done_testing;
