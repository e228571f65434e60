# A server (as with IO::Async) adds a notifier for each connection, and does not remove it when that closes.
# MARK main::handle_request
# EXPECT scalars_per_mark=8
# The element, the notifier's hash and 5 values, and its array of children.

use strict;
use warnings;

package Notifier;
use Scalar::Util qw(weaken);

sub new { my ($class, %args) = @_; return bless { children => [], %args }, $class }

sub add_child {
    my ($self, $child) = @_;
    push @{ $self->{children} }, $child;
    weaken($child->{parent} = $self);
    return $child;
}

sub remove_child {
    my ($self, $child) = @_;
    @{ $self->{children} } = grep { $_ != $child } @{ $self->{children} };
    delete $child->{parent};
    return $child;
}

package Stream;
our @ISA = ('Notifier');

sub read_line {
    my ($self, $line) = @_;
    $self->{buffer} .= "$line\n";
    return $self->{on_read}->($self, \$self->{buffer});
}

package main;

my $server = Notifier->new(name => 'server');
my $lines  = 0;

sub on_read {
    my ($stream, $buffer) = @_;
    $lines++ while $$buffer =~ s/\A.*\n//;
    return;
}

sub handle_request {
    my ($number) = @_;
    my $stream = Stream->new(name => "client $number", buffer => '', on_read => \&on_read);
    $server->add_child($stream);    # LEAK
    $stream->read_line($_) for map { "line $_" } 1 .. 3;
    return;
}

my $requests = shift || 200;
handle_request($_) for 1 .. $requests;
print "$requests requests, $lines lines\n";
