//! `lines`: figures by line of a file.

use super::{inherited, with_note_on_scalars, Options, Report};
use crate::tools::document::{Section, Value};
use crate::tools::profile::{LineRow, Profile};
use crate::tools::select::{Column, UnknownColumn};

/// The report.
pub(super) struct Lines;

type Of = Column<LineRow>;

/// Its columns.
#[rustfmt::skip]
pub(super) const COLUMNS: &[Column<LineRow>] = &[
    Of::new("calls", "calls", |row| Value::Count(row.calls)).on_demand(),
    Of::new("self_allocated_bytes", "self\nallocated\nbytes", |row| Value::Bytes(row.own.allocated_bytes)),
    Of::new("self_allocated_blocks", "self\nallocated\nblocks", |row| Value::Count(row.own.allocated_blocks)).on_demand(),
    Of::new("inclusive_allocated_bytes", "inclusive\nallocated\nbytes", |row| Value::Bytes(row.inclusive.allocated_bytes)).spare(),
    Of::new("inclusive_allocated_blocks", "inclusive\nallocated\nblocks", |row| Value::Count(row.inclusive.allocated_blocks)).on_demand(),
    Of::new("self_live_bytes", "self\nlive\nbytes", |row| Value::Bytes(row.own.live_bytes)),
    Of::new("self_live_blocks", "self\nlive\nblocks", |row| Value::Count(row.own.live_blocks)).on_demand(),
    Of::new("inclusive_live_bytes", "inclusive\nlive\nbytes", |row| Value::Bytes(row.inclusive.live_bytes)).on_demand(),
    Of::new("self_base_live_bytes", "self\nlive at fork\nbytes", |row| Value::Bytes(row.own.base_live_bytes)).on_demand(),
    Of::new("self_base_live_blocks", "self\nlive at fork\nblocks", |row| Value::Count(row.own.base_live_blocks)).on_demand(),
    Of::new("self_at_peak_bytes", "self\nat peak\nbytes", |row| Value::Bytes(row.own.at_peak_bytes)),
    Of::new("self_at_peak_blocks", "self\nat peak\nblocks", |row| Value::Count(row.own.at_peak_blocks)).on_demand(),
    Of::new("self_born_scalars", "self\nborn\nscalars", |row| Value::Count(row.own.scalars_born)).on_demand(),
    Of::new("self_died_scalars", "self\ndied\nscalars", |row| Value::Count(row.own.scalars_died)).on_demand(),
    Of::new("self_net_scalars", "self\nnet\nscalars", |row| Value::Signed(row.own.net_scalars())).spare(),
    Of::new("file", "file", |row| Value::Path(row.file.to_string())).json_only(),
    Of::new("line", "line", |row| Value::Count(row.line.into())).json_only().ascending(),
    Of::new("location", "line of file", |row| Value::Path(location(row))).text_only(),
    Of::new("sub", "sub", |row| Value::Name(row.sub.to_string())).on_demand(),
    Of::new("subs", "subs", |row| Value::Count(row.subs)).on_demand(),
    Of::new("shown_sub", "in sub", |row| Value::Name(shown_sub(row))).text_only(),
];

fn location(row: &LineRow) -> String {
    if row.file.is_empty() && row.line == 0 {
        return "(no statement)".to_owned();
    }
    format!("{}:{}", row.file, row.line)
}

fn shown_sub(row: &LineRow) -> String {
    match row.notable_subs {
        0 | 1 => row.sub.to_string(),
        subs => format!("{} and {} more", row.sub, subs - 1),
    }
}

impl Report for Lines {
    fn name(&self) -> &'static str {
        "lines"
    }

    fn sections(&self, profile: &Profile, options: &Options) -> Result<Vec<Section>, UnknownColumn> {
        let table = options.selection.table(COLUMNS, profile.lines(), "self_allocated_bytes", inherited(profile))?;
        Ok(vec![with_note_on_scalars(Section::table("lines", "", table), options)])
    }
}
