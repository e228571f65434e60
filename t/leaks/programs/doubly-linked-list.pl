# Every element of a list knows the one before and the one after.
# MARK main::handle_request
# EXPECT scalars_per_mark=14
# 4 elements, each a hash and its value, and 3 references forth and 3 back. The list itself is freed.

use strict;
use warnings;

package List;

sub new { my ($class) = @_; return bless { first => undef, last => undef }, $class }

sub append {
    my ($self, $value) = @_;
    my $element = { value => $value };
    if (my $last = $self->{last}) {
        $element->{before} = $last;    # LEAK
        $last->{after} = $element;     # LEAK
    }
    else { $self->{first} = $element }
    $self->{last} = $element;
    return $self;
}

sub backwards {
    my ($self) = @_;
    my @values;
    for (my $element = $self->{last}; $element; $element = $element->{before}) { push @values, $element->{value} }
    return @values;
}

package main;

sub handle_request {
    my ($number) = @_;
    my $history = List->new;
    $history->append("page $_ of $number") for 1 .. 4;
    return length join ', ', $history->backwards;
}

my $requests = shift || 200;
my $bytes    = 0;
$bytes += handle_request($_) for 1 .. $requests;
print "$requests requests, $bytes bytes\n";
