//! Words of the command line to files: names, and patterns as a shell knows them (`mprof.bin*`).

use super::render::printable;
use std::collections::HashSet;
use std::path::{Path, PathBuf};
use thiserror::Error;

/// Why words name no files.
#[derive(Debug, Error)]
pub enum InputError {
    /// A pattern that is none.
    #[error("\"{}\" is no pattern: {source}", printable(pattern))]
    Pattern {
        /// The pattern.
        pattern: String,
        /// What is wrong with it.
        source: glob::PatternError,
    },
    /// No file matches.
    #[error("no file matches \"{}\"", printable(.0))]
    NoMatch(String),
    /// A folder cannot be read.
    #[error("cannot look for files: {0}")]
    Io(#[from] glob::GlobError),
}

/// The files that `words` name, in their order and each once, however often and by whatever name it is named.
///
/// # Errors
/// As [`named`].
pub fn files(words: &[PathBuf]) -> Result<Vec<PathBuf>, InputError> {
    let mut files = named(words)?;
    let mut seen = HashSet::new();
    files.retain(|file| seen.insert(file.canonicalize().unwrap_or_else(|_| file.clone())));
    Ok(files)
}

/// The files that `words` name, in their order. A word that is the name of a file is no pattern. What is no file is left
/// for its reader to refuse.
///
/// # Errors
/// Where a pattern matches nothing, or is none.
pub fn named(words: &[PathBuf]) -> Result<Vec<PathBuf>, InputError> {
    let mut files = Vec::new();
    for word in words {
        match pattern(word) {
            Some(pattern) => files.extend(matching(pattern)?),
            None => files.push(word.clone()),
        }
    }
    Ok(files)
}

fn pattern(word: &Path) -> Option<&str> {
    let text = word.to_str().filter(|text| text.contains(['*', '?', '[']))?;
    (!word.exists()).then_some(text)
}

fn matching(pattern: &str) -> Result<Vec<PathBuf>, InputError> {
    let found = glob::glob(pattern).map_err(|source| InputError::Pattern { pattern: pattern.to_owned(), source })?;
    let files: Vec<PathBuf> = found.collect::<Result<_, _>>()?;
    if files.is_empty() {
        return Err(InputError::NoMatch(pattern.to_owned()));
    }
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn patterns_are_files_and_a_file_is_itself_once() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        for name in ["a.bin", "a.bin.1", "b[1].bin"] {
            fs::write(path(name), "").unwrap();
        }
        std::os::unix::fs::symlink(path("a.bin"), path("link")).unwrap();
        for (words, expected) in [
            (&["a.bin*"][..], &["a.bin", "a.bin.1"][..]),
            (&["a.bin.1", "a.bin*", "link"], &["a.bin.1", "a.bin"]),
            (&["b[1].bin"], &["b[1].bin"]),
            (&["nosuch"], &["nosuch"]),
        ] {
            let words: Vec<PathBuf> = words.iter().map(|name| path(name)).collect();
            let expected: Vec<PathBuf> = expected.iter().map(|name| path(name)).collect();
            assert_eq!(files(&words).unwrap(), expected);
        }
        assert!(matches!(files(&[path("nosuch*")]), Err(InputError::NoMatch(_))));
        assert!(matches!(files(&[path("a[")]), Err(InputError::Pattern { .. })));
    }
}
