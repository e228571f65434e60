//! `sqlite`: a database of all [`super::tables`], with the runs of all traces in them.
//!
//! Columns are INTEGER, REAL or TEXT and have the tables' names; `run_id` and the ids of a row are the primary key. `PRAGMA
//! user_version` is the version of the tables, [`SCHEMA`].

use super::metric::LeftOut;
use super::run::Run;
use super::tables::{Cell, Kind, Table, SCHEMA, TABLES};
use super::{ExportError, Traces};
use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{params_from_iter, Connection, OpenFlags, ToSql};
use std::path::Path;

impl ToSql for Cell<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Cell::Null => ValueRef::Null,
            Cell::Integer(number) => ValueRef::Integer(*number),
            Cell::Real(number) => ValueRef::Real(*number),
            Cell::Text(text) => ValueRef::Text(text.as_bytes()),
        }))
    }
}

/// What the module of 2007 called the table of its calls: its queries run unchanged.
const VIEWS: &str = "CREATE VIEW f AS SELECT id, function, before, after FROM calls;";

/// Writes the tables of all traces into the empty file at `path`.
pub(super) fn write(traces: &mut Traces, path: &Path) -> Result<LeftOut, ExportError> {
    let mut database = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    // Until it is whole nobody else sees the file: there is nothing to roll back to, and nobody to lock out.
    database.execute_batch(&format!(
        "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA locking_mode = EXCLUSIVE;
         PRAGMA user_version = {SCHEMA};"
    ))?;
    let transaction = database.transaction()?;
    for table in TABLES {
        transaction.execute_batch(&definition(*table))?;
    }
    transaction.execute_batch(VIEWS)?;
    let mut left_out = LeftOut::default();
    for (id, profile) in (1..).zip(traces) {
        let profile = profile?;
        let run = Run::new(id, &profile);
        for table in TABLES {
            let marks: Vec<&str> = table.columns().map(|_| "?").collect();
            let mut insert =
                transaction.prepare(&format!("INSERT INTO {} VALUES ({})", table.name(), marks.join(", ")))?;
            left_out.add(table.rows(&run, &mut |cells| {
                insert.execute(params_from_iter(cells))?;
                Ok(())
            })?);
        }
    }
    transaction.commit()?;
    database.close().map_err(|(_, error)| error)?;
    Ok(left_out)
}

fn definition(table: &dyn Table) -> String {
    let column = |column: super::tables::Column| {
        let kind = match column.kind {
            Kind::Integer => "INTEGER",
            Kind::Real => "REAL",
            Kind::Text => "TEXT",
        };
        format!("{} {kind}", column.name)
    };
    let columns: Vec<String> = table.columns().map(column).collect();
    format!("CREATE TABLE {} ({}, PRIMARY KEY ({}));", table.name(), columns.join(", "), table.key().join(", "))
}

#[cfg(test)]
mod tests {
    use super::super::tests::{all, evil, profiles};
    use super::*;
    use crate::tools::profile::Profile;

    fn exported(profiles: Vec<Profile>) -> (tempfile::NamedTempFile, Connection) {
        let file = tempfile::NamedTempFile::new().unwrap();
        write(&mut all(profiles), file.path()).unwrap();
        let database = Connection::open(file.path()).unwrap();
        (file, database)
    }

    #[test]
    fn sums_are_those_of_the_profile() {
        let (_file, database) = exported(profiles());
        for (id, profile) in (1i64..).zip(profiles()) {
            let sum = |query: &str| -> i64 { database.query_row(query, [id], |row| row.get(0)).unwrap() };
            let expected = profile.all.allocated_bytes as i64;
            assert_eq!(sum("SELECT sum(allocated_bytes) FROM places WHERE run_id = ?"), expected);
            assert_eq!(sum("SELECT sum(self_allocated_bytes) FROM subs WHERE run_id = ?"), expected);
            assert_eq!(sum("SELECT sum(self_allocated_bytes) FROM nodes WHERE run_id = ?"), expected);
            let roots = "SELECT sum(inclusive_allocated_bytes) FROM nodes WHERE parent_id IS NULL AND run_id = ?";
            assert_eq!(sum(roots), expected);
            let freed = profile.all.freed_bytes as i64;
            assert_eq!(sum("SELECT sum(freed_bytes) FROM places WHERE run_id = ?"), freed);
            assert_eq!(sum("SELECT allocated_bytes FROM runs WHERE run_id = ?"), profile.totals.allocated_bytes as i64);
        }
    }

    #[test]
    fn names_are_kept_as_they_are() {
        let (_file, database) = exported(vec![evil()]);
        let mut names = database.prepare("SELECT sub FROM subs").unwrap();
        let names: Vec<String> = names.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
        for name in ["Evil::a;b,\"c\" 12", "Evil::two\nlines", "Evil::\u{1b}[31mred", "Evil::caf\\xE9", "Evil::nul\0"] {
            assert!(names.iter().any(|known| known == name), "{name:?}: {names:?}");
        }
        let check: String = database.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
        assert_eq!(check, "ok");
    }
}
