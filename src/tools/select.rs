//! Which rows of a table are shown, and in which order: `--filter`, `--sort`, `--top`. Never changes a value.

use super::document::{Head, Shown, Table, Value};
use regex::Regex;
use std::cmp::Ordering;
use thiserror::Error;

/// A column of rows of type `R`.
pub struct Column<R> {
    head: Head,
    ascending: bool,
    absolute: bool,
    get: fn(&R) -> Value,
}

impl<R> Column<R> {
    /// A column shown in text and JSON; sorted by, the highest come first.
    pub const fn new(key: &'static str, heading: &'static str, get: fn(&R) -> Value) -> Self {
        Column {
            head: Head { key, heading, shown: Shown::Always, spare: false },
            ascending: false,
            absolute: false,
            get,
        }
    }

    /// Shown in text only when it is sorted by.
    pub const fn on_demand(mut self) -> Self {
        self.head.shown = Shown::OnDemand;
        self
    }

    /// Left out of text where there is no room for all; those that stand first are left out first.
    pub const fn spare(mut self) -> Self {
        self.head.spare = true;
        self
    }

    /// Never shown in text, where another column says the same.
    pub const fn json_only(mut self) -> Self {
        self.head.shown = Shown::JsonOnly;
        self
    }

    /// Shown in text only.
    pub const fn text_only(mut self) -> Self {
        self.head.shown = Shown::TextOnly;
        self
    }

    /// Sorted by, those furthest from zero come first.
    pub const fn absolute(mut self) -> Self {
        self.absolute = true;
        self
    }

    /// Sorted by, the lowest come first.
    pub const fn ascending(mut self) -> Self {
        self.ascending = true;
        self
    }
}

/// Which rows, in which order.
#[derive(Clone, Debug, Default)]
pub struct Selection {
    /// Key of the column to sort by. Default: the report's own order.
    pub sort: Option<String>,
    /// How many rows. Default: all.
    pub top: Option<usize>,
    /// Only rows with a name or path that this matches. Default: all.
    pub filter: Option<Regex>,
}

/// A column that the report does not have.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("there is no column \"{wanted}\" to sort by; the columns are: {known}")]
pub struct UnknownColumn {
    wanted: String,
    known: String,
}

impl Selection {
    /// Does a row with these texts pass the filter?
    pub fn passes<'a>(&self, mut texts: impl Iterator<Item = &'a str>) -> bool {
        self.filter.as_ref().is_none_or(|filter| texts.any(|text| filter.is_match(text)))
    }

    /// The column to sort by.
    ///
    /// # Errors
    /// Where there is none of that key.
    pub fn sort_column<'a, R>(&self, columns: &'a [Column<R>], default: &str) -> Result<&'a Column<R>, UnknownColumn> {
        let wanted = self.sort.as_deref().unwrap_or(default);
        let known = || columns.iter().filter(|column| column.head.shown != Shown::TextOnly);
        known().find(|column| column.head.key == wanted).ok_or_else(|| UnknownColumn {
            wanted: wanted.to_owned(),
            known: known().map(|column| column.head.key).collect::<Vec<_>>().join(", "),
        })
    }

    /// The table of the rows chosen; `default` is the key to sort by where none was asked for, `also` the keys of more
    /// columns to show in text.
    ///
    /// # Errors
    /// Where there is no column to sort by.
    pub fn table<'a, R: 'a>(
        &self,
        columns: &[Column<R>],
        rows: impl IntoIterator<Item = &'a R>,
        default: &str,
        also: &[&str],
    ) -> Result<Table, UnknownColumn> {
        let by = self.sort_column(columns, default)?;
        let rows: Vec<&R> = rows.into_iter().collect();
        let rows_in_all = rows.len();
        let passing = rows.into_iter().filter(|row| self.passes_row(columns, row));
        // Equal rows stay in the order of the profile.
        let mut chosen: Vec<(Value, usize, &R)> =
            passing.enumerate().map(|(at, row)| ((by.get)(row), at, row)).collect();
        let order = |a: &(Value, usize, &R), b: &(Value, usize, &R)| by.order(&a.0, &b.0).then(a.1.cmp(&b.1));
        let top = self.top.unwrap_or(usize::MAX);
        if top < chosen.len() {
            chosen.select_nth_unstable_by(top, order);
            chosen.truncate(top);
        }
        chosen.sort_unstable_by(order);
        let rows = chosen.into_iter().map(|(_, _, row)| columns.iter().map(|column| (column.get)(row)).collect());
        Ok(Table { heads: heads(columns, by.head.key, also), rows: rows.collect(), rows_in_all })
    }

    fn passes_row<R>(&self, columns: &[Column<R>], row: &R) -> bool {
        let Some(filter) = &self.filter else { return true };
        columns.iter().any(|column| match (column.get)(row) {
            Value::Name(text) | Value::Path(text) => filter.is_match(&text),
            _ => false,
        })
    }
}

/// The heads of all columns; the one sorted by and those of `also` are shown in text wherever they can be.
pub fn heads<R>(columns: &[Column<R>], by: &str, also: &[&str]) -> Vec<Head> {
    let head = |column: &Column<R>| match column.head {
        head if head.key == by || also.contains(&head.key) => {
            let shown = if head.shown == Shown::OnDemand { Shown::Always } else { head.shown };
            Head { shown, spare: false, ..head }
        }
        head => head,
    };
    columns.iter().map(head).collect()
}

impl<R> Column<R> {
    /// The column's value of a row.
    pub fn value(&self, row: &R) -> Value {
        (self.get)(row)
    }

    /// Key of the column.
    pub fn key(&self) -> &'static str {
        self.head.key
    }

    /// Which of two values of this column comes first.
    pub fn order(&self, a: &Value, b: &Value) -> Ordering {
        let order = match (number(a), number(b)) {
            (Some(a), Some(b)) if self.absolute => a.unsigned_abs().cmp(&b.unsigned_abs()),
            _ => compare(a, b),
        };
        let by_name = matches!(a, Value::Text(_) | Value::Name(_) | Value::Path(_) | Value::Indented { .. });
        if self.ascending || by_name {
            order
        } else {
            order.reverse()
        }
    }
}

fn compare(a: &Value, b: &Value) -> Ordering {
    match (decimal(a), decimal(b)) {
        (None, None) => {}
        (Some(a), Some(b)) => return a.total_cmp(&b),
        (a, b) => return a.is_some().cmp(&b.is_some()),
    }
    match (number(a), number(b)) {
        (Some(a), Some(b)) => a.cmp(&b),
        (None, None) => words(a).cmp(words(b)),
        (a, b) => a.is_some().cmp(&b.is_some()),
    }
}

fn decimal(value: &Value) -> Option<f64> {
    match *value {
        Value::Decimal(n) | Value::DecimalBytes(n) | Value::Share(n) => Some(n),
        _ => None,
    }
}

fn number(value: &Value) -> Option<i128> {
    match *value {
        Value::Count(n) | Value::Bytes(n) | Value::Nanoseconds(n) | Value::Instant(n) => Some(n.into()),
        Value::Signed(n) | Value::SignedBytes(n) => Some(n.into()),
        Value::Flag(flag) => Some(flag.into()),
        _ => None,
    }
}

fn words(value: &Value) -> &str {
    match value {
        Value::Text(text) | Value::Name(text) | Value::Path(text) | Value::Indented { text, .. } => text,
        _ => "",
    }
}
