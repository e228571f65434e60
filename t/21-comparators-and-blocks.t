# A sub that C code runs over and over counts each run: sort comparators, List::Util's blocks.

use strict;
use warnings;

use FindBin;
use Test::More;

use lib "$FindBin::Bin/lib";
use MProfTest;

need_package('libscalar-list-utils-perl', 'List::Util 1.33');

my $run = profiled(<<'PERL');
use strict;
use warnings;
use List::Util qw(first any reduce sum pairmap);
my %runs;
my @list = map { $_ * 7919 % 211 } 1 .. 200;
sub named     { $runs{named}++; return $a <=> $b }
sub prototyped ($$) { $runs{prototyped}++; my ($x, $y) = @_; return $x <=> $y }
sub Other::comparator { $runs{other}++; return $Other::a <=> $Other::b }
sub dying { $runs{dying}++; die "enough" if $runs{dying} > 5; return 0 }
sub nested { $runs{nested}++; my @x = sort named 3, 2, 1; return $a <=> $b }
sub keeping { $runs{keeping}++; push our @kept, [1 .. 3]; return $a <=> $b }
my $anonymous = sub { $runs{anonymous}++; return $b <=> $a };
my @sorted = sort named @list;
@sorted = sort prototyped @list;
{ package Other; @sorted = sort comparator @list; }
@sorted = sort $anonymous @list;
eval { @sorted = sort dying @list };
@sorted = sort nested @list[0 .. 9];
@sorted = sort keeping @list;
@sorted = reverse sort named @list;
my $found = first { $runs{first}++; $_ == $list[99] } @list;
my $any = any { $runs{any}++; $_ < 0 } @list;
my $reduced = reduce { $runs{reduce}++; $a + $b } @list;
my @pairs = pairmap { $runs{pairmap}++; $a } @list;
sub helper { return $_[0] } 
my $helped = first { $runs{helped}++; helper($_) == $list[49] } @list;
eval { first { $runs{dies}++; die if $runs{dies} == 3; 0 } @list };
sub after { return 1 }
after();
print join ' ', map { "$_=$runs{$_}" } sort keys %runs;
PERL
is($run->{stderr}, '', 'the program runs');

my %runs  = map { split /=/ } split / /, $run->{stdout};
my @lines = split /\n/, MProfTest::read_file("$run->{dir}/prog.pl");
my %name  = map { ($_ => "main::$_") } qw(named prototyped dying nested keeping);
$name{other} = 'Other::comparator';
for my $anonymous (qw(anonymous first any reduce pairmap helped dies)) {
    my ($line) = grep { $lines[$_ - 1] =~ /runs\{$anonymous\}/ } 1 .. @lines;
    $name{$anonymous} = "main::__ANON__[prog.pl:$line]";
}
for my $kind (sort keys %runs) {
    cmp_ok($runs{$kind}, '>', 1, "$kind: the program counts");
    is($run->of_sub($name{$kind})->{calls}, $runs{$kind}, "$kind: as many calls as the program counted");
}
is($run->parents_of('main::helper'), $name{helped}, 'what a block calls is below it');
is($run->of_sub('main::helper')->{calls}, $runs{helped}, 'and is counted');
is($run->of_sub('List::Util::first')->{calls}, 3, 'the XSUBs themselves are called once each');
is($run->parents_of($name{first}), 'List::Util::first', 'a block is below what runs it');
is($run->of_sub('main::keeping')->{self_net_scalars}, 5 * $runs{keeping} + 1,
    'a comparator that keeps scalars is charged: a reference, an array and three numbers, and a value of %runs');
is($run->parents_of('main::after'), '(main program)', 'afterwards no call is left open');

done_testing;
