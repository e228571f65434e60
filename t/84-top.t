# mprof-dump top, as one sees it: in a terminal that tmux makes.

use strict;
use warnings;

use Cwd qw(realpath);
use File::Temp qw(tempdir);
use FindBin;
use Test::More;

use lib "$FindBin::Bin/lib";
use MProfTest;

need_package('tmux', '/usr/bin/tmux');

my $reader = realpath("$FindBin::Bin/../blib/script/mprof-dump");
my $dir    = realpath(tempdir(CLEANUP => 1));
my @tmux   = ('tmux', '-f', '/dev/null', '-S', "$dir/socket");

# A terminal may be slow, but not as slow as that.
my $patience_seconds = 300;

sub tmux {
    my (@command) = @_;
    return system(@tmux, @command) == 0;
}

sub screen {
    open my $out, '-|', @tmux, qw(capture-pane -p -t top) or die "Cannot run tmux: $!";
    local $/;
    return scalar <$out>;
}

# Passes once the screen is as it should be.
sub shows {
    my ($regex, $name) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    my $last  = time + $patience_seconds;
    my $shown = screen();
    while ($shown !~ $regex && time < $last) {
        select undef, undef, undef, 0.1;
        $shown = screen();
    }
    return like($shown, $regex, $name);
}

sub keys_are { return tmux(qw(send-keys -t top), @_) }

# A server that grows until it is told to stop.
my $program = <<'PERL';
our @kept;
sub leak { push @kept, 'x' x 10_000; return }
sub fine { my $text = 'y' x 20_000; return length $text }
until (-e 'stop') { leak(); fine(); select undef, undef, undef, 0.02 }
PERL
my $server = fork;
die "Cannot fork: $!" if !defined $server;
if (!$server) {
    profiled($program, dir => $dir, options => 'interval=0.2');
    # No tests are done here.
    require POSIX;
    POSIX::_exit(0);
}
END { write_file("$dir/stop", '') if defined $dir && -d $dir }

$ENV{TERM} = 'screen';
delete @ENV{qw(TMUX NO_COLOR)};
ok(tmux(qw(new-session -d -s top -x 80 -y 24 sh)), 'a terminal of 80 columns and 24 rows');
END { tmux('kill-server') if -S "$dir/socket" }
keys_are("stty -a > $dir/before; PS1='ready> '; clear", 'Enter');
shows(qr/^ready>/m, 'a shell in it');

keys_are("$reader top --follow $dir/mprof.bin", 'Enter');
shows(qr/running.*live heap over time.*grown\*.*prog\.pl:2\s+main::leak/s, 'the line that leaks is shown');
shows(qr/^>/m, 'a row is chosen');
keys_are('v');
shows(qr/^.\s+\d.*B\s+\d.*B\s.*\smain::leak$/m, 'v: by sub');
keys_are('/');
keys_are('-l', 'leak');
shows(qr/filter: leak/, '/: a filter is typed');
keys_are('Enter');
shows(qr/1 of \d+ rows match leak/, 'and what matches is left');
keys_are('Enter');
shows(qr/< \(main program\):4/, 'Enter: the calls that lead there');
keys_are('Escape');
# A key that came at once would be taken for one with Alt.
shows(qr/\A(?!.*rows match)/s, 'Escape: all rows again');
keys_are('p');
shows(qr/HELD/, 'p: held');
# The frame that says so may not have been drawn whole.
my $held = screen();
for (1 .. 50) {
    select undef, undef, undef, 0.1;
    my $shown = screen();
    last if $shown eq $held;
    $held = $shown;
}
select undef, undef, undef, 1;
is(screen(), $held, 'nothing moves then');
keys_are('p', '?');
shows(qr/sort by live bytes/, '?: the help');
keys_are('q');
shows(qr/ready> *\n\s*\z/, 'q: the shell is back');

keys_are("clear; sh -c 'echo \$\$ > $dir/pid; exec $reader top $dir/mprof.bin'", 'Enter');
shows(qr/grown\*/, 'again');
kill TERM => read_file("$dir/pid") + 0;
shows(qr/ready> *\n\s*\z/, 'SIGTERM: the shell is back');
keys_are("stty -a > $dir/after; clear; echo all done", 'Enter');
shows(qr/^all done/m, 'and works');
is(read_file("$dir/after"), read_file("$dir/before"), 'the terminal is as it was');

write_file("$dir/stop", '');
waitpid $server, 0;
my $frame = mprof_dump('top', '--once', "$dir/mprof.bin");
is($frame->{exit}, 0, '--once');
like($frame->{stdout}, qr/ended.*prog\.pl:2  main::leak/s, 'prints one frame');
unlike($frame->{stdout}, qr/\e/, 'as plain text');

done_testing;
