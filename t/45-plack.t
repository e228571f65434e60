# Plack::Middleware::MProf marks each request when its response is finished, with a label that says what kind it was; it
# changes nothing of the response, and is not there when the profiler is not.

use strict;
use warnings;

use FindBin;
use Test::More;

use lib "$FindBin::Bin/lib";
use MProfTest;

need_package('libplack-perl', qw(Plack::Test Plack::Builder HTTP::Request::Common));
require Plack::Test;
require HTTP::Request::Common;
require Plack::Builder;
require Plack::Util;
require Plack::Middleware::MProf;

# Without the profiler.
my $hello = sub { return [200, ['Content-Type' => 'text/plain'], ['hello']] };
is(Plack::Middleware::MProf->wrap($hello), $hello, 'unprofiled, the application stands where it would');
{
    my $built = Plack::Builder::builder(sub { Plack::Builder::enable('MProf', label => sub { die }); $hello });
    is($built, $hello, 'also by way of enable');
}

# From here on what is marked goes into a list.
my @marked;
$INC{'Devel/MProf.pm'} = __FILE__;
{
    no warnings 'once';
    *Devel::MProf::mark = sub { push @marked, $_[0]; return };
}

# Labels.
my %label_of = (
    ''                                           => '/',
    '/'                                          => '/',
    '/post/17'                                   => '/post/*',
    '/post/17/'                                  => '/post/*/',
    '/post/17/comment/-3.5'                      => '/post/*/comment/*',
    '/api/v2/users'                              => '/api/v2/users',
    '/cover/17.png'                              => '/cover/*.png',
    '/style/site.min.css'                        => '/style/site.min.css',
    '/archive/2024-05-17'                        => '/archive/*',
    '/archive/2024/05/17/how-to-do-it'           => '/archive/*/*/*/how-to-do-it',
    '/at/2024-05-17T10:30:00Z'                   => '/at/*',
    '/17-the-title'                              => '/*',
    '/u/0d3c1f3e-9a52-4c2b-8a55-1f6b0c2d9e11'    => '/u/*',
    '/commit/c368c41'                            => '/commit/c368c41',
    '/commit/c368c4152'                          => '/commit/*',
    '/sha/da39a3ee5e6b4b0d3255bfef95601890afd80709' => '/sha/*',
    '/watch/dQw4w9WgXcQ'                         => '/watch/*',
    '/order/01arz3ndektsv4rrffq69g5fav'          => '/order/*',
    '/facade/decade'                             => '/facade/decade',
    '/user/ada@example.com'                      => '/user/*',
    '/tag/two words'                             => '/tag/*',
    '/tag/' . 'x' x 41                           => '/tag/*',
    '/host/10.0.0.1'                             => '/host/*',
    '/a/b/c/d/e/f/g/h/i/j'                       => '/a/b/c/d/e/f/g/h/...',
    "/line\nbreak"                               => '/*',
);
for my $path (sort keys %label_of) {
    is_deeply([marks_of($hello, environment(PATH_INFO => $path))], ["GET $label_of{$path} 200"], "the path '$path'");
}
is_deeply([marks_of($hello, environment(SCRIPT_NAME => '/shop', PATH_INFO => '/7'))], ['GET /shop/* 200'], 'below a mount');
is_deeply([marks_of($hello, environment(REQUEST_METHOD => 'POST'))], ['POST / 200'], 'another method');
is_deeply([marks_of($hello, environment(REQUEST_METHOD => "x\x{1}y"))], ['? / 200'], 'a method that is none');
is_deeply([marks_of(sub { return [404, [], []] }, environment())], ['GET / 404'], 'another status');

my $routes = sub { my ($env) = @_; $env->{'mprof.route'} = '/post/:id'; return [200, [], []] };
is_deeply([marks_of($routes, environment(PATH_INFO => '/post/17'))], ['GET /post/:id 200'], 'a route, set by the application');
{
    package Route;
    sub path  { return 'post/?:id' }
    sub route { return bless {}, 'Route' }
}
my $matches = sub { my ($env) = @_; $env->{'plack.router.match'} = bless {}, 'Route'; return [200, [], []] };
is_deeply([marks_of($matches, environment(PATH_INFO => '/post'))], ['GET /post/?:id 200'], 'a route, found by Path::Router');

