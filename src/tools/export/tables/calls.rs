//! `calls`: each call of a run with `calls=1`, with the process's counters before and after it.
//!
//! The stream of calls may be larger than all else in the trace, and is not kept when a trace is read: the file is read
//! a second time. `id`, `function`, `before` and `after` are called as in the module of 2007, whose queries are to run.

use super::super::metric::LeftOut;
use super::super::run::Run;
use super::super::ExportError;
use super::{number, text, Cell, Column, Each, Kind, Table};
use crate::tools::calls::{Call, Player};
use crate::tools::reader::{read_file_watched, Keep};
use crate::tools::trace::CHUNK_KINDS;

/// The table.
pub(super) struct Calls;

#[rustfmt::skip]
const COLUMNS: &[(&str, Kind)] = &[
    ("run_id", Kind::Integer),
    ("id", Kind::Integer),
    ("function", Kind::Text),
    ("before", Kind::Integer),
    ("after", Kind::Integer),
    ("before_scalars", Kind::Integer),
    ("after_scalars", Kind::Integer),
    ("before_size_pages", Kind::Integer),
    ("after_size_pages", Kind::Integer),
    ("before_resident_pages", Kind::Integer),
    ("after_resident_pages", Kind::Integer),
    ("node_id", Kind::Integer),
    ("depth", Kind::Integer),
    ("interpreter", Kind::Integer),
];

impl Table for Calls {
    fn name(&self) -> &'static str {
        "calls"
    }

    fn key(&self) -> &'static [&'static str] {
        &["run_id", "id"]
    }

    fn columns(&self) -> Box<dyn Iterator<Item = Column> + '_> {
        Box::new(COLUMNS.iter().map(|&(name, kind)| Column { name, kind }))
    }

    fn rows(&self, run: &Run, each: &mut Each) -> Result<LeftOut, ExportError> {
        let trace = &run.profile.trace;
        let kind = CHUNK_KINDS.iter().position(|&kind| kind == "calls");
        let chunks = kind.and_then(|kind| trace.chunk_counts.get(kind)).map_or(0, |count| count.chunks);
        if chunks == 0 {
            return Ok(LeftOut::default());
        }
        let (mut player, mut id, mut done) = (Player::new(), 0u64, Ok(()));
        read_file_watched(
            &trace.path,
            Keep::Last,
            |file| file,
            |tables, record| {
                if done.is_ok() {
                    done = player.play(tables, record, |_, call| {
                        id += 1;
                        each(&row(run, id, &call))
                    });
                }
            },
        )?;
        done?;
        let open_calls = player.open_calls() as u64;
        Ok(LeftOut { open_calls, cut_streams: u64::from(player.is_cut), ..LeftOut::default() })
    }
}

fn row<'a>(run: &'a Run, id: u64, call: &Call) -> [Cell<'a>; COLUMNS.len()] {
    let sub = run.profile.trace.nodes.get(call.node.index()).and_then(|node| run.subs.get(node.sub.index()));
    let (before, after) = (&call.before, &call.after);
    [
        Cell::Integer(run.id),
        number(id),
        text(sub),
        number(before.live_bytes),
        number(after.live_bytes),
        number(before.scalars),
        number(after.scalars),
        number(before.size_pages),
        number(after.size_pages),
        number(before.resident_pages),
        number(after.resident_pages),
        number(call.node.0),
        number(call.depth as u64),
        number(call.interpreter),
    ]
}
