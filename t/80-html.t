# The page of mprof-dump html, in a real browser: it loads without a complaint, and what one can click does what it says.

use strict;
use warnings;

use Digest::MD5 qw(md5_hex);
use FindBin;
use Test::More;

use lib "$FindBin::Bin/lib";
use MProfTest;
use MProfBrowser;

need_package('libscalar-list-utils-perl', 'Sub::Util');

my $browser = MProfBrowser->start;

my $evil = '</script><img src=x onerror=document.title=1>';
my $run  = profiled(<<"END", options => 'interval=0.05', files => { 'lib/Keeps.pm' => <<'END_OF_MODULE' });
use lib 'lib';
use Keeps;
my \@all;
sub temporary { my \$text = 'x' x (300_000 + \@_); return length \$text }
sub outer { Keeps::keep(\$_) for 1 .. 50; temporary() for 1 .. 20; return }
outer();
{ no strict 'refs'; *{'main::$evil'} = sub { push \@all, 'y' x (50_000 + \@_) }; }
BEGIN { require B; require Sub::Util }
Sub::Util::set_subname('main::$evil', \\&{'main::$evil'});
&{'main::$evil'}() for 1 .. 5;
for (1 .. 10) { select undef, undef, undef, 0.02; }
END
package Keeps;
my @kept;
sub keep {
    push @kept, [('a') x 100];    # kept
    return;
}
1;
END_OF_MODULE
is($run->{exit}, 0, 'the program runs') or diag($run->{stderr});

my $page = "$run->{dir}/page.html";
my $made = mprof_dump('html', '--source', '-o', $page, $run->trace);
is_deeply([@$made{qw(exit stdout stderr)}], [0, '', ''], 'the page is written, without a word');

subtest 'the summary' => sub {
    $browser->window(1400, 900)->open($page);
    like($browser->js('return document.title'), qr/prog\.pl.*memory profile/, 'the title names the program');
    like($browser->text('#view-summary'), qr/command line.*prog\.pl.*allocated.*MiB in \d+ blocks/s, 'the facts are there');
    ok($browser->wait_for('document.querySelectorAll("#timeline path.series").length === 3'), 'the time line has its three lines');
    $browser->key('#timeline .plot', 'Right');
    like($browser->text('#timeline .reading'), qr/^At \d+\.\d+ s: live heap .*resident set.*live scalars/, 'and is read by keys');
    cmp_ok($browser->js('return document.querySelectorAll("[data-table] tbody tr").length'), '>', 5, 'the tables have rows');
};

