//! The trace that a process writes, found through what it has open.

use crate::format::{decode_chunk, Record, MAGIC, PREFIX_BYTES};
use std::fs::{self, File};
use std::io::{self, Read};
use std::os::unix::fs::MetadataExt;
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
    let links = open.filter_map(|entry| Some(entry.ok()?.path()));
    let mut traces: Vec<(bool, PathBuf)> =
        links.filter_map(|link| Some((writer_of(&link)? == Some(pid), link))).collect();
    // A child may still have its parent's trace open beside its own. In a container it knows itself by another number.
    traces.sort();
    let (_, link) = traces.pop().ok_or(ProcessError::NoTrace(pid))?;
    // By its name it is still there when the process has ended; in a container the name may be of another file, or none.
    let identity = |path: &Path| path.metadata().ok().map(|metadata| (metadata.dev(), metadata.ino()));
    let named = fs::read_link(&link).ok().filter(|path| identity(path) == identity(&link));
    Ok(named.unwrap_or(link))
}

/// Bytes of a file in which a trace's header ends, however long a command line may be.
const HEADER_BYTES: u64 = 4 << 20;

/// The process that wrote a trace, as far as its header has been written; `None` of what is no trace.
fn writer_of(link: &Path) -> Option<Option<u32>> {
    // Opening a pipe would wait for its other end.
    if !link.metadata().is_ok_and(|metadata| metadata.is_file()) {
        return None;
    }
    let mut start = Vec::new();
    let mut file = File::open(link).ok()?;
    file.by_ref().take(PREFIX_BYTES as u64).read_to_end(&mut start).ok()?;
    if !start.starts_with(&MAGIC) {
        return None;
    }
    let mut chunk = Vec::new();
    file.take(HEADER_BYTES).read_to_end(&mut chunk).ok()?;
    match decode_chunk(&chunk) {
        Ok((Record::Header(header), _)) => Some(Some(header.pid)),
        _ => Some(None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::records::Header;
    use crate::format::{encode_chunk, encode_prefix};
    use std::process::{Child, Command};

    fn trace_by(pid: u32) -> Vec<u8> {
        let mut bytes = encode_prefix();
        encode_chunk(&Record::Header(Header { pid, ..Header::default() }), &mut bytes).unwrap();
        bytes
    }

    /// A process that has these open and no others: other tests of this one have traces open meanwhile.
    struct Holder(Child);

    impl Holder {
        fn of([first, second, third]: [File; 3]) -> Self {
            Self(Command::new("sleep").arg("1000").stdin(first).stdout(second).stderr(third).spawn().unwrap())
        }
    }

    impl Drop for Holder {
        fn drop(&mut self) {
            let _ = self.0.kill();
            let _ = self.0.wait();
        }
    }

    #[test]
    fn the_trace_is_found_among_what_is_open() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().canonicalize().unwrap().join(name);
        let holder = Holder::of(["other", "own.bin", "parents.bin"].map(|name| File::create(path(name)).unwrap()));
        let pid = holder.0.id();
        fs::write(path("other"), "no trace").unwrap();
        assert!(matches!(trace_of(pid), Err(ProcessError::NoTrace(_))));
        fs::write(path("parents.bin"), trace_by(1)).unwrap();
        assert_eq!(trace_of(pid).unwrap(), path("parents.bin"));
        fs::write(path("own.bin"), trace_by(pid)).unwrap();
        assert_eq!(trace_of(pid).unwrap(), path("own.bin"));
        // A name that has gone to another file is no name of it.
        fs::rename(path("own.bin"), path("moved.bin")).unwrap();
        assert_eq!(trace_of(pid).unwrap(), path("moved.bin"));
        fs::remove_file(path("moved.bin")).unwrap();
        assert!(trace_of(pid).unwrap().starts_with("/proc"));
        assert!(matches!(trace_of(u32::MAX), Err(ProcessError::None(_))));
    }
}
