//! `pprof`: a gzipped protobuf of every place's figures and its stack, for `go tool pprof` and what else reads it.
//!
//! A sample is a place; its stack is the place's line, and the lines that called. Every sample has the run it is of as
//! the label `run`. Written piece by piece: a protobuf message may be cut between its fields, and the pieces put one
//! after the other are the message again.

mod messages;

use super::metric::{profiled, whole, LeftOut};
use super::run::Run;
use super::stacks::shown_name;
use super::{ExportError, Options, Traces};
use crate::format::ids::{NodeId, StrId, SubId};
use crate::tools::profile::{names, Profile};
use crate::tools::render::printable;
use flate2::write::GzEncoder;
use flate2::Compression;
use messages as pb;
use prost::Message;
use rustc_hash::FxHashMap;
use std::io::Write;

/// Samples that are held before they are written.
const BATCH: usize = 1024;

/// The one mapping that all locations are in.
const PROGRAM: u64 = 1;

/// Writes all traces as one profile.
pub(super) fn write(traces: &mut Traces, _: &Options, out: &mut dyn Write) -> Result<LeftOut, ExportError> {
    let mut writer = Writer::new(GzEncoder::new(out, Compression::default()));
    for (at, profile) in traces.enumerate() {
        let profile = profile?;
        if at == 0 {
            writer.describe(&profile);
        }
        writer.add(&profile)?;
    }
    writer.finish()?;
    Ok(LeftOut::default())
}

/// A profile in the making.
struct Writer<W: Write> {
    out: W,
    /// What is not yet written.
    waiting: pb::Profile,
    strings: FxHashMap<String, i64>,
    functions: FxHashMap<pb::Function, u64>,
    locations: FxHashMap<(u64, u32), u64>,
}

impl<W: Write> Writer<W> {
    fn new(out: W) -> Self {
        let mut writer = Writer {
            out,
            waiting: pb::Profile::default(),
            strings: FxHashMap::default(),
            functions: FxHashMap::default(),
            locations: FxHashMap::default(),
        };
        writer.string("");
        for metric in profiled() {
            let value_type = pb::ValueType { r#type: writer.string(metric.name), unit: writer.string(metric.unit) };
            writer.waiting.sample_type.push(value_type);
        }
        writer.waiting.default_sample_type = writer.string(profiled().first().map_or("", |metric| metric.name));
        writer
    }

    /// What is said once, of the first trace.
    fn describe(&mut self, profile: &Profile) {
        let header = &profile.trace.header;
        self.waiting.time_nanos = whole(header.start_unix_ns);
        self.waiting.duration_nanos = whole(profile.trace.last_time_ns());
        let command = super::run::command_line(profile);
        let filename = self.string(&printable(&command));
        self.waiting.mapping.push(pb::Mapping {
            id: PROGRAM,
            filename,
            has_functions: true,
            has_filenames: true,
            has_line_numbers: true,
        });
        let comment = self.string(&format!("Devel::MProf {}", printable(&header.mprof_version)));
        self.waiting.comment.push(comment);
    }

    fn add(&mut self, profile: &Profile) -> Result<(), ExportError> {
        let mut place = Places { profile, strings: FxHashMap::default(), known: FxHashMap::default() };
        let label = pb::Label { key: self.string("run"), str: self.string(&printable(&Run::key(profile))) };
        for row in profile.places() {
            let value: Vec<i64> = profiled().iter().map(|metric| metric.of(&row.own)).collect();
            if value.iter().all(|&value| value == 0) {
                continue;
            }
            let location_id = place.stack(self, row.node, row.file, row.line);
            self.waiting.sample.push(pb::Sample { location_id, value, label: vec![label] });
            if self.waiting.sample.len() >= BATCH {
                self.flush()?;
            }
        }
        Ok(())
    }

    fn flush(&mut self) -> Result<(), ExportError> {
        let bytes = std::mem::take(&mut self.waiting).encode_to_vec();
        Ok(self.out.write_all(&bytes)?)
    }

    /// The index of a string in the table.
    fn string(&mut self, text: &str) -> i64 {
        if let Some(&index) = self.strings.get(text) {
            return index;
        }
        let index = whole(self.strings.len() as u64);
        self.strings.insert(text.to_owned(), index);
        self.waiting.string_table.push(text.to_owned());
        index
    }

    /// The id of a function, of which `id` is not yet set.
    fn function(&mut self, function: pb::Function) -> u64 {
        let next = self.functions.len() as u64 + 1;
        let id = *self.functions.entry(function).or_insert(next);
        if id == next {
            self.waiting.function.push(pb::Function { id, ..function });
        }
        id
    }

    /// The id of a line of a function.
    fn location(&mut self, function_id: u64, line: u32) -> u64 {
        let next = self.locations.len() as u64 + 1;
        let id = *self.locations.entry((function_id, line)).or_insert(next);
        if id == next {
            let line = pb::Line { function_id, line: line.into() };
            self.waiting.location.push(pb::Location { id, mapping_id: PROGRAM, line: vec![line] });
        }
        id
    }
}

impl<W: Write> Writer<GzEncoder<W>> {
    fn finish(mut self) -> Result<(), ExportError> {
        self.flush()?;
        self.out.finish()?;
        Ok(())
    }
}

/// The places of a trace as locations.
struct Places<'a> {
    profile: &'a Profile,
    /// By string of the trace: the index in the table.
    strings: FxHashMap<StrId, i64>,
    known: FxHashMap<(SubId, StrId, u32), u64>,
}

