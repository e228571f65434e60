//! `mprof-dump`: argv ─► options ─► [`mprof::tools`] ─► exit code. Sums and formats nothing itself.

#[path = "mprof-dump/args.rs"]
mod args;
#[path = "mprof-dump/calls.rs"]
mod calls;
#[path = "mprof-dump/diff.rs"]
mod diff;
#[path = "mprof-dump/export.rs"]
mod export;
#[path = "mprof-dump/html.rs"]
mod html;
#[path = "mprof-dump/merge.rs"]
mod merge;
#[path = "mprof-dump/progress.rs"]
mod progress;
#[path = "mprof-dump/top.rs"]
mod top;
#[path = "mprof-dump/traces.rs"]
mod traces;

use anstream::{AutoStream, ColorChoice};
use args::{Command, Request, SummaryArgs, Task};
use clap::error::ErrorKind;
use clap::{Args, CommandFactory, Parser, ValueEnum};
use mprof::tools::document::Document;
use mprof::tools::export::ExportError;
use mprof::tools::html::HtmlError;
use mprof::tools::merge::members;
use mprof::tools::profile::Profile;
use mprof::tools::render::json::json;
use mprof::tools::render::printable;
use mprof::tools::render::text::{text, warnings_text, Look};
use mprof::tools::report::{self, document, find, REPORTS};
use mprof::tools::select::UnknownColumn;
use mprof::tools::target::TargetError;
use std::io::{self, IsTerminal, Write};
use std::mem::ManuallyDrop;
use std::process::ExitCode;
use thiserror::Error;

/// Bad usage, an input that cannot be read, or a file that cannot be written.
const EXIT_REFUSED: u8 = 2;

/// More grows than `--fail-over` allows.
const EXIT_OVER: u8 = 3;

/// The report could not be written to standard output.
const EXIT_UNWRITTEN: u8 = 1;

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
  mprof-dump leaks mprof.bin                         which line keeps more with each mark, and why
  mprof-dump leaks --fail-over 1k mprof.bin          exit code 3 if one keeps more than 1 KiB per mark
  mprof-dump calls --filter '^Foo::' mprof.bin       each call, function:before:after
  mprof-dump subs --json mprof.bin | jq '.subs.rows[0]'
  mprof-dump html --source -o report.html mprof.bin  a page for a browser
  mprof-dump lines 'mprof.bin*'                      a process and its forked children together
  mprof-dump merge -o all.bin host1.bin host2.bin    one trace of several
  mprof-dump diff --fail-over 1M old.bin new.bin     what grew; exit code 3 if by more than 1 MiB
  mprof-dump html --diff old.bin new.bin -o d.html   the same for a browser, in red and blue
  mprof-dump top 4711                                what grows in a running process
  mprof-dump export --format sqlite -o run.db mprof.bin

A trace is written by perl -d:MProf script.pl. A trace called like a report is ./subs.
Exit code: 0; 1 if standard output could not be written; 2 for bad usage, a trace that cannot be read or a file that
cannot be written; 3 if more grows than --fail-over.";

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

