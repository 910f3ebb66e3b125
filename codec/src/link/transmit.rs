//! From what waits to a frame. Refuses to wait: whether it is our turn is decided elsewhere.

mod load;

pub(super) use load::Space;

use super::stats::count;
use super::{At, Link, MTU_MAX, Priority, Profile, Transmit};
use crate::channel::Channel;
use crate::frame::{Control, Header, Item, Kind, NOTICE_LEN, SHORT_LEN};
use crate::row::put;
use crate::time::Instant;

/// A repeated frame up to this length goes out as it is; instead of a longer one the peer is asked first.
pub(super) const ASK_ABOVE_LEN: usize = 64;
/// After so many questions without an answer nothing but questions goes out.
const PATIENCE: u32 = 4;
/// The call sign goes out this long after the first frame since the last time, in milliseconds: 10 minutes less a margin.
const IDENTIFY_MS: u32 = 9 * 60_000 + 30_000;
/// It goes out so much earlier where something is said anyway, in milliseconds.
const SOON_MS: u32 = 30_000;

/// Bytes of a hello before the dictionaries.
const HELLO_LEN: usize = 6;

/// Bytes of a frame that are not contents.
pub(super) fn overhead(channel: &Channel, tag_len: u8, notice: bool) -> usize {
    let notice = if notice { NOTICE_LEN } else { 0 };
    usize::from(channel.station.is_some()) + SHORT_LEN + notice + usize::from(tag_len)
}

/// What the next frame is for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Say {
    Callsign,
    Hello,
    Rekey,
    Packets,
    Ack,
    /// Asks the peer for an acknowledgement, or tells it our epoch.
    Question,
}

/// The frame being written.
struct Draft<'f> {
    frame: &'f mut [u8],
    /// Bytes so far.
    len: usize,
    /// Contents end here at the latest.
    end: usize,
    header: Header,
    /// Wants an answer.
    elicits: bool,
}

impl Draft<'_> {
    fn room(&self) -> usize {
        self.end.saturating_sub(self.len)
    }

    fn put(&mut self, bytes: &[u8]) {
        let rest = self.frame.get_mut(self.len..).unwrap_or(&mut []);
        if put(rest, bytes) {
            self.len += bytes.len();
        }
    }

    fn add(&mut self, item: &Item<'_>, after: Option<u8>, is_last: bool) {
        self.put(item.head(after, is_last).all());
        self.put(item.bytes);
    }
}

impl<B: AsRef<[u8]> + AsMut<[u8]>> Link<B> {
    /// Writes the next frame, if one should go out now. `frame` must hold one MTU.
    #[inline(never)]
    pub fn poll_transmit(&mut self, now: Instant, frame: &mut [u8]) -> Option<Transmit> {
        self.clock.tell(now);
        if !self.may_speak() || frame.len() < self.channel.mtu.into() {
            return None;
        }
        let Some(mut say) = self.say() else {
            self.rest();
            return None;
        };
        if self.hold_for_accept() {
            return None;
        }
        self.begin_turn();
        if self.clock.get(At::Identify) <= self.clock.after(SOON_MS) {
            self.owed.identify = true;
            say = Say::Callsign;
        }
        let mut draft = self.draft(say, frame);
        self.release(&mut draft)
    }

    #[inline(never)]
    fn contents_len(&self, notice: bool) -> usize {
        usize::from(self.channel.mtu).saturating_sub(overhead(
            &self.channel,
            self.config.tag_len,
            notice,
        ))
    }

    /// The longest packet that can be cut into segments.
    pub(super) fn cut_len_max(&self) -> usize {
        self.space(false).cut_len_max()
    }

    /// The room in a frame without acknowledgement.
    fn space(&self, notice: bool) -> Space {
        Space::new(&self.config, self.contents_len(notice), notice)
    }

    fn wants_ack(&self) -> bool {
        let waits = self.channel.full_duplex
            && self.clock.is_set(At::Acknowledge)
            && !self.clock.is_past(At::Acknowledge);
        self.owed.ack && !waits
    }

