//! `mprof-dump html`: its arguments, and the page into the file that they name.

use super::args::percent;
use super::traces::{self, TracesError};
use super::{write_out, DumpError};
use clap::Args;
use mprof::tools::html::{page, Options};
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
        let files = files(&self.traces).map_err(TracesError::from)?;
        // Whoever may not write there should not wait for the reading first.
        let target = (self.output.as_os_str() != "-").then(|| Target::new(&self.output, self.force, &files));
        let target = target.transpose()?;
        let profile = ManuallyDrop::new(Profile::new(traces::read(&self.traces, Keep::History)?));
        let page = page(&profile, &Options { min_percent: self.min, source: self.source })?;
        match target {
            Some(target) => Ok(target.write(page.as_bytes())?),
            None => write_out(&mut io::stdout().lock(), &page),
        }
    }
}
