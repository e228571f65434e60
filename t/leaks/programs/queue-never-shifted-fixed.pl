# A worker shifts what it takes off its queue.
# MARK main::work

use strict;
use warnings;

package Queue;

sub new { my ($class) = @_; return bless { jobs => [], next => 0 }, $class }

sub add {
    my ($self, @names) = @_;
    push @{ $self->{jobs} }, map { { name => $_ } } @names;
    return $self;
}

sub take { my ($self) = @_; return shift @{ $self->{jobs} } }

package main;

my $queue = Queue->new;

sub work {
    my ($round) = @_;
    $queue->add("resize $round", "mail $round");
    my $letters = 0;
    while (my $job = $queue->take) {
        my @words = split ' ', $job->{name};
        $letters += length for @words;
    }
    return $letters;
}

my $rounds  = shift || 200;
my $letters = 0;
$letters += work($_) for 1 .. $rounds;
print "$rounds rounds, $letters letters\n";
