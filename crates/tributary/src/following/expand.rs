//! Which files fit a pattern of paths.
//!
//! The rules are a shell's: a wildcard stays within a component, and matches no name
//! that begins with a dot unless the component itself begins with one. Names are bytes.
//!
//! Whoever may write into a log folder must not choose what a privileged merge
//! publishes. So a link on the way of a pattern is followed only if it belongs to
//! root, to whoever runs the merge, or to the owner of what it leads to.

use std::collections::HashSet;
use std::ffi::{OsStr, OsString};
use std::fs::{self, File, FileType, Metadata};
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use globset::{GlobBuilder, GlobMatcher, GlobSet};
use rustix::fs::{AtFlags, CWD, Mode, OFlags, Stat, fstat, openat, readlinkat, statat};
use rustix::process::geteuid;

use crate::following::file;
use crate::following::identity::FileId;
use crate::following::rotated::{asks_for_copies, is_copy};

/// How often something is tried again, if names change meanwhile.
const AGAIN: usize = 10;

/// A pattern of paths, such as `/var/log/*.log`.
#[derive(Debug)]
pub(crate) struct Pattern {
    absolute: bool,
    /// Whether packed files and other copies are asked for.
    copies: bool,
    parts: Vec<Part>,
    excluded: GlobSet,
}

/// One component of a pattern.
#[derive(Debug)]
enum Part {
    /// A name without anything wild.
    Name(OsString),
    /// A glob, and whether it takes names that begin with a dot.
    Wild(GlobMatcher, bool),
    /// `**`: this folder, and every folder below it.
    Deep,
}

/// What fits a pattern, and what was found on the way.
#[derive(Debug, Default)]
pub(crate) struct Expanded {
    /// Regular files, and links to them: sorted by bytes, each once. Copies
    /// only if the pattern asks for them.
    pub(crate) paths: Vec<PathBuf>,
    /// Folders that could not be read, and links that are not followed or lead
    /// nowhere: each once.
    pub(crate) refused: Vec<(PathBuf, io::Error)>,
    /// Folders in which something may come to fit.
    folders: Vec<PathBuf>,
}

impl Pattern {
    /// Parses a pattern; the error says in one clause why it is none.
    pub(crate) fn new(text: &str) -> Result<Pattern, String> {
        if text.is_empty() {
            return Err("it is empty".into());
        }
        if text.ends_with('/') {
            return Err("it ends with a slash, and a folder is no log file".into());
        }
        let names = text.split('/').filter(|name| !name.is_empty());
        let copies = names.clone().next_back().is_some_and(asks_for_copies);
        let mut parts = names.map(Part::new).collect::<Result<Vec<_>, _>>()?;
        if let Some(Part::Deep) = parts.last() {
            parts.push(Part::new("*")?);
        }
        let absolute = text.starts_with('/');
        Ok(Pattern { absolute, copies, parts, excluded: GlobSet::empty() })
    }

    /// Returns the same pattern, less the `excluded` files.
    pub(crate) fn without(self, excluded: &GlobSet) -> Pattern {
        Pattern { excluded: excluded.clone(), ..self }
    }

    /// Finds the files that fit now, and calls `watch` with every folder in which a
    /// file may come to fit: for a folder that is not there yet, the nearest one above
    /// it. `watched` are the folders of the last time.
    ///
    /// # Blocking
    ///
    /// Reads folders: blocks the calling thread.
    pub(crate) fn expand(
        &self,
        watched: &mut HashSet<PathBuf>,
        mut watch: impl FnMut(&Path),
    ) -> Expanded {
        // The folders of the last time, since each may have been made anew.
        watched.iter().for_each(|folder| watch(folder));
        let mut walks = 1;
        loop {
            let mut found = self.find();
            let folders = std::mem::take(&mut found.folders);
            watched.retain(|folder| folders.contains(folder));
            let new: Vec<_> = folders.into_iter().filter(|it| !watched.contains(it)).collect();
            new.iter().for_each(|folder| watch(folder));
            // Another walk finds the files that came before their folder was watched.
            // If folders are made all the time, the walks end: the watches tell of the
            // next ones.
            if new.is_empty() || walks == AGAIN {
                return found;
            }
            watched.extend(new);
            walks += 1;
        }
    }

