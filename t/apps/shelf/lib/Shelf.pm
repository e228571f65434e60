package Shelf;

# A small Catalyst application for t/83-catalyst.t: a shelf of books, shown through Template.

use Moose;
use namespace::autoclean;
use Catalyst;
extends 'Catalyst';

our $VERSION = '1';

__PACKAGE__->config(
    name                                        => 'Shelf',
    disable_component_resolution_regex_fallback => 1,
    'View::HTML'                                => { INCLUDE_PATH => [ __PACKAGE__->path_to('root') ] },
);
__PACKAGE__->setup;

1;