    fn has_packets(&self) -> bool {
        let notice = !self.session.is_open();
        let space = self.space(notice);
        let out = self.storage.as_ref();
        let allowed = self.session.may_send() && !self.turn.manners.gives_way();
        let mut piece = Item::NONE;
        allowed && self.outgoing.pick(out, &space, &mut piece).is_some()
    }

    /// Whether the peer has something to confirm.
    pub(super) fn is_owed_answer(&self) -> bool {
        self.outgoing.is_unconfirmed() || self.handshake.is_telling()
    }

    /// Whether a message of re-keying can go out.
    fn has_message(&self) -> bool {
        let sends = self.session.is_open() && self.session.may_send();
        sends && self.handshake.is_due() && !(self.turn.is_tentative() && self.owed.ack)
    }

    /// What to say now, if anything.
    fn say(&mut self) -> Option<Say> {
        if self.owed.sign_off || self.owed.identify {
            return Some(Say::Callsign);
        }
        if self.owed.hello {
            return Some(Say::Hello);
        }
        let failing = self.turn.is_failing();
        // Who does not answer is asked in the end, and nothing else.
        let patient = self.turn.failures() < PATIENCE;
        let (message, packets) = (self.has_message(), self.has_packets());
        if message && patient {
            return Some(Say::Rekey);
        }
        let goes = if failing {
            patient && self.is_short()
        } else {
            !(self.turn.is_tentative() && self.owed.ack)
        };
        if packets && goes {
            return Some(Say::Packets);
        }
        let ack = self.wants_ack();
        if !failing && (ack || self.owed.notice && self.owed.ack) {
            return Some(Say::Ack);
        }
        let unanswered = !self.turn.is_answered() && !self.channel.full_duplex;
        let barred = !self.session.is_open() || !self.session.may_send();
        let asked = self.clock.is_set(At::Reply);
        let waits = self.outgoing.has_due() || self.handshake.is_due() && !asked;
        let asks = self.owed.poll || unanswered || barred && waits;
        self.owed.poll = asks && self.is_owed_answer();
        let said = message || packets || ack || self.owed.notice || self.owed.poll;
        said.then_some(Say::Question)
    }

    /// Whether what waits is no longer than a question.
    fn is_short(&self) -> bool {
        let notice = !self.session.is_open();
        // So much of the longest frame stays free.
        let free = usize::from(self.channel.mtu).saturating_sub(ASK_ABOVE_LEN);
        let len = 1 + self.outgoing.due_len(Priority::Bulk);
        free == 0 || len + free <= self.contents_len(notice)
    }

