# A trace that was cut off is read up to its last whole snapshot, with a warning; what is no trace gets one sentence.

use strict;
use warnings;

use FindBin;
use Test::More;

use lib "$FindBin::Bin/lib";
use MProfTest;

# Five snapshots, each with 100 calls more. On a machine that is busy the clock has more of them taken in between.
my $run = profiled(<<'PERL');
sub f { push our @kept, 'x' x 10; return }
for my $n (1 .. 5) {
    f() for 1 .. 100;
    eval "sub new_$n { 1 } new_$n()";
    Devel::MProf::snapshot();
}
PERL
is($run->of_sub('main::f')->{calls}, 500, 'the whole trace is read');
my $bytes = read_file($run->trace);
my $cut   = "$run->{dir}/cut";

# Where each chunk ends, and its kind: as src/format/mod.rs says.
my $prefix_bytes = 12;
my @ends;
for (my $at = $prefix_bytes; $at < length $bytes; ) {
    my ($kind, undef, $length) = unpack 'CCV', substr $bytes, $at, 10;
    $at += 10 + $length;
    push @ends, [$kind, $at];
}
my ($header_end)   = map { $_->[1] } grep { $_->[0] == 1 } @ends;
my @snapshot_ends  = map { $_->[1] } grep { $_->[0] == 7 } @ends;
is($ends[-1][1], length $bytes, 'the trace is chunks from its start to its end');
cmp_ok(scalar @snapshot_ends, '>=', 6, 'with six snapshots, at least: five that were asked for, and that of the end');

# What reading some bytes gives: 'refused', or the calls of f and whether there was a warning, or a complaint of ours.
sub reading {
    my ($text) = @_;
    write_file($cut, $text);
    my $read = mprof_dump('subs', '--json', $cut);
    return "signal $read->{signal}" if $read->{signal};
    if ($read->{exit} == 2) {
        return $read->{stdout} eq '' && $read->{stderr} =~ /\Amprof-dump: [^\n]+\n\z/ ? 'refused' : "not a sentence: $read->{stderr}";
    }
    my $report = eval { JSON::PP->new->utf8->decode($read->{stdout}) };
    return "exit $read->{exit}: $read->{stderr}" if $read->{exit} || !$report;
    my ($f) = grep { $_->{name} eq 'main::f' } @{ $report->{subs}{rows} };
    return ($f ? $f->{calls} : 0) . (@{ $report->{warnings} } ? ' with a warning' : '');
}

# Calls of f in each snapshot, as a trace that ends with it says.
my @calls = map { reading(substr $bytes, 0, $_) =~ /\A(\d+)(?: with a warning)?\z/ ? $1 : -1 } @snapshot_ends;
my %is_calls = map { ($_ => 1) } 0, @calls;
is_deeply([grep { !$is_calls{ 100 * $_ } } 1 .. 5], [], 'the snapshots that were asked for can be read') or diag("@calls");
is("@calls", join(' ', sort { $a <=> $b } @calls), 'none has fewer calls than the one before');
is($calls[-1], 500, 'and the last has all');

# Lengths here and there, and all around the ends of chunks.
my $stride  = int(length($bytes) / 70) + 1;
my %lengths = map { ($_ => 1) } (map { $_ * $stride } 0 .. 70), map { ($_ - 1, $_, $_ + 1) } $header_end, @snapshot_ends;
my %wrong;
for my $length (grep { $_ < length $bytes } sort { $a <=> $b } keys %lengths) {
    my $whole    = grep { $_ <= $length } @snapshot_ends;
    my $calls    = $whole ? $calls[ $whole - 1 ] : 0;
    my $answer   = reading(substr $bytes, 0, $length);
    my $expected = $length < $header_end ? 'refused' : "$calls with a warning";
    # At the very end of a snapshot nothing is missing that was ever written: a warning or not is as well.
    s/ with a warning// for grep { $whole && $length == $snapshot_ends[ $whole - 1 ] } $answer, $expected;
    $wrong{$length} = "$answer, not $expected" if $answer ne $expected;
}
is_deeply(\%wrong, {}, 'cut anywhere, it is read up to the last whole snapshot, with a warning; refused without its header');

# A byte that is wrong: what comes before its chunk can be read.
my %odd;
for my $at (map { $_ * $stride } 0 .. 70) {
    next if $at >= length $bytes;
    my $wrong = $bytes;
    substr($wrong, $at, 1) = chr(255 ^ ord substr $wrong, $at, 1);
    my $answer = reading($wrong);
    $odd{"byte $at: $answer"}++ if $answer ne 'refused' && !($answer =~ /\A(\d+) with a warning\z/ && $is_calls{$1});
}
is_deeply(\%odd, {}, 'a wrong byte anywhere is noticed');

write_file($cut, substr $bytes, 0, -30);
for my $report (qw(summary subs tree lines timeline)) {
    my $read = mprof_dump($report, $cut);
    is($read->{exit}, 0, "$report of one that was cut: exit code 0");
    like($read->{stderr} . $read->{stdout}, qr/warning: [^\n]+/, "$report of one that was cut: a warning");
}

# What follows the end.
is(reading($bytes . 'more'), '500 with a warning', 'text after the end: still read, with a warning');

my %refused = (
    'text'           => "This is no trace.\n",
    'nothing'        => '',
    'noise'          => join('', map { chr(($_ * 7919) % 251) } 1 .. 5000),
    'zeros'          => "\0" x 4096,
    'the magic only' => substr($bytes, 0, 8),
    'half the magic' => substr($bytes, 0, 4),
    'a header of zeros' => substr($bytes, 0, 12) . "\0" x 100,
    'a chunk that says it is huge' => substr($bytes, 0, 12) . "\1\0\xff\xff\xff\xff" . "\0" x 100,
    'a newer version' => substr($bytes, 0, 8) . pack('V', 1 + unpack 'x8V', $bytes) . substr($bytes, 12),
    'a far newer version' => substr($bytes, 0, 8) . "\xff\xff\xff\xff" . substr($bytes, 12),
    'version 0'      => substr($bytes, 0, 8) . pack('V', 0) . substr($bytes, 12),
);
for my $name (sort keys %refused) {
    write_file($cut, $refused{$name});
    for my $report (qw(summary subs info)) {
        my $read = mprof_dump($report, $cut);
        is($read->{exit}, 2, "$name, $report: exit code 2");
        is($read->{stdout}, '', "$name, $report: nothing on standard output");
        like($read->{stderr}, qr/\Amprof-dump: [^\n]*\Q$cut\E[^\n]*\n\z/, "$name, $report: one line that names the file");
    }
}
like(do { write_file($cut, $refused{'a newer version'}); mprof_dump($cut)->{stderr} }, qr/version/, 'a newer version is called so');
for my $path ("$run->{dir}/nosuch", $run->{dir}) {
    my $read = mprof_dump($path);
    is($read->{exit}, 2, "$path: exit code 2");
    like($read->{stderr}, qr/\Amprof-dump: [^\n]*\Q$path\E[^\n]*\n\z/, 'and one line');
}

done_testing;
