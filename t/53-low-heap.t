# A perl that is no position-independent executable may have its heap at low addresses; it is profiled as any other.

use strict;
use warnings;

use Config;
use ExtUtils::Embed qw(ccopts ldopts xsinit);
use File::Temp qw(tempdir);
use FindBin;
use POSIX qw(uname);
use Test::More;

use lib "$FindBin::Bin/lib";
use MProfTest;

# Without randomisation the heap follows the program, which begins at 4 MiB.
my @in_place = ('setarch', (uname())[4], '-R');
plan(skip_all => 'no program can be run without randomised addresses (setarch of util-linux does it)')
    if system("@in_place true 2>/dev/null") != 0;

my $dir = tempdir(CLEANUP => 1);
write_file("$dir/main.c", <<'C');
#include <EXTERN.h>
#include <perl.h>
EXTERN_C void xs_init(pTHX);
int main(int argc, char **argv, char **env) {
    PERL_SYS_INIT3(&argc, &argv, &env);
    PerlInterpreter *my_perl = perl_alloc();
    perl_construct(my_perl);
    PL_exit_flags |= PERL_EXIT_DESTRUCT_END;
    int failed = perl_parse(my_perl, xs_init, argc, argv, env);
    if (!failed) perl_run(my_perl);
    failed = perl_destruct(my_perl);
    perl_free(my_perl);
    PERL_SYS_TERM();
    return failed;
}
C
xsinit("$dir/xsinit.c");
my $build = join ' ', $Config{cc}, '-no-pie', ccopts(), "-o $dir/perl $dir/main.c $dir/xsinit.c", ldopts();
$build =~ s/\n/ /g;
my $said = qx($build 2>&1);
plan(skip_all => "no such perl can be built here: $said") if $? || !-x "$dir/perl";

# -d:MProf would be turned into a variable of the environment, which a perl that is embedded does not set.
my $program = <<'PERL';
sub f { return [1] } f() for 1 .. 100;
open my $in, '<', '/proc/self/maps' or die;
print map { /^(\w+)-.*\[heap\]/ ? $1 : () } <$in>;
PERL
write_file("$dir/prog.pl", $program);
my @include = map { "-I$FindBin::Bin/../blib/$_" } qw(lib arch);
my $run = bless {
    %{ MProfTest::run_command([@in_place, "$dir/perl", @include, '-d', 'prog.pl'], $dir,
        env => { PERL5DB => 'BEGIN { require Devel::MProf; Devel::MProf->import }' }) },
    dir => $dir,
}, 'MProfTest';
my $heap = hex($run->{stdout} || 'ffffffff');
plan(skip_all => sprintf 'this perl is so large that its heap begins at %#x', $heap) if $run->{exit} == 0 && $heap >= 8 << 20;
is("$run->{exit} $run->{signal}", '0 0', 'it ends as it should') or diag($run->{stderr});
cmp_ok($heap, '<', 8 << 20, 'its heap is at low addresses');
is($run->of_sub('main::f')->{calls}, 100, 'its calls are in the trace');
conserves($run);

done_testing;
