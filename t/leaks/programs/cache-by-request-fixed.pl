# A cache of rendered pages, by page.
# MARK main::handle_request

use strict;
use warnings;

package View;

our %RENDERED;

sub render {
    my ($class, $request) = @_;
    my $key = $request->{page};
    return $RENDERED{$key} ||= join "\n", map { $class->row($request->{page}, $_) } 1 .. 20;
}

sub row {
    my ($class, $page, $number) = @_;
    my %cell = (id => "$page-$number", text => "row $number");
    return join '', map { "<td $_='$cell{$_}'>" } sort keys %cell;
}

package main;

my @pages = qw(index about contact);

sub handle_request {
    my ($number) = @_;
    my $request = { number => $number, page => $pages[$number % @pages] };
    my $body = View->render($request);
    return length $body;
}

my $requests = shift || 200;
my $bytes    = 0;
$bytes += handle_request($_) for 1 .. $requests;
print "$requests requests, $bytes bytes\n";
