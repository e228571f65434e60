# What do calls return: values, lvalues, references, counts? (t/50-calls-are-untouched.t compares what it prints.)

sub list    { ( 1, 2, 3 ) }
sub array   { my @x = ( 4, 5, 6 ); @x }
sub hash    { my %x = ( a => 1 );  %x }
sub empty   {return}
sub nothing { }
sub slice   { my @x = ( 1 .. 5 ); @x[ 1, 2 ] }
print scalar( list() ), scalar( array() ), ' ', scalar( my @e = empty() ), scalar( my @n = nothing() ),
    defined( scalar( empty() ) ) ? 'd' : 'u', ' ', scalar( slice() ), "\n";
my ( $a1, $b1 ) = list();
print "$a1$b1 ", ( list() )[1], ( array() )[-1], "\n";
my $x = 5;
sub lv : lvalue {$x}
lv() = 9;
lv()++;
lv() .= 'z';
( lv() ) =~ s/z/y/;
print "$x\n";
my @arr = ( 1 .. 3 );
sub lva : lvalue { $arr[ $_[0] ] }
lva(1) = 'set';
( lva(0), lva(2) ) = ( 'p', 'q' );
print "@arr\n";
local $_ = 'topic';
sub lvs : lvalue { substr $x, 0, 1 }
lvs() = 'NEW';
print "$x\n";
for ( lva(0) ) { $_ = 'loop' }
print "@arr\n";
my $lr = \lva(2);
$$lr = 'ref';
print "@arr\n";
sub lvh : lvalue { $h{ $_[0] } }
lvh('k') = 1;
print exists $h{k} ? "yes\n" : "no\n";
sub lvn : lvalue { lva(@_) }
lvn(1) = 'nest';
print "@arr\n";
sub temp { my $t = "temp$_[0]"; $t }
my @refs = map { \temp($_) } 1 .. 3;
print join( ',', map {$$_} @refs ), "\n";
sub ref_of { \my $z }
print ref_of() == ref_of() ? 'same' : 'different', "\n";
sub chain { $_[0] > 3 ? 'end' : &chain( $_[0] + 1 ) }
print chain(0), "\n";
sub nested {
    return map {
        my $y = $_;
        map {"$y$_"} 1, 2
    } 'a', 'b';
}
print join( ' ', nested() ), "\n";
{ no strict; print &{'list'}(), "\n"; }
print do { list() }, "\n";
sub bool { return !!1 }
print bool() == 1 ? "true\n" : "false\n";
sub undefs { ( undef, undef ) }
my @u = undefs();
print scalar(@u), "\n";
use B;
sub refcnt { B::svref_2object( $_[0] )->REFCNT }
my $obj = [];
print refcnt($obj), ' ';
sub passes { refcnt( $_[0] ) }
print passes($obj), ' ';
sub copies { my ($o) = @_; refcnt($o) }
print copies($obj), refcnt($obj), "\n";
sub const () {42}
print const + 1, "\n";
my @big = ( sub { (0) x 100_000 } )->();
print scalar(@big), "\n";
print "@{[ sub { @_[1 .. 2] }->(7, 8, 9) ]}\n";
state_test() for 1 .. 3;
sub state_test { use feature 'state'; state $n = 0; print ++$n, "\n" }
print join( ',', ( sort { $b <=> $a } list() ) ), "\n";
print "pos: ", pos( $p = 'aab' ) // 'u', "\n";
sub inplace { $_[0] =~ /a/g; pos $_[0] }
print inplace( my $str = 'ba' ), "\n";
