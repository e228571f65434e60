//! Files that are written whole or not at all: beside their place, under another name, and then moved there.
//!
//! What stands at the place is left alone unless it may be replaced, and always until the new file is complete. Whatever
//! goes wrong, nothing half-written stays behind.

use super::render::printable;
use std::fs::{self, File, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use tempfile::{NamedTempFile, TempDir};
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
    /// It is no folder, and was to be one.
    #[error("{} is no folder", shown(.0))]
    NotAFolder(PathBuf),
    /// It is what is being read.
    #[error("{} is the trace itself, so it is not replaced", shown(.0))]
    Input(PathBuf),
    /// Two runs would have the same file.
    #[error("{} would be written twice: the same run was given twice", shown(.0))]
    Twice(PathBuf),
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

    /// Where the unfinished file is, for what writes by path.
    pub fn unfinished(&self) -> &Path {
        self.file.path()
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

/// Files to be written into a folder, which may hold others.
pub struct FolderTarget {
    path: PathBuf,
    replace: bool,
    unfinished: TempDir,
    /// Of each file: its path below the folder.
    files: Vec<PathBuf>,
    /// Was the folder made for this? Then it goes again if nothing comes of it.
    made: Made,
}

/// A folder that was made, and is removed if it is empty in the end.
struct Made(Option<PathBuf>);

impl Drop for Made {
    fn drop(&mut self) {
        if let Some(path) = &self.0 {
            // It is in use where this fails.
            let _ = fs::remove_dir(path);
        }
    }
}

impl FolderTarget {
    /// The folder at `path`, which is made where it is not there. Files in it are replaced only if `replace`.
    ///
    /// # Errors
    /// Where nothing can be written there.
    pub fn new(path: &Path, replace: bool) -> Result<Self, TargetError> {
        let there = path.metadata();
        if there.as_ref().is_ok_and(|there| !there.is_dir()) {
            return Err(TargetError::NotAFolder(path.to_owned()));
        }
        let made = Made(there.is_err().then(|| path.to_owned()));
        if there.is_err() {
            fs::create_dir(path).map_err(failed(path))?;
        }
        let unfinished = tempfile::Builder::new().prefix(UNFINISHED).tempdir_in(path).map_err(failed(path))?;
        Ok(FolderTarget { path: path.to_owned(), replace, unfinished, files: Vec::new(), made })
    }

    /// A new file at `below`, a path below the folder, to write to.
    ///
    /// # Errors
    /// Where it may not be written.
    pub fn file(&mut self, below: PathBuf) -> Result<File, TargetError> {
        let path = self.path.join(&below);
        if self.files.contains(&below) {
            return Err(TargetError::Twice(path));
        }
        if path.symlink_metadata().is_ok() && !self.replace {
            return Err(TargetError::Exists(path));
        }
        let unfinished = self.unfinished.path().join(&below);
        let parent = unfinished.parent().unwrap_or(self.unfinished.path());
        let file = fs::create_dir_all(parent).and_then(|()| File::create_new(&unfinished)).map_err(failed(&path))?;
        self.files.push(below);
        Ok(file)
    }

    /// Moves all files to their places.
    ///
    /// # Errors
    /// Where one cannot be moved; those moved before it are taken away again.
    pub fn finish(mut self) -> Result<(), TargetError> {
        for (at, below) in self.files.iter().enumerate() {
            if let Err(error) = self.place(below) {
                for placed in self.files.iter().take(at).filter(|_| !self.replace) {
                    // What cannot be taken away is whole at least.
                    let _ = fs::remove_file(self.path.join(placed));
                }
                return Err(failed(&self.path.join(below))(error));
            }
        }
        self.made = Made(None);
        Ok(())
    }

    fn place(&self, below: &Path) -> io::Result<()> {
        let (from, to) = (self.unfinished.path().join(below), self.path.join(below));
        File::open(&from)?.sync_all()?;
        fs::create_dir_all(to.parent().unwrap_or(&self.path))?;
        fs::rename(from, to)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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

    #[test]
    fn a_folder_grows_by_whole_files() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("table");
        let mut target = FolderTarget::new(&path, false).unwrap();
        target.file("a=1/x".into()).unwrap();
        assert!(matches!(target.file("a=1/x".into()), Err(TargetError::Twice(_))));
        drop(target);
        assert_eq!(names(folder.path()), Vec::<String>::new());

        for part in ["a=1", "a=2"] {
            let mut target = FolderTarget::new(&path, false).unwrap();
            target.file(Path::new(part).join("x")).unwrap().write_all(part.as_bytes()).unwrap();
            target.finish().unwrap();
        }
        assert_eq!(names(&path), ["a=1", "a=2"]);
        let mut target = FolderTarget::new(&path, false).unwrap();
        assert!(matches!(target.file("a=2/x".into()), Err(TargetError::Exists(_))));
        drop(target);
        assert_eq!(names(&path), ["a=1", "a=2"]);
        assert!(matches!(FolderTarget::new(&path.join("a=1/x"), true), Err(TargetError::NotAFolder(_))));
    }
}
