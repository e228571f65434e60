# The parent is one of the arguments that a generic constructor keeps; the caller makes that reference weak.
# MARK main::handle_request

use strict;
use warnings;
use Scalar::Util qw(weaken);

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
        my $comment = Comment->new(post => $post, author => $authors[$n], text => "text $n");
        weaken($comment->{post});
        push @{ $post->{comments} }, $comment;
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
