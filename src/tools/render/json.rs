//! A document as JSON: exact numbers, fields named by the documents' keys. Never rounds, never shortens.
//!
//! | field | what |
//! |---|---|
//! | `schema` | version of the fields: 1. Fields may be added without a new one, never removed or changed |
//! | `report` | name of the report |
//! | `trace` | path of the trace |
//! | `warnings` | objects of `kind` and `text` |
//! | a section of facts | an object |
//! | a section of a table or of entries | `rows`: objects; `rows_in_all`: how many there were to choose from |
//!
//! A field ends in its unit: `_bytes`, `_blocks`, `_pages`, `_scalars`, `_ns` (nanoseconds), `_unix_ns` (since 1970 UTC).
//! What is not known is `null`. Bytes of names that are no UTF-8 are spelled `\xNN`.

use super::printable::unsafe_to_print;
use crate::tools::document::{Body, Document, Entries, Fact, Shown, Table, Value};
use std::fmt::Write;

/// Version of the fields.
pub const SCHEMA: u32 = 1;

/// `document` as JSON, a row of a table on each line, with a newline at its end.
///
/// Written as it comes: a table may have a million rows, of which no second copy should be made.
pub fn json(document: &Document) -> String {
    let mut out = String::new();
    push(&mut out, format_args!("{{\n  \"schema\": {SCHEMA},\n  \"report\": "));
    string(document.report, &mut out);
    out.push_str(",\n  \"trace\": ");
    string(&document.trace.to_string_lossy(), &mut out);
    out.push_str(",\n  \"warnings\": ");
    list(&document.warnings, "    ", "  ", &mut out, |warning, out| {
        out.push_str("{\"kind\": ");
        string(warning.kind(), out);
        out.push_str(", \"text\": ");
        string(&warning.to_string(), out);
        out.push('}');
    });
    for section in &document.sections {
        push(&mut out, format_args!(",\n  \"{}\": ", section.key));
        match &section.body {
            Body::Facts(facts) => facts_json(facts, &mut out),
            Body::Table(table) => table_json(table, &mut out),
            Body::Entries(entries) => entries_json(entries, &mut out),
        }
    }
    out.push_str("\n}\n");
    out
}

fn facts_json(facts: &[Fact], out: &mut String) {
    let parts = facts.iter().flat_map(|fact| &fact.parts);
    for (at, part) in parts.enumerate() {
        push(out, format_args!("{}\n    \"{}\": ", if at == 0 { "{" } else { "," }, part.key));
        value(&part.value, out);
    }
    out.push_str(if facts.is_empty() { "{}" } else { "\n  }" });
}

fn table_json(table: &Table, out: &mut String) {
    push(out, format_args!("{{\n    \"rows_in_all\": {},\n    \"rows\": ", table.rows_in_all));
    list(&table.rows, "      ", "    ", out, |row, out| {
        let fields = table.heads.iter().zip(row).filter(|(head, _)| head.shown != Shown::TextOnly);
        for (at, (head, cell)) in fields.enumerate() {
            push(out, format_args!("{}\"{}\": ", if at == 0 { "{" } else { ", " }, head.key));
            value(cell, out);
        }
        out.push('}');
    });
    out.push_str("\n  }");
}

fn entries_json(entries: &Entries, out: &mut String) {
    push(out, format_args!("{{\n    \"rows_in_all\": {},\n    \"rows\": ", entries.entries_in_all));
    list(&entries.entries, "      ", "    ", out, |entry, out| object(&entry.fields, out));
    out.push_str("\n  }");
}