my @given;
my $label = sub { @given = @_; return 'mine' };
is_deeply([marks_of($hello, environment(), label => $label)], ['mine'], 'a label of one\'s own');
is($given[0]{PATH_INFO}, '/', 'is made from the environment');
is_deeply($given[1], [200, ['Content-Type' => 'text/plain']], 'and the response');
is_deeply([marks_of($hello, environment(), label => sub { return })], [], 'or it is none, and nothing is marked');
{
    my @warned;
    local $SIG{__WARN__} = sub { push @warned, @_ };
    local $SIG{__DIE__}  = sub { push @warned, "handler: @_" };
    is_deeply([marks_of($hello, environment(), label => sub { die "broken\n" })], ['GET / 200'], 'one that dies: the default');
    is(scalar @warned, 1, 'with a warning');
    like($warned[0], qr/label.*broken/, 'that says why');
}

# Exceptions.
my $error = bless { code => 17 }, 'Error';
my @handled;
{
    local $SIG{__DIE__} = sub { push @handled, defined $^S ? $^S : 'undef' };
    my $app = Plack::Middleware::MProf->wrap(sub { die $error });
    @marked = ();
    is(eval { $app->(environment(PATH_INFO => '/post/1')); 1 }, undef, 'an exception passes through');
    is($@, $error, 'as it is');
    is_deeply(\@marked, ['GET /post/* 500 die'], 'and is marked');
    is(scalar @handled, 1, 'a handler of exceptions has been called once');
}
is_deeply([marks_of(sub { return }, environment())], ['GET / 500 die'], 'no response is none, too');

# Every kind of response is the same with the middleware as without, to the checker of Plack too, and is marked once.
{
    package Lines;
    sub new { my ($class, @lines) = @_; return bless { lines => [@lines] }, $class }
    sub getline { my ($self) = @_; return shift @{ $self->{lines} } }
    sub close { my ($self) = @_; $self->{closed}++; return 'closed' }
    sub path { return '/some/path' }
}
my %app = (
    'a list' => $hello,
    'a file' => sub { open my $in, '<', __FILE__ or die; return [200, ['Content-Type' => 'text/plain'], $in] },
    'an object' => sub { return [200, ['Content-Type' => 'text/plain'], Lines->new('a', 'b', 'c')] },
    'an object of Plack' => sub {
        my @lines = (1 .. 3);
        my $body = Plack::Util::inline_object(getline => sub { return shift @lines }, close => sub { });
        return [200, ['Content-Type' => 'text/plain'], $body];
    },
    'a delayed list' => sub { return sub { $_[0]->([201, ['Content-Type' => 'text/plain'], ['late']]) } },
    'a delayed object' => sub { return sub { $_[0]->([201, ['Content-Type' => 'text/plain'], Lines->new('l', 'ate')]) } },
    'a writer' => sub {
        return sub {
            my ($respond) = @_;
            my $writer = $respond->([202, ['Content-Type' => 'text/plain']]);
            $writer->write("piece $_") for 1 .. 3;
            $writer->close;
        };
    },
);
for my $kind (sort keys %app) {
    my @answers;
    for my $with (0, 1) {
        my $app = Plack::Builder::builder(sub {
            Plack::Builder::enable('Lint');
            Plack::Builder::enable('MProf') if $with;
            Plack::Builder::enable('Lint');
            $app{$kind};
        });
        @marked = ();
        my $answer = Plack::Test->create($app)->request(HTTP::Request::Common::GET('/item/17'));
        push @answers, $answer->as_string;
        is_deeply(\@marked, ['GET /item/* ' . $answer->code], "$kind: marked once") if $with;
    }
    is($answers[1], $answers[0], "$kind: the same answer");
    like($answers[0], qr/\AHTTP\S* 20\d|\A20\d/, "$kind: a good one");
}

# What the server gets: lists and files untouched, so that it can send a file by itself; constants of the application, too.
my $constant = [200, [], ['always']];
is(wrapped($constant), $constant, 'a list: the very response');
open my $file, '<', __FILE__ or die "Cannot read myself: $!";
is(wrapped([200, [], $file])->[2], $file, 'a file: the very handle');
my $lines    = Lines->new('a');
my $original = [200, ['X-Y' => 1], $lines];
my $got      = wrapped($original);
is($original->[2], $lines, 'an object: the response that the application may keep is as it was');
is_deeply([@$got[0, 1]], [200, ['X-Y' => 1]], 'status and headers');
ok($got->[2]->can($_), "it can $_") for qw(getline close path);
ok(!$got->[2]->can('seek'), 'and not what it cannot');
ok($got->[2]->isa('Lines'), 'it is what it is');
is($got->[2]->path, '/some/path', 'methods');
is($got->[2]->can('getline')->($got->[2]), 'a', 'also by reference');
is_deeply(\@marked, [], 'it is not finished');
is($got->[2]->close, 'closed', 'until it is closed');
is_deeply(\@marked, ['GET / 200'], 'and marked');
is($lines->{closed}, 1, 'the object itself is closed');
$got->[2]->close;
undef $got;
is(scalar @marked, 1, 'only once');

