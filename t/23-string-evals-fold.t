# String evals go by the place they stand in: a thousand runs of one are one sub, and what they define is named by it.

use strict;
use warnings;

use FindBin;
use Test::More;

use lib "$FindBin::Bin/lib";
use MProfTest;

my $run = profiled(<<'PERL');
our @kept;
for my $n (1 .. 1000) {
    eval "push \@kept, [$n]; 1" or die $@;
}
for my $n (1 .. 50) {
    eval "sub defined_$n { return $n } 1" or die $@;
}
no strict 'refs';
&{"defined_$_"}() for 1 .. 50;
my @anonymous = map { eval "\n\nsub { return $_ }" } 1 .. 40;
$_->() for @anonymous, @anonymous;
eval q{ eval q{ eval q{ inner() } } } for 1 .. 20;
sub inner { return 1 }
eval "syntax error {" for 1 .. 30;
eval "die 'in an eval'" for 1 .. 60;
eval qq{#line 7 "elsewhere.pl"\nsub moved { return 1 } moved()};
sub holder { return eval '1 + 1' }
holder() for 1 .. 70;
eval 'return 1' for 1 .. 80;
sub marker { return 1 }
marker();
print scalar @kept;
PERL
is($run->{stderr}, '', 'the program runs');
is($run->{stdout}, 1000, 'and keeps what it keeps');

my %calls = (
    '(eval)[prog.pl:3]'  => 1000,
    '(eval)[prog.pl:6]'  => 50,
    'main::defined_1'    => 1,
    'main::defined_50'   => 1,
    'main::__ANON__[(eval)[prog.pl:10]:3]' => 80,
    '(eval)[prog.pl:12]' => 60,
    'main::inner'        => 20,
    '(eval)[prog.pl:14]' => 30,
    '(eval)[prog.pl:15]' => 60,
    '(eval)[prog.pl:16]' => 1,
    'main::moved'        => 1,
    '(eval)[prog.pl:17]' => 70,
    '(eval)[prog.pl:19]' => 80,
);
is($run->of_sub($_)->{calls}, $calls{$_}, "$_: $calls{$_} calls") for sort keys %calls;
my $keeps = $run->of_sub('(eval)[prog.pl:3]')->{self_live_blocks};
cmp_ok($keeps, '>=', 1000, 'what they keep is one figure: the arrays');
cmp_ok($keeps, '<', 1100, 'and not the code of all of them');
is($run->of_sub('main::defined_1')->{file}, '(eval)[prog.pl:6]', 'a sub that an eval defines has its place');
is($run->of_sub('main::moved')->{file}, 'elsewhere.pl', 'a #line is believed');
is($run->of_sub('main::moved')->{line}, 7, 'its number, too');
is($run->parents_of('(eval)[prog.pl:17]'), 'main::holder', 'an eval is below the sub it stands in');
is($run->parents_of('main::marker'), '(main program)', 'no eval that failed is left open');

my @numbered = grep { /\(eval \d/ } keys %{ $run->{subs} }, map { $_->{file} } @{ $run->report('lines')->{lines}{rows} };
is_deeply(\@numbered, [], 'nothing goes by the number of an eval');
cmp_ok(scalar @{ $run->{tree} }, '<', 150, 'the tree does not grow with the number of evals');
cmp_ok(scalar @{ $run->report('lines')->{lines}{rows} }, '<', 150, 'nor does the list of lines');

done_testing;
