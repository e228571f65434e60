# `goto &sub` replaces the sub that runs: the new one is a call of the old one's caller, and is counted once.

use strict;
use warnings;

use FindBin;
use Test::More;

use lib "$FindBin::Bin/lib";
use MProfTest;

my $run = profiled(<<'PERL');
sub outer { return first(@_) }
sub first { goto &second }
sub second { push our @kept, [@_]; return third() }
sub third { return 1 }
outer($_) for 1 .. 10;
sub to_xsub { goto &utf8::is_utf8 }
to_xsub('x') for 1 .. 20;
sub AUTOLOAD { our $AUTOLOAD =~ /DESTROY/ and return; goto &third }
not_there() for 1 .. 30;
sub by_reference { my $code = shift; goto $code }
by_reference(\&third) for 1 .. 40;
sub long { my $n = shift; @_ = ($n - 1); goto &{ $n ? \&long : \&third } }
long(500);
sub marker { return 1 }
marker();
print "end\n";
PERL
is($run->{stdout}, "end\n", 'the program runs') or diag($run->{stderr});

my %calls = (outer => 10, first => 10, second => 10, third => 10 + 30 + 40 + 1, to_xsub => 20, AUTOLOAD => 30,
    by_reference => 40, long => 501);
is($run->of_sub("main::$_")->{calls}, $calls{$_}, "$_: $calls{$_} calls") for sort keys %calls;
is($run->of_sub('utf8::is_utf8')->{calls}, 20, 'an XSUB too');
is($run->parents_of('main::first'), 'main::outer', 'the sub that goes away was called by outer');
is($run->parents_of('main::second'), 'main::outer', 'and so is the one that takes its place');
is($run->parents_of('main::third'), '(main program) main::second', 'what that one calls is below it');
is($run->parents_of('main::marker'), '(main program)', 'in the end all are over');
cmp_ok($run->of_sub('main::second')->{self_net_scalars}, '>=', 30, 'it has its own scalars');
cmp_ok($run->of_sub('main::first')->{self_net_scalars}, '<', 10, 'and not the one it replaced');

# A program that has perl call DB::sub, which it finds to be ours.
$run = profiled(<<'PERL');
BEGIN { $^P |= 0x41 }
sub second { my @own = map { [$_] } 1 .. 50; return scalar @own }
sub first { goto &second }
sub outer { first(1); third(1); return }
sub third { return 1 }
outer() for 1 .. 5;
print "end\n";
PERL
is($run->{stdout}, "end\n", 'the program runs with $^P') or diag($run->{stderr});
is($run->of_sub("main::$_")->{calls}, 5, "with \$^P: $_: 5 calls") for qw(outer first second third);
is($run->parents_of('main::second'), 'main::outer', 'with $^P: one sub takes the place of another');

done_testing;
