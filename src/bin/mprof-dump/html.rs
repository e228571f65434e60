//! `mprof-dump html`: its arguments, and the page of a profile or a diff into the file that they name.

use super::args::percent;
use super::traces::{self, TracesError};
use super::{write_out, DumpError};
use clap::Args;
use mprof::tools::diff::Diff;
use mprof::tools::html::{page, page_of_diff, Options};
use mprof::tools::inputs::files;
use mprof::tools::profile::Profile;
use mprof::tools::reader::Keep;
use mprof::tools::target::Target;
use std::io;
use std::mem::ManuallyDrop;
use std::path::PathBuf;

#[derive(Args)]
pub struct HtmlArgs {
    /// The trace to read; several, or a pattern, are summed up
    #[arg(value_name = "TRACE", required = true)]
    traces: Vec<PathBuf>,
    /// Show what differs from this trace, red where there is more and blue where there is less; a pattern names several
    #[arg(long, value_name = "OLD", conflicts_with = "source")]
    diff: Option<PathBuf>,
    /// The file to write; - for standard output
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,
    /// Replace the file if it is there
    #[arg(long)]
    force: bool,
    /// Show the source of the files that the trace names, as it is on disk now
    #[arg(long)]
    source: bool,
    /// Fold calls and leave out rows that have less than this share of the whole
    #[arg(long, value_name = "PERCENT", default_value = "0.001", value_parser = percent)]
    min: f64,
}

impl HtmlArgs {
    /// Writes the page.
    pub fn run(self) -> Result<(), DumpError> {
        let words: Vec<PathBuf> = self.traces.iter().chain(&self.diff).cloned().collect();
        let files = files(&words).map_err(TracesError::from)?;
        // Whoever may not write there should not wait for the reading first.
        let target = (self.output.as_os_str() != "-").then(|| Target::new(&self.output, self.force, &files));
        let target = target.transpose()?;
        let page = match &self.diff {
            Some(old) => self.page_of_diff(old)?,
            None => self.page_of_profile()?,
        };
        match target {
            Some(target) => Ok(target.write(page.as_bytes())?),
            None => write_out(&mut io::stdout().lock(), &page),
        }
    }

    fn page_of_profile(&self) -> Result<String, DumpError> {
        let profile = ManuallyDrop::new(Profile::new(traces::read(&self.traces, Keep::History)?));
        Ok(page(&profile, &Options { min_percent: self.min, source: self.source })?)
    }

    fn page_of_diff(&self, old: &PathBuf) -> Result<String, DumpError> {
        let profile = |words: &[PathBuf]| traces::read(words, Keep::Last).map(Profile::new);
        let diff = Diff::new(&profile(std::slice::from_ref(old))?, &profile(&self.traces)?);
        Ok(page_of_diff(&diff, self.min)?)
    }
}
