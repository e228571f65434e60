//! `mprof-dump export`: its arguments, and traces into the file, folder or stream that they name.

use super::traces::TracesError;
use super::{progress, DumpError};
use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use clap::Args;
use mprof::tools::export::tables::{table, Table, TABLES, USUAL};
use mprof::tools::export::{
    export_to, format, metric, ExportError, Format, Kind, LeftOut, Metric, Options, Traces, FORMATS, METRICS,
};
use mprof::tools::inputs::named;
use mprof::tools::profile::Profile;
use mprof::tools::reader::{read_file_through, ReadError};
use mprof::tools::render::text::warnings_text;
use std::io::{self, BufWriter, IsTerminal, Write};
use std::path::{Path, PathBuf};

#[derive(Args)]
pub struct ExportArgs {
    /// The format
    #[arg(long, value_name = "FORMAT", value_parser = formats())]
    format: &'static Format,
    /// The traces to read, or patterns; each is a run of its own
    #[arg(value_name = "TRACE", required = true)]
    traces: Vec<PathBuf>,
    /// The file to write, of parquet the folder; - or nothing for standard output
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Replace the file if it is there
    #[arg(long)]
    force: bool,
    /// What folded stacks are of [default: allocated_bytes]
    #[arg(long, value_name = "METRIC", value_parser = metrics())]
    metric: Option<&'static Metric>,
    /// The table that csv or parquet holds [default: places]
    #[arg(long, value_name = "TABLE", value_parser = tables())]
    table: Option<Chosen>,
}

/// A table, so that clap can hold it.
#[derive(Clone, Copy)]
struct Chosen(&'static dyn Table);

// What the parsers let through is found again: they and the lookups are of the same lists.

fn formats() -> impl TypedValueParser<Value = &'static Format> {
    let names = FORMATS.iter().map(|format| PossibleValue::new(format.name).help(format.about));
    PossibleValuesParser::new(names).map(|name| format(&name).unwrap_or(&FORMATS[0]))
}

fn metrics() -> impl TypedValueParser<Value = &'static Metric> {
    let names = METRICS.iter().map(|metric| metric.name);
    PossibleValuesParser::new(names).map(|name| metric(&name).unwrap_or(&METRICS[0]))
}

fn tables() -> impl TypedValueParser<Value = Chosen> {
    let names = TABLES.iter().map(|table| table.name());
    PossibleValuesParser::new(names).map(|name| Chosen(table(&name).unwrap_or(USUAL)))
}

impl ExportArgs {
    /// Why these arguments make no sense together, as a sentence.
    pub fn conflict(&self) -> Option<String> {
        let Format { name, takes_metric, takes_table, .. } = *self.format;
        if self.metric.is_some() && !takes_metric {
            return Some(format!("--metric is for folded: {name} has all metrics that it can have"));
        }
        if self.table.is_some() && !takes_table {
            return Some(format!("--table is for csv and parquet, not for {name}"));
        }
        let nowhere = match (self.path(), self.format.kind) {
            (Some(_), _) | (None, Kind::Text(_)) => None,
            (None, Kind::Binary(_)) if io::stdout().is_terminal() => Some("is no text to be shown on a terminal"),
            (None, Kind::Binary(_)) => None,
            (None, Kind::File(_)) => Some("is written to a file"),
            (None, Kind::Folder(_)) => Some("is written to a folder"),
        };
        nowhere.map(|why| format!("{name} {why}: name it with -o"))
    }

    /// The file or folder to write; `None` for standard output.
    fn path(&self) -> Option<&Path> {
        self.output.as_deref().filter(|path| path.as_os_str() != "-")
    }

    /// Exports. Warnings go to `warn`.
    pub fn run(self, mut warn: impl FnMut(&str)) -> Result<(), DumpError> {
        let mut options = Options::default();
        options.metric = self.metric.unwrap_or(options.metric);
        options.table = self.table.map_or(options.table, |Chosen(table)| table);
        let keep = self.format.keep(&options);
        let files = named(&self.traces).map_err(TracesError::from)?;
        let mut traces = files.iter().map(|path| -> Result<Profile, ReadError> {
            let profile = Profile::new(read_file_through(path, keep, progress::Watched::new)?);
            warn(&warnings_text(&profile.warnings, "mprof-dump: ", true));
            Ok(profile)
        });
        let left_out = match self.path() {
            Some(path) => export_to(self.format, &options, &mut traces, path, self.force, &files)?,
            None => to_stdout(self.format, &options, &mut traces)?,
        };
        drop(traces);
        for note in notes(self.format, &left_out) {
            warn(&format!("mprof-dump: warning: {note}\n"));
        }
        Ok(())
    }
}

/// What the reader of an export should know is not in it, as sentences.
fn notes(format: &Format, left_out: &LeftOut) -> Vec<String> {
    let LeftOut { negative, open_calls, cut_streams } = *left_out;
    let mut notes = Vec::new();
    if negative > 0 {
        let name = format.name;
        notes.push(format!(
            "{name} has no negative numbers: where more scalars died than were born, {negative} in all, it has 0"
        ));
    }
    if cut_streams > 0 {
        notes.push("the stream of calls ends at calls_max; later calls are not in it".to_owned());
    }
    if open_calls > 0 {
        notes.push(format!("{open_calls} calls were not over when the stream ended; they are left out"));
    }
    notes
}

fn to_stdout(format: &Format, options: &Options, traces: &mut Traces) -> Result<LeftOut, DumpError> {
    let mut out = BufWriter::new(io::stdout().lock());
    let written = match format.kind {
        Kind::Text(write) | Kind::Binary(write) => write(traces, options, &mut out),
        // `conflict` has refused these.
        Kind::File(_) | Kind::Folder(_) => Ok(LeftOut::default()),
    };
    let left_out = written.map_err(|error| match error {
        // As of a report: whoever reads it may have had enough.
        ExportError::Write(error) => DumpError::Write(error),
        error => DumpError::Export(error),
    })?;
    out.flush()?;
    Ok(left_out)
}
