# What is live is what was allocated and not freed: in the process, and summed over places, at any moment of its life.

use strict;
use warnings;

use FindBin;
use Test::More;

use lib "$FindBin::Bin/lib";
use MProfTest;

my %programs = (
    'keeps'       => 'push @kept, "abc" x 400 . $_ for 1 .. 500;',
    'frees'       => 'for (1 .. 500) { my %h = map { ($_ => [1 .. 5]) } 1 .. 20; }',
    'resizes'     => 'my $s = ""; for (1 .. 3000) { $s .= "more and more"; } my @a; unshift @a, $_ for 1 .. 5000; splice @a, 10, 4000; $#a = -1;',
    'uses C'      => 'my @x = map { sprintf "%s%.10f", $_, $_ / 3 } 1 .. 500; my @y = sort { $a cmp $b } @x; my $z = join ",", @y; my @w = getpwuid(0); my @s = stat "/"; local $ENV{NEW} = $z; ',
    'frees ours and theirs' => 'undef %INC; undef $^H{x}; %main::hash = (1 .. 1000); undef %main::hash; delete $main::{hash}; eval "1" for 1 .. 200;',
    'files'       => 'for (1 .. 50) { open my $f, "<", $0 or die; my @l = <$f>; close $f; open my $g, ">", \my $mem; print {$g} @l } opendir my $d, "."; my @e = readdir $d;',
    'regexes'     => 'for my $n (1 .. 200) { my $re = qr/(a{$n}|b)+(?<x>c)/; "aabc" =~ $re; $x .= $+{x} // "" }',
    'loads'       => 'use POSIX (); use List::Util qw(sum); use Data::Dumper; my $d = Data::Dumper->new([{ a => [1 .. 100] }]); my $s = $d->Dump;',
);

for my $name (sort keys %programs) {
    for my $end ('', ' exit 0;', ' kill KILL => $$;') {
        # A killed program's last snapshot is an earlier moment.
        my $text = $programs{$name} . ($end =~ /kill/ ? ' Devel::MProf::snapshot();' : '') . $end;
        my $run = profiled($text);
        is("$run->{exit} $run->{signal}", $end =~ /kill/ ? '0 9' : '0 0', "$name$end: ends") or diag($run->{stderr});
        my $total = $run->counters;
        cmp_ok($total->{allocated_bytes}, '>', 10_000, "$name$end: allocates");
        is($total->{live_bytes}, $total->{allocated_bytes} - $total->{freed_bytes}, "$name$end: bytes");
        is($total->{live_blocks}, $total->{allocated_blocks} - $total->{freed_blocks}, "$name$end: blocks");

        my ($bytes, $blocks) = (0, 0);
        for my $row (@{ $run->report('lines')->{lines}{rows} }) {
            $bytes  += $row->{self_live_bytes};
            $blocks += $row->{self_live_blocks};
        }
        is($bytes, $total->{live_bytes}, "$name$end: bytes, summed over lines");
        is($blocks, $total->{live_blocks}, "$name$end: blocks, summed over lines");
    }
}

done_testing;
