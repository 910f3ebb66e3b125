//! Stanzas to packets and back, for one peer. Refuses to decide what is sent; it keeps this end's memory in step with
//! the far end's, as the link tells.

use longwire_codec::decode::DecodeError;
use longwire_codec::dictionary::Dictionary;
use longwire_codec::encode::EncodeError;
use longwire_codec::link::PacketNumber;
use longwire_codec::session::{self, Options, Profile, Session};
use longwire_codec::stanza::{Arena, Node, Stanza};

use crate::config;
use crate::store::peer::CarriedId;
use crate::xml::Element;

/// Octets of strings and number of nodes a packet may grow to: nearly all stanzas fit the first, the rest the second.
const ROOMS: [(usize, usize); 2] = [(32 * 1024, 1024), (4 << 20, 1 << 16)];

fn profile(memory: config::Memory) -> Profile {
    match memory {
        config::Memory::Host => Profile::HOST,
        config::Memory::Board => Profile::BOARD,
    }
}

/// See the module. The memory is made with the first packet, so that a thousand silent stations cost nothing.
#[derive(Debug)]
pub(super) struct Coding {
    session: Option<Session<'static, Vec<u8>>>,
    dictionary: &'static Dictionary<'static>,
    profile: Profile,
    options: Options,
    tag: String,
    /// Ids from before this run, until the memory is made.
    carried: Vec<CarriedId>,
    /// How far both directions had got before this run.
    reached: [Option<PacketNumber>; 2],
}

/// Why a stanza is not in the packet.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Unfit {
    /// The buffer is too short.
    Room,
    /// No buffer would do.
    Never,
}

impl Coding {
    /// `reached`: the highest number sent and the highest received in earlier runs.
    pub(super) fn new(
        rules: &config::Peer,
        dictionary: &'static Dictionary<'static>,
        carried: Vec<CarriedId>,
        reached: [Option<PacketNumber>; 2],
    ) -> Self {
        let ids = match rules.ids {
            config::Ids::Short => session::Ids::Short,
            config::Ids::Preserve => session::Ids::Preserve,
        };
        Self {
            session: None,
            dictionary,
            profile: profile(rules.memory),
            options: Options { ids, again: false },
            tag: rules.name.clone(),
            carried,
            reached,
        }
    }

    /// Writes `stanza` as packet `number`; `again` if an earlier run or memory gave it that number.
    pub(super) fn encode(
        &mut self,
        number: PacketNumber,
        stanza: &Element,
        again: bool,
        packet: &mut [u8],
    ) -> Result<usize, Unfit> {
        let mut tape = Vec::new();
        stanza.tape(&mut tape);
        let stanza = Stanza::new(&tape).ok_or(Unfit::Never)?;
        let options = Options {
            again,
            ..self.options
        };
        let session = self.session().ok_or(Unfit::Never)?;
        let written = session.encode(number, stanza, options, packet);
        written.map_err(|error| match error {
            EncodeError::PacketFull => Unfit::Room,
            _ => Unfit::Never,
        })
    }

    /// Reads packet `number`; `None` if this end cannot.
    pub(super) fn decode(&mut self, number: PacketNumber, packet: &[u8]) -> Option<Element> {
        let session = self.session()?;
        for (octets, nodes) in ROOMS {
            let mut strings = vec![0; octets];
            let mut tape = vec![Node::Close; nodes];
            let mut arena = Arena::new(&mut strings);
            match session.decode(number, packet, &mut arena, &mut tape) {
                Ok(stanza) => return Element::from_stanza(stanza).ok(),
                Err(DecodeError::ArenaFull | DecodeError::TapeFull) => {}
                Err(error) => {
                    tracing::warn!(%error, %number, octets = packet.len(), "cannot read a packet");
                    return None;
                }
            }
        }
        None
    }

    /// The ids packet `number` carried, to be kept.
    pub(super) fn ids(&self, sent: bool, number: PacketNumber) -> Vec<CarriedId> {
        let Some(session) = &self.session else {
            return Vec::new();
        };
        let ids = (0u8..=u8::MAX).map_while(|ordinal| {
            let id = session.id(sent, number, ordinal)?;
            Some(CarriedId {
                sent,
                number: number.get(),
                ordinal,
                id: id.into(),
            })
        });
        ids.collect()
    }

    /// The far end has packet `number`.
    pub(super) fn acknowledge(&mut self, number: PacketNumber) {
        if let Some(session) = &mut self.session {
            session.acknowledge(number);
        }
    }

    /// Packet `number` will never arrive.
    pub(super) fn abandon(&mut self, number: PacketNumber) {
        if let Some(session) = &mut self.session {
            session.abandon(number);
        }
    }

    /// Goes on in another dictionary, with an empty memory but for the ids; does nothing if it is the same one.
    pub(super) fn change(
        &mut self,
        dictionary: &'static Dictionary<'static>,
        carried: Vec<CarriedId>,
        reached: [Option<PacketNumber>; 2],
    ) {
        if dictionary.id != self.dictionary.id {
            self.session = None;
            (self.dictionary, self.carried, self.reached) = (dictionary, carried, reached);
        }
    }

    /// The far end is in this run of it, and may not remember what it acknowledges of packets under way.
    pub(super) fn doubt(&mut self, epoch: u32) {
        if let Some(session) = &mut self.session {
            session.doubt(epoch);
        }
    }

    /// One end started again.
    pub(super) fn reset(&mut self) {
        if let Some(session) = &mut self.session {
            session.reset();
        }
    }

    fn session(&mut self) -> Option<&mut Session<'static, Vec<u8>>> {
        if self.session.is_none() {
            let storage = vec![0; self.profile.storage_len()];
            let session = Session::new(self.dictionary, self.profile, storage).ok()?;
            let mut session = session.with_tag(&self.tag);
            let [sent, received] = self.reached;
            session.resume(sent, received);
            for it in self.carried.drain(..) {
                session.remember(it.sent, PacketNumber::new(it.number), it.ordinal, &it.id);
            }
            self.session = Some(session);
        }
        self.session.as_mut()
    }
}
