# Clean: a cache fills to its bound of 60 in the first requests, and from then on evicts as much as it takes in.
# MARK main::handle_request

use strict;
use warnings;

package Cache;

sub new { my ($class, $bound) = @_; return bless { bound => $bound, value => {}, used => {}, clock => 0 }, $class }

sub get {
    my ($self, $key, $make) = @_;
    $self->{used}{$key} = ++$self->{clock};
    return $self->{value}{$key} if exists $self->{value}{$key};
    $self->evict if keys %{ $self->{value} } >= $self->{bound};
    return $self->{value}{$key} = $make->($key);
}

sub evict {
    my ($self) = @_;
    my $used = $self->{used};
    my ($oldest) = sort { $used->{$a} <=> $used->{$b} } keys %{ $self->{value} };
    delete $_->{$oldest} for @$self{qw(value used)};
    return;
}

package main;

my $cache = Cache->new(60);

sub handle_request {
    my ($number) = @_;
    my $user = $cache->get("user$number", sub { my ($name) = @_; return { name => $name, groups => [1 .. 5] } });
    my $admin = $cache->get('admin', sub { return { name => 'admin', groups => [0] } });
    return @{ $user->{groups} } + @{ $admin->{groups} };
}

my $requests = shift || 200;
my $groups   = 0;
$groups += handle_request($_) for 1 .. $requests;
print "$requests requests, $groups groups\n";
