//! `csv`: one of the [`super::tables`] as RFC 4180 has it, with a line of column names first.
//!
//! What is no visible character in a name is spelled out, so that a row is a line. Nothing stands for a value that is
//! not known.

use super::metric::LeftOut;
use super::run::Run;
use super::tables::Cell;
use super::{ExportError, Options, Traces};
use crate::tools::render::printable;
use std::io::{self, Write};

/// Writes a table of all traces.
pub(super) fn write(traces: &mut Traces, options: &Options, out: &mut dyn Write) -> Result<LeftOut, ExportError> {
    let mut writer = csv::Writer::from_writer(out);
    let table = options.table;
    writer.write_record(table.columns().map(|column| column.name)).map_err(failed)?;
    let mut left_out = LeftOut::default();
    for (id, profile) in (1..).zip(traces) {
        let profile = profile?;
        left_out.add(table.rows(&Run::new(id, &profile), &mut |cells| write_row(&mut writer, cells))?);
    }
    writer.flush()?;
    Ok(left_out)
}

/// What kept the row from being written. csv's own conversion would hide that a reader has had enough.
fn failed(error: csv::Error) -> io::Error {
    match error.into_kind() {
        csv::ErrorKind::Io(error) => error,
        other => io::Error::other(format!("{other:?}")),
    }
}

fn write_row(writer: &mut csv::Writer<&mut dyn Write>, cells: &[Cell]) -> Result<(), ExportError> {
    for cell in cells {
        let field = match cell {
            Cell::Null => writer.write_field(""),
            Cell::Integer(number) => writer.write_field(number.to_string()),
            Cell::Real(number) => writer.write_field(number.to_string()),
            Cell::Text(text) => writer.write_field(printable(text).as_bytes()),
        };
        field.map_err(failed)?;
    }
    Ok(writer.write_record(None::<&[u8]>).map_err(failed)?)
}

#[cfg(test)]
mod tests {
    use super::super::tests::{all, evil, golden, profiles, text};
    use super::*;
    use crate::tools::export::tables::TABLES;

    #[test]
    fn every_table_reads_back_with_its_columns_and_rows() {
        for table in TABLES {
            let options = Options { table: *table, ..Options::default() };
            let written = text(profiles(), &options, write);
            let mut reader = csv::Reader::from_reader(written.as_bytes());
            let names: Vec<String> = reader.headers().unwrap().iter().map(str::to_owned).collect();
            assert!(names.iter().eq(table.columns().map(|column| column.name)), "{}", table.name());
            let mut rows = 0;
            for (id, profile) in (1..).zip(profiles()) {
                table
                    .rows(&Run::new(id, &profile), &mut |_| {
                        rows += 1;
                        Ok(())
                    })
                    .unwrap();
            }
            assert_eq!(reader.records().map(Result::unwrap).count(), rows, "{}", table.name());
            assert_eq!(written.lines().count(), rows + 1, "{}", table.name());
        }
    }

    #[test]
    fn a_reader_that_has_enough_is_known_as_such() {
        struct Closed;
        impl Write for Closed {
            fn write(&mut self, _: &[u8]) -> io::Result<usize> {
                Err(io::ErrorKind::BrokenPipe.into())
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let result = write(&mut all((0..20).map(|_| golden()).collect()), &Options::default(), &mut Closed);
        assert!(matches!(result, Err(ExportError::Write(error)) if error.kind() == io::ErrorKind::BrokenPipe));
    }

    #[test]
    fn names_neither_break_fields_nor_steer_a_terminal() {
        let options = Options { table: crate::tools::export::tables::table("subs").unwrap(), ..Options::default() };
        let written = text(vec![evil()], &options, write);
        assert!(!written.contains(|c: char| c.is_control() && c != '\n'), "{written:?}");
        let mut reader = csv::Reader::from_reader(written.as_bytes());
        let at = reader.headers().unwrap().iter().position(|name| name == "sub").unwrap();
        let names: Vec<String> = reader.records().map(|record| record.unwrap()[at].to_owned()).collect();
        assert!(names.contains(&"Evil::a;b,\"c\" 12".to_owned()), "{names:?}");
        assert!(names.contains(&"Evil::two\\nlines".to_owned()), "{names:?}");
    }
}
