# A program cannot tell from its calls that it is profiled: context, arguments, caller, return values, errors.

use strict;
use warnings;

use FindBin;
use List::Util ();
use Test::More;

use lib "$FindBin::Bin/lib";
use MProfTest;

# Programs that print what they see, of which each says at its head what that is.
my @programs = map { m{([^/]+)\.pl\z} } glob "$FindBin::Bin/programs/*.pl";
cmp_ok(scalar @programs, '>=', 7, 'there are programs');

for my $program (@programs) {
    next if $program eq 'control' && !eval { List::Util->VERSION(1.33) };    # it uses `any`
    # hook=db is perl's own debugger dispatch, which a program can see by looking at $^P and its ops.
    for my $hook ('op', $program eq 'introspection' ? () : 'db') {
        my $name = "$program, hook=$hook";
        my $run = same_behaviour($name, read_file("$FindBin::Bin/programs/$program.pl"), options => "hook=$hook");
        cmp_ok(length $run->{stdout}, '>', 5, "$name: it says something");
    }
}

done_testing;
