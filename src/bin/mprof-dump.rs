//! `mprof-dump`: argv ─► options ─► [`mprof::tools`] ─► exit code. Sums and formats nothing itself.

#[path = "mprof-dump/diff.rs"]
mod diff;
#[path = "mprof-dump/merge.rs"]
mod merge;
#[path = "mprof-dump/progress.rs"]
mod progress;
#[path = "mprof-dump/top.rs"]
mod top;
#[path = "mprof-dump/traces.rs"]
mod traces;

use anstream::{AutoStream, ColorChoice};
use clap::error::ErrorKind;
use clap::{Args, CommandFactory, Parser, Subcommand, ValueEnum};
use mprof::tools::document::Document;
use mprof::tools::profile::Profile;
use mprof::tools::render::json::json;
use mprof::tools::render::printable;
use mprof::tools::render::text::{text, warnings_text, Look};
use mprof::tools::report::{self, document, find, Options, REPORTS};
use mprof::tools::select::{Selection, UnknownColumn};
use mprof::tools::warning::Warning;
use regex::Regex;
use std::io::{self, IsTerminal, Write};
use std::mem::ManuallyDrop;
use std::path::PathBuf;
use std::process::ExitCode;
use thiserror::Error;

/// Bad usage, or an input that cannot be read.
const EXIT_REFUSED: u8 = 2;

/// The report could not be written.
const EXIT_UNWRITTEN: u8 = 1;

/// More has grown than may.
const EXIT_GROWN: u8 = 3;

const USAGE: &str = "\
mprof-dump [OPTIONS] TRACE...
       mprof-dump REPORT [OPTIONS] TRACE...
       mprof-dump merge -o FILE TRACE...
       mprof-dump diff OLD NEW
       mprof-dump top TRACE|PID";

const EXAMPLES: &str = "\
Examples:
  mprof-dump mprof.bin                               the summary
  mprof-dump subs --sort self_live_bytes mprof.bin   who keeps most, at the end
  mprof-dump lines --top 20 --filter '^lib/' mprof.bin
  mprof-dump tree --min 5 mprof.bin                  the call tree, without what has less than 5 %
  mprof-dump modules --sort load_allocated_bytes mprof.bin
  mprof-dump subs --json mprof.bin | jq '.subs.rows[0]'
  mprof-dump lines 'mprof.bin*'                      a process and its forked children together
  mprof-dump merge -o all.bin host1.bin host2.bin    one trace of several
  mprof-dump diff --fail-over 1M old.bin new.bin     what grew; exit code 3 if by more than 1 MiB
  mprof-dump top 4711                                what grows in a running process

A trace is written by perl -d:MProf script.pl. A trace called like a report is ./subs.
Exit code: 0; 1 if the report could not be written; 2 for bad usage or an unreadable trace;
3 if diff finds more growth than --fail-over allows.";

/// Show which subs, lines and modules of a Perl program allocate, keep and leak its memory.
#[derive(Parser)]
#[command(name = "mprof-dump", version, override_usage = USAGE, after_help = EXAMPLES)]
#[command(arg_required_else_help = true, subcommand_negates_reqs = true)]
#[command(subcommand_help_heading = "Reports", subcommand_value_name = "REPORT")]
struct Cli {
    #[command(subcommand)]
    report: Option<Command>,
    #[command(flatten)]
    summary: SummaryArgs,
    #[command(flatten)]
    output: OutputArgs,
}

#[derive(Args, Clone, Copy)]
struct OutputArgs {
    /// Write JSON: exact numbers, fields that stay
    #[arg(long, global = true)]
    json: bool,
    /// Write exact numbers of bytes instead of rounded ones
    #[arg(long, global = true)]
    bytes: bool,
    /// When to use colours
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    color: Color,
}

