# To libc, a program of one thread stays one: its allocator and its mutexes need no locks. The profiler's own thread calls
# nothing that would need them, and whatever is asked of all threads is asked of that one, too.

use strict;
use warnings;

use Config;
use DynaLoader;
use ExtUtils::Embed qw(ccopts ldopts xsinit);
use File::Temp qw(tempdir);
use FindBin;
use Test::More;

use lib "$FindBin::Bin/lib";
use MProfTest;

plan(skip_all => 'this libc does not say whether it knows of one thread')
    if !DynaLoader::dl_find_symbol(DynaLoader::dl_load_file('', 0), '__libc_single_threaded');

# one(): does libc believe that there is one thread? Read from memory, where perl has no name for it.
my $one = <<'PERL';
use DynaLoader;
sub one { return unpack 'C', unpack 'P1', pack 'J', DynaLoader::dl_find_symbol(DynaLoader::dl_load_file('', 0), '__libc_single_threaded') }
sub work { push our @kept, [map { "$_ " x 10 } 1 .. 300]; return }
PERL

my %programs = (
    'a program of one thread' => 'work(); print one(), "\n";',
    'a child, and its parent' => 'work(); if (!fork) { work(); print one(), "\n"; exit } wait; work(); print one(), "\n";',
    'a child of a child'      => 'if (!fork) { work(); if (!fork) { work(); print one(), "\n"; exit } wait; exit } wait; print one(), "\n";',
    'after other programs'    => 'system $^X, "-e", "1"; my $said = `echo 7`; work(); print one(), "\n";',
);
same_behaviour($_, "$one$programs{$_}") for sort keys %programs;
is(plain("$one$programs{'a program of one thread'}")->{stdout}, "1\n", 'which is what it is');
same_behaviour('recording begun and ended', "$one sub Devel::MProf::AUTOLOAD { 1 } for (1 .. 3) { Devel::MProf::stop(); work(); Devel::MProf::start(); work() } print one(), qq{\\n};");
SKIP: {
    skip 'a perl without threads', 2 if !$Config{useithreads};
    my $run = same_behaviour('a program with threads', "use threads; $one work(); threads->create(sub { work(); 1 })->join for 1 .. 2; work(); print one(), qq{\\n};");
    is($run->{stdout}, "0\n", 'they are known of');
}
SKIP: {
    skip 'only root can be another user', 3 if $> != 0;
    # The user and group in effect of every thread of the process, ours included.
    my $who = <<'PERL';
sub who {
    my %who;
    for my $status (glob '/proc/self/task/*/status') {
        open my $in, '<', $status or die;
        $who{ join ' ', map { join ' ', split } grep { /^(?:Uid|Gid|Groups):/ } <$in> }++;
    }
    return join ' | ', sort keys %who;
}
PERL
    for my $change ('$) = "65534 65534"; $> = 65534;', '($(, $)) = (65534, 65534); ($<, $>) = (65534, 65534);', 'require POSIX; POSIX::setgid(65534); POSIX::setuid(65534);') {
        same_behaviour($change, "$one $who work(); my \$before = who(); $change print \$before eq who() ? 'the same' : who(), ' ', one(), qq{\\n};");
    }
}

my $dir    = tempdir(CLEANUP => 1);
my $shared = "$Config{cccdlflags} $Config{lddlflags} -pthread";

# What the C compiler makes of that text.
sub compiled {
    my ($name, $flags, $text) = @_;
    write_file("$dir/$name.c", $text);
    is(system("$Config{cc} $Config{ccflags} $flags -o '$dir/$name' '$dir/$name.c' -ldl 2>'$dir/said'"), 0, "$name is made") or BAIL_OUT(read_file("$dir/said"));
    return "$dir/$name";
}

