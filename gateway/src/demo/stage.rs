//! The actors and what passes between them: says a stanza at one end, waits for it at the other, compares. Refuses
//! to look inside the gateways: it sees only what any client sees.

use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::{Instant, timeout};

use super::client::{Client, ClientError, ClientWriter, Login};
use super::compare::{self, Ids};
use crate::xml::{Element, NS_CLIENT, NS_STANZA_ERROR};

const NS_PING: &str = "urn:xmpp:ping";
const NS_ROSTER: &str = "jabber:iq:roster";

/// Longest wait for a stanza to arrive, seconds of the link's time.
const ARRIVAL_MAX: Duration = Duration::from_secs(15 * 60);

/// More than anybody stays.
const FOREVER: Duration = Duration::from_secs(365 * 24 * 3600);

/// One who speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Who {
    /// Ashore.
    Juliet,
    /// In the field.
    Romeo,
}

impl Who {
    /// The other one.
    pub(super) fn other(self) -> Self {
        match self {
            Self::Juliet => Self::Romeo,
            Self::Romeo => Self::Juliet,
        }
    }

    /// As printed.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Juliet => "juliet",
            Self::Romeo => "romeo",
        }
    }
}

/// A client that is logged in.
#[derive(Debug)]
struct Actor {
    bare: String,
    full: String,
    writer: ClientWriter,
    heard: mpsc::UnboundedReceiver<Element>,
}

impl Actor {
    async fn enter(login: &Login) -> Result<Self, ClientError> {
        let (mut reader, writer) = Client::login(login).await?.split();
        let (tell, heard) = mpsc::unbounded_channel();
        tokio::task::spawn_local(async move {
            while let Ok(Some(stanza)) = reader.next().await {
                if tell.send(stanza).is_err() {
                    break;
                }
            }
        });
        let bare = format!("{}@{}", login.user, login.domain);
        Ok(Self {
            full: format!("{bare}/{}", login.resource),
            bare,
            writer,
            heard,
        })
    }
}

/// What became of one stanza.
#[derive(Clone, Debug)]
pub(super) struct Passage {
    /// Who said it.
    pub(super) by: Who,
    /// What it was, in words.
    pub(super) kind: &'static str,
    /// As the sending client wrote it, octets.
    pub(super) xml_bytes: usize,
    /// From the client's socket at one end to the client's socket at the other.
    pub(super) took: Duration,
    /// What is wrong with it, if anything.
    pub(super) wrong: Option<String>,
}

/// Both actors.
#[derive(Debug)]
pub(super) struct Stage {
    /// Juliet, then Romeo.
    actors: [Actor; 2],
    ids: Ids,
    surplus: usize,
}

impl Stage {
    /// Logs both in.
    ///
    /// # Errors
    /// [`ClientError`] of the first that cannot.
    pub(super) async fn enter(juliet: &Login, romeo: &Login) -> Result<Self, ClientError> {
        Ok(Self {
            actors: [Actor::enter(juliet).await?, Actor::enter(romeo).await?],
            ids: Ids::default(),
            surplus: 0,
        })
    }

    /// Bare JID.
    pub(super) fn bare(&self, who: Who) -> &str {
        &self.actor(who).bare
    }

    /// Full JID.
    pub(super) fn full(&self, who: Who) -> &str {
        &self.actor(who).full
    }

    /// Sends without waiting for anything.
    ///
    /// # Errors
    /// The client lost its server.
    pub(super) async fn say(&mut self, by: Who, stanza: &Element) -> Result<(), ClientError> {
        self.actor_mut(by).writer.send(stanza).await
    }

    /// Asks the actor's own server and waits for the answer.
    ///
    /// # Errors
    /// The client lost its server.
    pub(super) async fn ask(&mut self, by: Who, query: &Element) -> Result<bool, ClientError> {
        self.say(by, query).await?;
        let id = query.attr("id").map(str::to_owned);
        let answer = self
            .hear(by, |it| it.name == "iq" && it.attr("id") == id.as_deref())
            .await;
        Ok(answer.is_some_and(|it| it.attr("type") == Some("result")))
    }

    /// Sends `stanza` and waits for it at the other end.
    ///
    /// # Errors
    /// A client lost its server.
    pub(super) async fn cross(
        &mut self,
        by: Who,
        kind: &'static str,
        stanza: &Element,
    ) -> Result<(Passage, Option<Element>), ClientError> {
        let begun = Instant::now();
        self.say(by, stanza).await?;
        Ok(self.arrival(by, kind, stanza, begun).await)
    }

    /// Waits for what `by`'s own server sends in its name.
    pub(super) async fn follows(
        &mut self,
        by: Who,
        kind: &'static str,
        stanza: &Element,
    ) -> Passage {
        self.arrival(by, kind, stanza, Instant::now()).await.0
    }

