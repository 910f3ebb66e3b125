//! The manual page and shell completions, generated from the command line's own definition.

use std::io::Write;

use clap::CommandFactory;

use super::Cli;
use crate::exit::Failure;

/// Writes to standard output.
pub(super) fn print(bytes: &[u8]) -> Result<(), Failure> {
    let mut out = std::io::stdout().lock();
    out.write_all(bytes)?;
    Ok(out.flush()?)
}

/// Completions for `shell`.
pub(super) fn completions(shell: clap_complete::Shell) -> Result<(), Failure> {
    let mut out = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "longwire", &mut out);
    print(&out)
}

/// `longwire(8)`, with one section per command.
pub(super) fn page() -> Result<(), Failure> {
    let mut command = Cli::command();
    command.build();
    let mut out = Vec::new();
    let man = clap_mangen::Man::new(command.clone()).section("8");
    man.render_title(&mut out)?;
    man.render_name_section(&mut out)?;
    man.render_synopsis_section(&mut out)?;
    man.render_description_section(&mut out)?;
    man.render_options_section(&mut out)?;
    writeln!(out, ".SH COMMANDS")?;
    for sub in command.get_subcommands() {
        commands(&mut out, sub, "longwire")?;
    }
    man.render_extra_section(&mut out)?;
    man.render_version_section(&mut out)?;
    print(&out)
}

/// One command with its arguments, then those below it.
fn commands(out: &mut Vec<u8>, command: &clap::Command, parent: &str) -> Result<(), Failure> {
    let name = format!("{parent} {}", command.get_name());
    writeln!(out, ".SS {name}")?;
    if let Some(about) = command.get_long_about().or_else(|| command.get_about()) {
        writeln!(out, "{}", escape(&about.to_string()))?;
    }
    for argument in command.get_arguments() {
        if argument.is_global_set() || argument.is_hide_set() || argument.get_id() == "help" {
            continue;
        }
        writeln!(out, ".TP\n\\fB{}\\fR", escape(&argument.to_string()))?;
        writeln!(
            out,
            "{}",
            escape(
                &argument
                    .get_help()
                    .map(ToString::to_string)
                    .unwrap_or_default()
            )
        )?;
    }
    for sub in command.get_subcommands() {
        commands(out, sub, &name)?;
    }
    Ok(())
}

/// Text roff takes literally.
fn escape(text: &str) -> String {
    let text = text.replace('\\', "\\e").replace('-', "\\-");
    if text.starts_with(['.', '\'']) {
        format!("\\&{text}")
    } else {
        text
    }
}
