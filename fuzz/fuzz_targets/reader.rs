//! Any bytes as a trace: read, sum up and show. Nothing may panic, loop or take memory without bounds.
//! `cargo +nightly fuzz run reader fuzz/corpus/new fuzz/corpus/reader t/data` begins with what was found before and with the
//! golden traces, and adds to `fuzz/corpus/new`, which is not kept.

#![no_main]

use libfuzzer_sys::fuzz_target;
use mprof::tools::profile::Profile;
use mprof::tools::reader::{read_keeping, Keep};
use mprof::tools::render::{json::json, text::text, text::Look};
use mprof::tools::report::{document, Options, REPORTS};
use std::path::Path;

fuzz_target!(|bytes: &[u8]| {
    let Ok(trace) = read_keeping(Path::new("fuzz"), Keep::History, bytes) else { return };
    let profile = Profile::new(trace);
    for report in REPORTS {
        let Ok(document) = document(*report, &profile, &Options::default()) else { continue };
        json(&document);
        text(&document, &Look { exact: false, styled: true, width: Some(80) });
    }
});
