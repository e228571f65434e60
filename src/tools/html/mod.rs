//! A profile as one HTML page that needs nothing else: reports as tables, the call tree, the time line, sources.
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

use super::profile::Profile;
use super::select::UnknownColumn;
use askama::Template;
use data::PageData;
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

#[derive(Template)]
#[template(path = "page.html", config = "src/tools/html/askama.toml", escape = "html")]
struct Page {
    title: String,
    trace: String,
    version: &'static str,
    warnings: Vec<String>,
    views: Vec<View>,
    metrics: &'static [flame::Metric],
    has_source: bool,
    script: &'static str,
    style: &'static str,
    script_hash: String,
    style_hash: String,
    data: String,
    sources: String,
}

/// The page of a profile.
///
/// # Errors
/// Where the page does not fit the reports: a fault of this program, not of the profile.
pub fn page(profile: &Profile, options: &Options) -> Result<String, HtmlError> {
    let mut strings = Strings::default();
    let (views, tables) = tables::views(profile, options.min_percent, &mut strings)?;
    let tree = flame::flame(profile, options.min_percent, &mut strings);
    let timeline = timeline::timeline(profile);
    let files = if options.source { source::named(profile, &mut strings) } else { Vec::new() };
    let metrics = flame::METRICS;
    let data = embed::json(&PageData { strings: strings.into_list(), metrics, tree, timeline, tables })?;
    // Sources get what room is left.
    let sources = source::sources(profile, &files, MOST_BYTES.saturating_sub(data.len()));
    let page = Page {
        title: tables::title(profile),
        trace: super::render::printable(&profile.trace.path.to_string_lossy()).into_owned(),
        version: env!("CARGO_PKG_VERSION"),
        warnings: profile.warnings.iter().map(ToString::to_string).collect(),
        views,
        metrics,
        has_source: options.source,
        script: SCRIPT,
        style: STYLE,
        script_hash: embed::hash(SCRIPT),
        style_hash: embed::hash(STYLE),
        data,
        sources: embed::json(&sources)?,
    };
    // The template's own last newline goes lost.
    Ok(page.render()? + "\n")
}
