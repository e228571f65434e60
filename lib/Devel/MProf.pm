package Devel::MProf;

# Nothing is loaded here, not even strict, warnings or XSLoader (which would bring more): a program that forgot to load a
# module must still miss it when it is profiled.
BEGIN { $^P = 0 }

our $VERSION = '0.01';

_load();

# What XSLoader does, in the folder next to this file's or anywhere in @INC.
sub _load {
    DynaLoader::boot_DynaLoader('DynaLoader') if defined &DynaLoader::boot_DynaLoader && !defined &DynaLoader::dl_error;
    my ($object) = grep -f, map "$_/auto/Devel/MProf/MProf.so", grep !ref, @INC;
    defined $object or die "Devel::MProf: no auto/Devel/MProf/MProf.so in \@INC (\@INC contains: @INC)\n";
    my $library = DynaLoader::dl_load_file($object, 0) or die 'Devel::MProf: ' . DynaLoader::dl_error() . "\n";
    my $boot = DynaLoader::dl_find_symbol($library, 'boot_Devel__MProf') or die "Devel::MProf: $object has no boot function\n";
    DynaLoader::dl_install_xsub(__PACKAGE__ . '::_bootstrap', $boot, $object)->(__PACKAGE__, $VERSION);
    return;
}

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
