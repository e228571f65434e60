//! `parquet`: one of the [`super::tables`] as files for engines that query many: `host=…/run=…/TABLE.parquet` below a
//! folder, a file for each trace. DuckDB and Spark find `host` and `run` in the folders' names, as Hive has them.
//!
//! All columns are optional, INT64, DOUBLE or UTF-8, compressed with zstd.

use super::metric::LeftOut;
use super::run::Run;
use super::tables::{Cell, Kind, Table};
use super::{ExportError, Options, Traces};
use crate::tools::target::FolderTarget;
use parquet::basic::{Compression, LogicalType, Repetition, Type as Physical, ZstdLevel};
use parquet::column::writer::ColumnWriter;
use parquet::data_type::ByteArray;
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::types::Type;
use std::fs::File;
use std::path::PathBuf;
use std::sync::Arc;

/// Rows that are held before they are written, and the most that a row group has.
const GROUP_ROWS: usize = 1 << 16;

/// Writes a file for each trace.
pub(super) fn write(traces: &mut Traces, options: &Options, folder: &mut FolderTarget) -> Result<LeftOut, ExportError> {
    let mut left_out = LeftOut::default();
    for (id, profile) in (1..).zip(traces) {
        let profile = profile?;
        let run = Run::new(id, &profile);
        let below: PathBuf = [
            format!("host={}", hive_escaped(&profile.trace.header.hostname)),
            format!("run={}", hive_escaped(&run.key)),
            format!("{}.parquet", options.table.name()),
        ]
        .iter()
        .collect();
        left_out.add(write_file(options.table, &run, folder.file(below)?)?);
    }
    Ok(left_out)
}

/// A value as a folder may be called, in Hive's way: what has a meaning in paths or URLs as `%` and two hex digits.
fn hive_escaped(value: &str) -> String {
    if value.is_empty() {
        return "__HIVE_DEFAULT_PARTITION__".to_owned();
    }
    let mut escaped = String::with_capacity(value.len());
    for c in value.chars() {
        if c.is_ascii() && (c.is_ascii_control() || "\"#%'*/:=?\\{}[]^".contains(c)) {
            escaped.push_str(&format!("%{:02X}", u32::from(c)));
        } else {
            escaped.push(c);
        }
    }
    escaped
}

/// Values of a column that wait to be written.
#[derive(Default)]
struct Waiting {
    numbers: Vec<i64>,
    reals: Vec<f64>,
    texts: Vec<ByteArray>,
    /// For each row: is there a value?
    levels: Vec<i16>,
}

fn write_file(table: &dyn Table, run: &Run, file: File) -> Result<LeftOut, ExportError> {
    // The run is in the folder's name.
    let columns: Vec<_> = table.columns().collect();
    let kept: Vec<usize> =
        (0..columns.len()).filter(|&at| columns.get(at).is_some_and(|c| c.name != "run_id")).collect();
    let fields = kept.iter().filter_map(|&at| columns.get(at)).map(|column| field(column.name, column.kind));
    let fields = fields.collect::<Result<Vec<_>, _>>()?;
    let schema = Type::group_type_builder(table.name()).with_fields(fields).build()?;
    let properties = WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::default()))
        .set_created_by(format!("Devel::MProf {}", env!("CARGO_PKG_VERSION")))
        .build();
    let mut writer = SerializedFileWriter::new(file, Arc::new(schema), Arc::new(properties))?;
    let mut waiting: Vec<Waiting> = kept.iter().map(|_| Waiting::default()).collect();
    let mut rows = 0;
    let left_out = table.rows(run, &mut |cells| {
        for (column, cell) in waiting.iter_mut().zip(kept.iter().filter_map(|&at| cells.get(at))) {
            match cell {
                Cell::Null => {}
                Cell::Integer(number) => column.numbers.push(*number),
                Cell::Real(number) => column.reals.push(*number),
                Cell::Text(text) => column.texts.push(ByteArray::from(*text)),
            }
            column.levels.push(i16::from(!matches!(cell, Cell::Null)));
        }
        rows += 1;
        if rows == GROUP_ROWS {
            write_group(&mut writer, &mut waiting)?;
            rows = 0;
        }
        Ok(())
    })?;
    if rows > 0 {
        write_group(&mut writer, &mut waiting)?;
    }
    writer.close()?;
    Ok(left_out)
}

