# Programs made at random, which allocate, keep, share, weaken, free, die, leave and eval without reason. Each does what it
# does unprofiled; at every snapshot the ledger agrees with a slow walk of all of perl's arenas (verify=1); and in the
# trace what is live is what was made and is not gone, to the last byte and scalar, over all places together.
#
# MPROF_TEST_PROGRAMS=1000 tries more of them, MPROF_TEST_SEED=N others. A failure names the seed of its program.

use strict;
use warnings;

use FindBin;
use Test::More;

use lib "$FindBin::Bin/lib";
use MProfTest;

my $PROGRAMS   = $ENV{MPROF_TEST_PROGRAMS} || 24;
my $FIRST_SEED = $ENV{MPROF_TEST_SEED}     || 1;

# A generator of our own: every perl makes the same program of a seed.
my $state = 0;

sub below {
    my ($bound) = @_;
    $state = ($state * 69_069 + 1) % 4_294_967_296;
    return int $state / 4_294_967_296 * $bound;
}

sub one_of { return $_[below(scalar @_)] }

sub slot { return '$kept[' . below(12) . ']' }
sub subs { return 's' . below(5) }

sub value {
    my ($depth) = @_;
    my $deeper = sub { return value($depth + 1) };
    return one_of(below(1000), "'text" . below(1000) . "'") if $depth > 2;
    return one_of(
        sub { return below(100_000) },
        sub { return "'x' x " . below(one_of(20, 300, 5000)) },
        sub { return '[' . join(', ', map { $deeper->() } 1 .. below(5)) . ']' },
        sub { return '{' . join(', ', map { "k$_ => " . $deeper->() } 1 .. below(5)) . '}' },
        sub { return '\\(my $v' . below(3) . ' = ' . $deeper->() . ')' },
        sub { return 'bless(+{v => ' . $deeper->() . "}, '" . one_of(qw(Plain Dies Revives Throws)) . q{')} },
        sub { return 'do { my $c = ' . $deeper->() . '; sub { $c } }' },
        sub { return '[(' . $deeper->() . ') x ' . below(30) . ']' },
        sub { return 'qr/a' . below(9) . '(b|c)+/' },
        sub { return slot() },
        sub { return '\\' . slot() },
        sub { return '[map { $_ * 2 } 1 .. ' . below(200) . ']' },
    )->();
}

sub block {
    my ($depth) = @_;
    return join ' ', map { statement($depth + 1) } 0 .. below(3);
}

sub statement {
    my ($depth) = @_;
    my @simple = (
        sub { return slot() . ' = ' . value(0) . ';' },
        sub { return 'undef ' . slot() . ';' },
        sub { return 'my $own' . below(3) . ' = ' . value(0) . ';' },
        sub { return 'push @more, ' . value(1) . ';' },
        sub { return 'splice @more, 0, ' . below(20) . ';' },
        sub { my $slot = slot(); return "weaken($slot) if ref $slot;" },
        sub { my ($one, $other) = (slot(), slot()); return "$one = {up => $other}; $other = $one;" },
        sub { return 'push @{ ' . slot() . ' = [] }, ' . value(1) . ';' },
        sub { return 'local $global = ' . value(1) . ';' },
        sub { return 'die "for no reason\n" if $fuel % ' . (2 + below(5)) . ' == 0;' },
        sub { return 'return ' . value(1) . ' if $fuel % ' . (2 + below(9)) . ' == 0;' },
        sub { return 'next ROUND if $fuel % ' . (5 + below(9)) . ' == 0;' },
        sub { return '$text .= substr("abcdefgh", 0, $fuel % 8);' },
        sub { return '@more = sort { "$a" cmp "$b" } map { ref $_ ? 1 : $_ // 0 } @more;' },
        sub { return 'my %h = map { ($_ => ' . value(2) . ') } 1 .. ' . below(40) . ';' },
    );
    my @deep = (
        sub { return 'eval { ' . block($depth) . ' 1 } or $died++;' },
        sub { return 'eval q{' . block($depth) . ' 1} or $died++;' },
        sub { return 'for my $i (1 .. ' . (1 + below(4)) . ') { ' . block($depth) . ' }' },
        sub { return slot() . ' = ' . subs() . '(' . value(2) . ') if $fuel-- > 0;' },
        sub { return 'if ($fuel-- > 0) { @_ = (' . value(2) . '); goto &' . subs() . ' }' },
        sub { return 'do { ' . block($depth) . ' };' },
        sub { return 'my @got = (grep { $_ } map { ' . value(1) . ' } 1 .. ' . below(9) . ');' },
        sub { return '(sub { ' . block($depth) . ' })->(' . value(2) . ');' },
    );
    return one_of(@simple, $depth < 3 ? @deep : ())->();
}

sub program {
    my ($seed) = @_;
    $state = $seed * 2_654_435_761 % 4_294_967_296;
    my @subs = map { "sub s$_ { " . block(0) . ' return ' . value(1) . ' }' } 0 .. 4;
    my @rounds = map { statement(0) } 0 .. 5;
    return join "\n", <<'HEAD', @subs, 'ROUND: for my $round (1 .. 40) {', '$fuel = $round;', 'eval {', @rounds, '1 } or $died++; Devel::MProf::mark("round") if $round % 7 == 0; Devel::MProf::snapshot() if $round % 5 == 0; }', <<'TAIL';
use strict; no warnings; use Scalar::Util 'weaken'; use Devel::MProf::API;
our (@kept, @more, $text, $global, $died, $fuel, @revived);
package Dies    { sub DESTROY { my ($self) = @_; delete $self->{v}; $died++ } }
package Revives { sub DESTROY { my ($self) = @_; push @revived, $self if @revived < 20 && ${^GLOBAL_PHASE} ne 'DESTRUCT' } }
package Throws  { sub DESTROY { die "in DESTROY\n" } }
HEAD
sub shape { my ($v, $depth) = @_; return !ref $v ? length $v // '-' : $depth > 3 ? ref $v
    : ref $v eq 'ARRAY' ? '[' . join(',', map { shape($_, $depth + 1) } @$v) . ']' : ref $v }
print join(' ', map { shape($_, 0) } @kept), "\n", scalar @more, ' ', length $text, ' ', $died, ' ', scalar @revived, "\n";
TAIL
}

sub sum {
    my ($rows, $key) = @_;
    my $sum = 0;
    $sum += $_->{$key} for @{$rows};
    return $sum;
}

for my $seed ($FIRST_SEED .. $FIRST_SEED + $PROGRAMS - 1) {
    my $text  = program($seed);
    my $plain = plain($text);
    is("$plain->{exit} $plain->{signal}", '0 0', "seed $seed: is a program") or diag($plain->{stderr});
    my $run = profiled($text, options => 'verify=1');
    is($run->{stdout}, $plain->{stdout}, "seed $seed: does what it does");
    is($run->{stderr}, $plain->{stderr}, "seed $seed: and the ledger agrees with the arenas");

    my $total = $run->counters;
    is($total->{live_bytes}, $total->{allocated_bytes} - $total->{freed_bytes}, "seed $seed: live bytes");
    is($total->{live_blocks}, $total->{allocated_blocks} - $total->{freed_blocks}, "seed $seed: live blocks");
    my $lines = $run->report('lines')->{lines}{rows};
    my %lines = map { $_ => sum($lines, "self_$_") } qw(live_bytes live_blocks allocated_bytes at_peak_bytes born_scalars died_scalars);
    my %total = (
        (map { $_ => $total->{$_} } qw(live_bytes live_blocks allocated_bytes born_scalars died_scalars)),
        at_peak_bytes => $total->{peak_bytes}
    );
    is_deeply(\%lines, \%total, "seed $seed: every unit is at one line");
}

done_testing;
