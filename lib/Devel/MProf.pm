package Devel::MProf;

# Nothing is loaded here, not even strict, warnings or XSLoader (which would bring more): a program that forgot to load a
# module must still miss it when it is profiled.
# Code that was compiled before us would call DB::sub: whatever it came from, there would be a file, or another PERL5DB than
# that of -d:MProf.
our $is_first;
BEGIN { ($^P, $is_first) = (0, keys %INC == 1 && (!defined $ENV{PERL5DB} || $ENV{PERL5DB} =~ /\Ause Devel::MProf\b/)) }

our $VERSION = '0.01';

_load();

# What XSLoader does, in the folder next to this file's or anywhere in @INC.
sub _load {
    DynaLoader::boot_DynaLoader('DynaLoader') if defined &DynaLoader::boot_DynaLoader && !defined &DynaLoader::dl_error;
    my ($object) = grep -f, map "$_/auto/Devel/MProf/MProf.so", grep !ref, @INC;
    defined $object or die "Devel::MProf: no auto/Devel/MProf/MProf.so in \@INC (\@INC contains: @INC)\n";
    my $library = DynaLoader::dl_load_file($object, 0) or die 'Devel::MProf: ' . DynaLoader::dl_error() . "\n";
    my $boot = DynaLoader::dl_find_symbol($library, 'boot_Devel__MProf') or die "Devel::MProf: $object has no boot function\n";

    # Devel::MProf::API has defined empty subs if it came first. perl makes a sub that is declared only into the real one,
    # the same for calls and references that exist; a sub with a body it would replace, and warn of that under -w.
    undef &$_ for grep defined &$_, qw(start stop mark snapshot stats);
    DynaLoader::dl_install_xsub(__PACKAGE__ . '::_bootstrap', $boot, $object)->(__PACKAGE__, $VERSION);
    return;
}

sub import {
    my ($class, @options) = @_;
    return if our $begun;

    # perl leaves the text of -d:MProf here for its own use; the program should find its environment as it was.
    delete $ENV{PERL5DB} if defined $ENV{PERL5DB} && $ENV{PERL5DB} =~ /\Ause Devel::MProf\b/;

    # With the rights of others the program takes no orders from whoever started it.
    my $orders = $< == $> && $( + 0 == $) + 0 && defined $ENV{MPROF} ? $ENV{MPROF} : '';
    for my $option ((grep length, split /:(?=\w+=)/, $orders), @options) {
        my ($key, $value) = split /=/, $option, 2;
        _option($key, defined $value ? $value : '');
    }
    $begun = 1;

    # Lines of source that perl kept before $^P was 0.
    @{ $main::{$_} } = () for grep /^_</ && *{ $main::{$_} }{ARRAY}, keys %main::;
    _begin($is_first);
    return;
}

1;
__END__

=head1 NAME

Devel::MProf - memory profiler for Perl: which line allocates, keeps and leaks

=head1 SYNOPSIS

    perl -d:MProf script.pl arguments
    mprof-dump mprof.bin

    perl -d:MProf=file=run.bin,start=init script.pl
    mprof-dump lines --sort self_live_bytes --top 20 run.bin

    # From the folder of a build, without installing:
    perl -Iblib/lib -Iblib/arch -d:MProf script.pl

=head1 DESCRIPTION

A program is too big, or it grows, and you want to know which of its lines take the memory. Devel::MProf answers that
for a program as it is: nothing in it is changed, perl is not rebuilt, nothing is preloaded.

It counts every block that the process takes from the C library's allocator and every block that it gives back, and
every Perl scalar that comes and goes. It books them on the sub, the call path and the line that were running. The
figures go to a trace, F<mprof.bin>, which the program C<mprof-dump> reads.

=head2 Words

=over

=item allocated, freed

What was taken, and what was given back, since profiling started. Bytes are those of the block as the allocator counts
it (C<malloc_usable_size>), a little more than was asked for.

=item live

What was allocated at a place and has not been freed, whoever would have freed it. Much of what is live at the end of a
program is no leak: its code, its constants, its globals.

=item at peak

What was live at a place at the instant when the live bytes of the whole process were at their highest. It tells what
made the process as big as it is.

=item net

Allocated less freed while something ran. It is negative for code that frees what others have made. Of scalars it is how
many of those born there are still alive, wherever the others died.

=item self, inclusive

What a sub or a line did itself; what it did together with all that it called. A sub that calls itself is counted once.

=item scalar

What the interpreter itself counts as one: every variable, every element of an array, every value of a hash, every
reference, sub and string it makes. perl takes them from pools of its own, so a program may make thousands while hardly
a block is allocated.

=item page

The unit in which the kernel gives memory to a process: mostly 4096 bytes.

=back

=head1 THE FIRST PAGE

C<mprof-dump mprof.bin> prints one page.

=over

=item Run

The command line, perl, the process, when and where it started, how long it ran and how it ended.

=item Heap, since the start

Bytes and blocks of the whole process: allocated, freed, live at the end, and live at the peak, with the time of the
peak. Exact. What was allocated before profiling started is in none of them.

