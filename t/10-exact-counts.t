# Calls, blocks, bytes and scalars of a known program are exact to the unit.

use strict;
use warnings;

use FindBin;
use Test::More;

use lib "$FindBin::Bin/lib";
use MProfTest;

my $n = 700;

# The slots of the arrays are there beforehand, and perl's pools and the holes of malloc are filled by main, so that each
# call makes what it says and nothing else. The program tells how many bytes perl asked for. The strings
# are unpacked, for copies may share their text.
my $run = profiled(<<"PERL");
my (\@strings, \@scalars, \$at);
my \$long = 'abcdefghij' x 100;
\$#strings = \$#scalars = $n - 1;
{ my \@fills_the_pools = map "\$_", 1 .. 3 * $n + 2000; }
my \@fills_the_holes = map { my \$string = unpack 'a1000', \$long; [\$string] } 1 .. 1000;
sub strings { \$strings[\$at++] = unpack 'a1000', \$long; return }
sub scalars { \$scalars[\$at++] = 1; return }
sub nothing { return }
sub frees   { my \$string = unpack 'a900', \$long; undef \$string; my \@list; \$list[499] = 1; undef \@list; return }
\$at = 0; strings() for 1 .. $n;
\$at = 0; scalars() for 1 .. $n;
nothing() for 1 .. 3 * $n;
frees() for 1 .. $n;
require B;
print B::svref_2object(\\\$strings[-1])->LEN;
PERL
is($run->{stderr}, '', 'no complaints');
is($run->{exit}, 0, 'a clean end');

my $asked_bytes = $run->{stdout};
cmp_ok($asked_bytes, '>=', 1001, 'the program says how long its blocks are');

my $strings = $run->of_sub('main::strings');
is($strings->{calls}, $n, 'calls: each counted');
is($strings->{self_live_blocks}, $n, 'blocks kept: one a call');
is($strings->{self_live_bytes}, $n * usable_bytes($asked_bytes), 'bytes kept: as many as malloc made of each');
is($strings->{self_allocated_blocks}, $n, 'no other block was allocated');
is($strings->{self_net_blocks}, $n, 'net blocks are those');
is($strings->{self_net_bytes}, $n * usable_bytes($asked_bytes), 'net bytes are those');
is($strings->{self_net_scalars}, $n, 'scalars kept: one a call');
is($strings->{inclusive_live_bytes}, $strings->{self_live_bytes}, 'it calls nothing: inclusive is self');

my $scalars = $run->of_sub('main::scalars');
is($scalars->{calls}, $n, 'integers: calls');
is($scalars->{self_net_scalars}, $n, 'integers: a scalar each');
is($scalars->{self_live_blocks}, 0, 'integers: no block, for they live in the pools');

my $nothing = $run->of_sub('main::nothing');
is($nothing->{calls}, 3 * $n, 'a sub that does nothing: calls');
is_deeply([@$nothing{qw(self_allocated_bytes self_allocated_blocks self_freed_bytes self_net_scalars)}], [0, 0, 0, 0],
    'and no more');

my $frees = $run->of_sub('main::frees');
is($frees->{self_net_bytes}, 0, 'a sub that frees all: no net bytes');
is($frees->{self_net_blocks}, 0, 'no net blocks');
is($frees->{self_live_bytes}, 0, 'nothing live');
is($frees->{self_net_scalars}, 0, 'no net scalars');
is($frees->{self_freed_bytes}, $frees->{self_allocated_bytes}, 'freed is allocated');
is($frees->{self_allocated_blocks}, 2 * $n, 'and is two blocks a call');

done_testing;