# What the allocator is asked by the profiler's thread, once libc does not know of it, is said on standard error.
my $c = <<'C';
#define _GNU_SOURCE
#include <dlfcn.h>
#include <link.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>
extern char __libc_single_threaded;
extern void *__libc_malloc(size_t), *__libc_calloc(size_t, size_t), *__libc_realloc(void *, size_t), __libc_free(void *);
extern void *__libc_memalign(size_t, size_t);
static void look(const char *what) {
    if (__libc_single_threaded && syscall(SYS_gettid) != getpid()) {
        write(2, what, strlen(what));
        write(2, "\n", 1);
    }
}
void *malloc(size_t bytes) { look("malloc"); return __libc_malloc(bytes); }
void *calloc(size_t count, size_t bytes) { look("calloc"); return __libc_calloc(count, bytes); }
void *realloc(void *block, size_t bytes) { look("realloc"); return __libc_realloc(block, bytes); }
void free(void *block) { if (block) { look("free"); __libc_free(block); } }
void *memalign(size_t alignment, size_t bytes) { look("memalign"); return __libc_memalign(alignment, bytes); }
void *aligned_alloc(size_t alignment, size_t bytes) { look("aligned_alloc"); return __libc_memalign(alignment, bytes); }
int posix_memalign(void **out, size_t alignment, size_t bytes) { *out = memalign(alignment, bytes); return 0; }
int __xpg_strerror_r(int number, char *text, size_t bytes) {
    look("strerror_r");
    return ((int (*)(int, char *, size_t))dlsym(RTLD_NEXT, "__xpg_strerror_r"))(number, text, bytes);
}
int dl_iterate_phdr(int (*each)(struct dl_phdr_info *, size_t, void *), void *with) {
    look("dl_iterate_phdr");
    return ((int (*)(int (*)(struct dl_phdr_info *, size_t, void *), void *))dlsym(RTLD_NEXT, "dl_iterate_phdr"))(each, with);
}
/* Called by the test, to see that it looks. */
static void *as_ours(void *nothing) { __libc_single_threaded = 1; free(malloc(1)); __libc_single_threaded = 0; return nothing; }
int pthread_create(unsigned long *, void *, void *(*)(void *), void *);
int pthread_join(unsigned long, void **);
void prove(void) { unsigned long thread; pthread_create(&thread, NULL, as_ours, NULL); pthread_join(thread, NULL); }
C
my %looks = (env => { LD_PRELOAD => compiled('look.so', $shared, $c) });
like(plain("require DynaLoader; DynaLoader::dl_install_xsub('main::prove', DynaLoader::dl_find_symbol(DynaLoader::dl_load_file('', 0), 'prove')); prove()", %looks)->{stderr},
    qr/\Amalloc\nfree\n/, 'it sees who allocates');

my $waits = 'sub nap { select undef, undef, undef, $_[0] } ';
for my $options ('interval=0.05', 'interval=0.05,calls=1', 'interval=0.05,live=0,ledger=0', 'interval=0.05,full=2,mark=main::work') {
    my $run = profiled("$one$waits for (1 .. 8) { work(); nap(0.05) } Devel::MProf->snapshot; nap(0.3); if (!fork) { work(); nap(0.2); work(); exit } wait; work();",
        options => $options, %looks);
    is("$run->{stderr}$run->{exit}", '0', "$options: the profiler's thread asks libc for nothing");
    my $snapshots = 0;
    $snapshots += $_->{snapshots} for @{ $run->report('info')->{snapshots}{rows} };
    cmp_ok($snapshots, '>', 3, 'though it had things to write');
}
for my $old ("MPROF\x1a\n\0 and no more", 'a trace') {
    # A child's trace is there already: its parent leaves something under that name.
    my $first = profiled("$one work();");
    my $text  = $old eq 'a trace' ? read_file($first->trace) : $old;
    write_file("$dir/old", $text);
    my $run = profiled("$one if (!fork) { system qq{cp '$dir/old' mprof.bin.\$\$}; work(); exit } wait;", %looks);
    is("$run->{stderr}$run->{exit}", '0', 'nor where a trace has its name');
    my ($child) = grep { /^mprof\.bin\.\d+$/ } traces_in($run->{dir});
    isnt(read_file("$run->{dir}/$child"), $text, 'which it replaces');
}
# Errors are told in words that come from nowhere.
my $run = profiled("$one mkdir 'gone'; rename 'mprof.bin', 'gone/mprof.bin'; symlink 'gone/nothing', 'mprof.bin'; if (!fork) { mkdir qq{mprof.bin.\$\$}; work(); exit } wait;", %looks);
like($run->{stderr}, qr/\ADevel::MProf: [^\n]+\n\z/, 'nor where it cannot write');