fn field(name: &str, kind: Kind) -> Result<Arc<Type>, ParquetError> {
    let field = match kind {
        Kind::Integer => Type::primitive_type_builder(name, Physical::INT64),
        Kind::Real => Type::primitive_type_builder(name, Physical::DOUBLE),
        Kind::Text => {
            Type::primitive_type_builder(name, Physical::BYTE_ARRAY).with_logical_type(Some(LogicalType::String))
        }
    };
    Ok(Arc::new(field.with_repetition(Repetition::OPTIONAL).build()?))
}

fn write_group(writer: &mut SerializedFileWriter<File>, waiting: &mut [Waiting]) -> Result<(), ExportError> {
    let mut group = writer.next_row_group()?;
    for column in waiting {
        let Waiting { numbers, reals, texts, levels } = std::mem::take(column);
        let Some(mut writer) = group.next_column()? else { break };
        match writer.untyped() {
            ColumnWriter::Int64ColumnWriter(writer) => writer.write_batch(&numbers, Some(&levels), None)?,
            ColumnWriter::DoubleColumnWriter(writer) => writer.write_batch(&reals, Some(&levels), None)?,
            ColumnWriter::ByteArrayColumnWriter(writer) => writer.write_batch(&texts, Some(&levels), None)?,
            // `field` makes no other.
            _ => 0,
        };
        writer.close()?;
    }
    group.close()?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::tests::{all, golden, profiles};
    use super::*;
    use crate::tools::export::tables::{table, TABLES};
    use parquet::file::reader::{FileReader, SerializedFileReader};
    use parquet::record::RowAccessor;
    use std::path::Path;

    #[test]
    fn folders_are_named_as_hive_has_them() {
        for (value, escaped) in [
            ("box", "box"),
            ("a/b=c%", "a%2Fb%3Dc%25"),
            ("", "__HIVE_DEFAULT_PARTITION__"),
            ("..", ".."),
            ("é\n", "é%0A"),
        ] {
            assert_eq!(hive_escaped(value), escaped);
        }
    }

    fn read(path: &Path) -> SerializedFileReader<File> {
        SerializedFileReader::new(File::open(path).unwrap()).unwrap()
    }

    #[test]
    fn every_table_reads_back_with_its_rows() {
        for table in TABLES {
            let folder = tempfile::tempdir().unwrap();
            let mut target = FolderTarget::new(folder.path(), false).unwrap();
            let options = Options { table: *table, ..Options::default() };
            write(&mut all(vec![golden()]), &options, &mut target).unwrap();
            target.finish().unwrap();
            let path = format!("host=box/run=20261124T210018.000000000Z-4242/{}.parquet", table.name());
            let file = read(&folder.path().join(path));
            let mut rows = 0;
            table
                .rows(&Run::new(1, &golden()), &mut |_| {
                    rows += 1;
                    Ok(())
                })
                .unwrap();
            assert_eq!(file.get_row_iter(None).unwrap().map(Result::unwrap).count(), rows, "{}", table.name());
        }
    }

    #[test]
    fn sums_are_those_of_the_profile() {
        for profile in profiles() {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("places.parquet");
            write_file(table("places").unwrap(), &Run::new(1, &profile), File::create(&path).unwrap()).unwrap();
            let file = read(&path);
            let at = |name: &str| {
                let columns = file.metadata().file_metadata().schema().get_fields().to_vec();
                columns.iter().position(|column| column.name() == name).unwrap()
            };
            let (allocated, freed) = (at("allocated_bytes"), at("freed_bytes"));
            let mut sums = (0, 0);
            for row in file.get_row_iter(None).unwrap().map(Result::unwrap) {
                sums.0 += row.get_long(allocated).unwrap();
                sums.1 += row.get_long(freed).unwrap();
            }
            assert_eq!(sums, (profile.all.allocated_bytes as i64, profile.all.freed_bytes as i64));
        }
    }
}
