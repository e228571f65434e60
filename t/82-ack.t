# Debian's ack finds the same under the profiler, and the report names its real subs.

use strict;
use warnings;

use FindBin;
use Test::More;

use lib "$FindBin::Bin/lib";
use MProfTest;

need_package('ack', '/usr/bin/ack', 'App::Ack');

my %files = map { ("tree/d@{[$_ % 5]}/file$_.pl" => "line one $_\nneedle in $_\nline three\n" x ($_ % 4)) } 1 .. 40;
my $run = same_behaviour('ack finds the same', undef,
    script => '/usr/bin/ack', args => ['--noenv', '--nocolor', '--sort-files', '--with-filename', 'needle', 'tree'], files => \%files);
is($run->{exit}, 0, 'it finds something');
my $found = () = $run->{stdout} =~ /needle/g;
is($found, 60, 'in all files');

cmp_ok($run->of_sub($_)->{calls}, '>', 0, "$_ is in the report") for qw(File::Next::files App::Ack::ConfigLoader::configure_parser);
cmp_ok($run->of_sub('App::Ack::File::new')->{calls}, '>=', 40, 'an object for each of our files');
my $own = grep { /^(?:App::Ack|File::Next|main)::/ } keys %{ $run->subs };
cmp_ok($own, '>=', 20, 'many of them');

conserves($run);

done_testing;
