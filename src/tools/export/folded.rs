//! `folded`: a stack on each line, `main;Foo::bar 123`, as flame graph scripts and inferno read it.
//!
//! A name cannot hold a semicolon, and not end in a number of its own: what would be read as one is spelled out. Stacks
//! without figures are left out. There are no negative numbers.

use super::metric::{LeftOut, Metric};
use super::stacks::{shown_name, Frame, Stacks, Step};
use super::{ExportError, Options, Traces};
use std::io::Write;

/// Writes the stacks of all traces, those of the same names added.
pub(super) fn write(traces: &mut Traces, options: &Options, out: &mut dyn Write) -> Result<LeftOut, ExportError> {
    let mut stacks = Stacks::default();
    for profile in traces {
        stacks.add(&profile?, |profile, sub| Frame {
            name: frame(&shown_name(profile, sub)),
            file: String::new(),
            line: 0,
        });
    }
    write_stacks(&stacks, options.metric, out)
}

fn write_stacks(stacks: &Stacks, metric: &Metric, out: &mut dyn Write) -> Result<LeftOut, ExportError> {
    let mut left_out = LeftOut::default();
    let mut stack = String::new();
    let mut lengths = Vec::new();
    for step in stacks.walk() {
        match step {
            Step::Enter(frame, own) => {
                lengths.push(stack.len());
                if !stack.is_empty() {
                    stack.push(';');
                }
                stack.push_str(stacks.frames().get(frame).map_or("", |frame| &frame.name));
                let weight = metric.weight(own, &mut left_out);
                if weight > 0 {
                    writeln!(out, "{stack} {weight}")?;
                }
            }
            Step::Leave => stack.truncate(lengths.pop().unwrap_or_default()),
        }
    }
    Ok(left_out)
}

/// A name as one frame of a line.
fn frame(name: &str) -> String {
    let name = name.replace(';', "\\x{3B}");
    match name.rsplit_once(' ') {
        // A number at the end of a stack is a figure.
        Some((before, last)) if last.chars().all(|c| c.is_ascii_digit() || c == '.') => {
            format!("{before}\\x{{20}}{last}")
        }
        _ => name,
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{evil, profiles, recursive, text};
    use super::*;
    use crate::tools::export::metric::{metric, METRICS};

    fn folded(profiles: Vec<crate::tools::profile::Profile>, name: &str) -> String {
        let options = Options { metric: metric(name).unwrap(), ..Options::default() };
        text(profiles, &options, write)
    }

    #[test]
    fn a_stack_stands_on_each_line() {
        let expected = "(main program) 1\n(main program);P::a 10\n(main program);P::a;Q::b 100\n\
            (main program);P::a;Q::b;P::a 1000\n(main program);P::a;Q::b;P::a;Q::b 10000\n";
        assert_eq!(folded(vec![recursive()], "allocated_bytes"), expected);
        let twice = folded(vec![recursive(), recursive()], "allocated_bytes");
        assert!(twice.starts_with("(main program) 2\n(main program);P::a 20\n"), "{twice}");
    }

    #[test]
    fn names_do_not_break_lines_or_stacks() {
        for (name, shown) in [
            ("a;b", "a\\x{3B}b"),
            ("f 12", "f\\x{20}12"),
            ("f 1.5", "f\\x{20}1.5"),
            ("f x1", "f x1"),
            ("(thread 1)", "(thread 1)"),
        ] {
            assert_eq!(frame(name), shown);
        }
        let text = folded(vec![evil()], "allocated_bytes");
        assert!(!text.contains(|c: char| c.is_control() && c != '\n'), "{text:?}");
        assert_eq!(text.lines().count(), 9, "{text}");
    }

    #[test]
    fn inferno_reads_every_metric_and_finds_the_same_sums() {
        for metric in METRICS {
            for profile in profiles() {
                let total: i64 = profile.subs.iter().map(|sub| metric.of(&sub.own)).sum();
                let text = folded(vec![profile], metric.name);
                let sum: i64 = text.lines().map(|line| line.rsplit_once(' ').unwrap().1.parse::<i64>().unwrap()).sum();
                assert_eq!(sum, total, "{}", metric.name);
                if total == 0 {
                    continue;
                }
                let mut svg = Vec::new();
                let mut options = inferno::flamegraph::Options::default();
                options.count_name = metric.unit.to_owned();
                options.min_width = 0.0;
                inferno::flamegraph::from_lines(&mut options, text.lines(), &mut svg).unwrap();
                let svg = String::from_utf8(svg).unwrap();
                assert!(svg.contains(&format!("total_samples=\"{total}\"")), "{}: {svg}", metric.name);
            }
        }
    }
}
