# Debian's perlcritic says the same under the profiler, and the report names its real subs.

use strict;
use warnings;

use FindBin;
use Test::More;

use lib "$FindBin::Bin/lib";
use MProfTest;

need_package('libperl-critic-perl', '/usr/bin/perlcritic', 'Perl::Critic');

my $source = join '', map { "package P$_;\nsub f { my \$x = shift; return \$x ? \"a\$x\" : undef }\nopen FH, \"<\$0\";\n" } 1 .. 5;
my $run    = same_behaviour('perlcritic says the same', undef,
    script => '/usr/bin/perlcritic', args => ['--noprofile', '--brutal', 'in.pl'], files => { 'in.pl' => $source });
is($run->{exit}, 2, 'it finds something to say');
like($run->{stdout}, qr/Bareword file handle/, 'and says it');

$run->only_subs('^Perl::Critic::Policy::.*::violates$|^Perl::Critic::critique$|^PPI::(Document|Tokenizer)::');
my $policies = grep { /::violates$/ } keys %{ $run->{subs} };
cmp_ok($policies, '>=', 30, 'the report names what each policy does');
is($run->of_sub('Perl::Critic::critique')->{calls}, 1, 'the main sub is called once');
cmp_ok($run->of_sub('PPI::Document::new')->{calls}, '>=', 1, 'PPI is called');
cmp_ok($run->of_sub('PPI::Tokenizer::_process_next_line')->{calls}, '>=', 15, 'for each line');

conserves($run);

done_testing;
