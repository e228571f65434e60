//! The page as a whole: what is on it, that nothing in a trace can act in it, how big it gets.

use super::{page, page_of_diff, Options};
use crate::format::ids::{NodeId, PlaceId, StrId};
use crate::format::records::*;
use crate::tools::diff::Diff;
use crate::tools::profile::Profile;
use crate::tools::synthetic::Synthetic;
use serde_json::Value;

/// The data that the script of a page gets.
fn data_of(page: &str) -> Value {
    let (_, rest) = page.split_once("<script type=\"application/json\" id=\"data\">").unwrap();
    let (data, _) = rest.split_once("</script>").unwrap();
    serde_json::from_str(data).unwrap()
}

fn place(id: PlaceId, allocated_bytes: u64) -> PlaceFigures {
    PlaceFigures {
        id,
        allocated_bytes,
        allocated_blocks: 1 + allocated_bytes / 100,
        live_bytes: allocated_bytes / 3,
        live_blocks: 1,
        at_peak_bytes: allocated_bytes / 2,
        at_peak_blocks: 1,
        peak_number: 1,
        scalars_born: allocated_bytes / 50,
        scalars_died: allocated_bytes / 70,
    }
}

fn profile_of(trace: &mut Synthetic) -> Profile {
    let totals = Totals { allocated_bytes: 1 << 40, peak_number: 1, ..Totals::default() };
    trace.snapshot(5_000_000_000, Cause::Exit, totals);
    trace.end(5_000_000_000, Cause::Exit);
    Profile::new(trace.read().unwrap())
}

/// A tree of `nodes` nodes below as many subs as a big program has, each allocating about as much as any other: the
/// worst there is to fold.
fn even(nodes: u32) -> Profile {
    let mut trace = Synthetic::new(Header::default());
    let main = trace.sub(SubKind::Main, "", "", "big.pl", 0);
    let root = trace.root(main);
    let file = trace.string("lib/Some/Distribution/With/Long/Names/Module.pm");
    let subs: Vec<_> = (0..10_000)
        .map(|at| {
            trace.sub(SubKind::Perl, &format!("Some::Module{}", at % 700), &format!("method_{at}"), "lib/X.pm", at)
        })
        .collect();
    let mut parents = vec![root];
    let (mut figures, mut calls) = (Vec::new(), Vec::new());
    for at in 1..nodes {
        let parent = parents[(at as usize * 7919) % parents.len().min(1 + at as usize / 3)];
        let node = trace.node(parent, subs[(at as usize * 31) % subs.len()], file, at % 50_000);
        parents.push(node);
        let bytes = 100_000 + u64::from(at) * 7919 % 100_000;
        figures.push(place(trace.place(node, file, at % 60_000), bytes));
        calls.push(NodeFigures { id: node, calls: u64::from(at), freed_bytes: bytes / 2, ..Default::default() });
    }
    trace.figures(calls, figures);
    profile_of(&mut trace)
}

#[test]
fn a_profile_of_100_000_nodes_makes_a_page_below_5_mb() {
    let profile = even(100_000);
    for min_percent in [0.01, 0.0] {
        let page = page(&profile, &Options { min_percent, ..Options::default() }).unwrap();
        assert!(page.len() < 5_000_000, "{} bytes with --min {min_percent}", page.len());
    }
}

#[test]
fn what_is_folded_is_counted_and_nothing_is_lost() {
    let profile = even(40_000);
    let data = data_of(&page(&profile, &Options { min_percent: 0.1, ..Options::default() }).unwrap());
    let tree = &data["tree"];
    let (all, shown) = (tree["nodesInAll"].as_u64().unwrap(), tree["nodesShown"].as_u64().unwrap());
    let folded: u64 = tree["folded"].as_object().unwrap().values().map(|nodes| nodes.as_u64().unwrap()).sum();
    assert!(shown < 10_000 && folded > 0);
    assert_eq!((all, shown + folded), (40_000, all));
    let allocated: u64 = tree["own"][0].as_array().unwrap().iter().map(|bytes| bytes.as_u64().unwrap()).sum();
    assert_eq!(allocated, profile.all.allocated_bytes);
}

#[test]
fn a_tree_is_written_depth_first_below_everything() {
    let mut trace = Synthetic::new(Header::default());
    let run = trace.string("run.pl");
    let [main, outer, inner] = ["", "outer", "inner"].map(|name| {
        let kind = if name.is_empty() { SubKind::Main } else { SubKind::Perl };
        trace.sub(kind, "main", name, "run.pl", 1)
    });
    let root = trace.root(main);
    let below = trace.node(root, outer, run, 3);
    let deepest = trace.node(below, inner, run, 4);
    let beside = trace.node(root, inner, run, 5);
    let places = [root, below, deepest, beside].map(|node| trace.place(node, run, 9));
    trace.figures(vec![], places.iter().zip([4, 30, 200, 1000]).map(|(&id, bytes)| place(id, bytes)).collect());
    let data = data_of(&page(&profile_of(&mut trace), &Options::default()).unwrap());
    let strings = data["strings"].as_array().unwrap();
    let names: Vec<&str> = data["tree"]["name"]
        .as_array()
        .unwrap()
        .iter()
        .map(|name| strings[name.as_u64().unwrap() as usize].as_str().unwrap())
        .collect();
    assert_eq!(names, ["(everything)", "(main program)", "main::outer", "main::inner", "main::inner"]);
    assert_eq!(data["tree"]["depth"], serde_json::json!([0, 1, 2, 3, 2]));
    assert_eq!(data["tree"]["own"][0], serde_json::json!([0, 4, 30, 200, 1000]));
}

