//! The file of a trace: created so that nothing of anyone else's is lost or followed, then only appended to.

use super::high_fd;
use crate::format::{decode_chunk, encode_prefix, Record, MAGIC, PREFIX_BYTES};
use std::ffi::OsStr;
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileTypeExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use thiserror::Error;

/// Why there is no trace.
#[derive(Debug, Error)]
pub enum TraceFileError {
    /// Something else has that name.
    #[error("{} is {what}; it is left alone", path.display())]
    NotOurs {
        /// The name.
        path: PathBuf,
        /// What it is.
        what: &'static str,
    },
    /// The system refused.
    #[error("cannot {doing} {}: {error}", path.display())]
    System {
        /// The name.
        path: PathBuf,
        /// What was tried.
        doing: &'static str,
        /// Its answer.
        error: io::Error,
    },
}

/// A trace that is being written.
pub struct TraceFile {
    file: File,
    path: PathBuf,
    identity: (u64, u64),
    /// Bytes written as whole chunks.
    length: u64,
}

/// What stands at a name.
enum Found {
    Nothing,
    OldTrace,
    /// A trace that a process still writes, or that this very process wrote before it became another program.
    InUse,
}

impl TraceFile {
    /// Begins a trace at `path`, or at `path.PID` where another process's trace is being written there. An old trace is
    /// replaced; anything else is left alone.
    pub fn create(path: &Path, pid: u32) -> Result<Self, TraceFileError> {
        let name_of_own = |attempt: u32| {
            let mut name = path.as_os_str().to_owned();
            name.push(format!(".{pid}"));
            if attempt > 1 {
                name.push(format!(".{attempt}"));
            }
            PathBuf::from(name)
        };
        let names = std::iter::once(path.to_path_buf()).chain((1..1000).map(name_of_own));
        for name in names {
            match look_at(&name, pid)? {
                Found::InUse => continue,
                Found::Nothing => {}
                Found::OldTrace => std::fs::remove_file(&name).map_err(|error| system(&name, "replace", error))?,
            }
            match Self::create_new(&name) {
                Err(TraceFileError::System { error, .. }) if error.kind() == io::ErrorKind::AlreadyExists => continue,
                result => return result,
            }
        }
        Err(TraceFileError::NotOurs { path: path.to_path_buf(), what: "in use, and so are a thousand names like it" })
    }

