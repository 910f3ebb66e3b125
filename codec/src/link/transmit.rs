//! From what waits to a frame. Refuses to wait: whether it is our turn is decided elsewhere.

mod load;

use load::{Load, item, piece};

use super::outgoing::Due;
use super::receive::emit_hello;
use super::{At, Link, MESSAGE_MAX, Priority, Profile, Transmit, parts};
use crate::channel::Channel;
use crate::frame::{Ack, Control, Header, Kind, NOTICE_LEN, Piece, SHORT_LEN};
use crate::row::put;
use crate::time::Instant;

/// A repeated frame up to this length goes out as it is; instead of a longer one the peer is asked first.
pub(super) const ASK_ABOVE_LEN: usize = 64;
/// The call sign goes out this long after the first frame since the last time, in milliseconds: 10 minutes less a margin.
const IDENTIFY_MS: u32 = 9 * 60_000 + 30_000;
/// It goes out so much earlier where something is said anyway, in milliseconds.
const SOON_MS: u32 = 30_000;

/// Bytes of a frame that are not contents.
pub(super) fn overhead(channel: &Channel, tag_len: u8, notice: bool) -> usize {
    let notice = if notice { NOTICE_LEN } else { 0 };
    usize::from(channel.station.is_some()) + SHORT_LEN + notice + usize::from(tag_len)
}

/// The frame being written.
struct Draft {
    kind: Kind,
    ack: Option<Ack>,
    notice: bool,
    /// Wants an answer.
    elicits: bool,
    load: Load,
    /// Contents of a control frame.
    body: [u8; MESSAGE_MAX],
    body_len: usize,
}

impl Draft {
    fn control(control: Control, notice: bool, body: &[u8]) -> Self {
        let mut draft = Self {
            kind: Kind::Control(control),
            ack: None,
            notice,
            elicits: false,
            load: Load::default(),
            body: [0; MESSAGE_MAX],
            body_len: body.len(),
        };
        put(&mut draft.body, body);
        draft
    }
}

impl<B: AsRef<[u8]> + AsMut<[u8]>> Link<B> {
    /// Writes the next frame, if one should go out now. `frame` must hold one MTU.
    #[inline(never)]
    pub fn poll_transmit(&mut self, now: Instant, frame: &mut [u8]) -> Option<Transmit> {
        self.clock.tell(now);
        if !self.may_speak() {
            return None;
        }
        if !self.has_work() {
            self.rest();
            return None;
        }
        if self.hold_for_accept() {
            return None;
        }
        self.begin_turn();
        self.identify_soon();
        let draft = self.draft()?;
        let written = self.write(&draft, frame)?;
        Some(self.release(&draft, written))
    }

    fn contents_len(&self, notice: bool) -> usize {
        usize::from(self.channel.mtu).saturating_sub(overhead(
            &self.channel,
            self.config.tag_len,
            notice,
        ))
    }

    /// The longest packet that can be cut into segments.
    pub(super) fn cut_len_max(&self) -> usize {
        load::cut_len_max(&self.config, self.contents_len(false))
    }

    /// The storage of packets on their way out.
    fn out(&self) -> &[u8] {
        let out = self.storage.as_ref().get(..self.config.out_len);
        out.unwrap_or(&[])
    }

    fn wants_ack(&self) -> bool {
        let waits = self.channel.full_duplex
            && self.clock.is_set(At::Acknowledge)
            && !self.clock.is_past(At::Acknowledge);
        self.owed.ack && !waits
    }

    fn has_data(&self) -> bool {
        let is_open = self.session.is_open();
        let room = self.contents_len(!is_open);
        let out = self.out();
        let sendable = |due: &Due| {
            due.segment.is_none() && due.len < room
                || is_open && load::fits(&self.config, &self.outgoing, due, room)
        };
        let allowed = self.session.may_send() && !self.turn.manners.gives_way();
        allowed && self.outgoing.due(out, &sendable).is_some()
    }

