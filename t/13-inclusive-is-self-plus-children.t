# At every node of the call tree, inclusive figures are its own and those of its children.

use strict;
use warnings;

use FindBin;
use Test::More;

use lib "$FindBin::Bin/lib";
use MProfTest;

my @programs = (
    ['a chain of calls', 'sub a1 { b1(@_, 1) } sub b1 { c1(@_, 2) } sub c1 { my @x = (@_) x 50; scalar @x } a1($_) for 1 .. 20'],
    ['mutual recursion', 'sub even { $_[0] ? odd($_[0] - 1) : [] } sub odd { $_[0] ? even($_[0] - 1) : {} } push @x, even($_) for 1 .. 50'],
    ['dying',  'sub f { my @x = (1) x 100; die "f" if $_[0] % 3; push @y, "y$_[0]" x 20 } for (1 .. 99) { eval { f($_) } }'],
    ['string evals', 'sub f { eval "sub { \$_[0] . q(x) x $_[0] }" } push @subs, f($_) for 1 .. 30; push @x, $_->(5) for @subs'],
    ['frees elsewhere', 'sub make { push @x, "abc" x 500 . $_[0] } sub drop { pop @x } make($_) for 1 .. 40; drop() for 1 .. 35'],
    ['a real one', 'use JSON::PP; my $j = JSON::PP->new->canonical->pretty; my $d = { map { $_ => [1 .. $_] } 1 .. 30 };
        $d = $j->decode($j->encode($d)) for 1 .. 3; print length $j->encode($d)'],
);

for my $program (@programs) {
    my ($name, $text) = @$program;
    my $run = profiled($text);
    is($run->{exit}, 0, "$name: runs") or diag($run->{stderr});
    my @rows = $run->tree;
    cmp_ok(scalar @rows, '>=', 3, "$name: there is a tree");
    is_deeply([wrong(@rows)], [], "$name: every figure of every node adds up");

    my $counters = $run->counters;
    is(sum('self_allocated_bytes', @rows), $counters->{allocated_bytes}, "$name: self allocated of all is the process's");
    is(sum('self_allocated_blocks', @rows), $counters->{allocated_blocks}, "$name: and blocks");
    is(sum('self_freed_bytes', @rows), $counters->{freed_bytes}, "$name: and freed");
    is(sum('self_live_bytes', @rows), $counters->{live_bytes}, "$name: and live");
    is(sum('self_at_peak_bytes', @rows), $counters->{peak_bytes}, "$name: and live at the peak");

    my @subs = @{ $run->report('subs')->{subs}{rows} };
    is(sum('self_allocated_bytes', @subs), $counters->{allocated_bytes}, "$name: so it is by sub");
    is(sum('self_live_blocks', @subs), $counters->{live_blocks}, "$name: live blocks by sub");
    is(sum('calls', @subs), sum('calls', @rows), "$name: as many calls by sub as in the tree");
}

done_testing;

sub sum {
    my ($column, @rows) = @_;
    my $sum = 0;
    $sum += $_->{$column} for @rows;
    return $sum;
}

# A sentence for every figure that is not its own and its children's.
sub wrong {
    my @rows = @_;
    my %sum;
    my @columns = map { /^inclusive_(.+)/ && exists $rows[0]{"self_$1"} ? $1 : () } sort keys %{ $rows[0] };
    return 'no columns' if @columns < 4;
    for my $row (grep { defined $_->{parent_id} } @rows) {
        $sum{ $row->{parent_id} }{$_} += $row->{"inclusive_$_"} for @columns;
    }
    my @wrong;
    for my $row (@rows) {
        for my $column (@columns) {
            my $expected = $row->{"self_$column"} + ($sum{ $row->{node_id} }{$column} || 0);
            push @wrong, "$row->{name}: inclusive_$column is $row->{qq(inclusive_$column)}, not $expected"
                if $row->{"inclusive_$column"} != $expected;
        }
    }
    return @wrong;
}
