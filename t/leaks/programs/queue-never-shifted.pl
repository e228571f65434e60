# A worker reads its queue by an index, and what is done stays at the front.
# MARK main::work
# EXPECT scalars_per_mark=6
# Two jobs a unit of work: of each the element, the hash and its value.

use strict;
use warnings;

package Queue;

sub new { my ($class) = @_; return bless { jobs => [], next => 0 }, $class }

sub add {
    my ($self, @names) = @_;
    push @{ $self->{jobs} }, map { { name => $_ } } @names;    # LEAK
    return $self;
}

sub take { my ($self) = @_; return $self->{jobs}[$self->{next}++] }

package main;

my $queue = Queue->new;

sub work {
    my ($round) = @_;
    $queue->add("resize $round", "mail $round");
    my $letters = 0;
    while (my $job = $queue->take) {
        my @words = split ' ', $job->{name};
        $letters += length for @words;
        last if $queue->{next} >= @{ $queue->{jobs} };
    }
    return $letters;
}

my $rounds  = shift || 200;
my $letters = 0;
$letters += work($_) for 1 .. $rounds;
print "$rounds rounds, $letters letters\n";