I<perl's pools> are the arenas from which perl makes scalars. Whichever sub happens to need the next one makes perl
allocate it, so it is booked on the pools and on no sub. A sub's scalars are in the column of scalars instead.

I<mapped by mmap> appears where the program, or a library, maps memory itself. It is part of no other figure.

=item Process

The resident set and the virtual size as the kernel gives them, the profiler included; scalars at the start and at the
end; and the memory that the profiler needs for itself, which is part of no figure of the heap.

=item The tables

Which subs and which lines allocate most, and which lines hold most at the peak. The columns:

    calls                       how often the sub was called
    self allocated bytes        what it allocated itself
    inclusive allocated bytes   with all that it called
    inclusive net bytes         the same, less what was freed meanwhile
    self live bytes             what it allocated itself and is not freed
    self at peak bytes          what it had allocated itself and was live at the peak
    self net scalars            scalars born in it that are still alive

Columns that have no room on a narrow terminal are left out, and the page says so.

=back

A file that is being loaded is called C<require Foo/Bar.pm>, and what compiling it takes is booked on it, line by line.
It often comes first. C<mprof-dump --filter '^\w+::' mprof.bin> shows the rows of subs only, and with C<start=init> what is
loaded before the program begins is not recorded.

Where the process is too big, begin with what is live or at the peak. Where it is slow, with what is allocated.

=head2 What is exact

=over

=item *

Bytes and blocks: every call of the allocator is counted, in the sub and on the line that was running.

=item *

Calls.

=item *

How many scalars live, and how many of them were born where: births less deaths are what lives, to the last scalar.

=back

=head2 What is an approximation

=over

=item *

Scalars born and died. perl's own list of free scalars is looked at after each statement, at each call and at each
return. What was born and died in between is in neither figure: both are lower bounds. Their difference, the net, is
exact; but a scalar that is made where another has just been freed, in the same statement and in the same spot of perl's
pools, is taken for the other.

With C<ledger=0> only the number of scalars is read, at each call and each return but not after each statement: a rise is
booked as born and a fall as died, both on the sub that ran. Of its lines the one has them that made the call or returned,
which may be another than the one where they came or went.

=item *

Pages. The size of the process is read now and then (see C<statm> below), and what it grew is booked on the sub that ran
when it was read. The profiler's own memory is among them.

=item *

The time of the peak, by about 20 milliseconds. Its bytes are exact.

=back

=head2 Whose memory it is

=over

=item *

A block belongs to the statement that ran when it was allocated. A block that is resized counts as freed and allocated
anew, by the statement that resized it: a string that grows belongs to the line that appended to it last.

=item *

What perl allocates while it enters a sub, such as the variables of a deeper level of recursion, belongs to that sub, and
to the line of the call.

=item *

perl often keeps what it has once allocated: the buffer of a C<my> variable stays with the variable for the next call. It
is then live, at the line that filled it.

=item *

What perl frees when the interpreter is taken down, after all END blocks, is not recorded. It counts as live.

=back

=head1 MORE REPORTS

C<mprof-dump REPORT TRACE>, where the report is one of these:

    subs        every sub
    lines       every line of every file
    tree        the call tree, with what is small folded
    files       every file
    modules     every module, and what it costs to load it
    timeline    live bytes, scalars and pages as time went on
    leaks       lines that keep more and more, and why; see FINDING LEAKS
    classes     live scalars by type and class
    info        the trace itself

More than one trace may be given, see L</SEVERAL TRACES>. C<--sort>, C<--top> and C<--filter> choose rows, C<--bytes> prints
exact numbers, and C<--json> writes JSON. There are more columns than the page shows: C<--sort> with one of them shows it,
and with a name that is none lists them all. See C<mprof-dump --help>.

    mprof-dump html --source -o report.html mprof.bin

writes a page for a browser: the summary and a time line with the marks; the call tree as an icicle graph, by bytes
allocated, live, at the peak or net, or by scalars; the reports above as tables to sort and to filter, linked to each
other. It is a single file that needs no network. With C<--source> it also shows the source of the program's files, with
figures beside the lines. The trace holds no source: what stands in these files now is read. Do not use C<--source> on a
trace from somebody whom you do not trust, for the page shows whatever file that trace names.

The page stays below 5 MB. What has less than 0.001 % of the whole is folded or left out, more in a big program, and the
page says how much that is; C<--min> sets another percentage. A file that is there already is replaced only with
C<--force>.

=head1 FINDING LEAKS

    MPROF=mark=My::Server::handle_request perl -d:MProf server.pl
    mprof-dump leaks mprof.bin

The report names the lines that keep more and more, how much, why it stays, and what would free it:

    1. lib/My/Tree.pm:31 in My::Tree::build
      keeps         728 B and 8 scalars per mark; per call 728 B and 8 scalars
      in all        546 KiB and 6144 scalars after warm-up, 136 KiB and 1536 scalars in the last quarter
      steadiness    99.9 %, 766 instances in the sample
      what it is    4 SCALAR, 2 Node, 2 REF
      why it stays  nothing refers to it but itself, an unreachable cycle: Node{parent} -> Node{child}
      to free it    weaken the reference in {parent} (Scalar::Util::weaken)
      born at       lib/Node.pm:21 in Node::new
      called from   server.pl:31 in main::request

