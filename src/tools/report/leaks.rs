//! `leaks`: which lines keep more and more, how much for each mark, why, and what would free it.
//!
//! What is a leak is settled in [`crate::tools::leaks`]; here it is put into words.

use super::{Options, Report};
use crate::format::heap::ScalarKind;
use crate::tools::document::{Entries, Entry, Fact, Fields, Part, Section, Value};
use crate::tools::leaks::axis::Unit;
use crate::tools::leaks::causes::Reason;
use crate::tools::leaks::growth::Growth;
use crate::tools::leaks::origin::Site;
use crate::tools::leaks::{Leak, Leaks as Found, Verdict, Why};
use crate::tools::profile::{names, Profile};
use crate::tools::reader::Keep;
use crate::tools::select::UnknownColumn;
use crate::tools::trace::Trace;

/// The report.
pub(super) struct Leaks;

/// Entries shown where nothing else is asked for.
const ENTRIES: usize = 10;

/// Entries of growth that happened once.
const ENTRIES_ONCE: usize = 3;

/// The least part of all growth that an entry has to be shown.
const LEAST_PART: f64 = 0.01;

/// Calls of a path that are shown, from the line outwards.
const CALLS: usize = 8;

/// Types and classes that are shown of an instance.
const TYPES: usize = 8;

impl Report for Leaks {
    fn name(&self) -> &'static str {
        "leaks"
    }

    fn is_of_one_trace(&self) -> bool {
        true
    }

    fn keep(&self) -> Keep {
        Keep::History
    }

    fn grows_by_more_than(&self, bytes: f64, profile: &Profile) -> bool {
        Found::new(&profile.trace).leaks.iter().any(|leak| leak.bytes.per_unit > bytes)
    }

    fn sections(&self, profile: &Profile, options: &Options) -> Result<Vec<Section>, UnknownColumn> {
        let found = Found::new(&profile.trace);
        let words = Words { trace: &profile.trace, unit: found.axis.unit };
        let whole = found.bytes_per_unit();
        let passes = |leak: &&Leak| {
            let texts = [words.file(leak.site), words.sub(leak.site)];
            options.selection.passes(texts.iter().map(String::as_str))
        };
        let matters = |leak: &&Leak| options.all || leak.bytes.per_unit >= whole * LEAST_PART;
        let top = options.selection.top.unwrap_or(if options.all { usize::MAX } else { ENTRIES });
        let shown = found.leaks.iter().filter(passes).filter(matters).take(top);
        let leaks = Entries {
            entries: shown.enumerate().map(|(at, leak)| words.entry(Some(at + 1), leak)).collect(),
            entries_in_all: found.leaks.len(),
            none: none(&found, profile),
        };
        let few = if options.all { usize::MAX } else { ENTRIES_ONCE };
        let once = found.once.iter().filter(passes).take(options.selection.top.unwrap_or(few));
        let once = Entries {
            entries: once.map(|leak| words.entry(None, leak)).collect(),
            entries_in_all: found.once.len(),
            none: "nothing".to_owned(),
        };
        let mut sections = vec![axis(&found, profile), Section::entries("leaks", "Leaks", leaks)];
        sections.push(Section::entries("once", "Grew once, or not steadily: no leak by these figures", once));
        Ok(sections)
    }
}

