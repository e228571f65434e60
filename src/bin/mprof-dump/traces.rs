//! One trace, or several as one.

use crate::progress::Watched;
use mprof::tools::inputs::{files, InputError};
use mprof::tools::merge::{Merger, TooManyEntries};
use mprof::tools::reader::{read_file_through, Keep, ReadError};
use mprof::tools::trace::Trace;
use std::path::PathBuf;
use thiserror::Error;

/// Why there is no trace.
#[derive(Debug, Error)]
pub enum TracesError {
    /// The words name no files.
    #[error(transparent)]
    Input(#[from] InputError),
    /// One of them cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// They do not fit into one.
    #[error(transparent)]
    Merge(#[from] TooManyEntries),
}

/// The trace that `words` name, or the sum of those they name, which has no history.
///
/// # Errors
/// Where one of them cannot be read, or they cannot be summed up.
pub fn read(words: &[PathBuf], keep: Keep) -> Result<Trace, TracesError> {
    match files(words)?.as_slice() {
        [file] => Ok(read_file_through(file, keep, Watched::new)?),
        files => merged(words, files),
    }
}

/// The sum of the traces in `files`, though it be one.
///
/// # Errors
/// As [`read`].
pub fn merged(words: &[PathBuf], files: &[PathBuf]) -> Result<Trace, TracesError> {
    let mut merger = Merger::default();
    for file in files {
        merger.add(&read_file_through(file, Keep::Last, Watched::new)?)?;
    }
    let words: Vec<_> = words.iter().map(|word| word.to_string_lossy()).collect();
    Ok(merger.finish(words.join(" ").into()))
}