=head2 Words

=over

=item mark

The end of a unit of the program's work, mostly a request. See L</MARKS>. In a program without marks growth is told by
seconds.

=item growth

What is there at the last mark that was looked at, less what was there at the end of warm-up. Bytes are blocks and the
heads and bodies of scalars. What is merely alive at the end is no leak: any program has much of that.

=item warm-up

The first quarter of the marks, or of the time. What grows only then, such as a cache that fills or a module that is
loaded late, is not reported.

=item steadiness

How much of the growth a straight line explains: R squared of the least-squares line, in percent. A line that keeps the
same with each mark has nearly 100 %.

=item instance

One cycle, or one entry of what holds it.

=back

=head2 The line that is named

Of a cycle: where the sub was made that captures a variable which leads back to it. Without such a sub it is where the
reference came to be that one would weaken: one under a key such as C<parent> or C<owner>, or one that leads where most
lead. If that happened in a constructor or setter, the line that called it is named, and the other is shown as C<born at>.

Of what is held: where it was put into what holds it.

If that line is in a module of perl's own or an installed one, or in generated code, the nearest line of the program on
the call path is named.

=head2 Why it stays

=over

=item an unreachable cycle

References from inside account for the reference count of each of the scalars, and nothing else leads to them. This is
never said of anything that can be reached.

=item held by a variable, a hash, an array or an object

The name is that of the nearest thing that has one: C<%My::CACHE>, C<my @queue of main::handler>,
C<{handlers} of a My::App object>.

=item blocks

No scalar more, but bytes: a text that is appended to, or memory that a C library keeps.

=item unknown

Something refers to it that the heap sample does not tell of, such as C code; or there is no heap sample that lists it.
Recorded with C<full=off> or C<ledger=0>, all are.

=back

=head2 What counts as a leak

=over

=item *

After warm-up it has grown by at least 3 scalars or 4 KiB; and by one scalar or 64 bytes in 20 marks.

=item *

It grew steadily: steadiness is 90 % or more, or 70 % with growth in each third of the marks; and in the last third it
grew by at least a third of what a straight line would have there.

=item *

What the heap sample lists was born in at least 3 different marks (where so much is kept that the sample covers fewer,
there are at least 3 instances), and the growth is at least half of what the sample
would make one expect. So the newest entries of a cache of bounded size are no leak.

=item *

Blocks count only where they grew by more than 64 bytes for each scalar that the line keeps: keys and numbers become longer
as a program goes on.

=item *

A line that has less than 1 % of all growth is shown with C<--all> only. Ten are shown; see C<--top>.

=back

Other growth of 4 KiB or more is shown below, as what grew once. If there are too few marks or snapshots to tell, the
report says so.

=head2 What is exact

How many scalars and bytes each place keeps at each mark, and so the growth; that a cycle is unreachable. Where one place
keeps things for different reasons its growth is divided as in the heap sample, which is an approximation, as are bytes of
keys in hashes. Without marks a call may be under way when figures are read; scalars per call are rounded to a whole number
only where that explains the difference.

=head2 In tests

C<mprof-dump leaks --fail-over 1k mprof.bin> ends with exit code 3 if a line keeps more than 1024 bytes per mark (without
marks: per second). C<--json> has these fields in C<leaks.rows> and in C<once.rows>: C<file>, C<line>, C<sub>;
C<growth_bytes_per_mark>, C<growth_scalars_per_mark> (per second where C<axis.unit> is C<seconds>);
C<growth_bytes_per_call>, C<growth_scalars_per_call>, for the sub of that line, or null; C<total_growth_bytes>,
C<total_growth_scalars>, after warm-up; C<last_marks_growth_bytes>, C<last_marks_growth_scalars>, in the last quarter;
C<steadiness>, from 0 to 1; C<instances>; C<kinds> and C<classes>, scalars of an instance (of one long
chain: for each mark); C<reason>, with C<kind> (C<cycle>,
C<held>, C<bytes> or C<unknown>), C<path>, C<holder> and C<text>; C<advice>; C<born>; C<call_path>, from the outermost call
to the line; C<call_paths>, how many lead there. C<axis> has C<unit>, C<end>, C<marks>, C<warm_up>, C<points> and C<verdict>
(C<told>; C<told_of_scalars>, where there were too few snapshots for the growth of texts and other blocks;
C<too_few_points> or C<not_recorded>).

=head2 Classes

C<mprof-dump classes> shows all live scalars at the last heap sample, by type and class. Growth per mark is what lives of
those that were born after warm-up and before the last mark, and no more than their number has grown since the sample
before.
=head1 EXPORT

