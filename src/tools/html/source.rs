//! The source of the files that a trace names, as it is on disk now, with figures beside its lines.
//!
//! The trace holds no source: this reads whatever regular file stands under a name in it, so only where it is asked for.

use super::embed::json;
use super::strings::{StringNumber, Strings};
use crate::tools::profile::{names, LineRow, Profile};
use crate::tools::render::printable;
use serde::Serialize;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::time::{Duration, UNIX_EPOCH};
use thiserror::Error;

/// Sources, those of the files that allocate most first.
#[derive(Serialize, Default)]
#[serde(rename_all = "camelCase")]
pub(super) struct Sources {
    shown: Vec<Source>,
    left_out: Vec<LeftOut>,
}

/// Files that are not shown.
#[derive(Serialize)]
struct LeftOut {
    why: String,
    files: Vec<StringNumber>,
}

/// A file of the program.
#[derive(Serialize)]
struct Source {
    file: StringNumber,
    /// Its lines, with newlines between them.
    text: String,
    /// Was it changed after the program was started?
    changed: bool,
    /// Lines with figures, in order; all that follows is by line.
    line: Vec<u32>,
    calls: Vec<u64>,
    allocated: Vec<u64>,
    inclusive: Vec<u64>,
    live: Vec<u64>,
    peak: Vec<u64>,
    scalars: Vec<i64>,
}

/// Why a source is not shown.
#[derive(Debug, Error)]
enum NoSource {
    #[error("cannot be read: {0}")]
    Io(#[from] io::Error),
    #[error("is no regular file")]
    NotAFile,
    #[error("holds no text")]
    NotText,
    #[error("would make the page too big: files that allocate more come first")]
    TooMuch,
    #[error("cannot be written: {0}")]
    Json(#[from] serde_json::Error),
}

/// A file that a profile has figures of, and its lines.
pub(super) struct Named<'a> {
    number: StringNumber,
    lines: &'a [LineRow],
}

/// The files of a profile, those that allocate most first.
pub(super) fn named<'a>(profile: &'a Profile, strings: &mut Strings) -> Vec<Named<'a>> {
    let mut files: Vec<(u64, &[LineRow])> = profile
        .lines()
        .chunk_by(|a, b| a.file == b.file)
        .filter(|lines| lines.first().is_some_and(|line| !line.file.is_empty()))
        .map(|lines| (lines.iter().map(|line| line.own.allocated_bytes).fold(0, u64::saturating_add), lines))
        .collect();
    files.sort_by_key(|(allocated_bytes, _)| std::cmp::Reverse(*allocated_bytes));
    let name = |lines: &[LineRow]| lines.first().map(|line| line.file.clone()).unwrap_or_default();
    files.into_iter().map(|(_, lines)| Named { number: strings.number(&name(lines)), lines }).collect()
}

/// Their sources, as far as they take no more than `room_bytes` of the page.
pub(super) fn sources(profile: &Profile, files: &[Named], mut room_bytes: usize) -> Sources {
    let mut sources = Sources::default();
    for file in files {
        match source(profile, file, &mut room_bytes) {
            Ok(source) => sources.shown.push(source),
            Err(error) => sources.leave_out(file.number, error.to_string()),
        }
    }
    sources
}

fn source(profile: &Profile, file: &Named, room_bytes: &mut usize) -> Result<Source, NoSource> {
    let name = file.lines.first().map_or("", |line| &*line.file);
    let (text, modified_ns) = read(&found(profile, name)?, *room_bytes)?;
    let lines = || file.lines.iter().filter(|line| line.line > 0);
    let source = Source {
        file: file.number,
        text,
        changed: modified_ns > profile.trace.header.start_unix_ns,
        line: lines().map(|line| line.line).collect(),
        calls: lines().map(|line| line.calls).collect(),
        allocated: lines().map(|line| line.own.allocated_bytes).collect(),
        inclusive: lines().map(|line| line.inclusive.allocated_bytes).collect(),
        live: lines().map(|line| line.own.live_bytes).collect(),
        peak: lines().map(|line| line.own.at_peak_bytes).collect(),
        scalars: lines().map(|line| line.own.net_scalars()).collect(),
    };
    *room_bytes = room_bytes.checked_sub(json(&source)?.len()).ok_or(NoSource::TooMuch)?;
    Ok(source)
}

impl Sources {
    fn leave_out(&mut self, file: StringNumber, why: String) {
        match self.left_out.iter_mut().find(|left_out| left_out.why == why) {
            Some(left_out) => left_out.files.push(file),
            None => self.left_out.push(LeftOut { why, files: vec![file] }),
        }
    }
}

/// The file of that name: from where the program was started, or from here, if that is where its files are now.
fn found(profile: &Profile, name: &str) -> Result<PathBuf, NoSource> {
    let there = Path::new(&names::text(&profile.trace.header.cwd)).join(name);
    let path = if there.exists() { there } else { PathBuf::from(name) };
    // Opening anything else might wait for ever.
    match path.metadata()?.is_file() {
        true => Ok(path),
        false => Err(NoSource::NotAFile),
    }
}

/// The text of a file, and when it was last changed, in nanoseconds since 1970.
fn read(path: &Path, most_bytes: usize) -> Result<(String, u64), NoSource> {
    let file = File::open(path)?;
    let metadata = file.metadata()?;
    let mut bytes = Vec::new();
    file.take(most_bytes as u64 + 1).read_to_end(&mut bytes)?;
    if bytes.len() > most_bytes {
        return Err(NoSource::TooMuch);
    }
    if bytes.contains(&0) {
        return Err(NoSource::NotText);
    }
    let modified = metadata.modified()?.duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
    Ok((shown(bytes), u64::try_from(modified.as_nanos()).unwrap_or(u64::MAX)))
}

/// Source as the page shows it: what is no UTF-8 is taken for Latin-1, as perl takes it; what could change how it reads,
/// as marks that turn the direction of writing, is spelled out.
fn shown(bytes: Vec<u8>) -> String {
    let text =
        String::from_utf8(bytes).unwrap_or_else(|error| error.as_bytes().iter().copied().map(char::from).collect());
    let line = |line: &str| line.split('\t').map(printable).collect::<Vec<_>>().join("\t");
    text.lines().map(line).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn source_is_shown_as_it_reads() {
        for (bytes, expected) in [
            (&b"a\tb\r\nc\n"[..], "a\tb\nc"),
            (b"caf\xe9", "café"),
            ("café \u{202e}".as_bytes(), "café \\x{202E}"),
            (b"\x1b[0m\n\n", "\\x{1B}[0m\n"),
        ] {
            assert_eq!(shown(bytes.to_vec()), expected);
        }
    }

    #[test]
    fn only_text_that_fits_is_read() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("x.pl");
        std::fs::write(&path, "print 1;\n").unwrap();
        assert_eq!(read(&path, 9).unwrap().0, "print 1;");
        assert!(matches!(read(&path, 8), Err(NoSource::TooMuch)));
        std::fs::write(&path, "\0").unwrap();
        assert!(matches!(read(&path, 8), Err(NoSource::NotText)));
    }
}
