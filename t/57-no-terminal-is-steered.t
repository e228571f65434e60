# Whatever names a program has, no text that mprof-dump prints holds a control character or a broken one of UTF-8.

use strict;
use warnings;

use Encode ();
use FindBin;
use Test::More;

use lib "$FindBin::Bin/lib";
use MProfTest;

need_package('libscalar-list-utils-perl', 'Sub::Util');

# A name for each kind of thing, with an escape sequence, a C1 control, a newline and a byte that is no UTF-8.
my $odd = "\e[2J\x07\x9b31m\xc2\x9b1m\n\r\xff\x7f\x00\x08end";
(my $in_perl = $odd) =~ s/(.)/sprintf '\\x%02x', ord $1/ges;
(my $in_path = $odd) =~ tr/\0//d;
my $program = <<"PERL";
our (\@kept, \%kept);
my \$odd = "$in_perl";
sub request {
    my (\$n) = \@_;
    no strict 'refs';
    *{"P\$odd"} = sub { push \@kept, bless({ "key\$odd" => [\$_[0]] }, "Class\$odd"); return };
    &{"P\$odd"}(\$n);
    \$kept{"\$odd\$n"} = ['x' x 100];
    my \$cycle = bless { "name\$odd" => 'x' }, "Cycle\$odd";
    \$cycle->{"me\$odd"} = \$cycle;
    return;
}
require Sub::Util;
Sub::Util::set_subname("Package\$odd\::sub\$odd", sub { push \@kept, [1] })->() for 1 .. 3;
eval qq{#line 7 "file\$odd"\\nsub in_odd_file { push \\\@kept, 'x' x 200; return } 1};
eval "in_odd_file()";
for my \$n (1 .. 100) { request(\$n); Devel::MProf::mark("label\$odd") }
my \$p = fork;
if (!\$p) { request(1); exit }
waitpid \$p, 0;
PERL
my $dir = plain('1')->{dir};
mkdir "$dir/$in_path" or die "No folder: $!";
my $run = profiled($program, options => "calls=1,file=$in_path/mprof.bin", args => ["argument$in_path"], dir => $dir, script => 'prog.pl', files => { 'prog.pl' => $program });
is("$run->{exit}$run->{stderr}", '0', 'the program runs');
my @traces = map "$dir/$in_path/$_", traces_in("$dir/$in_path");
is(scalar @traces, 2, 'two traces');

my @reports = map [$_], qw(summary subs lines tree files modules timeline leaks classes info calls);
push @reports, ['top', '--once'], ['leaks', '--all'], ['tree', '--min', 0], map(['export', '--format', $_, '-o', '-'], qw(csv folded));
for my $report (@reports) {
    my $said = mprof_dump(@$report, $traces[0]);
    is("$said->{exit}", 0, "@$report: it is printed") or diag($said->{stderr});
    cmp_ok(length $said->{stdout}, '>', 0, "@$report: there is something");
    is(wrong($said->{stdout} . $said->{stderr}), '', "@$report: nothing in it steers a terminal");
}
for my $report ('subs', 'lines', 'leaks', 'classes') {
    my $said = mprof_dump($report, '--json', $traces[0]);
    is(wrong($said->{stdout} . $said->{stderr}), '', "$report --json: nor in it");
}
for my $several (['subs', @traces], ['diff', @traces], ['diff', reverse @traces]) {
    my $said = mprof_dump(@$several);
    is(wrong($said->{stdout} . $said->{stderr}), '', "$several->[0] of two: nor in it");
}

# What is said of a file that cannot be read names it.
write_file("$dir/not$in_path", "no trace\n");
symlink 'nowhere', "$dir/link$in_path";
for my $arguments (["$dir/not$in_path"], ["$dir/nothing$in_path"], ['subs', "$dir/nothing$in_path", $traces[0]], ["report$in_path", $traces[0]], ['subs', '--sort', $in_path, $traces[0]],
    ['subs', '--filter', "($in_path", $traces[0]], ['html', '-o', "$dir/not$in_path", $traces[0]], ["--$in_path"], ['top', "$dir/nothing$in_path"], ['export', '--format', $in_path, $traces[0]]) {
    my $said = mprof_dump(@$arguments);
    cmp_ok(length $said->{stderr}, '>', 0, 'what cannot be done is said');
    is(wrong($said->{stdout} . $said->{stderr}), '', 'in harmless characters');
}

# And what the profiler itself says.
for my $file ("nosuch$in_path/mprof.bin", "link$in_path", "not$in_path") {
    my $run = profiled('print "ran\n"', options => "file=$file", dir => $dir);
    is($run->{stdout}, "ran\n", 'a trace that cannot be written: the program runs');
    like($run->{stderr}, qr/\ADevel::MProf: [^\n]+\n\z/, 'one line');
    is(wrong($run->{stderr}), '', 'of harmless characters');
}
my $bad = profiled('1', options => "interval=$in_path", dir => $dir);
is(wrong($bad->{stderr} =~ s/^BEGIN failed.*//msr), '', 'an option that is wrong: likewise');

done_testing;

# What is wrong with a text: the first few bytes that are.
sub wrong {
    my ($text) = @_;
    my $decoded = eval { Encode::decode('UTF-8', "$text", Encode::FB_CROAK | Encode::LEAVE_SRC) };
    return 'it is no UTF-8' if !defined $decoded;
    return $decoded =~ /(.{0,20}[\x00-\x09\x0b-\x1f\x7f-\x9f\x{202a}-\x{202e}\x{2066}-\x{2069}].{0,20})/ ? join ' ', map sprintf('%02x', ord), split //, $1 : '';
}
