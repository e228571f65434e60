//! `subs`: figures by sub.

use super::{inherited, with_note_on_scalars, Options, Report};
use crate::format::records::SubKind;
use crate::tools::document::{Section, Value};
use crate::tools::profile::{names, Profile, SubRow};
use crate::tools::select::{Column, UnknownColumn};

/// The report.
pub(super) struct Subs;

type Of = Column<SubRow>;

/// Its columns; `name` stands last, where it can be as long as it is.
#[rustfmt::skip]
pub(super) const COLUMNS: &[Column<SubRow>] = &[
    Of::new("calls", "calls", |row| Value::Count(row.own.calls)),
    Of::new("self_allocated_bytes", "self\nallocated\nbytes", |row| Value::Bytes(row.own.allocated_bytes)),
    Of::new("self_allocated_blocks", "self\nallocated\nblocks", |row| Value::Count(row.own.allocated_blocks)).on_demand(),
    Of::new("inclusive_allocated_bytes", "inclusive\nallocated\nbytes", |row| Value::Bytes(row.inclusive.allocated_bytes)),
    Of::new("inclusive_allocated_blocks", "inclusive\nallocated\nblocks", |row| Value::Count(row.inclusive.allocated_blocks)).on_demand(),
    Of::new("self_freed_bytes", "self\nfreed\nbytes", |row| Value::Bytes(row.own.freed_bytes)).on_demand(),
    Of::new("self_freed_blocks", "self\nfreed\nblocks", |row| Value::Count(row.own.freed_blocks)).on_demand(),
    Of::new("inclusive_freed_bytes", "inclusive\nfreed\nbytes", |row| Value::Bytes(row.inclusive.freed_bytes)).on_demand(),
    Of::new("inclusive_freed_blocks", "inclusive\nfreed\nblocks", |row| Value::Count(row.inclusive.freed_blocks)).on_demand(),
    Of::new("self_net_bytes", "self\nnet\nbytes", |row| Value::SignedBytes(row.own.net_bytes())).on_demand(),
    Of::new("self_net_blocks", "self\nnet\nblocks", |row| Value::Signed(row.own.net_blocks())).on_demand(),
    Of::new("inclusive_net_bytes", "inclusive\nnet\nbytes", |row| Value::SignedBytes(row.inclusive.net_bytes())).spare(),
    Of::new("inclusive_net_blocks", "inclusive\nnet\nblocks", |row| Value::Signed(row.inclusive.net_blocks())).on_demand(),
    Of::new("self_live_bytes", "self\nlive\nbytes", |row| Value::Bytes(row.own.live_bytes)),
    Of::new("self_live_blocks", "self\nlive\nblocks", |row| Value::Count(row.own.live_blocks)).on_demand(),
    Of::new("inclusive_live_bytes", "inclusive\nlive\nbytes", |row| Value::Bytes(row.inclusive.live_bytes)).on_demand(),
    Of::new("inclusive_live_blocks", "inclusive\nlive\nblocks", |row| Value::Count(row.inclusive.live_blocks)).on_demand(),
    Of::new("self_base_live_bytes", "self\nlive at fork\nbytes", |row| Value::Bytes(row.own.base_live_bytes)).on_demand(),
    Of::new("self_base_live_blocks", "self\nlive at fork\nblocks", |row| Value::Count(row.own.base_live_blocks)).on_demand(),
    Of::new("self_at_peak_bytes", "self\nat peak\nbytes", |row| Value::Bytes(row.own.at_peak_bytes)),
    Of::new("self_at_peak_blocks", "self\nat peak\nblocks", |row| Value::Count(row.own.at_peak_blocks)).on_demand(),
    Of::new("inclusive_at_peak_bytes", "inclusive\nat peak\nbytes", |row| Value::Bytes(row.inclusive.at_peak_bytes)).on_demand(),
    Of::new("self_born_scalars", "self\nborn\nscalars", |row| Value::Count(row.own.scalars_born)).on_demand(),
    Of::new("self_died_scalars", "self\ndied\nscalars", |row| Value::Count(row.own.scalars_died)).on_demand(),
    Of::new("self_net_scalars", "self\nnet\nscalars", |row| Value::Signed(row.own.net_scalars())).spare(),
    Of::new("inclusive_born_scalars", "inclusive\nborn\nscalars", |row| Value::Count(row.inclusive.scalars_born)).on_demand(),
    Of::new("inclusive_died_scalars", "inclusive\ndied\nscalars", |row| Value::Count(row.inclusive.scalars_died)).on_demand(),
    Of::new("inclusive_net_scalars", "inclusive\nnet\nscalars", |row| Value::Signed(row.inclusive.net_scalars())).on_demand(),
    Of::new("self_resident_pages", "self\nresident\npages", |row| Value::Signed(row.own.resident_pages)).on_demand(),
    Of::new("inclusive_resident_pages", "inclusive\nresident\npages", |row| Value::Signed(row.inclusive.resident_pages)).on_demand(),
    Of::new("self_size_pages", "self\nsize\npages", |row| Value::Signed(row.own.size_pages)).on_demand(),
    Of::new("inclusive_size_pages", "inclusive\nsize\npages", |row| Value::Signed(row.inclusive.size_pages)).on_demand(),
    Of::new("kind", "kind", |row| Value::Text(names::kind(row.kind).to_owned())).on_demand(),
    Of::new("file", "file", |row| Value::Path(row.file.clone())).on_demand(),
    Of::new("line", "line", |row| Value::Count(row.line.into())).on_demand().ascending(),
    Of::new("name", "sub", |row| Value::Name(row.name.clone())).json_only(),
    Of::new("shown_name", "sub", |row| Value::Name(shown_name(row))).text_only(),
];

/// In text a sub written in C says so: there are no lines to look at.
fn shown_name(row: &SubRow) -> String {
    match row.kind {
        SubKind::Xsub => format!("{} (XS)", row.name),
        _ => row.name.clone(),
    }
}

impl Report for Subs {
    fn name(&self) -> &'static str {
        "subs"
    }

    fn sections(&self, profile: &Profile, options: &Options) -> Result<Vec<Section>, UnknownColumn> {
        let table = options.selection.table(COLUMNS, &profile.subs, "self_allocated_bytes", inherited(profile))?;
        Ok(vec![with_note_on_scalars(Section::table("subs", "", table), options)])
    }
}
