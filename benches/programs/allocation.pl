# Allocates and frees all the time: small records that come and go, some of them kept for a while.
use strict;
use warnings;

my @window;
my $total = 0;
for my $number (1 .. 600_000) {
    my %record = (id => $number, name => "record $number", tags => [map "tag$_", 1 .. $number % 5]);
    push @window, \%record;
    $total += length($_->{name}) + @{ $_->{tags} } for $window[$number % @window];
    splice @window, 0, 500 if @window > 1000;
}
print "$total\n";
