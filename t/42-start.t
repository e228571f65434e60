# start=begin|init|no says when recording starts; Devel::MProf::start, stop and snapshot steer it from the program.

use strict;
use warnings;

use FindBin;
use Test::More;

use lib "$FindBin::Bin/lib";
use MProfTest;

my %files = ('Loaded.pm' => "package Loaded;\nour \@kept = (1 .. 1000);\nsub import { return }\nsub work { return 1 }\n1;\n");
my $program = <<'PERL';
use Loaded;
BEGIN { sub early { return 1 } early() for 1 .. 5 }
INIT { early() for 1 .. 2 }
sub late { return 1 }
late() for 1 .. 3;
Loaded::work() for 1 .. 4;
print "ran\n";
PERL

my $run = profiled($program, files => \%files, options => 'start=begin');
is($run->of_sub('main::early')->{calls}, 7, 'begin: calls while the program is compiled');
is($run->of_sub('require Loaded.pm')->{calls}, 1, 'begin: files that are loaded');
is($run->of_sub('main::late')->{calls}, 3, 'begin: calls while it runs');

$run = profiled($program, files => \%files, options => 'start=init');
is($run->{stdout}, "ran\n", 'init: the program runs');
is_deeply([grep { /BEGIN|import|^require/ } keys %{ $run->subs }], [], 'init: nothing from compile time');
cmp_ok($run->of_sub('main::early')->{calls}, '<=', 2, 'init: no calls from BEGIN');
is($run->of_sub('main::late')->{calls}, 3, 'init: calls while it runs');
is($run->of_sub('Loaded::work')->{calls}, 4, 'init: of a module, too');

$run = profiled($program, files => \%files, options => 'start=no');
is($run->{stdout}, "ran\n", 'no: the program runs');
is($run->{stderr}, '', 'no: in silence');
is_deeply([traces_in($run->{dir})], [], 'no: and leaves no trace');

$run = profiled(<<'PERL', options => 'start=no');
our (@before, @during, @between, @again);
sub f { return $_[0] }
sub keep { my ($list) = @_; push @$list, [1]; return }
f() for 1 .. 10;
keep(\@before) for 1 .. 10;
Devel::MProf::start();
f() for 1 .. 3;
keep(\@during) for 1 .. 20;
Devel::MProf::stop();
f() for 1 .. 100;
keep(\@between) for 1 .. 300;
Devel::MProf::start();
f() for 1 .. 4;
keep(\@again) for 1 .. 5;
Devel::MProf::stop();
f() for 1 .. 50;
print "ran\n";
PERL
is($run->{stdout}, "ran\n", 'start and stop: the program runs') or diag($run->{stderr});
is($run->of_sub('main::f')->{calls}, 7, 'calls between start and stop only');
is($run->of_sub('main::keep')->{calls}, 25, 'of each sub');
is($run->of_sub('main::keep')->{self_net_scalars}, 75, 'scalars of that time: a reference, an array and a number each');
is($run->parents_of('main::f'), '(main program)', 'all are at the top');

$run = profiled(<<'PERL', options => 'start=no');
sub inside { Devel::MProf::start(); f(); return }
sub f { return }
sub stops { Devel::MProf::stop(); return }
inside(); f(); f();
stops(); f();
Devel::MProf::start();
f();
print "ran\n";
PERL
is($run->{stdout}, "ran\n", 'in the midst of calls: the program runs') or diag($run->{stderr});
is($run->of_sub('main::f')->{calls}, 4, 'calls of that time');
is($run->of_sub('main::stops')->{calls}, 1, 'the sub that stopped is in it');

$run = profiled('sub f { push our @kept, 1 } f() for 1 .. 3; Devel::MProf::snapshot(); print "$$\n"; $| = 1; kill KILL => $$');
is($run->{signal}, 9, 'a program that is killed after a snapshot');
is($run->of_sub('main::f')->{calls}, 3, 'has what was before it in the trace');
# On a machine that is busy the clock may have had some taken before.
my %snapshots = map { ($_->{cause} => $_->{snapshots}) } grep { $_->{cause} ne 'interval' } snapshots($run);
is_deeply(\%snapshots, { request => 1 }, 'and the one that was asked for');

for my $call (qw(start stop snapshot)) {
    $run = profiled("Devel::MProf::$call() for 1 .. 3; Devel::MProf->$call; print qq(ran\\n)");
    is("$run->{stdout}$run->{stderr}", "ran\n", "$call: harmless many times, and as a method");
    is($run->counters->{allocated_bytes} > 0, 1, "$call: the trace can be read");
}
is_deeply([plain('print defined &Devel::MProf::start ? 1 : 0')->{stdout}], [0], 'unprofiled there is none of it');

done_testing;

sub snapshots {
    my ($run) = @_;
    my $info = $run->report('info');
    return @{ ($info->{snapshots} || {})->{rows} || [] };
}
