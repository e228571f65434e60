//! Reports as subcommands, and the arguments of each. Reads no file.

use super::calls::CallsArgs;
use super::diff::DiffArgs;
use super::export::ExportArgs;
use super::html::HtmlArgs;
use super::merge::MergeArgs;
use super::top::TopArgs;
use clap::{Args, Subcommand};
use mprof::tools::report::Options;
use mprof::tools::select::Selection;
use regex::Regex;
use std::path::PathBuf;

/// A report, and what is asked of it.
#[derive(Subcommand)]
pub enum Command {
    /// The page shown without a report's name: what ran, what it took, who took most
    Summary(SummaryArgs),
    /// Every sub: calls, bytes, blocks and scalars, self and inclusive
    Subs(TableArgs),
    /// Every line of the program
    Lines(TableArgs),
    /// The call tree, with what is small folded
    Tree(TreeArgs),
    /// Every file
    Files(TableArgs),
    /// Every module, and what it costs to load it
    Modules(TableArgs),
    /// The process as it went: live heap, scalars, resident set
    Timeline(TableArgs),
    /// Which lines keep more and more: how much for each mark, why it stays, what would free it
    Leaks(LeaksArgs),
    /// Live scalars by type and class, and how they grew
    Classes(TableArgs),
    /// The trace itself: header, options, counters, chunks
    Info(TraceArgs),
    /// Each call of a run with calls=1, as function:before:after
    Calls(CallsArgs),
    /// A page for a browser: call tree, time line, tables, source
    Html(HtmlArgs),
    /// Write several traces as one
    Merge(MergeArgs),
    /// What grew from one trace to another, by sub, line and call path
    Diff(DiffArgs),
    /// Watch a trace while it is written, or a process by its number
    Top(TopArgs),
    /// Traces in the formats of other tools: databases, flame graphs, pprof, callgrind
    Export(ExportArgs),
}

/// Arguments of a report.
#[derive(Args)]
pub struct SummaryArgs {
    /// The trace to read; several, or a pattern, are summed up
    #[arg(value_name = "TRACE", required = true)]
    pub traces: Vec<PathBuf>,
    /// Rows of each table [default: 10]
    #[arg(long, value_name = "N")]
    pub top: Option<usize>,
    /// Only rows with a name or path that this regular expression matches
    #[arg(long, value_name = "REGEX")]
    pub filter: Option<Regex>,
}

/// Arguments of a report.
#[derive(Args)]
pub struct TableArgs {
    /// The trace to read; several, or a pattern, are summed up
    #[arg(value_name = "TRACE", required = true)]
    traces: Vec<PathBuf>,
    /// Sort by this column, named as in the JSON; an unknown one lists them all
    #[arg(long, value_name = "COLUMN")]
    sort: Option<String>,
    /// Only the first rows; in a tree, of each level
    #[arg(long, value_name = "N")]
    top: Option<usize>,
    /// Only rows with a name or path that this regular expression matches
    #[arg(long, value_name = "REGEX")]
    filter: Option<Regex>,
}

/// Arguments of a report.
#[derive(Args)]
pub struct TreeArgs {
    #[command(flatten)]
    table: TableArgs,
    /// Fold what has less than this share of the whole
    #[arg(long, value_name = "PERCENT", default_value = "1", value_parser = percent)]
    min: f64,
}

/// Arguments of a report.
#[derive(Args)]
pub struct LeaksArgs {
    /// The trace to read; several, or a pattern, are summed up
    #[arg(value_name = "TRACE", required = true)]
    traces: Vec<PathBuf>,
    /// At most so many leaks [default: 10]
    #[arg(long, value_name = "N")]
    top: Option<usize>,
    /// All, also those that have less than 1 % of all growth
    #[arg(long)]
    all: bool,
    /// Only lines whose file or sub this regular expression matches
    #[arg(long, value_name = "REGEX")]
    filter: Option<Regex>,
    /// End with exit code 3 if a line grows by more than this per mark (without marks: per second); k, M, G are known
    #[arg(long, value_name = "BYTES", value_parser = bytes)]
    fail_over: Option<u64>,
}

/// Arguments of a report.
#[derive(Args)]
pub struct TraceArgs {
    /// The trace to read; several, or a pattern, are summed up
    #[arg(value_name = "TRACE", required = true)]
    traces: Vec<PathBuf>,
}