/// Why there is no report.
#[derive(Debug, Error)]
enum DumpError {
    #[error(transparent)]
    Traces(#[from] traces::TracesError),
    #[error(transparent)]
    Column(#[from] UnknownColumn),
    #[error("{0} is of one trace at a time: how figures came about, and heap samples, are in no sum of several")]
    OneTrace(&'static str),
    #[error("cannot write the report: {0}")]
    Write(#[from] io::Error),
    #[error(transparent)]
    Target(#[from] TargetError),
    #[error(transparent)]
    Html(#[from] HtmlError),
    #[error(transparent)]
    Merge(#[from] merge::MergeError),
    #[error(transparent)]
    Top(#[from] top::TopError),
    #[error(transparent)]
    Export(#[from] ExportError),
}

impl Cli {
    fn task(self) -> Result<Task, clap::Error> {
        let Some(report) = self.report else {
            return unless_a_report(self.summary).map(|args| Task::Report(args.request()));
        };
        let SummaryArgs { traces, top, filter } = &self.summary;
        if !traces.is_empty() || top.is_some() || filter.is_some() {
            let sentence = "the trace and a report's own options stand after the report's name";
            return Err(Cli::command().error(ErrorKind::ArgumentConflict, sentence));
        }
        let sentence = match report {
            Command::Html(_) => {
                "html has neither --json nor --bytes: the page shows exact numbers where one points at them"
            }
            Command::Merge(_) => "merge has neither --json nor --bytes: it writes a trace",
            Command::Top(_) => "top has neither --json nor --bytes: it is a screen",
            _ => "",
        };
        if !sentence.is_empty() && (self.output.json || self.output.bytes) {
            return Err(Cli::command().error(ErrorKind::ArgumentConflict, sentence));
        }
        if let Command::Export(args) = &report {
            let looks = self.output.json || self.output.bytes;
            let json = looks.then(|| "export has neither --json nor --bytes: see --format".to_owned());
            if let Some(sentence) = json.or_else(|| args.conflict()) {
                return Err(Cli::command().error(ErrorKind::ArgumentConflict, sentence));
            }
        }
        Ok(report.task())
    }
}

/// The arguments as they are, unless the first of several names is of no file: it was meant for a report's.
fn unless_a_report(args: SummaryArgs) -> Result<SummaryArgs, clap::Error> {
    match args.traces.as_slice() {
        [first, _, ..] if !first.exists() && !first.to_string_lossy().contains(['/', '*', '?', '[']) => {
            let others = ["calls", "html", "export", "merge", "diff", "top"];
            let reports = REPORTS.iter().map(|report| report.name()).chain(others);
            let sentence = format!(
                "there is no report \"{}\"; there are: {}",
                printable(&first.to_string_lossy()),
                reports.collect::<Vec<_>>().join(", ")
            );
            Err(Cli::command().error(ErrorKind::InvalidSubcommand, sentence))
        }
        _ => Ok(args),
    }
}

fn main() -> ExitCode {
    let parsed = Cli::try_parse().and_then(|cli| Ok((cli.output, cli.task()?)));
    let (output, task) = match parsed {
        Ok(parsed) => parsed,
        Err(error) => {
            refuse(&error);
            return ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(EXIT_REFUSED));
        }
    };
    let done = match task {
        Task::Report(request) => run(output, request),
        Task::Calls(args) => args.run(output.json).map(|()| 0),
        Task::Html(args) => args.run().map(|()| 0),
        Task::Merge(args) => {
            let warnings = merge::run(&args).map_err(DumpError::from);
            warnings.map(|warnings| warn(output, &warnings_text(&warnings, "mprof-dump: ", true))).map(|()| 0)
        }
        Task::Diff(args) => compare(output, &args),
        Task::Top(args) => watch(&args).map(|()| 0),
        Task::Export(args) => args.run(|warnings| warn(output, warnings)).map(|()| 0),
    };
    match done {
        Ok(code) => ExitCode::from(code),
        // `| head` has read enough.
        Err(DumpError::Write(error)) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(io::stderr(), "mprof-dump: {error}");
            ExitCode::from(if matches!(error, DumpError::Write(_)) { EXIT_UNWRITTEN } else { EXIT_REFUSED })
        }
    }
}

/// Says what is wrong with the arguments, which may hold anything.
fn refuse(error: &clap::Error) {
    let plain = error.to_string();
    let harmless: Vec<_> = plain.lines().map(printable).collect();
    // Nothing is left to say where even this cannot be written.
    let _ = if plain.lines().eq(harmless.iter().map(|line| &**line)) {
        error.print()
    } else {
        writeln!(io::stderr(), "{}", harmless.join("\n"))
    };
}

/// The exit code of a report that was written.
fn run(output: OutputArgs, request: Request) -> Result<u8, DumpError> {
    let Request { report, options, traces, fail_over_bytes } = request;
    let Some(report) = find(report) else { return Ok(0) };
    let trace = traces::read(&traces, report.keep())?;
    if report.is_of_one_trace() && !members(&trace.header).is_empty() {
        return Err(DumpError::OneTrace(report.name()));
    }
    // Freeing what the process is about to give back anyway takes longer than some reports.
    let profile = ManuallyDrop::new(Profile::new(trace));
    let document = ManuallyDrop::new(document(report, &profile, &options)?);
    let is_over = fail_over_bytes.is_some_and(|bytes| report.grows_by_more_than(bytes as f64, &profile));
    show(output, &document)?;
    Ok(if is_over { EXIT_OVER } else { 0 })
}

fn compare(output: OutputArgs, args: &diff::DiffArgs) -> Result<u8, DumpError> {
    let diff = args.diff()?;
    show(output, &report::diff::document(&diff, &args.selection())?)?;
    let over = args.over(&diff);
    for sentence in &over {
        // The exit code says it as well.
        let _ = writeln!(io::stderr(), "mprof-dump: {sentence}");
    }
    Ok(if over.is_empty() { 0 } else { EXIT_OVER })
}

fn watch(args: &top::TopArgs) -> Result<(), DumpError> {
    match top::run(args)? {
        Some(frame) => write_out(&mut io::stdout().lock(), &frame),
        None => Ok(()),
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
        warn(output, &warnings_text(&document.warnings, "mprof-dump: ", true));
    }
    Ok(())
}

fn warn(output: OutputArgs, warnings: &str) {
    // A report is no worse for a standard error that nobody reads.
    let _ = write_out(&mut AutoStream::new(io::stderr().lock(), output.color.choice()), warnings);
}

fn write_out(out: &mut impl Write, text: &str) -> Result<(), DumpError> {
    out.write_all(text.as_bytes())?;
    Ok(out.flush()?)
}
