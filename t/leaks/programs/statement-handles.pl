# A connection keeps every statement that it has prepared.
# MARK main::handle_request
# EXPECT scalars_per_mark=12
# The element, the statement's hash and 4 values, its array of 2 names, and its hash of 2 values.

use strict;
use warnings;

package Connection;

sub connect { my ($class, $source) = @_; return bless { source => $source, statements => [], cached => {} }, $class }

sub prepare {
    my ($self, $sql) = @_;
    my @names = $sql =~ /:(\w+)/g;
    my $statement = bless { sql => $sql, names => \@names, values => {}, rows => undef }, 'Statement';
    push @{ $self->{statements} }, $statement;    # LEAK
    return $statement;
}

sub prepare_cached {
    my ($self, $sql) = @_;
    return $self->{cached}{$sql} ||= $self->prepare($sql);
}

sub finish_all {
    my ($self) = @_;
    $_->finish for @{ $self->{statements} }, values %{ $self->{cached} };
    return;
}

package Statement;

sub execute {
    my ($self, @values) = @_;
    @{ $self->{values} }{ @{ $self->{names} } } = @values;
    $self->{rows} = [map { [$_, $values[0] * $_] } 1 .. 3];
    return $self;
}

sub fetch { my ($self) = @_; return shift @{ $self->{rows} } }
sub finish { my ($self) = @_; $self->{rows} = undef; return }

package main;

my $connection = Connection->connect('dbi:Fake:dbname=shop');

sub handle_request {
    my ($number) = @_;
    my $statement = $connection->prepare('select id, price from goods where shop = :shop and kind = :kind');
    $statement->execute($number, 'book');
    my $sum = 0;
    while (my $row = $statement->fetch) { $sum += $row->[1] }
    $statement->finish;
    return $sum;
}

my $requests = shift || 200;
my $sum      = 0;
$sum += handle_request($_) for 1 .. $requests;
$connection->finish_all;
print "$requests requests, sum $sum\n";
