//! The reports. Each is a file of its own that turns a [`Profile`] into a [`Document`]; none knows of another.
//!
//! `diff` alone is of two traces, and no [`Report`].
//!
//! To add one: write its file, add it to [`REPORTS`]. No report prints, and none sums: what a figure means is settled in
//! [`crate::tools::profile`].

mod classes;
pub mod diff;
mod files;
mod info;
mod leaks;
mod lines;
mod modules;
mod subs;
mod summary;
mod timeline;
mod tree;

pub(super) use leaks::{advice, reason, why};

use super::document::{Document, Section};
use super::profile::Profile;
use super::reader::Keep;
use super::select::{Selection, UnknownColumn};

/// What may be asked of a report.
#[derive(Clone, Debug)]
pub struct Options {
    /// Which rows, in which order.
    pub selection: Selection,
    /// `tree` folds what has less than this many percent of the whole. Default: 1.
    pub min_percent: f64,
    /// `leaks` shows all it found, and not only those that matter. Default: no.
    pub all: bool,
}

impl Default for Options {
    fn default() -> Self {
        Options { selection: Selection::default(), min_percent: 1.0, all: false }
    }
}

/// A way to look at a profile.
pub trait Report: Sync {
    /// Its name on the command line and in JSON.
    fn name(&self) -> &'static str;

    /// Does its page show the profile's warnings? Default: no.
    fn warnings_on_page(&self) -> bool {
        false
    }

    /// What it needs of a trace. Default: the last figures.
    fn keep(&self) -> Keep {
        Keep::Last
    }

    /// Can it say nothing of the sum of several traces? Default: it can.
    fn is_of_one_trace(&self) -> bool {
        false
    }

    /// Does it find that anything grows by more than so many bytes per mark, or per second where there are no marks?
    /// Default: it does not tell growth.
    fn grows_by_more_than(&self, _bytes: f64, _profile: &Profile) -> bool {
        false
    }

    /// What it has to say.
    ///
    /// # Errors
    /// Where a column is asked for that it does not have.
    fn sections(&self, profile: &Profile, options: &Options) -> Result<Vec<Section>, UnknownColumn>;
}

/// All reports; the first is the one that is shown where none is named.
pub static REPORTS: &[&dyn Report] = &[
    &summary::Summary,
    &subs::Subs,
    &lines::Lines,
    &tree::Tree,
    &files::Files,
    &modules::Modules,
    &timeline::Timeline,
    &leaks::Leaks,
    &classes::Classes,
    &info::Info,
];

/// The report of that name.
pub fn find(name: &str) -> Option<&'static dyn Report> {
    REPORTS.iter().copied().find(|report| report.name() == name)
}

/// A report as a document.
///
/// # Errors
/// Where a column is asked for that the report does not have.
pub fn document(report: &dyn Report, profile: &Profile, options: &Options) -> Result<Document, UnknownColumn> {
    Ok(Document {
        report: report.name(),
        trace: profile.trace.path.clone(),
        sections: report.sections(profile, options)?,
        warnings: profile.warnings.clone(),
        warnings_on_page: report.warnings_on_page(),
    })
}

/// The columns that a forked child's tables show besides the others.
fn inherited(profile: &Profile) -> &'static [&'static str] {
    if profile.is_child() {
        &["self_base_live_bytes"]
    } else {
        &[]
    }
}

/// A section as it is, or, where it shows scalars born or died, with what must be known of them.
fn with_note_on_scalars(section: Section, options: &Options) -> Section {
    match options.selection.sort.as_deref() {
        Some(column) if column.contains("born") || column.contains("died") => section.note(
            "scalars born and died are lower bounds: what is seen from one statement, call or return to the next",
        ),
        _ => section,
    }
}
