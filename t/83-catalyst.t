# A Catalyst application answers the same under the profiler, and the report names the line that leaks.

use strict;
use warnings;

use FindBin;
use Test::More;

use lib "$FindBin::Bin/lib";
use MProfTest;

need_package('libcatalyst-perl',         'Catalyst');
need_package('libcatalyst-view-tt-perl', 'Catalyst::View::TT');
need_package('libplack-perl',            'Plack::Test');

my $app = "$FindBin::Bin/apps/shelf";
my $run = same_behaviour('the application answers the same', undef,
    script => "$app/run.pl", env => { CATALYST_HOME => $app, SHELF_DEBUG => 0 });
is($run->{exit}, 0, 'to the end') or diag($run->{stderr});
my %answers;
$answers{$1}++ while $run->{stdout} =~ /^(\d\d\d) \//mg;
is_deeply(\%answers, { 200 => 60, 302 => 20, 404 => 20, 500 => 20 }, 'as it should');
like($run->{stdout}, qr/<li>5: Book 5/, 'with its templates');
like($run->{stdout}, qr/no such shelf/, 'and its errors');

$run->only_subs('^Shelf|^Catalyst::|^require Catalyst.pm$');
my %calls = (index => 20, book => 40, remember => 40, fails => 20, away => 20, end => 120);
is($run->of_sub("Shelf::Controller::Root::$_")->{calls}, $calls{$_}, "$_: $calls{$_} calls") for sort keys %calls;
is($run->of_sub('Catalyst::handle_request')->{calls}, 120, 'the framework: a call for each request');
is($run->of_sub('require Catalyst.pm')->{calls}, 1, 'and what loading it takes');

my $leak = $run->of_sub('Shelf::Controller::Root::remember');
cmp_ok($leak->{self_live_blocks}, '>=', 40, 'the leak is in the report: its blocks');
cmp_ok($leak->{self_live_bytes}, '>=', 40 * 2000, 'its bytes');
is($leak->{self_net_scalars}, 40, 'its scalars');
my $source = read_file("$app/lib/Shelf/Controller/Root.pm");
my ($before) = $source =~ /\A(.*?)push \@history/s;
my $line = 1 + ($before =~ tr/\n//);
my @lines = grep { $_->{file} =~ m{/Root\.pm\z} && $_->{line} == $line }
    @{ $run->report('lines', '--filter', 'Root\\.pm')->{lines}{rows} };
is(scalar @lines, 1, 'its line');
cmp_ok($lines[0]{self_live_bytes}, '>=', 40 * 2000, 'and what that keeps');

conserves($run);

done_testing;