fn object(fields: &[(&'static str, Value)], out: &mut String) {
    out.push('{');
    for (at, (key, field)) in fields.iter().enumerate() {
        push(out, format_args!("{}\"{key}\": ", if at == 0 { "" } else { ", " }));
        value(field, out);
    }
    out.push('}');
}

/// A number, to a millionth; what is none is `null`.
fn decimal(number: f64, out: &mut String) {
    let rounded = (number * 1e6).round() / 1e6;
    match (rounded.is_finite(), number.is_finite()) {
        (true, _) => push(out, format_args!("{rounded}")),
        (false, true) => push(out, format_args!("{number}")),
        (false, false) => out.push_str("null"),
    }
}

/// An array, an item on each line.
fn list<T>(items: &[T], indent: &str, end: &str, out: &mut String, write: impl Fn(&T, &mut String)) {
    for (at, item) in items.iter().enumerate() {
        out.push_str(if at == 0 { "[\n" } else { ",\n" });
        out.push_str(indent);
        write(item, out);
    }
    if items.is_empty() {
        out.push_str("[]");
    } else {
        push(out, format_args!("\n{end}]"));
    }
}

fn value(value: &Value, out: &mut String) {
    match value {
        Value::Absent => out.push_str("null"),
        Value::Flag(flag) => push(out, format_args!("{flag}")),
        Value::Text(text) | Value::Name(text) | Value::Path(text) | Value::Indented { text, .. } => string(text, out),
        Value::Words(words) => {
            for (at, word) in words.iter().enumerate() {
                out.push_str(if at == 0 { "[" } else { ", " });
                string(word, out);
            }
            out.push_str(if words.is_empty() { "[]" } else { "]" });
        }
        Value::Count(n) | Value::Bytes(n) | Value::Nanoseconds(n) | Value::Instant(n) => push(out, format_args!("{n}")),
        Value::Signed(n) | Value::SignedBytes(n) => push(out, format_args!("{n}")),
        Value::Decimal(n) | Value::DecimalBytes(n) | Value::Share(n) => decimal(*n, out),
        Value::Counts(counts) => {
            out.push('{');
            for (at, (what, count)) in counts.iter().enumerate() {
                out.push_str(if at == 0 { "" } else { ", " });
                string(what, out);
                out.push_str(": ");
                decimal(*count, out);
            }
            out.push('}');
        }
        Value::Record(fields) => object(fields, out),
        Value::Records(records) => {
            for (at, fields) in records.iter().enumerate() {
                out.push_str(if at == 0 { "[" } else { ", " });
                object(fields, out);
            }
            out.push_str(if records.is_empty() { "[]" } else { "]" });
        }
    }
}

/// A string with all escaped that JSON wants escaped, or that could steer a terminal.
pub(in crate::tools) fn string(text: &str, out: &mut String) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            // All of these are below U+10000: one escape is enough for each.
            c if unsafe_to_print(c) => push(out, format_args!("\\u{:04x}", u32::from(c))),
            c => out.push(c),
        }
    }
    out.push('"');
}

fn push(out: &mut String, text: std::fmt::Arguments) {
    // Writing to a String cannot fail.
    let _ = out.write_fmt(text);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tools::document::Section;
    use proptest::prelude::*;

    #[test]
    fn what_could_steer_a_terminal_is_escaped_and_means_the_same() {
        let raw = "\u{9b}31m \u{202e} \x7f \x1b \0 Käse \"\\\n\t";
        let mut text = String::new();
        string(raw, &mut text);
        assert!(!text.contains(unsafe_to_print), "{text}");
        assert_eq!(serde_json::from_str::<String>(&text).unwrap(), raw);
    }

    #[test]
    fn sections_without_contents_are_json_too() {
        let table = Table { heads: vec![], rows: vec![], rows_in_all: 0 };
        let sections = vec![Section::facts("facts", "", vec![]), Section::table("table", "", table)];
        let (warnings, trace) = (vec![], "x".into());
        let text = json(&Document { report: "r", trace, sections, warnings, warnings_on_page: false });
        let read: serde_json::Value = serde_json::from_str(&text).unwrap();
        let expected = r#"{"schema": 1, "report": "r", "trace": "x", "warnings": [], "facts": {},
            "table": {"rows": [], "rows_in_all": 0}}"#;
        assert_eq!(read, serde_json::from_str::<serde_json::Value>(expected).unwrap());
    }

    proptest! {
        #[test]
        fn every_string_comes_back(raw in any::<String>()) {
            let mut text = String::new();
            string(&raw, &mut text);
            prop_assert_eq!(serde_json::from_str::<String>(&text).unwrap(), raw);
        }
    }
}