    /// Waits at the other end for what was said at `begun`.
    async fn arrival(
        &mut self,
        by: Who,
        kind: &'static str,
        sent: &Element,
        begun: Instant,
    ) -> (Passage, Option<Element>) {
        let from = self.full(by).to_owned();
        let there = by.other();
        let got = self
            .hear(there, |it| compare::resembles(sent, it, &from))
            .await;
        let wrong = match &got {
            None => Some(format!("did not arrive within {} s", ARRIVAL_MAX.as_secs())),
            Some(got) => compare::difference(sent, got, &from, by, &self.ids),
        };
        if let (Some(here), Some(there_id)) =
            (sent.attr("id"), got.as_ref().and_then(|it| it.attr("id")))
        {
            self.ids.learn(there, there_id, here);
        }
        let passage = Passage {
            by,
            kind,
            xml_bytes: sent.to_xml(NS_CLIENT).len(),
            took: begun.elapsed(),
            wrong,
        };
        (passage, got)
    }

    /// Waits for a stanza that fits. What else comes is the server's own business (roster pushes, presence of
    /// oneself), or counted as surplus.
    async fn hear(&mut self, who: Who, fits: impl Fn(&Element) -> bool) -> Option<Element> {
        let until = Instant::now() + ARRIVAL_MAX;
        loop {
            let left = until.saturating_duration_since(Instant::now());
            let stanza = self.next(who, left).await?;
            if fits(&stanza) {
                return Some(stanza);
            }
            self.surplus += usize::from(compare::counts(&stanza));
        }
    }

    /// The next stanza within `limit`; what the server asks meanwhile is answered, as any client does.
    async fn next(&mut self, who: Who, limit: Duration) -> Option<Element> {
        let until = Instant::now() + limit;
        loop {
            let left = until.saturating_duration_since(Instant::now());
            let stanza = timeout(left, self.actor_mut(who).heard.recv())
                .await
                .ok()??;
            let Some(reply) = reply(&stanza) else {
                return Some(stanza);
            };
            self.say(who, &reply).await.ok()?;
        }
    }

    /// Listens until both were silent for `silence`: how many stanzas came that nobody sent, or came twice.
    pub(super) async fn surplus(&mut self, silence: Duration) -> usize {
        loop {
            let [juliet, romeo] = &mut self.actors;
            let (who, heard) = tokio::select! {
                stanza = juliet.heard.recv() => (Who::Juliet, stanza),
                stanza = romeo.heard.recv() => (Who::Romeo, stanza),
                () = tokio::time::sleep(silence) => return self.surplus,
            };
            let Some(stanza) = heard else {
                return self.surplus;
            };
            match reply(&stanza) {
                // A server that is gone will be noticed by the next turn.
                Some(reply) => drop(self.say(who, &reply).await),
                None => self.surplus += usize::from(compare::counts(&stanza)),
            }
        }
    }

    /// Answers every message, and grants every request to see the actor's presence, until the server is gone.
    pub(super) async fn answer_everyone(mut self, who: Who) {
        while let Some(stanza) = self.next(who, FOREVER).await {
            if let Some(answer) = answer(&stanza)
                && self.say(who, &answer).await.is_err()
            {
                return;
            }
        }
    }

    fn actor(&self, who: Who) -> &Actor {
        &self.actors[usize::from(who == Who::Romeo)]
    }

    fn actor_mut(&mut self, who: Who) -> &mut Actor {
        &mut self.actors[usize::from(who == Who::Romeo)]
    }
}

/// To a request: done if it was a ping, else that there is nothing of the kind here.
fn reply(stanza: &Element) -> Option<Element> {
    let asks = stanza.name == "iq" && matches!(stanza.attr("type"), Some("get" | "set"));
    if !asks || stanza.child(NS_ROSTER, "query").is_some() {
        return None;
    }
    let is_ping = stanza.child(NS_PING, "ping").is_some();
    let kind = if is_ping { "result" } else { "error" };
    let mut reply = Element::new(NS_CLIENT, "iq").with_attr("type", kind);
    for (name, from) in [("id", "id"), ("to", "from")] {
        if let Some(value) = stanza.attr(from) {
            reply.set_attr(name, value);
        }
    }
    if !is_ping {
        let condition = Element::new(NS_STANZA_ERROR, "service-unavailable");
        let error = Element::new(NS_CLIENT, "error").with_attr("type", "cancel");
        reply.push(error.with_child(condition));
    }
    Some(reply)
}

fn answer(stanza: &Element) -> Option<Element> {
    let to = stanza.attr("from")?;
    match (stanza.name.as_str(), stanza.attr("type")) {
        ("presence", Some("subscribe")) => Some(
            Element::new(NS_CLIENT, "presence")
                .with_attr("to", to)
                .with_attr("type", "subscribed"),
        ),
        ("message", Some("chat" | "normal") | None) => {
            let said = stanza.child(NS_CLIENT, "body")?.text();
            let body = Element::new(NS_CLIENT, "body").with_text(format!("Copied: {said}"));
            let message = Element::new(NS_CLIENT, "message").with_attr("to", to);
            Some(message.with_attr("type", "chat").with_child(body))
        }
        _ => None,
    }
}
