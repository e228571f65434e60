# callgrind_annotate agrees with the table of subs, recursion counted once.

use strict;
use warnings;

use FindBin;
use Test::More;

use lib "$FindBin::Bin/lib";
use MProfTest;
use MProfExport;

need_package('libscalar-list-utils-perl', 'Sub::Util');

need_tool('callgrind_annotate', 'valgrind');
my $run = exported_run();
my $profile = export($run, 'callgrind');
my @metrics = qw(allocated_bytes allocated_blocks live_bytes live_blocks at_peak_bytes scalars);

# By metric: {FILE:NAME => figure}.
sub annotated {
    my (@arguments) = @_;
    my $text = tool('callgrind_annotate', '--threshold=100', '--show-percs=no', '--auto=no', @arguments, $profile);
    my %by_metric = map { ($_ => {}) } @metrics;
    for my $line (split /\n/, $text) {
        my ($figures, $name) = $line =~ /^((?:\s*[\d,.]+){6})\s+(.+?)(?: \[\])?$/ or next;
        next if $name eq 'PROGRAM TOTALS';
        my @figures = split ' ', $figures;
        for my $metric (@metrics) {
            (my $figure = shift @figures) =~ tr/,.//d;
            $by_metric{$metric}{$name} += $figure if $figure;
        }
    }
    return \%by_metric;
}

sub expected {
    my ($whose, $metric) = @_;
    return figures($run, $whose, $metric, sub { join ':', $_[0]{file} eq '' ? '???' : $_[0]{file}, $_[0]{name} });
}

my ($self, $inclusive) = (annotated(), annotated('--inclusive=yes'));
for my $metric (@metrics) {
    is_deeply($self->{$metric}, expected('self', $metric), "$metric of every sub itself");
    is_deeply($inclusive->{$metric}, expected('inclusive', $metric), "$metric of every sub with all it calls");
}

my $tree = tool('callgrind_annotate', '--threshold=100', '--show-percs=no', '--auto=no', '--tree=calling', $profile);
like($tree, qr/> .*main::odd \(\d+x\)/, 'calls have their number');

done_testing;
