package Plack::Middleware::MProf;

use strict;
use warnings;

use parent 'Plack::Middleware';

use Scalar::Util qw(blessed reftype);

my $most_segments   = 8;
my $longest_segment = 40;

# Unprofiled, the application stands where this would.
sub to_app {
    my ($self) = @_;
    return defined $INC{'Devel/MProf.pm'} ? $self->SUPER::to_app : $self->app;
}

# A request ends, and is marked, when nobody has its unit any more: this sub when it returns or dies, the callback of a
# delayed response, the body or the writer of one that is streamed.
sub call {
    my ($self, $env) = @_;
    my $unit = Plack::Middleware::MProf::Unit->begin($env, $self->{label} || \&_label);
    my $response = $self->app->($env);
    return _delayed($response, $unit) if ref $response eq 'CODE';
    $unit->answered($response);
    return _watched($response, $unit);
}

sub _delayed {
    my ($response, $unit) = @_;
    return sub {
        my ($respond, @more) = @_;
        # perl keeps what a closure has captured for as long as somebody has the closure, and the server may.
        my $request = $unit;
        undef $unit;
        return $response->(
            sub {
                my ($answer, @rest) = @_;
                my $answered = $request;
                undef $request;
                $answered->answered($answer) if $answered;
                return $respond->(_watched($answer, $answered), @rest) if ref $answer ne 'ARRAY' || defined $answer->[2];
                my $writer = $respond->($answer, @rest);
                return blessed $writer ? Plack::Middleware::MProf::Watched->new($writer, $answered) : $writer;
            },
            @more
        );
    };
}

# The response itself, unless code of the application goes on running while the server reads the body. A list or a file is
# complete, and the server must find a file as it is, so as to send it by itself.
sub _watched {
    my ($response, $unit) = @_;
    return $response if ref $response ne 'ARRAY';
    my ($status, $headers, $body, @more) = @$response;
    return $response if !blessed $body || reftype($body) eq 'GLOB';
    return [$status, $headers, Plack::Middleware::MProf::Watched->new($body, $unit), @more];
}

# The default label. There is no response where the application died.
sub _label {
    my ($env, $response) = @_;
    my $method = defined $env->{REQUEST_METHOD} ? $env->{REQUEST_METHOD} : '';
    $method = '?' if $method !~ /\A[A-Z]{1,16}\z/;
    my $route = _route($env);
    return join ' ', $method, defined $route ? $route : _pattern($env), $response ? $response->[0] : '500 die';
}

# What the application, or Plack::App::Path::Router, says it is.
sub _route {
    my ($env) = @_;
    return $env->{'mprof.route'} if defined $env->{'mprof.route'};
    my $match = $env->{'plack.router.match'};
    return if !blessed $match || !$match->can('route');
    my $route = $match->route;
    return blessed $route && $route->can('path') ? '/' . $route->path : undef;
}

# The path, with a star for each segment that names one thing among many.
sub _pattern {
    my ($env) = @_;
    my $path = join '', map { defined $env->{$_} ? $env->{$_} : '' } qw(SCRIPT_NAME PATH_INFO);
    my @segments = split m{/}, $path, -1;
    @segments = (@segments[0 .. $most_segments], '...') if @segments > $most_segments + 1;
    return join('/', map { _segment($_) } @segments) || '/';
}

sub _segment {
    my ($segment) = @_;
    return '*' if length $segment > $longest_segment || $segment =~ /[^!-~]|@/;
    my ($name, $extension) = $segment =~ /\A(.+?)((?:\.[A-Za-z][A-Za-z0-9]{0,4})?)\z/s or return $segment;
    return _names_one($name) ? "*$extension" : $segment;
}

sub _names_one {
    my ($name) = @_;
    # Numbers, dates, times, addresses: digits, and no letters. Then 2024-05-17T10:30:00Z, and 17-of-something.
    return 1 if $name =~ /\A[^A-Za-z]*\d[^A-Za-z]*\z/;
    return 1 if $name =~ /\A\d{4}-?\d\d-?\d\dT[\d:.]+Z?\z/ || $name =~ /\A\d+-./;

    # UUIDs and other hexadecimal identifiers.
    return 1 if $name =~ /\A[[:xdigit:]]{8}(?:-[[:xdigit:]]{4}){3}-[[:xdigit:]]{12}\z/;
    return 1 if $name =~ /\A[[:xdigit:]]{8,}\z/ && $name =~ /\d/ || $name =~ /\A[[:xdigit:]]{16,}\z/;

    # Identifiers in base 64: of small letters, capitals and digits. In base 36 and the like: with some digits.
    return 1 if $name =~ m{\A[\w+=-]{10,}\z} && $name =~ /[a-z]/ && $name =~ /[A-Z]/ && $name =~ /\d/;
    return $name =~ /\A[A-Za-z\d]{12,}\z/ && $name =~ tr/0-9// >= 3;
}

# A request that has begun and not ended.
package    # not for the index of CPAN
    Plack::Middleware::MProf::Unit;

