# The call tree grows no deeper than depth=N; calls below are counted, belong to the node at the cap, and lose nothing.

use strict;
use warnings;

use FindBin;
use Test::More;

use lib "$FindBin::Bin/lib";
use MProfTest;

# f1 calls f2 calls f3 … calls f30, which keeps.
my $subs = join '', map { "sub f$_ { push our \@kept, $_; return f@{[$_ + 1]}() }\n" } 1 .. 29;
my $program = "${subs}sub f30 { push our \@kept, 30; return 1 }\nf1() for 1 .. 7;\nsub marker { return 1 }\nmarker();\nprint 'end';\n";

my $deepest = sub { my ($run) = @_; my ($most) = sort { $b <=> $a } map { $_->{depth} } $run->tree; return $most };

my $run = profiled($program);
is($run->counters->{depth_capped_calls}, 0, 'without it 30 levels are no trouble');
is($deepest->($run), 30, 'each has its own');
is($run->of_sub('main::f30')->{calls}, 7, 'and its calls');
my $all = $run->counters;

for my $depth (1, 5, 29) {
    $run = profiled($program, options => "depth=$depth");
    is($run->{stdout}, 'end', "depth=$depth: the program runs");
    is($deepest->($run), $depth, "depth=$depth: the tree goes to there");
    is($run->counters->{depth_capped_calls}, 7 * (30 - $depth), "depth=$depth: every call below is counted");
    is($run->of_sub('main::f' . ($depth + 1))->{missing}, 1, "depth=$depth: the first below the cap is not in it");
    cmp_ok($run->of_sub("main::f$depth")->{self_net_scalars}, '>=', 7 * (30 - $depth + 1),
        "depth=$depth: the last has what is kept below");
    is($run->parents_of('main::marker'), '(main program)', "depth=$depth: all are closed");
    is($run->counters->{scalars_born}, $all->{scalars_born}, "depth=$depth: no scalar is lost");
    like(mprof_dump('info', $run->trace)->{stdout}, qr/@{[7 * (30 - $depth)]}/, "depth=$depth: the report says how many");
}

done_testing;
