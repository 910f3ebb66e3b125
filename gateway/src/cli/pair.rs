//! `pair`: a key, the gateway's side of a link as a piece of configuration, and the far side's: another piece of
//! configuration, or an image for a board's flash. Refuses to write over anything.

use std::fs::OpenOptions;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use clap::Args;
use longwire_codec::lora::Lora;
use longwire_codec::provision::{IMAGE_MAX, Provision, emit_modem};

use super::manual;
use crate::config::{Config, Modem};
use crate::exit::{Exit, Failure};
use crate::keys::Key;

/// Arguments of `longwire pair`.
#[derive(Debug, Args)]
pub(super) struct Pair {
    /// Name of the new station.
    #[arg(long, value_name = "NAME")]
    station: String,
    /// The board's bare JID; makes an image for its flash. Without it the far end is another gateway.
    #[arg(long)]
    jid: Option<String>,
    /// Modem it is reached through; the configuration's only one if left out.
    #[arg(long)]
    modem: Option<String>,
    /// Its address on the channel; the lowest free one if left out.
    #[arg(long)]
    address: Option<u8>,
    /// How much of an hour the board may be on the air, such as 1% (no limit if left out).
    #[arg(long, value_name = "PERCENT", value_parser = permille)]
    duty_cycle: Option<u16>,
    /// The board sleeps and listens at least so often; it always listens if left out.
    #[arg(long, value_name = "SECONDS")]
    listen_every: Option<u16>,
    /// Folder to write to.
    #[arg(long, default_value = ".")]
    folder: PathBuf,
}

/// Makes the files and prints what is left to do.
pub(super) fn pair(config: &Config, arguments: &Pair, json: bool) -> Result<(), Failure> {
    let modem = choose(config, arguments.modem.as_deref())?;
    let address = arguments.address.map_or_else(|| free(config, modem), Ok)?;
    if config.peer(&arguments.station).is_some() {
        let said = format!("there is a peer called `{}` already", arguments.station);
        return Err(Failure::new(Exit::Usage, said).advise("give the new one another name"));
    }
    let key = Key::generate()?;
    let key_path = arguments.folder.join(format!("{}.key", arguments.station));
    key.store(&key_path)?;
    let image_path = match &arguments.jid {
        Some(jid) => Some(image(config, modem, address, jid, &key, arguments)?),
        None => None,
    };
    let profile = if config.gateway.callsign.is_empty() {
        "sealed"
    } else {
        "amateur"
    };
    let domains = arguments
        .jid
        .clone()
        .unwrap_or_else(|| format!("{}.example", arguments.station));
    // What a board has room for.
    let board = if arguments.jid.is_some() {
        "memory = \"board\"\ntext-model = \"128k\"\n"
    } else {
        ""
    };
    let section = format!(
        "[[peer]]\nname = \"{}\"\nmodem = \"{}\"\nstation = {address}\nkey-file = \"{}\"\n\
         profile = \"{profile}\"\ndomains = [\"{domains}\"]\n{board}",
        arguments.station,
        modem.name,
        key_path.display(),
    );
    let steps = next(arguments, modem, address, &key_path, image_path.as_deref());
    if json {
        let value = serde_json::json!({
            "key-file": key_path, "fingerprint": key.fingerprint(), "image": image_path,
            "station": address, "peer": section, "next": steps,
        });
        return manual::print(format!("{value}\n").as_bytes());
    }
    let mut text = format!(
        "Add to the configuration, with the domains that live there:\n\n{section}\nFingerprint of the key: {}\nThen:\n",
        key.fingerprint()
    );
    for (index, step) in steps.iter().enumerate() {
        text.push_str(&format!("{}. {step}\n", index + 1));
    }
    manual::print(text.as_bytes())
}

/// What is left to do, in order.
fn next(
    arguments: &Pair,
    modem: &Modem,
    address: u8,
    key: &Path,
    image: Option<&Path>,
) -> Vec<String> {
    let carry = match image {
        Some(path) => to_flash(path, modem),
        None => format!(
            "Copy {} to the far gateway over a way you trust. There, `station = {address}` belongs into [[modem]], \
             `station = {}` into [[peer]].",
            key.display(),
            modem.station
        ),
    };
    let name = &arguments.station;
    vec![
        carry,
        "Try it: longwire check. Start the gateway again, which reads its configuration when it starts.".to_owned(),
        format!(
            "When longwire status shows {name} up: longwire rekey {name}. From then on no copy of this key opens anything, \
             and none need be kept."
        ),
    ]
}

