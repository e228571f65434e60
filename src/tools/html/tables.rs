//! Reports as views of the page: what they state as text for the template, their tables as columns for the script.
//!
//! Nothing here knows what a report is about: to show another one, add it to [`VIEWS`]. A diff has a view for each
//! section of its document.

use super::folding::Folding;
use super::strings::{StringNumber, Strings};
use crate::tools::diff::Diff;
use crate::tools::document::{Body, Entries, Entry, Fact, Head, Part, Section, Shown, Table, Value};
use crate::tools::profile::{names, Profile};
use crate::tools::render::{value_text, Precision};
use crate::tools::report::{diff, document, find, Options};
use crate::tools::select::{Selection, UnknownColumn};
use serde::Serialize;

/// A report on the page, or a section of a diff.
struct Shows {
    report: &'static str,
    title: &'static str,
    /// Column that it is sorted by to begin with; `None` for the report's own order.
    sort: Option<&'static str>,
    /// Columns shown besides those that the report shows as text.
    also: &'static [&'static str],
}

const VIEWS: &[Shows] = &[
    Shows { report: "summary", title: "Summary", sort: None, also: &[] },
    Shows { report: "subs", title: "Subs", sort: Some("self_allocated_bytes"), also: &["file"] },
    Shows { report: "lines", title: "Lines", sort: Some("self_allocated_bytes"), also: &["inclusive_allocated_bytes"] },
    Shows { report: "modules", title: "Modules", sort: Some("self_allocated_bytes"), also: &[] },
    Shows { report: "files", title: "Files", sort: Some("self_allocated_bytes"), also: &[] },
    Shows { report: "leaks", title: "Leaks", sort: None, also: LEAK_COLUMNS },
    Shows { report: "classes", title: "Classes", sort: Some("bytes"), also: &[] },
];

const LEAK_COLUMNS: &[&str] =
    &["growth_scalars_per_mark", "growth_bytes_per_call", "total_growth_bytes", "steadiness", "instances", "sub"];

const VIEWS_OF_DIFF: &[Shows] = &[
    Shows { report: "totals", title: "Summary", sort: None, also: &[] },
    Shows { report: "subs", title: "Subs", sort: None, also: DIFF_COLUMNS },
    Shows { report: "lines", title: "Lines", sort: None, also: DIFF_COLUMNS },
    Shows { report: "paths", title: "Call paths", sort: None, also: DIFF_COLUMNS },
];

/// What else a narrow window has no room for.
const DIFF_COLUMNS: &[&str] = &["old_allocated_bytes", "new_allocated_bytes"];

/// Rows that a table holds at most, whatever share they have.
const MOST_ROWS: usize = 3000;

/// A view, for the template.
pub(super) struct View {
    pub(super) key: &'static str,
    pub(super) title: &'static str,
    pub(super) sections: Vec<ViewSection>,
}

/// A part of a view.
pub(super) struct ViewSection {
    pub(super) title: &'static str,
    pub(super) facts: Vec<ViewFact>,
    /// What is told in more than a row.
    pub(super) entries: Vec<ViewEntry>,
    /// What there is to say instead of a table.
    pub(super) nothing: String,
    /// Which table of the page stands here.
    pub(super) table: Option<usize>,
    pub(super) notes: Vec<&'static str>,
}

/// Something that is told in a few lines.
pub(super) struct ViewEntry {
    pub(super) heading: Vec<ViewPart>,
    pub(super) facts: Vec<ViewFact>,
}

/// A line of facts, as text.
pub(super) struct ViewFact {
    pub(super) label: &'static str,
    pub(super) parts: Vec<ViewPart>,
}

/// A value as text.
pub(super) struct ViewPart {
    pub(super) text: String,
    /// To the last byte.
    pub(super) exact: String,
    pub(super) after: &'static str,
}

/// A table, column by column.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct PageTable {
    view: &'static str,
    key: &'static str,
    heads: Vec<PageHead>,
    columns: Vec<Vec<Cell>>,
    sort: Option<&'static str>,
    /// Rows the report had to choose from.
    rows_in_all: usize,
    /// Rows of the report that the page has no room for.
    rows_left_out: usize,
    /// What is left out has no more than this many percent of the highest figure of any column.
    left_out_percent: f64,
}

/// The head of a column.
#[derive(Serialize)]
struct PageHead {
    key: &'static str,
    heading: &'static str,
    kind: Kind,
    shown: PageShown,
}

/// What a column holds.
#[derive(Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Kind {
    /// A name or path.
    Text,
    /// A word or a few, that are not broken.
    Word,
    Bytes,
    Count,
    Share,
    Time,
}

