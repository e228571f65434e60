# A handler of exceptions, set locally, refers to the variable that holds it so as to step back while it reports.
# MARK main::handle_request

use strict;
use warnings;

my %reported;

sub run_job {
    my ($job, $work) = @_;
    my $handler;
    $handler = sub {    # LEAK
        my ($error) = @_;
        local $SIG{__DIE__} = sub { die "while reporting: $_[0]" };
        $reported{ $job->{name} }++ if $SIG{__DIE__} != $handler;
        die $error;
    };
    local $SIG{__DIE__} = $handler;
    return eval { $work->($job) } || 0;
}

sub handle_request {
    my ($number) = @_;
    my $job = { name => 'job' . $number % 5, lines => [map { "line $_" } 1 .. 10] };
    return run_job($job, sub { my ($it) = @_; die "unlucky\n" if $number % 13 == 0; return scalar @{ $it->{lines} } });
}

my $requests = shift || 200;
my $lines    = 0;
$lines += handle_request($_) for 1 .. $requests;
printf "%d requests, %d lines, failed: %s\n", $requests, $lines, join ' ', sort keys %reported;
