package Devel::MProf::API;

# Nothing is loaded here, not even strict or warnings: a program that forgot to load them must still miss them.

# Each is a sub of its own, under its own name, so that Devel::MProf can turn it into the real one when it is loaded later.
# Where it is loaded already they are all there.
eval "package Devel::MProf; sub $_ { return } 1" || die $@
    for grep !defined &{"Devel::MProf::$_"}, qw(start stop mark snapshot stats);

1;
__END__

=head1 NAME

Devel::MProf::API - the functions of Devel::MProf, for programs that also run without it

=head1 SYNOPSIS

    use Devel::MProf::API;

    while (my $job = next_job()) {
        work_on($job);
        Devel::MProf::mark($job->{kind});    # a unit of work is done
    }

    # Records, and finds the marks in the trace:
    #     perl -d:MProf worker.pl
    # Marks nothing, and loads nothing more than this module:
    #     perl worker.pl

=head1 DESCRIPTION

The functions of L<Devel::MProf> exist while a program is profiled. With this module they exist always: without the
profiler they are empty subs, which take any arguments, do nothing and return nothing. The program calls them without
asking first, and no dependency on the profiler's shared object comes into it.

Nothing is exported, and nothing else is loaded. Whether the profiler or this module comes first makes no difference:
when the profiler is loaded, calls that were compiled before reach the real functions, and so do references that were
taken.

=head1 FUNCTIONS

They may be called as class methods, too: C<< Devel::MProf->mark('job') >>. What they return is given here for a
program that is being profiled; otherwise it is the empty list, or undef.

=over

=item Devel::MProf::start()

Starts recording, or goes on with it.

=item Devel::MProf::stop()

Stops recording.

=item Devel::MProf::mark()

=item Devel::MProf::mark($label)

Ends a unit of work, such as a request or a job. Growth is reported per unit. The label says what kind of work it was,
and is C<(mark)> where none is given. Labels are for kinds and not for single units: from the 257th on all are counted
as C<(other)>.

=item Devel::MProf::snapshot()

=item Devel::MProf::snapshot('full')

Writes all that has changed to the trace. A full snapshot also lists what lives on, and what refers to it.

=item Devel::MProf::stats()

Returns the figures as they are now, in a hash. Nothing while nothing is recorded:

    if (my $stats = Devel::MProf::stats()) { ... }

=back

=head1 SEE ALSO

L<Devel::MProf>; L<Plack::Middleware::MProf>, which marks each request of a web application.

=head1 LICENSE

The same terms as Perl itself.

=cut
