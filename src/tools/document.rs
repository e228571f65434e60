//! What a report says, before anyone decides how it looks: sections of facts and tables of exact values.
//!
//! A report makes a [`Document`]; [`super::render`] writes it as text or JSON. A value is never rounded and never
//! formatted here, and every key says its unit.

use super::warning::Warning;
use std::path::PathBuf;

/// Names of fields, and their values.
pub type Fields = Vec<(&'static str, Value)>;

/// One value, exact.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// Not known.
    Absent,
    /// A yes or no.
    Flag(bool),
    /// Text that is not shortened.
    Text(String),
    /// A name of a sub or module; shortened in the middle where it does not fit.
    Name(String),
    /// A path; shortened on the left where it does not fit.
    Path(String),
    /// A name as deep in a tree as it stands.
    Indented {
        /// Levels below the root.
        depth: usize,
        /// The name.
        text: String,
    },
    /// Texts in a row, as a command line.
    Words(Vec<String>),
    /// A plain number.
    Count(u64),
    /// A plain number that may be negative.
    Signed(i64),
    /// A number of bytes.
    Bytes(u64),
    /// A number of bytes that may be negative.
    SignedBytes(i64),
    /// A stretch of time, in nanoseconds.
    Nanoseconds(u64),
    /// A point in time, in nanoseconds since 1970-01-01 UTC.
    Instant(u64),
    /// A number that need not be whole: a mean, a rate.
    Decimal(f64),
    /// As many bytes, which need not be whole.
    DecimalBytes(f64),
    /// A part of a whole, from 0 to 1.
    Share(f64),
    /// How many of what: `1 CODE, 2 HASH`.
    Counts(Vec<(String, f64)>),
    /// Fields of something. In JSON only.
    Record(Fields),
    /// Such things in a row. In JSON only.
    Records(Vec<Fields>),
}

/// Where a column is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shown {
    /// In text and JSON.
    Always,
    /// In JSON, and in text when it is what rows are sorted by.
    OnDemand,
    /// In JSON only: text says it in another column.
    JsonOnly,
    /// In text only: what JSON says in other fields.
    TextOnly,
}

/// The head of a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    /// Field name in JSON and for `--sort`; says the unit.
    pub key: &'static str,
    /// Heading in text, line by line; says the unit.
    pub heading: &'static str,
    /// Where it is shown.
    pub shown: Shown,
    /// May it be left out of text where there is no room for all?
    pub spare: bool,
}

/// Rows that were chosen of all there are.
#[derive(Clone, Debug, PartialEq)]
pub struct Table {
    /// The columns.
    pub heads: Vec<Head>,
    /// The rows, a value for each column.
    pub rows: Vec<Vec<Value>>,
    /// How many rows there were to choose from.
    pub rows_in_all: usize,
}

/// A value within a fact.
#[derive(Clone, Debug, PartialEq)]
pub struct Part {
    /// Field name in JSON.
    pub key: &'static str,
    /// The value.
    pub value: Value,
    /// What follows it in text.
    pub after: &'static str,
}

/// A line of facts: a label and values with words between them.
#[derive(Clone, Debug, PartialEq)]
pub struct Fact {
    /// What it is about.
    pub label: &'static str,
    /// The values.
    pub parts: Vec<Part>,
}

impl Fact {
    /// A fact of one value.
    pub fn new(label: &'static str, key: &'static str, value: Value, after: &'static str) -> Self {
        Fact { label, parts: vec![Part { key, value, after }] }
    }

    /// With one value more.
    pub fn and(mut self, key: &'static str, value: Value, after: &'static str) -> Self {
        self.parts.push(Part { key, value, after });
        self
    }
}

/// Something that is told in a few lines of its own, rather than in the row of a table.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// Its heading in text.
    pub heading: Vec<Part>,
    /// What text says of it. Keys of the parts are not used.
    pub facts: Vec<Fact>,
    /// What JSON says of it: names of fields and their values.
    pub fields: Fields,
}

/// Entries that were chosen of all there are.
#[derive(Clone, Debug, PartialEq)]
pub struct Entries {
    /// The entries.
    pub entries: Vec<Entry>,
    /// How many there were to choose from.
    pub entries_in_all: usize,
    /// What text says where there are none.
    pub none: String,
}

/// What a section consists of.
#[derive(Clone, Debug, PartialEq)]
pub enum Body {
    /// Facts, one below the other.
    Facts(Vec<Fact>),
    /// A table.
    Table(Table),
    /// Entries, one below the other.
    Entries(Entries),
}

/// A part of a document.
#[derive(Clone, Debug, PartialEq)]
pub struct Section {
    /// Field name in JSON.
    pub key: &'static str,
    /// Heading in text; empty for none.
    pub title: &'static str,
    /// Its contents.
    pub body: Body,
    /// What the reader of the figures should know, a sentence each; in text only.
    pub notes: Vec<&'static str>,
}

impl Section {
    /// A section of facts.
    pub fn facts(key: &'static str, title: &'static str, facts: Vec<Fact>) -> Self {
        Section { key, title, body: Body::Facts(facts), notes: Vec::new() }
    }

    /// A section of a table.
    pub fn table(key: &'static str, title: &'static str, table: Table) -> Self {
        Section { key, title, body: Body::Table(table), notes: Vec::new() }
    }

    /// A section of entries.
    pub fn entries(key: &'static str, title: &'static str, entries: Entries) -> Self {
        Section { key, title, body: Body::Entries(entries), notes: Vec::new() }
    }

    /// With a note.
    pub fn note(mut self, note: &'static str) -> Self {
        self.notes.push(note);
        self
    }
}

/// A whole report.
#[derive(Clone, Debug, PartialEq)]
pub struct Document {
    /// Name of the report.
    pub report: &'static str,
    /// The trace it is of.
    pub trace: PathBuf,
    /// Its sections.
    pub sections: Vec<Section>,
    /// What to know before trusting the figures.
    pub warnings: Vec<Warning>,
    /// Are the warnings a part of the page? Else whoever shows the page tells them apart from it.
    pub warnings_on_page: bool,
}