/// What is said where there is no leak.
fn none(found: &Found, profile: &Profile) -> String {
    if !found.leaks.is_empty() {
        return format!("(none of {} entries)", found.leaks.len());
    }
    let end = found.axis.end();
    match (found.verdict, found.axis.unit) {
        (Verdict::Told, Unit::Marks) => format!("No leak found: nothing grows steadily over {end} marks."),
        (Verdict::Told, Unit::Seconds) => format!("No leak found: nothing grows steadily over {end:.1} seconds."),
        (Verdict::ToldOfScalars, _) => "No leak of scalars found. Whether blocks, such as a long text, grow steadily \
             cannot be told: there are too few snapshots. Let the program do more work."
            .to_owned(),
        (Verdict::NotRecorded, _) => {
            "Cannot be told: live=0 and ledger=0 leave out what is needed. Record without them.".to_owned()
        }
        (Verdict::TooFewPoints, _) if profile.trace.marks() > 0 => format!(
            "Cannot be told: {} marks with {} snapshots after warm-up are too few. Let the program do more work.",
            profile.trace.marks(),
            found.axis.xs.len()
        ),
        (Verdict::TooFewPoints, _) => {
            "Cannot be told: the trace is too short. Let the program run for longer, or mark \
             the ends of its units of work: MPROF=mark=Package::sub marks each return of that sub."
                .to_owned()
        }
    }
}

fn axis(found: &Found, profile: &Profile) -> Section {
    let axis = &found.axis;
    let verdict = match found.verdict {
        Verdict::Told => "told",
        Verdict::ToldOfScalars => "told_of_scalars",
        Verdict::TooFewPoints => "too_few_points",
        Verdict::NotRecorded => "not_recorded",
    };
    let points = Value::Count(axis.xs.len() as u64);
    let facts = vec![
        Fact::new("looked at", "unit", Value::Text(axis.unit.name().to_owned()), " ")
            .and("warm_up", Value::Decimal(axis.warm_up()), " to ")
            .and("end", Value::Decimal(axis.end()), ", after warm-up; ")
            .and("points", points, " points"),
        Fact::new("marks in all", "marks", Value::Count(profile.trace.marks()), ""),
        Fact::new("all leaks together", "growth_bytes", Value::DecimalBytes(found.bytes_per_unit()), " per ").and(
            "per",
            Value::Text(axis.unit.one().to_owned()),
            "",
        ),
        Fact::new("verdict", "verdict", Value::Text(verdict.to_owned()), ""),
    ];
    Section::facts("axis", "Growth", facts)
}

/// Puts what was found into words.
struct Words<'a> {
    trace: &'a Trace,
    unit: Unit,
}

fn part(value: Value, after: &'static str) -> Part {
    Part { key: "", value, after }
}

fn said(text: impl Into<String>) -> Value {
    Value::Text(text.into())
}

fn fact(label: &'static str, parts: Vec<Part>) -> Fact {
    Fact { label, parts }
}

