# Every allocation knows its line: those of the program as it runs, and those of the code as it is compiled.

use strict;
use warnings;

use FindBin;
use Test::More;

use lib "$FindBin::Bin/lib";
use MProfTest;

# Each line that keeps says how many bytes.
my $program = <<'PERL';
our @kept;
sub string { my ($bytes) = @_; my $s; vec($s, $bytes - 1, 8) = 1; return \$s }
sub spread {
    push @kept, string(100_000);
    push @kept,
        string(200_000),
        string(300_000);
    my $unused = 1;
    vec($kept[10], 399_999, 8) = 1;
    if ($_[0]) {
        vec($kept[11], 499_999, 8) = 1;
    }
    else {
        vec($kept[12], 599_999, 8) = 1;
    }
    for my $n (13 .. 15) {
        vec($kept[$n], 699_999, 8) = 1;
    }
    return;
}
spread(1);
vec($kept[20], 799_999, 8) = 1;
eval "\n\nvec(\$kept[21], 899_999, 8) = 1;";
#line 500 "renamed.pl"
vec($kept[22], 999_999, 8) = 1;
PERL
my $run = profiled($program);
is("$run->{stderr}$run->{exit}", '0', 'the program runs');

my $lines = $run->lines_of('prog.pl');
kept(2,  600_000, 'a line of a sub, called from three');
kept(9,  400_000, 'a line');
kept(10, 500_000, 'a branch of one statement has no line of its own in perl: that of its condition, as in a warning');
kept(14, 0,       'a line of one that was not');
kept(17, 2_100_000, 'a line of a loop');
kept(22, 800_000, 'a line of the main program');
kept(8,  0,       'a line that allocates nothing');
is($lines->{2}{sub}, 'main::string', 'a line knows its sub');
is($lines->{22}{sub}, '(main program)', 'or the main program');
cmp_ok($lines->{4}{inclusive_allocated_bytes}, '>=', 100_000, 'a line that calls has what it calls in its inclusive figure');
cmp_ok($lines->{4}{self_live_bytes}, '<', 10_000, 'and not in its own');

my %other = map { ("$_->{file}:$_->{line}" => $_) } @{ $run->report('lines')->{lines}{rows} };
cmp_ok($other{'(eval)[prog.pl:23]:3'}{self_live_bytes}, '>=', 900_000, 'a line of a string eval');
cmp_ok($other{'renamed.pl:500'}{self_live_bytes}, '>=', 1_000_000, '#line is believed');

# Compile time: a literal, a constant that is folded, a sub's code, a module.
my $literal = 'l' x 150_000;
my $many    = join ";\n", map { "\$main::variable_$_ = $_" } 1 .. 300;
$run = profiled(<<"PERL", files => { 'Big.pm' => "package Big;\nsub f {\n$many\n}\n1;\n", 'Data.pm' => "package Data;\n\nour \$x = '$literal';\n1;\n" });
use strict; use warnings;
my \$x = '$literal';
use Big;
use Data;
my \$folded = 'z' x 120_000;
print "ran\\n";
PERL
is($run->{stdout}, "ran\n", 'a program with much to compile');
$lines = $run->lines_of('prog.pl');
cmp_ok($lines->{2}{self_allocated_bytes}, '>=', 150_000, 'a literal is allocated in its line');
cmp_ok($lines->{5}{self_allocated_bytes}, '>=', 120_000, 'a constant that perl folds in its');
cmp_ok($lines->{3}{inclusive_allocated_bytes}, '>', 300 * 100, 'the line of a `use` has what it loads in its inclusive figure');
cmp_ok($lines->{4}{inclusive_allocated_bytes}, '>=', 150_000, 'of every one');
my $data = $run->lines_of("$run->{dir}/Data.pm");
cmp_ok($data->{3}{self_allocated_bytes}, '>=', 150_000, 'and so has the line of the module');
my $big = $run->lines_of("$run->{dir}/Big.pm");
my $compiled = grep { ($big->{$_} || {})->{self_live_bytes} } 3 .. 302;
cmp_ok($compiled, '>=', 100, 'most lines of a big sub have what their code takes');

done_testing;

# What a line keeps; what is beside the strings in it is little.
sub kept {
    my ($line, $bytes, $name) = @_;
    my $live = ($lines->{$line} || {})->{self_live_bytes} || 0;
    cmp_ok($live, '>=', $bytes, $name) && cmp_ok($live - $bytes, '<', 12_000, "$name, and no more");
    return;
}
