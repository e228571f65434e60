# Leaks: each job leaves a tree whose nodes refer to their parents, and an entry of a cache that is never emptied.
use strict;
use warnings;

my %cache;

sub tree {
    my ($parent, $depth) = @_;
    my $node = { parent => $parent, depth => $depth, children => [] };
    push @{ $node->{children} }, tree($node, $depth - 1) for $depth ? (1, 2) : ();
    return $node;
}

sub job {
    my ($number) = @_;
    my $tree = tree(undef, 4);
    my @parts = map "part $_ of $number", 1 .. 200;
    $cache{"job $number"} = join ',', @parts[0 .. 9];
    return scalar @{ $tree->{children} };
}

my $done = 0;
$done += job($_) for 1 .. 12_000;
print "$done\n";
