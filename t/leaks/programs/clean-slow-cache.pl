# Clean: a cache with 60 possible keys, which come for the first time one by one, in the first third of the run.
# MARK main::handle_request

use strict;
use warnings;

package Templates;

my %compiled;

sub render {
    my ($class, $name, %values) = @_;
    my $template = $compiled{$name} ||= [map { { text => "$name $_: ", value => $_ % 2 ? 'user' : 'page' } } 1 .. 10];
    return join '', map { $_->{text} . $values{ $_->{value} } } @$template;
}

package main;

sub handle_request {
    my ($number) = @_;
    my $page = $number <= 60 ? $number : ($number * 7) % 60 + 1;
    my $html = Templates->render("page$page", user => "user$number", page => $page);
    return length $html;
}

my $requests = shift || 200;
my $bytes    = 0;
$bytes += handle_request($_) for 1 .. $requests;
print "$requests requests, $bytes bytes\n";
