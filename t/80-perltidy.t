# Debian's perltidy writes the same under the profiler, and the report names its real subs.

use strict;
use warnings;

use FindBin;
use Test::More;

use lib "$FindBin::Bin/lib";
use MProfTest;

need_package('perltidy', '/usr/bin/perltidy', 'Perl::Tidy');

my $source = read_file("$FindBin::Bin/lib/MProfTest.pm");
my $run    = same_behaviour('perltidy writes the same', undef,
    script => '/usr/bin/perltidy', args => ['-npro', '-st', '-l=60', 'in.pl'], files => { 'in.pl' => $source });
cmp_ok(length $run->{stdout}, '>', length($source) / 2, 'and it writes something');
isnt($run->{stdout}, $source, 'and something else than it read');

$run->only_subs('^Perl::Tidy|^require Perl/Tidy.pm$');
for my $sub ('Perl::Tidy::perltidy', 'Perl::Tidy::Tokenizer::get_line', 'Perl::Tidy::Formatter::write_line', 'require Perl/Tidy.pm') {
    cmp_ok($run->of_sub($sub)->{calls}, '>=', 1, "$sub is in the report");
}
my $lines = () = $source =~ /\n/g;
is($run->of_sub('Perl::Tidy::Formatter::write_line')->{calls}, $lines, 'a sub that is called for each line is called that often');
is($run->of_sub('Perl::Tidy::perltidy')->{calls}, 1, 'and the main one once');

conserves($run);
my $page = mprof_dump($run->trace)->{stdout};
like($page, qr{require Perl/Tidy/Formatter\.pm\n}, 'the first page names the files it loads, which take most');

done_testing;
