# Programs that do odd things to subs, descriptors, signals and memory run on as without the profiler, and leave a trace.

use strict;
use warnings;

use FindBin;
use Test::More;

use lib "$FindBin::Bin/lib";
use MProfTest;

my %odd = (
    'a sub undefines itself'      => 'sub f { eval { undef &f }; print $@, "still here\n"; my @x = (1) x 100; return 5 } print f(), "\n"; eval { f() }; print $@',
    'a sub redefines itself'      => 'no warnings; sub f { eval q{sub f { "new" }}; return "old" } print f(), f(), "\n"',
    'a sub is freed as it runs'   => 'my $f; $f = sub { undef $f; my @x = map { $_ } 1 .. 10; return "@x" }; print $f->(), "\n"',
    'a glob is freed as its sub runs' => 'sub f { undef *f; delete $main::{f}; return "gone" } my $r = \&f; print $r->(), "\n"; print eval { main->can("f") ? 1 : 0 }',
    'a package is deleted'        => 'package P; sub new { bless [] } sub m { 1 } sub DESTROY { print "D\n" } package main; my $o = P->new; $o->m; %P:: = (); undef $o; eval { P->new }; print $@',
    'a closure outlives its maker' => 'my @s = map { my $x = [$_]; sub { push @$x, scalar @$x; "@$x" } } 1 .. 3; print $_->(), $_->(), "\n" for @s; @s = (); print "x"',
    'caller is deep'              => 'sub r { my $n = shift; return $n ? r($n - 1) : (caller(99))[3] . (caller(100))[3] } print r(100)',
    'all descriptors are closed'  => 'require POSIX; my $w = 1; POSIX::close($_) for 3 .. 1100; open my $f, "<", "prog.pl" or die; print fileno $f, "\n"; my @x = map { [$_] } 1 .. 5000; sub f { 1 } f(); opendir my $d, "/" or die; print "fine\n"',
    'a descriptor limit'          => 'my @f; while (open my $f, "<", $0) { push @f, $f; last if @f > 2000 } print @f > 200 ? "many\n" : "few\n"',
    'the folder is removed'       => 'mkdir "gone"; chdir "gone"; rmdir "../gone"; sub f { 1 } f(); print -d "." ? "there" : "not", "\n"',
    'the trace is removed'        => 'sub f { 1 } f(); unlink "mprof.bin"; f(); print "fine\n"',
    'signals in a storm'          => 'my $n = 0; $SIG{ALRM} = sub { $n++; my @x = map { [$_] } 1 .. 10 }; require Time::HiRes; Time::HiRes::setitimer(Time::HiRes::ITIMER_REAL(), 0.001, 0.001); my @k; my $end = Time::HiRes::time() + 0.3; while (Time::HiRes::time() < $end || $n <= 10 && Time::HiRes::time() < $end + 60) { push @k, "x" x 100; @k = () if @k > 1000; f() } Time::HiRes::setitimer(Time::HiRes::ITIMER_REAL(), 0); sub f { my %h = (a => 1); return keys %h } print $n > 10 ? "many\n" : "few: $n\n"',
    'a huge string'               => 'my $s = "x" x 50_000_000; substr($s, 0, 10) = ""; print length $s, "\n"; my @x = (0) x 1_000_000; $#x = 5; print scalar @x',
    'a sort changes its sub'      => 'sub by { no warnings; $a <=> $b } my @x = sort by 3, 1, 2; { no warnings; *by = sub { $b <=> $a } } my @y = sort by 3, 1, 2; print "@x @y"; my $name = "by"; print sort $name 1, 2; my @in = (3, 1, 2); @in = sort { $a <=> $b } @in; print "@in"; print join ",", reverse sort { $a <=> $b } @in',
    'sort within sort'            => 'sub inner { my @x = sort { $b <=> $a } @_; return "@x" } my @x = sort { inner($a, $b) cmp inner($b, $a) || $a <=> $b } 5, 3, 4; print "@x"; sub outer { return $a <=> $b } my @y = sort outer map { my @z = sort outer 2, 1; $_ } 3, 1; print "@y"',
    'goto in and out'             => 'sub f { my $n = shift; goto &{ "f$n" } } sub f1 { my @c = caller(0); return "$c[3] @_" } sub f2 { @_ = (1, @_); goto &f } no strict; print f(1, "x"), f(2, "y")',
    'die with an object that dies' => 'package E; sub new { bless {} } sub DESTROY { die "in destroy" } package main; no warnings; eval { die E->new }; print ref $@ ; $@ = ""; eval { my $e = E->new; die "first\n" }; print $@',
    'DESTROY resurrects'          => 'our $r; package O; sub DESTROY { $main::r = $_[0]; print "D" } package main; { my $o = bless [1], "O" } print "@$r"; undef $r; print "end"',
    'eval in DESTROY in die'      => 'package O; sub DESTROY { eval { die "x" }; print "D[$@]" =~ s/ at.*//sr } package main; sub f { my $o = bless []; bless $o, "O"; die "outer\n" } eval { f() }; print $@',
    'local in recursion'          => 'our $v = 0; sub f { local $v = $v + 1; return $v > 50 ? $v : f() } print f(), $v',
    'tied scalars everywhere'     => 'package T; my $n = 0; sub TIESCALAR { bless [] } sub FETCH { $n++; return \&main::target } package main; sub target { return "t(@_)" } tie my $t, "T"; print $t->(1); print &$t(2); print $n; my @x = map { $t->($_) } 1 .. 3; print "@x $n"',
    'overloaded code'             => 'package C; use overload "&{}" => sub { my $s = shift; sub { "called @_ $$s" } }; package main; my $x = 5; my $o = bless \$x, "C"; print $o->(1), &$o(2); print "\n"',
    'string calls'                => 'no strict; sub f { "f@_" } my $n = "f"; print &$n(1), &{"main::f"}(2), "main"->can("f")->(3); my $m = "Foo::bar"; *$m = sub { "bar@_" }; print Foo->bar, &$m; eval { &{"nope"}() }; print $@',
    'AUTOLOAD of functions and methods' => 'sub AUTOLOAD { our $AUTOLOAD; my $n = $AUTOLOAD; return if $n =~ /DESTROY/; return "auto($n|@_)" } print foo(1), main->bar(2), Other->can("x") ? 1 : 0; undefined_thing(); package Sub; our @ISA = "main"; print Sub->baz(3)',
    'lvalues of all kinds'        => 'my @a = (1 .. 5); sub at :lvalue { $a[$_[0]] } at(1) = 9; at($_)++ for 2, 3; my $r = \at(0); $$r = 7; (at(4), my $x) = (8, 1); local $_ = at(1); print "@a"; sub sl :lvalue { @a[0, 1] } (sl()) = (0, 0); print "@a"; sub ss :lvalue { substr $a[2], 0, 1 } ss() = "zz"; print "@a"; sub nested :lvalue { at($_[0]) } nested(3) .= "n"; print "@a"',
    'formats, sprintf, pos, local' => "our \$x = 5; sub val { return \$x++ }\nformat STDOUT =\n@<< @>>\nval(), val()\n.\nwrite; write; printf \"%s %s\\n\", val(), val(); my \$s = 'aXbX'; while (\$s =~ /X/g) { print pos(\$s), val() }",
    'heavy string evals'          => 'my $t = 0; for my $n (1 .. 500) { $t += eval "my \$x = $n; sub { \$x + 1 }->()" } print $t',
    'BEGIN, INIT, CHECK, END in evals' => 'no warnings; eval q{BEGIN { print "b" } END { print "e" }}; eval q{INIT { print "never" } CHECK { print "never" }}; print "m"; END { print "last" }',
    'use in the middle'           => 'print "a"; sub f { require List::Util; List::Util->import("sum"); return &sum(1, 2) } print f(); eval "use Scalar::Util qw(blessed); print blessed(bless []) "; print $@; require POSIX; print POSIX::floor(2.5)',
    'a source filter'             => 'BEGIN { require Filter::Util::Call; Filter::Util::Call::filter_add(sub { my $s = Filter::Util::Call::filter_read(); s/HELLO/print "hello"/; $s }) } 
HELLO; sub f { 1 } f();
',
    'dynamic scope through signals' => 'local $SIG{USR1} = sub { our $seen .= (caller(1))[3] // "main" }; sub inner { kill USR1 => $$; my $x = 1; return } inner(); print our $seen',
    'sprintf into itself'         => 'my $x = "%s"; $x = sprintf $x x 10, map { f($_) } 1 .. 10; sub f { return $_[0] x 2 } print $x',
    'reentry from XS'             => 'use List::Util qw(first sum reduce); sub deep { my $n = shift; return $n ? first { deep($n - 1) } 1 .. 2 : 1 } print deep(5); print sum(map { first { $_ > 1 } 1 .. $_ } 2 .. 4); print reduce { my $x = $a + first { 1 } $b; $x } 1 .. 5; eval { first { die "in first\n" } 1 }; print $@; print first { last_one($_) } 1 .. 3; sub last_one { return $_[0] == 3 }',
    'return from first'           => 'use List::Util qw(first); sub f { my $r = first { return 1 } 5; return "r$r" } print f()',
    'a regex that calls'          => 'my $n = 0; sub count { $n++; return "b" } "abab" =~ /(?:a(??{ count() }))+/; print $n; my $re = qr/(?{ count() })x/; "x" =~ $re for 1 .. 3; print $n; (my $s = "a-b") =~ s/(\w)/count() . $1/gee if 0; print "abc" =~ s/(.)/count()/ger',
    'wait and SIGCHLD'            => 'my $got = 0; $SIG{CHLD} = sub { while ((my $p = waitpid -1, 1) > 0) { $got++ } }; for (1 .. 3) { my $p = fork // die; if (!$p) { my @x = (1) x 100; exit 0 } } my $t = time; select undef, undef, undef, 0.05 while $got < 3 && time - $t < 60; print $got',
    'stdin to exec'               => '$| = 1; print "before "; system "echo", "child"; my $x = qx{echo tick}; print $x; open my $p, "|-", "cat" or die; print {$p} "to cat\n"; close $p; print $?',
    'dup of everything'           => 'open my $o, ">&", \*STDOUT; open my $e, ">&=", 2; print {$o} fileno($o), "\n"; close $o; local *STDOUT; open STDOUT, ">", \my $buffer; print "captured"; print STDERR length $buffer',
    'weak references'             => 'use Scalar::Util qw(weaken); package N; sub new { bless { k => [] } } sub DESTROY { print "d" } package main; { my $p = N->new; my $c = N->new; push @{ $p->{k} }, $c; $c->{p} = $p; weaken $c->{p} } print "after"; { my $x = N->new; $x->{self} = $x } print "leaked"',
);
for my $name (sort keys %odd) {
    my $run = same_behaviour($name, $odd{$name});
    # A perl with assertions stops by itself at some: that is the same, then.
    next if $run->{signal} && $run->{stderr} =~ /: Assertion `/ && plain($odd{$name})->{signal};
    is($run->{signal}, 0, "$name: no crash");
    cmp_ok(length $run->{stdout}, '>', 0, "$name: it says something") or diag($run->{stderr});
    next if $name eq 'the trace is removed';
    is(mprof_dump('subs', $run->trace)->{exit}, 0, "$name: it leaves a trace");
}

done_testing;
