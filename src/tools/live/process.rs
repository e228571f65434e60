//! The trace that a process writes, found through what it has open.

use crate::format::MAGIC;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use thiserror::Error;

/// Why no trace was found.
#[derive(Debug, Error)]
pub enum ProcessError {
    /// There is no such process.
    #[error("there is no process {0}")]
    None(u32),
    /// What it has open is not for us to see.
    #[error("what process {pid} has open cannot be looked at: {source}")]
    Hidden {
        /// The process.
        pid: u32,
        /// What the system said.
        source: io::Error,
    },
    /// None of its files is a trace.
    #[error("process {0} writes no trace: it does not run under -d:MProf, or has no snapshot yet")]
    NoTrace(u32),
}

/// The trace that process `pid` is writing.
///
/// # Errors
/// Where there is none to be found.
pub fn trace_of(pid: u32) -> Result<PathBuf, ProcessError> {
    let folder = PathBuf::from(format!("/proc/{pid}"));
    if !folder.exists() {
        return Err(ProcessError::None(pid));
    }
    let open = fs::read_dir(folder.join("fd")).map_err(|source| ProcessError::Hidden { pid, source })?;
    // Descriptors are inherited: a child may still have its parent's trace open. Its own is the higher, opened later.
    let mut open: Vec<(u32, PathBuf)> = open
        .filter_map(|entry| {
            let entry = entry.ok()?;
            let number = entry.file_name().to_str()?.parse().ok()?;
            Some((number, entry.path()))
        })
        .collect();
    open.sort_unstable();
    let traces = open.iter().rev().filter(|(_, link)| is_trace(link));
    // The name that the file has now, for it may grow under that only.
    traces
        .filter_map(|(_, link)| fs::read_link(link).ok())
        .find(|path| path.is_file())
        .ok_or(ProcessError::NoTrace(pid))
}

fn is_trace(link: &Path) -> bool {
    // Opening a pipe would wait for its other end.
    if !link.metadata().is_ok_and(|metadata| metadata.is_file()) {
        return false;
    }
    let mut start = [0; MAGIC.len()];
    File::open(link).and_then(|mut file| file.read_exact(&mut start)).is_ok() && start == MAGIC
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::encode_prefix;

    #[test]
    fn the_trace_is_found_among_what_is_open() {
        let folder = tempfile::tempdir().unwrap();
        let (trace, other) = (folder.path().join("a.bin"), folder.path().join("b.bin"));
        fs::write(&trace, encode_prefix()).unwrap();
        fs::write(&other, "no trace").unwrap();
        let pid = std::process::id();
        let _other = File::open(&other).unwrap();
        assert!(matches!(trace_of(pid), Err(ProcessError::NoTrace(_))));
        let _trace = File::options().append(true).open(&trace).unwrap();
        assert_eq!(trace_of(pid).unwrap(), trace.canonicalize().unwrap());
        assert!(matches!(trace_of(u32::MAX), Err(ProcessError::None(_))));
    }
}
