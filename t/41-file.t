# file=NAME says where the trace goes, relative to the directory at the start.

use strict;
use warnings;

use FindBin;
use Test::More;

use lib "$FindBin::Bin/lib";
use MProfTest;

my $program = 'mkdir "below"; mkdir "elsewhere"; chdir "elsewhere" or die; sub f { 1 } f(); print "ran\n";';

for my $name ('other.trace', 'with space', 'with:colon', 'caf\xc3\xa9', 'comma') {
    my $run = profiled($program, options => "file=$name");
    is($run->{stdout}, "ran\n", "$name: the program runs");
    is($run->{stderr}, '', "$name: in silence");
    ok(-e "$run->{dir}/$name", "$name: the trace is there") or next;
    is(mprof_dump('info', "$run->{dir}/$name")->{exit}, 0, "$name: and can be read");
    ok(!-e $run->trace, "$name: and not in its usual place");
}

my $run = profiled('print "ran\n"', files => { 'deep/down/here' => '' }, options => 'file=deep/down/t.bin');
ok(-e "$run->{dir}/deep/down/t.bin", 'in a folder');

my $absolute = "$run->{dir}/absolute.bin";
profiled('print "ran\n"', options => "file=$absolute");
ok(-e $absolute, 'by an absolute path');

$run = profiled('print "ran\n"', mprof => "file=$absolute-2");
ok(-e "$absolute-2", 'by MPROF');

$run = profiled('print "ran\n"', options => 'file=no/such/folder/t.bin');
is($run->{stdout}, "ran\n", 'where there is no such folder, the program runs all the same');
is($run->{exit}, 0, 'and ends well');
like($run->{stderr}, qr/\ADevel::MProf: [^\n]*no\/such\/folder\/t\.bin[^\n]*\n\z/, 'with one line that says what is wrong');

$run = profiled('print "ran\n"', options => 'file=/dev/full');
is($run->{stdout}, "ran\n", 'a device is no place for a trace: the program runs');
like($run->{stderr}, qr/\ADevel::MProf: [^\n]*\/dev\/full[^\n]*\n\z/, 'and it is said');

done_testing;
