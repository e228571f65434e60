# A small Mojolicious application for t/84-mojolicious.t, asked over HTTP by a client in the same process.

use Mojolicious::Lite -signatures;
use Mojo::UserAgent;
use Mojo::Promise;

app->log->level('fatal');
app->secrets(['s']);
my @notes;

helper keep_note => sub ($c, $text) { push @notes, $text x 100; return scalar @notes };

get '/' => sub ($c) { $c->render(template => 'list', notes => [map { substr $_, 0, 4 } @notes]) } => 'list';
post '/note' => sub ($c) { $c->render(json => { count => $c->keep_note($c->param('text')) }) };
get '/later' => sub ($c) { $c->render_later; Mojo::IOLoop->timer(0.01 => sub { $c->render(text => 'later') }) };
get '/dies' => sub ($c) { die "on purpose\n" };
websocket '/echo' => sub ($c) { $c->on(message => sub ($c, $message) { $c->send("echo: $message") }) };

my $ua = Mojo::UserAgent->new(ioloop => Mojo::IOLoop->singleton);
$ua->server->app(app);
for my $round (1 .. 10) {
    print $ua->post('/note' => form => { text => "note$round" })->result->json->{count}, "\n";
    print $ua->get('/')->result->text =~ s/\s+/ /gr, "\n";
    print $ua->get('/later')->result->text, "\n";
    print $ua->get('/dies')->result->code, "\n";
}
my @all;
Mojo::Promise->all(map { $ua->get_p('/later') } 1 .. 5)->then(sub (@r) { @all = map { $_->[0]->result->text } @r })->wait;
print "@all\n";
my $said;
$ua->websocket('/echo' => sub ($ua, $tx) {
    $tx->on(message => sub ($tx, $message) { $said = $message; $tx->finish });
    $tx->on(finish => sub { Mojo::IOLoop->stop });
    $tx->send('hello');
});
Mojo::IOLoop->start;
print "$said\n";

__DATA__

@@ list.html.ep
<ul>
% for my $note (@$notes) {
<li><%= $note %></li>
% }
</ul>
