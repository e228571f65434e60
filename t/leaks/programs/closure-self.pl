# A recursive closure that calls itself through the variable it is kept in, made anew for each page.
# MARK main::handle_request

use strict;
use warnings;

package Menu;

sub new {
    my ($class, @entries) = @_;
    return bless { entries => [@entries] }, $class;
}

sub html {
    my ($self, $current) = @_;
    my $render;
    $render = sub {    # LEAK
        my ($entry, $depth) = @_;
        my $name = $entry->{name} eq $current ? "<b>$entry->{name}</b>" : $entry->{name};
        my @below = @{ $entry->{below} || [] };
        return '  ' x $depth . "<li>$name</li>\n" . join '', map { $render->($_, $depth + 1) } @below;
    };
    return join '', map { $render->($_, 0) } @{ $self->{entries} };
}

package main;

my $menu = Menu->new(
    { name => 'home' },
    { name => 'shop', below => [{ name => 'books' }, { name => 'music', below => [{ name => 'jazz' }] }] },
    { name => 'help', below => [{ name => 'contact' }] },
);
my @names = qw(home shop books music jazz help contact);

sub handle_request {
    my ($number) = @_;
    my %request = (page => $names[$number % @names], accept => [qw(text/html text/plain)]);
    my $body = $menu->html($request{page});
    return length $body;
}

my $requests = shift || 200;
my $bytes    = 0;
$bytes += handle_request($_) for 1 .. $requests;
print "$requests pages, $bytes bytes\n";
