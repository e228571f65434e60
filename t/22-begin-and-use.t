# What is loaded has a place in the call tree: BEGIN blocks, `use`, require and do, each with what it cost.

use strict;
use warnings;

use FindBin;
use Test::More;

use lib "$FindBin::Bin/lib";
use MProfTest;

my %files = (
    'Outer.pm'       => "package Outer;\nuse Inner::Module;\nour \$data = 'd' x 50_000;\nsub import { return }\n1;\n",
    'Inner/Module.pm' => "package Inner::Module;\nour \@kept = map { [\$_] } 1 .. 300;\nsub import { return }\n1;\n",
    'lazy.pl'        => "our \$lazy = 1;\n1;\n",
    'Broken.pm'      => "package Broken;\nsub start_of { return 1 }\nthis is no perl {;\n",
    'False.pm'       => "package False;\n0;\n",
);

my $run = profiled(<<'PERL', files => \%files);
use Outer;
BEGIN { our @at_compile_time = map { "$_" } 1 .. 250 }
require Inner::Module for 1 .. 10;
require Outer;
do './lazy.pl' for 1 .. 3;
eval { require Broken };
eval { require False };
eval 'use Not::There; 1';
my $name = 'Inner/Module.pm'; require $name;
require 5.006;
UNITCHECK { our $unitcheck = 'u' x 5 } CHECK { our $check = 'c' x 5 } INIT { our $init = 'i' x 5 } END { our $end = 'e' x 5 }
sub marker { return 1 }
marker();
print "done\n";
PERL
is($run->{stderr}, '', 'the program runs');
is($run->{stdout}, "done\n", 'to its end');

my %calls = (
    'require Outer.pm'        => 1,
    'require Inner/Module.pm' => 1,
    'require ./lazy.pl'       => 3,
    'require Broken.pm'       => 1,
    'require False.pm'        => 1,
    'Outer::import'           => 1,
    'Inner::Module::import'   => 1,
    'main::BEGIN@1'           => 2,    # of the program, and of the string eval
    'main::BEGIN@2'           => 1,
    'main::INIT'              => 1,
    'main::CHECK'             => 1,
    'main::UNITCHECK'         => 1,
    'main::END'               => 1,
);
is($run->of_sub($_)->{calls}, $calls{$_}, "$_: $calls{$_} calls") for sort keys %calls;

is($run->parents_of('require Not/There.pm'), 'main::BEGIN@1', 'what is not there was asked for');
is($run->parents_of('require Outer.pm'), 'main::BEGIN@1', 'what `use` loads is below its BEGIN');
is($run->parents_of('Outer::import'), 'main::BEGIN@1', 'and so is import');
is($run->parents_of('require Inner/Module.pm'), 'Outer::BEGIN@2', 'a module that a module uses is below it');
is($run->parents_of('main::marker'), '(main program)', 'no file that failed to load is left open');

cmp_ok($run->of_sub('require Inner/Module.pm')->{self_net_scalars}, '>=', 600, 'a file has the scalars it keeps');
cmp_ok($run->of_sub('require Outer.pm')->{self_live_bytes}, '>=', 50_000, 'and the bytes');
cmp_ok($run->of_sub('require Outer.pm')->{inclusive_net_scalars}, '>=', 600, 'with what it loads');
cmp_ok($run->of_sub('main::BEGIN@2')->{self_net_scalars}, '>=', 250, 'a BEGIN block has its own');

my ($module) = grep { $_->{module} eq 'Outer' } @{ $run->report('modules')->{modules}{rows} };
cmp_ok($module->{load_allocated_bytes}, '>=', 50_000, 'the modules report has what loading cost');

# perl folds constants while it compiles, each time with a statement that is nowhere else.
my %folding = ('First.pm' => qq{package First;\nmy \$x = "a" x 100_000;\n1;\n}, 'Second.pm' => qq{package Second;\n\n\nmy \$x = "a" x 700_000;\n1;\n});
my $folded = profiled("use First;\nuse Second;\n", files => \%folding);
my @lines = map { $folded->lines_of("$folded->{dir}/$_") } sort keys %folding;
cmp_ok($lines[0]{2}{self_allocated_bytes}, '>=', 100_000, 'a folded constant is its own line\'s');
cmp_ok($lines[0]{2}{self_allocated_bytes}, '<', 700_000, 'and no other');
cmp_ok($lines[1]{4}{self_allocated_bytes}, '>=', 700_000, 'in each file');

done_testing;
