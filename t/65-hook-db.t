# hook=db, by perl's own DB::sub and DB::DB, gives the same calls, bytes, blocks and scalars for each sub as hook=op.

use strict;
use warnings;

use FindBin;
use Test::More;

use lib "$FindBin::Bin/lib";
use MProfTest;

# Compared for each sub of the program: calls, allocated, freed and live bytes and blocks, net scalars, and who calls it.
# Not compared is what perl does otherwise because it debugs: what is compiled, and string evals, whose source it keeps.
my @columns = qw(
    calls self_allocated_bytes self_allocated_blocks self_freed_bytes self_freed_blocks self_live_bytes self_live_blocks self_net_scalars
);

# perl's own stacks grow in whatever needs more of them first, so main makes them grow beforehand.
my $grow_stacks = 'sub grow_stacks { my @x = map { [$_] } 1 .. 300; return $_[0] ? grow_stacks($_[0] - 1) : 1 } grow_stacks(90); ';

my %programs = (
    plain => <<'PERL',
our @kept;
sub keep { push @kept, 'x' x 700; return }
sub frees { my @x = (1 .. 50); my %h = (a => [1], b => [2]); return scalar @x }
sub nested { my ($n) = @_; return $n ? [nested($n - 1)] : inner() }
sub inner { return { map { ($_ => 1) } 1 .. 5 } }
keep() for 1 .. 300;
frees() for 1 .. 100;
push @kept, nested(20) for 1 .. 10;
PERL
    methods => <<'PERL',
package Counter;
sub new { my ($class, %o) = @_; return bless { count => 0, %o }, $class }
sub add { my ($self, $n) = @_; $self->{count} += $n; push @{ $self->{log} }, $n; return $self }
sub DESTROY { my $self = shift; undef $self->{log}; return }
our $AUTOLOAD;
sub AUTOLOAD { my $self = shift; my ($name) = $AUTOLOAD =~ /(\w+)$/; return $self->{$name} }
package main;
our @kept;
for my $n (1 .. 50) { my $c = Counter->new(size => $n); $c->add($_)->add(1) for 1 .. 3; $c->size; push @kept, $c if $n % 2 }
PERL
    closures => <<'PERL',
our @kept;
sub make { my ($n) = @_; my @data = (1 .. $n); return sub { push @data, shift; return scalar @data } }
for my $n (1 .. 20) { my $f = make($n); $f->($_) for 1 .. 10; push @kept, $f }
PERL
    leaving => <<'PERL',
our @kept;
sub dies { push @kept, [$_[0]]; die "x" if $_[0] % 2; return 1 }
sub catches { return eval { dies(@_) } ? 'fine' : 'dead' }
sub goes { goto &arrives }
sub arrives { push @kept, "arrived $_[0]"; return }
sub leaves { push @kept, 1; no warnings; last }
catches($_) for 1 .. 30;
goes($_) for 1 .. 30;
for (1 .. 10) { leaves() }
sub marker { return 1 } marker();
PERL
    sorting => <<'PERL',
our (@kept, %seen);
sub by_number { $seen{$a}++; return $a <=> $b }
sub ordered { my @x = sort by_number @_; return \@x }
push @kept, ordered(map { $_ * 37 % 101 } 1 .. 50) for 1 .. 5;
PERL
    tied => <<'PERL',
our @kept;
package T { sub TIEHASH { return bless {}, shift } sub STORE { my ($s, $k, $v) = @_; $s->{$k} = [$v]; return } sub FETCH { return $_[0]{ $_[1] } } }
package O { use overload '+' => \&plus, '""' => \&text; sub plus { push @main::kept, [1, 2]; return $_[0] } sub text { return 'o' x 50 } }
tie my %h, 'T';
$h{$_} = $_ for 1 .. 40;
push @kept, $h{$_} for 1 .. 40;
my $o = bless [], 'O';
my $x = $o + 1 for 1 .. 25;
push @kept, "$o" for 1 .. 15;
PERL
);

for my $name (sort keys %programs) {
    my ($op, $db) = map { figures(profiled("$grow_stacks$programs{$name}\nDevel::MProf::snapshot(); require POSIX; POSIX::_exit(0);\n", options => "hook=$_")) } qw(op db);
    cmp_ok(scalar keys %$op, '>=', 3, "$name: there are subs");
    is_deeply([sort keys %$db], [sort keys %$op], "$name: the same subs");
    for my $sub (grep { $_ ne 'main::grow_stacks' } sort keys %$op) {
        my %odd = map { ($_ => "$db->{$sub}{$_} with hook=db, $op->{$sub}{$_} with hook=op") }
            grep { differ($_, $db->{$sub}, $op->{$sub}) } sort keys %{ $op->{$sub} };
        is_deeply(\%odd, {}, "$name: $sub has the same figures");
    }
}

# Statements, which hook=db notices by DB::DB.
my $lines = <<'PERL';
our @kept;
for (1 .. 10) { push @kept, 1 }
push @kept, [1, 2, 3];
my $nothing = 1;
push @kept, 1, 2;
my $pid = fork;
if (!$pid) { my @x = (1) x 10; exit 0 }
waitpid $pid, 0;
PERL
my %scalars;
for my $hook (qw(op db)) {
    my $run = profiled($lines, options => "hook=$hook");
    my $of  = $run->lines_of('prog.pl');
    $scalars{$hook} = { map { ($_ => ($of->{$_} || {})->{self_net_scalars} || 0) } 2 .. 5 };
    is_deeply($scalars{$hook}, { 2 => 10, 3 => 5, 4 => 0, 5 => 2 }, "hook=$hook: the scalars of each line");
    is(scalar(my @traces = traces_in($run->{dir})), 2, "hook=$hook: a child that calls no sub has its trace");
}

# String evals that fail to compile.
for my $code ('}', 'BEGIN { die }', 'use No::Such::Module', 'die', '1') {
    my $run = profiled("eval q($code);\nsub marker { 1 }\nmarker();\n", options => 'hook=db');
    is($run->parents_of('main::marker'), '(main program)', "eval '$code': it is over afterwards");
}

done_testing;

# A block may get up to 16 bytes more from malloc, if it fits into a hole that is so much larger.
sub differ {
    my ($column, $one, $other) = @_;
    return $one->{$column} ne $other->{$column} if $column !~ /bytes/;
    (my $blocks = $column) =~ s/bytes/blocks/;
    return abs($one->{$column} - $other->{$column}) > 16 * $other->{$blocks};
}

sub figures {
    my ($run) = @_;
    is("$run->{stderr}$run->{exit}", '0', 'it runs');
    my %figures;
    for my $row (grep { $_->{kind} eq 'perl' && $_->{file} eq 'prog.pl' && $_->{name} !~ /BEGIN|import/ } values %{ $run->subs }) {
        $figures{ $row->{name} } = { map({ ($_ => $row->{$_}) } @columns), parents => $run->parents_of($row->{name}) };
    }
    return \%figures;
}
