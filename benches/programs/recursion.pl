# Recursion: a hundred thousand levels of one sub, and a tree of calls.
use strict;
use warnings;
no warnings 'recursion';

sub deep { my ($levels) = @_; return $levels ? 1 + deep($levels - 1) : 0 }
sub ackermann {
    my ($m, $n) = @_;
    return $n + 1 if $m == 0;
    return ackermann($m - 1, $n ? ackermann($m, $n - 1) : 1);
}

my $sum = 0;
$sum += deep(100_000) for 1 .. 12;
$sum += ackermann(2, $_) for 1 .. 150;
print "$sum\n";
