# Devel::MProf::API: a program may call the functions always. Without the profiler they do nothing; when it is there, or
# comes later, they are the real ones.

use strict;
use warnings;

use FindBin;
use Test::More;

use lib "$FindBin::Bin/lib";
use MProfTest;

my $functions = 'qw(start stop mark snapshot stats)';

my $run = plain(<<"PERL", switches => ['-w']);
my \@before;
BEGIN { \@before = keys %INC }
use Devel::MProf::API;
print 'loads: ', join(' ', grep { my \$file = \$_; !grep { \$_ eq \$file } \@before } sort keys %INC), "\\n";
for my \$name ($functions) {
    my \$function = \\&{"Devel::MProf::\$name"};
    my \@list = (\$function->(), \$function->('GET /', {}), Devel::MProf->\$name('full'));
    my \$scalar = \$function->();
    print "\$name: ", scalar \@list, ' ', defined \$scalar ? 'defined' : 'undef', "\\n";
}
Devel::MProf::mark('GET /');
Devel::MProf::mark;
print 'profiler: ', exists \$INC{'Devel/MProf.pm'} ? 'there' : 'none', "\\n";
PERL
is($run->{stderr}, '', 'without the profiler: no warnings under -w, nor under strict');
my @lines = split /\n/, $run->{stdout};
is(shift @lines, 'loads: Devel/MProf/API.pm', 'nothing is loaded with it');
is(pop @lines, 'profiler: none', 'nor by calling its functions');
is_deeply(\@lines, [map { "$_: 0 undef" } qw(start stop mark snapshot stats)], 'all return the empty list, or undef');
is_deeply([traces_in($run->{dir})], [], 'and write nothing');

# A function written in C is a real one.
my $real = <<"PERL";
use B;
print join(' ', grep { B::svref_2object(\\&{"Devel::MProf::\$_"})->XSUB } $functions), "\\n";
PERL
my $all = "start stop mark snapshot stats\n";

$run = profiled("use Devel::MProf::API; $real", switches => ['-w']);
is($run->{stdout}, $all, 'under the profiler: the functions stay the real ones');
is($run->{stderr}, '', 'in silence');

for my $switch ('-w', '-W') {
    $run = plain(<<"PERL", switches => [$switch]);
use Devel::MProf::API;
my (\@references, \$kept);
BEGIN { \@references = map { \\&{"Devel::MProf::\$_"} } $functions }
sub starts { Devel::MProf::start(); return }
sub stops  { Devel::MProf::stop(); return }
sub works  { \$kept = [1 .. 100]; return }
BEGIN { Devel::MProf::mark('before'); starts(); stops() }
use Devel::MProf 'start=no';
use Devel::MProf::API;
sub later { works(); return }
later();
starts();
later();
stops();
later();
$real
print join(' ', map { B::svref_2object(\$_)->XSUB ? 'real' : 'empty' } \@references), "\\n";
PERL
    is($run->{stderr}, '', "$switch: the profiler comes later: no sub is called redefined");
    my ($names, $references) = split /^/, $run->{stdout};
    is($names, $all, "$switch: the functions are the real ones");
    is($references, "real real real real real\n", "$switch: references that were taken before, too");
    is_deeply([traces_in($run->{dir})], ['mprof.bin'], "$switch: calls compiled before start it");
    is($run->of_sub('main::later')->{calls}, 1, "$switch: and stop it");
}

# A profiled program that comes with the module is the same program.
$run = same_behaviour('the program answers the same', <<'PERL');
use Devel::MProf::API;
sub work { my ($n) = @_; my @list = map { $_ * $n } 1 .. 10; Devel::MProf::mark('work'); return scalar @list }
my $sum = 0;
$sum += work($_) for 1 .. 20;
Devel::MProf::snapshot();
print "$sum\n";
PERL
is($run->of_sub('main::work')->{calls}, 20, 'with and without');

done_testing;