subtest 'the call tree' => sub {
    $browser->click('nav [data-view=tree]');
    my $picture = sub { md5_hex($browser->js('return document.querySelector("#flame canvas").toDataURL()')) };
    like($browser->text('#selected'), qr/^\(everything\) allocated \d.* inclusive \(100 %\)/, 'all that was allocated');
    my %pictures;
    for my $metric (qw(allocated live peak net scalars)) {
        $browser->click("input[value=$metric] + span");
        like($browser->text('#selected'), qr/^\(everything\) $metric /, "it is measured by $metric");
        $pictures{ $picture->() }++;
    }
    cmp_ok(keys %pictures, '>=', 4, 'and looks different by what it is measured by');
    $browser->click('input[value=allocated] + span');
    my $allocated = $picture->();

    $browser->type('#find', 'temporary');
    like($browser->text('#found'), qr/^1 call path matches, with [\d.]+ % of the whole$/, 'a search says what it found');
    isnt($picture->(), $allocated, 'and shows it');
    $browser->type('#find', 'nosuchsub');
    like($browser->text('#found'), qr/^0 call paths match/, 'or that there is nothing');
    $browser->js('const find = document.querySelector("#find"); find.value = ""; find.dispatchEvent(new Event("input"))');
    is($browser->text('#found'), '', 'an empty search finds nothing');

    $browser->key('#flame', 'Down')->key('#flame', 'Down');
    my $selected = $browser->text('#selected');
    unlike($selected, qr/^\(/, 'keys go down to a sub');
    $browser->key('#flame', 'Enter');
    isnt($picture->(), $allocated, 'Enter shows it alone');
    ok($browser->js('return !document.querySelector("#reset").disabled'), 'from where a button leads back');
    $browser->click('#reset');
    is($picture->(), $allocated, 'to the whole');
    $browser->js('const box = document.querySelector("#flame").getBoundingClientRect();
        document.querySelector("#flame").dispatchEvent(new MouseEvent("click", { clientX: box.left + 20, clientY: box.top + 30, bubbles: true }))');
    like($browser->text('#selected'), qr/^\(main program\)/, 'a click selects what is there');
};

# The names of a table, from the top.
my $names = sub {
    my ($view) = @_;
    # The page draws a view when it gets round to it.
    for (1 .. 1000) {
        my $names = $browser->js(
            "return [...document.querySelectorAll('#view-$view tbody tr')].map((row) => row.cells[0].textContent)");
        return $names if @$names;
        select undef, undef, undef, 0.1;
    }
    return [];
};

subtest 'the tables' => sub {
    $browser->click('nav [data-view=subs]');
    my $by_bytes = $names->('subs');
    ok(grep({ $_ eq "main::$evil" } @$by_bytes), 'a name with a tag in it is text');
    my $head = '#view-subs th[data-key=calls]';
    $browser->click("$head button");
    is($browser->js("return document.querySelector('$head').ariaSort"), 'descending', 'a click on a heading sorts by it');
    my $by_calls = $names->('subs');
    isnt("@$by_calls", "@$by_bytes", 'so the order is another');
    is_deeply([sort @$by_calls], [sort @$by_bytes], 'of the same rows');
    $browser->click("$head button");
    is($browser->js("return document.querySelector('$head').ariaSort"), 'ascending', 'a second one turns it round');
    my $calls = $browser->js('return [...document.querySelectorAll("#view-subs tbody tr")].map((row) => Number(row.querySelector("td.count").textContent.replaceAll(",", "")))');
    is_deeply($calls, [sort { $a <=> $b } @$calls], 'and the rows are in that order');
    $browser->type('#view-subs input[type=search]', 'keeps::');
    ok(!grep({ !/Keeps/ } @{ $names->('subs') }), 'a filter leaves what it names');
};

subtest 'the links' => sub {
    my $focused = sub { $browser->js("return document.querySelector('#view-$_[0] .focused')?.textContent") };
    $browser->open("$page#subs");
    $browser->click('#view-subs a[href="#tree?Keeps%3A%3Akeep"]');
    $browser->wait_for('!document.querySelector("#view-tree").hidden');
    like($browser->text('#found'), qr/^1 call path matches/, 'a sub leads to its calls');

    $browser->open("$page#lines");
    $browser->click('#view-lines a[href*="Keeps.pm%3A4"]');
    $browser->wait_for('!document.querySelector("#view-source").hidden');
    like($focused->('source'), qr/push \@kept, \[\('a'\) x 100\];    # kept/, 'a line leads to its source');
    like($focused->('source'), qr/^4\d.*(?:KiB|MiB)/, 'with figures beside it');
    $browser->click('#view-source .focused th a');
    $browser->wait_for('!document.querySelector("#view-lines").hidden');
    like($focused->('lines'), qr{lib/Keeps\.pm:4}, 'and that leads back');
    $browser->click('#view-lines .focused a[href^="#subs/"]');
    $browser->wait_for('!document.querySelector("#view-subs").hidden');
    like($focused->('subs'), qr/^Keeps::keep/, 'a line leads to its sub');

    $browser->open("$page#modules");
    $browser->click('#view-modules a[href="#subs?Keeps%3A%3A"]');
    $browser->wait_for('!document.querySelector("#view-subs").hidden');
    ok(!grep({ !/Keeps/ } @{ $names->('subs') }), 'a module leads to its subs');

    $browser->open("$page#subs/nosuch");
    like($browser->text('#missing'), qr/^nosuch is not on this page/, 'what is not there is said not to be');
    my $nothing = $browser->js('const ids = new Set([...document.querySelectorAll(".view")].map((view) => view.id));
        return [...document.querySelectorAll("a[href]")].map((a) => a.getAttribute("href"))
            .filter((href) => href !== "#content" && !ids.has(`view-${href.slice(1).split(/[/?]/)[0]}`))');
    is_deeply($nothing, [], 'every link leads to a view of the page');
};

subtest 'leaks and classes' => sub {
    my $leaking = profiled(<<'END', options => 'mark=main::work');
my @kept;
sub work { my $node = { text => 'x' x (1000 + @_) }; $node->{self} = $node; push @kept, 1; return }
work() for 1 .. 400;
END
    my $with_leaks = "$leaking->{dir}/page.html";
    is(mprof_dump('html', '-o', $with_leaks, $leaking->trace)->{stderr}, '', 'the page of a program that leaks');
    $browser->open("$with_leaks#leaks");
    like($names->('leaks')->[0], qr/^prog\.pl:2$/, 'the table of leaks names the line');
    $browser->window(360, 740);
    like($browser->text('#view-leaks tbody tr'), qr/1\.\d KiB/, 'with its growth, in a narrow window as well');
    $browser->window(1400, 900);
    $browser->click('#view-leaks details.card summary');
    like($browser->text('#view-leaks details.card'), qr/main::work.*keeps.*per mark.*unreachable cycle/s, 'and beside it, it is said why');
    $browser->open("$with_leaks#classes");
    ok(grep({ $_ eq 'HASH' } @{ $names->('classes') }), 'the table of classes has the hashes');
    $browser->click('#view-classes th[data-key=scalars] button');
    is($browser->js('return document.querySelector("#view-classes th[data-key=scalars]").ariaSort'), 'descending', 'and sorts');
    $browser->click('nav [data-view=summary]');
    ok($browser->wait_for('document.querySelectorAll("#timeline .mark").length > 3'), 'the time line shows the marks');
};

subtest 'a diff' => sub {
    my $old = profiled(<<'END');
BEGIN { require B; require Sub::Util }
my @all;
sub grows { push @all, 'x' x (999 + @_) for 1 .. $_[0]; return }
sub shrinks { push @all, 'y' x $_[0]; return }
sub temporary { my $text = 'z' x $_[0]; return length $text }
sub work { grows(100); shrinks(500_000); temporary(200_000); return }
work();
END
    my $new = profiled(<<"END");
# A line more.
BEGIN { require B; require Sub::Util }
my \@all;
sub grows { push \@all, 'x' x (999 + \@_) for 1 .. \$_[0]; return }
sub shrinks { push \@all, 'y' x \$_[0]; return }
sub temporary { my \$text = 'z' x \$_[0]; return length \$text }
{ no strict 'refs'; *{'main::$evil'} = sub { push \@all, 'y' x (50_000 + \@_) }; }
Sub::Util::set_subname('main::$evil', \\&{'main::$evil'});
sub work { grows(500); shrinks(100_000); temporary(200_000); &{'main::$evil'}(); return }
work();
END
    my $diff = "$new->{dir}/diff.html";
    is(mprof_dump('html', '--diff', $old->trace, $new->trace, '-o', $diff)->{stderr}, '', 'the page is written');
    $browser->open($diff);
    like($browser->text('#view-totals'), qr/allocated\s.* before, .* now, a change of/, 'it sums both runs up');

    # How many pixels of the call tree are rather red, and how many rather blue.
    my $pixels = sub {
        return $browser->js('const canvas = document.querySelector("#flame canvas"), counts = [0, 0];
            const copy = new OffscreenCanvas(canvas.width, canvas.height).getContext("2d", { willReadFrequently: true });
            copy.drawImage(canvas, 0, 0);
            const { data } = copy.getImageData(0, 0, canvas.width, canvas.height);
            for (let at = 0; at < data.length; at += 4) {
                if (data[at] > data[at + 2] + 40) counts[0] += 1;
                if (data[at + 2] > data[at] + 40) counts[1] += 1;
            }
            return counts');
    };
    $browser->click('nav [data-view=tree]');
    for my $metric (qw(allocated live peak)) {
        $browser->click("input[value=$metric] + span");
        like($browser->text('#meaning'), qr/: red where there is more than before, blue where there is less\.$/, "$metric says what the colours are");
        my ($red, $blue) = @{ $pixels->() };
        cmp_ok($red,  '>', 2000, 'red is drawn');
        cmp_ok($blue, '>', 2000, 'and blue');
    }
    for my $metric (qw(net scalars)) {
        $browser->click("input[value=$metric] + span");
        like($browser->text('#selected'), qr/^\(everything\) $metric \+/, "there is more by $metric");
        cmp_ok($pixels->()->[0], '>', 2000, 'in red');
    }
    $browser->click('input[value=live] + span');
    $browser->js('const box = document.querySelector("#flame").getBoundingClientRect();
        document.querySelector("#flame").dispatchEvent(new PointerEvent("pointermove", { clientX: box.left + 20, clientY: box.top + 52, bubbles: true }))');
    like($browser->text('#tip'), qr/^main::work\b.*inclusive [+-][\d,]+ bytes .*: [\d,]+ bytes before, [\d,]+ bytes now.*calls: 1 before, 1 now/s,
        'pointing at a call shows what was and what is');
    $browser->type('#find', 'shrinks');
    like($browser->text('#found'), qr/^1 call path matches/, 'both call trees are one');

    my %more = map { $_->[0] => $_->[1] } @{ $browser->open("$diff#subs")->js('return [...document.querySelectorAll("#view-subs tbody tr")]
        .map((row) => [row.cells[0].textContent, row.querySelector("td.grew") ? "red" : row.querySelector("td.shrank") ? "blue" : ""])') };
    is_deeply([@more{ 'main::grows', 'main::shrinks', "main::$evil" }], [qw(red blue red)], 'the table of subs has the same colours');
    my $head = '#view-subs th[data-key=difference_allocated_bytes]';
    $browser->click("$head button");
    is($names->('subs')->[0], 'main::grows', 'sorted, what grew most comes first');
    $browser->click("$head button");
    is($names->('subs')->[0], 'main::shrinks', 'or what shrank most');
    $browser->open("$diff#lines");
    like($browser->text('#view-lines tbody'), qr/prog\.pl:4 \(was 3\)/, 'a line that has moved is known');
    $browser->click('#view-lines tbody a[href="#subs/main%3A%3Agrows"]');
    $browser->wait_for('!document.querySelector("#view-subs").hidden');
    like($browser->js('return document.querySelector("#view-subs .focused")?.textContent'), qr/^main::grows/, 'and leads to its sub');
    $browser->window(360, 740);
    for my $view (qw(totals tree subs lines paths)) {
        $browser->open("$diff#$view");
        is($browser->js('return document.documentElement.scrollWidth'), 360, "$view is no wider than a narrow window");
    }
    $browser->window(1400, 900);
    is_deeply([$browser->complaints], [], 'the console says nothing');
};

subtest 'a narrow window' => sub {
    $browser->window(360, 740);
    for my $view (qw(summary tree subs lines modules files leaks classes source)) {
        $browser->open("$page#$view");
        is($browser->js('return document.documentElement.scrollWidth'), 360, "$view is no wider than the window");
    }
    $browser->window(1400, 900);
};

subtest 'colours' => sub {
    my $background = sub { $browser->js('return getComputedStyle(document.body).backgroundColor') };
    my %colours;
    $colours{$_} = $browser->window(1400, 900, $_)->open($page) && $background->() for qw(light dark);
    isnt($colours{dark}, $colours{light}, 'they are those of the system');
    $browser->click('#theme');
    is($background->(), $colours{light}, 'or those that a button chooses');
};

is($browser->js('return document.title'), $browser->js('return document.querySelector("h1 code").textContent') . " \x{2013} memory profile",
    'no name in the trace has acted in the page');
is_deeply([$browser->complaints], [], 'the console says nothing');

done_testing;
