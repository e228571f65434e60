# At its peak, every place holds what it held when the process as a whole held most.

use strict;
use warnings;

use FindBin;
use Test::More;

use lib "$FindBin::Bin/lib";
use MProfTest;

my $megabyte = 1 << 20;

# Blocks of that size are mappings of their own: whole pages, less malloc's head of 16 bytes.
my $run = profiled(<<'PERL');
my ($kept, $more);
sub early { my $string;
    vec($string, (1 << 20) - 1, 8) = 1; undef $string; return }
sub late { my $string;
    vec($string, 3 * (1 << 20) - 1, 8) = 1; again(); undef $string; return }
sub again { my $string;
    vec($string, 2 * (1 << 20) - 1, 8) = 1; undef $string; return }
sub after { vec($more, (1 << 20) - 1, 8) = 1; return }
sub keeps { vec($kept, (1 << 20) - 1, 8) = 1; return }
early();
keeps();
late();
again();
after();
PERL
is($run->{stderr}, '', 'the program runs');

my $all = $run->counters;
for my $case (
    ['early', 0, 0, 'freed before the peak: nothing of it at the peak'],
    ['late',  3, 0, 'the peak'],
    ['again', 2, 0, 'called at the peak and after it: what it held at the peak'],
    ['keeps', 1, 1, 'kept from before the peak: in it'],
    ['after', 0, 1, 'kept after the peak: not in it'],
) {
    my ($sub, $at_peak, $live, $name) = @$case;
    my $row = $run->of_sub("main::$sub");
    megabytes($row->{self_at_peak_bytes}, $at_peak, $name);
    megabytes($row->{self_live_bytes}, $live, "$sub: live at the end");
    cmp_ok($row->{self_at_peak_blocks}, $at_peak ? '>=' : '==', $at_peak ? 1 : 0, "$sub: blocks at the peak");
}
cmp_ok($all->{peak_bytes}, '>=', 6 * $megabyte, "the process's peak");
cmp_ok($all->{peak_bytes}, '<', 6.5 * $megabyte, 'and no more');

my ($sum, $peak) = (0, $all->{peak_bytes});
$sum += $_->{self_at_peak_bytes} for @{ $run->report('lines')->{lines}{rows} };
is($sum, $peak, 'lines at the peak add up to it');

my $lines = $run->lines_of('prog.pl');
megabytes($lines->{5}{self_at_peak_bytes}, 3, 'by line too');
megabytes($lines->{3}{self_at_peak_bytes}, 0, 'by line too: freed before');

$run = profiled('sub one { my $s; vec($s, (1 << 20) - 1, 8) = 1; undef $s } sub two { my $s; vec($s, (1 << 20) - 100_000, 8) = 1; undef $s } one(); two();');
megabytes($run->of_sub('main::one')->{self_at_peak_bytes}, 1, 'the higher of two peaks');
megabytes($run->of_sub('main::two')->{self_at_peak_bytes}, 0, 'not the later');

done_testing;

# What is beside the string in that place (the code that was compiled there) is little.
sub megabytes {
    my ($bytes, $expected, $name) = @_;
    my $string = $expected ? usable_of_mapping($expected * $megabyte) : 0;
    cmp_ok($bytes, '>=', $string, $name) && cmp_ok($bytes - $string, '<', 12_000, "$name, and no more");
    return;
}

sub usable_of_mapping {
    my ($bytes) = @_;
    return (($bytes + 2 + 16 + 4095) & ~4095) - 16 - 4096;
}
