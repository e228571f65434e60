# A transaction's own `finish` event has a callback that gets the transaction as its argument.
# MARK main::dispatch

use strict;
use warnings;

package Events;

sub on { my ($self, $name, $callback) = @_; push @{ $self->{on}{$name} }, $callback; return $callback }

sub emit {
    my ($self, $name) = @_;
    $_->($self) for @{ $self->{on}{$name} || [] };
    return $self;
}

package Transaction;
our @ISA = ('Events');

sub new { my ($class, %args) = @_; return bless { on => {}, body => '', %args }, $class }
sub write { my ($self, $text) = @_; $self->{body} .= $text; return $self }

package Controller;

my %served;

sub new { my ($class, $tx) = @_; return bless { tx => $tx, stash => { title => "Page $tx->{path}" } }, $class }

sub action {
    my ($self) = @_;
    my $tx = $self->{tx};
    $tx->on(finish => sub { my ($tx) = @_; $served{ $tx->{path} } += length $tx->{body} });
    $tx->write("<h1>$self->{stash}{title}</h1>")->write('<p>' . join('</p><p>', map { $_ * 2 } 1 .. 10) . '</p>');
    return;
}

package main;

sub dispatch {
    my ($number) = @_;
    my $tx = Transaction->new(path => '/page/' . $number % 5, headers => { Host => 'localhost' });
    Controller->new($tx)->action;
    $tx->emit('finish');
    return;
}

my $requests = shift || 200;
dispatch($_) for 1 .. $requests;
printf "%d requests of %s\n", $requests, join ' ', sort keys %served;
