# Leaving subs by last, next, redo, goto, die, exit; code that C code calls. (t/50-calls-are-untouched.t compares what it prints.)

no warnings;
sub l {last}
for ( 1 .. 3 ) { print "l$_ "; l() }
sub n {next}
for ( 1 .. 3 ) { n(); print 'never' }
print "\n";
OUTER: for my $i ( 1 .. 3 ) {
    for my $j ( 1 .. 3 ) {
        sub { next OUTER if $j == 2 }
            ->();
        print "$i$j ";
    }
}
print "\n";
my $k = 0;
for (1) {
    sub { redo if $k++ < 3 }
        ->();
    print "k$k\n";
}
sub j { goto AFTER }
j();
print 'never';
AFTER: print "after\n";
my @s = sort { $b <=> $a } 3, 1, 2;
sub by { $a <=> $b }
print sort( by @s ), "\n";
my $by = sub { $b cmp $a };
print sort( $by @s ), "\n";
sub pro ($$) { $_[0] <=> $_[1] }
print sort( pro @s ), "\n";
use List::Util qw(first reduce any sum max shuffle);
print first { $_ > 1 } @s;
print reduce {"$a$b"} @s;
print ' ', ( any { $_ == 2 } @s ) ? 'any' : 'none', "\n";
local $_ = 'keep';
first {1} 1;
print "$_\n";
sub rec { $_[0] ? $_[0] * rec( $_[0] - 1 ) : 1 }
print rec(10), "\n";
sub gen {
    my $n = shift;
    sub { $n++ }
}
my $g = gen(5);
print $g->(), $g->(), gen(1)->(), "\n";
local $SIG{ALRM} = sub { die "alarm\n" };
require Time::HiRes;
eval { Time::HiRes::ualarm(30_000); 1 while 1 };
print $@;
my $sig = 0;
$SIG{USR1} = sub { $sig++ };
for ( 1 .. 20 ) { kill USR1 => $$ }
print $sig, "\n";
format STDOUT =
@<<< @>>>
$main::fa, fmt()
.
our $fa = 'fa';
sub fmt {'fmt'}
write;
print "x" =~ /(??{ re() })/ ? "re\n" : "no\n";
sub re {'x'}
my $cnt = 0;
'aaa' =~ /(?:a(?{ bump() }))*$/;
sub bump { $cnt++ }
print "$cnt\n";
( my $str = 'a1b2' ) =~ s/(\d)/twice($1)/ge;
sub twice { $_[0] * 2 }
print "$str\n";
print join( ',', map { twice($_) } grep { odd($_) } 1 .. 5 ), "\n";
sub odd { $_[0] % 2 }
{ local $/ = \2; open my $m, '<', \'abcdef'; print join( '|', <$m> ), "\n" }
sub wanta { return wantarray ? ( 1, 2 ) : 'one' }
my ( $p, $q, $r ) = ( wanta(), scalar wanta() );
print "$p$q$r\n";
print "$_ " for sub { reverse @_ }
    ->( 1 .. 3 );
print "\n";
my %d = ( a => sub {"a@_"}, b => { c => sub {'bc'} } );
print $d{a}->(1), $d{b}{c}(), "\n";
print __PACKAGE__->can('twice')->(4), "\n";
my $m = 'twice';
print main->$m ? "called\n" : "no\n";
print &{ \&twice }(3), "\n";
END { print "end: $?\n"; $? = 5 }
print "unwinding\n";
sub ex { exit 3 }
eval { ex() };
