# A program that only seems to leak is left in peace: repaired twins, caches that fill, modules that are loaded late.

use strict;
use warnings;

use FindBin;
use Test::More;

use lib "$FindBin::Bin/../lib";
use MProfTest;

for my $program (grep { !@{ $_->{places} } } leak_programs(qr/./)) {
    my $name = $program->{name};
    my $run  = profiled(undef, script => $program->{path}, mprof => $program->{mark} && "mark=$program->{mark}");
    is($run->{stderr}, '', "$name: runs");
    is_deeply([map { "$_->{place}: $_->{scalars_per_mark} scalars, $_->{bytes_per_mark} bytes" } $run->leaks],
        [], "$name: no leak is listed");
    is(mprof_dump('leaks', '--fail-over', 1, $run->trace)->{exit}, 0, "$name: and none fails a build");
}

# The same option does fail one that leaks.
my ($leaking) = leak_programs(qr/\Aqueue-never-shifted\z/);
my $run = profiled(undef, script => $leaking->{path}, mprof => "mark=$leaking->{mark}");
is(mprof_dump('leaks', '--fail-over', 1, $run->trace)->{exit}, 3, 'a program that leaks fails the build');
is(mprof_dump('leaks', '--fail-over', 1e6, $run->trace)->{exit}, 0, 'unless so much is allowed');

done_testing;