C<mprof-dump export --format FORMAT -o FILE TRACE...> writes traces for other tools. All numbers are exact, and their sums
are those of the reports.

    format      what it is                                  what reads it
    sqlite      a database of all tables                    sqlite3, and all that knows SQLite
    folded      stacks of one metric, one a line            inferno, flamegraph.pl
    pprof       stacks with six metrics, gzipped            go tool pprof
    callgrind   subs, lines and calls with six metrics      callgrind_annotate, KCachegrind
    speedscope  a profile for each of six metrics           speedscope.app
    csv         one table                                   spreadsheets
    json        all tables                                  jq, programs
    parquet     one table, as a folder of files             DuckDB, Spark

    mprof-dump export --format sqlite -o run.db mprof.bin
    sqlite3 run.db 'SELECT sub, self_live_bytes FROM subs ORDER BY 2 DESC LIMIT 10'

    mprof-dump export --format folded --metric live_bytes mprof.bin | inferno-flamegraph > live.svg

    mprof-dump export --format pprof -o run.pb.gz mprof.bin
    go tool pprof -top -sample_index=live_bytes run.pb.gz

    mprof-dump export --format callgrind -o callgrind.out.run mprof.bin
    callgrind_annotate --inclusive=yes callgrind.out.run

Without C<-o> what is text, and pprof where that is no terminal, goes to standard output. A file that is there is replaced
only with C<--force>. It is written under another name first, so that it is never there by half.

The metrics are C<allocated_bytes>, C<allocated_blocks>, C<live_bytes>, C<live_blocks>, C<at_peak_bytes> and C<scalars>:
those that were born in a sub and still live. C<folded> holds one of them, or one of C<calls>, C<freed_bytes>,
C<freed_blocks>, C<at_peak_blocks>, C<born_scalars> and C<died_scalars>; C<--metric> says which.

In C<folded>, C<pprof>, C<callgrind>, C<speedscope> and C<csv> what is no visible character in a name is spelled out, a
newline as C<\n>; in C<folded> also a semicolon, as C<\x{3B}>. The others have names as they are. Bytes that are no UTF-8
are C<\xNN> everywhere. The formats of stacks, but C<pprof>, have no negative numbers: scalars are counted as 0 where more
died than were born, which C<mprof-dump> then says. That happens with C<ledger=0> and in forked children.

Of several traces, C<folded> and C<callgrind> hold the sums. C<pprof> holds the sums with the label C<run>, so that one can
be chosen (C<-tagfocus>). C<speedscope> has profiles for each, and the tables have rows for each.

=head2 Tables

C<csv> and C<parquet> hold one, which C<--table> names; without it C<places>. The columns stay: there may be more of
them in a later version. A name ends in the unit. C<NULL>, or nothing in C<csv>, is what is not known.

=over

=item runs

A row for each trace.

    run_id              number of the run in this export, from 1 on; first column of every table
    host, run           the host, and the run among the host's: when it began, and the process
    trace               path of the trace
    pid, parent_pid     the process and its parent
    parent_trace        of a forked child: the trace of its parent
    command_line, cwd   what was run, and where
    perl_version, mprof_version
    start_unix_ns       when it began, in nanoseconds since 1970 UTC
    duration_ns         how long it is known to have run
    end_cause           how it ended, as cause in snapshots
    warnings            what to know before trusting the figures
    page_size_bytes
    start_size_pages, start_resident_pages, start_live_scalars
                        what there was at the start

and the counters below, as they were at the end.

=item snapshots

The counters at each snapshot.

    snapshot            number, from 0 on
    time_ns             when, in nanoseconds since the start
    cause               interval, base (what a forked child inherited), request, exec, exit, quick_exit, mark
    marks               how many marks the program had made

=item marks

A row for each label of marks: C<label_id>, a number; C<label>; C<marks>, how many there were.

=item leaks

What C<mprof-dump leaks --all> finds, those that keep most first.

    leak_id             number, from 1 on
    is_steady           1: it grows steadily; 0: it grew once, and is no leak by these figures
    file, line, sub     the line to blame
    per                 mark or second: what growth is measured by
    growth_bytes_per_mark, growth_scalars_per_mark
                        how much stays for each of them
    growth_bytes_per_call, growth_scalars_per_call
                        the same for each call of the sub
    total_growth_bytes, total_growth_scalars
                        after warm-up
    last_marks_growth_bytes, last_marks_growth_scalars
                        in the last quarter
    steadiness          from 0 to 1
    instances           how many of it the heap sample has
    reason              cycle, held, bytes, unknown
    reason_path         an example of the cycle
    reason_text, advice why it stays and what would free it, in words
    born_file, born_line, born_sub
                        where it was born, if not there
    call_paths          how many paths of calls lead there

=item timeline

The process as it went: C<point>, C<time_ns>, C<live_bytes>, C<live_scalars>, C<size_pages>, C<resident_pages>.

=item subs

A row for each sub.

    sub_id              its number in the run
    sub                 its name
    kind                perl, xsub, require, eval, main, thread, pools
    module              what its own figures count for
    file, line          where it is defined
    calls               how often it was called

and figures: C<self_> and C<inclusive_>. A sub that calls itself is counted once.

=item nodes

The call tree, a row for each path of calls, with figures: C<self_> and C<inclusive_>.

    node_id             its number in the run
    parent_id           the node that called it; NULL for a root
    depth               levels below the root
    sub_id, sub, kind, module
                        what was called
    call_file, call_line
                        from where
    calls               how often

