# Threads of a C library: what each allocates and frees is counted, apart from the program and from each other.

use strict;
use warnings;

use Config;
use FindBin;
use Test::More;

use lib "$FindBin::Bin/lib";
use MProfTest;

# threads(HOW MANY, BLOCKS): each allocates so many blocks of 1000 bytes, frees half of them, and ends. A sub that may be
# called with no perl.h at hand would not know perl's stack.
my $c = <<'C';
#define PERL_NO_GET_CONTEXT
#include "EXTERN.h"
#include "perl.h"
#include "XSUB.h"
#include <pthread.h>
static void *works(void *blocks) {
    long i;
    for (i = 0; i < (long)blocks; i++) {
        char *volatile block = malloc(1000);
        if (i % 2) free(block);
    }
    return NULL;
}
void run_threads(pTHX_ CV *cv) {
    dXSARGS;
    int i, n = SvIV(ST(0));
    pthread_t all[64];
    PERL_UNUSED_VAR(cv);
    for (i = 0; i < n; i++) pthread_create(&all[i], NULL, works, (void *)(long)SvIV(ST(1)));
    for (i = 0; i < n; i++) pthread_join(all[i], NULL);
    XSRETURN_EMPTY;
}
C

my $program = <<'PERL';
use strict;
use warnings;
require DynaLoader;
my $library = DynaLoader::dl_load_file('./threads.so', 0) or die DynaLoader::dl_error();
DynaLoader::dl_install_xsub('main::threads', DynaLoader::dl_find_symbol($library, 'run_threads'));
my ($rounds, $n, $blocks) = @ARGV;
sub round { threads($n, $blocks); return }
round() for 1 .. $rounds;
print "ran\n";
PERL

my $built = profiled('print "ready\n"', files => { 'threads.c' => $c });
my $cc = "$Config{cc} $Config{ccflags} $Config{cccdlflags} -I$Config{archlibexp}/CORE $Config{lddlflags} -pthread -o threads.so threads.c";
is(system("cd '$built->{dir}' && $cc"), 0, 'the C compiler makes a library') or BAIL_OUT('no C compiler');

sub run_threads {
    my ($rounds, $n, $blocks) = @_;
    return profiled($program, dir => $built->{dir}, args => [$rounds, $n, $blocks]);
}

my $run = run_threads(2, 5, 100);
is("$run->{stdout}$run->{stderr}", "ran\n", 'the program runs');
is($run->of_sub('main::threads')->{calls}, 2, 'its subs are counted');
my %threads = map { $_->{name} =~ /^\(C thread (\d+)\)$/ ? ($1 => $_) : () } $run->tree;
is(scalar keys %threads, 10, 'each thread has a root of its own');
for my $column (['self_allocated_bytes', 100], ['self_live_bytes', 50]) {
    my ($name, $blocks) = @$column;
    my $least = $blocks * usable_bytes_of_c(1000);
    # A block gets up to 16 bytes more where it fits into a hole of malloc's.
    my @wrong = grep { $_ < $least || $_ > $least + 16 * $blocks } map { $_->{$name} } values %threads;
    is("@wrong", '', "$name of each");
}
my %rows = map { ($_->{thread_id} => $_) } @{ $run->report('info')->{threads}{rows} };
is_deeply([sort { $a <=> $b } grep { !$rows{$_}{runs_perl} } keys %rows], [sort { $a <=> $b } keys %threads], 'each has a row, by the kernel\'s number');
is_deeply([map { @{$_}{qw(allocated_blocks freed_blocks)} } grep { !$_->{runs_perl} } values %rows], [(100, 50) x 10], 'with its blocks');
conserves($run);

# More threads than are told apart.
$run = run_threads(40, 50, 10);
is("$run->{stdout}$run->{stderr}", "ran\n", '2000 threads');
my @rows = @{ $run->report('info')->{threads}{rows} };
cmp_ok(scalar @rows, '<=', 260, 'hundreds are told apart, no more');
my %sum;
for my $row (@rows) {
    next if $row->{runs_perl};
    $sum{$_} += $row->{$_} for qw(allocated_blocks freed_blocks);
}
is_deeply(\%sum, { allocated_blocks => 20_000, freed_blocks => 10_000 }, 'nothing of them is lost');
cmp_ok(scalar(grep { $_->{name} =~ /^\(C thread/ } $run->tree), '<=', 260, 'nor more roots');
conserves($run);

done_testing;
