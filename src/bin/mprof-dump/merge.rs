//! `mprof-dump merge`: several traces to one file.

use crate::traces::{merged, TracesError};
use clap::Args;
use mprof::tools::inputs::{files, InputError};
use mprof::tools::merge::write;
use mprof::tools::profile::Profile;
use mprof::tools::render::printable;
use mprof::tools::target::{Target, TargetError};
use mprof::tools::warning::Warning;
use std::io::{self, BufWriter, Write};
use std::path::PathBuf;
use thiserror::Error;

/// What `merge` is asked for.
#[derive(Args)]
pub struct MergeArgs {
    /// The trace to write
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,
    /// Replace the file if it is there
    #[arg(long)]
    force: bool,
    /// The traces to sum up, or patterns
    #[arg(value_name = "TRACE", required = true)]
    traces: Vec<PathBuf>,
}

/// Why there is no merged trace.
#[derive(Debug, Error)]
pub enum MergeError {
    /// The words name no files.
    #[error(transparent)]
    Input(#[from] InputError),
    /// The traces cannot be read or summed up.
    #[error(transparent)]
    Traces(#[from] TracesError),
    /// The file may not be written.
    #[error(transparent)]
    Target(#[from] TargetError),
    /// The file cannot be written.
    #[error("cannot write {}: {source}", printable(&path.to_string_lossy()))]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

/// Writes the merged trace; what should be known of it.
///
/// # Errors
/// Where a trace cannot be read, or the file not written; no half of it is left then.
pub fn run(args: &MergeArgs) -> Result<Vec<Warning>, MergeError> {
    let files = files(&args.traces)?;
    // Refused before anything is read, which may take long.
    let mut target = Target::new(&args.output, args.force, &files)?;
    let trace = merged(&args.traces, &files)?;
    let failed = |source| MergeError::Write { path: args.output.clone(), source };
    let mut out = BufWriter::new(target.file());
    write(&trace, &mut out).and_then(|()| out.flush()).map_err(failed)?;
    drop(out);
    target.finish()?;
    Ok(Profile::new(trace).warnings)
}
