//! Texts in rows and columns. Never wraps: what does not fit is shortened where it may be, or stands over the edge.

use super::shorten::{keep_end, keep_ends};
use crate::tools::document::Value;
use anstyle::Style;
use std::fmt::Write;
use unicode_width::UnicodeWidthStr;

/// How a column's texts stand in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fit {
    /// To the right, whole.
    Number,
    /// To the left, whole.
    Whole,
    /// To the left, cut on the left where there is no room.
    KeepEnd,
    /// To the left, cut in the middle where there is no room.
    KeepEnds,
}

impl Fit {
    /// How a value stands in its column.
    pub(super) fn of(value: &Value) -> Self {
        match value {
            Value::Count(_) | Value::Signed(_) | Value::Bytes(_) | Value::SignedBytes(_) | Value::Nanoseconds(_) => {
                Fit::Number
            }
            Value::Path(_) => Fit::KeepEnd,
            Value::Name(_) | Value::Indented { .. } => Fit::KeepEnds,
            Value::Absent | Value::Flag(_) | Value::Text(_) | Value::Words(_) | Value::Instant(_) => Fit::Whole,
        }
    }

    fn cut(self, text: &str, width: usize) -> String {
        match self {
            Fit::KeepEnd => keep_end(text, width),
            Fit::KeepEnds => keep_ends(text, width),
            Fit::Number | Fit::Whole => text.to_owned(),
        }
    }
}

struct Column {
    heading: Vec<&'static str>,
    width: usize,
    fit: Fit,
}

/// Blanks between two columns.
const GAP: usize = 2;

/// A column that is shortened is left at least this wide.
const LEAST_WIDTH: usize = 16;

/// A table of texts.
pub(super) struct Grid {
    columns: Vec<Column>,
    rows: Vec<Vec<String>>,
}

impl Grid {
    /// A table with these headings and no rows; a heading may be of several lines.
    pub(super) fn new(headings: Vec<&'static str>) -> Self {
        let column = |heading: &'static str| {
            let heading: Vec<&str> = heading.lines().collect();
            let width = heading.iter().map(|line| line.width()).max().unwrap_or(0);
            Column { heading, width, fit: Fit::Whole }
        };
        Grid { columns: headings.into_iter().map(column).collect(), rows: Vec::new() }
    }

    /// Adds a row.
    pub(super) fn row(&mut self, texts: impl Iterator<Item = (String, Fit)>) {
        let mut row = Vec::with_capacity(self.columns.len());
        for (column, (text, fit)) in self.columns.iter_mut().zip(texts) {
            column.width = column.width.max(text.width());
            // A value that is absent says nothing of how its column stands.
            if fit != Fit::Whole {
                column.fit = fit;
            }
            row.push(text);
        }
        self.rows.push(row);
    }

    /// Writes the table, the headings in `style`; `width` is the room there is.
    pub(super) fn write(mut self, width: Option<usize>, style: Style, out: &mut String) {
        if let Some(width) = width {
            self.shorten_to(width);
        }
        let lines = self.columns.iter().map(|column| column.heading.len()).max().unwrap_or(0);
        for line in 0..lines {
            // The last line of every heading stands right above its column.
            let text = |column: &Column| {
                let at = (line + column.heading.len()).checked_sub(lines)?;
                column.heading.get(at).copied()
            };
            let texts: Vec<&str> = self.columns.iter().map(|column| text(column).unwrap_or("")).collect();
            let _ = write!(out, "{style}");
            self.line(texts.into_iter(), out);
            let _ = writeln!(out, "{style:#}");
        }
        for row in &self.rows {
            self.line(row.iter().map(String::as_str), out);
            out.push('\n');
        }
    }

    fn line<'a>(&self, texts: impl Iterator<Item = &'a str>, out: &mut String) {
        let mut owed = 0;
        for (column, text) in self.columns.iter().zip(texts) {
            let text = column.fit.cut(text, column.width);
            let blank = column.width.saturating_sub(text.width());
            let (before, after) = if column.fit == Fit::Number { (blank, 0) } else { (0, blank) };
            // Blanks are written only once something follows them.
            if !text.is_empty() {
                out.extend(std::iter::repeat_n(' ', owed + before));
                out.push_str(&text);
                owed = 0;
            } else {
                owed += before;
            }
            owed += after + GAP;
        }
    }

    /// Shares the room that numbers leave among the columns that may be shortened. A column that needs less than its
    /// share leaves the rest to the others; of two that need more, a path gets more than a name.
    fn shorten_to(&mut self, width: usize) {
        let taken: usize = self.columns.iter().map(|column| column.width + GAP).sum::<usize>().saturating_sub(GAP);
        if taken <= width {
            return;
        }
        let weight = |column: &Column| match column.fit {
            Fit::KeepEnd => 3,
            Fit::KeepEnds => 2,
            Fit::Number | Fit::Whole => 0,
        };
        let mut flexible: Vec<&mut Column> = self.columns.iter_mut().filter(|column| weight(column) > 0).collect();
        flexible.sort_by_key(|column| column.width * 6 / weight(column));
        let had: usize = flexible.iter().map(|column| column.width).sum();
        let mut room = width.saturating_sub(taken - had);
        let mut weights: usize = flexible.iter().map(|column| weight(column)).sum();
        for column in flexible {
            let share = room * weight(column) / weights;
            column.width = column.width.min(share.max(LEAST_WIDTH));
            room = room.saturating_sub(column.width);
            weights -= weight(column);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grid() -> Grid {
        let mut grid = Grid::new(vec!["self\nbytes", "file", "sub"]);
        let texts = |n: &str, path: &str, sub: &str| {
            [(n.to_owned(), Fit::Number), (path.to_owned(), Fit::KeepEnd), (sub.to_owned(), Fit::KeepEnds)].into_iter()
        };
        grid.row(texts("1234567", "/usr/share/perl/5.36/Module/Load.pm:12", "Module::Load::load"));
        grid.row(texts("1", "a.pl:1", "日本::x"));
        grid
    }

    #[test]
    fn numbers_stand_right_texts_left_and_no_line_ends_in_blanks() {
        let mut out = String::new();
        grid().write(None, Style::new(), &mut out);
        let expected = [
            "   self",
            "  bytes  file                                    sub",
            "1234567  /usr/share/perl/5.36/Module/Load.pm:12  Module::Load::load",
            "      1  a.pl:1                                  日本::x",
            "",
        ];
        assert_eq!(out, expected.join("\n"));
    }

    #[test]
    fn texts_are_shortened_to_the_room_there_is() {
        let mut out = String::new();
        grid().write(Some(50), Style::new(), &mut out);
        assert!(out.lines().all(|line| line.width() <= 50), "{out}");
        assert!(out.contains("…") && out.contains("Load.pm:12"), "{out}");
    }
}
