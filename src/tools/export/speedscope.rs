//! `speedscope`: JSON for speedscope.app, by its published schema (`t/data/speedscope.schema.json`): for each trace a
//! profile of each metric.
//!
//! A profile is of the evented type: frames that open and close on a line on which every byte (block, scalar) has a
//! place. So a node takes two events, however deep it is, and what lies between them is its inclusive figure.

use super::metric::{profiled, LeftOut, Metric};
use super::run::command_line;
use super::stacks::{Frame, Stacks, Step};
use super::{ExportError, Options, Traces};
use crate::tools::profile::{Measures, Profile};
use crate::tools::render::json::string;
use std::io::Write;

/// Where the format is published; also what tells its files from others.
const SCHEMA: &str = "https://www.speedscope.app/file-format-schema.json";

/// Writes a profile for each metric of each trace.
pub(super) fn write(traces: &mut Traces, _: &Options, out: &mut dyn Write) -> Result<LeftOut, ExportError> {
    let mut left_out = LeftOut::default();
    // Frames are shared by all profiles; nodes are not.
    let mut frames = Frames::default();
    writeln!(out, "{{\"$schema\": \"{SCHEMA}\", \"exporter\": \"Devel::MProf@{}\",", env!("CARGO_PKG_VERSION"))?;
    write!(out, "\"activeProfileIndex\": 0, \"profiles\": [")?;
    for (at, profile) in traces.enumerate() {
        let profile = profile?;
        let mut stacks = Stacks::default();
        stacks.add(&profile, Frame::of);
        let shared = frames.share(&stacks);
        for (metric, first) in profiled().iter().zip(std::iter::once(at == 0).chain(std::iter::repeat(false))) {
            write!(out, "{}", if first { "\n" } else { ",\n" })?;
            write_profile(&profile, &stacks, &shared, metric, &mut left_out, out)?;
        }
    }
    write!(out, "],\n\"shared\": {{\"frames\": [")?;
    for (at, frame) in frames.frames.iter().enumerate() {
        write!(out, "{}{{\"name\": {}", if at == 0 { "\n" } else { ",\n" }, quoted(&frame.name))?;
        if !frame.file.is_empty() {
            write!(out, ", \"file\": {}", quoted(&frame.file))?;
        }
        if frame.line > 0 {
            write!(out, ", \"line\": {}", frame.line)?;
        }
        write!(out, "}}")?;
    }
    writeln!(out, "]}}}}")?;
    Ok(left_out)
}

/// The frames of all profiles, each once.
#[derive(Default)]
struct Frames {
    frames: Vec<Frame>,
    index: rustc_hash::FxHashMap<Frame, usize>,
}

impl Frames {
    /// By frame of these stacks: its number among all.
    fn share(&mut self, stacks: &Stacks) -> Vec<usize> {
        let mut number = |frame: &Frame| {
            *self.index.entry(frame.clone()).or_insert_with(|| {
                self.frames.push(frame.clone());
                self.frames.len() - 1
            })
        };
        stacks.frames().iter().map(&mut number).collect()
    }
}

fn quoted(text: &str) -> String {
    let mut out = String::new();
    string(text, &mut out);
    out
}

fn write_profile(
    profile: &Profile,
    stacks: &Stacks,
    shared: &[usize],
    metric: &Metric,
    left_out: &mut LeftOut,
    out: &mut dyn Write,
) -> Result<(), ExportError> {
    let header = &profile.trace.header;
    let name = format!("{} of {} (process {})", metric.name, command_line(profile), header.pid);
    let unit = if metric.unit == "bytes" { "bytes" } else { "none" };
    write!(out, "{{\"type\": \"evented\", \"name\": {}, \"unit\": \"{unit}\", \"events\": [", quoted(&name))?;
    let mut events = Events { out, at: 0, open: Vec::new(), opened: 0, first: true };
    for step in stacks.walk() {
        match step {
            Step::Enter(frame, own) => {
                events.enter(shared.get(frame).copied().unwrap_or_default(), own, metric, left_out)?
            }
            Step::Leave => events.leave()?,
        }
    }
    let end = events.at;
    write!(out, "], \"startValue\": 0, \"endValue\": {end}}}")?;
    Ok(())
}