sub begin {
    my ($class, $env, $label) = @_;
    return bless { env => $env, label => $label }, $class;
}

# The label is made when the status is known, so that a long answer does not hold the environment.
sub answered {
    my ($self, $response) = @_;
    my $env = delete $self->{env};
    $self->{text} = _text($self->{label}, $env, $response) if $env;
    return;
}

# $@ and the like are those of the application, which may be dying. A label that cannot be made must not stop it.
sub _text {
    my ($label, $env, $response) = @_;
    local ($@, $!, $?);
    local $SIG{__DIE__};
    my $answer = ref $response eq 'ARRAY' ? [@$response[0, 1]] : $response ? [500, []] : undef;
    my $text = eval { $label->($env, $answer) };
    return $text if !$@;
    warn "Plack::Middleware::MProf: the label cannot be made: $@";
    return Plack::Middleware::MProf::_label($env, $answer);
}

sub DESTROY {
    my ($self) = @_;
    return if ${^GLOBAL_PHASE} eq 'DESTRUCT';
    $self->answered(undef);
    Devel::MProf::mark($self->{text}) if defined $self->{text};
    return;
}

# The body or the writer of a response that is streamed: does what that does, and has the unit until it is closed.
package    # not for the index of CPAN
    Plack::Middleware::MProf::Watched;

our $AUTOLOAD;

sub new {
    my ($class, $object, $unit) = @_;
    return bless { object => $object, unit => $unit }, $class;
}

sub close {
    my ($self, @arguments) = @_;
    my $unit = delete $self->{unit};
    return $self->{object}->close(@arguments);
}

sub AUTOLOAD {
    my ($self, @arguments) = @_;
    my ($method) = $AUTOLOAD =~ /([^:]+)\z/;
    return $self->{object}->$method(@arguments);
}

sub can {
    my ($self, $method) = @_;
    return UNIVERSAL::can($self, $method) if !ref $self || $method eq 'close';
    return if !$self->{object}->can($method);
    return sub { my ($self, @arguments) = @_; return $self->{object}->$method(@arguments) };
}

sub isa {
    my ($self, $class) = @_;
    return ref $self ? $self->{object}->isa($class) : UNIVERSAL::isa($self, $class);
}

sub DESTROY { return }

1;
__END__

=head1 NAME

Plack::Middleware::MProf - marks each request of a web application for the memory profiler

=head1 SYNOPSIS

    # app.psgi
    use Plack::Builder;

    builder {
        enable 'MProf';
        $app;
    };

    # perl -d:MProf -S plackup app.psgi

=head1 DESCRIPTION

L<Devel::MProf> tells how much memory stays with each unit of work. This middleware says where the units end: it calls
C<Devel::MProf::mark> when a response is finished, with a label such as C<GET /post/* 200>.

Without the profiler it is not there: C<enable> returns the application as it is, so it may stay in F<app.psgi>. It
does not load the profiler.

Enable it first. What other middleware does then belongs to the request.

=head2 When a request is finished

A response whose body is a list or a file handle is finished when the application returns it; one that is delayed,
when it has been handed to the server. If the body is an object of its own, or the response is written piece by piece,
it is finished when the body or the writer is closed, or freed.

The response is never changed. A body or a writer that is an object is wrapped in another, which has the same methods.

An exception goes on to whoever catches it. The request is marked with the status C<500 die>. So is one whose delayed
response never comes.

Where several requests are under way in one process at the same time, a mark ends the one that is finished; what the
others have allocated until then counts for it.

=head1 LABELS

The default label has three parts: the method, the route or the path, and the status.

The route is taken from the environment if it is there:

=over

=item C<mprof.route>

Set by the application: C<< $env->{'mprof.route'} = '/post/:id' >>.

=item C<plack.router.match>

Set by L<Plack::App::Path::Router>.

=back

Otherwise it is the path, with a C<*> for every segment that looks as if it named one thing among many: numbers,
dates, UUIDs, identifiers in hexadecimal, base 64 or the like, and what has blanks, an C<@> or more than 40
characters. An extension stays: F</cover/17.png> becomes C</cover/*.png>. After eight segments comes C<...>. A name
made of plain words, as in F</post/how-to-do-it>, is not recognized: set C<mprof.route>, or a label.

There may be 256 different labels; the profiler counts any more as C<(other)>.

=head1 OPTIONS

=over

=item label

A function that makes the label. It gets the environment and the response, of which the status and the headers are
there. The response is undef if the application died.

    enable 'MProf', label => sub {
        my ($env, $response) = @_;
        return if $env->{PATH_INFO} eq '/health';
        return $env->{'myapp.action'};
    };

A request for which it returns undef is not marked. If it dies, there is a warning and the label is the default one.

=back

=head1 SEE ALSO

L<Devel::MProf>, L<Devel::MProf::API>, L<Plack::Builder>

=head1 LICENSE

The same terms as Perl itself.

=cut
