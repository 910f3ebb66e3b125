//! Carries stanzas between one connection and the domain, both directions at once, so that neither waits for the
//! other.

use std::sync::atomic::Ordering;
use std::time::Duration;

use base64::Engine as _;
use tokio::io::AsyncWriteExt;
use tokio::sync::{Notify, mpsc};
use tokio::time::{sleep, timeout};
use tracing::{trace, warn};

use super::{Ack, Resumption, Session, UNACKED_MAX};
use crate::router::Refused;
use crate::xml::{Element, NS_CLIENT, StreamError, StreamEvent};
use crate::xmpp::hosted::ack::NS_SM;
use crate::xmpp::hosted::domain::Out;
use crate::xmpp::hosted::stream::{Connection, Reader, Writer};
use crate::xmpp::stanza;

const NS_CSI: &str = "urn:xmpp:csi:0";
const NS_PING: &str = "urn:xmpp:ping";
/// Silence after which a client is asked whether it is there, so that nothing is written into the void for long.
const IDLE: Duration = Duration::from_secs(300);
/// How long its answer may take.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(60);
/// Stanzas written before the client is asked what it has, and what it has is stored.
const BATCH: usize = 32;
/// How long one write may take before the client counts as gone.
const WRITE_TIMEOUT: Duration = Duration::from_secs(60);
/// How long custody of a stanza that was already read may take when the connection is gone.
const FINISH_TIMEOUT: Duration = Duration::from_secs(30);

