//! What is said, line by line. Refuses to know how it travels.

use super::client::ClientError;
use super::stage::{Passage, Stage, Who};
use crate::xml::{Element, NS_CLIENT};

const NS_CHAT_STATES: &str = "http://jabber.org/protocol/chatstates";
const NS_CORRECT: &str = "urn:xmpp:message-correct:0";
const NS_DISCO_INFO: &str = "http://jabber.org/protocol/disco#info";
const NS_MARKERS: &str = "urn:xmpp:chat-markers:0";
const NS_ORIGIN_ID: &str = "urn:xmpp:sid:0";
const NS_REACTIONS: &str = "urn:xmpp:reactions:0";
const NS_RECEIPTS: &str = "urn:xmpp:receipts";
const NS_ROSTER: &str = "jabber:iq:roster";

/// Chat, with what the reader's client sends back.
const LINES: [(Who, &str); 5] = [
    (Who::Romeo, "Reached the pass, snow above 1400 m. All well."),
    (
        Who::Juliet,
        "Good to hear. Weather turns tonight, gale from the north-west by 22:00 UTC.",
    ),
    (Who::Romeo, "Understood. We stay in the hut until morning."),
    (
        Who::Juliet,
        "Please send your position and how much fuel is left.",
    ),
    (
        Who::Romeo,
        "59.3293, 18.0686. Fuel for two days. Grüße an alle \u{1f44b}",
    ),
];

/// Calls `tell` with each stanza as it arrives.
///
/// # Errors
/// A client lost its server.
pub(super) async fn play(
    stage: &mut Stage,
    tell: &mut dyn FnMut(&Passage),
) -> Result<(), ClientError> {
    acquaint(stage, tell).await?;
    let mut last = None;
    for (at, (by, text)) in LINES.into_iter().enumerate() {
        last = chat(stage, by, at, text, tell).await?;
    }
    correct(stage, tell).await?;
    if let Some(seen) = last {
        react(stage, &seen, tell).await?;
    }
    let away = Element::new(NS_CLIENT, "presence")
        .with_child(Element::new(NS_CLIENT, "show").with_text("away"))
        .with_child(Element::new(NS_CLIENT, "status").with_text("asleep, radio on watch"));
    let (passage, _) = stage.cross(Who::Romeo, "presence: away", &away).await?;
    tell(&passage);
    Ok(())
}

/// What a client asks at login; all of it answered at home. How many questions went unanswered.
///
/// # Errors
/// A client lost its server.
pub(super) async fn arrive(stage: &mut Stage) -> Result<usize, ClientError> {
    let mut unanswered = 0;
    for who in [Who::Juliet, Who::Romeo] {
        let domain = stage
            .bare(who)
            .split('@')
            .next_back()
            .unwrap_or_default()
            .to_owned();
        let query = |id: &str, child: Element| {
            let iq = Element::new(NS_CLIENT, "iq")
                .with_attr("type", "get")
                .with_attr("id", id);
            iq.with_child(child)
        };
        let roster = query("roster", Element::new(NS_ROSTER, "query"));
        let disco = query("disco", Element::new(NS_DISCO_INFO, "query")).with_attr("to", &domain);
        for question in [roster, disco] {
            unanswered += usize::from(!stage.ask(who, &question).await?);
        }
        stage.say(who, &Element::new(NS_CLIENT, "presence")).await?;
    }
    Ok(unanswered)
}

/// Each asks for the other's presence and grants its own (RFC 6121 section 3).
async fn acquaint(stage: &mut Stage, tell: &mut dyn FnMut(&Passage)) -> Result<(), ClientError> {
    for by in [Who::Romeo, Who::Juliet] {
        for (from, kind, word) in [
            (by, "subscribe", "contact request"),
            (by.other(), "subscribed", "contact granted"),
        ] {
            let stanza = Element::new(NS_CLIENT, "presence")
                .with_attr("to", stage.bare(from.other()))
                .with_attr("type", kind);
            let (passage, _) = stage.cross(from, word, &stanza).await?;
            tell(&passage);
        }
        // Who grants a subscription sends its presence at once (section 3.1.5).
        let present = Element::new(NS_CLIENT, "presence");
        let passage = stage.follows(by.other(), "presence: here", &present).await;
        tell(&passage);
    }
    Ok(())
}

/// A message with everything a modern client puts around the text, its receipt and its displayed marker.
async fn chat(
    stage: &mut Stage,
    by: Who,
    at: usize,
    text: &str,
    tell: &mut dyn FnMut(&Passage),
) -> Result<Option<String>, ClientError> {
    // Clients use UUIDs; these are fixed so that the totals are the same each time.
    let id = format!("6e1f2d7c-0b5a-4c1e-9f3d-{at:012x}");
    let message = message(stage, by, &id)
        .with_child(Element::new(NS_CLIENT, "body").with_text(text))
        .with_child(Element::new(NS_ORIGIN_ID, "origin-id").with_attr("id", &id))
        .with_child(Element::new(NS_RECEIPTS, "request"))
        .with_child(Element::new(NS_MARKERS, "markable"))
        .with_child(Element::new(NS_CHAT_STATES, "active"));
    let (passage, got) = stage.cross(by, "chat", &message).await?;
    tell(&passage);
    let Some(seen) = got.and_then(|it| it.attr("id").map(str::to_owned)) else {
        return Ok(None);
    };
    let reader = by.other();
    for (ns, name, word) in [
        (NS_RECEIPTS, "received", "receipt"),
        (NS_MARKERS, "displayed", "displayed marker"),
    ] {
        let back = self::message(stage, reader, &format!("{name}-{at}"))
            .with_child(Element::new(ns, name).with_attr("id", &seen));
        let (passage, _) = stage.cross(reader, word, &back).await?;
        tell(&passage);
    }
    Ok(Some(seen))
}

/// Replaces the author's last message (XEP-0308).
async fn correct(stage: &mut Stage, tell: &mut dyn FnMut(&Passage)) -> Result<(), ClientError> {
    let last = format!("6e1f2d7c-0b5a-4c1e-9f3d-{:012x}", LINES.len() - 1);
    let message = message(stage, Who::Romeo, "6e1f2d7c-0b5a-4c1e-9f3d-0000000000ff")
        .with_child(
            Element::new(NS_CLIENT, "body").with_text("59.3293, 18.0686. Fuel for three days."),
        )
        .with_child(Element::new(NS_CORRECT, "replace").with_attr("id", last));
    let (passage, _) = stage.cross(Who::Romeo, "correction", &message).await?;
    tell(&passage);
    Ok(())
}

/// A reaction to the message seen as `seen` (XEP-0444).
async fn react(
    stage: &mut Stage,
    seen: &str,
    tell: &mut dyn FnMut(&Passage),
) -> Result<(), ClientError> {
    let reaction = Element::new(NS_REACTIONS, "reaction").with_text("\u{1f44d}");
    let reactions = Element::new(NS_REACTIONS, "reactions")
        .with_attr("id", seen)
        .with_child(reaction);
    let message =
        message(stage, Who::Juliet, "6e1f2d7c-0b5a-4c1e-9f3d-0000000000fe").with_child(reactions);
    let (passage, _) = stage.cross(Who::Juliet, "reaction", &message).await?;
    tell(&passage);
    Ok(())
}

fn message(stage: &Stage, by: Who, id: &str) -> Element {
    Element::new(NS_CLIENT, "message")
        .with_attr("to", stage.full(by.other()))
        .with_attr("type", "chat")
        .with_attr("id", id)
}
