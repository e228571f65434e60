# A parent keeps its children; the method that adds a child gives it a weak reference to the parent.
# MARK main::handle_request

use strict;
use warnings;

package Order;
use Scalar::Util qw(weaken);

sub new {
    my ($class, $number) = @_;
    return bless { number => $number, items => [] }, $class;
}

sub add {
    my ($self, $item) = @_;
    $item->{order} = $self;
    weaken($item->{order});
    push @{ $self->{items} }, $item;
    return $self;
}

sub total {
    my ($self) = @_;
    my $total = 0;
    $total += $_->price for @{ $self->{items} };
    return $total;
}

package Order::Item;

sub new {
    my ($class, $article, $cents) = @_;
    return bless { article => $article, cents => $cents }, $class;
}

sub price {
    my ($self) = @_;
    my $discount = @{ $self->{order}{items} } > 2 ? 5 : 0;
    return $self->{cents} * (100 - $discount) / 100;
}

package main;

my @articles = map { { name => "article $_", cents => 100 + 7 * $_ } } 1 .. 20;

sub handle_request {
    my ($number) = @_;
    my @wanted = map { $articles[($number * $_) % @articles] } 1 .. 3;
    my $order = Order->new($number);
    $order->add(Order::Item->new($_->{name}, $_->{cents})) for @wanted;
    my $line = sprintf '%05d: %s', $number, join ', ', map { $_->{name} } @wanted;
    return $order->total + 0 * length $line;
}

my $requests = shift || 200;
my $cents    = 0;
$cents += handle_request($_) for 1 .. $requests;
print "$requests orders, $cents cents\n";
