# A sub that happens to empty one of perl's pools of scalar heads or bodies is not charged with the pool's next arena.

use strict;
use warnings;

use FindBin;
use Test::More;

use lib "$FindBin::Bin/lib";
use MProfTest;

# What is pushed, and how many blocks of its own each takes. The array's slots are there beforehand.
my @kinds = (
    ['integers',   '$i',                       0],
    ['numbers',    '$i + 0.5',                 0],
    ['strings',    "'abcdefghij' x 40",        1],
    ['references', '\\$i',                     0],
    ['arrays',     '[1, 2, 3]',                1],
    ['hashes',     '{}',                       0],
    ['closures',   'do { my $j = $i; sub { $j } }', undef],
);

my $n       = 2000;
my $program = join '', map {
    my ($name, $value) = @$_;
    "my \@$name; \$#$name = $n - 1;\nsub $name { my (\$i) = \@_; \$$name\[\$i] = $value; return }\n"
        . "$name(\$_) for 0 .. $n - 1;\n";
} @kinds;
my $run = profiled($program);
is($run->{stderr}, '', 'the program runs');

for my $kind (@kinds) {
    my ($name, undef, $blocks) = @$kind;
    my $row = $run->of_sub("main::$name");
    is($row->{calls}, $n, "$name: called");
    if (!defined $blocks) {
        cmp_ok($row->{self_live_blocks} % $n, '<=', 2, "$name: as many blocks by each call");
        next;
    }
    # @_ and the like take a block or two at the first call, whatever is kept.
    cmp_ok($row->{self_live_blocks} - $n * $blocks, '<=', 2, "$name: no blocks but its own");
}
my $pools = $run->of_sub("(perl's scalar and body pools)");
cmp_ok($pools->{self_live_bytes}, '>', 7 * 24 * $n, 'the pools have the heads, at least');

done_testing;
