//! File descriptors out of the program's way: high numbers, closed on exec, and checked to be ours still.

use std::ffi::CStr;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};

/// Moves a descriptor to a high number, where programs neither expect nor reuse one. Keeps it where that fails.
pub fn raise(fd: OwnedFd) -> OwnedFd {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: `limit` is valid for writing.
    unsafe { libc::getrlimit(libc::RLIMIT_NOFILE, &mut limit) };
    let lowest = i32::try_from(limit.rlim_cur.min(1024).saturating_sub(16)).unwrap_or(0);
    // SAFETY: fcntl on a descriptor we own; the result is a new descriptor that nobody else owns.
    unsafe {
        let raised = libc::fcntl(fd.as_raw_fd(), libc::F_DUPFD_CLOEXEC, lowest);
        if raised >= 0 {
            return OwnedFd::from_raw_fd(raised);
        }
    }
    fd
}

/// Opens a file for reading at a high number.
pub fn open_readonly(path: &CStr) -> Option<OwnedFd> {
    // SAFETY: `path` is a C string; the result is a new descriptor that nobody else owns.
    let fd = unsafe {
        let fd = libc::open(path.as_ptr(), libc::O_RDONLY | libc::O_CLOEXEC);
        (fd >= 0).then(|| OwnedFd::from_raw_fd(fd))
    };
    fd.map(raise)
}

/// Device and inode of the file behind a descriptor.
pub fn identity(fd: &impl AsRawFd) -> Option<(u64, u64)> {
    // SAFETY: an all-zero `stat` is valid, and fstat only writes to it.
    unsafe {
        let mut stat: libc::stat = std::mem::zeroed();
        (libc::fstat(fd.as_raw_fd(), &mut stat) == 0).then_some((stat.st_dev as u64, stat.st_ino as u64))
    }
}

/// Closes the descriptor `fd` if the file behind it is still that of `identity`: the program may have closed it, and got
/// another file under its number.
pub fn close_if(fd: RawFd, identity: (u64, u64)) {
    if self::identity(&fd) == Some(identity) {
        // SAFETY: what is closed is ours, as far as can be told.
        unsafe { libc::close(fd) };
    }
}
