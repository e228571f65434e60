# A worker with its loop at the top level of the file: what it has done stays in a hash.
# MARK api
# EXPECT scalars_per_mark=4
# The hash's value, an array and its 2 elements.

use strict;
use warnings;

my $jobs = shift || 200;
my (%done, @order);
my $sum = 0;
my $checked = 0;

for my $number (1 .. $jobs) {
    my %job = (id => "job$number", work => [map { $_ * $number } 1 .. 10]);
    my $result = 0;
    $result += $_ for @{ $job{work} };
    next if $done{ $job{id} };
    $done{ $job{id} } = [$number, $result];    # LEAK
    $sum += $result;
    $checked++ if exists $done{ 'job' . ($number - 1) };
}
continue {
    Devel::MProf::mark('job') if defined &Devel::MProf::mark;
}
print "$jobs jobs, sum $sum, $checked checked\n";
