//! `files`: figures by file.

use super::{inherited, with_note_on_scalars, Options, Report};
use crate::tools::document::{Section, Value};
use crate::tools::profile::{FileRow, Profile};
use crate::tools::select::{Column, UnknownColumn};

/// The report.
pub(super) struct Files;

type Of = Column<FileRow>;

#[rustfmt::skip]
const COLUMNS: &[Column<FileRow>] = &[
    Of::new("lines", "lines", |row| Value::Count(row.lines)),
    Of::new("self_allocated_bytes", "allocated\nbytes", |row| Value::Bytes(row.own.allocated_bytes)),
    Of::new("self_allocated_blocks", "allocated\nblocks", |row| Value::Count(row.own.allocated_blocks)).spare(),
    Of::new("self_live_bytes", "live\nbytes", |row| Value::Bytes(row.own.live_bytes)),
    Of::new("self_live_blocks", "live\nblocks", |row| Value::Count(row.own.live_blocks)).spare(),
    Of::new("self_base_live_bytes", "live at fork\nbytes", |row| Value::Bytes(row.own.base_live_bytes)).on_demand(),
    Of::new("self_at_peak_bytes", "at peak\nbytes", |row| Value::Bytes(row.own.at_peak_bytes)),
    Of::new("self_at_peak_blocks", "at peak\nblocks", |row| Value::Count(row.own.at_peak_blocks)).on_demand(),
    Of::new("self_born_scalars", "born\nscalars", |row| Value::Count(row.own.scalars_born)).on_demand(),
    Of::new("self_died_scalars", "died\nscalars", |row| Value::Count(row.own.scalars_died)).on_demand(),
    Of::new("self_net_scalars", "net\nscalars", |row| Value::Signed(row.own.net_scalars())),
    Of::new("file", "file", |row| Value::Path(row.file.to_string())).json_only(),
    Of::new("shown_file", "file", |row| Value::Path(shown_file(row))).text_only(),
];

fn shown_file(row: &FileRow) -> String {
    if row.file.is_empty() {
        return "(no statement)".to_owned();
    }
    row.file.to_string()
}

impl Report for Files {
    fn name(&self) -> &'static str {
        "files"
    }

    fn sections(&self, profile: &Profile, options: &Options) -> Result<Vec<Section>, UnknownColumn> {
        let table = options.selection.table(COLUMNS, &profile.files(), "self_allocated_bytes", inherited(profile))?;
        Ok(vec![with_note_on_scalars(Section::table("files", "", table), options)])
    }
}
