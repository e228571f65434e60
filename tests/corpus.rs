//! What the fuzzer has found of ways through the reader: each stays one that ends well.
#![cfg(feature = "tools")]

use mprof::tools::profile::Profile;
use mprof::tools::reader::{read_file_through, Keep};
use mprof::tools::render::{json::json, text::text, text::Look};
use mprof::tools::report::{document, Options, REPORTS};
use std::path::PathBuf;

fn corpus() -> Vec<PathBuf> {
    let mut files: Vec<_> =
        std::fs::read_dir("fuzz/corpus/reader").unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

/// As the fuzz target `reader` does, and more: a refusal is one line that names the file.
#[test]
fn every_file_is_shown_or_refused_in_one_sentence() {
    let (mut shown, mut refused) = (0, 0);
    for path in corpus() {
        // A panic is known by the file it is about.
        println!("{}", path.display());
        match read_file_through(&path, Keep::History, |file| file) {
            Ok(trace) => {
                assert!(trace.warnings.iter().all(|warning| !warning.to_string().contains('\n')));
                let profile = Profile::new(trace);
                for report in REPORTS {
                    let document = document(*report, &profile, &Options::default()).unwrap();
                    assert!(!json(&document).is_empty());
                    assert!(!text(&document, &Look { exact: false, styled: true, width: Some(80) }).is_empty());
                }
                shown += 1;
            }
            Err(error) => {
                let sentence = error.to_string();
                assert!(sentence.contains(&*path.to_string_lossy()) && !sentence.contains('\n'), "{sentence:?}");
                refused += 1;
            }
        }
    }
    assert!(shown >= 100 && refused >= 10, "{shown} shown, {refused} refused: the corpus is not what it was");
}
