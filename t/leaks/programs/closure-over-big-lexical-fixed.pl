# A small callback, kept until the next request's retry, has captured only what it needs.
# MARK main::handle_request

use strict;
use warnings;

my @retries;

sub parse {
    my ($document) = @_;
    my %count;
    $count{$_}++ for $document =~ /(\w+)/g;
    return \%count;
}

sub handle_request {
    my ($number) = @_;
    my $document = join ' ', map { 'word' . ($number * $_) % 31 } 1 .. 400;
    my $count = parse($document);
    my $length = length $document;
    @retries = (sub { return $length });
    return scalar keys %$count;
}

my $requests = shift || 200;
my $words    = 0;
$words += handle_request($_) for 1 .. $requests;
my $bytes = $retries[-1]->();
print "$requests requests, $words words, the last of $bytes bytes\n";
