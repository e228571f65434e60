# Which context does each call see? (t/50-calls-are-untouched.t compares what it prints.)

sub context    { return defined wantarray ? wantarray ? 'list' : 'scalar' : 'void' }
sub void       { print context_of(), "\n"; return }
sub context_of { return defined +( caller 0 )[5] ? ( caller 0 )[5] ? 'list' : 'scalar' : 'void' }
my $s   = context();
my ($l) = context();
my @l   = context();
print "$s $l @l\n";
sub report     { $seen = context_in(); return }
sub context_in { ( caller 1 )[5] // 'undef' }
report();
print "$seen\n";
my $x = report();
print "[$seen]\n";
my @x = report();
print "[$seen]\n";
print "in print: ", context(), " in scalar: ", scalar( context() ), "\n";
print "interpolated: @{[ context() ]} ${\ context() }\n";
if ( context() eq 'scalar' ) { print "boolean is scalar\n" }
for ( context() ) { print "for: $_\n" }
my @m = map { context() } 1, 2;
print "map: @m\n";
my %h = ( a => context() );
print %h, "\n";
return_last();
sub return_last { inner_void() }
sub inner_void  { print defined wantarray ? "defined" : "void", "\n" }
my @slice = ( context() )[ 0, 0 ];
print "@slice\n";
my $count = () = context();
print "$count\n";
my $t = sub {wantarray}
    ->();
print defined $t ? "[$t]" : 'undef', "\n";
print "x" x context_number(),        "\n";
sub context_number { wantarray ? 9 : 2 }
return_in_eval();
sub return_in_eval {
    my $r = eval { return wantarray ? 'l' : 's' };
    my @r = eval { return wantarray ? 'l' : 's' };
    print "$r @r\n";
}
