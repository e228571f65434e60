# Statements that do arithmetic in variables that are there already: nothing is called and nothing allocated.
use strict;
use warnings;

my ($seed, $sum, $low, $high) = (1, 0, 0, 0);
for my $number (1 .. 3_500_000) {
    $seed = $seed * 1103515245 % 2147483648;
    $seed += 12345;
    my $part = $seed % 100;
    if ($part < 50) {
        $low++;
        $sum += $part;
    }
    else {
        $high++;
        $sum -= $part;
    }
    $sum = 0 if $sum < -1_000_000;
}
print "$sum $low $high\n";
