# A tree is built by recursion, and every node knows the one above weakly.
# MARK main::handle_request

use strict;
use warnings;

package Node;
use Scalar::Util qw(weaken);

sub build {
    my ($class, $name, $depth, $above) = @_;
    my $self = bless { name => $name, above => $above, below => [] }, $class;
    weaken($self->{above});
    if ($depth > 0) {
        @{ $self->{below} } = map { $class->build("$name.$_", $depth - 1, $self) } 1, 2;
    }
    return $self;
}

sub path {
    my ($self) = @_;
    return join '/', $self->{above} ? $self->{above}->path : (), $self->{name};
}

sub leaves {
    my ($self) = @_;
    my @below = @{ $self->{below} };
    return @below ? map { $_->leaves } @below : $self;
}

package main;

sub handle_request {
    my ($number) = @_;
    my $tree = Node->build("r$number", 2);
    return length join ' ', map { $_->path } $tree->leaves;
}

my $requests = shift || 200;
my $bytes    = 0;
$bytes += handle_request($_) for 1 .. $requests;
print "$requests trees, $bytes bytes\n";
