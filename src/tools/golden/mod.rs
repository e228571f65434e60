//! The golden traces, `t/data/v1.mprof` of format version 1, `v2.mprof` of version 2 and `v3.mprof` of version 3, and what
//! every report says of them.
//!
//! The traces must stay readable, with these figures, in every later version. Only what reports look like may change:
//! `cargo test regenerate_the_reports -- --ignored`.

mod v1;
mod v2;
mod v3;

use super::profile::Profile;
use super::reader::{read_keeping, Keep};
use super::render::json::json;
use super::render::text::{text, Look};
use super::report::{document, Options, REPORTS};
use super::synthetic::Synthetic;
use super::trace::Trace;
use std::path::Path;

/// A golden trace: its name, and how it was made.
type Golden = (&'static str, fn() -> Synthetic);

const TRACES: [Golden; 3] = [("v1", v1::trace), ("v2", v2::trace), ("v3", v3::trace)];

fn path(name: &str) -> String {
    format!("t/data/{name}.mprof")
}

fn golden(name: &str) -> Trace {
    let path = path(name);
    read_keeping(Path::new(&path), Keep::History, std::fs::read(&path).unwrap().as_slice()).unwrap()
}

/// Every report of the golden traces in every look: the file it is kept in, and what it says now.
fn reports() -> Vec<(String, String)> {
    let mut reports = Vec::new();
    for (trace, _) in TRACES {
        let profile = Profile::new(golden(trace));
        for report in REPORTS {
            let document = document(*report, &profile, &Options::default()).unwrap();
            let name = format!("t/data/{trace}.{}", report.name());
            reports.push((format!("{name}.json"), json(&document)));
            reports.push((format!("{name}.txt"), text(&document, &Look::default())));
            reports.push((format!("{name}.bytes.txt"), text(&document, &Look { exact: true, ..Look::default() })));
        }
    }
    reports
}

#[test]
#[ignore = "only for a new version of the format: the file of an old one never changes"]
fn regenerate_the_trace() {
    if let Some((name, trace)) = TRACES.last() {
        std::fs::write(path(name), trace().bytes).unwrap();
    }
}

#[test]
#[ignore = "only where reports are meant to look different"]
fn regenerate_the_reports() {
    for (path, report) in reports() {
        std::fs::write(path, report).unwrap();
    }
}

#[test]
fn the_golden_traces_are_read_as_they_were_written() {
    for (name, trace) in TRACES {
        let mut written = trace().read_with_history();
        let read = golden(name);
        // Compressed bytes may differ from one encoder to the next; what they hold may not.
        (written.path, written.file_bytes) = (read.path.clone(), read.file_bytes);
        for (written, read) in written.chunk_counts.iter_mut().zip(read.chunk_counts) {
            written.stored_bytes = read.stored_bytes;
        }
        assert_eq!(read, written, "{name}");
    }
}

#[test]
fn reports_of_the_golden_traces_are_as_kept() {
    for (path, report) in reports() {
        let kept = std::fs::read_to_string(&path).unwrap_or_default();
        assert_eq!(report, kept, "{path}");
    }
}