/// Events as they are written. A frame opens only when something is in it: most nodes have nothing of most metrics.
struct Events<'a> {
    out: &'a mut dyn Write,
    at: u64,
    open: Vec<usize>,
    /// How many of `open` are written as open.
    opened: usize,
    first: bool,
}

impl Events<'_> {
    fn enter(
        &mut self,
        frame: usize,
        own: &Measures,
        metric: &Metric,
        left_out: &mut LeftOut,
    ) -> Result<(), ExportError> {
        self.open.push(frame);
        let weight = metric.weight(own, left_out);
        if weight > 0 {
            while let Some(&frame) = self.open.get(self.opened) {
                self.event('O', frame)?;
                self.opened += 1;
            }
            self.at = self.at.saturating_add(weight);
        }
        Ok(())
    }

    fn leave(&mut self) -> Result<(), ExportError> {
        let Some(frame) = self.open.pop() else { return Ok(()) };
        if self.opened > self.open.len() {
            self.opened = self.open.len();
            self.event('C', frame)?;
        }
        Ok(())
    }

    fn event(&mut self, kind: char, frame: usize) -> Result<(), ExportError> {
        let comma = if std::mem::take(&mut self.first) { "" } else { "," };
        Ok(write!(self.out, "{comma}\n{{\"type\":\"{kind}\",\"frame\":{frame},\"at\":{}}}", self.at)?)
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{profiles, recursive, text};
    use super::*;
    use serde_json::Value;
    use std::collections::BTreeMap;

    fn exported(profiles: Vec<Profile>) -> Value {
        serde_json::from_str(&text(profiles, &Options::default(), write)).unwrap()
    }

    /// Own figures by name of the frame, as speedscope finds them.
    fn summed(file: &Value, profile: &Value) -> BTreeMap<String, i64> {
        let (mut open, mut at, mut sums) = (Vec::<u64>::new(), 0, BTreeMap::new());
        for event in profile["events"].as_array().unwrap() {
            let (frame, now) = (event["frame"].as_u64().unwrap(), event["at"].as_i64().unwrap());
            if let Some(&top) = open.last() {
                let name = file["shared"]["frames"][top as usize]["name"].as_str().unwrap();
                *sums.entry(name.to_owned()).or_default() += now - at;
            }
            at = now;
            match event["type"].as_str().unwrap() {
                "O" => open.push(frame),
                _ => assert_eq!(open.pop(), Some(frame)),
            }
        }
        assert!(open.is_empty());
        assert_eq!(profile["endValue"].as_i64(), Some(at));
        sums.retain(|_, sum| *sum != 0);
        sums
    }

    #[test]
    fn sums_by_sub_are_those_of_the_table_of_subs() {
        let file = exported(profiles());
        let written = file["profiles"].as_array().unwrap();
        assert_eq!(written.len(), profiles().len() * profiled().len());
        for (profile, written) in profiles().iter().zip(written.chunks(profiled().len())) {
            for (metric, written) in profiled().iter().zip(written) {
                let mut expected = BTreeMap::new();
                for row in &profile.subs {
                    *expected.entry(Frame::of(profile, row.id).name).or_default() += metric.of(&row.own);
                }
                expected.retain(|_, sum| *sum != 0);
                assert_eq!(summed(&file, written), expected, "{}", written["name"]);
            }
        }
    }

    #[test]
    fn frames_without_figures_do_not_open() {
        let file = exported(vec![recursive()]);
        let events = |at: usize| file["profiles"][at]["events"].as_array().unwrap().len();
        assert_eq!((events(0), events(1)), (10, 0));
    }
}
