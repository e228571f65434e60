//! The file of a trace: created so that nothing of anyone else's is lost or followed, then only appended to.
//!
//! Nothing is written by whoever creates it, but by whoever appends: a limit on the size of files is a signal, which must
//! not reach a thread of the program.

use super::{compressor, high_fd, system_words};
use crate::format::{decode_chunk_by, encode_prefix, Record, MAGIC, PREFIX_BYTES};
use std::ffi::OsStr;
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileTypeExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicI32, AtomicU64, Ordering::Relaxed};
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
    #[error("cannot {doing} {}: {}", path.display(), system_words::of(error))]
    System {
        /// The name.
        path: PathBuf,
        /// What was tried.
        doing: &'static str,
        /// Its answer.
        error: io::Error,
    },
}

/// A trace that is being written, or that is to be.
pub struct TraceFile {
    opened: Option<Opened>,
    path: PathBuf,
    pid: u32,
    /// Bytes written as whole chunks.
    length: u64,
    /// What is to be written next.
    waiting: Vec<u8>,
}

struct Opened {
    file: File,
    identity: (u64, u64),
}

/// Bytes that wait, at most, for a file that is yet to be created.
const MOST_WAITING: usize = 1 << 16;

/// The trace that this process has open, for its forked children: descriptor (or -1), device and inode.
static OPEN_FD: AtomicI32 = AtomicI32::new(-1);
static OPEN_IDENTITY: (AtomicU64, AtomicU64) = (AtomicU64::new(0), AtomicU64::new(0));

/// In a forked child: closes its parent's trace. With the descriptor the child would keep the lock, too.
pub fn close_inherited() {
    let fd = OPEN_FD.swap(-1, Relaxed);
    if fd >= 0 {
        high_fd::close_if(fd, (OPEN_IDENTITY.0.load(Relaxed), OPEN_IDENTITY.1.load(Relaxed)));
    }
}

