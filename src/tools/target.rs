//! Files that are written whole or not at all: beside their place, under another name, and then moved there.
//!
//! What stands at the place is left alone unless it may be replaced, and always until the new file is complete. Whatever
//! goes wrong, nothing half-written stays behind.

use super::render::printable;
use std::fs::{File, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use tempfile::NamedTempFile;
use thiserror::Error;

/// What the names of unfinished files begin with.
const UNFINISHED: &str = ".mprof-dump-";

/// Why a file is not written. What stood at its place still does.
#[derive(Debug, Error)]
pub enum TargetError {
    /// It is there.
    #[error("{} is there already; --force replaces it", shown(.0))]
    Exists(PathBuf),
    /// It is a folder, a device or the like.
    #[error("{} is no regular file, so it is not replaced", shown(.0))]
    NotAFile(PathBuf),
    /// It is what is being read.
    #[error("{} is the trace itself, so it is not replaced", shown(.0))]
    Input(PathBuf),
    /// The system refused.
    #[error("cannot write {}: {error}", shown(path))]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
}

fn shown(path: &Path) -> String {
    printable(&path.to_string_lossy()).into_owned()
}

fn failed(path: &Path) -> impl Fn(io::Error) -> TargetError + '_ {
    |error| TargetError::Io { path: path.to_owned(), error }
}

/// A file to be written.
pub struct Target {
    path: PathBuf,
    replace: bool,
    file: NamedTempFile,
}

impl Target {
    /// The file at `path`, in place of what stands there only if `replace`, and never in place of one of `inputs`.
    ///
    /// # Errors
    /// Where it may not be written.
    pub fn new<P: AsRef<Path>>(path: &Path, replace: bool, inputs: &[P]) -> Result<Self, TargetError> {
        if let Ok(there) = path.metadata() {
            if !there.is_file() {
                return Err(TargetError::NotAFile(path.to_owned()));
            }
            let same = |input: &P| {
                let input = input.as_ref().metadata();
                input.is_ok_and(|input| (input.dev(), input.ino()) == (there.dev(), there.ino()))
            };
            if inputs.iter().any(same) {
                return Err(TargetError::Input(path.to_owned()));
            }
        }
        if path.symlink_metadata().is_ok() && !replace {
            return Err(TargetError::Exists(path.to_owned()));
        }
        // What a link leads to is replaced, not the link.
        let path = path.canonicalize().unwrap_or_else(|_| path.to_owned());
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        // As any new file: the umask takes from it.
        let file = tempfile::Builder::new()
            .prefix(UNFINISHED)
            .permissions(Permissions::from_mode(0o666))
            .tempfile_in(folder)
            .map_err(failed(&path))?;
        Ok(Target { path, replace, file })
    }

    /// The unfinished file, to write to.
    pub fn file(&mut self) -> &mut File {
        self.file.as_file_mut()
    }

    /// Gives the finished file its name.
    ///
    /// # Errors
    /// Where the disk is full, or something has come to stand there meanwhile.
    pub fn finish(self) -> Result<(), TargetError> {
        let Target { path, replace, file } = self;
        // Some file systems notice only now that there is no room.
        file.as_file().sync_all().map_err(failed(&path))?;
        let moved = if replace { file.persist(&path) } else { file.persist_noclobber(&path) };
        match moved {
            Ok(_) => Ok(()),
            Err(error) if error.error.kind() == io::ErrorKind::AlreadyExists => Err(TargetError::Exists(path)),
            Err(error) => Err(failed(&path)(error.error)),
        }
    }

    /// Writes all of a file at once, and finishes it.
    ///
    /// # Errors
    /// As [`Target::finish`].
    pub fn write(mut self, bytes: &[u8]) -> Result<(), TargetError> {
        let written = self.file().write_all(bytes);
        written.map_err(failed(&self.path))?;
        self.finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn names(folder: &Path) -> Vec<String> {
        let mut names: Vec<String> =
            fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    const NO_INPUTS: &[&Path] = &[];

    #[test]
    fn a_file_has_its_name_only_when_it_is_whole() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("out");
        let mut target = Target::new(&path, false, NO_INPUTS).unwrap();
        target.file().write_all(b"half").unwrap();
        assert!(!path.exists());
        drop(target);
        assert_eq!(names(folder.path()), Vec::<String>::new());
        Target::new(&path, false, NO_INPUTS).unwrap().write(b"whole").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"whole");
        assert_eq!(names(folder.path()), ["out"]);
    }

    #[test]
    fn what_is_there_is_replaced_only_on_demand() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("out");
        fs::write(&path, "old").unwrap();
        assert!(matches!(Target::new(&path, false, NO_INPUTS), Err(TargetError::Exists(_))));
        Target::new(&path, true, NO_INPUTS).unwrap().write(b"new").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"new");
        assert!(matches!(Target::new(&path, true, &[&path]), Err(TargetError::Input(_))));
        assert!(matches!(Target::new(folder.path(), true, NO_INPUTS), Err(TargetError::NotAFile(_))));
        assert!(matches!(Target::new(Path::new("/dev/null"), true, NO_INPUTS), Err(TargetError::NotAFile(_))));
    }

    #[test]
    fn what_comes_to_stand_there_meanwhile_is_not_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("out");
        let target = Target::new(&path, false, NO_INPUTS).unwrap();
        fs::write(&path, "another's").unwrap();
        assert!(matches!(target.write(b"mine"), Err(TargetError::Exists(_))));
        assert_eq!(fs::read(&path).unwrap(), b"another's");
        assert_eq!(names(folder.path()), ["out"]);
    }

    #[test]
    fn a_link_stays_a_link() {
        let folder = tempfile::tempdir().unwrap();
        let (file, link) = (folder.path().join("file"), folder.path().join("link"));
        fs::write(&file, "old").unwrap();
        std::os::unix::fs::symlink(&file, &link).unwrap();
        Target::new(&link, true, NO_INPUTS).unwrap().write(b"new").unwrap();
        assert!(link.symlink_metadata().unwrap().is_symlink());
        assert_eq!(fs::read(&file).unwrap(), b"new");
    }
}
