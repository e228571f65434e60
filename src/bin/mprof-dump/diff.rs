//! `mprof-dump diff`: two traces side by side, and a verdict for scripts.

use crate::args::bytes;
use crate::traces::{self, TracesError};
use clap::Args;
use mprof::tools::diff::Diff;
use mprof::tools::profile::Profile;
use mprof::tools::reader::Keep;
use mprof::tools::select::Selection;
use regex::Regex;
use std::path::PathBuf;

/// What `diff` is asked for.
#[derive(Args)]
pub struct DiffArgs {
    /// The trace to compare with; a pattern names several, which are summed up
    #[arg(value_name = "OLD")]
    old: PathBuf,
    /// The trace to compare
    #[arg(value_name = "NEW")]
    new: PathBuf,
    /// Sort by this column, named as in the JSON; an unknown one lists them all
    #[arg(long, value_name = "COLUMN")]
    sort: Option<String>,
    /// Rows of each table [default: 10]
    #[arg(long, value_name = "N")]
    top: Option<usize>,
    /// Only rows with a name or path that this regular expression matches
    #[arg(long, value_name = "REGEX")]
    filter: Option<Regex>,
    /// Exit with code 3 if live or allocated bytes grew by more than this; k, M, G are known
    #[arg(long, value_name = "BYTES", value_parser = bytes)]
    fail_over: Option<u64>,
}

impl DiffArgs {
    /// Reads the two traces and compares them.
    ///
    /// # Errors
    /// Where one of them cannot be read.
    pub fn diff(&self) -> Result<Diff, TracesError> {
        let profile = |path: &PathBuf| traces::read(std::slice::from_ref(path), Keep::Last).map(Profile::new);
        Ok(Diff::new(&profile(&self.old)?, &profile(&self.new)?))
    }

    /// Which rows, in which order.
    pub fn selection(&self) -> Selection {
        Selection { sort: self.sort.clone(), top: self.top, filter: self.filter.clone() }
    }

    /// What has grown by more than is allowed, in a sentence each.
    pub fn over(&self, diff: &Diff) -> Vec<String> {
        let Some(most) = self.fail_over else { return Vec::new() };
        let figures = [("live", diff.grown_live_bytes()), ("allocated", diff.grown_allocated_bytes())];
        let over = figures.iter().filter(|(_, grown)| i128::from(*grown) > i128::from(most));
        over.map(|(what, grown)| format!("{what} bytes grew by {grown}, more than {most}")).collect()
    }
}
