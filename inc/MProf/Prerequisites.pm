package MProf::Prerequisites;

# What the build needs and a machine may lack. Every check answers with nothing, or with one sentence that names the
# Debian package to install. This file must compile on a perl too old to be supported: it says so.

use strict;
use warnings;

my $LOWEST_PERL = 5.018;
my $CARGO_PACKAGES = 'install the Debian package cargo (on Debian 12: cargo-web), or Rust from https://rustup.rs';

# A machine, as the checks see it; the tests pass others. Fields: os, perl (as $]), config (as %Config),
# path (folders where programs are looked for), cargo (a command that overrides the search), home.
sub this_machine {
    require Config;
    my %config = map { $_ => $Config::Config{$_} } qw(archname archlibexp cc ccflags make usemymalloc);
    my $path = defined $ENV{PATH} ? $ENV{PATH} : '';
    return {
        os     => $^O,
        perl   => $],
        config => \%config,
        path   => [split /:/, $path],
        cargo  => $ENV{CARGO},
        home   => $ENV{HOME},
    };
}

# Where Devel::MProf can never work. CPAN clients and testers know these by "OS unsupported" and a clean exit.
sub unsupported {
    my ($machine) = @_;
    return "OS unsupported: Devel::MProf works on Linux only, and this is $machine->{os}."
        if $machine->{os} ne 'linux';
    my ($processor) = split /-/, $machine->{config}{archname};
    return "OS unsupported: Devel::MProf works on x86-64 and aarch64 only, and this perl is for $processor."
        if $processor !~ /\A(?:x86_64|amd64|aarch64|arm64)\z/;
    return 'OS unsupported: this perl was built with its own malloc (usemymalloc), and Devel::MProf sees only '
        . "the C library's."
        if ($machine->{config}{usemymalloc} || 'n') eq 'y';
    return 'OS unsupported: this perl counts references from its stack (PERL_RC_STACK, an experiment), and Devel::MProf '
        . 'would crash in it.'
        if ($machine->{config}{ccflags} || '') =~ /-DPERL_RC_STACK\b/;
    return;
}

# What can be installed: the first thing missing.
sub missing {
    my ($machine, $lowest_rust) = @_;
    for my $check (\&old_perl, \&no_headers, \&no_make, \&no_compiler, \&no_c_library) {
        my $sentence = $check->($machine);
        return $sentence if $sentence;
    }
    return no_cargo($machine, $lowest_rust);
}

sub old_perl {
    my ($machine) = @_;
    return if $machine->{perl} >= $LOWEST_PERL;
    return sprintf 'Perl v%vd required--this is only v%vd: install a newer perl (Debian package perl).',
        dotted($LOWEST_PERL), dotted($machine->{perl});
}

sub no_headers {
    my ($machine) = @_;
    my $header = "$machine->{config}{archlibexp}/CORE/perl.h";
    return if -e $header;
    return "Perl's headers are missing ($header): install the Debian package libperl-dev.";
}

sub no_make {
    my ($machine) = @_;
    my $make = $machine->{config}{make} || 'make';
    return if program($machine, $make);
    return "The program $make is missing: install the Debian package make.";
}

sub no_compiler {
    my ($machine) = @_;
    my $compiler = compiler($machine);
    return if program($machine, $compiler);
    return "The C compiler $compiler is missing: install the Debian packages gcc and libc6-dev.";
}

sub no_c_library {
    my ($machine) = @_;
    require File::Temp;
    my $folder = File::Temp::tempdir(CLEANUP => 1);
    open my $source, '>', "$folder/try.c" or return "Cannot write in $folder: $!.";
    print {$source} "#include <stdlib.h>\nint main(void) { return abs(0); }\n";
    close $source or return "Cannot write in $folder: $!.";
    my ($status) = output_of(program($machine, compiler($machine)), "$folder/try.c", '-o', "$folder/try");
    return if $status == 0;
    return 'The C compiler ' . compiler($machine) . " cannot build a program: install the Debian package libc6-dev.";
}