    /// Finds what fits now.
    ///
    /// # Blocking
    ///
    /// Reads folders: blocks the calling thread.
    pub(crate) fn find(&self) -> Expanded {
        let mut found = Expanded::default();
        found.walk(Path::new(if self.absolute { "/" } else { "" }), &self.parts);
        let Expanded { paths, refused, .. } = &mut found;
        paths.retain(|path| self.copies || !path.file_name().is_some_and(is_copy));
        paths.retain(|path| !self.excluded.is_match(path));
        // By bytes; a path's own order is that of its components.
        paths.sort_unstable_by(|one, other| one.as_os_str().cmp(other.as_os_str()));
        paths.dedup();
        // `**` reads a folder twice.
        refused.sort_by(|(one, _), (other, _)| one.cmp(other));
        refused.dedup_by(|(one, _), (other, _)| one == other);
        found
    }
}

/// Parses what is excluded from patterns: a path if there is a slash in it, otherwise a
/// name in any folder. The error has the text and the reason.
pub(crate) fn excluded(texts: &[String]) -> Result<GlobSet, (String, String)> {
    let mut globs = GlobSet::builder();
    for text in texts {
        let path = if text.contains('/') { text.clone() } else { format!("**/{text}") };
        let glob = GlobBuilder::new(&path).literal_separator(true).empty_alternates(true).build();
        globs.add(glob.map_err(|error| (text.clone(), error.kind().to_string()))?);
    }
    globs.build().map_err(|error| (texts.join(" "), error.kind().to_string()))
}

impl Part {
    fn new(text: &str) -> Result<Part, String> {
        if text == "**" {
            return Ok(Part::Deep);
        }
        if !text.contains(['*', '?', '[', '{', '\\']) {
            return Ok(Part::Name(text.into()));
        }
        let glob = GlobBuilder::new(text).empty_alternates(true).build();
        let glob = glob.map_err(|error| error.kind().to_string())?.compile_matcher();
        Ok(Part::Wild(glob, text.starts_with('.')))
    }
}

impl Expanded {
    /// Goes on from the folder `at` with the components that are left.
    fn walk(&mut self, at: &Path, parts: &[Part]) {
        match parts {
            [] => {}
            [Part::Name(name)] => {
                self.folders.push(here(at));
                self.file(at.join(name));
            }
            [Part::Name(name), rest @ ..] => self.name(at, &at.join(name), rest),
            [Part::Wild(glob, hidden)] => {
                for (name, kind) in self.list(at, *hidden, |name| glob.is_match(name)) {
                    if kind.is_file() {
                        self.paths.push(at.join(name));
                    } else if kind.is_symlink() {
                        self.file(at.join(name));
                    }
                }
            }
            [Part::Wild(glob, hidden), rest @ ..] => {
                for (name, kind) in self.list(at, *hidden, |name| glob.is_match(name)) {
                    if kind.is_dir() || kind.is_symlink() {
                        self.folder(&at.join(name), rest);
                    }
                }
            }
            [Part::Deep, rest @ ..] => {
                self.walk(at, rest);
                for (name, kind) in self.list(at, false, |_| true) {
                    if kind.is_dir() {
                        self.walk(&at.join(name), parts);
                    }
                }
            }
        }
    }

    /// Goes on in the folder `next`, which is not listed, but named.
    ///
    /// The deepest folder that is there is watched, and so is the one above it: while
    /// one of its files is open, the kernel does not tell that a folder was removed.
    fn name(&mut self, at: &Path, next: &Path, rest: &[Part]) {
        let deepest = !matches!(rest, [Part::Name(_), _, ..]);
        // A link may come to lead elsewhere.
        if deepest || next.is_symlink() {
            self.folders.push(here(at));
        }
        match leads(next, Metadata::is_dir) {
            Ok(true) => return self.walk(next, rest),
            Ok(false) => self.refuse(next, io::ErrorKind::NotADirectory.into()),
            Err(cause) => self.refuse(next, cause),
        }
        self.folders.push(here(at));
        self.folders.extend(at.parent().map(here));
    }

