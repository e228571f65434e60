# Calls and little else: many small subs and methods.
use strict;
use warnings;

package Counter {
    sub new { my ($class) = @_; return bless { count => 0 }, $class }
    sub up { my ($self, $by) = @_; $self->add($by); return }
    sub add { $_[0]{count} += $_[1]; return }
    sub count { return $_[0]{count} }
}

sub is_even { my ($number) = @_; return $number % 2 == 0 }
sub half    { my ($number) = @_; return is_even($number) ? $number / 2 : 3 * $number + 1 }
sub steps   { my ($number) = @_; my $steps = 0; until ($number == 1) { $number = half($number); $steps++ } return $steps }

my $counter = Counter->new;
$counter->up(steps($_)) for 1 .. 25_000;
print $counter->count, "\n";
