# A class is made by string eval for each request, and stays in the symbol table.
# MARK main::handle_request

use strict;
use warnings;

package Factory;

my $made = 0;

sub class_for {
    my ($kind) = @_;
    my $class = 'Factory::Handler' . ++$made;
    eval "package $class; sub new { return bless {}, shift } sub kind { return '$kind' } 1" or die $@;    # LEAK
    return $class;
}

package main;

my @kinds = qw(get post put);

sub handle_request {
    my ($number) = @_;
    my $handler = Factory::class_for($kinds[$number % @kinds])->new;
    my @words = map { uc } split //, $handler->kind;
    return scalar @words;
}

my $requests = shift || 200;
my $letters  = 0;
$letters += handle_request($_) for 1 .. $requests;
print "$requests requests, $letters letters\n";
