# The parent is one of the arguments that the child's constructor, the same for all classes, puts into the object.
# MARK main::handle_request
# EXPECT scalars_per_mark=15
# A post: its hash, 3 values and the array of comments. Of each of 2 comments: the element, the hash and 3 values.

use strict;
use warnings;

package Base;

# Query objects go through it as well, and leak nothing.
sub new {
    my ($class, %args) = @_;
    return bless {%args}, $class;
}

package Query;
our @ISA = ('Base');

sub limit { my ($self) = @_; return $self->{limit} }

package Post;
our @ISA = ('Base');

sub comments { my ($self) = @_; return @{ $self->{comments} } }

package Comment;
our @ISA = ('Base');

sub html {
    my ($self) = @_;
    my $author = $self->{author} eq $self->{post}{author} ? "<b>$self->{author}</b>" : $self->{author};
    return "<p>$author: $self->{text}</p>";
}

package main;

my @authors = qw(ada bob cyd dan);

sub load_post {
    my ($id, $query) = @_;
    my $post = Post->new(id => $id, author => $authors[$id % @authors], comments => []);
    for my $n (1 .. $query->limit) {
        push @{ $post->{comments} }, Comment->new(post => $post, author => $authors[$n], text => "text $n");    # LEAK
    }
    return $post;
}

sub handle_request {
    my ($number) = @_;
    my $query = Query->new(limit => 2, order => 'date', fields => [qw(author text)]);
    my $post = load_post($number, $query);
    my $page = join "\n", "<h1>Post $post->{id}</h1>", map { $_->html } $post->comments;
    return length $page;
}

my $requests = shift || 200;
my $bytes    = 0;
$bytes += handle_request($_) for 1 .. $requests;
print "$requests posts, $bytes bytes\n";
