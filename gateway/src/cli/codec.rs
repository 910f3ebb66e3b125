//! `encode` and `decode`: stanzas as lines of XML to packets as lines of hexadecimal, and back. Refuses to hide a bad
//! line: it is named, and ends the run unless told to go on.

use std::io::{BufRead, BufReader, BufWriter, Write};
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use longwire_codec::link::PacketNumber;
use longwire_codec::session::{Ids, Options, Profile, Session};
use longwire_codec::stanza::{Arena, Node, Stanza};

use crate::config::TextModel;
use crate::dictionaries::{built_in, load};
use crate::exit::Failure;
use crate::hex;
use crate::xml::{Element, NS_CLIENT};

/// Largest packet written or read, octets.
pub(super) const PACKET_MAX: usize = 1 << 20;
/// Octets for the strings of one decoded stanza.
const ARENA_LEN: usize = 4 << 20;
/// Nodes of one decoded stanza.
const TAPE_MAX: usize = 1 << 16;

/// Arguments that both ends must give alike.
#[derive(Clone, Debug, Args)]
pub(super) struct Shared {
    /// Text model.
    #[arg(long, value_enum, default_value = "8m")]
    text_model: TextModel,
    /// A dictionary file instead.
    #[arg(long, value_name = "FILE", conflicts_with = "text_model")]
    dictionary: Option<PathBuf>,
    /// Keep what both ends remember from line to line, as a link does once packets are acknowledged. Without it
    /// each packet stands alone.
    #[arg(long)]
    session: bool,
    /// Go on after a line that cannot be used.
    #[arg(long)]
    keep_going: bool,
}

/// Arguments of `longwire encode`.
#[derive(Clone, Debug, Args)]
pub(super) struct Encode {
    #[command(flatten)]
    pub(super) shared: Shared,
    /// What becomes of message ids: left to the far end to make up, or carried.
    #[arg(long, value_enum, default_value = "preserve")]
    pub(super) ids: IdsChoice,
}

/// Spelling of [`Ids`] on the command line.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum IdsChoice {
    /// The far end makes up its own.
    Short,
    /// Carried octet for octet.
    Preserve,
}

impl IdsChoice {
    /// As the codec wants it.
    pub(super) fn options(self) -> Options {
        Options {
            ids: match self {
                Self::Short => Ids::Short,
                Self::Preserve => Ids::Preserve,
            },
            ..Options::default()
        }
    }
}

/// One end of a link without a link.
pub(super) struct End {
    session: Session<'static, Vec<u8>>,
    number: PacketNumber,
    keeps: bool,
}

impl End {
    /// An end that remembers nothing yet.
    ///
    /// # Errors
    /// The session cannot be made.
    pub(super) fn new(shared: &Shared) -> Result<Self, Failure> {
        Ok(Self {
            session: session(shared)?,
            number: PacketNumber::new(0),
            keeps: shared.session,
        })
    }

    /// The session and the number of the next packet.
    pub(super) fn next(&mut self) -> (&mut Session<'static, Vec<u8>>, PacketNumber) {
        (&mut self.session, self.number)
    }

    /// Takes the packet just written as acknowledged, or forgets it.
    ///
    /// # Errors
    /// The session cannot be made anew.
    pub(super) fn settle(&mut self) -> Result<(), Failure> {
        if self.keeps {
            self.session.acknowledge(self.number);
            self.number = self.number.plus(1);
        } else {
            self.session.abandon(self.number);
        }
        Ok(())
    }
}

fn session(shared: &Shared) -> Result<Session<'static, Vec<u8>>, Failure> {
    let known = match &shared.dictionary {
        Some(path) => load(path)?,
        None => built_in(shared.text_model),
    };
    let dictionary = &Box::leak(Box::new(known)).dictionary;
    let storage = vec![0; Profile::HOST.storage_len()];
    Session::new(dictionary, Profile::HOST, storage).map_err(Failure::running)
}

/// XML lines to hexadecimal lines.
pub(super) fn encode(arguments: &Encode) -> Result<(), Failure> {
    let mut end = End::new(&arguments.shared)?;
    let options = arguments.ids.options();
    let mut packet = vec![0; PACKET_MAX];
    each_line(&arguments.shared, |line, out| {
        let element = Element::parse_stanza(line).map_err(|error| error.to_string())?;
        let mut tape = Vec::new();
        element.tape(&mut tape);
        let stanza = Stanza::new(&tape).ok_or("nested too deep")?;
        let (session, number) = end.next();
        let len = session
            .encode(number, stanza, options, &mut packet)
            .map_err(|error| error.to_string())?;
        end.settle().map_err(|_| "out of memory")?;
        out.push_str(&hex::emit(&packet[..len]));
        Ok(())
    })
}

/// Hexadecimal lines to XML lines.
pub(super) fn decode(shared: &Shared) -> Result<(), Failure> {
    let mut end = End::new(shared)?;
    let mut buffer = vec![0; ARENA_LEN];
    each_line(shared, |line, out| {
        let packet = hex::parse(line).ok_or("not hexadecimal")?;
        let mut tape = vec![Node::Close; TAPE_MAX];
        let mut arena = Arena::new(&mut buffer);
        let (session, number) = end.next();
        let stanza = session
            .decode(number, &packet, &mut arena, &mut tape)
            .map_err(|error| error.to_string())?;
        let element = Element::from_stanza(stanza).map_err(|error| error.to_string())?;
        // A line each: what is a line break in text is written as a reference to it.
        out.push_str(&element.to_xml(NS_CLIENT).replace('\n', "&#10;"));
        end.settle().map_err(|_| "out of memory")?;
        Ok(())
    })
}

/// Calls `work` with each line of standard input and writes what it makes to standard output, flushing when the
/// input has nothing more at hand.
pub(super) fn each_line(
    shared: &Shared,
    mut work: impl FnMut(&str, &mut String) -> Result<(), String>,
) -> Result<(), Failure> {
    let mut input = BufReader::new(std::io::stdin().lock());
    let mut output = BufWriter::new(std::io::stdout().lock());
    let mut bad = 0usize;
    let mut line = Vec::new();
    let mut made = String::new();
    for at in 1usize.. {
        line.clear();
        if input.read_until(b'\n', &mut line)? == 0 {
            break;
        }
        made.clear();
        let text = std::str::from_utf8(line.trim_ascii()).map_err(|_| "not UTF-8".to_owned());
        let worked = match text {
            Ok("") => continue,
            Ok(text) => work(text, &mut made),
            Err(error) => Err(error),
        };
        match worked {
            Ok(()) => {
                made.push('\n');
                output.write_all(made.as_bytes())?;
            }
            Err(error) if shared.keep_going => {
                bad += 1;
                eprintln!("longwire: line {at}: {error}");
            }
            Err(error) => {
                output.flush()?;
                return Err(Failure::running(format!("line {at}: {error}"))
                    .advise("--keep-going leaves such lines out"));
            }
        }
        if input.buffer().is_empty() {
            output.flush()?;
        }
    }
    output.flush()?;
    match bad {
        0 => Ok(()),
        bad => Err(Failure::running(format!("{bad} lines left out"))),
    }
}
