# sqlite3 opens the export, and its sums are those of the reports.

use strict;
use warnings;

use FindBin;
use Test::More;

use lib "$FindBin::Bin/lib";
use MProfTest;
use MProfExport;

need_package('libscalar-list-utils-perl', 'Sub::Util');

need_tool('sqlite3', 'sqlite3');
my $run = exported_run();
my $database = export($run, 'sqlite');

sub query { my ($sql) = @_; my $answer = tool('sqlite3', $database, $sql); chomp $answer; return $answer }

is(query('PRAGMA integrity_check'), 'ok', 'it is whole');
is(query("SELECT group_concat(name, ' ') FROM (SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name)"),
    'calls leaks marks nodes places runs snapshots subs timeline', 'its tables');

my $total = $run->counters;
for my $figure (qw(allocated_bytes allocated_blocks freed_bytes live_bytes live_blocks)) {
    is(query("SELECT sum($figure) FROM places"), $total->{$figure}, "$figure of all places: the process's");
    is(query("SELECT sum(self_$figure) FROM $_"), $total->{$figure}, "$figure of all $_: the process's") for qw(nodes subs);
    is(query("SELECT $figure FROM runs"), $total->{$figure}, "$figure of the run");
    is(query("SELECT $figure FROM snapshots ORDER BY snapshot DESC LIMIT 1"), $total->{$figure}, 'and of the last snapshot');
    is(query("SELECT sum(inclusive_$figure) FROM nodes WHERE parent_id IS NULL"), $total->{$figure}, 'roots have it all');
}
is(query('SELECT sum(at_peak_bytes) FROM places'), $total->{peak_bytes}, 'what was live at the peak is the peak');

my $rows = $run->report('subs')->{subs}{rows};
is(query('SELECT count(*) FROM subs'), scalar @$rows, 'a row for each sub');
for my $row (grep { $_->{name} =~ /^main::(?:down|even|odd|both)$/ } @$rows) {
    my @columns = qw(calls self_allocated_bytes inclusive_allocated_bytes self_net_scalars inclusive_live_bytes);
    my $columns = join ', ', @columns;
    is(query("SELECT $columns FROM subs WHERE sub = '$row->{name}'"), join('|', @{$row}{@columns}), "the row of $row->{name}");
}

my $above = query(<<'SQL');
WITH RECURSIVE above(node_id, parent_id, sub) AS (
    SELECT node_id, parent_id, sub FROM nodes WHERE sub = 'main::odd'
    UNION SELECT nodes.node_id, nodes.parent_id, nodes.sub FROM nodes JOIN above ON nodes.node_id = above.parent_id)
SELECT count(*) FROM above WHERE parent_id IS NULL
SQL
is($above, 1, 'paths of calls can be followed up to the root');
is(query("SELECT count(*) FROM subs WHERE sub = 'Odd::new' || char(10) || 'line'"), 1, 'names are kept as they are');
is(query('SELECT count(*) FROM places LEFT JOIN nodes USING (run_id, node_id) WHERE nodes.sub IS NULL'), 0,
    'every place is of a node');

my $again = mprof_dump(qw(export --format sqlite --force -o), $database, $run->trace, $run->trace);
is($again->{exit}, 0, 'of several traces');
is(query('SELECT count(*), count(DISTINCT run_id) FROM runs'), '2|2', 'each is a run');
is(query('SELECT sum(allocated_bytes) FROM places'), 2 * $total->{allocated_bytes}, 'with its own figures');

my $leaking = profiled('our @kept; sub work { push @kept, "x" x (3000 + @_) } for (1 .. 40) { work(); Devel::MProf::mark("unit") }');
$database = export($leaking, 'sqlite');
is(query('SELECT label, marks FROM marks'), 'unit|40', 'marks by label');
my $leaks = $leaking->report('leaks', '--all')->{leaks}{rows};
cmp_ok(scalar @$leaks, '>=', 1, 'leaks are found');
is(query('SELECT count(*) FROM leaks WHERE is_steady'), scalar @$leaks, 'and are in a table');
is(query('SELECT file, line, sub FROM leaks WHERE leak_id = 1'), join('|', @{ $leaks->[0] }{qw(file line sub)}), 'by their lines');
cmp_ok(query('SELECT growth_bytes_per_mark FROM leaks WHERE leak_id = 1'), '>=', 3000, 'with what they keep for each mark');

# The query that the module of 2007 was made for, unchanged.
my $kept = profiled('sub keep { push @kept, "x" x (2000 + @_) } sub drop { my $text = "y" x (3000 + @_); 1 } for (1 .. 50) { keep(); drop() }',
    options => 'calls=1');
$database = export($kept, 'sqlite');
my %by_name;
for my $line (split /\n/, mprof_dump('calls', $kept->trace)->{stdout}) {
    my ($name, $before, $after) = $line =~ /^(.*):(\d+):(\d+)$/;
    $by_name{$name}[0]++;
    $by_name{$name}[1] += $after - $before;
}
my @expected = map { [@{ $by_name{$_} }, $_] } grep { $by_name{$_}[1] } keys %by_name;
is(query('SELECT count(1) AS c, sum(after-before) AS s, function FROM f GROUP BY function HAVING s <> 0 ORDER BY s ASC'),
    join("\n", map { join '|', @$_ } sort { $a->[1] <=> $b->[1] } @expected), 'calls, and what they kept');
cmp_ok($by_name{'main::keep'}[1], '>=', 50 * 2000, 'which is what it should be');

done_testing;
