package Shelf::View::HTML;

use Moose;
extends 'Catalyst::View::TT';

__PACKAGE__->config(TEMPLATE_EXTENSION => '.tt');

1;
