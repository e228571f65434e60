# Sums over what is exported as text are the process's counters; names break neither lines nor fields.

use strict;
use warnings;

use FindBin;
use JSON::PP ();
use Test::More;

use lib "$FindBin::Bin/lib";
use MProfTest;
use MProfExport;

need_package('libscalar-list-utils-perl', 'Sub::Util');

my $run   = exported_run();
my $total = $run->counters;

for my $metric (qw(allocated_bytes allocated_blocks freed_bytes live_bytes)) {
    my $text = read_file(export($run, 'folded', '--metric', $metric));
    my $sum = 0;
    my %of_sub;
    for my $line (split /\n/, $text) {
        my ($stack, $figure) = $line =~ /^(\S.*) (\d+)$/ or fail("no stack: $line");
        $sum += $figure;
        $of_sub{ (split /;/, $stack)[-1] } += $figure;
    }
    is($sum, $total->{$metric}, "folded: $metric of all stacks are the process's");
    my %expected = %{ figures($run, 'self', $metric) };
    is_deeply([sort { $a <=> $b } values %of_sub], [sort { $a <=> $b } values %expected], 'by sub those of the subs');
    is($of_sub{'main::down'}, $expected{'main::down'}, 'such as this one');
}

my ($head, @rows) = split /\n/, read_file(export($run, 'csv'));
my @columns = split /,/, $head;
my ($at) = grep { $columns[$_] eq 'allocated_bytes' } 0 .. $#columns;
my $sum = 0;
for my $row (@rows) {
    my @fields = $row =~ /\G("(?:[^"]|"")*"|[^,]*)(?:,|$)/g;
    $sum += $fields[$at];
}
is($sum, $total->{allocated_bytes}, 'csv: a row a line, and their sum is the process\'s');

my $json = JSON::PP->new->utf8->decode(read_file(export($run, 'json')));
is($json->{schema}, 1, 'json has a schema');
my $tables = $json->{runs}[0];
is($tables->{runs}[0]{$_}, $total->{$_}, "$_ of the run") for qw(allocated_bytes live_bytes peak_bytes);
for my $column (qw(allocated_bytes freed_bytes live_bytes)) {
    $sum = 0;
    $sum += $_->{$column} for @{ $tables->{places} };
    is($sum, $total->{$column}, "json: $column of all places are the process's");
}
is(scalar(grep { $_->{sub} eq "Odd::new\nline" } @{ $tables->{subs} }), 1, 'names in json are as they are');

done_testing;
