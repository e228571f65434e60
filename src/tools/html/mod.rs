//! A profile as one HTML page that needs nothing else: reports as tables, the call tree, the time line, sources. Or a
//! diff: its tables, and both call trees as one, in red and blue.
//!
//! [`page`] gathers [`data::PageData`] and puts it, as JSON, into a template beside the script and the style in
//! `assets/`. What a figure means is settled in [`super::profile`], what a report says in [`super::report`]; how it is
//! drawn, in the script. Here it is decided how much of it fits a page that opens at once.
//!
//! The page makes no request and runs no script but its own: its Content-Security-Policy names both by their hashes,
//! and everything that a trace can name is text or JSON in it, escaped.

mod data;
mod embed;
mod flame;
mod folding;
mod source;
mod strings;
mod tables;
#[cfg(test)]
mod tests;
mod timeline;

use super::diff::Diff;
use super::profile::Profile;
use super::select::UnknownColumn;
use askama::Template;
use data::PageData;
use std::path::Path;
use strings::Strings;
use tables::View;
use thiserror::Error;

/// What may be asked of the page.
#[derive(Clone, Debug)]
pub struct Options {
    /// Folds calls, and leaves out rows of tables, that have less than this many percent of the whole. Default: 0.001.
    pub min_percent: f64,
    /// Reads the source of the files that the trace names, and shows it. Default: no.
    pub source: bool,
}

impl Default for Options {
    fn default() -> Self {
        Options { min_percent: 0.001, source: false }
    }
}

/// Why there is no page.
#[derive(Debug, Error)]
pub enum HtmlError {
    /// The page asks a report for a column that it does not have.
    #[error(transparent)]
    Column(#[from] UnknownColumn),
    /// The template cannot be filled in.
    #[error("cannot make the page: {0}")]
    Template(#[from] askama::Error),
    /// The figures cannot be written as JSON.
    #[error("cannot make the page: {0}")]
    Json(#[from] serde_json::Error),
}

/// The script: a file for each thing that it shows, in one scope of its own.
const SCRIPT: &str = concat!(
    "\"use strict\";\n(() => {\n",
    include_str!("assets/values.js"),
    include_str!("assets/flame.js"),
    include_str!("assets/tables.js"),
    include_str!("assets/timeline.js"),
    include_str!("assets/source.js"),
    include_str!("assets/page.js"),
    "})();\n"
);

const STYLE: &str = include_str!("assets/style.css");

/// Bytes of figures and sources that a page holds at most; the rest of it takes 60,000.
const MOST_BYTES: usize = 4_900_000;

#[derive(Template, Default)]
#[template(path = "page.html", config = "src/tools/html/askama.toml", escape = "html")]
struct Page {
    /// What kind of page it is.
    kind: &'static str,
    title: String,
    /// What it was made from.
    trace: String,
    version: &'static str,
    warnings: Vec<String>,
    views: Vec<View>,
    metrics: &'static [flame::Metric],
    compares: bool,
    has_source: bool,
    script: &'static str,
    style: &'static str,
    script_hash: String,
    style_hash: String,
    data: String,
    sources: String,
}

impl Page {
    /// The page as it is written.
    fn whole(self) -> Result<String, HtmlError> {
        let page = Page {
            version: env!("CARGO_PKG_VERSION"),
            metrics: flame::METRICS,
            script: SCRIPT,
            style: STYLE,
            script_hash: embed::hash(SCRIPT),
            style_hash: embed::hash(STYLE),
            ..self
        };
        // The template's own last newline goes lost.
        Ok(page.render()? + "\n")
    }
}

/// The page of a profile.
///
/// # Errors
/// Where the page does not fit the reports: a fault of this program, not of the profile.
pub fn page(profile: &Profile, options: &Options) -> Result<String, HtmlError> {
    let mut strings = Strings::default();
    let (views, tables) = tables::views(profile, options.min_percent, &mut strings)?;
    let tree = flame::flame(profile, options.min_percent, &mut strings);
    let timeline = Some(timeline::timeline(profile));
    let files = if options.source { source::named(profile, &mut strings) } else { Vec::new() };
    let metrics = flame::METRICS;
    let data = embed::json(&PageData { strings: strings.into_list(), metrics, tree, timeline, tables })?;
    // Sources get what room is left.
    let sources = source::sources(profile, &files, MOST_BYTES.saturating_sub(data.len()));
    let page = Page {
        kind: "Memory profile",
        title: tables::title(profile),
        trace: shown(&profile.trace.path),
        warnings: profile.warnings.iter().map(ToString::to_string).collect(),
        views,
        has_source: options.source,
        data,
        sources: embed::json(&sources)?,
        ..Page::default()
    };
    page.whole()
}

/// The page of two traces side by side. It shows no sources: they would be those of one of them at best.
///
/// # Errors
/// As [`page`].
pub fn page_of_diff(diff: &Diff, min_percent: f64) -> Result<String, HtmlError> {
    let mut strings = Strings::default();
    let (views, tables) = tables::views_of_diff(diff, min_percent, &mut strings)?;
    let tree = flame::flame(diff, min_percent, &mut strings);
    let metrics = flame::METRICS;
    let data = embed::json(&PageData { strings: strings.into_list(), metrics, tree, timeline: None, tables })?;
    let [old, new] = [shown(&diff.old_path), shown(&diff.new_path)];
    let page = Page {
        kind: "Memory diff",
        title: format!("{old} → {new}"),
        trace: format!("{old} and {new}"),
        warnings: diff.warnings.iter().map(ToString::to_string).collect(),
        views,
        compares: true,
        data,
        sources: embed::json(&source::Sources::default())?,
        ..Page::default()
    };
    page.whole()
}

fn shown(path: &Path) -> String {
    super::render::printable(&path.to_string_lossy()).into_owned()
}
