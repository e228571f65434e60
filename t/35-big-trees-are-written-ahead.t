# A call tree that is too big to be written at once is written before its snapshots, a part at a time, while it grows and
# changes; every snapshot has all of it, and nothing is counted twice.

use strict;
use warnings;

use FindBin;
use Test::More;

use lib "$FindBin::Bin/lib";
use MProfTest;

# 55³ call paths, each new when it is first taken, and all taken until there have been some snapshots of it.
my $program = <<'PERL';
my @numbers = 0 .. 54;
eval join '', map "sub a$_ { &{ \$b[\$_[0]] } } sub b$_ { &{ \$c[\$_[1]] } } sub c$_ { }\n", @numbers;
our @a = map \&{"a$_"}, @numbers;
our @b = map \&{"b$_"}, @numbers;
our @c = map \&{"c$_"}, @numbers;
my $rounds = 0;
my $end = time + 2;
until (time > $end) {
    for my $i (@numbers) {
        for my $j (@numbers) { $a[$i]->($j, $_) for @numbers }
    }
    $rounds++;
}
print $rounds;
PERL
my $run = profiled($program, options => 'interval=0.1');
is($run->{stderr}, '', 'the program runs');
my $calls = $run->{stdout} * 55 ** 2;
for my $sub (qw(a0 b22 c54)) {
    is($run->of_sub("main::$sub")->{calls}, $calls, "$sub has all its calls");
}
conserves($run);

done_testing;
