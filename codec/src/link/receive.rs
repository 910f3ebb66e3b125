//! From a frame to what it changes. Refuses to answer: it only notes what is owed.

use super::incoming::Taken;
use super::session::{Opened, Refusal};
use super::stats::count;
use super::transmit::ASK_ABOVE_LEN;
use super::{Agreement, At, Link, Offer, What};
use crate::frame::{Ack, Control, FrameError, Header, Items, Kind};
use crate::time::Instant;

/// Unreadable frames are answered with a notice at most this often, in milliseconds.
const NOTICE_PAUSE_MS: u32 = 20_000;

impl<B: AsRef<[u8]> + AsMut<[u8]>> Link<B> {
    /// A frame was received: it is opened in place. Garbage is counted and dropped, and stays as it is.
    #[inline(never)]
    pub fn handle_frame(&mut self, now: Instant, frame: &mut [u8]) {
        self.clock.tell(now);
        let Ok(header) = Header::parse(frame, self.channel.station.is_some()) else {
            count(&mut self.stats.malformed_frames, 1);
            return;
        };
        if header.station != self.channel.station {
            count(&mut self.stats.foreign_frames, 1);
            self.overhear(header.station, header.more);
            return;
        }
        if header.is_hello() && header.notice.is_none() {
            count(&mut self.stats.malformed_frames, 1);
            return;
        }
        let mut opened = Opened::default();
        if let Err(refusal) = self.session.open(&header, frame, &mut opened) {
            return self.refuse(refusal, header.more);
        }
        count(&mut self.stats.frames_received, 1);
        count(&mut self.stats.bytes_received, frame.len() as u32);
        if opened.starts {
            self.new_session(opened.before);
        }
        if !opened.before {
            self.news.push(What::Up);
        }
        self.heard(header.more);
        self.owed.notice = !self.session.is_open();
        let end = frame.len() - usize::from(self.config.tag_len);
        let body = frame.get(header.len()..end).unwrap_or(&[]);
        if self.take_body(&header, body, &opened).is_err() {
            count(&mut self.stats.malformed_frames, 1);
        }
        if !header.more && !self.channel.full_duplex && !self.turn.is_answered() {
            self.miss_answer();
        }
    }

    /// The peer's turn is over, and it did not say what it has of our last: what is short goes again, after what is
    /// long we ask.
    fn miss_answer(&mut self) {
        self.handshake.repeat();
        if self.outgoing.unheld_len() <= 2 * ASK_ABOVE_LEN {
            self.outgoing.doubt();
        } else {
            self.owed.poll = true;
        }
    }

    fn refuse(&mut self, refusal: Refusal, more: bool) {
        match refusal {
            Refusal::Forged => count(&mut self.stats.forged_frames, 1),
            Refusal::Replayed => count(&mut self.stats.replayed_frames, 1),
            Refusal::Stale => {
                count(&mut self.stats.stale_frames, 1);
                // It may be the peer, who does not know that we restarted.
                if self.clock.is_past(At::Notice) {
                    self.clock.set(At::Notice, NOTICE_PAUSE_MS);
                    self.owed.notice = true;
                    if !self.channel.full_duplex {
                        self.yield_turn(more);
                    }
                }
            }
        }
    }

    fn new_session(&mut self, before: bool) {
        let storage = self.storage.as_mut();
        self.incoming.reset(storage);
        self.handshake.repeat();
        self.news.push(What::PeerEpoch);
        if before {
            self.outgoing.reset(storage);
            self.news.push(What::Reset);
        }
    }

    #[inline(never)]
    fn take_body(
        &mut self,
        header: &Header,
        mut body: &[u8],
        opened: &Opened,
    ) -> Result<(), FrameError> {
        let storage = self.storage.as_mut();
        if header.ack {
            let mut held = Ack::NONE;
            body = held.read(body)?;
            if opened.ack {
                let heard = self.session.note_heard(held.heard);
                let half_duplex = !self.channel.full_duplex;
                let (delivered, abandoned) =
                    self.outgoing
                        .acknowledged(storage, &held, heard, half_duplex);
                count(&mut self.stats.packets_delivered, delivered);
                count(&mut self.stats.packets_abandoned, abandoned);
                self.turn.note_answer(delivered + abandoned > 0);
                self.owed.poll = self.outgoing.has_doubt();
            }
        }
        let mut elicits = match header.kind {
            Kind::Control(Control::Plain) => !header.ack,
            Kind::Control(Control::Rekey) => true,
            _ => false,
        };
        match header.kind {
            // Said in an earlier session, the position would make us deaf to this one.
            Kind::Control(Control::Plain) if opened.within && (opened.ack || !header.ack) => {
                if let (Some(_), &[low, middle, high]) = (header.notice, body) {
                    self.session.advance([low, middle, high]);
                }
            }
            Kind::Control(Control::SignOff) => self.news.push(What::Closed),
            Kind::Control(Control::Rekey) => {
                self.handshake.hear(body, header.notice.is_some());
            }
            Kind::Control(Control::Hello) => return self.take_hello(body),
            Kind::Control(_) => {}
            kind => {
                for item in Items::new(kind, body) {
                    let item = item?;
                    elicits = true;
                    let taken = if opened.data {
                        self.incoming.take(storage, &item)
                    } else {
                        Taken::Unstored
                    };
                    match taken {
                        Taken::New => {}
                        Taken::Duplicate => count(&mut self.stats.duplicate_pieces, 1),
                        Taken::Unstored => count(&mut self.stats.unstored_pieces, 1),
                        Taken::Malformed => return Err(FrameError::Form),
                    }
                }
            }
        }
        if elicits {
            let frames = &mut self.owed.unacknowledged_frames;
            *frames = frames.saturating_add(1);
            self.owe_ack(header.more);
        }
        Ok(())
    }

    /// Later versions may list more dictionaries, never change what is there.
    fn take_hello(&mut self, body: &[u8]) -> Result<(), FrameError> {
        let Some((&[version, flags, a0, a1, m0, m1], ids)) = body.split_first_chunk() else {
            return Err(FrameError::Short);
        };
        self.theirs = Agreement {
            version,
            dictionaries: Offer::default(),
            alias_capacity: u16::from_be_bytes([a0, a1]),
            mtu: u16::from_be_bytes([m0, m1]),
        };
        for id in ids.as_chunks().0 {
            self.theirs.dictionaries.push(u32::from_be_bytes(*id));
        }
        if flags & 1 != 0 {
            (self.owed.hello, self.owed.hello_asks) = (true, false);
        }
        if core::mem::take(&mut self.greeting) {
            self.turn.note_answer(false);
        }
        let ours = &self.config.agreement;
        self.mismatched = ours.dictionary(self.config.side, &self.theirs).is_none();
        self.news.push(What::Hello);
        Ok(())
    }
}