$got = wrapped([200, [], Lines->new('a')]);
undef $got;
is_deeply(\@marked, ['GET / 200'], 'a body that is dropped is finished');

# A response that comes later, as on a server with an event loop.
my (@kept_respond, @pieces);
my $later = sub { return sub { push @kept_respond, @_; return } };
my $response = Plack::Middleware::MProf->wrap($later)->(environment(PATH_INFO => '/later'));
@marked = ();
$response->(sub { return bless { answer => $_[0] }, 'Writer' });
undef $response;
{
    package Writer;
    sub write { my ($self, $piece) = @_; push @pieces, $piece; return length $piece }
    sub close { return }
    sub poll_cb { my ($self, $callback) = @_; return $callback->($self) }
}
is_deeply(\@marked, [], 'a delayed response is not marked before it comes');
my $writer = (shift @kept_respond)->([200, []]);
is($writer->write('one'), 3, 'its writer writes');
$writer->poll_cb(sub { push @pieces, 'polled' });
is_deeply(\@pieces, ['one', 'polled'], 'and has its other methods');
is_deeply(\@marked, [], 'it is not marked while it is written');
$writer->close;
is_deeply(\@marked, ['GET /later 200'], 'but when it is closed');
undef $writer;
is(scalar @marked, 1, 'once');

@marked = ();
$response = Plack::Middleware::MProf->wrap(sub { return sub { die "too late\n" } })->(environment());
is(eval { $response->(sub { }); 1 }, undef, 'one that dies then: the exception passes through');
is($@, "too late\n", 'as it is');
is_deeply(\@marked, ['GET / 500 die'], 'and is marked, though the server still has the callback');

# Clean-up after the response stays the server's business.
my $cleaned = 0;
my $env = environment('psgix.cleanup' => 1, 'psgix.cleanup.handlers' => []);
marks_of(sub { push @{ $_[0]{'psgix.cleanup.handlers'} }, sub { $cleaned++ }; return [200, [], []] }, $env);
is(scalar @{ $env->{'psgix.cleanup.handlers'} }, 1, 'handlers for the clean-up are passed on');
is($cleaned, 0, 'and not called');

# Nothing of the request stays with us.
my $freed = 0;
{ package Freed; sub DESTROY { $freed++; return } }
for my $kind (sort keys %app) {
    $freed = 0;
    my $app = Plack::Builder::builder(sub {
        Plack::Builder::enable('MProf');
        sub { my ($env) = @_; $env->{'test.freed'} = bless {}, 'Freed'; return $app{$kind}->($env) };
    });
    Plack::Test->create($app)->request(HTTP::Request::Common::GET('/'));
    is($freed, 1, "$kind: the environment is freed");
}

# With the profiler itself.
my $program = <<'PERL';
use strict;
use warnings;
use Plack::Builder;
use Plack::Test;
use HTTP::Request::Common;
my $app = builder {
    enable 'MProf';
    sub {
        my ($env) = @_;
        die "broken\n" if $env->{PATH_INFO} eq '/broken';
        return [200, ['Content-Type' => 'text/plain'], ["this is $env->{PATH_INFO}"]];
    };
};
my $test = Plack::Test->create($app);
for my $path (map { ("/post/$_", "/page/$_", '/broken') } 1 .. 20) {
    my $response = eval { $test->request(GET $path) };
    print $response ? $response->code . ' ' . $response->content : "died: $@", "\n";
}
PERL
my $run = same_behaviour('under the profiler: the application answers the same', $program);
is($run->{exit}, 0, 'to the end') or diag($run->{stderr});
my ($chunks) = grep { $_->{kind} eq 'marks' } @{ $run->report('info')->{chunks}{rows} };
cmp_ok($chunks->{chunks}, '>', 0, 'and the trace has its marks');

done_testing;

sub environment {
    my (%env) = @_;
    return { REQUEST_METHOD => 'GET', SCRIPT_NAME => '', PATH_INFO => '/', 'psgi.streaming' => 1, %env };
}

# What is marked when an application answers once.
sub marks_of {
    my ($app, $env, @options) = @_;
    my $wrapped = Plack::Middleware::MProf->wrap($app, @options);
    @marked = ();
    $wrapped->($env);
    return @marked;
}

# A response as the server gets it.
sub wrapped {
    my ($response) = @_;
    my $app = Plack::Middleware::MProf->wrap(sub { return $response });
    @marked = ();
    return $app->(environment());
}
