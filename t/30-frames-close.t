# However a call ends, it is over afterwards: what runs next at the top level is below the main program.

use strict;
use warnings;

use FindBin;
use Test::More;

use lib "$FindBin::Bin/lib";
use MProfTest;

# After each, marker() is called from the file's top level.
my @ways = (
    ['return',            'sub f { return 1 } f()'],
    ['the last statement', 'sub f { my @x = (1, 2); @x } my @r = f()'],
    ['return from blocks', 'sub f { for (1 .. 3) { if ($_ == 2) { do { return $_ } } } } f()'],
    ['die',               'sub f { die "x" } eval { f() }'],
    ['die through many',  'sub f { $_[0] ? g($_[0] - 1) : die "x" } sub g { f(@_) } eval { f(50) }'],
    ['nested evals',      'sub f { eval { g(); 1 } or die "again" } sub g { die "x" } eval { f() }; eval { eval { f() }; f() }'],
    ['die in a string eval', 'sub f { die "x" } eval q{ f() }; eval q{ eval q{ f() }; f() }'],
    ['die from a string eval in a sub', 'sub f { eval q{ g() }; die $@ } sub g { die "x" } eval { f() }'],
    ['die in an XSUB',    'use List::Util; sub f { List::Util::first(sub { die "x" }, 1) } eval { f() }; eval { utf8::decode(undef); Internals::hv_clear_placeholders(my %h) }'],
    ['die in XSUB itself', 'sub f { UNIVERSAL::can() } eval { f() }; eval { UNIVERSAL::isa() }'],
    ['die in a comparator', 'sub c { die "x" } sub f { my @x = sort c 3, 2, 1 } eval { f() }'],
    ['die in an anonymous comparator', 'my $c = sub { die "x" }; eval { my @x = sort $c 3, 2, 1 }'],
    ['die in DESTROY',    'no warnings; sub O::DESTROY { die "x" } sub f { my $o = bless [], "O"; return } f(); { my $o = bless [], "O" }'],
    ['an XSUB that dies as DESTROY', 'use Scalar::Util; BEGIN { *O::DESTROY = \&Scalar::Util::dualvar } no warnings; sub f { { my $o = bless [], "O" } return } f()'],
    ['die, and eval in DESTROY', 'sub O::DESTROY { eval { die "y" } } sub f { my $o = bless [], "O"; die "x" } eval { f() }'],
    ['die in FETCH',      'sub T::TIESCALAR { bless [] } sub T::FETCH { die "x" } tie my $t, "T"; eval { my $v = $t }; sub f { $t } eval { my $v = f() }'],
    ['die in an overloaded operator', 'package V { use overload "+" => sub { die "x" }, q("") => sub { die "y" } } my $v = bless [], "V"; eval { $v + 1 }; eval { "$v" }'],
    ['die in a signal handler', '$SIG{USR1} = sub { die "x" }; sub f { kill USR1 => $$; 1 for 1 .. 5 } eval { f() }'],
    ['die in __WARN__',   '$SIG{__WARN__} = sub { die "x" }; sub f { warn "w" } eval { f() }'],
    ['die in __DIE__',    '$SIG{__DIE__} = sub { die "y" }; sub f { die "x" } eval { f() }'],
    ['a __DIE__ handler that leaves', 'sub h { no warnings; eval { last OUT } } $SIG{__DIE__} = \&h; sub f { die "x" } OUT: { eval { f() } }'],
    ['last out of a sub', 'no warnings; sub f { last } for (1 .. 3) { f() }'],
    ['next out of a sub', 'no warnings; sub f { next } for (1 .. 3) { f() }'],
    ['last out of many',  'no warnings; sub f { g() } sub g { h() } sub h { last OUT } OUT: for (1 .. 3) { f() }'],
    ['redo out of a sub', 'no warnings; my $n = 0; sub f { $n++ < 3 and redo } for (1) { f() }'],
    ['last out of an eval', 'no warnings; for (1 .. 3) { eval { last } } sub f { eval { last } } for (1 .. 3) { f() }'],
    ['last out of a string eval', 'no warnings; for (1 .. 3) { eval q{last} } sub f { last } for (1 .. 3) { eval q{f()} }'],
    ['next out of a sort block', 'no warnings; sub f { my @x = sort { next OUT } 2, 1 } OUT: for (1, 2) { eval { f() } }'],
    ['goto out of a sub', 'no warnings; sub f { goto HERE } f(); HERE: 1'],
    ['goto &sub',         'sub f { goto &g } sub g { 1 } f() for 1 .. 3'],
    ['a chain of gotos',  'sub f { $_[0]-- ? goto &g : 1 } sub g { goto &f } f(my $n = 50)'],
    ['goto an XSUB',      'sub f { goto &utf8::is_utf8 } f("x") for 1 .. 3'],
    ['goto from AUTOLOAD', 'package A { our $AUTOLOAD; sub AUTOLOAD { *$AUTOLOAD = sub { 1 }; goto &$AUTOLOAD } } A->one; A->one; A->two'],
    ['goto a sub that dies', 'sub f { goto &g } sub g { die "x" } eval { f() }'],
    ['goto an XSUB that dies', 'sub f { goto &UNIVERSAL::can } eval { f() }'],
    ['goto nothing',      'sub f { goto &nowhere } eval { f() }; eval { my $u; goto &$u }'],
    ['a missing sub',     'eval { nowhere() }; eval { Nowhere->new }; sub f { nowhere() } eval { f() }'],
    ['an AUTOLOAD that dies', 'package A { sub AUTOLOAD { die "x" } } eval { A->one }; eval { A::two() }'],
    ['a failing require', 'sub f { require Not::There } eval { f() }; eval { require "./no.pl" }; do "./no.pl"'],
    ['a failing string eval', 'sub f { eval "}" } f(); eval "BEGIN { die }"; eval "use Not::There"'],
    ['an iterator given up', 'sub f { my $c = shift; $c->() } f(sub { die "x" if !@_ }) for (); eval { f(sub { f(sub { die "x" }) }) }'],
    ['return in a do block', 'sub f { my $x = do { return 5; 1 }; $x } my $r = f()'],
    ['return in an eval', 'sub f { eval { return 5 }; 6 } f(); my @r = f()'],
    ['wantarray and lists', 'sub f { wantarray ? return (1 .. 5) : return 1 } my @r = f(); my $s = f(); f()'],
    ['lvalue subs',       'my $v; sub f :lvalue { $v } f() = 5; (f()) = (6); for (f()) { $_++ }'],
    ['local $_ and given', 'sub f { for my $x (1 .. 3) { return $x if $x == 2 } } map { f() } 1 .. 3; grep { f() } 1 .. 3'],
    ['formats and reads', 'use Symbol; package H { sub TIEHANDLE { bless [] } sub READLINE { die "x" } } tie *F, "H"; sub f { <F> } eval { f() }'],
);

for my $way (@ways) {
    my ($name, $text) = @$way;
    my $program = "$text;\nsub marker { return 1 }\nmarker();\nprint qq(end\\n);\n";
    my $run = profiled($program);
    subtest $name => sub {
        is($run->{stdout}, "end\n", 'the program comes to its end') or diag($run->{stderr});
        is($run->parents_of('main::marker'), '(main program)', 'and all calls are over then');
        is($run->of_sub('main::marker')->{calls}, 1, 'the next call is counted');
        my ($marker) = grep { $_->{name} eq 'main::marker' } $run->tree;
        is($marker->{depth}, 1, 'at the first level');
    };
}

done_testing;
