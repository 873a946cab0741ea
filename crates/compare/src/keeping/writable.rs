//! Files and folders of a person's choice: whether they can be written, found
//! out before the work begins, and what to do if they cannot.

use std::fs::{self, Permissions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use anyhow::anyhow;
use rustix::io::Errno;
use tempfile::NamedTempFile;
use tributary::Shown;

/// As many links as a system follows, one to the next.
const LINKS: usize = 40;

/// Makes a folder unless it is there, and fails if no file can be made in it:
/// better now than in a minute.
pub(crate) fn make_folder(folder: &Path, option: &str) -> anyhow::Result<()> {
    fs::create_dir_all(folder).and_then(|()| try_in(folder)).map_err(|cause| {
        anyhow!(
            "{}: cannot write into this folder: {cause}, name another with {option}",
            Shown(folder)
        )
    })
}

/// Fails if no file can be made in a folder.
pub(crate) fn try_in(folder: &Path) -> io::Result<()> {
    temporary_in(folder).map(drop)
}

/// Puts a file with these bytes in the place of another, at once: whoever reads
/// it has the old one or the new one. A device or a pipe is no file to put another
/// in the place of.
pub(crate) fn replace(path: &Path, folder_is_there: bool, bytes: &[u8]) -> io::Result<()> {
    // Through a link, the file that it names is replaced, and not the link.
    let path = through_links(path);
    if fs::metadata(&path).is_ok_and(|there| !there.is_file()) {
        return Err(io::Error::other("this is no regular file"));
    }
    let folder = folder_of(&path);
    if !folder_is_there {
        fs::create_dir_all(folder)?;
    }
    let mut file = temporary_in(folder)?;
    file.write_all(bytes)?;
    file.persist(&path).map_err(|error| error.error)?;
    Ok(())
}

/// Returns the folder that a file is in.
pub(crate) fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

/// Returns what a path leads to, which need not be there.
pub(crate) fn through_links(path: &Path) -> PathBuf {
    let mut path = path.to_owned();
    for _ in 0..LINKS {
        let Ok(to) = fs::read_link(&path) else { break };
        path = folder_of(&path).join(to);
    }
    match (fs::canonicalize(folder_of(&path)), path.file_name()) {
        (Ok(folder), Some(name)) => folder.join(name),
        _ => path,
    }
}

/// Says that a file cannot be written, and what to do.
pub(crate) fn cannot_write(path: &Path, cause: &io::Error) -> anyhow::Error {
    let advice = match cause.kind() {
        ErrorKind::NotFound => {
            format!(", make the folder {} first", Shown(folder_of(&through_links(path))))
        }
        ErrorKind::NotADirectory => ", name a file in a folder".to_owned(),
        ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => {
            ", name a file in another folder".to_owned()
        }
        ErrorKind::StorageFull => ", make room or name a file elsewhere".to_owned(),
        _ => String::new(),
    };
    anyhow!("{}: cannot write this file: {cause}{advice}", Shown(path))
}

/// Takes away what `tempfile` adds to an error: a name that nobody has typed.
pub(crate) fn plain(cause: io::Error) -> io::Error {
    if cause.raw_os_error().is_some() {
        return cause;
    }
    let errno = match cause.kind() {
        ErrorKind::NotFound => Errno::NOENT,
        ErrorKind::PermissionDenied => Errno::ACCESS,
        ErrorKind::ReadOnlyFilesystem => Errno::ROFS,
        ErrorKind::StorageFull => Errno::NOSPC,
        ErrorKind::NotADirectory => Errno::NOTDIR,
        kind => return kind.into(),
    };
    errno.into()
}

fn temporary_in(folder: &Path) -> io::Result<NamedTempFile> {
    tempfile::Builder::new()
        .prefix(".compare-")
        // As any file that is made: what the umask leaves.
        .permissions(Permissions::from_mode(0o666))
        .tempfile_in(folder)
        .map_err(plain)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::File;
    use std::os::unix::fs::symlink;

    #[test]
    fn a_file_is_replaced_whole_and_through_a_link() {
        let folder = tempfile::tempdir().unwrap();
        let (file, link) = (folder.path().join("file"), folder.path().join("link"));
        fs::write(&file, "old").unwrap();
        symlink(&file, &link).unwrap();
        let reader = File::open(&file).unwrap();
        replace(&link, true, b"new").unwrap();
        assert_eq!(fs::read(&file).unwrap(), b"new");
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        // Who has opened it before reads what was there.
        assert_eq!(io::read_to_string(reader).unwrap(), "old");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2, "something is left behind");
    }

    #[test]
    fn a_link_to_nothing_stays_a_link_and_has_a_file_then() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("folder")).unwrap();
        let link = folder.path().join("link");
        symlink("folder/file", &link).unwrap();
        replace(&link, true, b"new").unwrap();
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(fs::read(folder.path().join("folder/file")).unwrap(), b"new");
    }

    #[test]
    fn a_pipe_stays_a_pipe() {
        let folder = tempfile::tempdir().unwrap();
        let fifo = folder.path().join("fifo");
        workload::make_fifo(&fifo).unwrap();
        replace(&fifo, true, b"").unwrap_err();
        assert!(!fs::metadata(&fifo).unwrap().is_file());
    }

    #[test]
    fn an_error_names_what_was_typed_and_says_what_to_do() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("missing/page.html");
        let cause = replace(&path, true, b"").unwrap_err();
        let said = cannot_write(&path, &cause).to_string();
        let missing = folder.path().join("missing");
        assert_eq!(
            said,
            format!(
                "{}: cannot write this file: No such file or directory (os error 2), \
                 make the folder {} first",
                path.display(),
                missing.display()
            )
        );
        // A file is no folder, for root either.
        fs::write(&missing, "").unwrap();
        let said = make_folder(&missing, "--trace").unwrap_err().to_string();
        assert!(said.starts_with(&missing.display().to_string()), "{said}");
        assert!(
            said.ends_with("name another with --trace") && !said.contains(".compare-"),
            "{said}"
        );
    }
}
