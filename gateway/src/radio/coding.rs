//! Stanzas to packets and back, for one peer. Refuses to decide what is sent; it only keeps both ends' memory in step.

use longwire_codec::link::PacketNumber;

use crate::config;
use crate::store::peer::CarriedId;
use crate::xml::Element;

#[derive(Debug)]
pub(super) struct Coding {}

#[derive(Debug, Eq, PartialEq)]
pub(super) enum Unfit {
    /// The packet does not fit the buffer.
    Room,
    /// It never will.
    Never,
}

impl Coding {
    pub(super) fn new(_rules: &config::Peer, _ids: &[CarriedId]) -> Self {
        Self {}
    }

    pub(super) fn encode(
        &mut self,
        _number: PacketNumber,
        stanza: &Element,
        packet: &mut [u8],
    ) -> Result<usize, Unfit> {
        let xml = stanza.to_xml("");
        let room = packet.get_mut(..xml.len()).ok_or(Unfit::Room)?;
        room.copy_from_slice(xml.as_bytes());
        Ok(xml.len())
    }

    pub(super) fn decode(&mut self, _number: PacketNumber, packet: &[u8]) -> Option<Element> {
        Element::parse(packet).ok()
    }

    pub(super) fn ids(&self, _sent: bool, _number: PacketNumber) -> Vec<CarriedId> {
        Vec::new()
    }

    pub(super) fn acknowledge(&mut self, _number: PacketNumber) {}
    pub(super) fn abandon(&mut self, _number: PacketNumber) {}
    pub(super) fn reset(&mut self) {}
}