    fn draft<'f>(&mut self, say: Say, frame: &'f mut [u8]) -> Draft<'f> {
        let unheard = self.turn.failures() >= PATIENCE || !self.session.may_send();
        // Where the position does not fit, a frame within the session shows it.
        let shows = unheard
            && self.session.can_notice()
            && self.contents_len(true) >= self.session.position().len();
        let notice = match say {
            Say::Hello => true,
            Say::Question => shows || !self.session.is_open(),
            _ => !self.session.is_open(),
        };
        let header = self.session.header(self.channel.station, notice);
        let mut draft = Draft {
            frame,
            len: header.len(),
            end: usize::from(self.channel.mtu).saturating_sub(self.config.tag_len.into()),
            header,
            elicits: false,
        };
        match say {
            Say::Callsign => self.draft_callsign(&mut draft),
            Say::Hello => self.draft_hello(&mut draft),
            Say::Rekey => {
                self.draft_ack(&mut draft, self.handshake.message().len());
                draft.header.kind = Kind::Control(Control::Rekey);
                draft.put(self.handshake.message());
                draft.elicits = true;
                self.handshake.note_sent();
            }
            Say::Packets => {
                self.draft_ack(&mut draft, 0);
                draft.elicits = self.load(&mut draft);
            }
            Say::Ack => self.draft_ack(&mut draft, 0),
            Say::Question => {}
        }
        self.owed.poll &= !self.turn.is_failing();
        if matches!(draft.header.kind, Kind::Control(Control::Plain)) && !draft.header.ack {
            draft.elicits = true;
            self.owed.poll = false;
            if notice && self.session.is_open() {
                draft.put(&self.session.position());
            }
        }
        draft
    }

    fn draft_callsign(&mut self, draft: &mut Draft<'_>) {
        let control = if self.owed.sign_off {
            Control::SignOff
        } else {
            Control::Identify
        };
        (self.owed.sign_off, self.owed.identify) = (false, false);
        self.clock.stop(At::Identify);
        if let Profile::Amateur(callsign) = &self.config.profile {
            draft.header.kind = Kind::Control(control);
            draft.put(callsign.as_bytes());
        }
    }

    fn draft_hello(&mut self, draft: &mut Draft<'_>) {
        self.owed.hello = false;
        let ours = &self.config.agreement;
        let ids = ours.dictionaries.ids();
        if draft.room() < HELLO_LEN + size_of_val(ids) {
            return;
        }
        let [a0, a1] = ours.alias_capacity.to_be_bytes();
        let [m0, m1] = ours.mtu.to_be_bytes();
        let asks = self.owed.hello_asks;
        let head: [u8; HELLO_LEN] = [ours.version, u8::from(asks), a0, a1, m0, m1];
        draft.put(&head);
        for id in ids {
            draft.put(&id.to_be_bytes());
        }
        draft.header.kind = Kind::Control(Control::Hello);
        draft.elicits = asks;
    }

    /// Puts an acknowledgement in if one is owed and fits before `spare` bytes.
    fn draft_ack(&mut self, draft: &mut Draft<'_>, spare: usize) {
        if !self.owed.ack {
            return;
        }
        let end = draft.end.saturating_sub(spare);
        let place = draft.frame.get_mut(draft.len..end).unwrap_or(&mut []);
        let Some(len) = self.incoming.ack(self.session.heard(), place) else {
            return;
        };
        draft.len += len;
        draft.header.ack = true;
        self.session.close_heard();
        self.owed.ack = false;
        self.owed.unacknowledged_frames = 0;
        self.clock.stop(At::Acknowledge);
    }

    /// Whether another frame follows one of `len` bytes that starts now.
    fn goes_on(&self, len: usize) -> bool {
        let owed = &self.owed;
        let said = owed.hello
            || owed.identify
            || owed.sign_off
            || self.has_message()
            || owed.poll && self.is_owed_answer();
        if self.turn.is_failing() || self.turn.is_tentative() || !(said || self.has_packets()) {
            return false;
        }
        if self.channel.full_duplex || said {
            return true;
        }
        let next = self.outgoing.due_len(Priority::Bulk).min(MTU_MAX.into());
        let frames_ms = self.frame_ms(len as u16) + self.frame_ms(next as u16);
        self.session.is_open() && self.clock.now() + frames_ms <= self.clock.get(At::Until)
    }

    /// Seals the draft: it is a frame.
    fn release(&mut self, draft: &mut Draft<'_>) -> Option<Transmit> {
        let len = draft.len + usize::from(self.config.tag_len);
        let more = self.goes_on(len);
        draft.header.more = more;
        draft.header.emit(draft.frame)?;
        if !self
            .session
            .seal(&draft.header, draft.frame.get_mut(..len)?)
        {
            return None;
        }
        count(&mut self.stats.frames_sent, 1);
        count(&mut self.stats.bytes_sent, len as u32);
        let (control, named) = match draft.header.kind {
            Kind::Control(control) => (
                true,
                matches!(control, Control::Identify | Control::SignOff),
            ),
            _ => (false, false),
        };
        count(&mut self.stats.control_frames_sent, u32::from(control));
        self.owed.notice &= draft.header.notice.is_none();
        let amateur = self.config.profile != Profile::Sealed;
        if amateur && !named && !self.clock.is_set(At::Identify) {
            self.clock.set(At::Identify, IDENTIFY_MS);
        }
        let expects_reply = self.note_sending(!more, draft.elicits);
        Some(Transmit {
            len,
            expects_reply,
            over: !more,
        })
    }
}
