//! The tables that csv, json, sqlite and parquet hold: one definition of their columns for all four.
//!
//! Names end in their unit, as in the reports' JSON, and stay: columns may be added, at the end or not, never renamed.
//! Every table begins with `run_id`, the number of the run in the export.

mod calls;
mod figures;
mod leaks;
mod marks;
mod nodes;
mod places;
mod runs;
mod snapshots;
mod subs;
mod timeline;

use super::metric::{whole, LeftOut};
use super::run::Run;
use super::ExportError;
use crate::format::records::Totals;
use crate::tools::profile::Measures;
use crate::tools::reader::Keep;
use figures::{MEASURES, TOTALS};

/// Version of the tables: a new one where a column is removed or means something else.
pub const SCHEMA: u32 = 1;

/// All tables.
pub static TABLES: &[&dyn Table] = &[
    &runs::RUNS,
    &subs::SUBS,
    &nodes::NODES,
    &places::PLACES,
    &snapshots::SNAPSHOTS,
    &timeline::TIMELINE,
    &marks::MARKS,
    &leaks::LEAKS,
    &calls::Calls,
];

/// The table that an export has where none is asked for.
pub static USUAL: &dyn Table = &places::PLACES;

/// The table of that name.
pub fn table(name: &str) -> Option<&'static dyn Table> {
    TABLES.iter().copied().find(|table| table.name() == name)
}

/// A value of a row.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Cell<'a> {
    /// Not known, or there is none.
    Null,
    /// A whole number.
    Integer(i64),
    /// A number that is not whole.
    Real(f64),
    /// A text, as it is in the trace.
    Text(&'a str),
}

/// What a column holds, where it holds anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Whole numbers.
    Integer,
    /// Numbers that are not whole.
    Real,
    /// Texts.
    Text,
}

/// The head of a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Column {
    /// Its name.
    pub name: &'static str,
    /// What it holds.
    pub kind: Kind,
}

/// Takes a row.
pub(super) type Each<'a> = dyn FnMut(&[Cell]) -> Result<(), ExportError> + 'a;

/// A table.
pub trait Table: Sync {
    /// Its name.
    fn name(&self) -> &'static str;

    /// Names of the columns that tell its rows apart; rows come in their order.
    fn key(&self) -> &'static [&'static str];

    /// Its columns.
    fn columns(&self) -> Box<dyn Iterator<Item = Column> + '_>;

    /// What it needs of a trace. Default: the last figures.
    fn keep(&self) -> Keep {
        Keep::Last
    }

    /// Calls `each` with the rows of a run, a cell for each column. Returns what it has no rows for.
    ///
    /// # Errors
    /// Those of `each`; and where the trace must be read again and cannot be.
    fn rows(&self, run: &Run, each: &mut Each) -> Result<LeftOut, ExportError>;
}

/// A column of rows of type `R`.
struct Of<R> {
    name: &'static str,
    kind: Kind,
    cell: for<'a> fn(&'a Run<'a>, &'a R) -> Cell<'a>,
}

impl<R> Of<R> {
    const fn integer(name: &'static str, cell: for<'a> fn(&'a Run<'a>, &'a R) -> Cell<'a>) -> Self {
        Of { name, kind: Kind::Integer, cell }
    }

    const fn real(name: &'static str, cell: for<'a> fn(&'a Run<'a>, &'a R) -> Cell<'a>) -> Self {
        Of { name, kind: Kind::Real, cell }
    }

    const fn text(name: &'static str, cell: for<'a> fn(&'a Run<'a>, &'a R) -> Cell<'a>) -> Self {
        Of { name, kind: Kind::Text, cell }
    }
}

/// Whose figures a group of columns is of.
#[derive(Clone, Copy)]
enum Whose {
    /// Of something that has no others: names stand alone.
    Only,
    /// Without what is called: `self_`.
    Own,
    /// With all that is called: `inclusive_`.
    Inclusive,
}

/// A group of columns of figures, and how to find them in a row.
type Group<R> = (Whose, fn(&R) -> &Measures);

/// A table of rows of type `R`: columns of its own, then groups of figures.
struct Rows<R: 'static> {
    name: &'static str,
    key: &'static [&'static str],
    columns: &'static [Of<R>],
    keep: Keep,
    measures: &'static [Group<R>],
    totals: &'static [fn(&R) -> &Totals],
    rows: for<'a> fn(&'a Run<'a>) -> Box<dyn Iterator<Item = R> + 'a>,
}

impl<R: 'static> Table for Rows<R> {
    fn name(&self) -> &'static str {
        self.name
    }

    fn key(&self) -> &'static [&'static str] {
        self.key
    }

    fn keep(&self) -> Keep {
        self.keep
    }

    fn columns(&self) -> Box<dyn Iterator<Item = Column> + '_> {
        let run = Column { name: "run_id", kind: Kind::Integer };
        let own = self.columns.iter().map(|column| Column { name: column.name, kind: column.kind });
        let figure = |name| Column { name, kind: Kind::Integer };
        let measures = self.measures.iter().flat_map(|(whose, _)| MEASURES.iter().map(|measure| measure.name(*whose)));
        let totals = self.totals.iter().flat_map(|_| TOTALS.iter().map(|total| total.name));
        Box::new(std::iter::once(run).chain(own).chain(measures.chain(totals).map(figure)))
    }

    fn rows(&self, run: &Run, each: &mut Each) -> Result<LeftOut, ExportError> {
        for row in (self.rows)(run) {
            let own = self.columns.iter().map(|column| (column.cell)(run, &row));
            let measures = self.measures.iter().flat_map(|(_, of)| MEASURES.iter().map(|measure| measure.of(of(&row))));
            let totals = self.totals.iter().flat_map(|of| TOTALS.iter().map(|total| total.of(of(&row))));
            let figures = measures.chain(totals).map(Cell::Integer);
            let cells: Vec<Cell> = std::iter::once(Cell::Integer(run.id)).chain(own).chain(figures).collect();
            each(&cells)?;
        }
        Ok(LeftOut::default())
    }
}

