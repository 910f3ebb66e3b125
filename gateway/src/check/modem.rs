//! Modems: is the device there, may we open it, does the port answer.

use std::net::{TcpStream, ToSocketAddrs};
use std::path::Path;
use std::time::Duration;

use super::Report;
use crate::config::{Config, Modem};
use crate::exit::Exit;

/// Longest wait for a TCP modem.
const CONNECT_MAX: Duration = Duration::from_secs(3);

pub(super) fn check(config: &Config, running: bool, report: &mut Report) {
    for modem in &config.modems {
        let subject = format!("modem {}", modem.name);
        let (scheme, rest) = modem.url.split_once(':').unwrap_or((&modem.url, ""));
        let place = rest.split('?').next().unwrap_or_default();
        match scheme {
            "air" => report.warn(
                &subject,
                "a simulated channel inside this process",
                "name a real modem when there is one",
            ),
            "kiss+tcp" => tcp(place.trim_start_matches('/'), subject, report),
            _ => serial(place, running, subject, report),
        }
        if config.peers.iter().all(|peer| peer.modem != modem.name) {
            let said = "no peer is reached through it";
            report.warn(
                format!("modem {}", modem.name),
                said,
                "add a [[peer]], or leave the modem out",
            );
        }
        frame_time(modem, report);
    }
}

fn tcp(place: &str, subject: String, report: &mut Report) {
    let reached = place
        .to_socket_addrs()
        .map_err(|error| error.to_string())
        .and_then(|mut addresses| addresses.next().ok_or_else(|| "no such host".to_owned()))
        .and_then(|to| {
            TcpStream::connect_timeout(&to, CONNECT_MAX).map_err(|error| error.to_string())
        });
    match reached {
        Ok(_) => report.ok(subject, format!("{place} accepts connections")),
        Err(error) => report.fail(
            Exit::Modem,
            subject,
            format!("{place}: {error}"),
            "start the modem program (Dire Wolf, for one: KISSPORT 8001), or correct `url`",
        ),
    }
}

fn serial(place: &str, running: bool, subject: String, report: &mut Report) {
    if !Path::new(place).exists() {
        let there = present();
        let advice = if there.is_empty() {
            "plug it in; no serial device is present".to_owned()
        } else {
            format!("plug it in, or use one of: {}", there.join(", "))
        };
        report.fail(
            Exit::Modem,
            subject,
            format!("{place} does not exist"),
            advice,
        );
        return;
    }
    if running {
        report.ok(subject, format!("{place} exists"));
        return;
    }
    let opened = std::fs::OpenOptions::new()
        .read(true)
        .write(true)
        .open(place);
    match opened {
        Ok(_) => report.ok(subject, format!("{place} opens")),
        Err(error) if error.kind() == std::io::ErrorKind::PermissionDenied => report.fail(
            Exit::Modem,
            subject,
            format!("{place}: permission denied"),
            "add the user to group dialout: usermod -a -G dialout longwire",
        ),
        Err(error) => {
            let advice = "see that no other program holds it: fuser -v ".to_owned() + place;
            report.fail(Exit::Modem, subject, format!("{place}: {error}"), advice);
        }
    }
}

/// Serial devices of this machine that look like modems.
fn present() -> Vec<String> {
    let names = std::fs::read_dir("/dev").into_iter().flatten().flatten();
    let mut names: Vec<String> = names
        .filter_map(|entry| entry.file_name().into_string().ok())
        .filter(|name| {
            ["ttyUSB", "ttyACM", "rfcomm"]
                .iter()
                .any(|kind| name.starts_with(kind))
        })
        .map(|name| format!("/dev/{name}"))
        .collect();
    names.sort();
    names
}

/// A frame that takes half a minute loses its luck on a fading channel.
fn frame_time(modem: &Modem, report: &mut Report) {
    let seconds = modem.channel().airtime_ms(modem.mtu.into()) / 1000;
    if seconds >= 30 && !modem.reliable {
        report.warn(
            format!("modem {}", modem.name),
            format!("one full frame of {} octets takes {seconds} s", modem.mtu),
            "a smaller `mtu` loses less when a frame is lost",
        );
    }
}
