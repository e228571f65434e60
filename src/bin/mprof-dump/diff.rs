//! `mprof-dump diff`: two traces side by side, and a verdict for scripts.

use crate::traces::{self, TracesError};
use clap::Args;
use mprof::tools::diff::Diff;
use mprof::tools::profile::Profile;
use mprof::tools::select::Selection;
use regex::Regex;
use std::path::PathBuf;
use thiserror::Error;

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
    /// Exit with code 3 if live or allocated bytes grew by more; K, M and G may follow the number
    #[arg(long, value_name = "BYTES", value_parser = bytes)]
    fail_over: Option<u64>,
}

fn bytes(text: &str) -> Result<u64, String> {
    let (digits, shift) = match text.char_indices().last() {
        Some((at, 'k' | 'K')) => (&text[..at], 10),
        Some((at, 'm' | 'M')) => (&text[..at], 20),
        Some((at, 'g' | 'G')) => (&text[..at], 30),
        _ => (text, 0),
    };
    let number: Option<u64> = digits.parse().ok();
    number.and_then(|number| number.checked_mul(1 << shift)).ok_or_else(|| "not a number of bytes".to_owned())
}

/// More than allowed has grown.
#[derive(Debug, Error)]
#[error("{}", .0.join("; "))]
pub struct Grown(Vec<String>);

impl DiffArgs {
    /// Reads the two traces and compares them.
    ///
    /// # Errors
    /// Where one of them cannot be read.
    pub fn diff(&self) -> Result<Diff, TracesError> {
        let profile = |path: &PathBuf| traces::read(std::slice::from_ref(path)).map(Profile::new);
        Ok(Diff::new(&profile(&self.old)?, &profile(&self.new)?))
    }

    /// Which rows, in which order.
    pub fn selection(&self) -> Selection {
        Selection { sort: self.sort.clone(), top: self.top, filter: self.filter.clone() }
    }

    /// Has no more grown than is allowed?
    ///
    /// # Errors
    /// Where it has.
    pub fn judge(&self, diff: &Diff) -> Result<(), Grown> {
        let Some(most) = self.fail_over else { return Ok(()) };
        let figures = [("live", diff.grown_live_bytes()), ("allocated", diff.grown_allocated_bytes())];
        let over = figures.iter().filter(|(_, grown)| i128::from(*grown) > i128::from(most));
        let over: Vec<String> =
            over.map(|(what, grown)| format!("{what} bytes grew by {grown}, more than {most}")).collect();
        if over.is_empty() {
            Ok(())
        } else {
            Err(Grown(over))
        }
    }
}
