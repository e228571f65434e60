# Each request wraps the handler of warnings that it finds, for as long as it runs.
# MARK main::handle_request

use strict;
use warnings;

my @warned;
$SIG{__WARN__} = sub { push @warned, $_[0] if @warned < 10; return };

sub handle_request {
    my ($number) = @_;
    my $previous = $SIG{__WARN__};
    local $SIG{__WARN__} = sub { $previous->("request $number: $_[0]") };
    my %fields = map { $_ => length } qw(name street town);
    warn "no $_\n" for grep { $fields{$_} > 5 && $number % 100 == 0 } sort keys %fields;
    return scalar keys %fields;
}

my $requests = shift || 200;
my $fields   = 0;
$fields += handle_request($_) for 1 .. $requests;
printf "%d requests, %d fields, %d warnings\n", $requests, $fields, scalar @warned;
