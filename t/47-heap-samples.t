# Samples of the heap: no scalar is referred to more often than perl counts, whatever refers to it (verify=1 compares all
# of them), and what is reachable in ways that only perl knows of is never called unreachable.

use strict;
use warnings;

use FindBin;
use Test::More;

use lib "$FindBin::Bin/lib";
use MProfTest;

# All that can refer to a scalar.
my $zoo = <<'PERL';
use strict;
use warnings;
use Scalar::Util qw(weaken);
our (%global, @global, $global, @kept);

package Tied { sub TIEHASH { bless {}, shift } sub STORE { $_[0]{ $_[1] } = $_[2] } sub FETCH { $_[0]{ $_[1] } }
    sub TIESCALAR { my $x = [1]; bless \$x, shift } sub TIEARRAY { bless [], shift } sub FETCHSIZE { 0 } }
package Base { sub new { bless { @_[1 .. $#_] }, $_[0] } sub hello { 1 } }
package Derived { our @ISA = 'Base'; sub hello { my $self = shift; $self->SUPER::hello } }
package Over { use overload '""' => sub { 'over' }, '+' => sub { 1 }, '&{}' => sub { sub { 2 } }; sub new { bless [], shift } }

package main;
format STDERR =
@<<<<
$global
.
sub counter { my $n = shift; return sub { return ++$n } }
sub recursive { my ($n) = @_; my @here = ($n); return $n ? recursive($n - 1) + @here : 0 }
sub lvalue :lvalue { $global }
sub prototyped(&@) { my ($code, @rest) = @_; return map { $code->($_) } @rest }
use constant { ANSWER => 42, LIST => [1, 2, 3] };

for my $round (1 .. 60) {
    my $object = Derived->new(round => $round, list => [1 .. 3]);
    $object->hello;
    my $weak = $object;
    weaken $weak;
    my $child = { parent => $object };
    weaken $child->{parent};
    push @{ $object->{children} }, $child;
    push @kept, counter($round), $object, \$object, $weak, Over->new;
    tie my %tied, 'Tied';
    $tied{key} = [$round];
    tie my $scalar, 'Tied';
    tie my @array, 'Tied';
    push @kept, \%tied, \$scalar, \@array;
    my $regex = qr/(?<year>\d+)-(?<month>\d+)/;
    my $copy = qr/$regex x/;
    "2026-11" =~ $regex;
    push @kept, $regex, $copy, { %+ };
    no strict 'refs';
    *{"alias$round"} = \@kept;
    *{"Made::$round"} = counter($round);
    *{"copied$round"} = *global;
    open my $handle, '<', '/dev/null';
    push @kept, $handle, *STDOUT{IO}, \*{"alias$round"};
    eval "package Evaled$round; our \@ISA = 'Base'; sub new { my \$c = shift; \$c->SUPER::new(\@_) } sub f { \$main::global } 1" or die;
    push @kept, "Evaled$round"->new(1, 2);
    push @kept, \substr($global = 'some text', 1, 3), \pos($global), \vec($global, 0, 1);
    $kept[-1] if 0;
    local $SIG{__WARN__} = sub { push @kept, @_ };
    local $global{$round} = [$round];
    local @global = map { { n => $_ } } 1 .. 3;
    warn "warned $round\n";
    recursive(5);
    lvalue() = [$round];
    push @kept, prototyped { [@_] } 1, 2;
    push @kept, sort { $a <=> $b } map { $_ * 2 } 1 .. 3;
    my $self; $self = sub { my $n = shift; return $n ? $self->($n - 1) : 0 }; $self->(2);
    my @cycle = ({}, {}); @cycle[0, 1] = (\$cycle[1], \$cycle[0]);
    for my $x (@kept[-3 .. -1]) { my $y = \$x; push @kept, \$y if $round % 7 == 0 }
    push @kept, do { my $glob = \do { local *GLOB; *GLOB }; $glob };
    push @kept, "interpolated @{[ $round ]}", "\x{263a}$round", 1e300 * $round, v1.2.3;
    keys(%global) = 64;
    undef @global;
    Devel::MProf::mark('round');
    Devel::MProf::snapshot('full') if $round % 20 == 0;
}
print scalar @kept, "\n";
PERL

my $run = same_behaviour('all that can refer to a scalar', $zoo =~ s/^    Devel::MProf::.*\n//mgr, mprof => 'verify=1');
is($run->{stderr}, '', 'and nothing is referred to more often than perl counts');
for my $options ('verify=1', 'verify=1,full=7', 'verify=1,hook=db', 'verify=1,live=0') {
    $run = profiled($zoo, options => $options);
    is($run->{exit}, 0, "$options: the program runs");
    is($run->{stderr}, '', "$options: in silence");
}

# A program that ends in the middle of freeing something.
for my $held (q([bless [], 'D']), q({ a => 1, b => bless({}, 'D'), c => [1] }), q(bless { x => [bless {}, 'D'] }, 'E'), q(sub { my $x = bless [], 'D'; sub { $x } }->())) {
    my $ended = same_behaviour("exit in DESTROY while $held is freed", "sub D::DESTROY { exit 8 } sub E::DESTROY { 1 } { my \$held = $held; } print 'no'");
    is($ended->{exit}, 8, 'by exit');
}

# Held by what no walk over perl's structures shows, or only the interpreter itself does: none of it is unreachable.
my $held = <<'PERL';
use strict;
my $units = shift || 100;
package Ring { sub new { my $one = bless {}, shift; my $two = bless { other => $one }, 'Ring'; $one->{other} = $two; return $one } }
package main;
my %ways = (
    die_handler => sub { my $was = $SIG{__DIE__}; my $ring = Ring->new; $SIG{__DIE__} = sub { $ring; $was && $was->(@_) } },
    signal      => sub { my $was = $SIG{USR1}; my $ring = Ring->new; $SIG{USR1} = sub { $ring; $was } },
    end_block   => sub { my $ring = Ring->new; our $keep = $ring; eval 'END { $main::keep } 1'; push @main::rings, $ring },
    magic       => sub { tie my $tied, 'Keeper', Ring->new; push @main::tied, \$tied },
    glob        => sub { no strict 'refs'; *{"ring$_[0]"} = \Ring->new },
    method      => sub { my $ring = Ring->new; no strict 'refs'; *{"Ring$_[0]::method"} = sub { $ring } },
    constant    => sub { my $ring = Ring->new; push @main::subs, eval 'my $c = $ring; sub () { $c }' },
    state       => sub { use feature 'state'; state @rings; push @rings, Ring->new },
    sorted      => sub { push @main::sorted, [sort { $a <=> $b } 2, 1, Ring->new] },
);
package Keeper { sub TIESCALAR { my ($class, $ring) = @_; return bless { ring => $ring }, $class } sub FETCH { $_[0]{ring} } }
package main;
my $way = $ways{ $ENV{WAY} };
sub unit { my ($n) = @_; no warnings 'numeric'; $way->($n); return }
unit($_) for 1 .. $units;
Devel::MProf::snapshot('full') if defined &Devel::MProf::snapshot;
PERL
for my $way (qw(die_handler signal end_block magic glob method constant state sorted)) {
    $run = profiled($held, mprof => 'mark=main::unit:verify=1', env => { WAY => $way });
    is($run->{stderr}, '', "$way: in silence");
    my @leaks = $run->leaks;
    isnt(scalar @leaks, 0, "$way: it grows");
    is_deeply([grep { $_->{reason} eq 'cycle' } @leaks], [], "$way: but is not unreachable");
}

# The same rings, held by nothing.
$run = profiled($held =~ s/^my %ways.*/my %ways = (nothing => sub { Ring->new; return },/mr, mprof => 'mark=main::unit:verify=1', env => { WAY => 'nothing' });
is_deeply([map { $_->{reason} } $run->leaks], ['cycle'], 'and without a holder they are');

done_testing;
