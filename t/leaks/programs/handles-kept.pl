# Output goes through handles in memory, and the list of what is open only grows.
# MARK main::handle_request
# EXPECT scalars_per_mark=3
# The element, the glob and the handle in it.

use strict;
use warnings;

package Writer;

my @open;

sub to_string {
    my ($class, $text) = @_;
    open my $out, '>', $text or die "Cannot write to memory: $!";
    push @open, $out;    # LEAK
    return $out;
}

sub finish {
    close $_ for grep { defined fileno $_ } @open;
    return;
}

package main;

sub handle_request {
    my ($number) = @_;
    my $body = '';
    my $out  = Writer->to_string(\$body);
    print {$out} join "\n", map { "row $_ of $number" } 1 .. 5;
    close $out or die "Cannot close: $!";
    Writer->finish;
    return length $body;
}

my $requests = shift || 200;
my $bytes    = 0;
$bytes += handle_request($_) for 1 .. $requests;
print "$requests requests, $bytes bytes\n";
