# Every object is put into its class's registry, and none is taken out.
# MARK main::handle_request
# EXPECT scalars_per_mark=5
# The registry's value, the object's hash and its three values.

use strict;
use warnings;

package Connection;

our %ALL;
my $last_id = 0;

sub new {
    my ($class, %args) = @_;
    my $self = bless { id => ++$last_id, peer => $args{peer}, state => 'open' }, $class;
    $ALL{ $self->{id} } = $self;    # LEAK
    return $self;
}

sub answer {
    my ($self, @lines) = @_;
    my $text = join "\r\n", map { "$self->{peer}: $_" } @lines;
    $self->{state} = 'done';
    return length $text;
}

sub DESTROY {
    my ($self) = @_;
    delete $ALL{ $self->{id} };
    return;
}

package main;

sub handle_request {
    my ($number) = @_;
    my $connection = Connection->new(peer => '10.0.0.' . $number % 250);
    my @lines = ("HTTP/1.0 200 OK", "X-Number: $number");
    return $connection->answer(@lines);
}

my $requests = shift || 200;
my $bytes    = 0;
$bytes += handle_request($_) for 1 .. $requests;
print "$requests connections, $bytes bytes\n";
