# A sub that gets the address of one that was freed does not get its name.

use strict;
use warnings;

use FindBin;
use Test::More;

use lib "$FindBin::Bin/lib";
use MProfTest;

need_package('libscalar-list-utils-perl', 'Sub::Util');

# Subs come and go, each with another name, package or line, all called from one statement.
my $run = profiled(<<'PERL');
no strict 'refs';
no warnings;
for my $n (1 .. 400) {
    eval "package P$n; sub named_$n { return $n } 1" or die;
    &{"P${n}::named_$n"}();
    undef &{"P${n}::named_$n"};
    delete ${"P${n}::"}{"named_$n"};
    undef %{"P${n}::"};
}
for my $n (1 .. 200) {
    my $code = eval "#line $n \"anonymous.pl\"\nsub { return $n }";
    $code->() for 1 .. 2;
    undef $code;
}
use Sub::Util ();
for my $n (1 .. 200) {
    my $m = $n;
    my $code = Sub::Util::set_subname("Set::name_$n", sub { return $m });
    $code->();
}
for my $n (1 .. 100) {
    *{"Glob::again"} = eval "sub { return $n }";
    Glob::again();
}
print "ran\n";
PERL
is("$run->{stdout}$run->{stderr}", "ran\n", 'the program runs');

my (@wrong, %seen);
my $subs = $run->subs;
for my $name (keys %$subs) {
    my $calls = $subs->{$name}{calls};
    if    ($name =~ /^P(\d+)::named_(\d+)$/)                    { $seen{named}++;     push @wrong, "$name: $calls" if $1 != $2 || $calls != 1 }
    elsif ($name =~ /^main::__ANON__\[anonymous\.pl:(\d+)\]$/)  { $seen{anonymous}++; push @wrong, "$name: $calls" if $calls != 2 }
    elsif ($name =~ /^Set::name_(\d+)$/)                        { $seen{set}++;       push @wrong, "$name: $calls" if $calls != 1 }
}
my @lines = split /\n/, read_file("$run->{dir}/prog.pl");
my ($line) = grep { $lines[ $_ - 1 ] =~ /Glob::again"\} = eval/ } 1 .. @lines;
$seen{glob} = ($subs->{"main::__ANON__[(eval)[prog.pl:$line]:1]"} || {})->{calls};
is_deeply(\@wrong, [], 'each has its own calls');
is($seen{named}, 400, 'subs that were defined and undefined: all are there');
is($seen{anonymous}, 200, 'anonymous subs of string evals: one for each line');
is($seen{set}, 200, 'closures that share their code, and not their name');
is($seen{glob}, 100, 'subs put under one name: by their place');

done_testing;
