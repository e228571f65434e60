# Scalars are counted for the sub in which they were born, whoever lets them die, and all together make what lives.

use strict;
use warnings;

use FindBin;
use Test::More;

use lib "$FindBin::Bin/lib";
use MProfTest;

my $run = profiled(<<'PERL');
our (@kept, @more);
sub integers { push @kept, 1 .. 10; return }
sub lists    { push @kept, [1, 2, 3]; return }
sub hashes   { push @kept, { a => 1, b => 2 }; return }
sub drops    { pop @kept; return }
sub clears   { @more = (); return }
sub fills    { push @more, 1 .. 50; return }
sub borrows  { my @x = (1) x 30; undef @x; return }
sub outer    { push @kept, 1; integers(); return }
integers() for 1 .. 100;
lists() for 1 .. 100;
hashes() for 1 .. 100;
drops() for 1 .. 100;
fills() for 1 .. 20;
clears();
borrows() for 1 .. 100;
outer() for 1 .. 100;
PERL
is($run->{stderr}, '', 'the program runs');

my %net = (
    integers => 200 * 10,
    lists    => 100 * 5,         # a reference, an array, three numbers
    hashes   => 0,               # all of them are dropped
    drops    => 0,
    fills    => 0,               # and those are cleared away
    clears   => 0,
    borrows  => 0,
    outer    => 100,
);
is($run->of_sub("main::$_")->{self_net_scalars}, $net{$_}, "$_: $net{$_}") for sort keys %net;
is($run->of_sub('main::outer')->{inclusive_net_scalars}, 100 + 100 * 10, 'outer, with what it calls');
for my $sub (sort keys %net) {
    my $row = $run->of_sub("main::$sub");
    is($row->{self_born_scalars} - $row->{self_died_scalars}, $row->{self_net_scalars}, "$sub: born less died is net");
}

my $info  = $run->report('info');
my $total = $info->{counters};
is($info->{header}{start_live_scalars} + $total->{born_scalars} - $total->{died_scalars} - $total->{older_died_scalars},
    $total->{live_scalars},
    'those at the start, and born, less died: those that live');
my $sum = 0;
$sum += $_->{self_net_scalars} for @{ $run->report('subs')->{subs}{rows} };
is($sum, $total->{born_scalars} - $total->{died_scalars}, 'summed over subs, it is the same');

done_testing;
