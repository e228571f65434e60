# The callback of a condition variable is given the variable as its argument.
# MARK main::handle_request

use strict;
use warnings;

package Condvar;

sub new { my ($class) = @_; return bless { value => undef, cb => undef }, $class }
sub cb { my ($self, $callback) = @_; $self->{cb} = $callback; return $self }

sub send {
    my ($self, @values) = @_;
    $self->{value} = [@values];
    $self->{cb}->($self) if $self->{cb};
    return;
}

sub recv { my ($self) = @_; return @{ $self->{value} } }

package main;

my @waiting;
my $answers = 0;

sub lookup {
    my ($host) = @_;
    my $found = Condvar->new;
    push @waiting, sub { $found->send($host, map { length($host) * $_ } 1 .. 4) };
    return $found;
}

sub handle_request {
    my ($number) = @_;
    my $found = lookup("host$number.example");
    $found->cb(sub { my ($name, @address) = $_[0]->recv; $answers++ if @address == 4 && $name });
    (shift @waiting)->() while @waiting;
    return $answers;
}

my $requests = shift || 200;
handle_request($_) for 1 .. $requests;
print "$requests requests, $answers answers\n";
