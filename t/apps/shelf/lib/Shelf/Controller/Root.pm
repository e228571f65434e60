package Shelf::Controller::Root;

use Moose;
use namespace::autoclean;
BEGIN { extends 'Catalyst::Controller' }

__PACKAGE__->config(namespace => '');

our @history;

sub index :Path :Args(0) {
    my ($self, $c) = @_;
    $c->stash(books => [map { "Book $_" } 1 .. 5], template => 'index.tt');
    return;
}

sub default :Path {
    my ($self, $c) = @_;
    $c->response->status(404);
    $c->response->body('not here');
    return;
}

sub book :Local :Args(1) {
    my ($self, $c, $number) = @_;
    $c->stash(books => ["Book $number"], template => 'index.tt');
    $self->remember($number);
    return;
}

# The leak: each visit is kept for ever.
sub remember {
    my ($self, $number) = @_;
    push @history, 'v' x 2000 . $number;
    return;
}

sub fails :Local :Args(0) {
    my ($self, $c) = @_;
    die "no such shelf\n";
}

sub away :Local :Args(0) {
    my ($self, $c) = @_;
    $c->response->redirect($c->uri_for('/'));
    $c->detach;
    return;
}

sub end :Private {
    my ($self, $c) = @_;
    if (@{ $c->error }) {
        $c->response->status(500);
        $c->response->body(join '', map { s/0x[0-9a-f]+//gr } @{ $c->error });
        $c->clear_errors;
        return;
    }
    $c->forward('View::HTML') if !$c->response->body && $c->response->status != 302;
    return;
}

__PACKAGE__->meta->make_immutable;

1;
