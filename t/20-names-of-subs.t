# Every kind of sub appears under its proper name, with its calls.

use strict;
use warnings;

use FindBin;
use Test::More;

use lib "$FindBin::Bin/lib";
use MProfTest;

need_package('libscalar-list-utils-perl', 'Sub::Util');

my %files = (
    'Other/Place.pm' => <<'PERL',
package Other::Place;
sub import { no strict 'refs'; *{caller() . "::$_"} = \&$_ for @_[1 .. $#_]; return }
sub imported { return scalar @_ }
1;
PERL
);

my $program = <<'PERL';
use strict;
use warnings;
use List::Util ();
use Scalar::Util qw(looks_like_number);
use Sub::Util ();
use Other::Place qw(imported);

# plain, nested packages, methods
sub plain_one { return 1 }
plain_one() for 1 .. 3;
&plain_one for 1 .. 2;
my $by_reference = \&plain_one;
$by_reference->();

imported() for 1 .. 4;

package Some::Class {
    sub new { my ($class) = @_; return bless {}, $class }
    sub method { return 1 }
    sub DESTROY { my $self = shift }    # perl calls no empty one
    our $AUTOLOAD;
    sub AUTOLOAD { return $AUTOLOAD }
    package Some::Class::Child;
    our @ISA = 'Some::Class';
    sub own { my ($self) = @_; return $self->SUPER::method }
}
for (1 .. 5) {
    my $object = Some::Class->new;
    $object->method;
    $object->$_ for qw(not_there nor_there);
}
Some::Class::Child->new->own;
my $name = 'method';
Some::Class->$name;

package Over::Load {
    use overload '+' => \&plus, '""' => sub { 'text' }, 'cmp' => 'compare', 'fallback' => 1;
    sub new { return bless [], shift }
    sub plus { return 7 }
    sub compare { return 0 }
}
my $over = Over::Load->new;
my $seven = $over + 1 for 1 .. 6;
my $text = "$over";
my $same = $over eq 'x';

package Ti::Ed {
    sub TIESCALAR { return bless [], shift }
    sub FETCH { return 3 }
    sub STORE { return }
    sub TIEHASH { return bless {}, shift }
}
tie my $tied, 'Ti::Ed';
my $three = $tied for 1 .. 8;
$tied = 1 for 1 .. 9;

# XSUBs
List::Util::sum(1 .. 3) for 1 .. 10;
looks_like_number($name) for 1 .. 11;
utf8::encode(my $encoded = 'x') for 1 .. 12;

# anonymous subs, closures, sub names that were set
my $anonymous = sub { return 1 };
$anonymous->() for 1 .. 13;
my @clones = map { my $n = $_; sub { return $n } } 1 .. 7;
$_->() for @clones, @clones;
Sub::Util::set_subname('Given::name', my $named = sub { return 2 });
$named = Sub::Util::set_subname('Given::name', $named);
$named->() for 1 .. 15;

# globs
{ no warnings 'once'; no strict 'refs';
  *{'Glob::alias'} = \&plain_one;
  *{'Glob::closure'} = sub { return 3 };
}
Glob::alias();
Glob::closure() for 1 .. 16;

# local
{ no warnings 'redefine'; local *plain_one = sub { return 4 }; plain_one() for 1 .. 17; }

# subs that replace others
sub replaced { return 1 } replaced();
{ no warnings 'redefine'; eval 'sub replaced { return 2 }'; }
replaced() for 1 .. 2;

# lexical subs, subs with a prototype or signature, lvalue subs
use feature qw(state);
my sub lexical { return 1 }
lexical() for 1 .. 18;
sub with_block (&@) { my $code = shift; return map { $code->() } @_ }
with_block { 1 } 1 .. 19;
my $store; sub lvalue :lvalue { $store }
lvalue() = 1 for 1 .. 20;

# constants are inlined, but callable
use constant FORTY => 40;
my $constant = main->can('FORTY');
$constant->() for 1 .. 2;

# signals, warnings, die handlers
local $SIG{USR1} = \&on_signal; sub on_signal { return }
kill USR1 => $$; plain_one();
local $SIG{__WARN__} = \&on_warning; sub on_warning { return }
warn 'x' for 1 .. 3;
local $SIG{__DIE__} = \&on_death; sub on_death { return }
eval { die 'x' } for 1 .. 4;
PERL
my $run = profiled($program, files => \%files);
is($run->{stderr}, '', 'the program runs');
is($run->{exit}, 0, 'to its end');

my %calls = (
    'main::plain_one'           => 3 + 2 + 1 + 1 + 1,
    'Other::Place::imported'    => 4,
    'main::imported'            => 0,
    'Other::Place::import'      => 1,
    'Some::Class::new'          => 6,
    'Some::Class::method'       => 7,
    'Some::Class::DESTROY'      => 6,
    'Some::Class::AUTOLOAD'     => 10,
    'Some::Class::not_there'    => 0,
    'Some::Class::Child::own'   => 1,
    'Over::Load::plus'          => 6,
    'Over::Load::compare'       => 1,
    anonymous('Over::Load', q(sub { 'text' })) => 1,
    'Ti::Ed::TIESCALAR'         => 1,
    'Ti::Ed::FETCH'             => 8,
    'Ti::Ed::STORE'             => 9,
    'List::Util::sum'           => 10,
    'Scalar::Util::looks_like_number' => 11,
    'utf8::encode'              => 12,
    anonymous('main', q($anonymous = sub)) => 13,
    anonymous('main', q(return $n)) => 14,
    'Given::name'               => 15,
    'Glob::closure'             => 0,
    'Glob::alias'               => 0,
    anonymous('main', q('Glob::closure'} =)) => 16,
    anonymous('main', q(local *plain_one)) => 17,
    'main::replaced'            => 3,
    'main::lexical'             => 18,
    'main::with_block'          => 1,
    anonymous('main', q(with_block { 1 })) => 19,
    'main::lvalue'              => 20,
    'main::on_signal'           => 1,
    'main::on_warning'          => 3,
    'main::on_death'            => 4,
);
for my $name (sort keys %calls) {
    is($run->of_sub($name)->{calls}, $calls{$name}, "$name: $calls{$name} calls");
}
is($run->of_sub('Other::Place::imported')->{file}, "$run->{dir}/Other/Place.pm", 'a sub has its file');
is($run->of_sub('Other::Place::imported')->{line}, 3, 'and its line');
is($run->of_sub('Other::Place::imported')->{kind}, 'perl', 'and its kind');
is($run->of_sub('List::Util::sum')->{kind}, 'xsub', 'the kind of an XSUB');

my @unnamed = grep { !/\w/ || /^(?:main)?::$/ } keys %{ $run->{subs} };
is_deeply(\@unnamed, [], 'no sub is without a name');

# perl asks an overloaded &{} first, also of what is a code reference itself.
$run = profiled(<<'PERL');
package Stands::For;
use overload '&{}' => sub { \&main::target }, fallback => 1;
package main;
sub target { my @own = map { [$_] } 1 .. 50; return scalar @own }
my $object = bless sub { die 'never' }, 'Stands::For';
sub calls_it { my $number = $object->(1); return $number }
calls_it() for 1 .. 10;
PERL
is($run->of_sub('main::target')->{calls}, 10, 'what an overloaded &{} stands for: 10 calls');
is($run->parents_of('main::target'), 'main::calls_it', 'from where it was called');

done_testing;

# The name of the anonymous sub that stands in the line which has that text.
sub anonymous {
    my ($package, $text) = @_;
    my @lines = split /\n/, $program;
    my ($line) = grep { index($lines[$_ - 1], $text) >= 0 } 1 .. @lines;
    die "No line has: $text" if !$line;
    return "${package}::__ANON__[prog.pl:$line]";
}
