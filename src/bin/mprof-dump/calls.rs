//! `mprof-dump calls`: the full stream of calls, a line for each call that is over, as it is read.

use super::progress::Watched;
use super::traces::TracesError;
use super::DumpError;
use clap::Args;
use mprof::format::ids::SubId;
use mprof::tools::calls::{Call, Counters, Player};
use mprof::tools::profile::names;
use mprof::tools::reader::{read_file_watched, Keep, ReadError};
use mprof::tools::render::printable;
use mprof::tools::trace::Trace;
use regex::Regex;
use serde_json::json;
use std::collections::HashMap;
use std::io::{self, BufWriter, Write};
use std::path::PathBuf;

/// What is asked for.
#[derive(Args)]
pub struct CallsArgs {
    /// The trace to read, of a run with calls=1
    #[arg(value_name = "TRACE")]
    trace: PathBuf,
    /// Print pages of the process's virtual size instead of live bytes
    #[arg(long)]
    pages: bool,
    /// Only calls of subs with a name that this regular expression matches
    #[arg(long, value_name = "REGEX")]
    filter: Option<Regex>,
}

/// A sub's name as it is printed; `None` where the filter leaves it out.
type Names = HashMap<SubId, Option<String>>;

impl CallsArgs {
    /// Writes the calls to standard output: `function:before:after`, or with `json` an object on each line.
    pub fn run(self, json: bool) -> Result<(), DumpError> {
        let mut out = BufWriter::new(io::stdout().lock());
        let (mut player, mut names) = (Player::new(), Names::new());
        let mut written = Ok(());
        let mut any = false;
        let trace = read_file_watched(&self.trace, Keep::Last, Watched::new, |trace, record| {
            any = true;
            if written.is_ok() {
                written =
                    player.play(trace, record, |trace, call| self.write(trace, &call, &mut names, json, &mut out));
            }
        })
        .map_err(TracesError::from)?;
        written?;
        out.flush()?;
        if !any {
            return Err(TracesError::from(ReadError::NoCalls(self.trace)).into());
        }
        let mut notes: Vec<String> = trace.warnings.iter().map(ToString::to_string).collect();
        if player.is_cut {
            notes.push("the stream of calls ends at calls_max; later calls are not in it".to_owned());
        }
        if player.open_calls() > 0 {
            notes.push(format!("{} calls were not over when the stream ended; they are left out", player.open_calls()));
        }
        for note in notes {
            // The lines are no worse for a standard error that nobody reads.
            let _ = writeln!(io::stderr(), "mprof-dump: warning: {}", printable(&note));
        }
        Ok(())
    }

    fn write(
        &self,
        trace: &Trace,
        call: &Call,
        names: &mut Names,
        json: bool,
        out: &mut impl Write,
    ) -> Result<(), DumpError> {
        let Some(node) = trace.nodes.get(call.node.index()) else { return Ok(()) };
        let name = names.entry(node.sub).or_insert_with(|| {
            let name = names::sub(trace, node.sub);
            self.filter.as_ref().is_none_or(|filter| filter.is_match(&name)).then_some(name)
        });
        let Some(name) = name else { return Ok(()) };
        if json {
            let counters = |counters: &Counters| {
                json!({
                    "live_bytes": counters.live_bytes,
                    "scalars": counters.scalars,
                    "size_pages": counters.size_pages,
                    "resident_pages": counters.resident_pages,
                })
            };
            let object = json!({
                "function": name,
                "node_id": call.node.0,
                "interpreter": call.interpreter,
                "depth": call.depth,
                "before": counters(&call.before),
                "after": counters(&call.after),
            });
            return Ok(writeln!(out, "{object}")?);
        }
        let (before, after) = if self.pages {
            (call.before.size_pages, call.after.size_pages)
        } else {
            (call.before.live_bytes, call.after.live_bytes)
        };
        Ok(writeln!(out, "{}:{before}:{after}", printable(name))?)
    }
}
