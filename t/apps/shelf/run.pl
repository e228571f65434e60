# Asks the application for its pages, many times over, and prints what it answers.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use HTTP::Request::Common qw(GET);
use Plack::Test;
use Shelf;

my $app = Plack::Test->create(Shelf->psgi_app);
for my $round (1 .. 20) {
    for my $path (qw(/ /book/7 /book/8 /fails /away /none)) {
        my $answer = $app->request(GET $path);
        print $answer->code, " $path\n";
        print $answer->content, "\n" if $round == 1;
    }
}
