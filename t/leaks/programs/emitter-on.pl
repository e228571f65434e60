# Each request subscribes to an emitter that outlives it, and never unsubscribes.
# MARK main::handle_request

use strict;
use warnings;

package Emitter;

sub new { my ($class) = @_; return bless { events => {} }, $class }

sub on {
    my ($self, $name, $callback) = @_;
    push @{ $self->{events}{$name} }, $callback;
    return $callback;
}

sub unsubscribe {
    my ($self, $name, $callback) = @_;
    @{ $self->{events}{$name} } = grep { $_ != $callback } @{ $self->{events}{$name} };
    return $self;
}

sub emit {
    my ($self, $name, @arguments) = @_;
    my @all = @{ $self->{events}{$name} || [] };
    $_->(@arguments) for @all;
    return scalar @all;
}

package main;

my $configuration = Emitter->new;
my $reloads       = 0;
# What the program itself subscribes to once is no leak.
$configuration->on(reload => sub { $reloads++ });

sub handle_request {
    my ($number) = @_;
    my %settings = (colour => 'green', size => $number);
    $configuration->on(reload => sub { my ($colour) = @_; $settings{colour} = $colour });    # LEAK
    my @rows = map { "<td>$_: $settings{$_}</td>" } sort keys %settings;
    $configuration->emit('reload', 'blue') if $number % 50 == 0;
    return length join '', @rows;
}

my $requests = shift || 200;
my $bytes    = 0;
$bytes += handle_request($_) for 1 .. $requests;
print "$requests requests, $bytes bytes, $reloads reloads\n";
