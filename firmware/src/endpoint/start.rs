//! From what an image and the flash say to an endpoint. Refuses to guess what they do not say.

use core::borrow::BorrowMut;

use embedded_storage_async::nor_flash::NorFlash;
use longwire_codec::channel::Channel;
use longwire_codec::dictionary::Dictionary;
use longwire_codec::link::{
    Agreement, Callsign, Link, LinkConfig, Offer, PacketNumber, Profile as LinkProfile,
};
use longwire_codec::provision::Provision;
use longwire_codec::seal::Secret;
use longwire_codec::session::Session;

use super::{
    Endpoint, EndpointError, EndpointStats, INBOX_MAX, Jid, MTU_MAX, OUT_LEN, OUTBOX_MAX, PROFILE,
    Queue, Readings, SIDE, budget, contacts, keys, news, rest, resume, settings,
};
use crate::flash::Store;

/// First keys of the queues' records.
const OUTBOX_KEY: u8 = 32;
const INBOX_KEY: u8 = 64;

impl<'d, F: NorFlash, L: AsRef<[u8]> + AsMut<[u8]>, S: AsRef<[u8]> + AsMut<[u8]>>
    Endpoint<'d, F, L, S>
{
    /// Starts the entity that `provision` describes, with what is on flash of earlier runs, where `put` puts it: on a board
    /// into memory of its own, `|endpoint| place.write(endpoint)`, so that the stack need not hold it.
    ///
    /// `seed` makes back-off differ between boards: a serial number, or noise.
    ///
    /// # Errors
    /// [`EndpointError::Config`] and [`EndpointError::Store`].
    pub fn start<P: BorrowMut<Self>>(
        provision: &Provision<'_>,
        dictionary: &'d Dictionary<'d>,
        mut store: Store<F>,
        link_storage: L,
        session_storage: S,
        seed: u64,
        put: impl FnOnce(Self) -> P,
    ) -> Result<P, EndpointError> {
        let resume = resume::Kept::restart(&mut store)?;
        let mut outbox = Queue::new(OUTBOX_KEY, OUTBOX_MAX);
        outbox.load(&mut store)?;
        let start = resume.resume(outbox.slots());
        // Stanzas that left the outbox are not on flash any more; but each of them had a packet number of its own.
        outbox.raise_order(start.next_number.get() + outbox.len() as u32 + 1);
        let keyring = keys::Keyring::load(&mut store, provision)?;
        let config = link_config(provision, keyring.secret(), dictionary, seed)?;
        let channel = channel(provision);
        let mut jid = Jid::EMPTY;
        let fits = usize::from(provision.mtu) <= MTU_MAX && jid.set(provision.jid.as_bytes());
        let checked = config.check(&channel, &start, link_storage.as_ref().len());
        if !fits || checked.is_err() {
            return Err(EndpointError::Config);
        }
        let mut place = put(Self {
            stats: EndpointStats::default(),
            stranger: false,
            rest: rest::Rest::new(provision),
            budget: budget::Budget::new(provision.duty_permille),
            events: news::Events::default(),
            keyring,
            resume,
            settings: settings::Settings::new(),
            jid,
            outbox,
            inbox: Queue::new(INBOX_KEY, INBOX_MAX),
            readings: Readings::default(),
            store,
            contacts: const { contacts::Contacts::new() },
            session: Session::with(dictionary, PROFILE, session_storage),
            link: Link::of(config, channel, start, link_storage),
        });
        place.borrow_mut().load()?;
        Ok(place)
    }

    /// What is on flash and the link does not need to begin.
    #[inline(never)]
    fn load(&mut self) -> Result<(), EndpointError> {
        self.budget.load(&mut self.store)?;
        self.inbox.load(&mut self.store)?;
        self.contacts.load(&mut self.store)?;
        self.settings.load(&mut self.store)?;
        self.keyring.attach(&mut self.link);
        let (_, next) = self.link.outstanding();
        let sent = next.get().checked_sub(1).map(PacketNumber::new);
        self.session.resume(sent, self.link.accepted().highest());
        self.remember_sent();
        if !self.budget.allows(self.frame_ms()) {
            return Err(EndpointError::Config);
        }
        Ok(())
    }
}

/// The channel an image describes.
pub fn channel(provision: &Provision<'_>) -> Channel {
    // The address of the link is that of the station that is not the base: the higher one.
    let station = provision
        .shared
        .then(|| provision.station.max(provision.gateway));
    let Provision {
        mtu,
        bit_rate,
        turnaround_ms,
        ..
    } = *provision;
    Channel {
        station,
        ..match &provision.lora {
            Some(lora) => lora.channel(mtu, turnaround_ms),
            None => Channel::radio(mtu, bit_rate, turnaround_ms),
        }
    }
}

fn link_config(
    provision: &Provision<'_>,
    secret: &Secret,
    dictionary: &Dictionary<'_>,
    seed: u64,
) -> Result<LinkConfig, EndpointError> {
    let mut config = LinkConfig::new(SIDE, secret.clone());
    config.tag_len = provision.tag_len;
    if !provision.callsign.is_empty() {
        let callsign = Callsign::new(provision.callsign).ok_or(EndpointError::Config)?;
        config.profile = LinkProfile::Amateur(callsign);
    }
    config.window = 8;
    config.out_len = OUT_LEN;
    config.agreement = Agreement {
        dictionaries: Offer::one(dictionary.id),
        alias_capacity: PROFILE.strings.slots,
        mtu: provision.mtu,
        ..config.agreement
    };
    config.seed = seed;
    Ok(config)
}