    /// Goes on in a match of a wild component, if that is a folder.
    fn folder(&mut self, next: &Path, rest: &[Part]) {
        match leads(next, Metadata::is_dir) {
            Ok(true) => self.walk(next, rest),
            Ok(false) => {}
            Err(cause) => self.refuse(next, cause),
        }
    }

    /// Takes a path that fits the whole pattern, if it leads to a regular file.
    fn file(&mut self, path: PathBuf) {
        match leads(&path, Metadata::is_file) {
            Ok(true) => self.paths.push(path),
            Ok(false) => {}
            Err(cause) => self.refuse(&path, cause),
        }
    }

    /// Returns the entries of a folder whose names fit; `hidden` ones only on request.
    fn list(
        &mut self,
        at: &Path,
        hidden: bool,
        fits: impl Fn(&OsStr) -> bool,
    ) -> Vec<(OsString, FileType)> {
        let fits = |name: &OsStr| (hidden || !name.as_bytes().starts_with(b".")) && fits(name);
        let folder = here(at);
        let mut names = Vec::new();
        let read = fs::read_dir(&folder).and_then(|entries| {
            for entry in entries {
                let (name, kind) = entry.map(|entry| (entry.file_name(), entry.file_type()))?;
                // An entry that is gone by now has no kind.
                names.extend(kind.ok().filter(|_| fits(&name)).map(|kind| (name, kind)));
            }
            Ok(())
        });
        if let Err(cause) = read {
            self.refuse(&folder, cause);
        }
        self.folders.push(folder);
        names
    }

    /// Notes a path that was left out. A missing path does not matter, but a link that
    /// leads nowhere does.
    fn refuse(&mut self, path: &Path, cause: io::Error) {
        if cause.kind() != io::ErrorKind::NotFound || path.is_symlink() {
            self.refused.push((path.to_owned(), cause));
        }
    }
}

/// Tells whether a path leads to a `wanted` file. A link to such a file that is not
/// trusted is an error.
fn leads(path: &Path, wanted: fn(&Metadata) -> bool) -> io::Result<bool> {
    let link = fs::symlink_metadata(path)?;
    if !link.is_symlink() {
        return Ok(wanted(&link));
    }
    let target = fs::metadata(path)?;
    if wanted(&target) {
        trust(link.uid(), target.uid())?;
    }
    Ok(wanted(&target))
}

/// Opens a file that a pattern has found, as [`file::open`] does, unless a link on the
/// way is not trusted.
///
/// # Errors
///
/// Those of [`file::open`]; `PermissionDenied` for such a link.
pub(crate) fn open_trusted(path: &Path) -> io::Result<(File, FileId)> {
    for _ in 0..AGAIN {
        // Whoever may write into a folder on the way may put a link there at any
        // moment. So the file that was opened has to be the trusted one.
        let trusted = trusted(path)?;
        let (file, id) = file::open(path)?;
        if trusted.is_some_and(|trusted| fstat(&file).is_ok_and(|it| same(&it, &trusted))) {
            return Ok((file, id));
        }
    }
    Err(io::Error::other("its name leads to another file each time it is opened"))
}

/// Finds the file to which a path leads, folder by folder. `None` if a name on the
/// way was given to something else meanwhile.
fn trusted(path: &Path) -> io::Result<Option<Stat>> {
    let mut folder = openat(CWD, ".", FOLDER, Mode::empty())?;
    for part in path.parent().into_iter().flat_map(Path::components) {
        let Some((target, known)) = target(&folder, part.as_os_str())? else { return Ok(None) };
        folder = openat(&folder, &target, FOLDER, Mode::empty())?;
        if !same(&fstat(&folder)?, &known) {
            return Ok(None);
        }
    }
    let name = path.file_name().ok_or(io::ErrorKind::NotFound)?;
    Ok(target(&folder, name)?.map(|(_, known)| known))
}