=item places

A row for each path of calls and line, with figures of its own. Everything that was counted is in one row.

    place_id            its number in the run
    node_id             the path of calls
    sub_id, sub, kind, module
                        the sub at its end
    file, line          the line; calls, frees and pages have none, and are at line 0
    calls               how often the node was called

=item calls

Of a run with C<calls=1>: a row for each call that is over, in the order of their ends.

    id                  number, from 1 on
    function            name of the sub
    before, after       live bytes of the process when the call began, and when it was over
    before_scalars, after_scalars, before_size_pages, after_size_pages, before_resident_pages, after_resident_pages
                        the other counters then
    node_id             the path of calls
    depth               calls it was inside of
    interpreter         0 for the main program; each thread has another number, and each coroutine

In C<sqlite> there is also the view C<f> of C<id>, C<function>, C<before> and C<after>, for the query that the module of 2007
was made for:

    SELECT count(1) AS c, sum(after-before) AS s, function FROM f GROUP BY function HAVING s <> 0 ORDER BY s ASC

=back

Subs of the same name stand in rows of their own. Tools that know subs by their names add them up: C<go tool pprof> all of a
name, C<callgrind_annotate> those of a name in one file.

The figures: C<allocated_bytes>, C<allocated_blocks>, C<freed_bytes>, C<freed_blocks>, C<live_bytes>, C<live_blocks>,
C<base_live_bytes> and C<base_live_blocks> (of these, what a forked child inherited), C<at_peak_bytes>,
C<at_peak_blocks>, C<born_scalars>, C<died_scalars>, C<net_scalars>, C<size_pages>, C<resident_pages>.

The counters, those of a process: C<allocated_bytes>, C<allocated_blocks>, C<freed_bytes>, C<freed_blocks>,
C<older_freed_bytes>, C<older_freed_blocks>, C<live_bytes>, C<live_blocks>, C<peak_bytes>, C<peak_blocks>,
C<peak_time_ns>, C<mapped_bytes>, C<unmapped_bytes>, C<born_scalars>, C<died_scalars>, C<older_died_scalars>,
C<live_scalars>, C<size_pages>, C<resident_pages>, C<peak_resident_bytes>, C<profiler_bytes>, C<profiler_peak_bytes>,
C<depth_capped_calls>, C<missed_events>. They are those of C<mprof-dump info>.

=head2 Many hosts

C<mprof-dump export --format parquet -o FOLDER TRACE...> writes F<FOLDER/host=HOST/run=RUN/places.parquet> for each trace,
and leaves the others that are there alone: traces of a fleet become one table, with C<host> and C<run> as columns.

    SELECT host, sub, sum(live_bytes) FROM read_parquet('FOLDER/*/*/places.parquet', hive_partitioning = true)
    GROUP BY ALL ORDER BY 3 DESC;                              -- DuckDB

    spark.read.parquet('FOLDER').groupBy('host', 'sub').sum('live_bytes')       # Spark

A folder holds one table; another C<--table> goes to another folder.

=head1 SEVERAL TRACES

Every report takes several traces, and patterns, and sums them up: the workers of a server, a process and the children it
forked, the same program on several hosts.

    mprof-dump subs 'mprof.bin*'
    mprof-dump merge -o all.bin host1/mprof.bin host2/mprof.bin

C<merge> writes the sum as a trace, which every report reads. It replaces a file only with C<--force>, and leaves no half of
one behind. C<mprof-dump info> lists the processes: those that were forked from one another have the same number of the
run. They are known by what each child says of its parent, also after all were moved to another folder.

What is the same in two traces is one in the sum: subs by kind, package, name, file and line, and call paths by their
subs and the lines of the calls. Figures are added to the last unit.

Of a forked child only what it did itself is added, so that nothing is counted twice: what it allocated and freed since
the fork, and by how much more is live now, place by place, than it inherited. Where it freed some of what it inherited,
that is taken for freed by a process that is younger than the block, and not for a loss of its own. If the parent's trace
is not among those given, what was inherited is in no figure, and a warning says so.

The peak of the sum is the sum of each process's own peak, whenever that was: the most that all of them together can have
held. Sizes in pages are the kernel's for each process, pages that processes share counting for each. The time line has at
each moment those that were running. A report warns of all this, of traces that are damaged, and of those written by
different versions; if one cannot be read at all, there is no report, and the exit code is 2.

How figures came about is not in the sum, nor are heap samples: C<leaks> and C<classes> are of one trace at a time, and so is
the stream of calls.

=head1 TWO RUNS COMPARED

    mprof-dump diff old.bin new.bin
    mprof-dump diff --sort difference_live_bytes --top 20 --filter '^My::' old.bin new.bin
    mprof-dump diff --fail-over 10M old.bin new.bin || echo 'it grew'

What is in the new trace and was not in the old, by sub, by line and by call path: allocated bytes, live bytes, bytes at
the peak, net scalars. The rows are sorted by how far they differ, up or down; C<--json> has all columns. A pattern in
place of a trace stands for the sum of several.

