package Devel::MProf;

# Nothing is loaded here but XSLoader, not even strict and warnings: a program that forgot to load a module must still
# miss it when it is profiled.
BEGIN { $^P = 0 }

our $VERSION = '0.01';

require XSLoader;
XSLoader::load('Devel::MProf', $VERSION);

sub import {
    my ($class, @options) = @_;
    return if our $begun;

    # perl leaves the text of -d:MProf here for its own use; the program should find its environment as it was.
    delete $ENV{PERL5DB} if defined $ENV{PERL5DB} && $ENV{PERL5DB} =~ /\Ause Devel::MProf\b/;
    for my $option ((grep length, split /:(?=\w+=)/, defined $ENV{MPROF} ? $ENV{MPROF} : ''), @options) {
        my ($key, $value) = split /=/, $option, 2;
        _option($key, defined $value ? $value : '');
    }
    $begun = 1;
    _begin();
    return;
}

1;
__END__

=head1 NAME

Devel::MProf - memory profiler for Perl: which line allocates, keeps and leaks

=cut