impl Places<'_> {
    /// The stack of a line in a node, the innermost first.
    fn stack<W: Write>(&mut self, writer: &mut Writer<W>, node: NodeId, file: StrId, line: u32) -> Vec<u64> {
        let (mut id, mut file, mut line) = (node, file, line);
        let mut stack = Vec::new();
        while let Some(node) = self.profile.trace.nodes.get(id.index()) {
            stack.push(self.location(writer, node.sub, file, line));
            let Some(parent) = self.profile.tree.parent(id) else { break };
            (id, file, line) = (parent, node.call_file, node.call_line);
        }
        stack
    }

    fn location<W: Write>(&mut self, writer: &mut Writer<W>, sub: SubId, file: StrId, line: u32) -> u64 {
        if let Some(&id) = self.known.get(&(sub, file, line)) {
            return id;
        }
        let trace = &self.profile.trace;
        let found = trace.sub(sub);
        // A function is of one file. A line of another file than its sub's is in a function of its own, of the same name.
        let of_file = if file == StrId(0) { found.file } else { file };
        let filename =
            *self.strings.entry(of_file).or_insert_with(|| writer.string(&printable(&names::string(trace, of_file))));
        let name = writer.string(&shown_name(self.profile, sub));
        let function = writer.function(pb::Function { id: 0, name, filename, start_line: found.line.into() });
        let id = writer.location(function, line);
        self.known.insert((sub, file, line), id);
        id
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{bytes, profiles};
    use super::*;
    use crate::tools::export::metric::PROFILED;
    use std::collections::{BTreeMap, BTreeSet};
    use std::io::Read;

    fn exported(profiles: Vec<Profile>) -> pb::Profile {
        let gzipped = bytes(profiles, &Options::default(), write);
        let mut plain = Vec::new();
        flate2::read::GzDecoder::new(gzipped.as_slice()).read_to_end(&mut plain).unwrap();
        pb::Profile::decode(plain.as_slice()).unwrap()
    }

    /// Figures by sub as pprof sums them: its own, and once for every stack that it is in.
    fn summed(profile: &pb::Profile) -> BTreeMap<String, ([i64; PROFILED], [i64; PROFILED])> {
        let name = |location: u64| {
            let location = &profile.location[location as usize - 1];
            let function = &profile.function[location.line[0].function_id as usize - 1];
            profile.string_table[function.name as usize].clone()
        };
        let mut sums = BTreeMap::new();
        for sample in &profile.sample {
            let names: Vec<String> = sample.location_id.iter().map(|&id| name(id)).collect();
            for (at, value) in sample.value.iter().enumerate() {
                sums.entry(names[0].clone()).or_insert(([0; PROFILED], [0; PROFILED])).0[at] += value;
                for name in names.iter().collect::<BTreeSet<_>>() {
                    sums.entry(name.clone()).or_insert(([0; PROFILED], [0; PROFILED])).1[at] += value;
                }
            }
        }
        sums
    }

    #[test]
    fn sums_by_sub_are_those_of_the_table_of_subs() {
        for profile in profiles() {
            let mut expected: BTreeMap<String, ([i64; PROFILED], [i64; PROFILED])> = BTreeMap::new();
            for row in &profile.subs {
                let (own, inclusive) = expected.entry(shown_name(&profile, row.id)).or_default();
                for (at, metric) in profiled().iter().enumerate() {
                    own[at] += metric.of(&row.own);
                    inclusive[at] += metric.of(&row.inclusive);
                }
            }
            expected.retain(|_, sums| *sums != ([0; PROFILED], [0; PROFILED]));
            let mut exported = summed(&exported(vec![profile]));
            exported.retain(|_, sums| *sums != ([0; PROFILED], [0; PROFILED]));
            assert_eq!(exported, expected);
        }
    }

    #[test]
    fn every_id_is_defined_once_and_the_first_string_is_empty() {
        let profile = exported(profiles());
        assert_eq!(profile.string_table[0], "");
        assert_eq!(profile.string_table.iter().collect::<BTreeSet<_>>().len(), profile.string_table.len());
        let defined: Vec<u64> = profile.location.iter().map(|location| location.id).collect();
        assert!(defined.iter().copied().eq(1..=defined.len() as u64));
        let functions: Vec<u64> = profile.function.iter().map(|function| function.id).collect();
        assert!(functions.iter().copied().eq(1..=functions.len() as u64));
        assert!(profile.sample.iter().all(|sample| sample.value.len() == profile.sample_type.len()));
        assert_eq!(profile.string_table[profile.default_sample_type as usize], "allocated_bytes");
    }
}
