//! `modules`: figures by module, and what it costs to load each.

use super::{inherited, with_note_on_scalars, Options, Report};
use crate::tools::document::{Section, Value};
use crate::tools::profile::{ModuleRow, Profile};
use crate::tools::select::{Column, UnknownColumn};

/// The report.
pub(super) struct Modules;

type Of = Column<ModuleRow>;

#[rustfmt::skip]
const COLUMNS: &[Column<ModuleRow>] = &[
    Of::new("subs", "subs", |row| Value::Count(row.subs)).spare(),
    Of::new("calls", "calls", |row| Value::Count(row.own.calls)).on_demand(),
    Of::new("self_allocated_bytes", "self\nallocated\nbytes", |row| Value::Bytes(row.own.allocated_bytes)),
    Of::new("self_allocated_blocks", "self\nallocated\nblocks", |row| Value::Count(row.own.allocated_blocks)).on_demand(),
    Of::new("self_freed_bytes", "self\nfreed\nbytes", |row| Value::Bytes(row.own.freed_bytes)).on_demand(),
    Of::new("self_net_bytes", "self\nnet\nbytes", |row| Value::SignedBytes(row.own.net_bytes())).on_demand(),
    Of::new("self_live_bytes", "self\nlive\nbytes", |row| Value::Bytes(row.own.live_bytes)),
    Of::new("self_live_blocks", "self\nlive\nblocks", |row| Value::Count(row.own.live_blocks)).on_demand(),
    Of::new("self_base_live_bytes", "self\nlive at fork\nbytes", |row| Value::Bytes(row.own.base_live_bytes)).on_demand(),
    Of::new("self_at_peak_bytes", "self\nat peak\nbytes", |row| Value::Bytes(row.own.at_peak_bytes)).spare(),
    Of::new("self_born_scalars", "self\nborn\nscalars", |row| Value::Count(row.own.scalars_born)).on_demand(),
    Of::new("self_died_scalars", "self\ndied\nscalars", |row| Value::Count(row.own.scalars_died)).on_demand(),
    Of::new("self_net_scalars", "self\nnet\nscalars", |row| Value::Signed(row.own.net_scalars())).spare(),
    Of::new("load_allocated_bytes", "loading\nallocated\nbytes", |row| Value::Bytes(row.load.allocated_bytes)),
    Of::new("load_allocated_blocks", "loading\nallocated\nblocks", |row| Value::Count(row.load.allocated_blocks)).on_demand(),
    Of::new("load_live_bytes", "loading\nlive\nbytes", |row| Value::Bytes(row.load.live_bytes)),
    Of::new("load_at_peak_bytes", "loading\nat peak\nbytes", |row| Value::Bytes(row.load.at_peak_bytes)).on_demand(),
    Of::new("load_net_scalars", "loading\nnet\nscalars", |row| Value::Signed(row.load.net_scalars())).spare(),
    Of::new("load_resident_pages", "loading\nresident\npages", |row| Value::Signed(row.load.resident_pages)).on_demand(),
    Of::new("module", "module", |row| Value::Name(row.module.clone())),
];

impl Report for Modules {
    fn name(&self) -> &'static str {
        "modules"
    }

    fn sections(&self, profile: &Profile, options: &Options) -> Result<Vec<Section>, UnknownColumn> {
        let table = options.selection.table(COLUMNS, &profile.modules(), "self_allocated_bytes", inherited(profile))?;
        let section = Section::table("modules", "", table)
            .note("loading is inclusive: with all that a module loads and calls while it is loaded");
        Ok(vec![with_note_on_scalars(section, options)])
    }
}
