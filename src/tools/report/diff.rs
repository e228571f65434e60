//! `diff`: two traces side by side: what differs, by sub, line and call path.

use crate::format::ids::NodeId;
use crate::format::records::Totals;
use crate::tools::diff::{Diff, Pair};
use crate::tools::document::{Document, Fact, Section, Value};
use crate::tools::profile::{difference, Measures};
use crate::tools::select::{Column, Selection, UnknownColumn};

/// Rows of a table where not all are asked for.
const ROWS: usize = 10;

/// A sub, a line or a call path: what it is called, and its figures.
#[derive(Default)]
struct Row<'a> {
    own: Pair,
    name: &'a str,
    file: &'a str,
    old_line: Option<u32>,
    new_line: Option<u32>,
    /// A call path's steps are told only of those that are shown: there may be a million paths.
    path: Option<(&'a Diff, NodeId)>,
}

impl Row<'_> {
    fn path(&self) -> Vec<String> {
        self.path.map(|(diff, node)| diff.path(node)).unwrap_or_default()
    }
}

type Of<'a> = Column<Row<'a>>;

/// Steps of a call path that text shows: the last ones.
const STEPS: usize = 4;

fn shown_path(row: &Row) -> String {
    let path = row.path();
    let left_out = path.len().saturating_sub(STEPS);
    let shown = path.into_iter().skip(left_out).collect::<Vec<_>>().join(" > ");
    match left_out {
        0 => shown,
        _ => format!("({left_out} more) > {shown}"),
    }
}

/// Three columns of a figure: in the old trace, in the new, and the difference.
macro_rules! figure {
    ($key:literal, $heading:literal, $value:expr, $difference:expr, $get:expr) => {
        [
            Of::new(concat!("old_", $key), concat!("old\n", $heading), |row| $value($get(&row.own.old))).on_demand(),
            Of::new(concat!("new_", $key), concat!("new\n", $heading), |row| $value($get(&row.own.new))).on_demand(),
            Of::new(concat!("difference_", $key), concat!("more\n", $heading), |row| {
                $difference(difference($get(&row.own.new), $get(&row.own.old)))
            })
            .absolute(),
        ]
    };
}

#[rustfmt::skip]
fn figures<'a>() -> Vec<Of<'a>> {
    let [old_allocated, new_allocated, allocated] =
        figure!("allocated_bytes", "allocated\nbytes", Value::Bytes, Value::SignedBytes, |own: &Measures| own.allocated_bytes);
    let [old_live, new_live, live] =
        figure!("live_bytes", "live\nbytes", Value::Bytes, Value::SignedBytes, |own: &Measures| own.live_bytes);
    let [old_at_peak, new_at_peak, at_peak] =
        figure!("at_peak_bytes", "at peak\nbytes", Value::Bytes, Value::SignedBytes, |own: &Measures| own.at_peak_bytes);
    let scalars = |row: &Row| Value::Signed(row.own.new.net_scalars().saturating_sub(row.own.old.net_scalars()));
    let [old_blocks, new_blocks, blocks] =
        figure!("allocated_blocks", "allocated\nblocks", Value::Count, Value::Signed, |own: &Measures| own.allocated_blocks);
    let [old_live_blocks, new_live_blocks, live_blocks] =
        figure!("live_blocks", "live\nblocks", Value::Count, Value::Signed, |own: &Measures| own.live_blocks);
    let [old_calls, new_calls, calls] = figure!("calls", "calls", Value::Count, Value::Signed, |own: &Measures| own.calls);
    vec![
        old_allocated, new_allocated, allocated,
        old_live, new_live, live,
        old_at_peak, new_at_peak, at_peak.spare(),
        Of::new("old_net_scalars", "old\nnet\nscalars", |row| Value::Signed(row.own.old.net_scalars())).on_demand(),
        Of::new("new_net_scalars", "new\nnet\nscalars", |row| Value::Signed(row.own.new.net_scalars())).on_demand(),
        Of::new("difference_net_scalars", "more\nnet\nscalars", scalars).absolute().spare(),
        old_blocks, new_blocks, blocks.on_demand(),
        old_live_blocks, new_live_blocks, live_blocks.on_demand(),
        old_calls, new_calls, calls.on_demand(),
    ]
}

fn line(line: Option<u32>) -> Value {
    line.map_or(Value::Absent, |line| Value::Count(line.into()))
}

/// `lib/Foo.pm:30 (was 12)`.
fn shown_line(row: &Row) -> String {
    match (row.old_line, row.new_line) {
        (None | Some(0), None | Some(0)) if row.file.is_empty() => "(no statement)".to_owned(),
        (None, Some(new)) => format!("{}:{new} (new)", row.file),
        (Some(old), None) => format!("{}:{old} (gone)", row.file),
        (Some(old), Some(new)) if old != new => format!("{}:{new} (was {old})", row.file),
        (_, new) => format!("{}:{}", row.file, new.unwrap_or(0)),
    }
}

