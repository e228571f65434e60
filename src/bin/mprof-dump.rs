//! `mprof-dump`: argv ─► options ─► [`mprof::tools`] ─► exit code. Sums and formats nothing itself.

#[path = "mprof-dump/calls.rs"]
mod calls;
#[path = "mprof-dump/progress.rs"]
mod progress;

use anstream::{AutoStream, ColorChoice};
use calls::CallsArgs;
use clap::error::ErrorKind;
use clap::{Args, CommandFactory, Parser, Subcommand, ValueEnum};
use mprof::tools::profile::Profile;
use mprof::tools::reader::{read_file_through, ReadError};
use mprof::tools::render::json::json;
use mprof::tools::render::printable;
use mprof::tools::render::text::{text, warnings_text, Look};
use mprof::tools::report::{document, find, Options, REPORTS};
use mprof::tools::select::{Selection, UnknownColumn};
use regex::Regex;
use std::io::{self, IsTerminal, Write};
use std::mem::ManuallyDrop;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use thiserror::Error;

/// Bad usage, or an input that cannot be read.
const EXIT_REFUSED: u8 = 2;

/// The report could not be written.
const EXIT_UNWRITTEN: u8 = 1;

const USAGE: &str = "\
mprof-dump [OPTIONS] TRACE
       mprof-dump REPORT [OPTIONS] TRACE";

const EXAMPLES: &str = "\
Examples:
  mprof-dump mprof.bin                               the summary
  mprof-dump subs --sort self_live_bytes mprof.bin   who keeps most, at the end
  mprof-dump lines --top 20 --filter '^lib/' mprof.bin
  mprof-dump tree --min 5 mprof.bin                  the call tree, without what has less than 5 %
  mprof-dump modules --sort load_allocated_bytes mprof.bin
  mprof-dump calls --filter '^Foo::' mprof.bin       each call, function:before:after
  mprof-dump subs --json mprof.bin | jq '.subs.rows[0]'

A trace is written by perl -d:MProf script.pl. A trace called like a report is ./subs.
Exit code: 0; 1 if the report could not be written; 2 for bad usage or an unreadable trace.";

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
    /// Each call of a run with calls=1, as function:before:after
    Calls(CallsArgs),
}

#[derive(Args)]
struct SummaryArgs {
    /// The trace to read
    #[arg(value_name = "TRACE", required = true)]
    trace: Option<PathBuf>,
    /// Rows of each table [default: 10]
    #[arg(long, value_name = "N")]
    top: Option<usize>,
    /// Only rows with a name or path that this regular expression matches
    #[arg(long, value_name = "REGEX")]
    filter: Option<Regex>,
}

#[derive(Args)]
struct TableArgs {
    /// The trace to read
    #[arg(value_name = "TRACE")]
    trace: PathBuf,
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
    /// The trace to read
    #[arg(value_name = "TRACE")]
    trace: PathBuf,
}

fn percent(text: &str) -> Result<f64, String> {
    match text.trim_end_matches('%').parse() {
        Ok(percent) if (0.0..=100.0).contains(&percent) => Ok(percent),
        _ => Err("not a number from 0 to 100".to_owned()),
    }
}