    fn create_new(path: &Path) -> Result<Self, TraceFileError> {
        let mut options = OpenOptions::new();
        options
            .write(true)
            .create_new(true)
            .mode(0o600)
            .custom_flags(libc::O_NOFOLLOW | libc::O_CLOEXEC | libc::O_APPEND);
        let file = options.open(path).map_err(|error| system(path, "create", error))?;
        let fd = high_fd::raise(OwnedFd::from(file));
        // Without the lock another process might replace the trace while it is written; not all file systems have it.
        let file = File::from(fd);
        lock(&file);
        let metadata = file.metadata().map_err(|error| system(path, "examine", error))?;
        let identity = (metadata.dev(), metadata.ino());
        let mut trace = Self { file, path: path.to_path_buf(), identity, length: 0 };
        trace.append(&encode_prefix()).map_err(|error| system(path, "write", error))?;
        Ok(trace)
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Appends whole chunks. On an error, what was written of them is taken back.
    pub fn append(&mut self, chunks: &[u8]) -> io::Result<()> {
        self.find_again()?;
        let result = self.file.write_all(chunks);
        match result {
            Ok(()) => self.length += chunks.len() as u64,
            Err(_) => {
                let _ = self.file.set_len(self.length);
            }
        }
        result
    }

    /// The program may have closed our descriptor and got another file under its number.
    fn find_again(&mut self) -> io::Result<()> {
        let is_ours = |file: &File| file.metadata().is_ok_and(|m| (m.dev(), m.ino()) == self.identity);
        if is_ours(&self.file) {
            return Ok(());
        }
        let mut options = OpenOptions::new();
        options.append(true).custom_flags(libc::O_NOFOLLOW | libc::O_CLOEXEC);
        let again = File::from(high_fd::raise(OwnedFd::from(options.open(&self.path)?)));
        if !is_ours(&again) {
            return Err(io::Error::other("another file has taken its place"));
        }
        // The old number is the program's now; closing it would close the program's file.
        std::mem::forget(std::mem::replace(&mut self.file, again));
        Ok(())
    }
}

/// Takes the file's lock, unless another process has it.
fn lock(file: &File) -> bool {
    // SAFETY: a descriptor of ours.
    unsafe {
        libc::flock(file.as_raw_fd(), libc::LOCK_EX | libc::LOCK_NB) == 0
            || *libc::__errno_location() != libc::EWOULDBLOCK
    }
}

fn system(path: &Path, doing: &'static str, error: io::Error) -> TraceFileError {
    TraceFileError::System { path: path.to_path_buf(), doing, error }
}

fn look_at(path: &Path, pid: u32) -> Result<Found, TraceFileError> {
    let not_ours = |what| TraceFileError::NotOurs { path: path.to_path_buf(), what };
    let metadata = match std::fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Found::Nothing),
        Err(error) => return Err(system(path, "examine", error)),
        Ok(metadata) => metadata,
    };
    let kind = metadata.file_type();
    if kind.is_symlink() {
        return Err(not_ours("a symbolic link"));
    }
    if kind.is_dir() {
        return Err(not_ours("a directory"));
    }
    if kind.is_char_device() || kind.is_block_device() || !kind.is_file() {
        return Err(not_ours("no regular file"));
    }
    let mut options = OpenOptions::new();
    options.read(true).custom_flags(libc::O_NOFOLLOW | libc::O_CLOEXEC | libc::O_NONBLOCK);
    let mut file = options.open(path).map_err(|error| system(path, "read", error))?;
    let mut start = Vec::new();
    Read::by_ref(&mut file).take(1 << 16).read_to_end(&mut start).map_err(|error| system(path, "read", error))?;
    if !start.is_empty() && !start.starts_with(&MAGIC) {
        return Err(not_ours("not a trace of Devel::MProf"));
    }
    if !lock(&file) {
        return Ok(Found::InUse);
    }
    let first = start.get(PREFIX_BYTES..).and_then(|chunk| decode_chunk(chunk).ok());
    match first {
        Some((Record::Header(header), _)) if header.pid == pid => Ok(Found::InUse),
        _ => Ok(Found::OldTrace),
    }
}

/// `path` as an absolute one, so that a later `chdir` does not move it.
pub fn absolute(path: &[u8]) -> PathBuf {
    let path = Path::new(OsStr::from_bytes(path));
    std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn a_trace_is_private_and_replaces_an_old_one_only() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("mprof.bin");
        drop(TraceFile::create(&path, 1).unwrap());
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        let again = TraceFile::create(&path, 1).unwrap();
        assert_eq!(again.path(), path);
        let beside = TraceFile::create(&path, 7).unwrap();
        assert_eq!(beside.path(), directory.path().join("mprof.bin.7"), "the first is in use");
    }

    #[test]
    fn what_is_not_ours_is_left_alone() {
        let directory = tempfile::tempdir().unwrap();
        let (file, link) = (directory.path().join("file"), directory.path().join("link"));
        std::fs::write(&file, "precious").unwrap();
        std::os::unix::fs::symlink(directory.path().join("nowhere"), &link).unwrap();
        for path in [&file, &link, &directory.path().to_path_buf()] {
            assert!(matches!(TraceFile::create(path, 1), Err(TraceFileError::NotOurs { .. })), "{path:?}");
        }
        assert_eq!(std::fs::read(&file).unwrap(), b"precious");
        assert!(!directory.path().join("nowhere").exists());
    }

    #[test]
    fn a_descriptor_that_became_another_file_is_not_written_to() {
        let directory = tempfile::tempdir().unwrap();
        let mut trace = TraceFile::create(&directory.path().join("t"), 1).unwrap();
        let other = directory.path().join("other");
        let usurper = File::create(&other).unwrap();
        // SAFETY: both descriptors are open; this is what a program does that closes all and opens another.
        unsafe { libc::dup2(usurper.as_raw_fd(), trace.file.as_raw_fd()) };
        trace.append(b"more").unwrap();
        assert_eq!(std::fs::read(&other).unwrap(), b"");
        assert!(std::fs::read(directory.path().join("t")).unwrap().ends_with(b"more"));
    }
}
