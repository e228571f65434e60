# What `make install` puts into an empty folder is enough: a script is profiled, and its trace read, from there.

use strict;
use warnings;

use Config;
use Cwd qw(realpath);
use File::Temp qw(tempdir);
use FindBin;
use Test::More;

my $root = realpath("$FindBin::Bin/..");
plan skip_all => 'not built yet: run make first'
    if grep { !-e "$root/$_" } qw(Makefile blib/script/mprof-dump blib/arch/auto/Devel/MProf/MProf.so);

# Nothing of the folder we came from, nor of the make that may have started us, may help.
delete @ENV{qw(PERL5OPT PERL5DB PERL_MM_OPT PERL_MM_FALLBACK_SILENCE_WARNING MPROF MAKEFLAGS MFLAGS MAKELEVEL DESTDIR)};
delete $ENV{PERL5LIB};

my $copy    = tempdir(CLEANUP => 1);
my $prefix  = tempdir(CLEANUP => 1) . '/prefix';
my $away    = tempdir(CLEANUP => 1);
my $library = "$prefix/lib/perl5";

copy_the_build();
chdir $copy or die "Cannot enter $copy: $!";
run_ok('Makefile.PL takes INSTALL_BASE', $^X, 'Makefile.PL', "INSTALL_BASE=$prefix");

# cargo is out of reach: what is installed is what was built. It fails when the build is older than the sources.
run_ok('make install', $Config{make} || 'make', 'CARGO=false', 'install');

my $object = "$library/$Config{archname}/auto/Devel/MProf/MProf.so";
my $module = "$library/$Config{archname}/Devel/MProf.pm";
my $reader = "$prefix/bin/mprof-dump";
ok(-f $module, 'the module is installed') or diag($module);
ok(-f $object, 'the shared object is installed') or diag($object);
ok(-x $reader, 'mprof-dump is installed as a program');
is(content($reader), content("$root/target/release/mprof-dump"), 'and unchanged: nobody fixed its first line');
SKIP: {
    skip 'this perl installs no manual pages', 1 if !$Config{installman3dir};
    ok(-s "$prefix/man/man3/Devel::MProf.$Config{man3ext}", 'the manual page is installed');
}

SKIP: {
    my @symbols = `nm -D --defined-only '$object' 2>/dev/null`;
    skip 'there is no nm', 1 if $? != 0;
    is_deeply([map { /(\S+)$/ } @symbols], ['boot_Devel__MProf'], 'the shared object shows perl one name only');
}

chdir $away or die "Cannot enter $away: $!";
write_file('keeper.pl', <<'PERL');
use strict;
use warnings;
my @kept;
sub keeper { push @kept, 'x' x 100_000 for 1 .. 50; return scalar @kept }
print keeper(), " kept\n";
PERL

$ENV{PERL5LIB} = $library;
my $said = run_ok('a script runs under -d:MProf', $^X, '-d:MProf', 'keeper.pl');
is($said, "50 kept\n", 'and prints what it prints');
ok(-s 'mprof.bin', 'and leaves a trace');
like(run_ok('mprof-dump reads the trace', $reader, 'mprof.bin'), qr/main::keeper/, 'and names the sub');

chdir '/' or die "Cannot leave $away: $!";    # so that the folders can be removed
done_testing;

sub copy_the_build {
    mkdir "$copy/$_" or die "Cannot make $copy/$_: $!" for qw(target target/release);
    my @sources = grep { -e "$root/$_" } qw(
        Makefile.PL Cargo.toml Cargo.lock .cargo build.rs cbindgen.toml typemap inc lib src xs blib
    );
    run_ok('copy the build', 'cp', '-a', (map { "$root/$_" } @sources), $copy);
    run_ok('copy its outputs', 'cp', '-a', (map { "$root/target/release/$_" } qw(libmprof.a mprof-dump)),
        "$copy/target/release");
    return;
}

# Runs a command, passes when it succeeds, and returns what it printed.
sub run_ok {
    my ($name, @command) = @_;
    my $pid = open my $out, '-|';
    die "Cannot fork: $!" if !defined $pid;
    if (!$pid) {
        open STDERR, '>&', \*STDOUT or die "Cannot redirect: $!";
        exec { $command[0] } @command or die "Cannot run $command[0]: $!";
    }
    my $printed = do { local $/; <$out> };
    $printed = '' if !defined $printed;
    ok(close($out), $name) or diag("@command\n$printed");
    return $printed;
}

sub content {
    my ($file) = @_;
    open my $in, '<:raw', $file or return "cannot read $file: $!";
    local $/;
    return unpack '%32C*', <$in>;
}

sub write_file {
    my ($file, $text) = @_;
    open my $out, '>', $file or die "Cannot write $file: $!";
    print {$out} $text;
    close $out or die "Cannot write $file: $!";
    return;
}
