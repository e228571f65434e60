# Subs that leak a known number of scalars a call are listed with that number, and those that leak none are not listed.

use strict;
use warnings;

use FindBin;
use Test::More;

use lib "$FindBin::Bin/../lib";
use MProfTest;

# What each sub keeps, in scalars a call: an element is one, and so are an array, a hash, and a value of a hash.
my %scalars = (
    one_string  => 1,    # the element
    one_key     => 1,    # the value
    a_pair      => 4,    # the element, the array, its two elements
    an_object   => 5,    # the element, the hash, its three values
    a_cycle     => 4,    # two hashes, each with a value
    both_twice  => 2,    # two elements
    by_branches => 1,    # one element, by one line or the other
);

my $program = <<'PERL';
use strict;
use warnings;
use Scalar::Util qw(weaken);

my $units = shift;
my (@strings, %keys, @pairs, @objects, @twice, @branches, %bounded);

sub one_string  { my ($n) = @_; push @strings, "string $n"; return }
sub one_key     { my ($n) = @_; $keys{"key $n"} = 'x' x 50; return }
sub a_pair      { my ($n) = @_; push @pairs, [$n, $n * 2]; return }
sub an_object   { my ($n) = @_; push @objects, bless { id => $n, name => "name $n", size => 1 }, 'Thing'; return }
sub a_cycle     { my ($one, $two) = ({}, {}); $one->{two} = $two; $two->{one} = $one; return }
sub both_twice  { my ($n) = @_; push @twice, $n, -$n; return }

sub by_branches {
    my ($n) = @_;
    if   ($n % 2) { push @branches, $n }
    else          { push @branches, "even $n" }
    return;
}

sub weak_cycle { my ($one, $two) = ({}, {}); $one->{two} = $two; weaken($two->{one} = $one); return }
sub temporary  { my ($n) = @_; my @list = map { "item $_ of $n" } 1 .. 300; return scalar @list }
sub bounded    { my ($n) = @_; $bounded{ $n % 16 } = [$n]; return }
sub nested     { my ($n) = @_; my %tree = (n => $n, below => { list => [1 .. 20] }); return scalar keys %tree }

# What is kept by one call and freed by the next.
my $last;
sub replaced { my ($n) = @_; $last = { n => $n, text => 'y' x 100 }; return }

sub work {
    my ($n) = @_;
    one_string($n);
    temporary($n);
    one_key($n);
    a_pair($n);
    weak_cycle();
    an_object($n);
    a_cycle();
    bounded($n);
    both_twice($n);
    nested($n);
    by_branches($n);
    replaced($n);
    return;
}

work($_) for 1 .. $units;
print "$units\n";
PERL

my @clean = qw(weak_cycle temporary bounded nested replaced work);

exactly('marks', 500, mprof => 'mark=main::work');

# Without marks, time divides the run, so it has to last for some snapshots.
exactly('no marks', 8000, mprof => 'interval=0.05');

done_testing;

sub exactly {
    my ($name, $units, %how) = @_;
    my $run = profiled($program, args => [$units], %how);
    is($run->{stdout}, "$units\n", "$name: the program runs") or diag($run->{stderr});
    my (%per_call, %per_mark);
    for my $leak ($run->leaks('--all', '--top', 100)) {
        (my $sub = $leak->{sub}) =~ s/\Amain:://;
        $per_call{$sub} += $leak->{scalars_per_call} || 0;
        $per_mark{$sub} += $leak->{scalars_per_mark};
    }
    for my $sub (sort keys %scalars) {
        my $kept = sprintf '%.1f', $scalars{$sub};
        is(sprintf('%.1f', $per_call{$sub} || 0), $kept, "$name: $sub: $kept scalars a call");
        next if $how{mprof} !~ /mark=/;
        is(sprintf('%.1f', $per_mark{$sub} || 0), $kept, "$name: $sub: as many a mark, for there is one call a mark");
    }
    is_deeply([grep { exists $per_mark{$_} } @clean], [], "$name: what leaks nothing is not listed");
    return;
}
