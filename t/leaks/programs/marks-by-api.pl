# Two kinds of work in one loop, marked apart: the import keeps each row's index entry, the export nothing.
# MARK api
# EXPECT scalars_per_mark=1.5
# Every other mark ends an import, which leaves 3 elements.

use strict;
use warnings;

package Import;

my %index;

sub run {
    my ($class, $number) = @_;
    my @rows = map { { id => "$number-$_", name => "name $_" } } 1 .. 3;
    for my $row (@rows) {
        push @{ $index{ $row->{name} } }, $row->{id};    # LEAK
    }
    my $found = scalar map { @$_ } values %index;
    return $found;
}

package Export;

sub run {
    my ($class, $number) = @_;
    my @lines = map { join ',', $number, $_, $_ ** 2 } 1 .. 10;
    return length join "\n", @lines;
}

package main;

my $rounds = shift || 200;
my ($imported, $exported) = (0, 0);
for my $number (1 .. $rounds) {
    my $kind = $number % 2 ? 'import' : 'export';
    if ($kind eq 'import') { $imported = Import->run($number) }
    else                   { $exported += Export->run($number) }
    Devel::MProf::mark($kind) if defined &Devel::MProf::mark;
}
print "$rounds rounds, ", $imported > 0 ? 'imported' : 'nothing', ", $exported bytes exported\n";
