# Options come from -d:MProf=a=b,c=d and from MPROF=a=b:c=d; a wrong one is an error before the program starts.

use strict;
use warnings;

use FindBin;
use Test::More;

use lib "$FindBin::Bin/lib";
use MProfTest;

my $program = 'BEGIN { print "compiled\n" } print "ran\n"; sub f { 1 } f();';

my @known = qw(file statm hook lines live interval start depth);
my @wrong = (
    ['fiel=x',         'fiel',     'an unknown key'],
    ['nonsense',       'nonsense', 'a word alone'],
    ['=',              '',         'nothing'],
    ['File=x',         'File',     'a key in capitals'],
    ['statm=sometimes', 'statm',   'a value that statm does not have'],
    ['statm',          'statm',    'no value'],
    ['hook=line',      'hook',     'a hook that is not'],
    ['lines=2',        'lines',    'a switch is 0 or 1'],
    ['live=yes',       'live',     'not yes'],
    ['interval=0',     'interval', 'no time'],
    ['interval=-1',    'interval', 'less than no time'],
    ['interval=soon',  'interval', 'no number'],
    ['interval=inf',   'interval', 'eternity'],
    ['interval=nan',   'interval', 'no number by name'],
    ['start=later',    'start',    'a start that is not'],
    ['depth=0',        'depth',    'no depth'],
    ['depth=-5',       'depth',    'less than none'],
    ['depth=1e3',      'depth',    'not a whole number'],
    ['depth=99999999999999999999', 'depth', 'too deep'],
    ['file=',          'file',     'no name'],
    ['live=1,nosuch=2', 'nosuch',  'a good one before it'],
    ['live=maybe,lines=1', 'live', 'a good one after it'],
);
for my $wrong (@wrong) {
    my ($options, $named, $name) = @$wrong;
    (my $for_environment = $options) =~ s/,/:/g;
    for my $run (profiled($program, options => $options), profiled($program, mprof => $for_environment)) {
        subtest "$name: $options" => sub {
            isnt($run->{exit}, 0, 'an error');
            is($run->{signal}, 0, 'no signal');
            is($run->{stdout}, '', 'nothing of the program is compiled or run');
            like($run->{stderr}, qr/\ADevel::MProf: [^\n]*'\Q$named\E'/, 'the first line names it');
            like($run->{stderr}, qr/\b$_=/, "$_ is listed") for @known;
            is_deeply([traces_in($run->{dir})], [], 'no trace');
        };
    }
}

my %accepted = (
    file     => ['mprof.bin', './mprof.bin'],
    statm    => [qw(auto every off)],
    hook     => [qw(op db)],
    lines    => [0, 1],
    live     => [0, 1],
    interval => [qw(1 0.5 0.05 60 86400)],
    start    => [qw(begin init)],
    depth    => [qw(1 77 100000)],
);
for my $key (sort keys %accepted) {
    for my $value (@{ $accepted{$key} }) {
        for my $how ([options => "$key=$value"], [mprof => "$key=$value"]) {
            my $run = profiled($program, @$how);
            is($run->{stdout}, "compiled\nran\n", "$how->[0] $key=$value: the program runs") or diag($run->{stderr});
            my %options = options_of($run);
            is($options{$key}, $value, 'and the trace says so');
        }
    }
}
is_deeply([sort @known], [sort keys %accepted], 'those are all');

my $run = profiled($program, options => 'depth=9,live=0,interval=2.5');
my %options = options_of($run);
is_deeply([@options{qw(depth live interval lines)}], [9, 0, 2.5, 1], 'several at once; the others as ever');

$run = profiled($program, mprof => 'depth=8:live=0:file=mprof.bin');
%options = options_of($run);
is_deeply([@options{qw(depth live file)}], [8, 0, 'mprof.bin'], 'several in MPROF');

$run = profiled($program, options => 'depth=9', mprof => 'depth=8:lines=0');
%options = options_of($run);
is_deeply([@options{qw(depth lines)}], [9, 0], 'both: the command line has the last word');

$run = profiled($program, mprof => '');
is($run->{stdout}, "compiled\nran\n", 'an empty MPROF is none');

done_testing;

sub options_of {
    my ($run) = @_;
    return map { ($_->{option} => $_->{value}) } @{ $run->report('info')->{options}{rows} };
}
