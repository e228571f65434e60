# Clean: requests of very different size, whose variables keep the room they once needed, deep recursion among them.
# MARK main::handle_request

use strict;
use warnings;

package Document;

sub new {
    my ($class, $depth) = @_;
    my $self = bless { name => "level $depth", below => [] }, $class;
    push @{ $self->{below} }, Document->new($depth - 1) if $depth > 0;
    return $self;
}

sub text {
    my ($self, $indent) = @_;
    my $line = ' ' x $indent . $self->{name};
    return join "\n", $line, map { $_->text($indent + 1) } @{ $self->{below} };
}

package main;

sub handle_request {
    my ($number) = @_;
    # The deepest comes in the first half, but a while after the start.
    my $depth = $number == 70 ? 60 : $number * 7919 % 30;
    my $text = Document->new($depth)->text(0);
    my @lines = split /\n/, $text x ($number * 104729 % 5 + 1);
    return scalar @lines;
}

my $requests = shift || 200;
my $lines    = 0;
$lines += handle_request($_) for 1 .. $requests;
print "$requests requests, $lines lines\n";
