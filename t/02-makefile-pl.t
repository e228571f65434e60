# Makefile.PL says in one sentence what a machine lacks and which Debian package has it, and writes nothing.

use strict;
use warnings;

use Config;
use Cwd qw(realpath);
use File::Copy qw(copy);
use File::Path qw(mkpath);
use File::Temp qw(tempdir);
use FindBin;
use Test::More;

use lib "$FindBin::Bin/../inc";
use MProf::Prerequisites;

my $root = realpath("$FindBin::Bin/..");

# A locale that is not installed is nobody's business.
$ENV{PERL_BADLANG} = 0;
plan skip_all => 'for Linux' if $^O ne 'linux';

# A machine that has everything, in a folder of its own.
my $programs = tempdir(CLEANUP => 1);
my $headers  = tempdir(CLEANUP => 1);
mkpath("$headers/CORE");
write_file("$headers/CORE/perl.h", '');
script("$programs/cc",        'exit 0');
script("$programs/broken-cc", 'exit 1');
script("$programs/make",      'exit 0');
script("$programs/cargo",     'echo "cargo 1.85.0 (d73d2caf9 2024-12-31)"');
script("$programs/old-cargo", 'echo "cargo 1.65.0"');
script("$programs/no-toolchain", 'echo "error: no default toolchain is set" >&2; exit 1');

sub machine {
    my (%but) = @_;
    my %config = (
        archname => 'x86_64-linux-thread-multi', archlibexp => $headers,
        cc => 'cc -fflag', make => 'make', usemymalloc => 'n',
    );
    return {
        os => 'linux', perl => 5.036001, path => [$programs], home => '/nonexistent', %but,
        config => { %config, %{ $but{config} || {} } },
    };
}

my $all = machine();
is(MProf::Prerequisites::unsupported($all), undef, 'Linux is supported');
is(MProf::Prerequisites::missing($all, '1.85'), undef, 'a machine that has everything lacks nothing');
is(MProf::Prerequisites::cargo($all), 'cargo', 'cargo is called by its name where PATH has it');

my @refusals = (
    ['not Linux', machine(os => 'freebsd'), qr/^OS unsupported: .* Linux only, .* freebsd/],
    ['another processor', machine(config => { archname => 'i686-linux' }), qr/^OS unsupported: .* for i686/],
    ["perl's own malloc", machine(config => { usemymalloc => 'y' }), qr/^OS unsupported: .*usemymalloc/],
    ['a stack that counts', machine(config => { ccflags => '-Dx -DPERL_RC_STACK' }), qr/^OS unsupported: .*PERL_RC_STACK/],
);
for my $case (@refusals) {
    my ($name, $machine, $expected) = @$case;
    one_sentence(MProf::Prerequisites::unsupported($machine), $expected, "refused: $name");
}