/// Why a connection is of no more use.
#[derive(Debug)]
pub(super) enum Ended {
    /// The client closed its stream.
    Left,
    /// The connection is gone without a word.
    Broken,
    /// To be closed with this stream error.
    Error(&'static str),
    /// The client came back on another connection.
    Resumed(Resumption),
}

/// What the reading half tells the writing half to write, in order.
#[derive(Debug)]
enum Word {
    Plain(Element),
    /// `<enabled/>`: from here on what is sent is remembered.
    Enabled(Element),
}

pub(super) async fn carry(session: &mut Session, connection: &mut Connection) -> Ended {
    let mut out = std::mem::replace(&mut session.out, mpsc::unbounded_channel().1);
    let mut resumed = std::mem::replace(&mut session.resumed, mpsc::channel(1).1);
    let (words, mut said) = mpsc::unbounded_channel();
    let stop = Notify::new();
    let mut token = session.token.clone();
    let ended = {
        let Connection { reader, writer } = connection;
        let mut input = std::pin::pin!(read(session, reader, &words, &stop, &mut token));
        let output = write(session, writer, &mut out, &mut said);
        tokio::select! {
            ended = &mut input => ended,
            ended = output => {
                // A stanza that was read is taken to its end, so that it is counted if it was stored.
                stop.notify_one();
                let _ = timeout(FINISH_TIMEOUT, input).await;
                ended
            }
            Some(resumption) = resumed.recv() => {
                stop.notify_one();
                let _ = timeout(FINISH_TIMEOUT, input).await;
                Ended::Resumed(resumption)
            }
        }
    };
    session.token = token;
    session.out = out;
    session.resumed = resumed;
    ended
}

/// Client to domain.
async fn read(
    session: &Session,
    reader: &mut Reader,
    words: &mpsc::UnboundedSender<Word>,
    stop: &Notify,
    token: &mut Option<String>,
) -> Ended {
    let mut asked = false;
    loop {
        let patience = if asked { ANSWER_TIMEOUT } else { IDLE };
        let event = tokio::select! {
            biased;
            () = stop.notified() => return Ended::Broken,
            event = reader.next() => event,
            () = sleep(patience) => {
                if asked {
                    return Ended::Broken;
                }
                asked = true;
                let _ = words.send(Word::Plain(alive(session)));
                continue;
            }
        };
        asked = false;
        let element = match event {
            Ok(Some(StreamEvent::Element(element))) => element,
            Ok(Some(StreamEvent::Close)) => return Ended::Left,
            Ok(Some(StreamEvent::Open(_))) => return Ended::Error("invalid-xml"),
            Ok(None) | Err(StreamError::Io(_)) => return Ended::Broken,
            Err(StreamError::Xml(error)) => return Ended::Error(error.condition()),
        };
        let ended = match element.ns.as_str() {
            NS_CLIENT if stanza::is_stanza(&element) => take(session, element).await,
            NS_SM => manage(session, &element, words, token),
            NS_CSI => None,
            _ => Some(Ended::Error("unsupported-stanza-type")),
        };
        if let Some(ended) = ended {
            return ended;
        }
    }
}

/// Asks a client whether it is still there.
fn alive(session: &Session) -> Element {
    if session.ack().remembering {
        return Element::new(NS_SM, "r");
    }
    // The answer is swallowed like that to any request of the server's own.
    Element::new(NS_CLIENT, "iq")
        .with_attr("type", "get")
        .with_attr("id", "alive")
        .with_attr("from", session.host.settings.domain.as_str())
        .with_child(Element::new(NS_PING, "ping"))
}

/// Takes a stanza into custody and counts it.
async fn take(session: &Session, stanza: Element) -> Option<Ended> {
    trace!(
        account = session.account,
        stanza = stanza.name,
        "from client"
    );
    let taken = session.host.domain().client_sent(session.id, stanza);
    let remote = match taken {
        Ok(remote) => remote,
        Err(error) => {
            warn!("a client's stanza could not be stored: {error}");
            return Some(Ended::Error("internal-server-error"));
        }
    };
    match session.host.submit(remote).await {
        Ok(()) => {}
        Err(Refused::Stopping) => return Some(Ended::Error("system-shutdown")),
        Err(_) => return Some(Ended::Error("internal-server-error")),
    }
    let mut ack = session.ack();
    if ack.counting {
        ack.handled = ack.handled.wrapping_add(1);
    }
    None
}

/// Stream management.
fn manage(
    session: &Session,
    element: &Element,
    words: &mpsc::UnboundedSender<Word>,
    token: &mut Option<String>,
) -> Option<Ended> {
    match element.name.as_str() {
        "enable" if session.ack().counting => {
            let failed = Element::new(NS_SM, "failed");
            let _ = words.send(Word::Plain(failed));
        }
        "enable" => {
            session.ack().counting = true;
            let mut enabled = Element::new(NS_SM, "enabled");
            let resumable = matches!(element.attr("resume"), Some("true" | "1"));
            if let Some(fresh) = fresh_token().filter(|_| resumable) {
                let max = session.host.settings.resume_timeout.as_secs().to_string();
                enabled = enabled
                    .with_attr("id", fresh.as_str())
                    .with_attr("resume", "true")
                    .with_attr("max", max);
                session
                    .host
                    .domain()
                    .set_resumption(&fresh, session.id, session.resume.clone());
                *token = Some(fresh);
            }
            let _ = words.send(Word::Enabled(enabled));
        }
        "r" => {
            let h = session.ack().handled.to_string();
            let _ = words.send(Word::Plain(Element::new(NS_SM, "a").with_attr("h", h)));
        }
        "a" => {
            let h = element.attr("h").and_then(|h| h.parse().ok());
            let confirmed = h.map(|h| session.ack().confirm(h));
            match confirmed {
                Some(Ok(rows)) => session.release(&rows),
                _ => return Some(Ended::Error("undefined-condition")),
            }
        }
        _ => return Some(Ended::Error("unsupported-stanza-type")),
    }
    None
}

fn fresh_token() -> Option<String> {
    let mut random = [0; 18];
    getrandom::fill(&mut random).ok()?;
    Some(base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(random))
}

/// Domain to client.
async fn write(
    session: &Session,
    writer: &mut Writer,
    out: &mut mpsc::UnboundedReceiver<Out>,
    words: &mut mpsc::UnboundedReceiver<Word>,
) -> Ended {
    loop {
        let mut batch = Batch::default();
        tokio::select! {
            biased;
            Some(word) = words.recv() => batch.word(word),
            first = out.recv() => {
                let mut next = first;
                loop {
                    match next {
                        Some(Out::Stanza { stanza, kept }) => {
                            session.waiting.fetch_sub(1, Ordering::Relaxed);
                            batch.stanza(stanza, kept, &mut session.ack());
                        }
                        Some(Out::Close(condition)) => return Ended::Error(condition),
                        None => return Ended::Broken,
                    }
                    if batch.stanzas >= BATCH {
                        break;
                    }
                    match out.try_recv() {
                        Ok(more) => next = Some(more),
                        Err(_) => break,
                    }
                }
                batch.ask(&session.ack());
            }
        }
        batch.enable(&mut session.ack());
        let written = timeout(WRITE_TIMEOUT, async {
            writer.write_all(batch.text.as_bytes()).await?;
            writer.flush().await
        });
        if !matches!(written.await, Ok(Ok(()))) {
            return Ended::Broken;
        }
        session.release(&batch.released);
        if session.ack().unacked().len() > UNACKED_MAX {
            return Ended::Error("resource-constraint");
        }
    }
}

/// What goes into one write.
#[derive(Debug, Default)]
struct Batch {
    text: String,
    stanzas: usize,
    /// Rows whose custody ends with the write, for there will be no acknowledgement.
    released: Vec<i64>,
    enable: bool,
}

impl Batch {
    fn word(&mut self, word: Word) {
        let element = match word {
            Word::Plain(element) => element,
            Word::Enabled(element) => {
                self.enable = true;
                element
            }
        };
        self.text.push_str(&element.to_xml(NS_CLIENT));
    }

    fn stanza(&mut self, stanza: Element, kept: Option<i64>, ack: &mut Ack) {
        self.stanzas += 1;
        self.text.push_str(&stanza.to_xml(NS_CLIENT));
        match ack.remembering {
            true => ack.sent(stanza, kept),
            false => self.released.extend(kept),
        }
    }

    fn ask(&mut self, ack: &Ack) {
        if ack.remembering {
            self.text
                .push_str(&Element::new(NS_SM, "r").to_xml(NS_CLIENT));
        }
    }

    fn enable(&mut self, ack: &mut Ack) {
        ack.remembering |= self.enable;
    }
}
