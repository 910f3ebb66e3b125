//! Policy, stanza by stanza.

use super::*;
use crate::policy::merge::Merge;
use crate::policy::refuse::Condition;

fn xml(text: &str) -> Element {
    Element::parse(text.replacen(
        ' ',
        " xmlns='jabber:client' from='romeo@ship.example/deck' ",
        1,
    ))
    .unwrap()
}

fn plan_of(text: &str) -> Result<Plan, Reason> {
    plan(xml(text), &Peer::default(), 1_000_000)
}

fn class_of(text: &str) -> Class {
    plan_of(text).unwrap().class
}

const TYPING: &str = "<message to='j@shore.example' type='chat'>\
    <composing xmlns='http://jabber.org/protocol/chatstates'/><no-store xmlns='urn:xmpp:hints'/></message>";

#[test]
fn typing_is_dropped_unless_carried() {
    assert_eq!(plan_of(TYPING), Err(Reason::ChatState));
    let rules = Peer {
        chat_states: Carry::Carry,
        ..Peer::default()
    };
    let plan = plan(xml(TYPING), &rules, 0).unwrap();
    assert_eq!(plan.merge, Merge::Latest("chat-state".into()));
    assert_eq!(plan.expires_ms, 60_000);
}

#[test]
fn a_message_keeps_everything_that_matters() {
    let text = "<message to='j@shore.example' id='m1' type='chat'><body>hi</body>\
        <request xmlns='urn:xmpp:receipts'/><origin-id xmlns='urn:xmpp:sid:0' id='m1'/>\
        <stanza-id xmlns='urn:xmpp:sid:0' id='9' by='j@shore.example'/></message>";
    let plan = plan_of(text).unwrap();
    assert_eq!(plan.stanza, xml(text));
    assert_eq!(
        (plan.class, plan.merge.clone(), plan.stripped.len()),
        (Class::Chat, Merge::Append, 0)
    );
}

#[test]
fn what_has_a_plain_twin_or_must_not_travel_is_stripped() {
    let plan = plan_of(
        "<message to='j@shore.example' type='chat'><body>hi</body>\
        <html xmlns='http://jabber.org/protocol/xhtml-im'><body xmlns='http://www.w3.org/1999/xhtml'>hi</body></html>\
        <paused xmlns='http://jabber.org/protocol/chatstates'/>\
        <stanza-id xmlns='urn:xmpp:sid:0' id='9' by='romeo@ship.example'/></message>",
    );
    let plan = plan.unwrap();
    assert_eq!(
        plan.stanza,
        xml("<message to='j@shore.example' type='chat'><body>hi</body></message>")
    );
    assert_eq!(plan.stripped, [Reason::Xhtml, Reason::ChatState]);
}

#[test]
fn errors_do_not_repeat_what_they_answer() {
    let error = "<error type='cancel'><item-not-found xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>";
    let plan = plan_of(&format!(
        "<message to='j@shore.example' type='error' id='1'><body>hi</body>{error}</message>"
    ));
    let bare = xml(&format!(
        "<message to='j@shore.example' type='error' id='1'>{error}</message>"
    ));
    assert_eq!(plan.unwrap().stanza, bare);
    let refused = format!(
        "<presence to='r@x/n' type='error'><x xmlns='http://jabber.org/protocol/muc'/>{error}</presence>"
    );
    assert_eq!(plan_of(&refused).unwrap().stanza, xml(&refused));
}

#[test]
fn a_text_says_that_its_client_knows_chat_states() {
    let text = "<message to='j@shore.example' type='chat'><body>hi</body>\
        <active xmlns='http://jabber.org/protocol/chatstates'/></message>";
    assert_eq!(plan_of(text).unwrap().stanza, xml(text));
}

#[test]
fn a_room_keeps_its_ids() {
    let text = "<message to='j@shore.example/x' type='groupchat'><body>hi</body>\
        <stanza-id xmlns='urn:xmpp:sid:0' id='9' by='romeo@ship.example'/></message>";
    assert_eq!(plan_of(text).unwrap().stanza, xml(text));
}

#[test]
fn classes_follow_the_kind() {
    assert_eq!(
        class_of("<presence to='j@shore.example'/>"),
        Class::Presence
    );
    assert_eq!(
        class_of("<presence to='j@shore.example' type='subscribe'/>"),
        Class::Chat
    );
    let join =
        "<presence to='r@rooms.example/n'><x xmlns='http://jabber.org/protocol/muc'/></presence>";
    assert_eq!(class_of(join), Class::Chat);
    let block = "<iq to='j@shore.example/x' type='set' id='1'>\
        <data xmlns='http://jabber.org/protocol/ibb' sid='s' seq='0'>AA==</data></iq>";
    assert_eq!(class_of(block), Class::Bulk);
    let ping = "<iq to='j@shore.example/x' type='get' id='1'><ping xmlns='urn:xmpp:ping'/></iq>";
    assert_eq!(class_of(ping), Class::Chat);
}

