# Output goes through handles in memory, which are closed and forgotten.
# MARK main::handle_request

use strict;
use warnings;

package Writer;

my @open;

sub to_string {
    my ($class, $text) = @_;
    open my $out, '>', $text or die "Cannot write to memory: $!";
    push @open, $out;
    return $out;
}

sub finish {
    close $_ for splice @open;
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
