# What can a program find out about itself? (t/50-calls-are-untouched.t compares what it prints.)

print join( ',', sort grep { !/^(?:_<|\W)/ && !/Devel|^DB::|DynaLoader/ } keys %INC ), "\n";
print "P: ", defined &DB::DB ? '' : '', $^P & ~0x100, "\n";
print exists $INC{'strict.pm'} ? 'strict' : '', exists $INC{'warnings.pm'} ? 'warnings' : '',
    exists $INC{'XSLoader.pm'} ? 'XSLoader' : '', exists $INC{'Exporter.pm'} ? 'Exporter' : '', "\n";
print "@ARGV|$0|", __FILE__, '|', __LINE__, "\n";
print join( ',', map { defined $ENV{$_} ? "$_=$ENV{$_}" : "no $_" } qw(PERL5DB PERL5OPT PERL5LIB) ), "\n";
print $^W, $^H & 0x602, ${^TAINT}, $^S, "\n";
use B ();
sub two { 1; 2 }
print B::svref_2object( \&two )->GV->NAME, ' ', B::svref_2object( \&two )->START->name, ' ',
    B::svref_2object( \&two )->ROOT->name, "\n";
print B::svref_2object( \&two )->START->isa('B::COP') ? ref( B::svref_2object( \&two )->START ) : 'x', "\n";
require B::Deparse;
print B::Deparse->new->coderef2text( \&two ), "\n";
print exists $::{'_</nowhere'} ? 'x' : 'none', "\n";
print ref \&two, ' ', defined &two ? 1 : 0, exists &nope ? 1 : 0, "\n";
print sub { ( caller(0) )[10] ? 1 : 0 }
    ->(), "\n";
local $^W = 1;
print $^D, "\n";
print $] >= 5.018 ? "v\n" : "old\n";
print ${^GLOBAL_PHASE}, "\n";
BEGIN { print ${^GLOBAL_PHASE}, "\n" }
END   { print ${^GLOBAL_PHASE}, "\n" }
package Late {
    sub DESTROY { print "destroyed in ${^GLOBAL_PHASE}\n" }
}
our $late = bless [], 'Late';
my $early = bless [], 'Late';
undef $early;
use constant X => 5;
print B::svref_2object( \&X )->CvFLAGS & B::CVf_CONST() ? "const\n" : "not\n";
use Scalar::Util qw(weaken isweak);
my $w = my $s = [];
weaken $w;
print isweak($w), defined $w, "\n";
undef $s;
print defined $w ? 'leak' : 'gone', "\n";
print tied(%ENV) ? 't'    : 'n',    "\n";
sub O2::new     { bless {}, shift }
sub O2::DESTROY { print "D$_[0]{n}\n" }
for my $n ( 1 .. 3 ) { my $o = O2->new; $o->{n} = $n; take($o) }
sub take { my ($o) = @_; return }
print "last\n";