impl Words<'_> {
    fn file(&self, site: Site) -> String {
        names::string(self.trace, site.file)
    }

    fn sub(&self, site: Site) -> String {
        self.trace.nodes.get(site.node.index()).map(|node| names::sub(self.trace, node.sub)).unwrap_or_default()
    }

    fn line(&self, site: Site) -> String {
        if site.line == 0 {
            return "(no statement)".to_owned();
        }
        format!("{}:{}", self.file(site), site.line)
    }

    fn line_in_sub(&self, site: Site) -> String {
        format!("{} in {}", self.line(site), self.sub(site))
    }

    fn entry(&self, rank: Option<usize>, leak: &Leak) -> Entry {
        let mut heading = Vec::new();
        if let Some(rank) = rank {
            heading.push(part(Value::Count(rank as u64), ". "));
        }
        heading.push(part(said(self.line(leak.site)), " in "));
        heading.push(part(said(self.sub(leak.site)), ""));
        let mut facts = self.growth(leak);
        if rank.is_none() {
            // What grew once has no rate.
            facts.remove(0);
        } else {
            let types = types(leak);
            if !types.is_empty() {
                let value = Value::Counts(types.iter().take(TYPES).cloned().collect());
                let after = if types.len() > TYPES { ", …" } else { "" };
                facts.push(fact("what it is", vec![part(value, after)]));
            }
            facts.push(fact("why it stays", vec![part(said(why(leak)), "")]));
            facts.push(fact("to free it", vec![part(said(advice(leak)), "")]));
        }
        if let Some(born) = leak.born {
            facts.push(fact("born at", vec![part(said(self.line_in_sub(born)), "")]));
        }
        facts.extend(self.path(leak));
        Entry { heading, facts, fields: self.fields(leak) }
    }

    fn growth(&self, leak: &Leak) -> Vec<Fact> {
        let per = match self.unit {
            Unit::Marks => " scalars per mark",
            Unit::Seconds => " scalars per second",
        };
        let mut keeps = vec![
            part(Value::DecimalBytes(leak.bytes.per_unit), " and "),
            part(Value::Decimal(leak.scalars.per_unit), per),
        ];
        if let (Some(bytes), Some(scalars)) = (leak.bytes_per_call, leak.scalars_per_call) {
            keeps.push(part(said(""), "; per call "));
            keeps.push(part(Value::DecimalBytes(bytes), " and "));
            keeps.push(part(Value::Decimal(scalars), " scalars"));
        }
        let both = |growth: fn(&Growth) -> f64| {
            [
                part(Value::DecimalBytes(growth(&leak.bytes)), " and "),
                part(Value::Decimal(growth(&leak.scalars).round()), " scalars"),
            ]
        };
        let mut total: Vec<Part> = both(|growth| growth.total).into();
        total.push(part(said(" after warm-up"), ", "));
        total.extend(both(|growth| growth.in_last_quarter));
        total.push(part(said(" in the last quarter"), ""));
        let mut steadiness = vec![part(Value::Share(leak.steadiness()), "")];
        if leak.instances > 0 {
            steadiness.push(part(said(""), ", "));
            steadiness.push(part(Value::Count(leak.instances), " instances in the sample"));
        }
        vec![fact("keeps", keeps), fact("in all", total), fact("steadiness", steadiness)]
    }

    fn path(&self, leak: &Leak) -> Vec<Fact> {
        let mut facts = Vec::new();
        let callers = leak.call_path.iter().rev().skip(1);
        for (at, &site) in callers.take(CALLS).enumerate() {
            facts.push(fact(if at == 0 { "called from" } else { "" }, vec![part(said(self.line_in_sub(site)), "")]));
        }
        if leak.call_path.len() > CALLS + 1 {
            let more = Value::Count((leak.call_path.len() - CALLS - 1) as u64);
            facts.push(fact("", vec![part(more, " calls more, outwards")]));
        }
        if leak.call_paths > 1 {
            let more = Value::Count(leak.call_paths as u64 - 1);
            facts.push(fact("", vec![part(said("and by "), ""), part(more, " other call paths")]));
        }
        facts
    }

    #[rustfmt::skip]
    fn fields(&self, leak: &Leak) -> Fields {
        let site = |site: Site| {
            vec![
                ("file", Value::Path(self.file(site))),
                ("line", Value::Count(site.line.into())),
                ("sub", Value::Name(self.sub(site))),
            ]
        };
        let optional = |number: Option<f64>, value: fn(f64) -> Value| number.map_or(Value::Absent, value);
        let holder = match &leak.why {
            Why::Sampled(Reason::Held { holder, .. }) | Why::Blocks { buffer_of: holder } if !holder.is_empty() => said(holder),
            _ => Value::Absent,
        };
        let path = if leak.path.is_empty() { Value::Absent } else { said(&leak.path) };
        let mut fields = site(leak.site);
        fields.extend([
            ("growth_bytes_per_mark", Value::DecimalBytes(leak.bytes.per_unit)),
            ("growth_scalars_per_mark", Value::Decimal(leak.scalars.per_unit)),
            ("growth_bytes_per_call", optional(leak.bytes_per_call, Value::DecimalBytes)),
            ("growth_scalars_per_call", optional(leak.scalars_per_call, Value::Decimal)),
            ("total_growth_bytes", Value::DecimalBytes(leak.bytes.total)),
            ("total_growth_scalars", Value::Decimal(leak.scalars.total)),
            ("last_marks_growth_bytes", Value::DecimalBytes(leak.bytes.in_last_quarter)),
            ("last_marks_growth_scalars", Value::Decimal(leak.scalars.in_last_quarter)),
            ("steadiness", Value::Share(leak.steadiness())),
            ("instances", Value::Count(leak.instances)),
            ("kinds", Value::Counts(leak.kinds.clone())),
            ("classes", Value::Counts(leak.classes.clone())),
            ("reason", Value::Record(vec![
                ("kind", said(reason(&leak.why))),
                ("path", path),
                ("holder", holder),
                ("text", said(why(leak))),
            ])),
            ("advice", said(advice(leak))),
            ("born", leak.born.map(site).map_or(Value::Absent, Value::Record)),
            ("call_paths", Value::Count(leak.call_paths as u64)),
            ("call_path", Value::Records(leak.call_path.iter().map(|&call| site(call)).collect())),
        ]);
        fields
    }
}