my $nowhere = tempdir(CLEANUP => 1);
my @lacks   = (
    ['an old perl', machine(perl => 5.016003), qr/^Perl v5\.18\.0 required--this is only v5\.16\.3: .*package perl/],
    ['headers', machine(config => { archlibexp => $nowhere }), qr/headers are missing.*package libperl-dev/],
    ['make', machine(config => { make => 'absent' }), qr/^The program absent is missing: .*package make/],
    ['a compiler', machine(config => { cc => 'absent' }), qr/compiler absent is missing: .*packages gcc and libc6-dev/],
    ['the C library', machine(config => { cc => 'broken-cc' }), qr/broken-cc cannot build .*package libc6-dev/],
    ['cargo', machine(path => [only(qw(cc make))]), qr/cargo, is missing: .*package cargo /],
    ['a new cargo', machine(cargo => "$programs/old-cargo"),
        qr/too old \(1\.65\.0, and 1\.85 is the lowest .*package cargo .*rustup/],
    ['a toolchain', machine(cargo => "$programs/no-toolchain"), qr/does not run: .*package cargo /],
);
for my $case (@lacks) {
    my ($name, $machine, $expected) = @$case;
    one_sentence(MProf::Prerequisites::missing($machine, '1.85'), $expected, "lacks $name");
}

is(MProf::Prerequisites::missing(machine(path => [only(qw(cc make))], home => with_rustup()), '1.85'), undef,
    'cargo is found where rustup puts it');

is(MProf::Prerequisites::c_flags('-fwrapv -fpcc-struct-return -DX="a  b" -fpcc-struct-return'), '-fwrapv -DX="a  b" ',
    'structs are returned as Rust does, whatever perl was built with');

is(MProf::Prerequisites::versions_differ('0.01', '0.1.0'), undef, '0.01 is 0.1.0');
is(MProf::Prerequisites::versions_differ('1.20', '1.20.0'), undef, '1.20 is 1.20.0');
one_sentence(MProf::Prerequisites::versions_differ('0.02', '0.1.0'), qr/must say 0\.2\.0, and it says 0\.1\.0/,
    'Cargo.toml lags behind');
one_sentence(MProf::Prerequisites::versions_differ('0.1', '0.1.0'), qr/must look like 0\.01/, 'an odd version');

# The whole of Makefile.PL, in a folder with just what it reads before it decides.
my $tree = tempdir(CLEANUP => 1);
mkpath(["$tree/inc/MProf", "$tree/lib/Devel"]);
copy("$root/$_", "$tree/$_") or die "Cannot copy $_: $!"
    for qw(Makefile.PL Cargo.toml inc/MProf/Prerequisites.pm lib/Devel/MProf.pm);
chdir $tree or die "Cannot enter $tree: $!";

my $makefile_pl = 'do "./Makefile.PL"; die $@ if $@';
my ($exit, $printed) = run($^X, '-e', 'BEGIN { $^O = "freebsd" } ' . $makefile_pl);
is($exit, 0, 'another system: a clean exit');
one_sentence($printed, qr/^OS unsupported: /, 'another system: what CPAN testers look for');
ok(!-e 'Makefile', 'another system: no Makefile');

{
    local @ENV{qw(PATH HOME)} = (everything_but('cargo'), $nowhere);
    local $ENV{CARGO};
    delete $ENV{CARGO};
    ($exit, $printed) = run($^X, 'Makefile.PL');
    isnt($exit, 0, 'no cargo: an error');
    one_sentence($printed, qr/cargo, is missing/, 'no cargo: the sentence, and nothing else');
    ok(!-e 'Makefile', 'no cargo: no Makefile');
}

chdir '/' or die "Cannot leave $tree: $!";
done_testing;

sub one_sentence {
    my ($said, $expected, $name) = @_;
    $said = '' if !defined $said;
    subtest $name => sub {
        like($said, $expected, 'says what');
        like($said, qr/\A[A-Z\$l][^\n]*\.\n?\z/, 'in one line, with a full stop');
    };
    return;
}

sub only {
    my $folder = tempdir(CLEANUP => 1);
    symlink "$programs/$_", "$folder/$_" or die "Cannot link $_: $!" for @_;
    return $folder;
}

sub with_rustup {
    my $home = tempdir(CLEANUP => 1);
    mkpath("$home/.cargo/bin");
    symlink "$programs/cargo", "$home/.cargo/bin/cargo" or die "Cannot link cargo: $!";
    return $home;
}

# A folder with all the programs of PATH less one.
sub everything_but {
    my ($unwanted) = @_;
    my $folder = tempdir(CLEANUP => 1);
    for my $from (grep { m{^/} } split /:/, $ENV{PATH}) {
        opendir my $in, $from or next;
        symlink "$from/$_", "$folder/$_" for grep { $_ ne $unwanted && !/^\./ && !-e "$folder/$_" } readdir $in;
    }
    return $folder;
}

sub run {
    my @command = @_;
    my $pid = open my $out, '-|';
    die "Cannot fork: $!" if !defined $pid;
    if (!$pid) {
        open STDERR, '>&', \*STDOUT or die "Cannot redirect: $!";
        exec { $command[0] } @command or die "Cannot run $command[0]: $!";
    }
    my $said = do { local $/; <$out> };
    close $out;
    return ($? >> 8, $said);
}

sub script {
    my ($file, $line) = @_;
    write_file($file, "#!/bin/sh\n$line\n");
    chmod 0755, $file or die "Cannot chmod $file: $!";
    return;
}

sub write_file {
    my ($file, $text) = @_;
    open my $out, '>', $file or die "Cannot write $file: $!";
    print {$out} $text;
    close $out or die "Cannot write $file: $!";
    return;
}
