//! The header of a trace: who runs, where and how.

use super::interp::PerlLayout;
use super::options::Options;
use super::recorder::Recorder;
use super::session::PerlBuild;
use super::statm;
use crate::format::records::Header;
use crate::format::Record;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

/// The record, as of now. `parent`: for a forked child, its parent's process id and trace.
pub fn record(
    options: &Options,
    build: &PerlBuild,
    recorder: &Recorder,
    layout: &PerlLayout,
    parent: Option<(u32, &Path)>,
) -> Record {
    let command_line = std::fs::read("/proc/self/cmdline").unwrap_or_default();
    let command_line = command_line.strip_suffix(b"\0").unwrap_or(&command_line);
    let cwd = std::env::current_dir().map(|path| path.as_os_str().as_bytes().to_vec()).unwrap_or_default();
    // SAFETY: the call has no precondition; the interpreter runs, so its counter is there.
    let (parent_pid, scalars) = unsafe { (libc::getppid(), *layout.sv_count) };
    Record::Header(Header {
        mprof_version: env!("CARGO_PKG_VERSION").to_string(),
        perl_version: build.version.clone(),
        perl_archname: build.archname.clone(),
        perl_threaded: build.threaded,
        pid: std::process::id(),
        parent_pid: parent_pid as u32,
        parent_trace: parent.map(|(_, path)| path.as_os_str().as_bytes().to_vec()),
        command_line: command_line.split(|&byte| byte == 0).map(<[u8]>::to_vec).collect(),
        cwd,
        hostname: hostname(),
        start_unix_ns: SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_nanos() as u64),
        options: options.list(),
        page_size_bytes: statm::page_bytes() as u32,
        start_size_pages: recorder.statm.last.size,
        start_resident_pages: recorder.statm.last.resident,
        start_scalars: scalars as u64,
    })
}

fn hostname() -> String {
    let mut name = [0u8; 256];
    // SAFETY: the buffer is as long as said.
    let status = unsafe { libc::gethostname(name.as_mut_ptr().cast(), name.len()) };
    let end = name.iter().position(|&byte| byte == 0).unwrap_or(name.len());
    match (status, name.get(..end)) {
        (0, Some(name)) => String::from_utf8_lossy(name).into_owned(),
        _ => String::new(),
    }
}