/// A percentage.
pub fn percent(text: &str) -> Result<f64, String> {
    match text.trim_end_matches('%').parse() {
        Ok(percent) if (0.0..=100.0).contains(&percent) => Ok(percent),
        _ => Err("not a number from 0 to 100".to_owned()),
    }
}

/// A number of bytes: `4096`, `4k`, `1.5M`, `1G`; a unit is 1024 of the one before.
pub fn bytes(text: &str) -> Result<u64, String> {
    let text = text.trim();
    let (number, unit) = match text.char_indices().last() {
        Some((at, last)) if last.is_ascii_alphabetic() => (text.get(..at).unwrap_or(""), last.to_ascii_lowercase()),
        _ => (text, 'b'),
    };
    let unit = match unit {
        'b' => 1.0,
        'k' => 1024.0,
        'm' => 1024.0 * 1024.0,
        'g' => 1024.0 * 1024.0 * 1024.0,
        _ => return Err("not a number of bytes, such as 4096, 4k or 1M".to_owned()),
    };
    match number.parse::<f64>() {
        // A float that is too large becomes the largest integer.
        Ok(number) if number.is_finite() && number >= 0.0 => Ok((number * unit).round() as u64),
        _ => Err("not a number of bytes, such as 4096, 4k or 1M".to_owned()),
    }
}

/// What is asked for.
pub struct Request {
    /// Name of the report.
    pub report: &'static str,
    /// Its options.
    pub options: Options,
    /// The traces, or patterns.
    pub traces: Vec<PathBuf>,
    /// Growth, in bytes per mark, above which the exit code says so.
    pub fail_over_bytes: Option<u64>,
}

impl Request {
    fn new(report: &'static str, options: Options, traces: Vec<PathBuf>) -> Self {
        Request { report, options, traces, fail_over_bytes: None }
    }
}

impl TableArgs {
    fn request(self, report: &'static str) -> Request {
        let selection = Selection { sort: self.sort, top: self.top, filter: self.filter };
        Request::new(report, Options { selection, ..Options::default() }, self.traces)
    }
}

impl SummaryArgs {
    /// What they ask for.
    pub fn request(self) -> Request {
        let selection = Selection { sort: None, top: self.top, filter: self.filter };
        Request::new("summary", Options { selection, ..Options::default() }, self.traces)
    }
}

impl LeaksArgs {
    fn request(self) -> Request {
        let selection = Selection { sort: None, top: self.top, filter: self.filter };
        let options = Options { selection, all: self.all, ..Options::default() };
        Request { fail_over_bytes: self.fail_over, ..Request::new("leaks", options, self.traces) }
    }
}

/// What a command line asks to be done.
pub enum Task {
    /// A report on a trace.
    Report(Request),
    /// The stream of calls.
    Calls(CallsArgs),
    /// A page for a browser.
    Html(HtmlArgs),
    /// One trace of several.
    Merge(MergeArgs),
    /// Two traces side by side.
    Diff(DiffArgs),
    /// A trace as it grows.
    Top(TopArgs),
    /// Traces in another format.
    Export(ExportArgs),
}

impl Command {
    /// What it asks for.
    pub fn task(self) -> Task {
        Task::Report(match self {
            Command::Calls(args) => return Task::Calls(args),
            Command::Html(args) => return Task::Html(args),
            Command::Merge(args) => return Task::Merge(args),
            Command::Diff(args) => return Task::Diff(args),
            Command::Top(args) => return Task::Top(args),
            Command::Export(args) => return Task::Export(args),
            Command::Summary(args) => args.request(),
            Command::Subs(args) => args.request("subs"),
            Command::Lines(args) => args.request("lines"),
            Command::Tree(TreeArgs { table, min }) => {
                let request = table.request("tree");
                let options = Options { min_percent: min, ..request.options };
                Request { options, ..request }
            }
            Command::Files(args) => args.request("files"),
            Command::Modules(args) => args.request("modules"),
            Command::Timeline(args) => args.request("timeline"),
            Command::Leaks(args) => args.request(),
            Command::Classes(args) => args.request("classes"),
            Command::Info(args) => Request::new("info", Options::default(), args.traces),
        })
    }
}