Lines may have moved in between. A trace holds no source, so subs are known by their names, and their lines by how far
they stand from the first line of the sub. Anonymous subs, BEGIN blocks and string evals, which are called after
their lines, are known by their order, as far as one side has no more of them than the other, and else by where they
stand among the subs around them. So is code outside of subs. What is left is known by the subs that it calls, and by
order. Folders do not matter: a program may have moved as a whole.

Differences of some bytes are mostly none: where the allocator happens to find a block decides how large it is.

    mprof-dump html --diff old.bin new.bin -o diff.html

writes it as a page for a browser: the tables, and both call trees as one icicle graph. A call is as wide as it differs, red
where there is more in the new trace and blue where there is less; where one points at it, the page shows what was and what
is. What is folded, and which file is replaced, is as for the page of one trace, see L</MORE REPORTS>; there is no
C<--source>.

With C<--fail-over>, the exit code is 3 if the live or the allocated bytes of the process grew by more than that, and
standard error says which; C<k>, C<M> and C<G> may follow the number.

=head1 A RUN AS IT GOES

    mprof-dump top mprof.bin
    mprof-dump top 4711
    mprof-dump top --follow mprof.bin

shows a trace while it is being written, or that of a process by its number: live heap and resident set over time, marks,
and the lines that grow. Of a process that has been running for a while growth counts from the moment that one looks, else
from the start; C<r> has it count from now on. C<Enter> shows the calls that lead to a line, C<v> shows subs instead of
lines, C</> filters, C<p> holds the screen, C<?> tells all keys, C<q> quits. It needs a terminal of 80 columns and 24 rows,
and no mouse. With C<--follow> it waits for a trace that is not there yet. C<--once> prints one frame as text.

What is shown is as new as the last snapshot: with C<interval=0.2> five times a second. Of a program that has run for
long and changes little, without that option, it may be a minute old.

=head1 OPTIONS

Options stand after C<-d:MProf=>, with commas between them, or in the environment variable C<MPROF>, with colons:

    perl -d:MProf=file=run.bin,interval=5 script.pl
    MPROF=file=run.bin:interval=5 perl -d:MProf script.pl

Where both name an option, the command line counts. An unknown option, or a value that it cannot have, is an error before
the program starts; the message lists what there is.

=over

=item file=PATH (default: mprof.bin)

The trace. A relative path starts from the directory in which the program is started, wherever it goes later. See
L</THE TRACE FILE>.

=item start=begin|init|no (default: begin)

When recording starts: at once, so that the loading of modules is seen; when the program has been compiled, before its
INIT blocks; or when it calls C<Devel::MProf::start()>.

=item interval=auto|SECONDS (default: auto)

Longest time between two snapshots, from 0.05 to 86400 seconds, while anything changes. A snapshot holds what has changed.
If the process is killed, what came after the last snapshot is lost. In the first seconds of a program without marks
snapshots are nearer to each other.

With C<auto> it is a second at first, and later one 32nd of the time that the program has run, up to a minute, so that
the trace of a server does not grow with time alone. Whenever the live bytes have changed by more than one 32nd and a
megabyte since the last snapshot, it is a second again: what makes a process big is seen before it is killed for it.

=item lines=1|0 (default: 1)

Whether to book on lines, or on subs only.

=item ledger=1|0 (default: 1)

Whether to remember the birthplace of each live scalar. Without it deaths are booked on the code that was running, and
not on the place where the scalar was born.

=item verify=0|1 (default: 0)

Whether to compare the record of scalars with what perl's pools hold, at each snapshot, and to complain on standard error
if they differ. For tests; it takes time.

=item live=1|0 (default: 1)

Whether to remember each block, so as to know what is live and where it was allocated. Without it there are no figures of
what is live or at the peak.

=item statm=auto|every|off (default: auto)

When to read the size of the process, in pages, from F</proc/self/statm>. C<auto>: at a call or a return, if the heap's
end has moved, if a block of 128 KiB or more has come or gone, or if 20 milliseconds have passed. C<every>: at each call
and each return, which is slow. C<off>: only with a snapshot.

=item hook=op|db (default: op)

How to learn of calls and statements. C<op> wraps the ops that perl runs. C<db> has itself called by perl, as a debugger
is, through C<DB::sub> and C<DB::DB>; it is slower, and the program sees another C<$^P>. The figures are the same.

=item mark=PACKAGE::SUB (default: none)

The sub that does a unit of the program's work, such as a request or a job: each time it returns, a mark is made. See
L</MARKS>. The name is that which C<mprof-dump subs> shows.

=item signal=USR1|USR2|HUP|WINCH (default: none)

A signal that makes a mark and a full snapshot, at the next statement of the program. A handler that the program sets for
it takes precedence.

=item full=auto|MARKS|off (default: auto)

When a snapshot is a full one, with a sample of the heap, from which C<mprof-dump leaks> and C<mprof-dump classes> tell
why memory stays. C<auto>: at the end of the program, after 32 marks and whenever their number has doubled, or without
marks whenever the time is four times as long, but never so often that it would take more than a few hundredths of the time, and
unasked not with more than 350,000 live scalars. A number: also every so many marks. C<off>: only when asked for.