/// Has this process a file for its trace yet?
pub fn is_open() -> bool {
    OPEN_FD.load(Relaxed) >= 0
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
        let mut trace = Self::later(path, pid);
        trace.open()?;
        Ok(trace)
    }

    /// A trace whose file is created when there is something of note to write, see [`TraceFile::append`].
    pub fn later(path: &Path, pid: u32) -> Self {
        Self { opened: None, path: path.to_path_buf(), pid, length: 0, waiting: encode_prefix().to_vec() }
    }

    /// Creates the file, unless it is there.
    fn open(&mut self) -> Result<&mut Opened, TraceFileError> {
        let opened = match self.opened.take() {
            Some(opened) => opened,
            None => {
                let (opened, path) = create(&self.path, self.pid)?;
                self.path = path;
                opened
            }
        };
        Ok(self.opened.insert(opened))
    }

    /// Appends whole chunks. A file that is yet to be created is so once there are many, or with `is_of_note`.
    pub fn append(&mut self, chunks: &[u8], is_of_note: bool) -> Result<(), TraceFileError> {
        self.waiting.extend_from_slice(chunks);
        if self.opened.is_none() && !is_of_note && self.waiting.len() <= MOST_WAITING {
            return Ok(());
        }
        self.write_waiting()
    }

    /// Is there anything to write?
    pub fn is_waiting(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// Writes what waits. On an error, what was written of it is taken back.
    pub fn write_waiting(&mut self) -> Result<(), TraceFileError> {
        let waiting = std::mem::take(&mut self.waiting);
        let (length, path) = (self.length, self.path.clone());
        let opened = self.open()?;
        opened.find_again(&path).map_err(|error| system(&path, "write", error))?;
        if let Err(error) = opened.file.write_all(&waiting) {
            let _ = opened.file.set_len(length);
            self.discard_if_empty();
            return Err(system(&path, "write", error));
        }
        self.length += waiting.len() as u64;
        Ok(())
    }

    /// Leaves no file behind to which nothing was written.
    fn discard_if_empty(&self) {
        let is_ours = |opened: &Opened| {
            std::fs::symlink_metadata(&self.path).is_ok_and(|found| (found.dev(), found.ino()) == opened.identity)
        };
        if self.length == 0 && self.opened.as_ref().is_some_and(is_ours) {
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

impl Drop for TraceFile {
    fn drop(&mut self) {
        self.discard_if_empty();
        if self.opened.is_some() {
            OPEN_FD.store(-1, Relaxed);
        }
    }
}

/// Creates the file of a trace, and says where.
fn create(path: &Path, pid: u32) -> Result<(Opened, PathBuf), TraceFileError> {
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
        match Opened::create(&name) {
            Err(TraceFileError::System { error, .. }) if error.kind() == io::ErrorKind::AlreadyExists => continue,
            result => return result.map(|opened| (opened, name)),
        }
    }
    Err(TraceFileError::NotOurs { path: path.to_path_buf(), what: "in use, and so are a thousand names like it" })
}

impl Opened {
    fn create(path: &Path) -> Result<Self, TraceFileError> {
        let mut options = OpenOptions::new();
        options
            .write(true)
            .create_new(true)
            .mode(0o600)
            .custom_flags(libc::O_NOFOLLOW | libc::O_CLOEXEC | libc::O_APPEND);
        let file = options.open(path).map_err(|error| system(path, "create", error))?;
        let file = File::from(high_fd::raise(OwnedFd::from(file)));
        // Without the lock another process might replace the trace while it is written; not all file systems have it.
        lock(&file);
        let metadata = file.metadata().map_err(|error| system(path, "examine", error))?;
        let opened = Self { file, identity: (metadata.dev(), metadata.ino()) };
        opened.tell_children();
        Ok(opened)
    }

    fn tell_children(&self) {
        OPEN_IDENTITY.0.store(self.identity.0, Relaxed);
        OPEN_IDENTITY.1.store(self.identity.1, Relaxed);
        OPEN_FD.store(self.file.as_raw_fd(), Relaxed);
    }

    /// The program may have closed our descriptor and got another file under its number.
    fn find_again(&mut self, path: &Path) -> io::Result<()> {
        let is_ours = |file: &File| high_fd::identity(file) == Some(self.identity);
        if is_ours(&self.file) {
            return Ok(());
        }
        let mut options = OpenOptions::new();
        options.append(true).custom_flags(libc::O_NOFOLLOW | libc::O_CLOEXEC | libc::O_NONBLOCK);
        let again = File::from(high_fd::raise(OwnedFd::from(options.open(path)?)));
        if !is_ours(&again) {
            return Err(io::Error::other("another file has taken its place"));
        }
        lock(&again);
        // The old number is the program's now; closing it would close the program's file.
        std::mem::forget(std::mem::replace(&mut self.file, again));
        self.tell_children();
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
    let first = start.get(PREFIX_BYTES..).and_then(|chunk| decode_chunk_by(chunk, compressor::decompress).ok());
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
        TraceFile::create(&path, 1).unwrap().append(b"", true).unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        let again = TraceFile::create(&path, 1).unwrap();
        assert_eq!(again.path, path);
        let beside = TraceFile::create(&path, 7).unwrap();
        assert_eq!(beside.path, directory.path().join("mprof.bin.7"), "the first is in use");
    }

    #[test]
    fn what_is_never_written_leaves_no_file() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("mprof.bin");
        drop(TraceFile::create(&path, 1).unwrap());
        assert!(!path.exists());
        let mut later = TraceFile::later(&path, 1);
        later.append(b"little", false).unwrap();
        assert!(!path.exists(), "nothing of note");
        later.append(b"more", true).unwrap();
        drop(later);
        assert_eq!(std::fs::read(&path).unwrap(), [&encode_prefix()[..], b"littlemore"].concat());
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
        unsafe { libc::dup2(usurper.as_raw_fd(), trace.opened.as_ref().unwrap().file.as_raw_fd()) };
        trace.append(b"more", true).unwrap();
        assert_eq!(std::fs::read(&other).unwrap(), b"");
        assert!(std::fs::read(directory.path().join("t")).unwrap().ends_with(b"more"));
    }
}
