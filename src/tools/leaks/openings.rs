//! The line on which a statement with an anonymous sub begins.
//!
//! perl gives such a statement the line on which it ends: of
//!
//! ```perl
//! push @handlers, sub {
//!     my ($event) = @_;
//!     return $event;
//! };
//! ```
//!
//! the last one. A reader looks for the first. The trace has the line of the sub's first statement; the source, where it
//! can be read, tells the line with the word `sub` at or above it. Where it cannot, the line above is taken.

use crate::format::heap::ScalarKind;
use crate::format::ids::StrId;
use crate::tools::trace::{Sample, Trace};
use regex::bytes::Regex;
use rustc_hash::FxHashMap;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// Lines that may lie between the word `sub` and the first statement.
const LINES_ABOVE: u32 = 20;

/// Largest source that is read, in bytes.
const LARGEST_BYTES: u64 = 8 << 20;

/// Opening lines by file and closing line.
#[derive(Default)]
pub struct Openings(FxHashMap<(StrId, u32), u32>);

impl Openings {
    /// Of all anonymous subs that the samples list.
    pub fn new<'a>(trace: &Trace, samples: impl Iterator<Item = &'a Sample>) -> Self {
        let mut first_statements: FxHashMap<(StrId, u32), u32> = FxHashMap::default();
        for sample in samples {
            let subs = sample.scalars.iter().filter(|scalar| scalar.kind == ScalarKind::Code);
            for (scalar, place) in subs.filter_map(|scalar| Some((scalar, scalar.birthplace?))) {
                let Some(born) = trace.places.get(place.index()) else { continue };
                let Some((file, line)) = first_statement(trace.string(scalar.name)) else { continue };
                if file == trace.string(born.file) && line < born.line {
                    let known = first_statements.entry((born.file, born.line)).or_insert(line);
                    *known = line.min(*known);
                }
            }
        }
        let mut sources: FxHashMap<StrId, Option<Vec<u8>>> = FxHashMap::default();
        let opening = |((file, closing), first): ((StrId, u32), u32)| {
            let source = sources.entry(file).or_insert_with(|| read(trace, trace.string(file)));
            let opening = source.as_ref().and_then(|source| line_with_sub(source, first));
            ((file, closing), opening.unwrap_or(first.saturating_sub(1).max(1)))
        };
        Openings(first_statements.into_iter().map(opening).collect())
    }

    /// The line to show for one that perl gives.
    pub fn line(&self, file: StrId, line: u32) -> u32 {
        self.0.get(&(file, line)).copied().unwrap_or(line)
    }
}

/// File and line of the first statement of `Foo::__ANON__[lib/Foo.pm:12]`.
fn first_statement(name: &[u8]) -> Option<(&[u8], u32)> {
    let start = name.windows(9).position(|part| part == b"__ANON__[")? + 9;
    let inside = name.get(start..)?.strip_suffix(b"]")?;
    let colon = inside.iter().rposition(|&byte| byte == b':')?;
    let line = std::str::from_utf8(inside.get(colon + 1..)?).ok()?.parse().ok()?;
    Some((inside.get(..colon)?, line))
}

fn read(trace: &Trace, file: &[u8]) -> Option<Vec<u8>> {
    let path = Path::new(std::ffi::OsStr::from_bytes(&trace.header.cwd)).join(std::ffi::OsStr::from_bytes(file));
    let metadata = std::fs::metadata(&path).ok()?;
    (metadata.is_file() && metadata.len() <= LARGEST_BYTES).then(|| std::fs::read(path).ok()).flatten()
}

/// The last line up to `first`, not far above it, in which a sub begins.
fn line_with_sub(source: &[u8], first: u32) -> Option<u32> {
    let sub = Regex::new(r"\bsub\b").ok()?;
    let lines = (1..).zip(source.split(|&byte| byte == b'\n')).take(first as usize);
    lines.filter(|(number, line)| first - number <= LINES_ABOVE && sub.is_match(line)).last().map(|(number, _)| number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_statement_is_in_the_name() {
        assert_eq!(first_statement(b"Foo::__ANON__[lib/Foo.pm:12]"), Some((&b"lib/Foo.pm"[..], 12)));
        assert_eq!(first_statement(b"__ANON__[C:x:3]"), Some((&b"C:x"[..], 3)));
        assert_eq!(first_statement(b"Foo::bar"), None);
        assert_eq!(first_statement(b"Foo::__ANON__[x]"), None);
    }

    #[test]
    fn a_sub_opens_at_or_above_its_first_statement() {
        let source =
            b"sub other { 1 }\npush @list,\n  sub\n  {\n\n    first();\n  };\nmy $x = sub { one();\n  two() };\n";
        assert_eq!(line_with_sub(source, 6), Some(3));
        assert_eq!(line_with_sub(source, 8), Some(8));
        assert_eq!(line_with_sub(b"first();\n", 1), None);
    }
}