#[test]
fn senders_and_operators_say_what_is_urgent() {
    let urgent = "<message to='j@shore.example'><body>mayday</body>\
        <headers xmlns='http://jabber.org/protocol/shim'><header name='Urgency'>high</header></headers></message>";
    assert_eq!(class_of(urgent), Class::Urgent);
    let mut rules = Peer::default();
    rules.priority.bulk = vec!["ship.example".into()];
    assert_eq!(classify::class(&xml(urgent), &rules), Class::Bulk);
}

#[test]
fn expiry_follows_kind_and_sender() {
    let now_ms = 1_000_000;
    let ping = "<iq to='j@shore.example/x' type='get' id='1'><ping xmlns='urn:xmpp:ping'/></iq>";
    assert_eq!(plan_of(ping).unwrap().expires_ms, now_ms + 15 * 60_000);
    let amp = "<message to='j@shore.example'><body>x</body><amp xmlns='http://jabber.org/protocol/amp'>\
        <rule condition='expire-at' action='drop' value='1970-01-01T00:20:00Z'/></amp></message>";
    assert_eq!(plan_of(amp).unwrap().expires_ms, 1_200_000);
}

#[test]
fn later_states_replace_earlier_ones() {
    let merge_of = |text: &str| merge::of(&xml(text));
    assert_eq!(
        merge_of("<presence to='j@x'/>"),
        Merge::Last("presence".into())
    );
    assert_eq!(
        merge_of("<presence to='j@x' type='unavailable'/>"),
        Merge::Last("presence".into())
    );
    assert_eq!(
        merge_of("<presence to='j@x' type='subscribe'/>"),
        Merge::Append
    );
    let join = "<presence to='r@x/n'><x xmlns='http://jabber.org/protocol/muc'/></presence>";
    assert_eq!(merge_of(join), Merge::Append);
    let marker =
        "<message to='j@x' id='2'><displayed xmlns='urn:xmpp:chat-markers:0' id='1'/></message>";
    assert_eq!(merge_of(marker), Merge::Latest("marker".into()));
    let receipt = "<message to='j@x' id='2'><received xmlns='urn:xmpp:receipts' id='1'/></message>";
    assert_eq!(merge_of(receipt), Merge::Append);
    let nick = "<message to='j@x' type='headline'><event xmlns='http://jabber.org/protocol/pubsub#event'>\
        <items node='http://jabber.org/protocol/nick'><item id='a'/></items></event></message>";
    assert_eq!(
        merge_of(nick),
        Merge::Latest("item http://jabber.org/protocol/nick".into())
    );
    let blog = "<message to='j@x' type='headline'><event xmlns='http://jabber.org/protocol/pubsub#event'>\
        <items node='urn:xmpp:microblog:0'><item id='a'/></items></event></message>";
    assert_eq!(
        merge_of(blog),
        Merge::Latest("item urn:xmpp:microblog:0 a".into())
    );
}

#[test]
fn an_edit_of_a_queued_message_becomes_that_message() {
    let edit = xml("<message to='j@x' id='m2' type='chat'><body>hello</body>\
        <replace xmlns='urn:xmpp:message-correct:0' id='m1'/></message>");
    assert_eq!(merge::of(&edit), Merge::Edit("m1".into()));
    let edited = merge::edited(edit, "m1");
    assert_eq!(
        edited,
        xml("<message to='j@x' id='m1' type='chat'><body>hello</body></message>")
    );
}

#[test]
fn errors_carry_the_original_id_and_nothing_else() {
    let message =
        xml("<message to='j@shore.example' id='m1' type='chat'><body>hi</body></message>");
    let error = refuse::error(&message, Condition::RemoteServerTimeout, "").unwrap();
    assert_eq!(
        error,
        Element::parse(
            "<message xmlns='jabber:client' type='error' to='romeo@ship.example/deck' from='j@shore.example' \
            id='m1'><error type='wait'><remote-server-timeout xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>\
            </message>"
        )
        .map(|wanted| Element { attrs: error.attrs.clone(), ..wanted })
        .unwrap()
    );
    assert_eq!(
        (error.attr("id"), error.attr("type")),
        (Some("m1"), Some("error"))
    );
}

#[test]
fn nobody_is_told_of_errors_replies_states_and_headlines() {
    for silent in [
        "<message to='j@x' type='error'/>",
        "<message to='j@x' type='headline'><body>x</body></message>",
        "<message to='j@x' id='2'><received xmlns='urn:xmpp:receipts' id='1'/></message>",
        "<iq to='j@x' type='result' id='1'/>",
        "<iq to='j@x' type='error' id='1'/>",
        "<presence to='j@x'/>",
        "<presence to='j@x' type='unsubscribed'/>",
        TYPING,
    ] {
        assert_eq!(
            refuse::error(&xml(silent), Condition::RemoteServerTimeout, ""),
            None,
            "{silent}"
        );
    }
}
