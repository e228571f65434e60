# Do arguments stay aliases, and @_ what it is? (t/50-calls-are-untouched.t compares what it prints.)

sub modify { $_[0] .= 'm'; $_[1]++ }
my $v = 'v';
my @a = ( 1, 2 );
modify( $v, $a[1] );
print "$v @a\n";
modify( $h{new}, $h{other} );
print join( ',', map {"$_=$h{$_}"} sort keys %h ), "\n";
sub no_vivify { scalar @_ }
no_vivify( $h{none}, $a[9] );
print exists $h{none} ? 'vivified' : 'not', ' ', scalar @a, "\n";
sub shared {&inner}
sub inner  { push @_, 'pushed'; scalar @_ }
sub outer  { my $n = &inner;    print "$n @_\n" }
outer( 1, 2 );
sub assign { @_ = ( 7, 8 ); &seen }
sub seen   { print "seen @_\n" }
assign(1);
sub elem { $_[5] = 1; print scalar(@_), "\n" }
elem( 1, 2 );
my @r = ( 1, 2, 3 );
$_ *= 2 for map {$_} grep { $_ > 1 } @r;
print "@r\n";
sub alias_list { $_++ for @_ }
alias_list(@r);
print "@r\n";
eval {
    sub { $_[0] = 1 }
        ->(5);
};
print $@;
eval { modify( 'const', 1 ) };
print $@;
my $ref = \$v;
sub same { \$_[0] == $ref }
print same($v) ? "same\n" : "copy\n";
sub takes_list { my ( $x, @rest ) = @_; "$x|@rest" }
print takes_list(qw(a b c)), "\n";
sub shifts { shift; shift }
print shifts( 1, 2 ),          "\n";
print &{ sub {"@_"} }( 4, 5 ), "\n";
sub (&@) { };
sub blk (&@) {
    my $c = shift;
    join ',', map { $c->($_) } @_;
}
print blk( sub { $_[0] * 2 }, 1, 2, 3 ), "\n";
sub pairs (\@\@) {"@{$_[0]}|@{$_[1]}"}
print pairs( @a, @r ), "\n";