    fn has_work(&mut self) -> bool {
        let owed = &self.owed;
        let said = owed.notice || owed.hello || owed.identify || owed.sign_off;
        let said = said || self.has_message();
        if said || self.wants_ack() || self.has_data() {
            return true;
        }
        let unanswered = !self.turn.is_answered() && !self.channel.full_duplex;
        let barred = !self.session.is_open() || !self.session.may_send();
        let asked = self.clock.is_set(At::Reply);
        let waits = self.outgoing.has_due() || self.handshake.is_due() && !asked;
        let asks = self.owed.poll || unanswered || barred && waits;
        self.owed.poll = asks && self.is_owed_answer();
        self.owed.poll
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

    fn identify_soon(&mut self) {
        self.owed.identify |= self.clock.get(At::Identify) <= self.clock.after(SOON_MS);
    }

    fn draft(&mut self) -> Option<Draft> {
        if self.owed.sign_off || self.owed.identify {
            let control = if self.owed.sign_off {
                Control::SignOff
            } else {
                Control::Identify
            };
            (self.owed.sign_off, self.owed.identify) = (false, false);
            if let Profile::Amateur(callsign) = self.config.profile {
                self.clock.stop(At::Identify);
                return Some(Draft::control(
                    control,
                    !self.session.is_open(),
                    callsign.as_bytes(),
                ));
            }
        }
        if self.owed.hello {
            self.owed.hello = false;
            let (body, len) = emit_hello(self.owed.hello_asks, &self.config.agreement);
            if let Some(body) = body.get(..len)
                && self.contents_len(true) >= len
            {
                let mut draft = Draft::control(Control::Hello, true, body);
                draft.elicits = self.owed.hello_asks;
                return Some(draft);
            }
        }
        if self.turn.is_failing() {
            return Some(self.draft_probe());
        }
        if self.has_message() {
            return Some(self.draft_message());
        }
        let notice = !self.session.is_open();
        if self.has_data() && !(self.turn.is_tentative() && self.owed.ack) {
            let ack = if self.owed.ack {
                self.take_ack(self.contents_len(notice))
            } else {
                None
            };
            let load = self.load(notice, ack.as_ref().map_or(0, Ack::len));
            if load.count > 0 {
                return Some(self.data(notice, ack, load));
            }
            if ack.is_some() {
                // What comes next needs the whole frame.
                let mut draft = Draft::control(Control::Plain, notice, &[]);
                draft.ack = ack;
                return Some(draft);
            }
            return Some(self.draft_poll(notice));
        }
        if self.wants_ack() || self.owed.notice && self.owed.ack {
            let ack = self.take_ack(self.contents_len(notice));
            if ack.is_some() {
                let mut draft = Draft::control(Control::Plain, notice, &[]);
                draft.ack = ack;
                return Some(draft);
            }
        }
        let notice = notice || !self.session.may_send();
        Some(self.draft_poll(notice))
    }

    fn draft_message(&mut self) -> Draft {
        let message = self.handshake.take();
        let body = message.as_bytes();
        let mut draft = Draft::control(Control::Rekey, false, body);
        draft.elicits = true;
        if self.owed.ack {
            draft.ack = self.take_ack(self.contents_len(false).saturating_sub(body.len()));
        }
        draft
    }

    fn take_ack(&mut self, room: usize) -> Option<Ack> {
        let mut ack = self.incoming.ack(0);
        if !ack.fit(room) {
            return None;
        }
        ack.heard = self.session.close_heard();
        self.owed.ack = false;
        self.owed.unacknowledged_frames = 0;
        self.clock.stop(At::Acknowledge);
        Some(ack)
    }

    fn draft_poll(&mut self, notice: bool) -> Draft {
        self.owed.poll = false;
        let position = self.session.position();
        let fits = self.contents_len(true) >= position.len();
        // Where the position does not fit, a frame within the session shows it.
        let notice = notice && (fits || !self.session.is_open());
        let body = if notice && fits && self.session.is_open() {
            &position[..]
        } else {
            &[]
        };
        let mut draft = Draft::control(Control::Plain, notice, body);
        draft.elicits = true;
        draft
    }

    /// The peer does not answer: ask, or send again what is no longer than a question.
    fn draft_probe(&mut self) -> Draft {
        let notice = !self.session.is_open();
        if self.turn.failures() < 4 && self.has_message() {
            self.owed.poll = false;
            return self.draft_message();
        }
        if self.turn.failures() < 4 && self.has_data() {
            let load = self.load(notice, 0);
            if load.count > 0
                && load.len + overhead(&self.channel, self.config.tag_len, notice) <= ASK_ABOVE_LEN
            {
                self.owed.poll = false;
                let ack = if self.owed.ack {
                    self.take_ack(self.contents_len(notice))
                } else {
                    None
                };
                let load = if ack.is_some() {
                    self.load(notice, ack.as_ref().map_or(0, Ack::len))
                } else {
                    load
                };
                if load.count > 0 {
                    return self.data(notice, ack, load);
                }
            }
        }
        let gone = self.turn.failures() >= 4 || !self.session.may_send();
        self.draft_poll(notice || gone && self.session.can_notice())
    }

    fn data(&self, notice: bool, ack: Option<Ack>, load: Load) -> Draft {
        let kind = match (load.count, &load.items[0]) {
            (
                1,
                Some(Due {
                    segment: None,
                    bulk,
                    ..
                }),
            ) => Kind::Packet { bulk: *bulk },
            (1, Some(due)) if !notice && self.config.is_compact(due) => {
                let number_high = (due.number.get() >> 3).to_le_bytes()[0] & 3;
                let Piece::Segment { last, .. } = piece(due) else {
                    return Draft::control(Control::Plain, notice, &[]);
                };
                Kind::Segment {
                    last,
                    bulk: due.bulk,
                    number_high,
                }
            }
            _ => Kind::Mixed,
        };
        Draft {
            kind,
            ack,
            load,
            elicits: true,
            ..Draft::control(Control::Plain, notice, &[])
        }
    }

    /// Writes and seals the draft. Gives the length, and whether our turn goes on.
    fn write(&mut self, draft: &Draft, frame: &mut [u8]) -> Option<(usize, bool)> {
        let (counter, notice) = self.session.stamp(draft.notice);
        let ack = draft.ack.is_some();
        let header = Header {
            station: self.channel.station,
            kind: draft.kind,
            more: false,
            ack,
            counter,
            notice,
        };
        let header_len = header.emit(frame)?;
        let mut at = header_len;
        if let Some(ack) = &draft.ack {
            at += ack.emit(frame.get_mut(at..)?)?;
        }
        let body = draft.body.get(..draft.body_len)?;
        put(frame.get_mut(at..)?, body).then_some(())?;
        at += body.len();
        let (out, ..) = parts(&mut self.storage, self.config.out_len, 0);
        let mut after = None;
        for (i, due) in draft.load.items.iter().flatten().enumerate() {
            let item = item(&self.outgoing, out, due);
            let rest = frame.get_mut(at..)?;
            at += match (draft.kind, item.piece) {
                (Kind::Mixed, _) => item.emit(rest, after, i + 1 == draft.load.count)?,
                (_, Piece::Segment { index, .. }) => {
                    emit_alone(rest, item.number << 5 | index.to_le_bytes()[0], item.bytes)?
                }
                (_, Piece::Whole) => emit_alone(rest, item.number, item.bytes)?,
            };
            after = Some(item.number);
        }
        let mark = self.session.mark(draft.notice);
        let mut repeated = false;
        for due in draft.load.items.iter().flatten() {
            repeated |= self.outgoing.sent(due, mark);
        }
        self.stats.frames_repeated += u64::from(repeated);
        let more = self.goes_on(at + usize::from(self.config.tag_len));
        Header { more, ..header }.emit(frame)?;
        let hello = draft.kind == Kind::Control(Control::Hello);
        let len = self
            .session
            .seal(draft.notice, hello, frame, header_len, at)?;
        Some((len, more))
    }

    /// Whether another frame follows one of `len` bytes that starts now.
    fn goes_on(&self, len: usize) -> bool {
        let owed = &self.owed;
        let said = owed.hello
            || owed.identify
            || owed.sign_off
            || self.has_message()
            || owed.poll && self.is_owed_answer();
        if self.turn.is_failing() || self.turn.is_tentative() || !(said || self.has_data()) {
            return false;
        }
        if self.channel.full_duplex || said {
            return true;
        }
        let out = self.out();
        let next = self
            .outgoing
            .due_len(out, Priority::Bulk)
            .min(self.channel.mtu.into());
        self.session.is_open()
            && self.clock.now() + self.channel.frame_ms(len) + self.channel.frame_ms(next)
                <= self.clock.get(At::Until)
    }

    fn release(&mut self, draft: &Draft, (len, more): (usize, bool)) -> Transmit {
        self.stats.frames_sent += 1;
        self.stats.bytes_sent += len as u64;
        self.stats.control_frames_sent += u64::from(draft.load.count == 0);
        if draft.notice {
            self.owed.notice = false;
        }
        let named = matches!(
            draft.kind,
            Kind::Control(Control::Identify | Control::SignOff)
        );
        if self.config.profile != Profile::Sealed && !named && !self.clock.is_set(At::Identify) {
            self.clock.set(At::Identify, IDENTIFY_MS);
        }
        let over = !more;
        let expects_reply = self.note_sending(over, draft.elicits);
        Transmit {
            len,
            expects_reply,
            over,
        }
    }
}

/// Writes the only item of a frame.
fn emit_alone(out: &mut [u8], head: u8, bytes: &[u8]) -> Option<usize> {
    let (first, rest) = out.split_first_mut()?;
    *first = head;
    put(rest, bytes).then_some(1 + bytes.len())
}
