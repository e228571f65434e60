//! A document as JSON: exact numbers, fields named by the documents' keys. Never rounds, never shortens.
//!
//! | field | what |
//! |---|---|
//! | `schema` | version of the fields: 1. Fields may be added without a new one, never removed or changed |
//! | `report` | name of the report |
//! | `trace` | path of the trace |
//! | `warnings` | objects of `kind` and `text` |
//! | a section of facts | an object |
//! | a section of a table | `rows`: objects; `rows_in_all`: how many there were to choose from |
//!
//! A field ends in its unit: `_bytes`, `_blocks`, `_pages`, `_scalars`, `_ns` (nanoseconds), `_unix_ns` (since 1970 UTC).
//! What is not known is `null`. Bytes of names that are no UTF-8 are spelled `\xNN`.

use super::printable::unsafe_to_print;
use crate::tools::document::{Body, Document, Fact, Shown, Table, Value};
use serde_json::{json, Map, Value as Json};
use std::fmt::Write;

/// Version of the fields.
pub const SCHEMA: u32 = 1;

/// `document` as JSON, with a newline at its end.
pub fn json(document: &Document) -> String {
    let warning =
        |warning: &crate::tools::warning::Warning| json!({"kind": warning.kind(), "text": warning.to_string()});
    let mut fields = Map::new();
    fields.insert("schema".to_owned(), SCHEMA.into());
    fields.insert("report".to_owned(), document.report.into());
    fields.insert("trace".to_owned(), document.trace.to_string_lossy().into());
    fields.insert("warnings".to_owned(), document.warnings.iter().map(warning).collect());
    for section in &document.sections {
        let body = match &section.body {
            Body::Facts(facts) => facts_json(facts),
            Body::Table(table) => table_json(table),
        };
        fields.insert(section.key.to_owned(), body);
    }
    let mut text = format!("{:#}", Json::Object(fields));
    text.push('\n');
    escaped(text)
}

fn facts_json(facts: &[Fact]) -> Json {
    let parts = facts.iter().flat_map(|fact| &fact.parts);
    Json::Object(parts.map(|part| (part.key.to_owned(), value_json(&part.value))).collect())
}

fn table_json(table: &Table) -> Json {
    let row = |row: &Vec<Value>| {
        let fields = table.heads.iter().zip(row).filter(|(head, _)| head.shown != Shown::TextOnly);
        Json::Object(fields.map(|(head, value)| (head.key.to_owned(), value_json(value))).collect())
    };
    json!({"rows": table.rows.iter().map(row).collect::<Json>(), "rows_in_all": table.rows_in_all})
}

fn value_json(value: &Value) -> Json {
    match value {
        Value::Absent => Json::Null,
        Value::Flag(flag) => (*flag).into(),
        Value::Text(text) | Value::Name(text) | Value::Path(text) | Value::Indented { text, .. } => {
            text.as_str().into()
        }
        Value::Words(words) => words.as_slice().into(),
        Value::Count(n) | Value::Bytes(n) | Value::Nanoseconds(n) | Value::Instant(n) => (*n).into(),
        Value::Signed(n) | Value::SignedBytes(n) => (*n).into(),
    }
}

/// JSON allows raw characters that steer terminals; they stand inside of strings only, so they can be escaped there.
fn escaped(json: String) -> String {
    let steers = |c: char| c != '\n' && unsafe_to_print(c);
    if !json.contains(steers) {
        return json;
    }
    let mut escaped = String::with_capacity(json.len() + 64);
    for c in json.chars() {
        if steers(c) {
            // All of them are below U+10000. Writing to a String cannot fail.
            let _ = write!(escaped, "\\u{:04x}", u32::from(c));
        } else {
            escaped.push(c);
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_could_steer_a_terminal_is_escaped_and_means_the_same() {
        let raw = json!({"name": "\u{9b}31m \u{202e} \x7f \x1b Käse"});
        let text = escaped(format!("{raw:#}\n"));
        assert!(!text.contains(|c: char| c != '\n' && unsafe_to_print(c)), "{text}");
        assert_eq!(serde_json::from_str::<Json>(&text).unwrap(), raw);
    }
}