#[derive(Clone, Copy, ValueEnum)]
enum Color {
    /// On a terminal, unless NO_COLOR is set
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

impl Color {
    fn choice(self) -> ColorChoice {
        match self {
            Color::Auto => ColorChoice::Auto,
            Color::Always => ColorChoice::Always,
            Color::Never => ColorChoice::Never,
        }
    }
}

#[derive(Subcommand)]
enum Command {
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
    /// The trace itself: header, options, counters, chunks
    Info(TraceArgs),
    /// Write several traces as one
    Merge(merge::MergeArgs),
    /// What grew from one trace to another, by sub, line and call path
    Diff(diff::DiffArgs),
    /// Watch a trace while it is written, or a process by its number
    Top(top::TopArgs),
}

#[derive(Args)]
struct SummaryArgs {
    /// The trace to read; several, or a pattern, are summed up
    #[arg(value_name = "TRACE", required = true)]
    traces: Vec<PathBuf>,
    /// Rows of each table [default: 10]
    #[arg(long, value_name = "N")]
    top: Option<usize>,
    /// Only rows with a name or path that this regular expression matches
    #[arg(long, value_name = "REGEX")]
    filter: Option<Regex>,
}

#[derive(Args)]
struct TableArgs {
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

#[derive(Args)]
struct TreeArgs {
    #[command(flatten)]
    table: TableArgs,
    /// Fold what has less than this share of the whole
    #[arg(long, value_name = "PERCENT", default_value = "1", value_parser = percent)]
    min: f64,
}

#[derive(Args)]
struct TraceArgs {
    /// The trace to read; several, or a pattern, are summed up
    #[arg(value_name = "TRACE", required = true)]
    traces: Vec<PathBuf>,
}

fn percent(text: &str) -> Result<f64, String> {
    match text.trim_end_matches('%').parse() {
        Ok(percent) if (0.0..=100.0).contains(&percent) => Ok(percent),
        _ => Err("not a number from 0 to 100".to_owned()),
    }
}

/// What is asked for.
enum Request {
    /// A report, its options, and the traces it is of.
    Report(&'static str, Options, Vec<PathBuf>),
    /// One trace of several.
    Merge(merge::MergeArgs),
    /// Two traces side by side.
    Diff(diff::DiffArgs),
    /// A trace as it grows.
    Top(top::TopArgs),
}

impl TableArgs {
    fn request(self, report: &'static str) -> Request {
        let selection = Selection { sort: self.sort, top: self.top, filter: self.filter };
        Request::Report(report, Options { selection, ..Options::default() }, self.traces)
    }
}

impl SummaryArgs {
    fn request(self) -> Request {
        let selection = Selection { sort: None, top: self.top, filter: self.filter };
        Request::Report("summary", Options { selection, ..Options::default() }, self.traces)
    }
}

impl Command {
    fn request(self) -> Request {
        match self {
            Command::Summary(args) => args.request(),
            Command::Subs(args) => args.request("subs"),
            Command::Lines(args) => args.request("lines"),
            Command::Tree(TreeArgs { table, min }) => match table.request("tree") {
                Request::Report(report, options, traces) => {
                    Request::Report(report, Options { min_percent: min, ..options }, traces)
                }
                other => other,
            },
            Command::Files(args) => args.request("files"),
            Command::Modules(args) => args.request("modules"),
            Command::Timeline(args) => args.request("timeline"),
            Command::Info(args) => Request::Report("info", Options::default(), args.traces),
            Command::Merge(args) => Request::Merge(args),
            Command::Diff(args) => Request::Diff(args),
            Command::Top(args) => Request::Top(args),
        }
    }
}

/// Why there is no report.
#[derive(Debug, Error)]
enum DumpError {
    #[error(transparent)]
    Traces(#[from] traces::TracesError),
    #[error(transparent)]
    Column(#[from] UnknownColumn),
    #[error(transparent)]
    Merge(#[from] merge::MergeError),
    #[error(transparent)]
    Top(#[from] top::TopError),
    #[error(transparent)]
    Grown(#[from] diff::Grown),
    #[error("cannot write the report: {0}")]
    Write(#[from] io::Error),
}

impl Cli {
    fn request(self) -> Result<Request, clap::Error> {
        let Some(report) = self.report else { return unless_a_report(self.summary).map(SummaryArgs::request) };
        let SummaryArgs { traces, top, filter } = &self.summary;
        if !traces.is_empty() || top.is_some() || filter.is_some() {
            let sentence = "the trace and a report's own options stand after the report's name";
            return Err(Cli::command().error(ErrorKind::ArgumentConflict, sentence));
        }
        Ok(report.request())
    }
}

/// The arguments as they are, unless the first of several names is of no file: it was meant for a report's.
fn unless_a_report(args: SummaryArgs) -> Result<SummaryArgs, clap::Error> {
    match args.traces.as_slice() {
        [first, _, ..] if !first.exists() && !first.to_string_lossy().contains(['/', '*', '?', '[']) => {
            let reports: Vec<_> = REPORTS.iter().map(|report| report.name()).collect();
            let sentence = format!(
                "there is no report \"{}\"; there are: {}",
                printable(&first.to_string_lossy()),
                reports.join(", ")
            );
            Err(Cli::command().error(ErrorKind::InvalidSubcommand, sentence))
        }
        _ => Ok(args),
    }
}

fn main() -> ExitCode {
    let parsed = Cli::try_parse().and_then(|cli| Ok((cli.output, cli.request()?)));
    let (output, request) = match parsed {
        Ok(parsed) => parsed,
        Err(error) => {
            // Nothing is left to say where even this cannot be written.
            let _ = error.print();
            return ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(EXIT_REFUSED));
        }
    };
    match run(output, request) {
        Ok(()) => ExitCode::SUCCESS,
        // `| head` has read enough.
        Err(DumpError::Write(error)) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(io::stderr(), "mprof-dump: {error}");
            ExitCode::from(match error {
                DumpError::Write(_) => EXIT_UNWRITTEN,
                DumpError::Grown(_) => EXIT_GROWN,
                _ => EXIT_REFUSED,
            })
        }
    }
}

fn run(output: OutputArgs, request: Request) -> Result<(), DumpError> {
    match request {
        Request::Report(name, options, traces) => {
            let Some(report) = find(name) else { return Ok(()) };
            // Freeing what the process is about to give back anyway takes longer than some reports.
            let profile = ManuallyDrop::new(Profile::new(traces::read(&traces)?));
            show(output, &ManuallyDrop::new(document(report, &profile, &options)?))
        }
        Request::Merge(args) => {
            let warnings = merge::run(&args)?;
            show_warnings(output, &warnings);
            Ok(())
        }
        Request::Diff(args) => {
            let diff = args.diff()?;
            show(output, &report::diff::document(&diff, &args.selection())?)?;
            Ok(args.judge(&diff)?)
        }
        Request::Top(args) => match top::run(&args)? {
            Some(frame) => write_out(&mut io::stdout().lock(), &frame),
            None => Ok(()),
        },
    }
}

fn show(output: OutputArgs, document: &Document) -> Result<(), DumpError> {
    if output.json {
        return write_out(&mut io::stdout().lock(), &json(document));
    }
    let stdout = io::stdout();
    let width = stdout.is_terminal().then(terminal_size::terminal_size).flatten();
    let look = Look { exact: output.bytes, styled: true, width: width.map(|(width, _)| usize::from(width.0)) };
    let page = text(document, &look);
    // AutoStream takes the styles out again where they are not wanted.
    write_out(&mut AutoStream::new(stdout.lock(), output.color.choice()), &page)?;
    if !document.warnings_on_page {
        show_warnings(output, &document.warnings);
    }
    Ok(())
}

fn show_warnings(output: OutputArgs, warnings: &[Warning]) {
    let warnings = warnings_text(warnings, "mprof-dump: ", true);
    // A report is no worse for a standard error that nobody reads.
    let _ = write_out(&mut AutoStream::new(io::stderr().lock(), output.color.choice()), &warnings);
}

fn write_out(out: &mut impl Write, text: &str) -> Result<(), DumpError> {
    out.write_all(text.as_bytes())?;
    Ok(out.flush()?)
}
