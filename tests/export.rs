//! `mprof-dump export` as a user meets it: arguments, exit codes, what is written where.
#![cfg(feature = "tools")]

use std::fs;
use std::process::{Command, Output};

const TRACE: &str = "t/data/v1.mprof";

fn dump(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_mprof-dump")).args(args).output().unwrap()
}

/// Runs what is to succeed.
fn written(args: &[&str]) -> Vec<u8> {
    let output = dump(args);
    assert_eq!(output.status.code(), Some(0), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

/// Standard error of a call that is to be refused with exit code 2 and nothing on standard output.
fn refused(args: &[&str]) -> String {
    let output = dump(args);
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{args:?}: {stderr}");
    assert!(output.stdout.is_empty(), "{args:?}");
    stderr
}

const FORMATS: [&str; 8] = ["sqlite", "folded", "pprof", "callgrind", "speedscope", "csv", "json", "parquet"];

/// Names of all files below a folder.
fn files_in(folder: &std::path::Path) -> Vec<std::path::PathBuf> {
    let (mut files, mut folders) = (Vec::new(), vec![folder.to_owned()]);
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            if entry.is_dir() {
                folders.push(entry);
            } else {
                files.push(entry);
            }
        }
    }
    files
}

#[test]
fn help_lists_the_formats_with_a_line_each() {
    let help = String::from_utf8(written(&["export", "--help"])).unwrap();
    for format in FORMATS {
        let listed = |line: &&str| line.trim().starts_with(&format!("- {format}: "));
        assert_eq!(help.lines().filter(listed).count(), 1, "{format}: {help}");
    }
}

#[test]
fn an_export_is_replaced_on_demand_only() {
    for format in FORMATS {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("out");
        let path = path.to_str().unwrap();
        written(&["export", "--format", format, "-o", path, TRACE]);
        let files = files_in(folder.path());
        assert_eq!(files.len(), 1, "{format}");
        let first = fs::read(&files[0]).unwrap();
        assert!(!first.is_empty(), "{format}");
        fs::write(&files[0], "mine").unwrap();
        let stderr = refused(&["export", "--format", format, "-o", path, TRACE]);
        assert!(stderr.contains("is there already; --force replaces it"), "{format}: {stderr}");
        assert_eq!(fs::read(&files[0]).unwrap(), b"mine", "{format}");
        written(&["export", "--format", format, "-o", path, "--force", TRACE]);
        assert_eq!(fs::read(&files[0]).unwrap(), first, "{format}");
        assert_eq!(files_in(folder.path()), files, "{format}");
    }
}

#[test]
fn an_export_never_replaces_the_trace() {
    let folder = tempfile::tempdir().unwrap();
    let trace = folder.path().join("trace");
    fs::copy(TRACE, &trace).unwrap();
    let trace = trace.to_str().unwrap();
    let stderr = refused(&["export", "--format", "csv", "--force", "-o", trace, trace]);
    assert!(stderr.contains("is the trace itself"), "{stderr}");
    assert_eq!(fs::read(trace).unwrap(), fs::read(TRACE).unwrap());
}

#[test]
fn a_bad_trace_leaves_no_export() {
    for format in FORMATS {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("out");
        let path = path.to_str().unwrap();
        for bad in ["Cargo.toml", "/nonexistent", "src"] {
            let stderr = refused(&["export", "--format", format, "-o", path, TRACE, bad]);
            assert!(stderr.lines().any(|line| line.starts_with("mprof-dump: ") && line.contains(bad)), "{stderr}");
            assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0, "{format}");
        }
    }
}

#[test]
fn a_target_that_cannot_be_written_is_refused() {
    for format in FORMATS {
        for path in ["/nonexistent/out", "/dev/full", "/proc/out"] {
            let stderr = refused(&["export", "--format", format, "--force", "-o", path, TRACE]);
            assert!(stderr.starts_with("mprof-dump: ") && stderr.contains(path), "{format} to {path}: {stderr}");
        }
    }
}

#[test]
fn text_goes_to_standard_output_and_what_needs_a_file_says_so() {
    for format in FORMATS {
        if ["sqlite", "parquet"].contains(&format) {
            let stderr = refused(&["export", "--format", format, TRACE]);
            assert!(stderr.contains("name it with -o"), "{stderr}");
            continue;
        }
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("out");
        written(&["export", "--format", format, "-o", path.to_str().unwrap(), TRACE]);
        for args in [&["export", "--format", format, TRACE][..], &["export", "--format", format, "-o", "-", TRACE]] {
            assert_eq!(dump(args).stdout, fs::read(&path).unwrap(), "{args:?}");
        }
    }
}

#[test]
fn bad_usage_of_export_is_refused() {
    for args in [
        &["export", TRACE][..],
        &["export", "--format", "csv"],
        &["export", "--format", "xml", TRACE],
        &["export", "--format", "folded", "--metric", "memory", TRACE],
        &["export", "--format", "csv", "--metric", "calls", TRACE],
        &["export", "--format", "folded", "--table", "subs", TRACE],
        &["export", "--format", "csv", "--table", "nosuch", TRACE],
        &["export", "--format", "json", "--json", TRACE],
        &["--bytes", "export", "--format", "json", TRACE],
    ] {
        refused(args);
    }
}

#[test]
fn parquet_grows_by_runs() {
    let folder = tempfile::tempdir().unwrap();
    let table = folder.path().join("fleet");
    let table = table.to_str().unwrap();
    written(&["export", "--format", "parquet", "-o", table, TRACE]);
    let stderr = refused(&["export", "--format", "parquet", "--force", "-o", table, TRACE, TRACE]);
    assert!(stderr.contains("the same run was given twice"), "{stderr}");
    let files = files_in(folder.path());
    let partition = "host=box/run=20261124T210018.000000000Z-4242/places.parquet";
    assert_eq!(files, [folder.path().join("fleet").join(partition)]);
}

#[cfg(target_os = "linux")]
#[test]
fn an_export_to_a_full_standard_output_fails_as_a_report_does() {
    let full = fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let args = ["export", "--format", "csv", TRACE];
    let output = Command::new(env!("CARGO_BIN_EXE_mprof-dump")).args(args).stdout(full).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("cannot write the report: "));
}
