//! A trace that is being written, read as it grows: each byte once.
//!
//! What has not been written whole yet is waited for. A file that was replaced, or cut, is another run: it is read anew.

use super::builder::Builder;
use super::pipeline::{Decoded, Pipeline};
use super::{check_prefix, Fault, ReadError};
use crate::format::chunk::CHUNK_HEAD_BYTES;
use crate::format::{Record, MAX_CHUNK_BYTES, PREFIX_BYTES};
use crate::tools::trace::Trace;
use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// Bytes that one look at the file takes in at most, so that whoever looks can show how far it has come.
const BYTES_A_LOOK: u64 = 64 << 20;

/// Room for what has been read that is kept from one look to the next.
const KEPT_BYTES: usize = 1 << 20;

/// A trace that may grow.
pub struct Follower {
    path: PathBuf,
    open: Option<Open>,
}

/// What one look at the file brought.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Look {
    /// Nothing new.
    Same,
    /// More of the trace.
    More,
    /// The file is of another run than before.
    Another,
    /// There is no such file yet, or nothing in it that tells whose it is.
    Nothing,
}

/// An open file, and what has been read of it.
struct Open {
    file: File,
    /// Device and inode.
    identity: (u64, u64),
    /// Read, but not yet a whole chunk.
    buffer: Vec<u8>,
    taken_bytes: u64,
    builder: Option<Builder>,
    pipeline: Pipeline,
    fault: Option<Fault>,
}

impl Follower {
    /// Follows the trace at `path`, which need not be there yet.
    pub fn new(path: PathBuf) -> Self {
        Follower { path, open: None }
    }

    /// Where the trace is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What has been read so far; figures are those of the last whole snapshot.
    pub fn trace(&self) -> Option<&Trace> {
        self.open.as_ref()?.builder.as_ref().map(Builder::so_far)
    }

    /// Why nothing that follows can be read, where that is so.
    pub fn fault(&self) -> Option<&Fault> {
        self.open.as_ref()?.fault.as_ref()
    }

    /// How many bytes of how many have been read.
    pub fn progress_bytes(&self) -> (u64, u64) {
        self.open.as_ref().map_or((0, 0), |open| {
            (open.taken_bytes, open.file.metadata().map_or(0, |metadata| metadata.len()).max(open.taken_bytes))
        })
    }

    /// Takes in what has been written since the last look, or a good part of it.
    ///
    /// # Errors
    /// Where the file cannot be read, or is no trace.
    pub fn look(&mut self) -> Result<Look, ReadError> {
        let failed = |source: io::Error| ReadError::Io { path: self.path.clone(), source };
        let another = match self.path.metadata() {
            Ok(metadata) => {
                let identity = (metadata.dev(), metadata.ino());
                let gone = |open: &Open| open.identity != identity || metadata.len() < open.taken_bytes;
                let another = self.open.as_ref().is_some_and(gone);
                if another || self.open.is_none() {
                    self.open = Some(Open::new(File::open(&self.path).map_err(failed)?, identity));
                }
                another
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Look::Nothing),
            Err(error) => return Err(failed(error)),
        };
        let Some(open) = &mut self.open else { return Ok(Look::Nothing) };
        let more = open.look(&self.path)?;
        Ok(match (open.builder.is_some(), another, more) {
            (false, ..) => Look::Nothing,
            (true, true, _) => Look::Another,
            (true, false, true) => Look::More,
            (true, false, false) => Look::Same,
        })
    }
}

impl Open {
    fn new(file: File, identity: (u64, u64)) -> Self {
        Open {
            file,
            identity,
            buffer: Vec::new(),
            taken_bytes: 0,
            builder: None,
            pipeline: Pipeline::new(),
            fault: None,
        }
    }

    /// Reads on. Was there anything?
    fn look(&mut self, path: &Path) -> Result<bool, ReadError> {
        if self.fault.is_some() {
            return Ok(false);
        }
        let first = self.taken_bytes == 0;
        let failed = |source: io::Error| ReadError::Io { path: path.to_owned(), source };
        let count = self.file.by_ref().take(BYTES_A_LOOK).read_to_end(&mut self.buffer).map_err(failed)?;
        self.taken_bytes += count as u64;
        let mut at = 0;
        if self.builder.is_none() {
            let prefix = self.buffer.get(..PREFIX_BYTES.min(self.buffer.len())).unwrap_or(&[]);
            if prefix.len() < PREFIX_BYTES {
                // A beginning that no trace has is told at once, the rest is waited for.
                return match check_prefix(path, prefix) {
                    Err(error @ ReadError::NotATrace(_)) => Err(error),
                    _ => Ok(false),
                };
            }
            check_prefix(path, prefix)?;
            at = PREFIX_BYTES;
        }
        while let Some(length) = self.buffer.get(at..).and_then(chunk_length) {
            while !self.pipeline.has_room() {
                self.take_next(path)?;
            }
            if self.fault.is_some() {
                break;
            }
            self.pipeline.push(self.buffer.get(at..at + length).unwrap_or(&[]).to_vec());
            at += length;
        }
        while self.take_next(path)? {}
        if self.builder.is_none() && self.fault.is_none() {
            // The header is not whole yet: the prefix is looked at again.
            at = 0;
        }
        self.buffer.drain(..at);
        self.buffer.shrink_to(KEPT_BYTES);
        Ok(count > 0 || first)
    }

