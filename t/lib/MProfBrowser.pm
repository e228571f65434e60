package MProfBrowser;

# A page in a real browser: headless Chromium, driven by chromedriver over WebDriver's HTTP.
#
#     my $browser = MProfBrowser->start;          # skips the whole test where there is no browser
#     $browser->open('/tmp/report.html#subs');
#     is($browser->js('return document.title'), 'x');
#     is_deeply([$browser->complaints], []);      # what its console says, since the last time it was asked
#
# Also: click(SELECTOR), type(SELECTOR, TEXT), key(SELECTOR, KEY), text(SELECTOR), wait_for(JAVASCRIPT),
# window(WIDTH, HEIGHT, 'dark' or 'light'), screenshot(FILE).

use strict;
use warnings;

use File::Temp qw(tempdir);
use HTTP::Tiny;
use IO::Socket::INET;
use JSON::PP ();
use MIME::Base64 qw(decode_base64);
use MProfTest qw(need_package write_file);
use Time::HiRes qw(sleep time);

my $json             = JSON::PP->new->utf8->canonical;
my $patience_seconds = 300;

# What WebDriver calls an element in its answers.
my $element = 'element-6066-11e4-a52e-4f735466cecf';

# Neither asks anyone on the network for anything.
my @switches = qw(
    --headless=new --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-dev-shm-usage
    --disable-background-networking --disable-component-update --disable-sync --hide-scrollbars
    --allow-file-access-from-files
);

sub start {
    my ($class) = @_;
    need_package('chromium', '/usr/bin/chromium');
    need_package('chromium-driver', '/usr/bin/chromedriver');
    my $port = IO::Socket::INET->new(LocalAddr => '127.0.0.1', Listen => 1)->sockport;
    my $dir  = tempdir(CLEANUP => 1);
    my $pid  = fork;
    die "Cannot fork: $!" if !defined $pid;
    if (!$pid) {
        delete @ENV{qw(PERL5OPT http_proxy https_proxy HTTP_PROXY HTTPS_PROXY)};
        @ENV{qw(HOME XDG_CONFIG_HOME XDG_CACHE_HOME)} = ($dir) x 3;
        open STDIN,  '<',  '/dev/null'  or die "Cannot redirect: $!";
        open STDOUT, '>',  "$dir/log"   or die "Cannot redirect: $!";
        open STDERR, '>&', \*STDOUT     or die "Cannot redirect: $!";
        exec '/usr/bin/chromedriver', "--port=$port" or die "Cannot run chromedriver: $!";
    }
    my $self = bless { pid => $pid, owner => $$, dir => $dir, at => "http://127.0.0.1:$port",
        http => HTTP::Tiny->new(timeout => $patience_seconds) }, $class;
    $self->until_true('chromedriver is ready', sub { $self->{http}->get("$self->{at}/status")->{success} });
    my $session = $self->ask(POST => '/session', {
        capabilities => { alwaysMatch => {
            browserName          => 'chrome',
            'goog:loggingPrefs'  => { browser => 'ALL' },
            'goog:chromeOptions' => { binary => '/usr/bin/chromium', args => [@switches, "--user-data-dir=$dir/profile"] },
        } },
    });
    $self->{session} = "/session/$session->{sessionId}";
    return $self;
}

sub DESTROY {
    my ($self) = @_;
    return if $$ != $self->{owner};
    local ($@, $?);
    eval { $self->ask(DELETE => $self->{session}) } if $self->{session};
    kill TERM => $self->{pid};
    waitpid $self->{pid}, 0;
    return;
}

# The value that chromedriver answers with.
sub ask {
    my ($self, $method, $path, $body) = @_;
    my %content = $body || $method eq 'POST' ? (content => $json->encode($body || {})) : ();
    my $answer  = $self->{http}->request($method, "$self->{at}$path", { headers => { 'Content-Type' => 'application/json' }, %content });
    my $value   = eval { $json->decode($answer->{content})->{value} };
    die "WebDriver $method $path: ", ref $value ? $value->{message} : $answer->{content} if !$answer->{success};
    return $value;
}

sub until_true {
    my ($self, $what, $check) = @_;
    my $until = time + $patience_seconds;
    while (!$check->()) {
        die "Waited $patience_seconds seconds in vain: $what" if time > $until;
        sleep 0.05;
    }
    return 1;
}

# Opens a file; `FILE#VIEW` at one of its views.
sub open {
    my ($self, $file) = @_;
    $self->ask(POST => "$self->{session}/url", { url => 'about:blank' });
    $self->ask(POST => "$self->{session}/url", { url => "file://$file" });
    return $self->settle;
}

# Waits until the page has drawn what the last step asked for. A page draws in tasks of its own: a change of the address is
# one (hashchange), and an observer of sizes is called with the next frame, which two frames later is past.
sub settle {
    my ($self) = @_;
    $self->ask(POST => "$self->{session}/execute/async", { args => [], script => <<'END' });
const done = arguments[0];
setTimeout(() => requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(done))), 20);
END
    return $self;
}

# What a function of that body returns.
sub js {
    my ($self, $body, @arguments) = @_;
    return $self->ask(POST => "$self->{session}/execute/sync", { script => $body, args => \@arguments });
}

sub wait_for {
    my ($self, $expression) = @_;
    return $self->until_true($expression, sub { $self->js("return Boolean($expression)") });
}

sub element {
    my ($self, $selector) = @_;
    my $found = $self->ask(POST => "$self->{session}/element", { using => 'css selector', value => $selector });
    return $found->{$element};
}

# As a user clicks: fails where something else lies over it.
sub click {
    my ($self, $selector) = @_;
    $self->ask(POST => "$self->{session}/element/" . $self->element($selector) . '/click');
    return $self->settle;
}

sub type {
    my ($self, $selector, $text) = @_;
    my $id = $self->element($selector);
    $self->ask(POST => "$self->{session}/element/$id/clear") if $self->js('return arguments[0].tagName', { $element => $id }) eq 'INPUT';
    $self->ask(POST => "$self->{session}/element/$id/value", { text => $text });
    return $self->settle;
}

my %keys = (Enter => "\x{E007}", Escape => "\x{E00C}", Left => "\x{E012}", Up => "\x{E013}", Right => "\x{E014}", Down => "\x{E015}");

sub key {
    my ($self, $selector, $key) = @_;
    return $self->type($selector, $keys{$key});
}

# The text that one sees.
sub text {
    my ($self, $selector) = @_;
    return $self->ask(GET => "$self->{session}/element/" . $self->element($selector) . '/text');
}

# Lines of the console, but for what only informs.
sub complaints {
    my ($self) = @_;
    my $lines = $self->ask(POST => "$self->{session}/se/log", { type => 'browser' });
    return map { "$_->{level}: $_->{message}" } grep { $_->{level} =~ /^(?:SEVERE|WARNING)$/ } @$lines;
}

sub window {
    my ($self, $width, $height, $scheme) = @_;
    my $cdp = sub { $self->ask(POST => "$self->{session}/goog/cdp/execute", { cmd => $_[0], params => $_[1] }) };
    $cdp->('Emulation.setDeviceMetricsOverride', { width => $width + 0, height => $height + 0, deviceScaleFactor => 1, mobile => JSON::PP::false });
    $cdp->('Emulation.setEmulatedMedia', { features => [{ name => 'prefers-color-scheme', value => $scheme || 'light' }] });
    return $self->settle;
}

sub screenshot {
    my ($self, $file) = @_;
    write_file($file, decode_base64($self->ask(GET => "$self->{session}/screenshot")));
    return $file;
}

1;
