//! A document as text for people. Colours are ANSI sequences where asked for; names never bring their own.

use super::grid::{Fit, Grid};
use super::printable;
use super::units::{value_text, Precision};
use crate::tools::document::{Body, Document, Entries, Fact, Part, Section, Shown, Table};
use crate::tools::warning::Warning;
use anstyle::{AnsiColor, Style};
use std::fmt::Write;

/// How a document looks.
#[derive(Clone, Copy, Debug, Default)]
pub struct Look {
    /// Exact numbers instead of rounded ones. Default: rounded.
    pub exact: bool,
    /// With ANSI styles. Default: none.
    pub styled: bool,
    /// Columns there are, for names and paths to be shortened to. Default: as many as needed, nothing is shortened.
    pub width: Option<usize>,
}

/// `document` as text.
pub fn text(document: &Document, look: &Look) -> String {
    let mut out = String::new();
    for (at, section) in document.sections.iter().enumerate() {
        if at > 0 {
            out.push('\n');
        }
        section_text(section, look, &mut out);
    }
    if document.warnings_on_page && !document.warnings.is_empty() {
        out.push('\n');
        out.push_str(&warnings_text(&document.warnings, "", look.styled));
    }
    out
}

/// Warnings as text, a line each; `prefix` stands before each of them.
pub fn warnings_text(warnings: &[Warning], prefix: &str, styled: bool) -> String {
    let warn = style(styled, AnsiColor::Yellow.on_default());
    warnings.iter().map(|warning| format!("{prefix}{warn}warning{warn:#}: {warning}\n")).collect()
}

fn style(styled: bool, style: Style) -> Style {
    if styled {
        style
    } else {
        Style::new()
    }
}

fn section_text(section: &Section, look: &Look, out: &mut String) {
    if !section.title.is_empty() {
        let bold = style(look.styled, Style::new().bold());
        push(out, format_args!("{bold}{}{bold:#}\n", section.title));
    }
    match &section.body {
        Body::Facts(facts) => facts_text(facts, look, out),
        Body::Table(table) => table_text(table, look, out),
        Body::Entries(entries) => entries_text(entries, look, out),
    }
    let dim = style(look.styled, Style::new().dimmed());
    for note in &section.notes {
        push(out, format_args!("{dim}({note}){dim:#}\n"));
    }
}

fn facts_text(facts: &[Fact], look: &Look, out: &mut String) {
    let width = facts.iter().map(|fact| fact.label.chars().count()).max().unwrap_or(0);
    for fact in facts {
        push(out, format_args!("  {:width$}  ", fact.label));
        parts_text(&fact.parts, look, out);
        out.push('\n');
    }
}

fn parts_text(parts: &[Part], look: &Look, out: &mut String) {
    for part in parts {
        push(out, format_args!("{}{}", value_text(&part.value, precision(look), false), part.after));
    }
}

fn entries_text(entries: &Entries, look: &Look, out: &mut String) {
    if entries.entries.is_empty() {
        push(out, format_args!("{}\n", printable(&entries.none)));
    }
    let bold = style(look.styled, Style::new().bold());
    for (at, entry) in entries.entries.iter().enumerate() {
        if at > 0 {
            out.push('\n');
        }
        push(out, format_args!("{bold}"));
        parts_text(&entry.heading, look, out);
        push(out, format_args!("{bold:#}\n"));
        facts_text(&entry.facts, look, out);
    }
    let (shown, all) = (entries.entries.len(), entries.entries_in_all);
    if shown > 0 && shown < all {
        push(out, format_args!("({shown} of {all})\n"));
    }
}

fn table_text(table: &Table, look: &Look, out: &mut String) {
    if table.rows_in_all == 0 {
        out.push_str("(nothing recorded)\n");
        return;
    }
    if table.rows.is_empty() {
        push(out, format_args!("(none of {} rows)\n", table.rows_in_all));
        return;
    }
    let shown: Vec<bool> =
        table.heads.iter().map(|head| matches!(head.shown, Shown::Always | Shown::TextOnly)).collect();
    let heads = table.heads.iter().zip(&shown).filter(|(_, &shown)| shown);
    let mut grid = Grid::new(heads.map(|(head, _)| (head.heading, head.spare)));
    for row in &table.rows {
        let values = row.iter().zip(&shown).filter(|(_, &shown)| shown);
        grid.row(values.map(|(value, _)| (value_text(value, precision(look), true), Fit::of(value))));
    }
    let left_out = grid.write(look.width, style(look.styled, Style::new().bold()), out);
    let few = table.rows.len() < table.rows_in_all;
    if few {
        push(out, format_args!("({} of {} rows", table.rows.len(), table.rows_in_all));
    }
    if left_out > 0 {
        let columns = if left_out == 1 { "column" } else { "columns" };
        let before = if few { "; " } else { "(" };
        push(out, format_args!("{before}{left_out} {columns} more in a wider window"));
    }
    if few || left_out > 0 {
        out.push_str(")\n");
    }
}

fn precision(look: &Look) -> Precision {
    if look.exact {
        Precision::Exact
    } else {
        Precision::Human
    }
}

fn push(out: &mut String, text: std::fmt::Arguments) {
    // Writing to a String cannot fail.
    let _ = out.write_fmt(text);
}
