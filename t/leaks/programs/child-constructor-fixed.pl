# A child's own constructor keeps the parent that it is given, weakly.
# MARK main::poll

use strict;
use warnings;

package Parser;

sub new {
    my ($class, $text) = @_;
    my $self = bless { text => $text, line => 0 }, $class;
    $self->{lexer} = Lexer->new($self);
    return $self;
}

sub words {
    my ($self) = @_;
    my @words;
    while (defined(my $word = $self->{lexer}->next_word)) { push @words, $word }
    return @words;
}

package Lexer;
use Scalar::Util qw(weaken);

sub new {
    my ($class, $parser) = @_;
    my $self = bless { parser => $parser, at => 0, skip => qr/\s+/ }, $class;
    weaken($self->{parser});
    return $self;
}

sub next_word {
    my ($self) = @_;
    my @all = split $self->{skip}, $self->{parser}{text};
    return $all[$self->{at}++];
}

package main;

my @files = map { join ' ', map { "word$_" } 1 .. $_ } 5 .. 12;

# One round of a daemon that looks at a file.
sub poll {
    my ($round) = @_;
    my %seen;
    $seen{$_}++ for Parser->new($files[$round % @files])->words;
    return scalar keys %seen;
}

my $rounds = shift || 200;
my $words  = 0;
$words += poll($_) for 1 .. $rounds;
print "$rounds rounds, $words words\n";
