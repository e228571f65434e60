# What the program keeps to its end is live in the report, objects as well as data: global destruction comes afterwards.

use strict;
use warnings;

use FindBin;
use Test::More;

use lib "$FindBin::Bin/lib";
use MProfTest;

my $program = <<'PERL';
our @kept;
package Plain  { sub new { my ($class) = @_; return { data => 'x' x 1000 . $_[1] } } }
package Object { sub new { my ($class) = @_; return bless { data => 'x' x 1000 . $_[1] }, $class } }
package Dies   { sub new { my ($class) = @_; return bless { data => 'x' x 1000 . $_[1] }, $class } sub DESTROY { my ($self) = @_; delete $self->{data}; return } }
package main;
sub pattern { push @kept, qr/(a|b|$_[0])+/; return }
sub handle  { open my $in, '<', $0 or die; my $line = <$in>; push @kept, $in; return }
for my $n (1 .. 100) { push @kept, Plain->new($n), Object->new($n), Dies->new($n); pattern($n); handle() if $n <= 10 }
PERL

for my $end ('', 'exit 0;', 'END { our $end = 1 }', 'eval { exit 0 }', 'sub leave { exit 0 } leave();', 'die "in the end\n";') {
    my $run = profiled($program . $end);
    is($run->{signal}, 0, "$end: the program runs");
    cmp_ok($run->of_sub('Plain::new')->{self_live_bytes}, '>=', 100 * 1000, "$end: plain data");
    cmp_ok($run->of_sub("${_}::new")->{self_live_bytes}, '>=', 100 * 1000, "$end: objects of $_") for qw(Object Dies);
    cmp_ok($run->of_sub('main::pattern')->{self_live_blocks}, '>=', 100, "$end: patterns");
    cmp_ok($run->of_sub('main::handle')->{self_live_bytes}, '>=', 10 * 4096, "$end: file handles");
    cmp_ok($run->of_sub('Object::new')->{self_net_scalars}, '>=', 100, "$end: and their scalars");
}

done_testing;
