# Scalars born in the last statement of a block belong to that statement, however the block is left.

use strict;
use warnings;

use FindBin;
use Test::More;

use lib "$FindBin::Bin/lib";
use MProfTest;

my $program = <<'PERL';
our (@k, @m);
sub loop { for my $x (1 .. 4) {
        push @k, 1;                    # 3
    }
    return }
sub bare { { my $y = 5;
        push @k, $y;                   # 7
    }
    return }
sub leaves { while (1) {
        push @m, 1, 2;                 # 11
        last;
    }
    return }
sub skips { for (1 .. 3) {
        push @m, $_;                   # 16
        next if $_ == 2;
        push @k, 1;                    # 18
    }
    return }
for (1 .. 100) { loop(); bare(); leaves(); skips() }
PERL

for my $hook (qw(op db)) {
    my $run = profiled($program, options => "hook=$hook");
    is($run->{stderr}, '', "$hook: in silence");
    my $lines = $run->lines_of('prog.pl');
    my %expected = (3 => 400, 7 => 100, 11 => 200, 16 => 300, 18 => 200);
    is($lines->{$_}{self_net_scalars}, $expected{$_}, "$hook: line $_") for sort { $a <=> $b } keys %expected;
}

done_testing;
