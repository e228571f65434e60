//! /proc/self/statm through one file descriptor that stays open: one `pread` a reading.

use super::high_fd;
use procfs::FromRead;
use std::os::fd::{AsRawFd, IntoRawFd, OwnedFd};

/// A reading, in pages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pages {
    /// Virtual size.
    pub size: u64,
    /// Resident set.
    pub resident: u64,
}

/// Bytes of a page.
pub fn page_bytes() -> u64 {
    // SAFETY: sysconf has no precondition.
    unsafe { libc::sysconf(libc::_SC_PAGESIZE) as u64 }
}

/// The open file, and what it said last.
pub struct Statm {
    file: Option<OwnedFd>,
    identity: (u64, u64),
    /// The last reading.
    pub last: Pages,
    /// The highest resident set read, in pages.
    pub peak_resident: u64,
    /// How many readings there were.
    pub reads: u64,
}

impl Statm {
    /// Opens it and reads it once. Where there is no /proc, all readings are 0.
    pub fn open() -> Self {
        let mut statm = Self { file: None, identity: (0, 0), last: Pages::default(), peak_resident: 0, reads: 0 };
        statm.reopen();
        statm.read();
        statm
    }

    /// Opens it anew: a forked child's is another file.
    pub fn reopen(&mut self) {
        self.close();
        self.file = high_fd::open_readonly(c"/proc/self/statm");
        self.identity = self.file.as_ref().and_then(high_fd::identity).unwrap_or_default();
    }

    /// Reads it; returns the growth since the last reading, in pages.
    pub fn read(&mut self) -> (i64, i64) {
        let Some(now) = self.now() else { return (0, 0) };
        self.reads += 1;
        let grown = (now.size as i64 - self.last.size as i64, now.resident as i64 - self.last.resident as i64);
        self.last = now;
        self.peak_resident = self.peak_resident.max(now.resident);
        grown
    }

    fn now(&self) -> Option<Pages> {
        let mut text = [0u8; 128];
        let fd = self.file.as_ref()?.as_raw_fd();
        // SAFETY: the buffer is as long as said.
        let length = unsafe { libc::pread(fd, text.as_mut_ptr().cast(), text.len(), 0) };
        let text = text.get(..usize::try_from(length).ok()?)?;
        let statm = procfs::process::StatM::from_read(text).ok()?;
        Some(Pages { size: statm.size, resident: statm.resident })
    }

    /// Is the descriptor still ours? A program may have closed it and opened something else there.
    pub fn check(&mut self) {
        if self.file.as_ref().and_then(high_fd::identity) != Some(self.identity) {
            self.reopen();
        }
    }

    /// Closes it, if it is still ours.
    pub fn close(&mut self) {
        if let Some(file) = self.file.take() {
            high_fd::close_if(file.into_raw_fd(), self.identity);
        }
    }
}
