# A plugin class is put together once for each format, by globs and @ISA.
# MARK main::handle_request

use strict;
use warnings;

package Plugin;

sub new { my ($class, %args) = @_; return bless {%args}, $class }
sub text { my ($self) = @_; return join $self->separator, @{ $self->{fields} } }

package Plugins;

my $made = 0;
my %class_for;

sub with_separator {
    my ($separator) = @_;
    return $class_for{$separator} if $class_for{$separator};
    my $class = 'Plugin::P' . ++$made;
    no strict 'refs';
    push @{"${class}::ISA"}, 'Plugin';
    *{"${class}::separator"} = sub { return $separator };
    $class_for{$separator} = $class;
    return $class;
}

package main;

my @separators = (',', ';', "\t");

sub handle_request {
    my ($number) = @_;
    my $class = Plugins::with_separator($separators[$number % @separators]);
    my $plugin = $class->new(fields => [map { "field$_" } 1 .. $number % 9 + 1]);
    return length $plugin->text;
}

my $requests = shift || 200;
my $bytes    = 0;
$bytes += handle_request($_) for 1 .. $requests;
print "$requests requests, $bytes bytes\n";