=item calls=0|1 (default: 0)

Whether to write every entry and exit, in order, with the live bytes, scalars and pages of the process at that moment.
C<mprof-dump calls> prints them as C<function:before:after>. A call takes about a byte in the trace.

=item calls_max=BYTES (default: 1G)

Where the stream of calls ends, with a message on STDERR: when it has taken so many bytes of the trace, with C<k>, C<M> or
C<G> after the number for powers of 1024. At least C<64k>. All else is recorded as before.

=item depth=CALLS (default: 1000)

How deep call paths are told apart, from 1 to 100000. See L</THE CALL TREE>.

=back

=head1 MARKS

Whether memory grows is a matter of the work done: so much for each request, or for each job. A mark says that a unit of
work is over. With marks, C<mprof-dump leaks> tells growth per mark; without, per second and per call. Marks are made

=over

=item *

from outside, without a change to the program: C<mark=Catalyst::handle_request>, or C<mark=My::Worker::do_job>, makes one
at each return of that sub;

=item *

by L<Plack::Middleware::MProf>, for each request, with its method, route and status;

=item *

by the program: C<Devel::MProf::mark("job $type")>;

=item *

by a signal, with the option C<signal>.

=back

A snapshot is taken at each of the first marks, and later at about sixteen in each doubling of their number. Up to 256
different labels are counted apart; all others are called C<(other)>.

=head1 FUNCTIONS

A program may call these, as functions or as class methods; nothing is exported. They exist only while it is profiled. A
program that also runs without the profiler says C<use Devel::MProf::API;>, which defines them to do nothing where the
profiler is not loaded.

=over

=item Devel::MProf::start()

Starts recording, or goes on with it. Subs that are being called already are not known: until they return, what they do is
booked on the main program, with the right line.

=item Devel::MProf::stop()

Stops recording. Blocks that were recorded are followed until they are freed; new ones are not counted.

=item Devel::MProf::mark(LABEL)

Makes a mark: a unit of work is over. Without a label it is called C<(mark)>. See L</MARKS>.

=item Devel::MProf::snapshot(), Devel::MProf::snapshot('full')

Writes all that has changed to the trace, and returns when it is written. A full snapshot has a sample of the heap.

=item Devel::MProf::stats()

Returns the process's figures as of now, in a reference to a new hash; nothing while nothing is recorded. The keys:
C<allocated_bytes>, C<allocated_blocks>, C<freed_bytes>, C<freed_blocks>, C<live_bytes>, C<live_blocks>, C<peak_bytes>,
C<scalars>, C<resident_bytes>, C<marks>, C<snapshots>, C<profiler_bytes>.

=back

C<use Devel::MProf 'file=run.bin', 'start=no';> as the first line of a program does what C<-d:MProf> does. Calls in code
that was compiled before that are not seen.

=head1 THE CALL TREE

Everything is booked on a place: a path of calls, a file and a line. The same sub called from two lines has two nodes in
the tree. These have nodes:

=over

=item *

subs written in Perl and in C, DESTROY, AUTOLOAD, the subs behind C<tie> and C<overload>, named comparators of C<sort>,
signal handlers, END blocks. A sub that is entered by C<goto &sub> takes the place of the one that left.

=item *

anonymous subs, as C<Foo::__ANON__[lib/Foo.pm:12]>, where the line is that of their first statement. All closures made
there are one.

=item *

blocks that run while code is compiled, as C<Foo::BEGIN@7>; each C<use> is one of them.

=item *

files that are loaded, as C<require Foo/Bar.pm>, also where C<use> or C<do> loads them.

=item *

string evals, as C<(eval)[lib/Foo.pm:33]>, by the place of the C<eval>, however often it runs. An eval inside of an eval
goes by the place of the outer one.

=back

Recursion is folded: when a sub calls itself, directly or by way of others, that is the same node again.

The tree grows no deeper than C<depth>. Calls below belong to the node at that depth; they are counted, and the reports
warn of them.

=head1 FORK

A forked child writes a trace of its own, named after the parent's: F<mprof.bin.PID>. It begins when the child runs its
first statement or call, so a child that at once ends leaves none. Nor does one that becomes another program or is killed
within the first C<interval>, unless it made a mark or asked for a snapshot. Figures of a child count from the
fork, but what is live and at peak includes what the child inherited; a column shows how much that is. All of a run
together: L</SEVERAL TRACES>.

A program that is started by C<system>, C<exec> or backticks is not profiled. To profile the Perl programs among them too:

    PERL5OPT=-d:MProf=file=/tmp/run.bin perl script.pl

=head1 THREADS

Subs that run in a Perl thread stand below C<(thread N)> in the tree, not below the main program. A thread that begins
when another is over goes on with that one's place: there are as many as ran at a time.

What a thread of a C library allocates stands below C<(C thread N)>, where N is the kernel's number of the thread; so does
what a Perl thread allocates before it runs Perl. C<mprof-dump info> has the allocator's figures of each thread. Of more
threads than 256, a new one goes on with the figures and the number of one that is over.

