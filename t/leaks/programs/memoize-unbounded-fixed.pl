# A memoized function that forgets everything when it has 50 answers.
# MARK main::handle_request

use strict;
use warnings;

package Memo;

# Replaces a function by one that remembers its answers.
sub memoize {
    my ($name) = @_;
    my %answers;
    no strict 'refs';
    no warnings 'redefine';
    my $function = \&$name;
    *$name = sub {
        my $key = join $;, @_;
        %answers = () if keys %answers >= 50;
        $answers{$key} = $function->(@_) if !exists $answers{$key};
        return $answers{$key};
    };
    return;
}

package main;

sub route {
    my ($from, $to) = @_;
    my @steps = map { ($from * $_) % 97 } 1 .. $to % 20 + 1;
    return join '>', $from, @steps, $to;
}
Memo::memoize('main::route');

sub handle_request {
    my ($number) = @_;
    my @routes = map { route($number, $number + 10) } 1 .. 3;
    my %count;
    $count{$_}++ for map { split />/ } @routes;
    return scalar keys %count;
}

my $requests = shift || 200;
my $places   = 0;
$places += handle_request($_) for 1 .. $requests;
print "$requests requests, $places places\n";
