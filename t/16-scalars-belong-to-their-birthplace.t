# A scalar counts where it was born, wherever it dies, and the ledger of births is what perl's arenas hold.

use strict;
use warnings;

use Config;
use FindBin;
use Test::More;

use lib "$FindBin::Bin/lib";
use MProfTest;

my $hand_over = profiled(<<'PERL', options => 'verify=1');
my @kept;
sub make { push @kept, $_[0] + 0.5; return }
sub drop { @kept = (); return }
make($_) for 1 .. 1000;
our @half = map { \$_ } @kept[0 .. 399];
drop();
make($_) for 1 .. 50;
print scalar(@kept), ' ', scalar(@half);
PERL
is($hand_over->{stdout}, '50 400', 'the program keeps 450 scalars');
is($hand_over->{stderr}, '',       'the ledger is right');
my $make = $hand_over->of_sub('main::make');
is($make->{self_born_scalars}, 1050, 'make: all that it made were born there');
is($make->{self_net_scalars},  450,  'make: those that live still are its own');
cmp_ok($hand_over->of_sub('main::drop')->{self_died_scalars}, '<', 100, 'drop: those it dropped are not');

my $line = $hand_over->lines_of('prog.pl')->{2};
is($line->{self_net_scalars}, 450, 'the line that made them says so too');

# Code is freed in the midst of a statement that lives on and calls.
my $undefining = profiled(<<'PERL', options => 'verify=1');
our (@kept, $name); sub bar { return scalar @_ }
eval "sub foo$_ { my \$z = 1; return \$z }" for 1 .. 200;
for $name (map { "foo$_" } 1 .. 200) {
  push @kept, [{ a => 1, b => [1 .. 20] }, undef(&$name), bar(1)];
}
PERL
is($undefining->{stderr}, '', 'the ledger is right');
cmp_ok($undefining->lines_of('prog.pl')->{4}{self_net_scalars}, '>=', 200 * 25, 'what was born before the call has its line');

# All ways for scalars to come and go that perl has.
my $busy = profiled(<<'PERL', options => 'verify=1,interval=0.05');
use strict; use warnings; use Scalar::Util 'weaken';
our ($global, @global, %global) = (1);
sub closures { my @c = map { my $n = $_; sub { $n++ } } 1 .. 20; $_->() for @c; return $c[3] }
sub cycle    { my $p = {}; $p->{child} = { parent => $p }; weaken $p->{child}{parent} if $_[0] % 2; return }
sub evals    { eval "sub generated_$_[0] { my \@x = (1 .. 9); \$x[2] } generated_$_[0]()" or die $@; return }
sub locals   { local $global = { a => [1, 2] }; local @global = (1 .. 5); local $global{$_[0]} = 1; return dies() }
sub dies     { eval { my @big = (1 .. 30); die { code => \@big } }; return ref $@ }
sub undefs   { my ($s, @a, %h) = ('x' x 100, 1 .. 10, a => 1); undef $_ for $s; undef @a; undef %h; return }
sub stashes  { no strict 'refs'; *{"Pack$_[0]::f"} = sub { 1 }; "Pack$_[0]"->f; undef %{"Pack$_[0]::"}; return }
sub arenas   { my @many = map { [$_] } 1 .. 2000; return scalar @many }
sub sorts    { my @s = sort { my $x = [$b]; $x->[0] <=> $a } 1 .. 50; return $s[0] }
sub Tied::TIEHASH { bless {}, 'Tied' } sub Tied::STORE { $_[0]{$_[1]} = $_[2] } sub Tied::FETCH { $_[0]{$_[1]} }
sub ties     { tie my %t, 'Tied'; $t{$_} = [$_] for 1 .. 5; return $t{3}[0] }
my @kept;
for my $i (1 .. 300) {
    push @kept, closures();
    cycle($i); evals($i) if $i % 3 == 0; locals($i); undefs(); stashes($i); arenas() if $i % 10 == 0; sorts(); ties();
    shift @kept if @kept > 50;
}
print scalar @kept;
PERL
is($busy->{stdout}, 50, 'the busy program runs');
is($busy->{stderr}, '', 'the ledger is right at every snapshot');
my $counters = $busy->report('info')->{counters};
is(
    $counters->{live_scalars},
    $busy->report('info')->{header}{start_live_scalars} + $counters->{born_scalars} - $counters->{died_scalars}
        - $counters->{older_died_scalars},
    'scalars at the end = at the start + born - died',
);
my ($born, $died) = (0, 0);
for (values %{ $busy->subs }) {
    $born += $_->{self_born_scalars};
    $died += $_->{self_died_scalars};
}
is_deeply([$born, $died], [@$counters{qw(born_scalars died_scalars)}], 'the subs make up the whole');
is($busy->of_sub('main::cycle')->{self_net_scalars} % 150, 0, 'the cycles that are not weakened stay, the others go');

# perl destroys what objects are left at the end, before it calls those who want to know of the end.
for my $threads ('', $Config{useithreads} ? 'use threads; ' : ()) {
    my $objects = same_behaviour("${threads}objects are destroyed at the end, with \$\@ as it was", <<"PERL");
$threads sub make { my \$object = bless { n => 1 }, 'Thing'; \$object->{self} = \$object; return }
sub Thing::DESTROY { print \$@ } make() for 1 .. 101; eval { die "kept\\n" };
PERL
    is($objects->{stdout}, "kept\n" x 101, 'all of them');
    my $make = $objects->of_sub('main::make');
    # The first call makes some for good.
    is(int($make->{self_net_scalars} / 101), 3, "${threads}until then they live: 3 scalars each");
}

# With no option at all: of a sub's statements, the one that made them.
my $several = <<'PERL';
my @k;
sub f {
    push @k, $_[0];
    my $n = @k;
    return $n;
}
f($_) for 1 .. 500;
PERL
my $plain = profiled($several);
is_deeply([map { $plain->lines_of('prog.pl')->{$_}{self_net_scalars} || 0 } 3 .. 5], [500, 0, 0], 'the statement that made them');

my $without = profiled('my @k; sub f { push @k, 1; return } f() for 1 .. 500; @k = ();', options => 'ledger=0');
is($without->of_sub('main::f')->{self_net_scalars}, 500, 'ledger=0: deaths are booked on what ran');
$without = profiled($several, options => 'ledger=0');
is($without->of_sub('main::f')->{self_net_scalars}, 500, 'ledger=0: and births');

done_testing;