/// What is asked for: a report, its options, and the trace.
type Request = (&'static str, Options, PathBuf);

/// What a command line asks to be done.
enum Task {
    Report(Request),
    Calls(CallsArgs),
}

impl TableArgs {
    fn request(self, report: &'static str) -> Request {
        let selection = Selection { sort: self.sort, top: self.top, filter: self.filter };
        (report, Options { selection, ..Options::default() }, self.trace)
    }
}

impl SummaryArgs {
    fn request(self) -> Request {
        let selection = Selection { sort: None, top: self.top, filter: self.filter };
        ("summary", Options { selection, ..Options::default() }, self.trace.unwrap_or_default())
    }
}

impl Command {
    fn task(self) -> Task {
        Task::Report(match self {
            Command::Calls(args) => return Task::Calls(args),
            Command::Summary(args) => args.request(),
            Command::Subs(args) => args.request("subs"),
            Command::Lines(args) => args.request("lines"),
            Command::Tree(TreeArgs { table, min }) => {
                let (report, options, trace) = table.request("tree");
                (report, Options { min_percent: min, ..options }, trace)
            }
            Command::Files(args) => args.request("files"),
            Command::Modules(args) => args.request("modules"),
            Command::Timeline(args) => args.request("timeline"),
            Command::Info(args) => ("info", Options::default(), args.trace),
        })
    }
}

/// Why there is no report.
#[derive(Debug, Error)]
enum DumpError {
    #[error(transparent)]
    Read(#[from] ReadError),
    #[error(transparent)]
    Column(#[from] UnknownColumn),
    #[error("cannot write the report: {0}")]
    Write(#[from] io::Error),
}

impl Cli {
    fn task(self) -> Result<Task, clap::Error> {
        let Some(report) = self.report else { return Ok(Task::Report(self.summary.request())) };
        let SummaryArgs { trace, top, filter } = &self.summary;
        if trace.is_some() || top.is_some() || filter.is_some() {
            let sentence = "the trace and a report's own options stand after the report's name";
            return Err(Cli::command().error(ErrorKind::ArgumentConflict, sentence));
        }
        Ok(report.task())
    }
}

/// Two names where one was expected: the first was meant for a report's.
fn explained(error: clap::Error) -> clap::Error {
    let first = std::env::args_os().skip(1).find(|word| !word.to_string_lossy().starts_with('-'));
    match first {
        Some(word) if error.kind() == ErrorKind::UnknownArgument && !Path::new(&word).exists() => {
            let reports: Vec<_> = REPORTS.iter().map(|report| report.name()).collect();
            let sentence = format!(
                "there is no report \"{}\"; there are: {}",
                printable(&word.to_string_lossy()),
                reports.join(", ")
            );
            Cli::command().error(ErrorKind::InvalidSubcommand, sentence)
        }
        _ => error,
    }
}

fn main() -> ExitCode {
    let parsed = Cli::try_parse().map_err(explained).and_then(|cli| Ok((cli.output, cli.task()?)));
    let (output, task) = match parsed {
        Ok(parsed) => parsed,
        Err(error) => {
            // Nothing is left to say where even this cannot be written.
            let _ = error.print();
            return ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(EXIT_REFUSED));
        }
    };
    let done = match task {
        Task::Report(request) => run(output, request),
        Task::Calls(args) => args.run(output.json),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        // `| head` has read enough.
        Err(DumpError::Write(error)) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(io::stderr(), "mprof-dump: {error}");
            ExitCode::from(if matches!(error, DumpError::Write(_)) { EXIT_UNWRITTEN } else { EXIT_REFUSED })
        }
    }
}

fn run(output: OutputArgs, (name, options, trace): Request) -> Result<(), DumpError> {
    let Some(report) = find(name) else { return Ok(()) };
    // Freeing what the process is about to give back anyway takes longer than some reports.
    let profile = ManuallyDrop::new(Profile::new(read_file_through(&trace, progress::Watched::new)?));
    let document = ManuallyDrop::new(document(report, &profile, &options)?);
    if output.json {
        return write_out(&mut io::stdout().lock(), &json(&document));
    }
    let stdout = io::stdout();
    let width = stdout.is_terminal().then(terminal_size::terminal_size).flatten();
    let look = Look { exact: output.bytes, styled: true, width: width.map(|(width, _)| usize::from(width.0)) };
    let page = text(&document, &look);
    // AutoStream takes the styles out again where they are not wanted.
    write_out(&mut AutoStream::new(stdout.lock(), output.color.choice()), &page)?;
    if !document.warnings_on_page {
        let warnings = warnings_text(&document.warnings, "mprof-dump: ", true);
        // A report is no worse for a standard error that nobody reads.
        let _ = write_out(&mut AutoStream::new(io::stderr().lock(), output.color.choice()), &warnings);
    }
    Ok(())
}

fn write_out(out: &mut impl Write, text: &str) -> Result<(), DumpError> {
    out.write_all(text.as_bytes())?;
    Ok(out.flush()?)
}
