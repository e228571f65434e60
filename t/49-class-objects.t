# Objects of perl's own classes (`feature 'class'`, perl 5.38): what they hold in their fields is told by the field's name,
# nothing is referred to more often than perl counts, and a cycle through fields is found.

use strict;
use warnings;

use FindBin;
use Test::More;

use lib "$FindBin::Bin/lib";
use MProfTest;

plan skip_all => 'this perl has no classes of its own' if $] < 5.038;

my $run = profiled(<<'PERL', mprof => 'verify=1:mark=main::work');
use v5.38;
use feature 'class';
no warnings 'experimental::class';

class Shape {
    field $name :param = 'no name';
    field @points;
    field %seen;
    ADJUST { push @points, 1 .. 3; $seen{$name} = [@points] }
    method name { return $name }
    method count { return scalar @points + keys %seen }
}
class Circle :isa(Shape) {
    field $radius :param //= 1;
    field $other;
    method meet ($circle) { $other = $circle; return $self }
    method area { my $area = sub { return $radius ** 2 * 3 }; return $area->() }
}

package main;
my @clean;
sub work ($n) {
    my ($one, $two) = map { Circle->new(name => "circle $_", radius => $n) } 1, 2;
    $one->meet($two);
    $two->meet($one);
    @clean = (Circle->new(radius => $n), Shape->new);
    return $one->area + $two->count + length $clean[1]->name;
}
my $sum = 0;
$sum += work($_) for 1 .. 200;
print "$sum\n";
PERL
is($run->{stderr}, '', 'nothing is referred to more often than perl counts');
is($run->{exit}, 0, 'the program runs');

my @leaks = $run->leaks;
ok(scalar @leaks, 'the cycle is a leak') or done_testing, exit;
is($leaks[0]{reason}, 'cycle', 'for it is one');
my ($leak) = @{ $run->report('leaks')->{leaks}{rows} };
is($leak->{reason}{path}, "Circle{\$other} \x{2192} Circle{\$other}", 'through the field of that name');

my ($class) = grep { $_->{class} eq 'Circle' } @{ $run->report('classes')->{classes}{rows} };
is($class->{kind}, 'OBJECT', 'they are objects');
# Head and body come from perl's pools; each field is a scalar of its own.
cmp_ok($class->{body_bytes}, '>=', $class->{scalars} * (24 + 40), 'with the bytes of their bodies');

done_testing;
