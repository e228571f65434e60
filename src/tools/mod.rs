//! What reads a trace: file ─► [`reader`] ─► [`trace::Trace`] ─► [`profile::Profile`] ─► [`report`] ─► [`document`] ─►
//! [`render`] (text, JSON). [`html`] makes a page of several documents, the tree and the time line;
//! [`export`] writes a profile, or many, in the formats of other tools.
//!
//! Each step knows only the one before it. Nothing here runs inside a profiled process, prints, or ends the process:
//! `src/bin/mprof-dump.rs` does.

#![forbid(unsafe_code)]

pub mod calls;
pub mod diff;
pub mod document;
pub mod export;
pub mod history;
pub mod html;
pub mod inputs;
pub mod leaks;
pub mod live;
pub mod merge;
pub mod profile;
pub mod reader;
pub mod render;
pub mod report;
pub mod select;
pub mod target;
pub mod trace;
pub mod warning;

#[cfg(test)]
mod golden;
#[cfg(test)]
mod synthetic;