/// What to do with the images.
fn to_flash(image: &Path, modem: &Modem) -> String {
    let image = image.display();
    let page = "provisioning page (firmware/README.md)";
    let board = format!("Write {image} to the board's {page} and delete it here.");
    match modem.lora {
        Some(_) => format!(
            "{board} If this gateway's modem is a board too, write {}.image, which holds no key, to its page.",
            modem.name
        ),
        None => board,
    }
}

/// Thousandths, from a percentage with at most one decimal.
fn permille(text: &str) -> Result<u16, String> {
    let number = text.trim().trim_end_matches('%').trim_end();
    let (whole, tenth) = number.split_once('.').unwrap_or((number, "0"));
    let digits = format!("{whole}{tenth}");
    match digits.parse() {
        Ok(permille @ 1..=1000) if tenth.len() == 1 => Ok(permille),
        _ => Err("0.1% to 100%, in tenths".to_owned()),
    }
}

fn choose<'c>(config: &'c Config, name: Option<&str>) -> Result<&'c Modem, Failure> {
    match (name, &config.modems[..]) {
        (None, [only]) => Ok(only),
        (None, _) => {
            let said = format!("the configuration has {} modems", config.modems.len());
            Err(Failure::new(Exit::Usage, said).advise("name one with --modem"))
        }
        (Some(name), _) => config.modem(name).ok_or_else(|| {
            Failure::new(Exit::Usage, format!("there is no modem `{name}`"))
                .advise("longwire check lists them")
        }),
    }
}

/// The lowest address on the modem's channel nobody has.
fn free(config: &Config, modem: &Modem) -> Result<u8, Failure> {
    let taken = |address: u8| {
        let peers = config.peers.iter().filter(|peer| peer.modem == modem.name);
        address == modem.station || peers.map(|peer| peer.station).any(|it| it == address)
    };
    (0..=254)
        .find(|address| !taken(*address))
        .ok_or_else(|| Failure::running("all 255 addresses of the channel are taken"))
}

fn image(
    config: &Config,
    modem: &Modem,
    address: u8,
    jid: &str,
    key: &Key,
    arguments: &Pair,
) -> Result<PathBuf, Failure> {
    if !jid
        .parse::<jid::BareJid>()
        .is_ok_and(|jid| jid.node().is_some())
    {
        let said = format!("`{jid}` is no bare JID");
        return Err(Failure::new(Exit::Usage, said).advise("write it as buoy@field.example"));
    }
    let channel = modem.channel();
    let provision = Provision {
        key: key.0,
        jid,
        station: address,
        gateway: modem.station,
        callsign: &config.gateway.callsign,
        tag_len: config.peers.first().map_or(8, |peer| peer.tag_bytes),
        mtu: channel.mtu,
        bit_rate: channel.bit_rate,
        turnaround_ms: u32::try_from(modem.turnaround.as_millis()).unwrap_or(u32::MAX),
        shared: modem.shared || config.peers.iter().any(|peer| peer.modem == modem.name),
        lora: modem.lora,
        duty_permille: arguments.duty_cycle.unwrap_or(0),
        listen_every_s: arguments.listen_every.unwrap_or(0),
    };
    if let Some(lora) = &modem.lora {
        modem_image(
            &arguments.folder.join(format!("{}.image", modem.name)),
            lora,
        )?;
    }
    let mut image = [0xff; IMAGE_MAX];
    provision.emit(&mut image).map_err(Failure::running)?;
    let path = arguments
        .folder
        .join(format!("{}.image", arguments.station));
    write_new(&path, &image)
        .map_err(|error| Failure::running(format!("cannot write {}: {error}", path.display())))?;
    Ok(path)
}

/// The image for a board that is this gateway's modem; one made for an earlier station is the same and stays.
fn modem_image(path: &Path, lora: &Lora) -> Result<(), Failure> {
    let mut image = [0xff; IMAGE_MAX];
    emit_modem(lora, &mut image).map_err(Failure::running)?;
    match std::fs::read(path) {
        Ok(found) if found == image => return Ok(()),
        _ => write_new(path, &image),
    }
    .map_err(|error| Failure::running(format!("cannot write {}: {error}", path.display())))
}

/// A new file only its owner can read: an image holds the key.
fn write_new(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true).mode(0o600);
    options.open(path)?.write_all(bytes)
}

#[cfg(test)]
mod tests {
    use super::permille;

    #[test]
    fn a_duty_cycle_is_a_percentage() {
        let read = ["1%", "0.1%", "10", "100 %"].map(permille);
        assert_eq!(read, [Ok(10), Ok(1), Ok(100), Ok(1000)]);
        for wrong in ["0%", "0.05%", "101%", "some", "", "1.", "-1"] {
            assert!(permille(wrong).is_err(), "{wrong}");
        }
    }
}