/// A folder is opened only to be passed through. `O_PATH` says so, and needs no right
/// to read the folder.
#[cfg(target_os = "linux")]
const FOLDER: OFlags = OFlags::PATH.union(OFlags::DIRECTORY).union(OFlags::CLOEXEC);
#[cfg(not(target_os = "linux"))]
const FOLDER: OFlags = OFlags::DIRECTORY.union(OFlags::CLOEXEC);

/// Returns the file or folder to which a name in a folder leads, and a path to it
/// that does not go over a link of this name. `None` if the name was given to
/// something else meanwhile.
fn target(folder: &OwnedFd, name: &OsStr) -> io::Result<Option<(OsString, Stat)>> {
    let link = statat(folder, name, AtFlags::SYMLINK_NOFOLLOW)?;
    if !rustix::fs::FileType::from_raw_mode(link.st_mode).is_symlink() {
        return Ok(Some((name.to_owned(), link)));
    }
    let target = readlinkat(folder, name, Vec::new())?;
    let target = OsStr::from_bytes(target.as_bytes());
    let known = statat(folder, target, AtFlags::empty())?;
    trust(link.st_uid, known.st_uid)?;
    // A link that is renamed away and back has another time.
    let after = statat(folder, name, AtFlags::SYMLINK_NOFOLLOW)?;
    let time = |it: &Stat| (it.st_ctime, it.st_ctime_nsec);
    let unchanged = same(&link, &after) && time(&link) == time(&after);
    Ok(unchanged.then(|| (target.to_owned(), known)))
}

fn same(one: &Stat, other: &Stat) -> bool {
    (one.st_dev, one.st_ino) == (other.st_dev, other.st_ino)
}

/// Fails unless a link belongs to root, to the user of this process, or to the owner of
/// its target.
fn trust(link: u32, target: u32) -> io::Result<()> {
    if [0, geteuid().as_raw(), target].contains(&link) {
        return Ok(());
    }
    Err(io::Error::new(
        io::ErrorKind::PermissionDenied,
        "this link belongs to another user than the file that it leads to; it is not followed",
    ))
}

