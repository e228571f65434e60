# The export for speedscope is valid by its published schema.

use strict;
use warnings;

use FindBin;
use JSON::PP ();
use Test::More;

use lib "$FindBin::Bin/lib";
use MProfTest;
use MProfExport;

need_package('libjson-validator-perl', 'JSON::Validator');
require JSON::Validator;

my $run = exported_run();
my $json = JSON::PP->new->utf8;
my $file = $json->decode(read_file(export($run, 'speedscope')));

# As https://www.speedscope.app/file-format-schema.json was in speedscope 1.25.0 (MIT licence, (c) 2018 Jamie Wong).
my $schema = $json->decode(read_file("$FindBin::Bin/data/speedscope.schema.json"));
my @faults = JSON::Validator->new->schema($schema)->validate($file);
is("@faults", '', 'it is valid');
my @wrong = JSON::Validator->new->schema($schema)->validate({ %$file, shared => {} });
isnt("@wrong", '', '(what is not valid would be noticed)');

my %total = (allocated_bytes => 0, live_bytes => 0, at_peak_bytes => 0, scalars => 0);
for my $metric (keys %total) {
    my ($profile) = grep { $_->{name} =~ /^$metric of / } @{ $file->{profiles} };
    $total{$metric} += $_ for values %{ figures($run, 'self', $metric) };
    is($profile->{endValue}, $total{$metric}, "$metric: the sum of all subs");
    is($profile->{unit}, $metric eq 'scalars' ? 'none' : 'bytes', 'in its unit');
}

done_testing;
