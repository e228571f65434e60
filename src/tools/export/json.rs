//! `json`: all [`super::tables`] of every run, a row on each line.
//!
//! | field | what |
//! |---|---|
//! | `schema` | version of the fields: [`SCHEMA`]. Fields may be added without a new one, never removed or changed |
//! | `runs` | for each trace an object of its tables: under a table's name an array of objects, a field for each column |

use super::metric::LeftOut;
use super::run::Run;
use super::tables::{Cell, Table, SCHEMA, TABLES};
use super::{ExportError, Options, Traces};
use crate::tools::render::json::string;
use std::fmt::Write as _;
use std::io::Write;

/// Writes the tables of all traces.
pub(super) fn write(traces: &mut Traces, _: &Options, out: &mut dyn Write) -> Result<LeftOut, ExportError> {
    write!(out, "{{\n\"schema\": {SCHEMA},\n\"runs\": [")?;
    let mut left_out = LeftOut::default();
    for (id, profile) in (1..).zip(traces) {
        let profile = profile?;
        let run = Run::new(id, &profile);
        write!(out, "{}", if id == 1 { "\n{" } else { ",\n{" })?;
        for (at, table) in TABLES.iter().enumerate() {
            write!(out, "{}\n\"{}\": [", if at == 0 { "" } else { "," }, table.name())?;
            left_out.add(write_table(*table, &run, out)?);
            write!(out, "]")?;
        }
        write!(out, "}}")?;
    }
    writeln!(out, "]\n}}")?;
    Ok(left_out)
}

fn write_table(table: &dyn Table, run: &Run, out: &mut dyn Write) -> Result<LeftOut, ExportError> {
    let names: Vec<&str> = table.columns().map(|column| column.name).collect();
    let (mut line, mut first) = (String::new(), true);
    table.rows(run, &mut |cells| {
        line.clear();
        line.push_str(if std::mem::take(&mut first) { "\n{" } else { ",\n{" });
        for (at, (name, cell)) in names.iter().zip(cells).enumerate() {
            // Writing to a String cannot fail.
            let _ = write!(line, "{}\"{name}\": ", if at == 0 { "" } else { ", " });
            match cell {
                Cell::Null => line.push_str("null"),
                Cell::Integer(number) => drop(write!(line, "{number}")),
                Cell::Real(number) => drop(write!(line, "{number}")),
                Cell::Text(text) => string(text, &mut line),
            }
        }
        line.push('}');
        Ok(out.write_all(line.as_bytes())?)
    })
}

#[cfg(test)]
mod tests {
    use super::super::tests::{profiles, text};
    use super::*;
    use serde_json::Value;

    #[test]
    fn every_table_of_every_run_is_there_and_sums_are_those_of_the_table_of_subs() {
        let file: Value = serde_json::from_str(&text(profiles(), &Options::default(), write)).unwrap();
        assert_eq!(file["schema"], SCHEMA);
        for (at, profile) in profiles().iter().enumerate() {
            let run = &file["runs"][at];
            for table in TABLES {
                assert!(run[table.name()].is_array(), "{}", table.name());
            }
            let sum = |table: &str, column: &str| -> i64 {
                run[table].as_array().unwrap().iter().map(|row| row[column].as_i64().unwrap()).sum()
            };
            let expected = profile.all.allocated_bytes as i64;
            assert_eq!(sum("places", "allocated_bytes"), expected);
            assert_eq!(sum("subs", "self_allocated_bytes"), expected);
            assert_eq!(sum("nodes", "self_allocated_bytes"), expected);
        }
    }
}
