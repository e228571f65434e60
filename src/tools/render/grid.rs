//! Texts in rows and columns. Never wraps: what does not fit is shortened where it may be, or stands over the edge.

use super::shorten::{keep_end, keep_ends, keep_name, without_half_the_indentation};
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
    /// To the left, the indentation before the name, and the name before the place after it.
    Tree,
}

impl Fit {
    /// How a value stands in its column.
    pub(super) fn of(value: &Value) -> Self {
        match value {
            Value::Count(_) | Value::Signed(_) | Value::Bytes(_) | Value::SignedBytes(_) | Value::Nanoseconds(_) => {
                Fit::Number
            }
            Value::Decimal(_) | Value::DecimalBytes(_) | Value::Share(_) => Fit::Number,
            Value::Path(_) => Fit::KeepEnd,
            Value::Name(_) => Fit::KeepEnds,
            Value::Indented { .. } => Fit::Tree,
            Value::Absent | Value::Flag(_) | Value::Text(_) | Value::Words(_) | Value::Instant(_) => Fit::Whole,
            Value::Counts(_) | Value::Record(_) | Value::Records(_) => Fit::Whole,
        }
    }

    /// How much of the room a column that is shortened gets, beside others; 0 where it is not shortened.
    fn weight(self) -> usize {
        match self {
            Fit::KeepEnd => 3,
            Fit::KeepEnds | Fit::Tree => 2,
            Fit::Number | Fit::Whole => 0,
        }
    }

    fn cut(self, text: &str, width: usize) -> String {
        match self {
            Fit::KeepEnd => keep_end(text, width),
            Fit::KeepEnds => keep_ends(text, width),
            Fit::Tree => keep_name(text, width),
            Fit::Number | Fit::Whole => text.to_owned(),
        }
    }
}

struct Column {
    heading: Vec<&'static str>,
    width: usize,
    fit: Fit,
    /// May it be left out?
    spare: bool,
    left_out: bool,
}

/// Blanks between two columns.
const GAP: usize = 2;

/// A column that is shortened is left at least this wide.
const LEAST_WIDTH: usize = 16;

/// Room that the first column that is shortened should have; columns are left out to make it.
const WANTED_WIDTH: usize = 28;

/// Room that a tree should have.
const WANTED_WIDTH_TREE: usize = 50;

/// Room that each other should have.
const WANTED_WIDTH_MORE: usize = 20;

/// A table of texts.
pub(super) struct Grid {
    columns: Vec<Column>,
    rows: Vec<Vec<String>>,
}

impl Grid {
    /// A table with these headings and no rows; a heading may be of several lines. With each: may it be left out?
    pub(super) fn new(headings: impl Iterator<Item = (&'static str, bool)>) -> Self {
        let column = |(heading, spare): (&'static str, bool)| {
            let heading: Vec<&str> = heading.lines().collect();
            let width = heading.iter().map(|line| line.width()).max().unwrap_or(0);
            Column { heading, width, fit: Fit::Whole, spare, left_out: false }
        };
        Grid { columns: headings.map(column).collect(), rows: Vec::new() }
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

    /// Writes the table, the headings in `style`; `width` is the room there is. Returns how many columns had none.
    pub(super) fn write(mut self, width: Option<usize>, style: Style, out: &mut String) -> usize {
        if let Some(width) = width {
            self.leave_out_for(width);
            self.shorten_to(width);
            self.bring_trees_in();
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
        self.columns.iter().filter(|column| column.left_out).count()
    }

    fn line<'a>(&self, texts: impl Iterator<Item = &'a str>, out: &mut String) {
        let mut owed = 0;
        for (column, text) in self.columns.iter().zip(texts).filter(|(column, _)| !column.left_out) {
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

    fn shown(&self) -> impl Iterator<Item = &Column> {
        self.columns.iter().filter(|column| !column.left_out)
    }

    /// Leaves columns out, the first first, until those that can be shortened have the room they should have.
    fn leave_out_for(&mut self, width: usize) {
        let least = |(at, column): (usize, &Column)| {
            column.width.min(match column.fit {
                Fit::Tree => WANTED_WIDTH_TREE,
                _ if at == 0 => WANTED_WIDTH,
                _ => WANTED_WIDTH_MORE,
            })
        };
        loop {
            let rigid =
                self.shown().filter(|column| column.fit.weight() == 0).map(|column| column.width).sum::<usize>();
            let flexible: usize = self.shown().filter(|column| column.fit.weight() > 0).enumerate().map(least).sum();
            if rigid + flexible + GAP * self.shown().count().saturating_sub(1) <= width {
                return;
            }
            let Some(spare) = self.columns.iter_mut().find(|column| column.spare && !column.left_out) else { return };
            spare.left_out = true;
        }
    }

    /// Where a tree would be indented over more than half of its column, every level is indented half as far.
    fn bring_trees_in(&mut self) {
        let blanks = |text: &String| text.len() - text.trim_start_matches(' ').len();
        for (at, column) in self.columns.iter().enumerate().filter(|(_, column)| column.fit == Fit::Tree) {
            let deepest = self.rows.iter().filter_map(|row| row.get(at)).map(blanks).max().unwrap_or(0);
            if deepest > column.width / 2 {
                for text in self.rows.iter_mut().filter_map(|row| row.get_mut(at)) {
                    *text = without_half_the_indentation(text);
                }
            }
        }
    }

    /// Shares the room that numbers leave among the columns that may be shortened. A column that needs less than its
    /// share leaves the rest to the others; of two that need more, a path gets more than a name.
    fn shorten_to(&mut self, width: usize) {
        let taken: usize = self.shown().map(|column| column.width + GAP).sum::<usize>().saturating_sub(GAP);
        if taken <= width {
            return;
        }
        let weight = |column: &Column| column.fit.weight();
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
        let mut grid = Grid::new([("self\nbytes", true), ("file", false), ("sub", false)].into_iter());
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
        assert_eq!(grid().write(Some(60), Style::new(), &mut out), 0);
        assert!(out.lines().all(|line| line.width() <= 60), "{out}");
        assert!(out.contains("…") && out.contains("Load.pm:12") && out.contains("1234567"), "{out}");
    }

    #[test]
    fn what_can_be_spared_is_left_out_where_names_would_have_no_room() {
        let mut out = String::new();
        assert_eq!(grid().write(Some(50), Style::new(), &mut out), 1);
        assert!(!out.contains("1234567"), "{out}");
        assert!(out.lines().all(|line| line.width() <= 50), "{out}");
        assert!(out.contains("…") && out.contains("Load.pm:12"), "{out}");
    }
}
