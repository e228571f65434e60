# Two runs side by side: lines that moved make no difference, and what grew stands where it grew.

use strict;
use warnings;

use FindBin;
use JSON::PP ();
use Test::More;

use lib "$FindBin::Bin/lib";
use MProfTest;

my $program = <<'PERL';
our (@kept, %cache);
sub keep { my $text = shift; push @kept, $text x 10; return }
my $later = sub {
    keep('later' . shift);
};
sub handle {
    my $n = shift;
    $cache{$n} = 'c' x (300 + @_);
    $later->($n);
    return;
}
for my $n (1 .. 50) {
    handle($n);
    keep("direct $n");
}
PERL

sub diff {
    my ($old, $new, @arguments) = @_;
    my $read = mprof_dump('diff', '--json', '--top', 1000, @arguments, $old->trace, $new->trace);
    return ($read->{exit}, JSON::PP->new->utf8->decode($read->{stdout}), $read->{stderr});
}

# Rows of the program's subs that differ by more than where the allocator happens to find a block. What perl needs to
# compile a longer file is another matter. Any block may be this much larger in one run: glibc gives away with a block
# what would be too small to stand alone. 150 blocks found elsewhere have differed by seven times that.
my $another_place_bytes = 16;

sub changed {
    my ($diff) = @_;
    my @rows = grep { ($_->{sub} || $_->{name}) =~ /^main::(?!BEGIN)/ } map { @{ $diff->{$_}{rows} } } qw(subs lines);
    return [
        grep {
                   abs $_->{difference_allocated_bytes} > $another_place_bytes * $_->{old_allocated_blocks}
                || abs $_->{difference_live_bytes} > $another_place_bytes * $_->{old_live_blocks}
                || $_->{difference_allocated_blocks}
                || $_->{difference_net_scalars}
                || (exists $_->{sub} && !($_->{old_line} && $_->{new_line}))
        } @rows
    ];
}

my $plain = profiled($program);
my $moved = profiled("# A comment.\n\n\n" . $program =~ s/^sub handle/\n\n# More of it.\nsub handle/mr);
my ($exit, $diff) = diff($plain, $moved);
is($exit, 0, 'two runs are compared');
is_deeply(changed($diff), [], 'lines put in above and between make no difference') or diag(explain(changed($diff)));

my $leaky = profiled("\n\n" . $program =~ s/300/2300/r);
($exit, $diff, my $stderr) = diff($plain, $leaky, '--fail-over', '50k');
is($exit, 3, 'growth beyond what is allowed is an exit code of its own');
like($stderr, qr/live bytes grew by \d+, more than 51200/, 'and is told');
my ($line) = @{ $diff->{lines}{rows} };
is_deeply([$line->{old_line}, $line->{new_line}], [8, 10], 'the line that grew is the first');
is($line->{sub}, 'main::handle', 'with its sub');
cmp_ok($line->{difference_live_bytes}, '>=', 50 * 1900, 'by what it keeps more');
my ($path) = @{ $diff->{paths}{rows} };
like(join(' ', @{ $path->{path} }), qr/^\(main program\) main::handle \(called on 15\)$/, 'and the way there');

done_testing;
