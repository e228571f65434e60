# The process's pages are those that the kernel counts, and belong to the sub that took them.

use strict;
use warnings;

use FindBin;
use Test::More;

use lib "$FindBin::Bin/lib";
use MProfTest;

my $run = profiled(<<'PERL');
require POSIX;
sub large { my ($bytes) = @_; push our @kept, \my $s; vec($s, $bytes - 1, 8) = 1; $s =~ tr/\0/x/; return }
sub small { return 1 }
small() for 1 .. 1000;
large(10 << 20);
large(20 << 20);
small() for 1 .. 1000;
open my $statm, '<', '/proc/self/statm' or die;
print <$statm>;
open my $status, '<', '/proc/self/status' or die;
print grep { /^VmHWM/ } <$status>;
Devel::MProf::snapshot();
$| = 1;
POSIX::_exit(0);
PERL
is($run->{stderr}, '', 'the program runs');
my ($size, $resident) = split ' ', $run->{stdout};
my ($high_kilobytes) = $run->{stdout} =~ /VmHWM:\s+(\d+)/;

my $info   = $run->report('info');
my $total  = $info->{counters};
my $header = $info->{header};
is($header->{page_size_bytes}, do { require POSIX; POSIX::sysconf(POSIX::_SC_PAGESIZE()) }, "the machine's pages");
cmp_ok(abs($total->{size_pages} - $size), '<', 300, 'virtual size: what the program itself reads, near enough');
cmp_ok(abs($total->{resident_pages} - $resident), '<', 300, 'resident: likewise');
cmp_ok(abs($total->{peak_resident_bytes} - 1024 * $high_kilobytes), '<', 300 * 4096, 'the highest resident: likewise');
cmp_ok($header->{start_resident_pages}, '<', $total->{resident_pages} - 30 * 256, 'at the start it was less');
cmp_ok($header->{start_resident_pages}, '>', 200, 'but not nothing');

# The profiler gives memory back at its snapshots, and that is seen as well.
my $large = $run->of_sub('main::large');
cmp_ok($large->{self_resident_pages}, '>=', 29.5 * 256, 'the sub that took 30 MB has the pages');
cmp_ok($large->{self_resident_pages}, '<', 31 * 256, 'and no more');
cmp_ok($large->{self_size_pages}, '>=', 29.5 * 256, 'of the virtual size as well');
# Some kernels tell pages by the batch of each processor, so some dozens may be told later than they were taken.
cmp_ok($run->of_sub('main::small')->{self_resident_pages}, '<', 150, 'the other one has hardly any');

# A time line, for a program that runs for a while.
$run = profiled(<<'PERL', options => 'interval=0.2');
use Time::HiRes qw(time sleep);
sub step { push our @kept, 'x' x 500_000 . $_[0]; sleep 0.03; return }
step($_) for 1 .. 25;
PERL
my @points = @{ $run->report('timeline')->{timeline}{rows} };
cmp_ok(scalar @points, '>=', 3, 'the time line has points');
my @wrong = grep { $points[$_]{time_ns} <= $points[ $_ - 1 ]{time_ns} || $points[$_]{live_bytes} < $points[ $_ - 1 ]{live_bytes} } 1 .. $#points;
is_deeply(\@wrong, [], 'that go on in time, and grow as the program does');
cmp_ok($points[-1]{live_bytes}, '>', 5_000_000, 'to megabytes');
cmp_ok($points[-1]{resident_pages}, '>', $points[0]{resident_pages}, 'and so does what is resident') or diag(explain(\@points));

done_testing;
