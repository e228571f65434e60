# A validator that exists once collects its errors; every fourth request has some, and nobody takes them out.
# MARK main::handle_request
# EXPECT scalars_per_mark=1.5
# Every fourth request: 2 errors, each an element, a hash and its value.

use strict;
use warnings;

package Validator;

my $instance;
my %rules = (name => qr/\A\w+\z/, age => qr/\A\d+\z/);

sub instance { my ($class) = @_; return $instance ||= bless { errors => [], rules => \%rules }, $class }

sub check {
    my ($self, $fields) = @_;
    my $before = @{ $self->{errors} };
    for my $name (sort keys %{ $self->{rules} }) {
        next if $fields->{$name} =~ $self->{rules}{$name};
        push @{ $self->{errors} }, { text => "$name: $fields->{$name} cannot be" };    # LEAK
    }
    return @{ $self->{errors} } - $before;
}

package main;

sub handle_request {
    my ($number) = @_;
    my %fields = $number % 4 ? (name => "n$number", age => $number) : (name => '?', age => 'old');
    my @sorted = sort values %fields;
    return Validator->instance->check(\%fields);
}

my $requests = shift || 200;
my $errors   = 0;
$errors += handle_request($_) for 1 .. $requests;
print "$requests requests, $errors errors\n";
