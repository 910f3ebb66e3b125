//! Servers and hosted domains: is the secret accepted, is the port free, is the certificate ours to use.

use std::net::{SocketAddr, TcpListener};
use std::os::unix::fs::MetadataExt;
use std::time::Duration;

use sha1::{Digest, Sha1};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use super::Report;
use crate::config::{Component, Config, Hosted, Secret};
use crate::exit::Exit;
use crate::xml::{Limits, NS_STREAM, StreamEvent, StreamReader, escape_attr};

/// Longest wait for a server's word.
const ANSWER_MAX: Duration = Duration::from_secs(5);

pub(super) fn check(config: &Config, running: bool, report: &mut Report) {
    for component in &config.components {
        check_component(component, running, report);
    }
    for hosted in &config.hosted {
        check_hosted(hosted, running, report);
    }
}

fn check_component(component: &Component, running: bool, report: &mut Report) {
    let secret = match component.read_secret() {
        Ok(secret) => secret,
        Err(error) => {
            let said = format!("secret {}: {error}", component.secret_file.display());
            let advice = "write the server's component secret into it, mode 0600";
            report.fail(
                Exit::Config,
                format!("component {}", component.server),
                said,
                advice,
            );
            return;
        }
    };
    let exposed = std::fs::metadata(&component.secret_file).is_ok_and(|it| it.mode() & 0o077 != 0);
    if exposed {
        let shown = component.secret_file.display();
        let subject = format!("component {}", component.server);
        report.warn(
            subject,
            format!("{shown} can be read by others"),
            format!("chmod 600 {shown}"),
        );
    }
    if running {
        return;
    }
    for domain in &component.domains {
        let subject = format!("component {domain}");
        match probe(&component.server, domain, &secret) {
            Ok(()) => report.ok(subject, format!("{} accepts the secret", component.server)),
            Err((said, advice)) => {
                report.fail(
                    Exit::Xmpp,
                    subject,
                    format!("{}: {said}", component.server),
                    advice,
                );
            }
        }
    }
}

type Refused = (String, String);

/// Logs in as component and leaves again (XEP-0114 section 3).
fn probe(server: &str, domain: &str, secret: &Secret) -> Result<(), Refused> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| (error.to_string(), "free some file descriptors".to_owned()))?;
    let answer = runtime.block_on(async {
        tokio::time::timeout(ANSWER_MAX, handshake(server, domain, secret)).await
    });
    answer.unwrap_or_else(|_| {
        let said = format!("no answer within {} s", ANSWER_MAX.as_secs());
        Err((
            said,
            "is this the component port, not that of clients?".into(),
        ))
    })
}

async fn handshake(server: &str, domain: &str, secret: &Secret) -> Result<(), Refused> {
    let listen =
        "start the server, or correct `server`; Prosody listens for components on 5347".to_owned();
    let broken =
        |error: &dyn std::fmt::Display| (error.to_string(), "see the server's log".to_owned());
    let mut stream = TcpStream::connect(server)
        .await
        .map_err(|error| (error.to_string(), listen))?;
    let (input, mut output) = stream.split();
    let mut reader = StreamReader::new(input, Limits::default());
    let header = format!(
        "<stream:stream xmlns='jabber:component:accept' xmlns:stream='{NS_STREAM}' to='{}'>",
        escape_attr(domain)
    );
    output
        .write_all(header.as_bytes())
        .await
        .map_err(|error| broken(&error))?;
    loop {
        let reply = match reader.next().await.map_err(|error| broken(&error))? {
            Some(StreamEvent::Open(header)) => {
                let id = header.element.attr("id").unwrap_or_default();
                let digest = crate::hex::emit(&Sha1::digest(format!("{id}{}", secret.0)));
                let handshake = format!("<handshake>{digest}</handshake>");
                output
                    .write_all(handshake.as_bytes())
                    .await
                    .map_err(|error| broken(&error))?;
                continue;
            }
            Some(StreamEvent::Element(element)) => element,
            Some(StreamEvent::Close) | None => {
                return Err((
                    "the server closed the stream".into(),
                    "see the server's log".into(),
                ));
            }
        };
        if reply.name == "handshake" {
            // The server takes a closed connection for a farewell as well.
            let _ = output.write_all(b"</stream:stream>").await;
            return Ok(());
        }
        if reply.is(NS_STREAM, "error") {
            return Err(refusal(&reply, domain));
        }
    }
}

fn refusal(error: &crate::xml::Element, domain: &str) -> Refused {
    let condition = error
        .children()
        .next()
        .map_or("error", |it| it.name.as_str());
    let advice = match condition {
        "not-authorized" => "the secret differs from the server's: compare both files".to_owned(),
        "host-unknown" => format!("declare it on the server, in Prosody: Component \"{domain}\""),
        "conflict" => "another program is connected as this component: stop it".to_owned(),
        _ => "see the server's log".to_owned(),
    };
    (condition.to_owned(), advice)
}

fn check_hosted(hosted: &Hosted, running: bool, report: &mut Report) {
    let subject = format!("hosted {}", hosted.domain);
    if !running {
        for address in hosted.listen.iter().chain(&hosted.listen_tls) {
            port(*address, &subject, report);
        }
    }
    let shown = hosted.certificate.display();
    if !hosted.certificate.exists() && hosted.make_certificate {
        report.ok(
            subject,
            "a self-signed certificate will be made on first run",
        );
        return;
    }
    for path in [&hosted.certificate, &hosted.private_key] {
        if let Err(error) = std::fs::File::open(path) {
            let said = format!("{}: {error}", path.display());
            report.fail(
                Exit::Config,
                subject,
                said,
                "correct `certificate` and `private-key`",
            );
            return;
        }
    }
    let exposed = std::fs::metadata(&hosted.private_key).is_ok_and(|it| it.mode() & 0o007 != 0);
    if exposed {
        let key = hosted.private_key.display();
        report.warn(
            &subject,
            format!("{key} can be read by everybody"),
            format!("chmod 640 {key}"),
        );
    }
    if hosted.make_certificate {
        report.warn(
            subject,
            format!("certificate {shown} is self-signed"),
            "clients ask once whether to trust it; or set `certificate` and `private-key`",
        );
    } else {
        report.ok(subject, format!("certificate {shown}"));
    }
}

fn port(address: SocketAddr, subject: &str, report: &mut Report) {
    match TcpListener::bind(address) {
        Ok(_) => report.ok(subject, format!("port {address} is free")),
        Err(error) => {
            let advice = "stop what listens there, or set `listen`; ports below 1024 need CAP_NET_BIND_SERVICE";
            report.fail(
                Exit::Xmpp,
                subject,
                format!("port {address}: {error}"),
                advice,
            );
        }
    }
    if !address.ip().is_loopback() {
        report.warn(
            subject,
            format!("{address} can be reached from the network"),
            "fine if meant so; 127.0.0.1 keeps it to this machine",
        );
    }
}
