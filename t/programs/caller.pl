# What does caller say, from everywhere? (t/50-calls-are-untouched.t compares what it prints.)

package Foo;
sub where {
    my @c = caller( $_[0] );
    no warnings;
    join '|', map { defined $_ ? $_ : 'undef' } @c[ 0 .. 7 ];
}
package main;
sub f { Foo::where(0) }
sub g { Foo::where(1) }
sub h { Foo::where(2) }
print f(), "\n", g(), "\n", h(), "\n";
my $anon = sub { Foo::where(1) };
print $anon->(), "\n";
print eval { f() }, "\n";
print eval { g() }, "\n";
print eval q{ Foo::where(1) }, "\n";
print eval { Foo::where(0) },  "\n";
sub args      { package DB; my @c = caller(1); "@DB::args" }
sub with_args { args() }
print with_args( 1, 'two', 3 ), "\n";
my @l = sort { $a <=> $b } 2, 1;
sub cmp_where { $w = Foo::where(1); $a <=> $b }
@l = sort cmp_where 2, 1;
print "$w\n";
sub O::DESTROY { print Foo::where(0), "\n", Foo::where(1), "\n" }
{ my $o = bless [], 'O' }
package T {
    sub TIESCALAR { bless [] }
    sub FETCH     { Foo::where(1) }
}
tie my $t, 'T';
print $t, "\n";
use overload;
{
    package Ov;
    use overload '""' => sub { Foo::where(1) }
}
print bless( [], 'Ov' ),                   "\n";
print defined caller() ? 'called' : 'top', "\n";
sub depth { my $n = 0; $n++ while caller $n; $n }
print depth(), "\n";
sub deeper { depth() }
print deeper(), "\n";
print eval { deeper() }, eval q{ deeper() }, "\n";
require Carp;
sub carps  { Carp::longmess('here') }
sub carper { carps(@_) }
print carper( 1, [2] ) =~ s/0x[0-9a-f]+/0x/r;
sub short { Carp::shortmess('short') }
print short();
sub goes      { goto &where_now }
sub where_now { Foo::where(0) . ' ' . Foo::where(1) }
print goes(),                 "\n";
print join( '|', caller(0) ), "|\n";
local $SIG{__WARN__} = sub { print Foo::where(1), " $_[0]" };
sub warner { warn "w" }
warner();
local $SIG{__DIE__} = sub { print Foo::where(1), " $_[0]" };
eval { die "d" };
BEGIN { print Foo::where(0), "\n", Foo::where(1), "\n", defined( Foo::where(2) ) ? '' : 'x', "\n" }
print( ( sub { ( caller(0) )[3] } )->(), "\n" );
{
    local *named = sub { ( caller(0) )[3] };
    print named(), "\n"
}
use Sub::Util;
print Sub::Util::set_subname( 'x::y', sub { ( caller(0) )[3] } )->(), "\n";