/// Where a column is shown.
#[derive(Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum PageShown {
    /// Everywhere.
    Always,
    /// In a wide window.
    Spare,
    /// When it is chosen.
    Demand,
    /// Never: for links only.
    Never,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Cell {
    Absent,
    Number(u64),
    Signed(i64),
    Decimal(f64),
    Text(StringNumber),
}

/// The views of a profile, and the tables they hold.
pub(super) fn views(
    profile: &Profile,
    min_percent: f64,
    strings: &mut Strings,
) -> Result<(Vec<View>, Vec<PageTable>), UnknownColumn> {
    let (mut views, mut tables) = (Vec::new(), Vec::new());
    for shows in VIEWS {
        let Some(report) = find(shows.report) else { continue };
        let selection = Selection { sort: shows.sort.map(str::to_owned), ..Selection::default() };
        let document = document(report, profile, &Options { selection, ..Options::default() })?;
        views.push(view(shows, document.sections, min_percent, &mut tables, strings));
    }
    Ok((views, tables))
}

/// The views of a diff, and the tables they hold.
pub(super) fn views_of_diff(
    diff: &Diff,
    min_percent: f64,
    strings: &mut Strings,
) -> Result<(Vec<View>, Vec<PageTable>), UnknownColumn> {
    let (mut views, mut tables) = (Vec::new(), Vec::new());
    let document = diff::document(diff, &Selection { top: Some(MOST_ROWS), ..Selection::default() })?;
    for section in document.sections {
        let Some(shows) = VIEWS_OF_DIFF.iter().find(|shows| shows.report == section.key) else { continue };
        views.push(view(shows, vec![section], min_percent, &mut tables, strings));
    }
    Ok((views, tables))
}

fn view(
    shows: &Shows,
    sections: Vec<Section>,
    min_percent: f64,
    tables: &mut Vec<PageTable>,
    strings: &mut Strings,
) -> View {
    let section = |section: Section| {
        let Section { key, title, body, notes } = section;
        let mut shown =
            ViewSection { title, facts: vec![], entries: vec![], nothing: String::new(), table: None, notes };
        let table = match body {
            Body::Facts(facts) => {
                shown.facts = facts.into_iter().map(fact).collect();
                None
            }
            Body::Table(table) => Some(table),
            Body::Entries(entries) => {
                shown.nothing = if entries.entries.is_empty() { entries.none.clone() } else { String::new() };
                let table = (!entries.entries.is_empty()).then(|| table_of(&entries));
                shown.entries = entries.entries.into_iter().map(entry).collect();
                table
            }
        };
        if let Some(table) = table {
            shown.table = Some(tables.len());
            tables.push(page_table(shows, key, table, min_percent, strings));
        }
        shown
    };
    View { key: shows.report, title: shows.title, sections: sections.into_iter().map(section).collect() }
}

/// What the page is of.
pub(super) fn title(profile: &Profile) -> String {
    let words = profile.trace.header.command_line.iter().map(|word| names::text(word)).collect();
    value_text(&Value::Words(words), Precision::Human, false)
}

fn fact(fact: Fact) -> ViewFact {
    ViewFact { label: fact.label, parts: fact.parts.into_iter().map(part).collect() }
}

fn entry(entry: Entry) -> ViewEntry {
    ViewEntry {
        heading: entry.heading.into_iter().map(part).collect(),
        facts: entry.facts.into_iter().map(fact).collect(),
    }
}

fn part(part: Part) -> ViewPart {
    ViewPart {
        text: value_text(&part.value, Precision::Human, false),
        exact: value_text(&part.value, Precision::Exact, false),
        after: part.after,
    }
}

/// The fields of entries as a table, as far as a cell can hold them.
fn table_of(entries: &Entries) -> Table {
    let fits = |value: &Value| !matches!(value, Value::Record(_) | Value::Records(_));
    let fields = || entries.entries.iter().flat_map(|entry| &entry.fields);
    let mut keys: Vec<&'static str> = Vec::new();
    for (key, _) in fields().filter(|(_, value)| fits(value)) {
        if !keys.contains(key) && !fields().any(|(other, value)| other == key && !fits(value)) {
            keys.push(key);
        }
    }
    let head = |&key: &&'static str| {
        let (heading, shown) = match key {
            "file" => ("line of file", Shown::Always),
            "line" => (key, Shown::JsonOnly),
            // A program without marks has it by seconds; the facts above say so.
            "growth_bytes_per_mark" => ("growth\nper unit\nbytes", Shown::Always),
            "growth_scalars_per_mark" => ("growth\nper unit\nscalars", Shown::OnDemand),
            _ => (key, Shown::OnDemand),
        };
        Head { key, heading, shown, spare: false }
    };
    let row = |entry: &Entry| {
        let value = |key: &&str| entry.fields.iter().find(|(other, _)| other == key).map(|(_, value)| value.clone());
        keys.iter().map(|key| value(key).unwrap_or(Value::Absent)).collect()
    };
    Table {
        heads: keys.iter().map(head).collect(),
        rows: entries.entries.iter().map(row).collect(),
        rows_in_all: entries.entries_in_all,
    }
}

