# go tool pprof agrees with the table of subs: own and inclusive figures, of every metric.

use strict;
use warnings;

use FindBin;
use Test::More;

use lib "$FindBin::Bin/lib";
use MProfTest;
use MProfExport;

need_package('libscalar-list-utils-perl', 'Sub::Util');

need_tool('go', 'golang-go');
my $run = exported_run();
my $profile = export($run, 'pprof');

# {flat => {NAME => figure}, cum => {NAME => figure}}
sub top {
    my ($metric, @arguments) = @_;
    my $text = tool('go', qw(tool pprof -top -nodecount=1000000 -nodefraction=0 -edgefraction=0 -unit=B),
        "-sample_index=$metric", @arguments, $profile);
    my %top = (flat => {}, cum => {});
    for my $line (split /\n/, $text) {
        my ($flat, $cum, $name) = $line =~ /^\s*(-?\d+)B?\s+\S+\s+\S+\s+(-?\d+)B?\s+\S+\s+(.*)$/ or next;
        $top{flat}{$name} = $flat if $flat;
        $top{cum}{$name}  = $cum  if $cum;
    }
    return \%top;
}

for my $metric (qw(allocated_bytes allocated_blocks live_bytes live_blocks at_peak_bytes scalars)) {
    my $top = top($metric);
    is_deeply($top->{flat}, figures($run, 'self', $metric), "$metric of every sub itself");
    is_deeply($top->{cum}, figures($run, 'inclusive', $metric), "$metric of every sub with all it calls");
}

my $lines = top('allocated_bytes', '-lines');
my ($expected) = grep { $_->{file} eq 'prog.pl' && $_->{line} == 7 } @{ $run->report('lines')->{lines}{rows} };
my $found = 0;
$found += $lines->{flat}{$_} for grep { /prog\.pl:7$/ } keys %{ $lines->{flat} };
is($found, $expected->{self_allocated_bytes}, 'and of a line');

done_testing;
