# A scalar stays with each request, beside a cache that fills to its bound and a table that is read once, both bigger.
# MARK main::handle_request
# EXPECT scalars_per_mark=1
# The element.

use strict;
use warnings;

package Cache;

my (%page, @oldest);

sub page {
    my ($class, $name, $make) = @_;
    if (!exists $page{$name}) {
        $page{$name} = $make->();
        push @oldest, $name;
        delete $page{ shift @oldest } if @oldest > 30;
    }
    return $page{$name};
}

package main;

my ($prices, @recent);

sub price_of {
    my ($article) = @_;
    $prices ||= { map { ("article$_" => { cents => $_ * 100, name => "Article $_" }) } 0 .. 300 };
    return $prices->{$article}{cents};
}

sub handle_request {
    my ($number) = @_;
    my $article = 'article' . $number % 50;
    push @recent, $article;    # LEAK
    my $page = Cache->page($article, sub { return join "\n", map { "$article costs " . price_of($article) } 1 .. 20 });
    return length $page;
}

my $requests = shift || 200;
my $bytes    = 0;
$bytes += handle_request($_) for 1 .. $requests;
print "$requests requests, $bytes bytes\n";