fn page_table(shows: &Shows, key: &'static str, table: Table, min_percent: f64, strings: &mut Strings) -> PageTable {
    let Table { heads, rows, rows_in_all } = table;
    let folding = Folding::new(&shares(&heads, &rows), min_percent, MOST_ROWS);
    let chosen: Vec<&Vec<Value>> =
        rows.iter().enumerate().filter(|(at, _)| folding.shows(*at)).map(|(_, row)| row).collect();
    let (mut page_heads, mut columns) = (Vec::new(), Vec::new());
    for (at, head) in heads.iter().enumerate() {
        let values = || chosen.iter().filter_map(|row| row.get(at));
        let shown = shown(head, shows.also);
        // A figure that is not there is no figure to choose, and words of their own are for JSON.
        let words = |value: &Value| matches!(value, Value::Words(_));
        if (shown == PageShown::Demand && values().all(is_nothing))
            || (shown == PageShown::Never && values().any(words))
        {
            continue;
        }
        let kind = values().find(|value| **value != Value::Absent).map_or(Kind::Text, kind);
        page_heads.push(PageHead { key: head.key, heading: head.heading, kind, shown });
        columns.push(values().map(|value| cell(value, strings)).collect());
    }
    PageTable {
        view: shows.report,
        key,
        heads: page_heads,
        columns,
        sort: shows.sort,
        rows_in_all,
        rows_left_out: rows.len() - chosen.len(),
        left_out_percent: folding.percent,
    }
}

/// By row: the largest of its figures, as a share of the highest in the same column, from 0 to 1.
fn shares(heads: &[Head], rows: &[Vec<Value>]) -> Vec<f64> {
    let mut shares = vec![0f64; rows.len()];
    let mut weighed = false;
    for at in (0..heads.len()).filter(|&at| heads.get(at).is_some_and(|head| weighs(head.key))) {
        let figures = || rows.iter().map(|row| row.get(at).map_or(0.0, size));
        let highest = figures().fold(0.0, f64::max);
        if highest > 0.0 {
            weighed = true;
            shares.iter_mut().zip(figures()).for_each(|(share, figure)| *share = share.max(figure / highest));
        }
    }
    if !weighed {
        shares.fill(1.0);
    }
    shares
}

/// Is a column's figure one that makes a row worth showing?
fn weighs(key: &str) -> bool {
    key == "calls" || ["bytes", "scalars", "_per_mark"].iter().any(|unit| key.ends_with(unit))
}

fn size(value: &Value) -> f64 {
    match *value {
        Value::Count(n) | Value::Bytes(n) => n as f64,
        Value::Signed(n) | Value::SignedBytes(n) => n.unsigned_abs() as f64,
        Value::Decimal(n) | Value::DecimalBytes(n) | Value::Share(n) => n.abs(),
        _ => 0.0,
    }
}

fn shown(head: &Head, also: &[&str]) -> PageShown {
    match head.shown {
        _ if also.contains(&head.key) => PageShown::Spare,
        Shown::Always if head.spare => PageShown::Spare,
        Shown::Always | Shown::TextOnly => PageShown::Always,
        Shown::OnDemand => PageShown::Demand,
        Shown::JsonOnly => PageShown::Never,
    }
}

fn is_nothing(value: &Value) -> bool {
    matches!(value, Value::Absent) || (!matches!(kind(value), Kind::Text | Kind::Word) && size(value) == 0.0)
}

fn kind(value: &Value) -> Kind {
    match value {
        Value::Bytes(_) | Value::SignedBytes(_) | Value::DecimalBytes(_) => Kind::Bytes,
        Value::Count(_) | Value::Signed(_) | Value::Decimal(_) => Kind::Count,
        Value::Share(_) => Kind::Share,
        Value::Nanoseconds(_) => Kind::Time,
        Value::Text(_) => Kind::Word,
        _ => Kind::Text,
    }
}

fn cell(value: &Value, strings: &mut Strings) -> Cell {
    match value {
        Value::Absent => Cell::Absent,
        Value::Count(n) | Value::Bytes(n) | Value::Nanoseconds(n) => Cell::Number(*n),
        Value::Signed(n) | Value::SignedBytes(n) => Cell::Signed(*n),
        Value::Decimal(n) | Value::DecimalBytes(n) | Value::Share(n) => Cell::Decimal(*n),
        Value::Text(text) | Value::Name(text) | Value::Path(text) | Value::Indented { text, .. } => {
            Cell::Text(strings.number(text))
        }
        _ => Cell::Text(strings.number(&value_text(value, Precision::Human, true))),
    }
}
