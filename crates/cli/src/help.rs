//! What is told besides the flags: by `tributary help TOPIC` and by the man page,
//! and in part by `--help`.
//!
//! A man page of 80 columns has 73 for a text.

use std::fmt::Write;

use clap::ValueEnum;

/// A topic of `tributary help`.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum Topic {
    /// What stands before each line.
    Prefix,
    /// The exit codes.
    Exit,
    /// The signals that a merge takes.
    Signals,
    /// What the flags of `tail` do here.
    Tail,
    /// Logs and a merged file that logrotate renames.
    Rotation,
    /// A merge as a service.
    Systemd,
    /// How a shell completes the flags.
    Completions,
    /// What is typed most.
    Examples,
}

impl Topic {
    /// Returns the heading, and the text, whose lines must not be wrapped.
    pub(crate) fn told(self) -> (&'static str, &'static str) {
        match self {
            Topic::Prefix => ("Prefixes", PREFIX),
            Topic::Exit => ("Exit codes", EXIT),
            Topic::Signals => ("Signals", SIGNALS),
            Topic::Tail => ("Habits of tail", TAIL),
            Topic::Rotation => ("Rotation", ROTATION),
            Topic::Systemd => ("Systemd", SYSTEMD),
            Topic::Completions => ("Completions", COMPLETIONS),
            Topic::Examples => ("Examples", EXAMPLES),
        }
    }
}

/// Returns what stands at the end of `--help`.
pub(crate) fn behind_the_flags() -> String {
    let mut text = String::new();
    for topic in [Topic::Exit, Topic::Tail, Topic::Signals, Topic::Examples] {
        let (title, told) = topic.told();
        writeln!(text, "{title}:").expect("a string takes everything");
        for line in told.lines() {
            let indent = if line.is_empty() { "" } else { "  " };
            writeln!(text, "{indent}{line}").expect("a string takes everything");
        }
        text.push('\n');
    }
    text + MORE
}

const MORE: &str = "\
More, and files to copy: tributary help prefix, rotation, systemd, completions.";

const EXIT: &str = "\
0    Done: all that was to be merged is in the output. A reader of stdout
     that went away (`| head -1`) counts as that.
1    A source failed while it was read, or the system refused a thread.
     What the other sources had is in the output. The same without
     --follow if a source is no log file, but a folder, a pipe or a
     device.
2    Usage: an argument, a source that cannot be opened, or without
     --follow a pattern that no file fits. Nothing was changed.
3    The output failed, or its checkpoint. A stdout that is closed (>&-)
     counts as that.
130  Interrupted: twice with --follow, where the first signal ends the
     merge in good order; once without.
";

const TAIL: &str = "\
-f is -F: files are followed by name. --follow=name and --retry say what
--follow does anyway, and -q is taken, since there are no headers.
Instead of -5 write -n 5; --tail 5, as stern has it, is the same. Without
-n each file begins at its first line, not at its last ten.
";

const SIGNALS: &str = "\
SIGTERM, SIGINT  End the merge: see the exit codes.
SIGHUP           With --follow and -o FILE, open FILE by its name once
                 more: what logrotate sends after a rotation. When its
                 terminal has gone, or the lines go to stdout, it ends
                 the merge.
SIGUSR1          Tell on stderr how far the merge is, and write the
                 metrics.
";

const EXAMPLES: &str = "\
tributary a.log b.log > merged.log
tributary -F -o merged.log /var/log/app/*.log
tributary -F -o merged.log --checkpoint merged.state a.log b.log
tributary -F --prefix name --watch 'logs/*.log' | grep -i error
";

const PREFIX: &str = "\
--prefix WHAT puts a text before each line. WHAT is one of these:

  none        nothing; so it is if nothing else is said
  name        app.log: line
  path        /var/log/web/app.log: line
  folder      web: line
  time        2026-11-22T03:38:44.512409Z app.log: line
  local_time  2026-11-22T04:38:44.512409+01:00 app.log: line

or a template, with text between its fields:

  {name}        the last part of the path
  {path}        the path, as it was given
  {folder}      the name of the folder in that path, . if there is none
  {number}      the place of the source among the sources, from 1
  {time}        when the line was read, in UTC
  {local_time}  the same with its offset, in the time zone of TZ or, if
                that is not set, of the system

{{ and }} are braces. A word without a field or a separator is refused.

  tributary -F --prefix '{local_time} {folder}/{name} | ' */0.log

--color says when a prefix has a colour. --json writes an object for each
line instead, with both times in it.
";

const ROTATION: &str = concat!(
    "\
The logs: with --follow, a log that is renamed is read to its end, and
until nothing has come to it for --quiet-after; the new file of its name
is read after it. A log that is truncated (copytruncate) is read from its
start: what was written between the copy and the cut may be lost, so
rather have logrotate create a new file.

The merged file: with --follow and -o FILE it may be renamed at any time.
No line is torn, and what comes later goes to a new FILE: on SIGHUP at
once. Do not use copytruncate for it. This is /etc/logrotate.d/tributary:

",
    include_str!("../../../docs/tributary.logrotate")
);

const SYSTEMD: &str = include_str!("../../../docs/tributary.service");

const COMPLETIONS: &str = "\
Type the line of your shell, then start a new shell:

  tributary completions bash \\
    > ~/.local/share/bash-completion/completions/tributary
  tributary completions fish > ~/.config/fish/completions/tributary.fish
  tributary completions zsh > ~/.zfunc/_tributary
  tributary completions elvish >> ~/.config/elvish/rc.elv
  tributary completions powershell >> $PROFILE

zsh looks in ~/.zfunc if ~/.zshrc says `fpath+=~/.zfunc` before compinit.
A log that is called completions is merged as ./completions.
";
