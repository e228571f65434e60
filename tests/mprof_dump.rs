//! `mprof-dump` as a user meets it: arguments, exit codes, what goes where.
#![cfg(feature = "tools")]

use serde_json::Value;
use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};

const TRACE: &str = "t/data/v1.mprof";

/// A server that leaks 400, 220 and 1000 bytes for each mark.
const LEAKY: &str = "t/data/v2.mprof";

const REPORTS: [&str; 10] =
    ["summary", "subs", "lines", "tree", "files", "modules", "timeline", "leaks", "classes", "info"];

fn dump(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_mprof-dump")).args(args).env_remove("NO_COLOR").output().unwrap()
}

fn stdout(args: &[&str]) -> String {
    let output = dump(args);
    assert_eq!(output.status.code(), Some(0), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// Standard error of a call that is to be refused with exit code 2 and nothing on standard output.
fn refused(args: &[&str]) -> String {
    let output = dump(args);
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{args:?}: {stderr}");
    assert!(output.stdout.is_empty(), "{args:?}");
    stderr
}

fn json(args: &[&str]) -> Value {
    serde_json::from_str(&stdout(args)).unwrap()
}

#[test]
fn every_report_is_as_kept() {
    for (report, trace) in REPORTS.iter().flat_map(|report| [(report, TRACE), (report, LEAKY)]) {
        let kept = |ending: &str| {
            let path = trace.replace("mprof", &format!("{report}.{ending}"));
            fs::read_to_string(path).unwrap()
        };
        assert_eq!(stdout(&[report, trace]), kept("txt"));
        assert_eq!(stdout(&[report, "--json", trace]), kept("json"));
        assert_eq!(stdout(&["--bytes", report, trace]), kept("bytes.txt"));
    }
}

#[test]
fn the_summary_is_what_a_trace_alone_shows() {
    assert_eq!(stdout(&[TRACE]), stdout(&["summary", TRACE]));
    assert_eq!(stdout(&["--top", "1", TRACE]), stdout(&["summary", "--top", "1", TRACE]));
}

#[test]
fn without_arguments_it_helps_and_refuses() {
    assert!(refused(&[]).contains("Usage: mprof-dump"));
}

#[test]
fn help_has_examples_and_version_is_a_version() {
    assert!(stdout(&["--help"]).contains("mprof-dump subs --sort self_live_bytes mprof.bin"));
    assert_eq!(stdout(&["--version"]), format!("mprof-dump {}\n", env!("CARGO_PKG_VERSION")));
}

#[test]
fn bad_usage_is_refused() {
    for args in [
        &["subs"][..],
        &["--json"],
        &["nosuch", TRACE],
        &["subs", "--filter", "(", TRACE],
        &["subs", "--top", "x", TRACE],
        &["tree", "--min", "101", TRACE],
        &["tree", "--min", "nan", TRACE],
        &["info", "--sort", "kind", TRACE],
        &["--top", "3", "subs", TRACE],
        &["merge", TRACE],
        &["merge", "-o", "x"],
        &["diff", TRACE],
        &["diff", TRACE, TRACE, TRACE],
        &["diff", "--fail-over", "x", TRACE, TRACE],
        &["diff", "--sort", "nosuch", TRACE, TRACE],
        &["top"],
        &[TRACE, "subs", TRACE],
        &["--color", "pink", TRACE],
        &["html", TRACE],
        &["html", "--json", "-o", "-", TRACE],
        &["html", "-o", "-", "--min", "101", TRACE],
        &["html", "-o", "-", "--source", "--diff", TRACE, TRACE],
        &["html", "-o", "-", "--diff", TRACE],
    ] {
        refused(args);
    }
}

#[test]
fn an_unknown_column_lists_the_columns() {
    let stderr = refused(&["subs", "--sort", "memory", TRACE]);
    assert!(stderr.contains("\"memory\"") && stderr.contains("self_live_bytes"), "{stderr}");
}

#[test]
fn an_unknown_report_lists_the_reports() {
    let stderr = refused(&["nosuch", TRACE]);
    assert!(stderr.contains("\"nosuch\"") && REPORTS.iter().all(|report| stderr.contains(report)), "{stderr}");
}

#[test]
fn a_filter_that_nothing_passes_says_so() {
    assert_eq!(stdout(&["subs", "--filter", "nosuch", TRACE]), "(none of 12 rows)\n");
}

#[test]
fn what_is_no_trace_is_refused_in_one_line() {
    for path in ["Cargo.toml", "/nonexistent", "src", "/dev/null"] {
        let stderr = refused(&[path]);
        assert_eq!(stderr.lines().count(), 1, "{stderr}");
        assert!(stderr.starts_with("mprof-dump: ") && stderr.contains(path), "{stderr}");
    }
}

#[test]
fn a_cut_trace_is_shown_with_a_warning() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("cut.mprof");
    let bytes = fs::read(TRACE).unwrap();
    fs::write(&path, &bytes[..bytes.len() - 30]).unwrap();
    let path = path.to_str().unwrap();
    for report in ["subs", "timeline"] {
        let output = dump(&[report, path]);
        assert_eq!(output.status.code(), Some(0));
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert!(stderr.starts_with("mprof-dump: warning: ") && stderr.contains("were left out"), "{stderr}");
    }
    assert!(stdout(&[path]).contains("warning: "));
    assert_eq!(json(&["--json", path])["warnings"][0]["kind"], "left_out");
}

#[test]
fn rows_are_sorted_filtered_and_cut() {
    let rows = |args: &[&str]| json(args)["subs"]["rows"].as_array().unwrap().clone();
    let all = rows(&["subs", "--json", "--sort", "calls", TRACE]);
    let calls: Vec<u64> = all.iter().map(|row| row["calls"].as_u64().unwrap()).collect();
    assert!(calls.is_sorted_by(|a, b| a >= b), "{calls:?}");
    assert_eq!(rows(&["subs", "--json", "--sort", "calls", "--top", "3", TRACE]), all[..3]);
    let named = rows(&["subs", "--json", "--sort", "name", "--filter", "^Foo::", TRACE]);
    let names: Vec<&str> = named.iter().map(|row| row["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["Foo::new", "Foo::visit", "Foo::walk"]);
    assert_eq!(rows(&["subs", "--json", "--filter", "nosuch", TRACE]), Vec::<Value>::new());
}

#[test]
fn a_tree_says_what_it_folds() {
    let rows = |min: &str| json(&["tree", "--json", "--min", min, TRACE])["tree"]["rows"].as_array().unwrap().clone();
    let whole = rows("0");
    assert!(whole.iter().all(|row| row["kind"] != "folded"));
    for min in ["1", "5", "50", "100"] {
        let folded = rows(min);
        let shown = folded.iter().filter(|row| row["kind"] != "folded").count() as u64;
        let hidden: u64 = folded.iter().map(|row| row["folded_nodes"].as_u64().unwrap()).sum();
        assert_eq!(shown + hidden, whole.len() as u64, "--min {min}");
    }
}

#[test]
fn leaks_are_ranked_filtered_and_cut() {
    let lines = |args: &[&str]| {
        let rows = json(args)["leaks"]["rows"].as_array().unwrap().clone();
        rows.iter().map(|row| row["line"].as_u64().unwrap()).collect::<Vec<_>>()
    };
    assert_eq!(lines(&["leaks", "--json", LEAKY]), [14, 12, 13]);
    assert_eq!(lines(&["leaks", "--json", "--top", "1", LEAKY]), [14]);
    assert_eq!(lines(&["leaks", "--json", "--filter", "nosuch", LEAKY]), Vec::<u64>::new());
    let first = &json(&["leaks", "--json", LEAKY])["leaks"]["rows"][1];
    assert_eq!((&first["reason"]["kind"], &first["growth_scalars_per_call"]), (&"cycle".into(), &4.into()));
    assert_eq!(first["reason"]["path"], "HASH{parent} → My::Node{child}");
}

#[test]
fn growth_over_a_limit_has_an_exit_code_of_its_own() {
    for (limit, code) in [("999", 3), ("1k", 0), ("0.5k", 3), ("1M", 0), ("0", 3)] {
        let output = dump(&["leaks", "--fail-over", limit, LEAKY]);
        assert_eq!(output.status.code(), Some(code), "{limit}");
        assert!(!output.stdout.is_empty());
    }
    for limit in ["", "k", "-1", "1x", "nan"] {
        refused(&["leaks", "--fail-over", limit, LEAKY]);
    }
    assert_eq!(dump(&["leaks", "--fail-over", "0", TRACE]).status.code(), Some(0));
}

#[test]
fn nothing_that_steers_a_terminal_gets_through() {
    for report in REPORTS {
        for (look, trace) in [("--json", TRACE), ("--bytes", TRACE), ("--json", LEAKY), ("--bytes", LEAKY)] {
            let text = stdout(&[report, look, trace]);
            let steers = |c: char| (c.is_control() && c != '\n') || ('\u{202a}'..='\u{202e}').contains(&c);
            assert!(!text.contains(steers), "{report} {look}: {text:?}");
        }
    }
}

#[test]
fn colour_is_used_on_demand_only() {
    assert!(stdout(&["--color", "always", TRACE]).contains('\x1b'));
    assert!(!stdout(&["--color", "never", TRACE]).contains('\x1b'));
    assert!(!stdout(&["--color", "auto", TRACE]).contains('\x1b'));
}

#[test]
fn a_reader_that_has_enough_is_no_failure() {
    let mut child = Command::new(env!("CARGO_BIN_EXE_mprof-dump"))
        .args(["--json", TRACE])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.status.code(), output.stderr), (Some(0), vec![]));
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_a_failure_of_its_own() {
    let full = fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_mprof-dump")).arg(TRACE).stdout(full).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).starts_with("mprof-dump: cannot write the report: "));
}

/// Names of all that is in a folder.
fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn a_page_is_written_whole_and_replaces_nothing_unasked() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("page.html");
    let path = file.to_str().unwrap();
    assert_eq!(stdout(&["html", "-o", path, TRACE]), "");
    let page = fs::read_to_string(path).unwrap();
    assert!(page.starts_with("<!DOCTYPE html>\n") && page.ends_with("</html>\n"));
    assert_eq!(stdout(&["html", "-o", "-", TRACE]), page);

    fs::write(path, "old").unwrap();
    assert!(refused(&["html", "-o", path, TRACE]).contains("page.html is there already; --force replaces it"));
    assert_eq!(fs::read_to_string(path).unwrap(), "old");
    stdout(&["html", "--force", "-o", path, TRACE]);
    assert_eq!(fs::read_to_string(path).unwrap(), page);
    assert_eq!(names(folder.path()), ["page.html"]);
}

#[test]
fn a_page_that_cannot_be_written_is_refused_and_leaves_nothing_behind() {
    let folder = tempfile::tempdir().unwrap();
    let trace = folder.path().join("mprof.bin");
    fs::copy(TRACE, &trace).unwrap();
    let (trace, inside) = (trace.to_str().unwrap(), folder.path().to_str().unwrap());
    for (path, sentence) in [
        ("/nonexistent/page.html", "cannot write /nonexistent/page.html: "),
        ("Cargo.toml/page.html", "cannot write Cargo.toml/page.html: "),
        (inside, "no regular file"),
        ("/dev/full", "no regular file"),
        (trace, "the trace itself"),
    ] {
        let stderr = refused(&["html", "--force", "-o", path, trace]);
        assert!(stderr.contains(sentence) && stderr.lines().count() == 1, "{path}: {stderr}");
    }
    let page = folder.path().join("page.html");
    refused(&["html", "-o", page.to_str().unwrap(), "Cargo.toml"]);
    assert_eq!(names(folder.path()), ["mprof.bin"]);
    assert_eq!(fs::read(trace).unwrap(), fs::read(TRACE).unwrap());
}

#[test]
fn a_page_shows_sources_only_on_demand() {
    let page = stdout(&["html", "-o", "-", TRACE]);
    assert!(page.contains(r#"{"shown":[],"leftOut":[]}"#));
    let with_sources = stdout(&["html", "--source", "-o", "-", TRACE]);
    // Nothing that the golden trace names is here.
    assert!(with_sources.contains(r#"{"shown":[],"leftOut":[{"why":"cannot be read: No such file or directory"#));
}

#[test]
fn a_page_of_a_diff_names_both_traces_and_replaces_neither() {
    let (folder, path) = copies();
    let (old, new, page) = (path("a.bin"), path("a.bin.1"), path("diff.html"));
    assert_eq!(stdout(&["html", "--diff", &old, &new, "-o", &page]), "");
    let html = fs::read_to_string(&page).unwrap();
    assert!(html.contains(&format!("{old} → {new}")) && html.ends_with("</html>\n"));
    assert_eq!(stdout(&["html", "--diff", &old, "-o", "-", &new]), html);
    for trace in [&old, &new] {
        assert!(refused(&["html", "--force", "--diff", &old, &new, "-o", trace]).contains("the trace itself"));
    }
    refused(&["html", "--diff", "Cargo.toml", &new, "-o", &path("other.html")]);
    assert_eq!(names(folder.path()), ["a.bin", "a.bin.1", "diff.html"]);
}

/// A folder with a copy of the trace, as `a.bin` and `a.bin.1`.
fn copies() -> (tempfile::TempDir, impl Fn(&str) -> String) {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().to_owned();
    let path = move |name: &str| root.join(name).to_str().unwrap().to_owned();
    for name in ["a.bin", "a.bin.1"] {
        fs::copy(TRACE, path(name)).unwrap();
    }
    (folder, path)
}

fn entries(folder: &tempfile::TempDir) -> usize {
    fs::read_dir(folder.path()).unwrap().count()
}

#[test]
fn several_traces_are_one_in_every_report() {
    let (_folder, path) = copies();
    for report in ["leaks", "classes"] {
        assert!(refused(&[report, &path("a.bin*")]).contains("one trace at a time"), "{report}");
    }
    for report in REPORTS.into_iter().filter(|report| !["leaks", "classes"].contains(report)) {
        let both = json(&[report, "--json", &path("a.bin*")]);
        assert_eq!(both["warnings"][0]["kind"], "merged", "{report}");
        let named = json(&[report, "--json", &path("a.bin"), &path("a.bin.1")]);
        assert_eq!((&named["subs"], &named["counters"]), (&both["subs"], &both["counters"]), "{report}");
    }
    let rows = |args: &[&str]| json(args)["subs"]["rows"].as_array().unwrap().clone();
    let (one, two) = (rows(&["subs", "--json", TRACE]), rows(&["subs", "--json", &path("a.bin*")]));
    assert_eq!(one.len(), two.len());
    for (one, two) in one.iter().zip(&two) {
        assert_eq!(one["name"], two["name"]);
        for key in ["calls", "self_allocated_bytes", "inclusive_live_bytes", "self_at_peak_bytes", "self_born_scalars"]
        {
            assert_eq!(2 * one[key].as_u64().unwrap(), two[key].as_u64().unwrap(), "{key}");
        }
    }
    let members = json(&["info", "--json", &path("a.bin*")])["members"]["rows"].clone();
    assert_eq!(members.as_array().unwrap().len(), 2);
    assert!(members[1]["trace"].as_str().unwrap().ends_with("a.bin.1"));
}

#[test]
fn a_merged_trace_says_what_its_parts_say_together() {
    let (folder, path) = copies();
    let out = path("out.bin");
    let output = dump(&["merge", "-o", &out, &path("a.bin"), &path("a.bin.1")]);
    assert_eq!((output.status.code(), output.stdout.as_slice()), (Some(0), &b""[..]));
    assert!(String::from_utf8_lossy(&output.stderr).contains("warning: figures are the sums of 2 traces"));
    for report in ["summary", "subs", "lines", "tree", "files", "modules", "timeline"] {
        let (mut written, mut summed) = (json(&[report, "--json", &out]), json(&[report, "--json", &path("a.bin*")]));
        for report in [&mut written, &mut summed] {
            report["trace"] = Value::Null;
        }
        assert_eq!(written, summed, "{report}");
    }
    assert!(refused(&["leaks", &out]).contains("one trace at a time"));
    let page = stdout(&["html", "-o", "-", &path("a.bin*")]);
    assert!(page.contains("</html>"));
    // What is there is replaced only on demand, and nothing else is left in the folder.
    let before = fs::read(&out).unwrap();
    assert!(refused(&["merge", "-o", &out, TRACE]).contains("--force"));
    assert_eq!(fs::read(&out).unwrap(), before);
    refused(&["merge", "--force", "-o", &path("a.bin"), &path("a.bin")]);
    refused(&["merge", "-o", &path("new.bin"), TRACE, "Cargo.toml"]);
    refused(&["merge", "-o", &path("no/such/folder/new.bin"), TRACE]);
    refused(&["merge", "-o", "/dev/full", "--force", TRACE]);
    assert_eq!(entries(&folder), 3);
    assert_eq!(dump(&["merge", "--force", "-o", &out, TRACE]).status.code(), Some(0));
    assert_ne!(fs::read(&out).unwrap(), before);
    assert_eq!(entries(&folder), 3);
}

#[test]
fn a_member_that_is_damaged_is_told_and_one_that_is_none_refused() {
    let (_folder, path) = copies();
    let bytes = fs::read(TRACE).unwrap();
    fs::write(path("a.bin.1"), &bytes[..bytes.len() - 30]).unwrap();
    let warnings = json(&["subs", "--json", &path("a.bin*")])["warnings"].clone();
    let texts: Vec<&str> = warnings.as_array().unwrap().iter().map(|row| row["text"].as_str().unwrap()).collect();
    assert!(texts.iter().any(|text| text.contains("a.bin.1") && text.contains("were left out")), "{texts:?}");
    fs::write(path("a.bin.2"), "no trace").unwrap();
    assert!(refused(&["subs", &path("a.bin*")]).contains("a.bin.2 is no trace"));
    assert!(refused(&["subs", &path("nosuch*")]).contains("no file matches"));
}

#[test]
fn a_diff_of_a_trace_with_itself_is_empty() {
    let diff = json(&["diff", "--json", TRACE, TRACE]);
    for table in ["subs", "lines", "paths"] {
        assert_eq!(diff[table]["rows"], serde_json::json!([]), "{table}");
    }
    assert_eq!(diff["totals"]["difference_allocated_bytes"], 0);
    assert!(stdout(&["diff", "--fail-over", "0", TRACE, TRACE]).contains("what does not differ is in no table"));
}

#[test]
fn a_diff_fails_where_more_grew_than_may() {
    let (_folder, path) = copies();
    let pattern = path("a.bin*");
    let diff = json(&["diff", "--json", TRACE, &pattern]);
    let grown = diff["totals"]["difference_allocated_bytes"].as_u64().unwrap();
    assert_eq!(diff["subs"]["rows"][0]["old_allocated_bytes"], diff["subs"]["rows"][0]["difference_allocated_bytes"]);
    let most = grown.to_string();
    assert_eq!(dump(&["diff", "--fail-over", &most, TRACE, &pattern]).status.code(), Some(0));
    let output = dump(&["diff", "--fail-over", &(grown - 1).to_string(), TRACE, &pattern]);
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(3), "{stderr}");
    assert!(stderr.contains("allocated bytes grew by") && !stderr.contains("live bytes grew"), "{stderr}");
    assert!(!output.stdout.is_empty());
    assert_eq!(dump(&["diff", "--fail-over", "1k", TRACE, &pattern]).status.code(), Some(3));
    // What shrinks is no growth.
    assert_eq!(dump(&["diff", "--fail-over", "0", &pattern, TRACE]).status.code(), Some(0));
}

#[test]
fn a_diff_is_sorted_by_the_absolute_difference() {
    let (_folder, path) = copies();
    let rows = json(&["diff", "--json", "--sort", "difference_live_bytes", "--top", "99", &path("a.bin*"), TRACE]);
    let differences: Vec<i64> = rows["lines"]["rows"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["difference_live_bytes"].as_i64().unwrap())
        .collect();
    assert!(differences.len() > 5 && differences.iter().all(|difference| *difference <= 0));
    assert!(differences.is_sorted(), "{differences:?}");
}

#[test]
fn top_prints_one_frame_and_wants_a_terminal_for_more() {
    let frame = stdout(&["top", "--once", TRACE]);
    assert_eq!(frame.lines().count(), 24);
    assert!(frame.lines().all(|line| line.chars().count() <= 80) && frame.contains("grown*"), "{frame}");
    assert!(refused(&["top", TRACE]).contains("--once"));
    assert!(refused(&["top", "--once", "/nonexistent"]).contains("/nonexistent"));
    assert!(refused(&["top", "--once", "Cargo.toml"]).contains("no trace"));
    assert!(refused(&["top", "--once", "4294967295"]).contains("no process"));
    assert!(stdout(&["top", "--once", "--follow", "/nonexistent"]).starts_with("waiting for"));
}
