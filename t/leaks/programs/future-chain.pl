# A step of a chain of futures (as with IO::Async) refers to the future that the chain returns.
# MARK main::handle_request

use strict;
use warnings;

package Promise;

sub new { my ($class) = @_; return bless { ready => 0, values => [], then => [] }, $class }

sub done {
    my ($self, @values) = @_;
    @$self{qw(ready values)} = (1, \@values);
    $_->(@values) for @{ $self->{then} };
    return $self;
}

sub then {
    my ($self, $code) = @_;
    my $next = Promise->new;
    $next->{step} = sub { return $next->done($code->(@_)) };    # LEAK
    push @{ $self->{then} }, $next->{step};
    return $next;
}

package main;

sub handle_request {
    my ($number) = @_;
    my $read = Promise->new;
    my $parsed = $read->then(sub { my ($text) = @_; return split /,/, $text });
    my $counted = $parsed->then(sub { return scalar @_ });
    $read->done(join ',', 1 .. $number % 10 + 1);
    return $counted->{values}[0];
}

my $requests = shift || 200;
my $fields   = 0;
$fields += handle_request($_) for 1 .. $requests;
print "$requests requests, $fields fields\n";