/// Returns the folder as the system wants it: `.` for the empty path.
fn here(at: &Path) -> PathBuf {
    if at.as_os_str().is_empty() { PathBuf::from(".") } else { at.to_owned() }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::os::unix::fs::{lchown, symlink};

    use super::*;

    fn expand(pattern: &Pattern) -> Expanded {
        pattern.expand(&mut HashSet::new(), |_| ())
    }

    /// A folder with files in it; patterns and answers are relative to it.
    struct Tree(tempfile::TempDir);

    impl Tree {
        fn new<'a>(files: impl IntoIterator<Item = &'a str>) -> Tree {
            let tree = Tree(tempfile::tempdir().unwrap());
            files.into_iter().for_each(|file| tree.add(file));
            tree
        }

        fn at(&self, path: impl AsRef<Path>) -> PathBuf {
            self.0.path().join(path)
        }

        fn add(&self, file: impl AsRef<Path>) {
            let path = self.at(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "line\n").unwrap();
        }

        fn pattern(&self, pattern: &str) -> Pattern {
            Pattern::new(self.at(pattern).to_str().unwrap()).unwrap()
        }

        fn relative(&self, paths: Vec<PathBuf>) -> Vec<String> {
            let strip = |path: PathBuf| path.strip_prefix(self.0.path()).unwrap().to_owned();
            paths.into_iter().map(|path| strip(path).to_str().unwrap().to_owned()).collect()
        }

        /// What fits, where nothing is refused.
        fn expand(&self, pattern: &str) -> Vec<String> {
            let Expanded { paths, refused, .. } = expand(&self.pattern(pattern));
            assert!(refused.is_empty(), "{refused:?}");
            self.relative(paths)
        }

        /// The folders of the tree that are watched, sorted.
        fn folders(&self, pattern: &str) -> Vec<String> {
            let mut folders = BTreeSet::new();
            self.pattern(pattern).expand(&mut HashSet::new(), |folder| {
                folders.extend(folder.starts_with(self.0.path()).then(|| folder.to_owned()));
            });
            self.relative(folders.into_iter().collect())
        }
    }

    #[test]
    fn finds_what_a_shell_would_sorted_by_bytes_and_once() {
        let tree = Tree::new(["b.log", "a.log", "a/c.log", "a-b/c.log", "B.log", "a.txt", "a[1]"]);
        fs::create_dir(tree.at("folder.log")).unwrap();
        for (pattern, fits) in [
            ("*.log", &["B.log", "a.log", "b.log"][..]),
            ("?.log", &["B.log", "a.log", "b.log"]),
            ("[ab].log", &["a.log", "b.log"]),
            ("[!ab].log", &["B.log"]),
            ("{a,b}.{log,txt}", &["a.log", "a.txt", "b.log"]),
            ("a{,-b}/c.log", &["a-b/c.log", "a/c.log"]),
            ("*/*", &["a-b/c.log", "a/c.log"]),
            ("a.log", &["a.log"]),
            ("a\\[1]", &["a[1]"]),
            ("no/*.log", &[]),
        ] {
            assert_eq!(tree.expand(pattern), fits, "{pattern}");
        }
    }

    #[test]
    fn a_name_is_found_at_any_depth_and_over_no_link() {
        let tree = Tree::new(["a.log", "x/b.log", "x/y/c.log", "x/y/d.txt", ".git/e.log"]);
        symlink("x", tree.at("link")).unwrap();
        let all = ["a.log", "x/b.log", "x/y/c.log"];
        assert_eq!(tree.expand("**/*.log"), all);
        assert_eq!(tree.expand("**/**/*.log"), all);
        assert_eq!(tree.expand("**/y/*"), ["x/y/c.log", "x/y/d.txt"]);
        assert_eq!(tree.expand("x/**"), ["x/b.log", "x/y/c.log", "x/y/d.txt"]);
        assert_eq!(tree.expand("link/*.log"), ["link/b.log"], "a link that is named is followed");
        assert_eq!(tree.folders("**/*.log"), ["", "x", "x/y"]);
    }

    #[test]
    fn a_hidden_file_is_taken_only_if_it_is_asked_for() {
        let tree = Tree::new(["a.log", ".a.log.new", ".d/b.log"]);
        assert_eq!(tree.expand("*"), ["a.log"]);
        assert_eq!(tree.expand("?a.log*"), [""; 0]);
        assert_eq!(tree.expand("[.a]*"), ["a.log"]);
        assert_eq!(tree.expand("*/*"), [""; 0]);
        assert_eq!(tree.expand(".*"), [".a.log.new"]);
        assert_eq!(tree.expand(".d/*"), [".d/b.log"]);
    }

    #[test]
    fn a_packed_file_is_taken_only_if_it_is_asked_for() {
        let tree = Tree::new(["app.log", "app.log.1", "app.log.2.gz", "app.zip", "x.gz/a.log"]);
        assert_eq!(tree.expand("app*"), ["app.log", "app.log.1"]);
        assert_eq!(tree.expand("*.{gz,zip}"), ["app.log.2.gz", "app.zip"]);
        assert_eq!(tree.expand("app.zip"), ["app.zip"]);
        assert_eq!(tree.expand("*.gz/*"), ["x.gz/a.log"]);
    }

    #[test]
    fn names_are_bytes() {
        let tree = Tree::new([]);
        for name in [&b"caf\xe9.log"[..], "café.log".as_bytes(), b"new\nline.log"] {
            tree.add(OsStr::from_bytes(name));
        }
        assert_eq!(expand(&tree.pattern("*.log")).paths.len(), 3);
        assert_eq!(expand(&tree.pattern("café.*")).paths, [tree.at("café.log")]);
        let latin = tree.at(OsStr::from_bytes(b"caf\xe9.log"));
        assert_eq!(expand(&tree.pattern("caf?.log")).paths, [latin]);
    }

    #[test]
    fn a_relative_pattern_gives_paths_as_they_were_typed() {
        // The tests run in the folder of their crate.
        for (pattern, path) in [
            ("src/li[b].rs", "src/lib.rs"),
            ("./src//l?b.rs", "./src/lib.rs"),
            ("Cargo.t*", "Cargo.toml"),
        ] {
            let paths = expand(&Pattern::new(pattern).unwrap()).paths;
            assert_eq!(paths.last().map(|path| path.as_os_str()), Some(path.as_ref()));
        }
        let here = |folder: &Path| assert_eq!(folder, Path::new("."));
        Pattern::new("*.toml").unwrap().expand(&mut HashSet::new(), here);
    }

    #[test]
    fn a_folder_that_is_not_there_is_waited_for_in_the_one_above() {
        let tree = Tree::new(["srv/one/logs/a.log", "srv/two/b.log"]);
        for (pattern, folders) in [
            ("srv/one/logs/*.log", &["srv/one", "srv/one/logs"][..]),
            ("srv/three/logs/*.log", &["", "srv"]),
            ("srv/one/no/logs/*.log", &["srv", "srv/one"]),
            ("srv/one.log", &["", "srv"]),
            ("srv/*/logs/*.log", &["", "srv", "srv/one", "srv/one/logs", "srv/two"]),
        ] {
            assert_eq!(tree.folders(pattern), folders, "{pattern}");
        }
        tree.add("srv/two/logs/c.log");
        let logs = ["srv/one/logs/a.log", "srv/two/logs/c.log"];
        assert_eq!(tree.expand("srv/*/logs/*.log"), logs);
        assert!(tree.folders("srv/*/logs/*.log").contains(&"srv/two/logs".into()));
        symlink("one", tree.at("srv/now")).unwrap();
        assert_eq!(tree.folders("srv/now/logs/*.log"), ["srv", "srv/now", "srv/now/logs"]);
    }

    #[test]
    fn what_comes_before_a_folder_is_watched_is_found() {
        // Each comes when the folder above it is about to be watched.
        let tree = Tree::new(["file"]);
        let expanded = tree.pattern("one/two/*.log").expand(&mut HashSet::new(), |folder| {
            if folder == tree.at("") {
                let _ = fs::create_dir(tree.at("one"));
            } else if folder == tree.at("one") {
                let _ = fs::create_dir(tree.at("one/two"));
            } else if folder == tree.at("one/two") {
                tree.add("one/two/a.log");
            }
        });
        assert_eq!(tree.relative(expanded.paths), ["one/two/a.log"]);
    }

    #[test]
    fn what_is_in_the_place_of_a_folder_is_told() {
        let tree = Tree::new(["file/a.log", "d/file"]);
        let Expanded { paths, refused, .. } = expand(&tree.pattern("d/file/*.log"));
        assert!(paths.is_empty());
        assert_eq!(refused[0].0, tree.at("d/file"));
        assert_eq!(refused[0].1.kind(), io::ErrorKind::NotADirectory);
        assert_eq!(tree.folders("d/file/*.log"), ["", "d"], "it may become a folder");
        assert_eq!(tree.expand("d/*/*.log"), [""; 0], "nobody has named that file");
        symlink("gone", tree.at("d/broken")).unwrap();
        assert_eq!(expand(&tree.pattern("d/broken/*")).refused.len(), 1);
        assert_eq!(expand(&tree.pattern("d/*")).refused[0].0, tree.at("d/broken"));
        fs::remove_file(tree.at("d/broken")).unwrap();
        symlink("loop", tree.at("d/loop")).unwrap();
        assert_eq!(expand(&tree.pattern("d/loop/*")).refused.len(), 1);
        assert_eq!(expand(&tree.pattern("d/*")).refused[0].0, tree.at("d/loop"));
    }

    #[test]
    fn a_link_is_followed_only_if_its_owner_owns_what_it_leads_to() {
        let tree = Tree::new(["d/a.log", "private/secret.log"]);
        symlink("a.log", tree.at("d/own.log")).unwrap();
        symlink("../private", tree.at("d/folder")).unwrap();
        assert_eq!(tree.expand("d/*.log"), ["d/a.log", "d/own.log"]);
        assert_eq!(tree.expand("d/*/*.log"), ["d/folder/secret.log"]);
        let (_, id) = open_trusted(&tree.at("d/own.log")).unwrap();
        assert_eq!(id, open_trusted(&tree.at("d/a.log")).unwrap().1);

        // Only root can give a link away. Whoever else runs this test has seen
        // the links that are followed.
        let nobody = Some(65534);
        symlink("../private/secret.log", tree.at("d/planted.log")).unwrap();
        if lchown(tree.at("d/planted.log"), nobody, nobody).is_err() {
            return;
        }
        lchown(tree.at("d/folder"), nobody, nobody).unwrap();
        let refused = |pattern: &str| expand(&tree.pattern(pattern)).refused;
        for (pattern, link) in [
            ("d/*.log", "d/planted.log"),
            ("d/planted.log", "d/planted.log"),
            ("*/planted.log", "d/planted.log"),
            ("d/*/*.log", "d/folder"),
            ("*/folder/*.log", "d/folder"),
            ("d/folder/*.log", "d/folder"),
        ] {
            let [(path, why)] = &refused(pattern)[..] else { panic!("{pattern}") };
            assert_eq!(*path, tree.at(link), "{pattern}");
            assert!(why.to_string().contains("another user"), "{why}");
        }
        for path in ["d/planted.log", "d/folder/secret.log"] {
            let refusal = open_trusted(&tree.at(path)).unwrap_err();
            assert_eq!(refusal.kind(), io::ErrorKind::PermissionDenied, "{path}");
        }
        lchown(tree.at("private/secret.log"), nobody, nobody).unwrap();
        open_trusted(&tree.at("d/planted.log")).unwrap();
    }

    #[test]
    fn a_link_that_stands_there_for_a_moment_is_not_followed() {
        // In the place of the log, and of the folder in which it is.
        for (place, secret, target) in
            [("d/a.log", "secret", "../secret"), ("d", "private/a.log", "private")]
        {
            let tree = Tree::new(["d/a.log", secret]);
            let secret = FileId::of(&fs::metadata(tree.at(secret)).unwrap());
            let (place, link) = (tree.at(place), tree.at("link"));
            let aside = place.with_extension("aside");
            symlink(target, &link).unwrap();
            // Without the right to give the link away, it may be followed.
            let planted = lchown(&link, Some(65534), Some(65534)).is_ok();
            std::thread::scope(|scope| {
                let swaps = scope.spawn(|| {
                    for _ in 0..2000 {
                        fs::rename(&place, &aside).unwrap();
                        fs::rename(&link, &place).unwrap();
                        fs::rename(&place, &link).unwrap();
                        fs::rename(&aside, &place).unwrap();
                    }
                });
                while !swaps.is_finished() {
                    let opened = open_trusted(&tree.at("d/a.log"));
                    assert!(!planted || opened.map_or(true, |(_, id)| id != secret));
                }
            });
            assert!(open_trusted(&tree.at("d/a.log")).is_ok_and(|(_, id)| id != secret));
        }
    }

    #[test]
    fn says_why_a_pattern_cannot_be_understood() {
        for (pattern, why) in [
            ("", "empty"),
            ("logs/", "folder"),
            ("logs/[a", "unclosed"),
            ("{a/b,c}.log", "unclosed"),
            ("[z-a].log", "range"),
        ] {
            let said = Pattern::new(pattern).unwrap_err();
            assert!(said.contains(why), "{pattern}: {said}");
        }
    }
}