#[rustfmt::skip]
fn sub_columns<'a>() -> Vec<Of<'a>> {
    let mut columns = figures();
    columns.push(Of::new("name", "sub", |row| Value::Name(row.name.to_owned())));
    columns
}

#[rustfmt::skip]
fn line_columns<'a>() -> Vec<Of<'a>> {
    let mut columns = figures();
    columns.extend([
        Of::new("file", "file", |row| Value::Path(row.file.to_owned())).json_only(),
        Of::new("old_line", "old line", |row| line(row.old_line)).json_only().ascending(),
        Of::new("new_line", "new line", |row| line(row.new_line)).json_only().ascending(),
        Of::new("shown_line", "line of file", |row| Value::Path(shown_line(row))).text_only(),
        Of::new("sub", "in sub", |row| Value::Name(row.name.to_owned())),
    ]);
    columns
}

#[rustfmt::skip]
fn path_columns<'a>() -> Vec<Of<'a>> {
    let mut columns = figures();
    columns.extend([
        Of::new("path", "path", |row| Value::Words(row.path())).json_only(),
        Of::new("shown_path", "call path, the caller on the left", |row| Value::Path(shown_path(row))).text_only(),
    ]);
    columns
}

/// A table of rows that differ; what it is sorted by is shown with what it was and what it is.
fn table<'a>(
    key: &'static str,
    title: &'static str,
    columns: &[Of<'a>],
    rows: &[Row<'a>],
    selection: &Selection,
) -> Result<Section, UnknownColumn> {
    let default = "difference_allocated_bytes";
    let by = selection.sort.as_deref().unwrap_or(default);
    let figure = by.strip_prefix("difference_");
    let also = figure.map(|figure| [format!("old_{figure}"), format!("new_{figure}")]).unwrap_or_default();
    let also: Vec<&str> = also.iter().map(String::as_str).collect();
    Ok(Section::table(key, title, selection.table(columns, rows, default, &also)?))
}

fn totals(old: &Totals, new: &Totals) -> Section {
    let of =
        |label, keys: [&'static str; 3], get: fn(&Totals) -> u64, bytes: bool| {
            let value = if bytes { Value::Bytes } else { Value::Count };
            let signed = if bytes { Value::SignedBytes } else { Value::Signed };
            Fact::new(label, keys[0], value(get(old)), " before, ")
                .and(keys[1], value(get(new)), " now, a change of ")
                .and(keys[2], signed(difference(get(new), get(old))), "")
        };
    macro_rules! keys {
        ($figure:literal) => {
            [concat!("old_", $figure), concat!("new_", $figure), concat!("difference_", $figure)]
        };
    }
    let facts = vec![
        of("allocated", keys!("allocated_bytes"), |totals| totals.allocated_bytes, true),
        of("freed", keys!("freed_bytes"), |totals| totals.freed_bytes, true),
        of("live at the end", keys!("live_bytes"), |totals| totals.live_bytes, true),
        of("peak", keys!("peak_bytes"), |totals| totals.peak_bytes, true),
        of("peak of the resident set", keys!("peak_resident_bytes"), |totals| totals.peak_resident_bytes, true),
        of("scalars", keys!("live_scalars"), |totals| totals.scalars, false),
    ];
    Section::facts("totals", "The process", facts)
}

/// Two traces side by side as a document.
///
/// # Errors
/// Where a column is asked for that there is not.
pub fn document(diff: &Diff, selection: &Selection) -> Result<Document, UnknownColumn> {
    let selection = &Selection { top: Some(selection.top.unwrap_or(ROWS)), ..selection.clone() };
    let subs = diff.subs.iter().map(|sub| Row { own: sub.own, name: &sub.name, ..Row::default() });
    let lines = diff.lines.iter().map(|line| Row {
        own: line.own,
        name: &line.sub,
        file: &line.file,
        old_line: line.old_line,
        new_line: line.new_line,
        ..Row::default()
    });
    let paths = diff.paths.iter().map(|path| Row { own: path.own, path: Some((diff, path.node)), ..Row::default() });
    let (subs, lines, paths): (Vec<_>, Vec<_>, Vec<_>) = (subs.collect(), lines.collect(), paths.collect());
    Ok(Document {
        report: "diff",
        trace: diff.new_path.clone(),
        sections: vec![
            totals(&diff.old, &diff.new),
            table("subs", "Subs that differ most, by what they do themselves", &sub_columns(), &subs, selection)?,
            table("lines", "Lines that differ most", &line_columns(), &lines, selection)?,
            table(
                "paths",
                "Call paths that differ most, by what their last sub does itself",
                &path_columns(),
                &paths,
                selection,
            )?
            .note("what does not differ is in no table"),
        ],
        warnings: diff.warnings.clone(),
        warnings_on_page: false,
    })
}
