//! Traces in the formats of other tools. Each format is a file of its own, and knows nothing of the others.
//!
//! A format is handed one trace after the other, so that of many only one is in memory at a time. What a figure means
//! is settled in [`crate::tools::profile`]: nothing here but sums of the same figures, all exact. Formats that people
//! look at have names in which what is no visible character is spelled out; those for programs (json, sqlite, parquet)
//! have them as they are.

mod callgrind;
mod csv;
mod folded;
mod json;
mod metric;
mod parquet;
mod pprof;
mod run;
mod speedscope;
mod sqlite;
mod stacks;
pub mod tables;
#[cfg(test)]
mod tests;

pub use metric::{metric, LeftOut, Metric, METRICS};

use super::profile::Profile;
use super::reader::{Keep, ReadError};
use super::target::{FolderTarget, Target, TargetError};
use ::parquet::errors::ParquetError;
use std::io::{self, BufWriter, Write};
use std::path::Path;
use tables::Table;
use thiserror::Error;

/// Traces as they are read.
pub type Traces<'a> = dyn Iterator<Item = Result<Profile, ReadError>> + 'a;

/// What may be asked of a format.
#[derive(Clone, Copy)]
pub struct Options {
    /// What `folded` is of. Default: the first of [`METRICS`].
    pub metric: &'static Metric,
    /// The table that `csv` and `parquet` hold. Default: `places`.
    pub table: &'static dyn Table,
}

impl Default for Options {
    fn default() -> Self {
        Options { metric: &METRICS[0], table: tables::USUAL }
    }
}

/// Why there is no export.
#[derive(Debug, Error)]
pub enum ExportError {
    /// A trace cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The target may not be written.
    #[error(transparent)]
    Target(#[from] TargetError),
    /// Writing failed.
    #[error("cannot write the export: {0}")]
    Write(#[from] io::Error),
    /// SQLite failed: mostly, the disk is full.
    #[error("cannot write the export: {0}")]
    Sqlite(#[from] rusqlite::Error),
    /// Writing parquet failed otherwise than the file did.
    #[error("cannot write the export: {0}")]
    Parquet(ParquetError),
}

impl From<ParquetError> for ExportError {
    fn from(error: ParquetError) -> Self {
        match error {
            ParquetError::External(error) => match error.downcast::<io::Error>() {
                Ok(error) => ExportError::Write(*error),
                Err(error) => ExportError::Parquet(ParquetError::External(error)),
            },
            error => ExportError::Parquet(error),
        }
    }
}

type ToStream = fn(&mut Traces, &Options, &mut dyn Write) -> Result<LeftOut, ExportError>;

/// What a format writes to.
#[derive(Clone, Copy)]
pub enum Kind {
    /// A stream of text, which may go to a terminal.
    Text(ToStream),
    /// A stream of bytes.
    Binary(ToStream),
    /// A file of its own, by its path.
    File(fn(&mut Traces, &Path) -> Result<LeftOut, ExportError>),
    /// A folder.
    Folder(fn(&mut Traces, &Options, &mut FolderTarget) -> Result<LeftOut, ExportError>),
}

/// A format.
pub struct Format {
    /// Its name on the command line.
    pub name: &'static str,
    /// What it is, in a line.
    pub about: &'static str,
    /// What it writes to, and how.
    pub kind: Kind,
    /// Is it of one metric, which may be chosen?
    pub takes_metric: bool,
    /// Is it of one table, which may be chosen?
    pub takes_table: bool,
    /// Is it of all tables?
    has_all_tables: bool,
}

impl Format {
    const fn new(name: &'static str, about: &'static str, kind: Kind) -> Self {
        Format { name, about, kind, takes_metric: false, takes_table: false, has_all_tables: false }
    }

    const fn of_a_metric(mut self) -> Self {
        self.takes_metric = true;
        self
    }

    const fn of_a_table(mut self) -> Self {
        self.takes_table = true;
        self
    }

    const fn of_all_tables(mut self) -> Self {
        self.has_all_tables = true;
        self
    }

    /// What it needs of a trace.
    pub fn keep(&self, options: &Options) -> Keep {
        match (self.has_all_tables, self.takes_table) {
            (true, _) => Keep::History,
            (false, true) => options.table.keep(),
            (false, false) => Keep::Last,
        }
    }
}

/// All formats.
pub static FORMATS: &[Format] = &[
    Format::new("sqlite", "An SQLite database of all tables", Kind::File(sqlite::write)).of_all_tables(),
    Format::new("folded", "Folded stacks of one metric, for flame graphs", Kind::Text(folded::write)).of_a_metric(),
    Format::new("pprof", "A gzipped profile for go tool pprof", Kind::Binary(pprof::write)),
    Format::new("callgrind", "A call graph for callgrind_annotate and KCachegrind", Kind::Text(callgrind::write)),
    Format::new("speedscope", "JSON for speedscope.app", Kind::Text(speedscope::write)),
    Format::new("csv", "One table as comma-separated values", Kind::Text(csv::write)).of_a_table(),
    Format::new("json", "All tables as JSON", Kind::Text(json::write)).of_all_tables(),
    Format::new("parquet", "One table as a folder of Parquet files, by host and run", Kind::Folder(parquet::write))
        .of_a_table(),
];

/// The format of that name.
pub fn format(name: &str) -> Option<&'static Format> {
    FORMATS.iter().find(|format| format.name == name)
}

/// Writes traces to the file or folder at `path`, which is replaced only if `replace`, and never if it is one of `inputs`.
/// Nothing is left there when it fails.
///
/// # Errors
/// Where a trace cannot be read or the export cannot be written.
pub fn export_to<P: AsRef<Path>>(
    format: &Format,
    options: &Options,
    traces: &mut Traces,
    path: &Path,
    replace: bool,
    inputs: &[P],
) -> Result<LeftOut, ExportError> {
    if let Kind::Folder(write) = format.kind {
        let mut target = FolderTarget::new(path, replace)?;
        let left_out = write(traces, options, &mut target)?;
        target.finish()?;
        return Ok(left_out);
    }
    let mut target = Target::new(path, replace, inputs)?;
    let left_out = match format.kind {
        Kind::Text(write) | Kind::Binary(write) => {
            let mut out = BufWriter::new(target.file());
            let left_out = write(traces, options, &mut out)?;
            out.flush()?;
            left_out
        }
        Kind::File(write) => write(traces, target.unfinished())?,
        Kind::Folder(_) => LeftOut::default(),
    };
    target.finish()?;
    Ok(left_out)
}
