# A sub that keeps one character a call, called 1024 times, shows 1024 scalars and its bytes: the module of 2007 showed 0.

use strict;
use warnings;

use FindBin;
use Test::More;

use lib "$FindBin::Bin/lib";
use MProfTest;

# A character that is computed: copies of a literal share its text.
my $run = profiled(<<'PERL');
my @kept;
sub keep { push @kept, chr shift; return }
keep(120) for 1 .. 1024;
print scalar @kept;
PERL
is($run->{stdout}, 1024, 'the program keeps them');

my $keep = $run->of_sub('main::keep');
is($keep->{calls}, 1024, 'calls');
is($keep->{self_net_scalars}, 1024, 'net scalars');
is($keep->{self_born_scalars} - $keep->{self_died_scalars}, 1024, 'born less died');
cmp_ok($keep->{self_live_bytes}, '>=', 1024 * usable_bytes(2), 'live bytes: the characters, and more');
cmp_ok($keep->{self_net_bytes}, '>=', 1024 * usable_bytes(2), 'net bytes');

my $line = $run->lines_of('prog.pl')->{2};
is($line->{self_net_scalars}, 1024, 'the line says so too');

done_testing;
