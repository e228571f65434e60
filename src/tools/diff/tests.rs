//! What a diff promises: the same program with lines moved shows no difference, and what grew stands where it grew.

use super::*;
use crate::format::records::*;
use crate::tools::synthetic::Synthetic;

/// How a program differs from the plain one.
#[derive(Clone, Copy, Default)]
struct Edit {
    /// Lines put in at the top of the file.
    at_top: u32,
    /// Lines put in between the two subs, below the first statement of the main program.
    between: u32,
    /// Bytes more that `P::keep` holds when called from the main program's second statement.
    kept: u64,
    /// Folder that the program lies in.
    folder: &'static str,
}

/// ```text
///  1 use strict;
///  2 sub keep { push @kept, shift }    (body on 3)
/// 10 keep(1);
/// 12 my $f = sub { keep(2) };          (body on 13)
/// 20 sub quiet {...}                   (body on 21)
/// 30 $f->();
/// ```
fn program(edit: Edit) -> Profile {
    let mut trace = Synthetic::new(Header::default());
    // Ids differ from trace to trace.
    (0..edit.at_top).for_each(|n| {
        trace.string(format!("x{n}"));
    });
    let run = format!("{}run.pl", edit.folder);
    let file = trace.string(&run);
    let line = |line: u32| line + edit.at_top + if line > 11 { edit.between } else { 0 };
    let main = trace.sub(SubKind::Main, "", "", &run, 0);
    let anon = trace.sub(SubKind::Perl, "main", &format!("__ANON__[{run}:{}]", line(13)), &run, line(13));
    let keep = trace.sub(SubKind::Perl, "P", "keep", &run, line(3));
    let quiet = trace.sub(SubKind::Perl, "P", "quiet", &run, line(21));
    let root = trace.root(main);
    let first = trace.node(root, keep, file, line(10));
    let in_anon = trace.node(root, anon, file, line(30));
    let second = trace.node(in_anon, keep, file, line(13));
    let in_quiet = trace.node(root, quiet, file, line(30));
    let mut figures = Vec::new();
    for (node, at, bytes) in [
        (root, 10, 11),
        (root, 12, 22),
        (root, 30, 33),
        (first, 4, 44),
        (second, 4, 55 + edit.kept),
        (second, 6, 66),
        (in_quiet, 22, 77),
    ] {
        let id = trace.place(node, file, line(at));
        figures.push(PlaceFigures { id, allocated_bytes: bytes, live_bytes: bytes, ..PlaceFigures::default() });
    }
    let live_bytes = figures.iter().map(|row| row.live_bytes).sum();
    let calls = [root, first, in_anon, second, in_quiet].map(|id| NodeFigures { id, calls: 3, ..Default::default() });
    trace.figures(calls.to_vec(), figures);
    trace.snapshot(9, Cause::Exit, Totals { allocated_bytes: live_bytes, live_bytes, ..Totals::default() });
    Profile::new(trace.read().unwrap())
}

fn nothing_differs(diff: &Diff) {
    assert_eq!((&diff.subs, &diff.lines, &diff.paths), (&vec![], &vec![], &vec![]));
    assert_eq!((diff.grown_live_bytes(), diff.grown_allocated_bytes()), (0, 0));
}

#[test]
fn lines_put_in_above_make_no_difference() {
    let plain = program(Edit::default());
    nothing_differs(&Diff::new(&plain, &plain));
    for (at_top, between) in [(7, 0), (0, 5), (3, 40), (1, 1)] {
        let moved = program(Edit { at_top, between, ..Edit::default() });
        nothing_differs(&Diff::new(&plain, &moved));
        nothing_differs(&Diff::new(&moved, &plain));
    }
}

#[test]
fn a_program_in_another_folder_is_the_same() {
    let elsewhere = program(Edit { folder: "/srv/new/", at_top: 2, ..Edit::default() });
    nothing_differs(&Diff::new(&program(Edit::default()), &elsewhere));
}

#[test]
fn what_grew_stands_where_it_grew() {
    let edit = Edit { at_top: 2, between: 5, kept: 1000, ..Edit::default() };
    let diff = Diff::new(&program(Edit::default()), &program(edit));
    assert_eq!((diff.grown_live_bytes(), diff.grown_allocated_bytes()), (1000, 1000));
    let [sub] = diff.subs.as_slice() else { panic!("{:?}", diff.subs) };
    assert_eq!((sub.name.as_str(), sub.own.old.live_bytes, sub.own.new.live_bytes), ("P::keep", 165, 1165));
    let [line] = diff.lines.as_slice() else { panic!("{:?}", diff.lines) };
    assert_eq!((line.old_line, line.new_line, line.sub.as_str()), (Some(4), Some(6), "P::keep"));
    let [path] = diff.paths.as_slice() else { panic!("{:?}", diff.paths) };
    let expected =
        ["(main program)", "main::__ANON__[run.pl:20] (called on 37)", "P::keep (called on 20)"].map(str::to_owned);
    assert_eq!(diff.path(path.node), expected);
    assert_eq!((path.own.old.live_bytes, path.own.new.live_bytes), (121, 1121));
}

#[test]
fn what_came_and_what_went_is_told_with_all_it_had() {
    let mut trace = Synthetic::new(Header::default());
    let file = trace.string("run.pl");
    let main = trace.sub(SubKind::Main, "", "", "run.pl", 0);
    let come = trace.sub(SubKind::Perl, "Q", "come", "run.pl", 3);
    let root = trace.root(main);
    let node = trace.node(root, come, file, 10);
    let id = trace.place(node, file, 3);
    trace.figures(vec![], vec![PlaceFigures { id, allocated_bytes: 500, ..PlaceFigures::default() }]);
    trace.snapshot(9, Cause::Exit, Totals::default());
    let diff = Diff::new(&program(Edit::default()), &Profile::new(trace.read().unwrap()));
    let names: Vec<_> = diff.subs.iter().map(|sub| (sub.name.as_str(), sub.own.new.allocated_bytes)).collect();
    assert!(names.contains(&("Q::come", 500)) && names.contains(&("P::quiet", 0)), "{names:?}");
    let line = diff.lines.iter().find(|line| line.sub == "Q::come").unwrap();
    assert_eq!((line.old_line, line.new_line), (None, Some(3)));
    let gone = diff.lines.iter().find(|line| line.sub == "P::quiet").unwrap();
    assert_eq!((gone.old_line, gone.new_line, gone.file.as_str()), (Some(22), None, "run.pl"));
}

#[test]
fn empty_traces_differ_in_nothing() {
    let empty = || Profile::new(Synthetic::new(Header::default()).read().unwrap());
    nothing_differs(&Diff::new(&empty(), &empty()));
    let diff = Diff::new(&empty(), &program(Edit::default()));
    assert_eq!(diff.lines.iter().map(|line| line.own.new.allocated_bytes).sum::<u64>(), 308);
    assert_eq!(diff.paths.iter().map(|path| path.own.new.allocated_bytes).sum::<u64>(), 308);
}
