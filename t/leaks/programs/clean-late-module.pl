# Clean: modules are loaded in the middle of the run, by the first request that needs them.
# MARK main::handle_request

use strict;
use warnings;

sub as_text {
    my ($data) = @_;
    require Data::Dumper;
    return Data::Dumper->new([$data])->Indent(0)->Sortkeys(1)->Terse(1)->Useperl(1)->Dump;
}

sub as_date {
    my ($seconds) = @_;
    require Time::Local;
    return Time::Local::timegm(gmtime $seconds);
}

sub handle_request {
    my ($number) = @_;
    my %data = (number => $number, list => [map { $_ * 2 } 1 .. 8]);
    my $text = $number < 90 ? join ',', sort keys %data : as_text(\%data);
    my $date = $number < 130 ? 0 : as_date($number);
    return length($text) + $date;
}

my $requests = shift || 200;
my $sum      = 0;
$sum += handle_request($_) for 1 .. $requests;
print "$requests requests, sum $sum\n";