fn number(number: impl Into<u64>) -> Cell<'static> {
    Cell::Integer(whole(number.into()))
}

fn text(text: Option<&String>) -> Cell<'_> {
    text.map_or(Cell::Null, |text| Cell::Text(text))
}

#[cfg(test)]
mod tests {
    use super::super::tests::{golden, leaking, profiles};
    use super::*;
    use std::collections::BTreeSet;

    fn rows(table: &dyn Table, profile: &crate::tools::profile::Profile) -> Vec<Vec<String>> {
        let mut rows = Vec::new();
        let each = &mut |cells: &[Cell]| {
            rows.push(cells.iter().map(|cell| format!("{cell:?}")).collect());
            Ok(())
        };
        table.rows(&Run::new(1, profile), each).unwrap();
        rows
    }

    #[test]
    fn every_row_has_a_cell_for_each_column_and_keys_are_unique() {
        for table in TABLES {
            let names: Vec<&str> = table.columns().map(|column| column.name).collect();
            assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), names.len(), "{}", table.name());
            let key: Vec<usize> =
                table.key().iter().map(|key| names.iter().position(|name| name == key).unwrap()).collect();
            for profile in profiles().into_iter().chain([leaking()]) {
                let rows = rows(*table, &profile);
                assert!(rows.iter().all(|row| row.len() == names.len()), "{}", table.name());
                let keys: BTreeSet<Vec<&String>> =
                    rows.iter().map(|row| key.iter().map(|&at| &row[at]).collect()).collect();
                assert_eq!(keys.len(), rows.len(), "{}", table.name());
            }
        }
    }

    /// The manual lists the columns; this keeps it true.
    #[test]
    fn every_column_is_in_the_manual() {
        let manual = std::fs::read_to_string("lib/Devel/MProf.pm").unwrap();
        let section = manual.split("\n=head1 EXPORT\n").nth(1).unwrap().split("\n=head1 ").next().unwrap();
        let words: BTreeSet<&str> = section.split(|c: char| !(c.is_alphanumeric() || c == '_')).collect();
        for table in TABLES {
            assert!(words.contains(table.name()), "{}", table.name());
            for column in table.columns() {
                let plain = column.name.trim_start_matches("self_").trim_start_matches("inclusive_");
                assert!(words.contains(column.name) || words.contains(plain), "{} of {}", column.name, table.name());
            }
        }
    }

    #[test]
    fn marks_and_leaks_are_those_of_the_report() {
        let profile = leaking();
        assert_eq!(
            rows(table("marks").unwrap(), &profile),
            [["Integer(1)", "Integer(1)", "Text(\"My::Server::handle\")", "Integer(32)"]]
        );
        let leaks = crate::tools::leaks::Leaks::new(&profile.trace);
        let names: Vec<&str> = table("leaks").unwrap().columns().map(|column| column.name).collect();
        let at = |name: &str| names.iter().position(|known| *known == name).unwrap();
        let rows = rows(table("leaks").unwrap(), &profile);
        assert_eq!(rows.len(), leaks.leaks.len() + leaks.once.len());
        for (row, leak) in rows.iter().zip(leaks.leaks.iter().chain(&leaks.once)) {
            assert_eq!(row[at("line")], format!("Integer({})", leak.site.line));
            assert_eq!(row[at("growth_bytes_per_mark")], format!("Real({:?})", leak.bytes.per_unit));
        }
    }

    #[test]
    fn the_golden_trace_has_the_rows_it_should() {
        let profile = golden();
        let count = |name: &str| rows(table(name).unwrap(), &profile).len();
        assert_eq!((count("runs"), count("subs"), count("nodes")), (1, 12, 14));
        assert_eq!((count("snapshots"), count("timeline")), (2, 4));
        assert!(count("places") >= 15);
    }
}
