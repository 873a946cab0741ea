//! The man page: the flags as clap knows them, and the topics of `help`.

use std::io::{self, Write};

use clap::ValueEnum;
use clap_mangen::Man;
use clap_mangen::roff::{Roff, bold, roman};

use crate::help::Topic;

/// Pages that a system has if it has the programs.
const SEE_ALSO: &str = "tail(1), logrotate(8), systemd.service(5), systemctl(1)";

/// Returns the page, in roff.
pub(crate) fn page() -> Vec<u8> {
    let command = crate::command();
    let version = format!("tributary {}", env!("CARGO_PKG_VERSION"));
    let mut title = Roff::new();
    // Not by `Man`: it leaves out an empty date, and what is behind it moves up.
    title.control("TH", ["tributary", "1", "\"\"", &version, "User Commands"]);

    let mut more = Roff::new();
    more.control("SH", ["COMMANDS"]);
    for command in command.get_subcommands() {
        let values = command.get_positionals().filter_map(|value| value.get_value_names());
        let values: String = values.flatten().map(|name| format!(" [{name}]")).collect();
        more.control("TP", []);
        more.text([bold(format!("tributary {}", command.get_name())), roman(values)]);
        more.text([roman(command.get_about().expect("each has a text").to_string())]);
    }
    for topic in Topic::value_variants() {
        let (title, text) = topic.told();
        more.control("SH", [&*title.to_uppercase()]).control("nf", []);
        for line in text.lines() {
            more.text([roman(line)]);
        }
        more.control("fi", []);
    }
    more.control("SH", ["SEE ALSO"]).text([roman(SEE_ALSO)]);

    let mut page = Vec::new();
    let man = Man::new(command);
    title
        .to_writer(&mut page)
        .and_then(|()| flags(&man, &mut page))
        .and_then(|()| more.to_writer(&mut page))
        .expect("memory takes everything");
    page
}

fn flags(man: &Man, page: &mut dyn Write) -> io::Result<()> {
    man.render_name_section(page)?;
    man.render_synopsis_section(page)?;
    man.render_description_section(page)?;
    man.render_options_section(page)
}