    /// Takes the record of the oldest chunk in. Was there one?
    fn take_next(&mut self, path: &Path) -> Result<bool, ReadError> {
        let Some(Decoded { record, .. }) = self.pipeline.pop() else { return Ok(false) };
        if self.fault.is_some() {
            return Ok(true);
        }
        let taken = match (record, &mut self.builder) {
            (Err(error), _) => Err(error.into()),
            (Ok(Record::Header(header)), None) => {
                self.builder = Some(Builder::new(header));
                Ok(())
            }
            (Ok(_), None) => Err(Fault::Rule("it is no header")),
            (Ok(record), Some(builder)) => builder.apply(record),
        };
        match taken {
            Err(fault) if self.builder.is_none() => Err(ReadError::NoHeader { path: path.to_owned(), fault }),
            Err(fault) => {
                self.fault = Some(fault);
                Ok(true)
            }
            Ok(()) => Ok(true),
        }
    }
}

/// Length of the chunk that `bytes` begin with, if they hold all of it; that of its head where it claims to be longer than
/// any chunk.
fn chunk_length(bytes: &[u8]) -> Option<usize> {
    let &[_, _, l0, l1, l2, l3, ..] = bytes.first_chunk::<CHUNK_HEAD_BYTES>()?;
    let length = u32::from_le_bytes([l0, l1, l2, l3]) as usize;
    if length > MAX_CHUNK_BYTES {
        return Some(CHUNK_HEAD_BYTES);
    }
    Some(CHUNK_HEAD_BYTES + length).filter(|&length| length <= bytes.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::records::*;
    use crate::tools::reader::read_file;
    use crate::tools::synthetic::Synthetic;
    use std::fs;
    use std::io::Write;

    fn sample() -> Synthetic {
        let mut trace = Synthetic::new(Header { pid: 7, ..Header::default() });
        let file = trace.string("run.pl");
        let main = trace.sub(SubKind::Main, "", "", "run.pl", 0);
        let root = trace.root(main);
        let id = trace.place(root, file, 3);
        for live_bytes in [10, 20, 30] {
            trace.figures(vec![], vec![PlaceFigures { id, live_bytes, ..PlaceFigures::default() }]);
            trace.push(&Record::Marks(Marks { snapshot: live_bytes / 10 - 1, marks: live_bytes, labels: vec![] }));
            trace.snapshot(live_bytes, Cause::Mark, Totals { live_bytes, ..Totals::default() });
        }
        trace.end(40, Cause::Exit);
        trace
    }

    #[test]
    fn a_trace_that_grows_byte_by_byte_is_read_as_one_that_is_whole() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("mprof.bin");
        let mut follower = Follower::new(path.clone());
        assert_eq!(follower.look().unwrap(), Look::Nothing);
        let bytes = sample().bytes;
        let mut file = fs::File::create(&path).unwrap();
        let mut seen = Vec::new();
        for byte in &bytes {
            file.write_all(&[*byte]).unwrap();
            follower.look().unwrap();
            let live = follower.trace().map(|trace| trace.last_totals().live_bytes);
            assert_eq!(live, follower.trace().map(Trace::marks));
            assert_eq!(follower.fault(), None);
            if seen.last() != Some(&live) {
                seen.push(live);
            }
        }
        assert_eq!(seen, [None, Some(0), Some(10), Some(20), Some(30)]);
        assert_eq!(follower.fault(), None);
        assert_eq!(follower.look().unwrap(), Look::Same);
        let (followed, whole) = (follower.trace().unwrap(), read_file(&path).unwrap());
        assert_eq!((&followed.figures, &followed.end), (&whole.figures, &whole.end));
    }

    #[test]
    fn another_run_in_the_same_place_is_read_anew() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("mprof.bin");
        let bytes = sample().bytes;
        fs::write(&path, &bytes).unwrap();
        let mut follower = Follower::new(path.clone());
        assert_eq!(follower.look().unwrap(), Look::More);
        // Cut and begun again.
        fs::write(&path, &bytes[..bytes.len() / 2]).unwrap();
        assert_eq!(follower.look().unwrap(), Look::Another);
        assert!(follower.trace().unwrap().end.is_none());
        // Replaced.
        fs::write(folder.path().join("new"), &bytes).unwrap();
        fs::rename(folder.path().join("new"), &path).unwrap();
        assert_eq!(follower.look().unwrap(), Look::Another);
        assert!(follower.trace().unwrap().end.is_some());
    }

    #[test]
    fn what_is_no_trace_is_refused_and_damage_ends_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x");
        fs::write(&path, "#!/usr/bin/perl").unwrap();
        assert!(matches!(Follower::new(path.clone()).look(), Err(ReadError::NotATrace(_))));
        let mut damaged = sample();
        let at = damaged.bytes.len() - 30;
        damaged.bytes[at] ^= 1;
        fs::write(&path, &damaged.bytes).unwrap();
        let mut follower = Follower::new(path);
        follower.look().unwrap();
        assert!(follower.fault().is_some());
        assert_eq!(follower.trace().unwrap().last_totals().live_bytes, 20);
        assert_eq!(follower.look().unwrap(), Look::Same);
    }
}
