//! What the script of the page gets, as JSON. Columns, not rows: a page may hold 100,000 calls, and a field's name
//! before each figure would be most of it.

use super::flame::{Flame, Metric};
use super::tables::PageTable;
use super::timeline::Line;
use serde::Serialize;

/// Everything that the script shows, but for the sources.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct PageData {
    /// Names and paths; everything else names them by their position here.
    pub(super) strings: Vec<String>,
    /// What the call tree can be measured by.
    pub(super) metrics: &'static [Metric],
    /// The call tree.
    pub(super) tree: Flame,
    /// The time line of a profile.
    pub(super) timeline: Option<Line>,
    /// The tables of all views.
    pub(super) tables: Vec<PageTable>,
}
