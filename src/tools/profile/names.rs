//! What subs, files and modules are called in reports. Never escapes for a terminal: [`crate::tools::render`] does.

use crate::format::ids::{StrId, SubId};
use crate::format::records::{Cause, Sub, SubKind};
use crate::tools::trace::Trace;
use std::fmt::Write;

/// `bytes` as text: what is no UTF-8 in them as `\xNN`.
pub fn text(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        for byte in chunk.invalid() {
            // Writing to a String cannot fail.
            let _ = write!(text, "\\x{byte:02X}");
        }
    }
    text
}

/// The text of a string of the trace.
pub fn string(trace: &Trace, id: StrId) -> String {
    text(trace.string(id))
}

/// Full name of a sub: `Package::name`, or what its kind is called.
pub fn sub(trace: &Trace, id: SubId) -> String {
    let sub = trace.sub(id);
    let name = string(trace, sub.name);
    match sub.kind {
        SubKind::Main => "(main program)".to_owned(),
        SubKind::Pools => "(perl's scalar and body pools)".to_owned(),
        SubKind::Require => format!("require {name}"),
        SubKind::Eval if name.is_empty() => format!("(eval)[{}:{}]", string(trace, sub.file), sub.line),
        SubKind::Thread if name.is_empty() => "(thread)".to_owned(),
        SubKind::Eval | SubKind::Thread => name,
        SubKind::Perl | SubKind::Xsub => match string(trace, sub.package) {
            package if package.is_empty() => name,
            package => format!("{package}::{name}"),
        },
    }
}

/// Stable name of a kind of sub, for programs.
pub fn kind(kind: SubKind) -> &'static str {
    match kind {
        SubKind::Main => "main",
        SubKind::Perl => "perl",
        SubKind::Xsub => "xsub",
        SubKind::Require => "require",
        SubKind::Eval => "eval",
        SubKind::Thread => "thread",
        SubKind::Pools => "pools",
    }
}

/// Stable name of a cause of a snapshot, for programs.
pub fn cause(cause: Cause) -> &'static str {
    match cause {
        Cause::Interval => "interval",
        Cause::Base => "base",
        Cause::Request => "request",
        Cause::Exec => "exec",
        Cause::Exit => "exit",
        Cause::QuickExit => "quick_exit",
        Cause::Mark => "mark",
    }
}

/// The module that a sub's own figures count for.
pub fn module(trace: &Trace, sub: &Sub) -> String {
    match sub.kind {
        SubKind::Main => "main".to_owned(),
        SubKind::Perl | SubKind::Xsub => string(trace, sub.package),
        SubKind::Require => required_module(&string(trace, sub.name)),
        SubKind::Eval => "(string evals)".to_owned(),
        SubKind::Thread => "(threads)".to_owned(),
        SubKind::Pools => "(perl's pools)".to_owned(),
    }
}

/// `Foo::Bar` for the file `Foo/Bar.pm`; any other file is called as it is.
fn required_module(file: &str) -> String {
    match file.strip_suffix(".pm") {
        Some(stem) if !stem.starts_with(['/', '.']) => stem.replace('/', "::"),
        _ => file.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_that_are_no_utf8_are_spelled_out() {
        assert_eq!(text("Käse".as_bytes()), "Käse");
        assert_eq!(text(b"a\xffb\xc3"), "a\\xFFb\\xC3");
    }

    #[test]
    fn a_required_file_names_its_module() {
        for (file, module) in [("Foo/Bar.pm", "Foo::Bar"), ("x.pl", "x.pl"), ("/srv/Foo.pm", "/srv/Foo.pm"), ("", "")] {
            assert_eq!(required_module(file), module);
        }
    }
}
