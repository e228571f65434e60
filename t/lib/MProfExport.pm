package MProfExport;

# A program with all that makes exports differ from the truth, profiled once, and its figures by sub as `mprof-dump subs`
# has them, for the tests that have other tools read the exports.
#
#     my $run = exported_run();
#     my $file = export($run, 'folded', '--metric', 'live_bytes');       # path of the export
#     my $subs = figures($run, 'self', 'allocated_bytes');                # {NAME => figure}, zeroes left out
#     my $output = tool('sqlite3', $file, 'SELECT 1');                    # standard output of a program
#     need_tool('sqlite3', 'sqlite3');                                    # or skip, naming the Debian package

use strict;
use warnings;

use Exporter qw(import);
use File::Temp qw(tempdir);
use Test::More ();

use MProfTest;

our @EXPORT = qw(exported_run export figures tool need_tool);

# Recursion of one sub and of two, a sub written in C that calls back, closures, string evals, a sort block, a module
# that loads another, and names that mean something to some format.
my $program = <<'PROGRAM';
use strict;
use warnings;
use List::Util qw(first);
use Text::Wrap;
our @kept;

sub down { my ($n) = @_; push @kept, 'd' x 1000; return $n ? down($n - 1) : 0 }
sub even { my ($n) = @_; push @kept, [(1) x 50]; return $n ? odd($n - 1) : 1 }
sub odd  { my ($n) = @_; push @kept, 'o' x 3000; return $n ? even($n - 1) : 0 }
sub find { my ($wanted) = @_; return first { push @kept, "x$_" x 100; $_ == $wanted } 1 .. 9 }
sub both { down(2); even(3); my $text = wrap('', '  ', 'word ' x 500); return length $text }

down(5);
even(7);
find($_) for 3, 5;
both();
my $closure = sub { push @kept, 'c' x 2000; both() };
$closure->() for 1 .. 3;
eval 'push @kept, "e" x 1500; find(2); 1' or die $@ for 1 .. 2;
my @sorted = sort { push @kept, 's' x 700; $a <=> $b } 3, 1, 2;

for my $name ('semi;colon', 'two words 12', "new\nline", "esc\e[31m", '</script>', '(1) fn=2', '"quoted",comma', "caf\xe9") {
    no strict 'refs';
    *{"Odd::$name"} = sub { push @kept, 'n' x 1200; down(1) };
    # The name that reports show is that of the glob.
    require Sub::Util;
    my $named = Sub::Util::set_subname("Odd::$name", \&{"Odd::$name"});
    $named->();
}
PROGRAM

sub exported_run {
    my $run = profiled($program, @_);
    Test::More::is($run->{exit}, 0, 'the program runs') or Test::More::diag($run->{stderr});
    return $run;
}

sub export {
    my ($run, $format, @arguments) = @_;
    my $to = tempdir(CLEANUP => 1) . '/export';
    my $done = mprof_dump('export', '--format', $format, '-o', $to, @arguments, $run->trace);
    Test::More::is("$done->{exit}: $done->{stderr}", '0: ', "$format @arguments: the export is written");
    return $to;
}

sub figures {
    my ($run, $whose, $metric, $name) = @_;
    my $column = $whose . '_' . ($metric eq 'scalars' ? 'net_scalars' : $metric);
    $run->{sub_rows} ||= $run->report('subs')->{subs}{rows};
    my %figures;
    $figures{ shown($name ? $name->($_) : $_->{name}) } += $_->{$column} for @{ $run->{sub_rows} };
    delete @figures{ grep { !$figures{$_} } keys %figures };
    return \%figures;
}

# A name as exports for people have it: what is no visible character is spelled out.
sub shown {
    my ($name) = @_;
    $name =~ s/\n/\\n/g;
    $name =~ s/([\x00-\x1f])/sprintf '\\x{%X}', ord $1/ge;
    utf8::encode($name);
    return $name;
}

sub tool {
    my ($name, @arguments) = @_;
    my $home = tempdir(CLEANUP => 1);
    my $ran = MProfTest::run_command([path_of($name), @arguments], $home, env => { HOME => $home, LC_ALL => 'C' });
    Test::More::is($ran->{exit}, 0, "$name reads it") or Test::More::diag($ran->{stderr});
    return $ran->{stdout};
}

sub need_tool {
    my ($name, $package) = @_;
    Test::More::plan(skip_all => "needs $name: install the Debian package $package") if !defined path_of($name);
    return;
}

sub path_of {
    my ($name) = @_;
    my ($path) = grep { -x } map { "$_/$name" } split /:/, $ENV{PATH};
    return $path;
}

1;
