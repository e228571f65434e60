//! Devel::MProf: which line of a Perl program allocates, keeps and leaks its memory.
//!
//! The way of an event, one way only:
//!
//! ```text
//! perl op ─► xs/ shim ─► ffi ─► runtime: counters, call tree, tables ─► snapshot ─► channel ─► writer ─► mprof.bin
//! malloc… ─► runtime::interpose ─► the same                                                                 │
//!                      mprof-dump: tools::reader ─► tools::profile ─► a report ◄─────────────────────────────┘
//! ```
//!
//! `runtime` (in the profiled process) and `tools` (offline) never see each other; both see `format`.

#[cfg(feature = "runtime")]
pub mod ffi;
pub mod format;
#[cfg(feature = "runtime")]
pub mod runtime;
#[cfg(feature = "tools")]
pub mod tools;