# Whatever else has to do with threads and whose the process is.
SKIP: {
    skip 'only root can be another user', 6 if $> != 0;
    my $ffi = compiled('ffi.so', $shared, <<'C');
#define _GNU_SOURCE
#include <dlfcn.h>
#include <unistd.h>
void by_address(void) { ((int (*)(uid_t))dlsym(RTLD_DEFAULT, "setuid"))(65534); }
C
    compiled('direct.so', $shared, <<'C');
#include <unistd.h>
void change(void) { if (setuid(65534)) _exit(9); }
C
    # Who says itself where its libraries are calls dlopen past the profiler.
    my $loader = compiled('loader.so', "$shared -Wl,-rpath,$dir", <<'C');
#include <dlfcn.h>
void by_address(void) { ((void (*)(void))dlsym(dlopen("direct.so", RTLD_NOW), "change"))(); }
C
    for my $library ($ffi, $loader) {
        my $run = same_behaviour("a user changed by a function found by its name: $library", <<"PERL");
require DynaLoader;
my \$library = DynaLoader::dl_load_file('$library', 0);
DynaLoader::dl_install_xsub('main::by_address', DynaLoader::dl_find_symbol(\$library, 'by_address'));
by_address();
\$> = 0;
print \$> ? 'not root' : 'root', "\n";
my %who;
for my \$status (glob '/proc/self/task/*/status') { open my \$in, '<', \$status or next; \$who{\$_}++ for grep { /^Uid:/ } <\$in> }
print sort keys %who;
PERL
        like($run->{stdout}, qr/\Anot root\n/, 'for good');
    }
}
{
    my $helped = compiled('helped.so', $shared, <<'C');
#define _GNU_SOURCE
#include <dlfcn.h>
#include <pthread.h>
#include <unistd.h>
typedef int create(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);
static void *helper(void *nothing) { for (;;) pause(); return nothing; }
int pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*start)(void *), void *argument) {
    static create *real;
    if (!real) {
        pthread_t another;
        real = (create *)dlsym(RTLD_NEXT, "pthread_create");
        real(&another, NULL, helper, NULL);
    }
    return real(thread, attributes, start, argument);
}
C
    is(profiled("$one print one();", env => { LD_PRELOAD => $helped })->{stdout}, '0', 'a thread that came with ours is known of');
}
# The writer notes new modules with thread-local variables while a constructor is at work: with the truth.
{
    my @modules = map { compiled("lib_tls_$_.so", $shared, "static __thread int v; int *of_$_(void) { return &v; }") } 1 .. 20;
    my $many = compiled('many.so', "$shared -Wl,--no-as-needed @modules", '#include <time.h>
__attribute__((constructor)) static void nap(void) { struct timespec long_enough = { 0, 300000000 }; nanosleep(&long_enough, 0); }');
    my $run = profiled("$one DynaLoader::dl_load_file('$many', 0) or die; print one();", %looks, options => 'interval=0.05');
    is("$run->{stdout}$run->{stderr}", '0', 'many modules at once');
}
# A fork leaves no room for the allocator of a thread that is not there any more.
my $size = 'sub size { open my $in, "<", "/proc/self/statm" or die; return (split " ", <$in>)[0] * 4 >> 10 } my $before = size();';
my $chain = profiled("$one $size for (1 .. 6) { if (fork) { wait; exit } work() } print size() - \$before < 32 ? 'small' : size() - \$before, qq{\\n};");
is($chain->{stdout}, "small\n", 'children of children are no larger than their parents');
SKIP: {
    chomp(my $ccopts = ccopts());
    chomp(my $ldopts = ldopts(1));
    xsinit("$dir/xsinit.c");
    # An executable that refers to the word has a copy of it.
    my $text = <<'C';
#include <EXTERN.h>
#include <perl.h>
#include <pthread.h>
extern char __libc_single_threaded;
static void *nothing(void *argument) { return argument; }
int main(int argc, char **argv, char **env) {
    PERL_SYS_INIT3(&argc, &argv, &env);
    PerlInterpreter *my_perl = perl_alloc();
    perl_construct(my_perl);
    PL_exit_flags |= PERL_EXIT_DESTRUCT_END;
    if (!perl_parse(my_perl, xs_init, argc, argv, NULL)) perl_run(my_perl);
    pthread_t thread;
    pthread_create(&thread, NULL, nothing, NULL);
    printf("%d\n", __libc_single_threaded);
    pthread_join(thread, NULL);
    perl_destruct(my_perl);
    perl_free(my_perl);
    PERL_SYS_TERM();
    return 0;
}
C
    write_file("$dir/embeds.c", read_file("$dir/xsinit.c") . $text);
    skip 'perl cannot be embedded here', 1 if system("$Config{cc} $ccopts -O2 -o '$dir/embeds' '$dir/embeds.c' $ldopts -pthread 2>'$dir/said'") != 0;
    my $run = MProfTest::run_command(["$dir/embeds", (map { "-I$FindBin::Bin/../blib/$_" } qw(lib arch)), '-d:MProf', '-e', 'push @k, [1 .. 9] for 1 .. 9'], tempdir(CLEANUP => 1));
    is($run->{stdout}, "0\n", 'a copy of the word that an executable has');
}

done_testing;
