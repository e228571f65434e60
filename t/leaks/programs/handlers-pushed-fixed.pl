# Each request registers its clean-up in a list that runs, and is emptied, when the request is over.
# MARK main::handle_request

use strict;
use warnings;

package App;

sub new { my ($class) = @_; return bless { after => [], served => 0 }, $class }

sub handle {
    my ($self, $request) = @_;
    my @fields = map { ucfirst } sort keys %$request;
    push @{ $self->{after} }, sub { $self->{served} += $request->{size} };
    my $body = join "\n", map { "$_: " . $request->{ lc $_ } } @fields;
    $self->finish;
    return $body;
}

sub finish {
    my ($self) = @_;
    $_->() for splice @{ $self->{after} };
    return $self->{served};
}

package main;

my $app = App->new;

sub handle_request {
    my ($number) = @_;
    my $body = $app->handle({ path => "/item/$number", size => 10 + $number % 7, agent => 'robot' });
    return length $body;
}

my $requests = shift || 200;
my $bytes    = 0;
$bytes += handle_request($_) for 1 .. $requests;
printf "%d requests, %d bytes, %d served\n", $requests, $bytes, $app->finish;
