# Text: lines are made, matched, split and put together again, words counted and sorted.
use strict;
use warnings;

my %count;
my $text = '';
for my $number (1 .. 60_000) {
    my $line = sprintf 'line %06d: %s=%x; the quick brown fox number %d', $number, 'k' . $number % 97, $number, $number % 13;
    if (my ($key, $value) = $line =~ /(\w+)=([0-9a-f]+)/) { $count{$key} += hex $value }
    $count{ lc $_ }++ for split /\W+/, $line;
    $line =~ s/\bfox\b/dog/g;
    $text .= "$line\n";
    $text = substr $text, -50_000 if length $text > 100_000;
}
print join ' ', map "$_=$count{$_}", (sort { $count{$b} <=> $count{$a} || $a cmp $b } keys %count)[0 .. 9];
print "\n";
