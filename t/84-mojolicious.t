# A Mojolicious application answers the same under the profiler: closures, promises, timers, websockets.

use strict;
use warnings;

use FindBin;
use Test::More;

use lib "$FindBin::Bin/lib";
use MProfTest;

need_package('libmojolicious-perl', 'Mojolicious');

my $script = "$FindBin::Bin/apps/notes/app.pl";
my $run    = same_behaviour('the application answers the same', undef, script => $script, env => { MOJO_MODE => 'production' });
is($run->{exit}, 0, 'to the end') or diag($run->{stderr});
like($run->{stdout}, qr/^later later later later later\necho: hello$/m, 'promises and a websocket too');
my $dies = () = $run->{stdout} =~ /^500$/mg;
is($dies, 10, 'and errors');

$run->only_subs('^Mojolicious::Lite::|^main::|^Mojo::');
my %line;
my @lines = split /\n/, read_file($script);
for my $number (1 .. @lines) {
    $line{$1} = $number if $lines[ $number - 1 ] =~ m{^(?:helper|get|post|websocket) '?/?(\w+)'? =>};
}
my %calls = (keep_note => 10, note => 10, later => 15, dies => 10, echo => 1);
for my $route (sort keys %calls) {
    my $name = "main::__ANON__[$script:$line{$route}]";
    my ($found) = grep { /^\Qmain::__ANON__[$script:$line{$route}]\E$/ } keys %{ $run->{subs} };
    ok($found, "$route: the report names it by its line") or next;
    cmp_ok($run->of_sub($found)->{calls}, '>=', $calls{$route}, "$route: with at least $calls{$route} calls");
}
is($run->of_sub("main::__ANON__[$script:$line{keep_note}]")->{self_net_scalars}, 10, 'the helper keeps a scalar a call');

conserves($run);

done_testing;
