# What becomes of $@, $!, $?, warnings and dying? (t/50-calls-are-untouched.t compares what it prints.)

sub dies { die @_ }
eval { dies("text\n") };
print $@;
eval { dies( { a => 1 } ) };
print ref $@, $@->{a}, "\n";
eval { dies("line") };
print $@;
eval {
    eval { dies("in\n") };
    print "inner $@";
    dies("out\n");
};
print $@;
{
    local $@ = 'kept';
    sub safe {
        eval {1}
    }
    print "[$@]";
    safe();
    print "[$@]\n";
}
sub keeps {
    local $@;
    eval { die "hidden\n" }
}
$@ = 'before';
keeps();
print "$@\n";
$! = 2;
sub errno { $! + 0 }
print errno(), "\n";
$! = 13;
my @l = map { errno() } 1 .. 3;
print "@l $!\n";
sub sets { $! = 4 }
sets();
print $! + 0, "\n";
for my $i ( 1 .. 500 ) { $! = 17; my @x = (1) x $i; errno() == 17 or print "errno $i\n"; }
open my $f, '<', '/nowhere' or print $! + 0, "\n";
system 'exit 3';
print $? >> 8, "\n";
sub child { $? >> 8 }
print child(), "\n";
eval { undefd() };
print $@;
eval { my $o; $o->m };
print $@;
eval { Nope->m };
print $@;
eval { my $s = 'abc'; use strict; &$s() };
print $@;
eval { die bless( {}, 'Err' ) };
print ref $@, "\n";
package Err {
    sub PROPAGATE { print "propagated @_[1, 2]\n"; $_[0] }
}
eval { $@ = bless {}, 'Err'; die };
warn "to stderr\n";
local $SIG{__WARN__} = sub { print "W: $_[0]" };
use warnings;
my $u;
my $w = "a$u";
sub warns { my $x = $_[0] + 1 }
warns('abc');
warn "plain";
sub redef {1}
eval 'sub redef { 2 }';
sub deep { deep( $_[0] - 1 ) if $_[0] }
deep(101);
$SIG{__DIE__} = sub { print "D: $_[0]" };
eval { dies("with handler\n") };
sub O::DESTROY {
    eval {1}
}
eval { my $o = bless [], 'O'; die "survives\n" };
print "[$@]";
sub ctx {
    return eval { die "x\n"; 1 } || 'failed';
}
print ctx(), "\n";
exit 7;