sub no_cargo {
    my ($machine, $lowest_rust) = @_;
    my $cargo = cargo($machine);
    return "Rust's builder, cargo, is missing: $CARGO_PACKAGES." if !$cargo;
    my ($status, $said) = output_of($cargo, '--version');
    my ($version) = $said =~ /^cargo (\d+(?:\.\d+)+)/;
    return "Rust's builder, $cargo, does not run: $CARGO_PACKAGES." if $status != 0 || !$version;
    return if numbers($version) >= numbers($lowest_rust);
    return "Rust's builder, $cargo, is too old ($version, and $lowest_rust is the lowest that works): "
        . "$CARGO_PACKAGES.";
}

# The command that builds the Rust part. rustup puts cargo where a login shell finds it, but not every shell does.
sub cargo {
    my ($machine) = @_;
    return $machine->{cargo} if $machine->{cargo};
    my $found = program($machine, 'cargo');
    return 'cargo' if $found;
    my $by_rustup = defined $machine->{home} ? "$machine->{home}/.cargo/bin/cargo" : '';
    return -x $by_rustup ? $by_rustup : undef;
}

# perl's own flags for C, but for one that changes how functions return structs. Old perls were given it where they took
# gcc 10 and later for gcc 1. No function of perl's returns a struct, but the Rust part and the shim call each other's.
sub c_flags {
    my ($ccflags) = @_;
    $ccflags =~ s/(?:\A|(?<=\s))-fpcc-struct-return(?:\s+|\z)//g;
    return $ccflags;
}

sub compiler {
    my ($machine) = @_;
    my ($compiler) = split ' ', $machine->{config}{cc} || 'cc';    # it may carry flags
    return $compiler;
}

sub program {
    my ($machine, $name) = @_;
    return -x $name ? $name : undef if $name =~ m{/};
    for my $folder (@{ $machine->{path} }) {
        return "$folder/$name" if -f "$folder/$name" && -x _;
    }
    return;
}

# Runs a command quietly, without a shell; its wait status and what it printed.
sub output_of {
    my @command = @_;
    my $pid = open my $out, '-|';
    return (-1, '') if !defined $pid;
    if (!$pid) {
        open STDERR, '>', '/dev/null';
        { no warnings 'exec'; exec { $command[0] } @command; }
        require POSIX;
        POSIX::_exit(127);
    }
    my $said = do { local $/; <$out> };
    close $out;
    return ($?, defined $said ? $said : '');
}

sub dotted {
    my ($perl) = @_;
    my ($revision, $rest) = split /\./, sprintf '%.6f', $perl;
    return pack 'U*', $revision, substr($rest, 0, 3), substr($rest, 3, 3);
}

# A dotted version as one number that compares right.
sub numbers {
    my ($version) = @_;
    my ($major, $minor, $patch) = (split(/\./, $version), 0, 0);
    return ($major * 1_000 + $minor) * 1_000 + $patch;
}

# What Cargo.toml says of the package itself: its `version` and `rust-version`.
sub cargo_manifest {
    my ($file) = @_;
    open my $in, '<', $file or die "Cannot read $file: $!\n";
    my %said;
    my $section = '';
    while (my $line = <$in>) {
        $section = $1 if $line =~ /^\[([^\]]+)\]/;
        $said{$1} = $2 if $section eq 'package' && $line =~ /^([\w-]+)\s*=\s*"([^"]*)"/;
    }
    return \%said;
}

# Perl's 0.01 is Cargo's 0.1.0: the release is one, and both files must name it.
sub versions_differ {
    my ($perl, $cargo) = @_;
    my ($major, $minor) = $perl =~ /^(\d+)\.(\d\d)$/;
    return "\$VERSION in lib/Devel/MProf.pm must look like 0.01, and it is $perl." if !defined $major;
    my $expected = sprintf '%d.%d.0', $major, $minor;
    return if $cargo eq $expected;
    return "lib/Devel/MProf.pm is version $perl, so Cargo.toml must say $expected, and it says $cargo.";
}

1;
