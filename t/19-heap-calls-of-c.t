# Allocation by any road is seen: perl's own, XS modules' that are loaded later, the C library's; never the profiler's.

use strict;
use warnings;

use FindBin;
use Test::More;

use lib "$FindBin::Bin/lib";
use MProfTest;

# It ends without global destruction, which would free much of it.
my $run = profiled(<<'PERL');
use strict;
use warnings;
our @kept;
sub nothing { return }
sub grows { my $s = ''; $s .= 'x' x 1000 for 1 .. 300; undef $s; return }
sub compresses { require Compress::Zlib; my $z = Compress::Zlib::memGzip('abc' x 50_000); return length $z }
sub digests { require Digest::MD5; push @kept, map { Digest::MD5->new } 1 .. 50; return }
sub opens { open my $f, '<', $0 or die; my $line = <$f>; push @kept, $f; return }
sub lists { opendir my $d, '/' or die; push @kept, $d; return }
sub environment { $ENV{"MPROF_TEST_$_"} = 'e' x 1000 for 1 .. 100; return }
sub locale { require POSIX; POSIX::strftime('%c', localtime) for 1 .. 10; return }
sub regex { push @kept, map { qr/(a|b|$_)+x{$_}/ } 1 .. 100; return }
sub maps { my $s; vec($s, 16 << 20, 8) = 1; return }
nothing() for 1 .. 1000;
grows(); compresses(); digests(); opens() for 1 .. 20; lists() for 1 .. 10; environment(); locale(); regex(); maps();
$| = 1;
print "ran\n";
Devel::MProf::snapshot();
require POSIX;
POSIX::_exit(0);
PERL
is("$run->{stdout}$run->{stderr}", "ran\n", 'the program runs');

my %row = map { ($_ => $run->of_sub("main::$_")) } qw(nothing grows compresses digests opens lists environment locale regex maps);
is($row{nothing}{self_allocated_blocks}, 0, 'a thousand calls take nothing: the profiler is not in it');
cmp_ok($row{grows}{self_allocated_bytes}, '>=', 300_000, 'realloc');
is($row{grows}{self_live_bytes}, $row{grows}{self_allocated_bytes} - $row{grows}{self_freed_bytes}, 'and free');
cmp_ok($row{grows}{self_live_bytes}, '<', 2000, 'of all of it');
cmp_ok($row{compresses}{inclusive_allocated_bytes}, '>=', 250_000, 'a library that was loaded later: zlib');
cmp_ok($run->of_sub('Digest::MD5::new')->{self_live_blocks}, '>=', 50, 'an XS module that was loaded later');
cmp_ok($row{opens}{self_live_bytes}, '>=', 20 * 4096, 'file handles have buffers');
cmp_ok($row{lists}{self_live_bytes}, '>=', 10 * 32_768, "opendir: the C library's own");
cmp_ok($row{environment}{self_live_bytes}, '>=', 2 * 100 * 1000, 'the environment: in %ENV, and in C');
cmp_ok($row{regex}{self_live_blocks}, '>=', 100, 'compiled patterns');
cmp_ok($row{maps}{self_allocated_bytes}, '>=', 16 << 20, 'what malloc maps');

my $total = $run->counters;
cmp_ok($total->{profiler_bytes}, '>', 0, 'the profiler says what it holds itself');
is($total->{live_bytes}, $total->{allocated_bytes} - $total->{freed_bytes}, 'and the books balance');

done_testing;