=head1 COROUTINES AND EVENT LOOPS

Each coroutine of L<Coro> has its own open calls, whenever it gives way to another. Subs that run in one stand below
C<(coroutines)> in the tree, all coroutines together. What Coro itself needs for a coroutine is booked on the sub that gave
way or on the coroutine that goes on: perl's stacks, and a copy of the variables of each sub that is under way.

With an event loop, such as L<AnyEvent>, L<EV> or L<IO::Async>, what a callback does belongs to the callback, below what
runs the loop. An C<async sub> of L<Future::AsyncAwait> counts as called anew each time that it goes on after an C<await>,
below what made it go on.

=head1 HOW A PROGRAM ENDS

The trace is complete when a program ends by reaching its end, C<exit>, C<die>, C<POSIX::_exit> or C<abort>, and when it
becomes another program by C<exec>.

When a signal kills it, the trace ends with the last snapshot, at most one C<interval> before (in a program that has
run for long, up to a minute, unless it grew or shrank): also if it was waiting, or
was within a long call into C, for then the profiler's own thread takes the snapshot. What is lost besides is what had
happened to scalars in the statement that ran.

A handler that perl runs at once (C<POSIX::sigaction> without C<safe>, C<PERL_SIGNALS=unsafe>) may find the profiler in the
middle of its work. What it calls then is not recorded. If it dies, recording stops, with a message on STDERR. With glibc
before 2.36, one that allocates or forks can find libc's allocator locked, which it is not in a program of one thread, and
hang.

=head1 THE TRACE FILE

It is created with mode 0600, for it names files, subs and the command line. It is never written through a symbolic link.
A trace that is already there is replaced; anything else is left alone, and the program then runs unprofiled, with a
message on STDERR. If another process is writing a trace there at that moment, this one goes to F<mprof.bin.PID>.

The profiler's own thread writes the trace. If that fails, because the disk is full for example, or if there is no memory
left for the profiler, recording stops with a message on STDERR; what was written stays readable. Of many children that
cannot write only the first says so.

Under C<-T> all is as without. A program that has another user's or group's rights (set-id) ignores the variable C<MPROF>;
perl itself refuses C<-d> there.

The format is documented, byte by byte, in F<src/format/mod.rs> of the distribution.

=head1 WHAT A PROGRAM CAN NOTICE

Its output, its exit code and its data are meant to be the same. It can still notice:

=over

=item *

C<$INC{'Devel/MProf.pm'}>, and the package C<Devel::MProf>.

=item *

Variables in the package C<DB>: C<perl -d> makes those of a debugger. With C<hook=db>, or if other code was compiled before
the profiler, there are the subs C<DB::sub> and C<DB::DB> too. C<$^P> is 0, as without a debugger; with C<hook=db> it is not.

=item *

A scalar that C code gives back once too often: with the ledger of scalars perl does not notice, and does not warn I<Attempt to
free unreferenced scalar>. With C<ledger=0> it does.

=item *

A second thread, called C<mprof>. All signals are blocked in it.

=item *

Two more file descriptors, with high numbers and closed on exec. With C<ulimit -n> there is room for two less.

=item *

Time, and the size of the process: 8 MB of addresses are put by for the case that there is no memory left.

=item *

The order in which objects are destroyed that live until the program is over. perl goes through its pools of scalars then,
and whatever is loaded has a place in them: C<use overload> alone may change it as well. L<perlobj> calls it
unpredictable.

=item *

A script whose C<#!> line names no perl. perl hands it over to that interpreter with all switches of its own, also
C<-d:MProf>, which the interpreter will not know.

=back

=head1 LIMITS

=over

=item *

Linux with glibc, on x86-64 or 64-bit ARM; perl 5.18 or newer. Developed and tested with perl 5.36 with threads, on
Debian 12 and x86-64; now and then with perl 5.40 without threads, with them, and with C<-DDEBUGGING>.

=item *

Not on a perl that was built with its own malloc (C<perl -V:usemymalloc> says C<y>).
Nor on one that was built with C<PERL_RC_STACK>, which is an experiment.

=item *

Memory that is taken by other means than the functions of the C library is seen only in the size of the process.

=item *

A program under the profiler is slower, and needs more memory: the more places it has and the more blocks are live, the
more. It is seldom over 8 MB and a tenth of what the program itself needs at its peak. The first page says how much, zstd's
memory included; the profiler's code, and what glibc's allocator adds to each block, are not.

=item *

With L<Coro> and C<hook=db>, a place that gives way to another coroutine counts one call of C<cede> and the like, however
often it does; and scalars that such a statement makes may be booked on the coroutine that goes on.

=back

=head1 SEE ALSO

L<Devel::NYTProf> for time, L<Devel::MAT> for what a heap holds at one moment, L<Test::LeakTrace> for leaks in a piece of
code.

=head1 AUTHORS

The authors of Devel::MProf.

=head1 LICENSE

This is free software. You may use it, copy it and change it under the same terms as Perl itself: the GNU General Public
License, version 1 or any later, or the Artistic License.

=cut
