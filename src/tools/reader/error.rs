//! Why a file cannot be read as a trace at all, and why reading stopped early.

use crate::format::{ChunkError, VERSION};
use crate::tools::render::printable;
use std::path::{Path, PathBuf};
use thiserror::Error;

/// Why there is nothing to show of a file.
#[derive(Debug, Error)]
pub enum ReadError {
    /// The file cannot be opened or read.
    #[error("cannot read {}: {source}", shown(path))]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The file is empty.
    #[error("{} is empty", shown(.0))]
    Empty(PathBuf),
    /// The file does not begin as a trace does.
    #[error("{} is no trace of Devel::MProf", shown(.0))]
    NotATrace(PathBuf),
    /// The file is of a version that this program does not know.
    #[error("{} is a trace of version {version}; this mprof-dump reads up to version {VERSION}", shown(path))]
    NewerVersion {
        /// The file.
        path: PathBuf,
        /// The version it names.
        version: u32,
    },
    /// The trace is cut off or damaged before it says whose it is.
    #[error("{} is a trace without a header: {fault}", shown(path))]
    NoHeader {
        /// The file.
        path: PathBuf,
        /// What is there instead.
        fault: Fault,
    },
    /// The trace has no stream of calls, and that was asked for.
    #[error("{} has no stream of calls; run the program with -d:MProf=calls=1", shown(.0))]
    NoCalls(PathBuf),
}

fn shown(path: &Path) -> String {
    printable(&path.to_string_lossy()).into_owned()
}

/// Why reading stopped before the end of the file.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Fault {
    /// The bytes are no chunk.
    #[error("{0}")]
    Chunk(#[from] ChunkError),
    /// The file ends between a snapshot's figures and the snapshot.
    #[error("the file ends before the next snapshot")]
    NoSnapshot,
    /// The chunk is whole, but breaks a rule of the format.
    #[error("the chunk is malformed: {0}")]
    Rule(&'static str),
}