/// A program whose main program calls subs, each once, that allocate so many bytes.
fn calling(subs: &[(&str, u64)]) -> Profile {
    let mut trace = Synthetic::new(Header::default());
    let run = trace.string("run.pl");
    let main = trace.sub(SubKind::Main, "", "", "run.pl", 0);
    let root = trace.root(main);
    let (mut calls, mut places) = (vec![], vec![]);
    for (at, &(name, bytes)) in subs.iter().enumerate() {
        let sub = trace.sub(SubKind::Perl, "P", name, "run.pl", 10);
        let id = trace.node(root, sub, run, 3);
        calls.push(NodeFigures { id, calls: 1 + at as u64, ..Default::default() });
        places.push(place(trace.place(id, run, 11), bytes));
    }
    trace.figures(calls, places);
    profile_of(&mut trace)
}

#[test]
fn a_diff_draws_both_trees_as_one_by_what_is_more() {
    let evil = "</script><script>alert(1)</script>";
    let old = calling(&[("same", 70), ("shrinks", 900), ("gone", 50)]);
    let new = calling(&[("shrinks", 300), ("same", 70), (evil, 600)]);
    let page = page_of_diff(&Diff::new(&old, &new), 0.0).unwrap();
    assert_eq!((page.matches("<script").count(), page.matches("</script").count()), (3, 3));
    let data = data_of(&page);
    let names: Vec<&str> = data["tree"]["name"]
        .as_array()
        .unwrap()
        .iter()
        .map(|name| data["strings"][name.as_u64().unwrap() as usize].as_str().unwrap())
        .collect();
    let evil = format!("P::{evil}");
    assert_eq!(names, ["(everything)", "(main program)", "P::same", "P::shrinks", "P::gone", &evil]);
    assert_eq!(data["tree"]["own"][0], serde_json::json!([0, 0, 0, -600, -50, 600]));
    assert_eq!(data["tree"]["before"]["own"][0], serde_json::json!([0, 0, 70, 900, 50, 0]));
    assert_eq!(data["tree"]["calls"], serde_json::json!([0, 0, 1, -1, -3, 3]));
    assert_eq!(data["tree"]["before"]["calls"], serde_json::json!([0, 0, 1, 2, 3, 0]));
    let views: Vec<_> =
        data["tables"].as_array().unwrap().iter().map(|table| table["view"].as_str().unwrap()).collect();
    assert_eq!(views, ["subs", "lines", "paths"]);
}

#[test]
fn what_a_diff_folds_is_summed_up_and_its_page_stays_below_5_mb() {
    let (old, new) = (even(2), even(100_000));
    for diff in [Diff::new(&old, &new), Diff::new(&new, &old)] {
        let page = page_of_diff(&diff, 0.0).unwrap();
        assert!(page.len() < 5_000_000, "{} bytes", page.len());
        let data = data_of(&page);
        assert!(data["tree"]["folded"].as_object().is_some_and(|folded| !folded.is_empty()));
        let sum: i64 = data["tree"]["own"][0].as_array().unwrap().iter().map(|more| more.as_i64().unwrap()).sum();
        let own = |profile: &Profile| profile.all.allocated_bytes as i64;
        assert_eq!(sum.abs(), own(&new) - own(&old));
    }
}

#[test]
fn no_name_in_a_trace_is_more_than_text_on_the_page() {
    let evil = "</script><script>alert(1)</script><img src=x onerror=alert(2)>";
    let mut header = Header { hostname: evil.to_owned(), ..Header::default() };
    header.command_line = vec![b"perl".to_vec(), evil.as_bytes().to_vec(), b"\"'&\xff\xe2\x80\xa8".to_vec()];
    let mut trace = Synthetic::new(header);
    let sub = trace.sub(SubKind::Perl, evil, evil, evil, 1);
    let file = trace.string(evil);
    let root: NodeId = trace.root(sub);
    let node = trace.node(root, sub, file, 3);
    let at = trace.place(node, file, 1);
    let nowhere = trace.place(node, StrId(0), 0);
    trace.figures(vec![], vec![place(at, 5000), place(nowhere, 7000)]);
    let page = page(&profile_of(&mut trace), &Options { source: true, ..Options::default() }).unwrap();
    assert_eq!(page.matches("<script").count(), 3);
    assert_eq!(page.matches("</script").count(), 3);
    assert_eq!(page.matches("<img").count(), 0);
    let strings = data_of(&page)["strings"].clone();
    assert!(strings.as_array().unwrap().contains(&format!("{evil}::{evil}").into()));
}

#[test]
fn the_policy_lets_nothing_run_but_the_script_of_the_page() {
    let mut trace = Synthetic::new(Header::default());
    let page = page(&profile_of(&mut trace), &Options::default()).unwrap();
    assert!(page.contains("content=\"default-src 'none'; script-src 'sha256-"));
    for (open, close) in [("<script>", "</script>"), ("<style>", "</style>")] {
        let (_, rest) = page.split_once(open).unwrap();
        let (text, _) = rest.split_once(close).unwrap();
        assert!(page.contains(&format!("'{}'", super::embed::hash(text))), "{open}");
    }
    for refused in [" onclick=", " onload=", " style=", "http://", "https://", "unsafe-"] {
        let (before, _) = page.split_once("<script type").unwrap();
        assert!(!before.contains(refused), "{refused}");
    }
}