/// Types and classes of an instance together, the most frequent first.
fn types(leak: &Leak) -> Vec<(String, f64)> {
    let mut types: Vec<(String, f64)> = leak.classes.iter().chain(&leak.kinds).cloned().collect();
    types.sort_by(|a, b| b.1.total_cmp(&a.1));
    types
}

/// A reason in one word, for programs.
pub(in crate::tools) fn reason(why: &Why) -> &'static str {
    match why {
        Why::Sampled(Reason::Cycle { .. }) => "cycle",
        Why::Sampled(Reason::Held { .. }) => "held",
        Why::Blocks { .. } => "bytes",
        Why::Sampled(Reason::Unknown) | Why::NotSampled => "unknown",
    }
}

/// Why what leaks stays, as a sentence.
pub(in crate::tools) fn why(leak: &Leak) -> String {
    match &leak.why {
        Why::Sampled(Reason::Cycle { .. }) => {
            format!("nothing refers to it but itself, an unreachable cycle: {}", leak.path)
        }
        Why::Sampled(Reason::Held { holder, is_element: true, .. }) => {
            format!("it is held in {holder}, which only grows")
        }
        Why::Sampled(Reason::Held { holder, .. }) => format!("it is held by {holder}"),
        Why::Sampled(Reason::Unknown) => {
            "it is held by something the heap sample does not know: C code, or a temporary value".to_owned()
        }
        Why::Blocks { buffer_of } if !buffer_of.is_empty() => format!("the buffer of {buffer_of} only grows"),
        Why::Blocks { .. } => {
            "blocks of memory, not scalars: a text or container that grows, or memory of a C library".to_owned()
        }
        Why::NotSampled => "unknown: no heap sample of the trace lists what grows here".to_owned(),
    }
}

/// What would free it, as a sentence.
pub(in crate::tools) fn advice(leak: &Leak) -> String {
    match &leak.why {
        Why::Sampled(Reason::Cycle { weakest, is_captured: true }) => format!(
            "weaken a copy of {weakest} for the sub to capture (Scalar::Util::weaken), or undef it when the work is done"
        ),
        Why::Sampled(Reason::Cycle { weakest, .. }) => format!("weaken the reference in {weakest} (Scalar::Util::weaken)"),
        Why::Sampled(Reason::Held { holder, kind, is_element: true }) => match kind {
            ScalarKind::Hash => format!("delete from {holder} what is no longer needed, or bound its size"),
            ScalarKind::Array => format!("shift or splice from {holder} what is no longer needed, or bound its length"),
            ScalarKind::Stash => "do not make packages, or names in them, for each unit of work".to_owned(),
            _ => format!("have {holder} let go of it"),
        },
        Why::Sampled(Reason::Held { holder, .. }) => format!("undef {holder}, or take out of it what is done with"),
        Why::Blocks { buffer_of } if !buffer_of.is_empty() => format!("empty or bound {buffer_of} after each unit of work"),
        Why::Blocks { .. } => "empty or bound what is filled here, or free what the library gave out".to_owned(),
        Why::Sampled(Reason::Unknown) | Why::NotSampled => "look at what this line hands on, and to whom".to_owned(),
    }
}
