# A model keeps the views that observe it; the program forgets each view after the request.
# MARK main::handle_request
# EXPECT scalars_per_mark=4
# The element, the view's hash and its 2 values.

use strict;
use warnings;

package Model;

sub new { my ($class) = @_; return bless { value => 0, observers => [] }, $class }

sub observe {
    my ($self, $observer) = @_;
    push @{ $self->{observers} }, $observer;    # LEAK
    return $self;
}

sub set {
    my ($self, $value) = @_;
    $self->{value} = $value;
    $_->changed($value) for @{ $self->{observers} };
    return $value;
}

package View;

sub new {
    my ($class, $model, $title) = @_;
    my $self = bless { title => $title, text => '' }, $class;
    $model->observe($self);    # LEAK
    return $self;
}

sub changed { my ($self, $value) = @_; $self->{text} = "$self->{title}: $value"; return }

package main;

my $model = Model->new;
# One that stays as long as the program.
my $status = View->new($model, 'status');

sub handle_request {
    my ($number) = @_;
    my $view = View->new($model, "page $number");
    $model->set($number * 2);
    my @shown = map { "<p>$_</p>" } $view->{text}, $status->{text};
    return length join '', @shown;
}

my $requests = shift || 200;
my $bytes    = 0;
$bytes += handle_request($_) for 1 .. $requests;
print "$requests requests, $bytes bytes\n";
