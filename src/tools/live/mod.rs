//! A trace that is being written, on a screen: [`growth`] sums it up anew whenever it has grown, [`screen`] is what the
//! keys act on, [`view`] draws it.
//!
//! Nothing here reads a key, a clock or a file, or writes to a terminal: `src/bin/mprof-dump/top.rs` does.

pub mod growth;
pub mod process;
pub mod screen;
pub mod view;
