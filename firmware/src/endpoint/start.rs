//! From what an image and the flash say to an endpoint. Refuses to guess what they do not say.

use core::mem::MaybeUninit;

use embedded_storage_async::nor_flash::NorFlash;
use longwire_codec::channel::Channel;
use longwire_codec::dictionary::Dictionary;
use longwire_codec::link::{
    Agreement, Callsign, Link, LinkConfig, Offer, PacketNumber, Profile as LinkProfile, Resume,
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

/// What a link begins with.
struct Basis {
    config: LinkConfig,
    resume: Resume,
    kept: resume::Kept,
    outbox: Queue,
    keyring: keys::Keyring,
    jid: Jid,
}

impl Basis {
    #[inline(never)]
    fn load<F: NorFlash>(
        store: &mut Store<F>,
        provision: &Provision<'_>,
        dictionary: &Dictionary<'_>,
        storage_len: usize,
        seed: u64,
    ) -> Result<Self, EndpointError> {
        if usize::from(provision.mtu) > MTU_MAX {
            return Err(EndpointError::Config);
        }
        let mut kept = resume::Kept::restart(store)?;
        let mut outbox = Queue::new(OUTBOX_KEY, OUTBOX_MAX);
        outbox.load(store)?;
        let resume = kept.resume(outbox.slots());
        // Stanzas that left the outbox are not on flash any more; but each of them had a packet number of its own.
        outbox.raise_order(resume.next_number.get() + outbox.len() as u32 + 1);
        let keyring = keys::Keyring::load(store, provision)?;
        let config = link_config(provision, keyring.secret(), dictionary, seed)?;
        config
            .check(&channel(provision), &resume, storage_len)
            .map_err(|_| EndpointError::Config)?;
        let jid = Jid::try_from(provision.jid).map_err(|_| EndpointError::TooLong)?;
        Ok(Self {
            config,
            resume,
            kept,
            outbox,
            keyring,
            jid,
        })
    }
}

impl<'d, F: NorFlash, L: AsRef<[u8]> + AsMut<[u8]>, S: AsRef<[u8]> + AsMut<[u8]>>
    Endpoint<'d, F, L, S>
{
    /// Starts the entity that `provision` describes, with what is on flash of earlier runs, in the `place` where it is to
    /// stay: a board's stack does not hold it.
    ///
    /// `seed` makes back-off differ between boards: a serial number, or noise.
    ///
    /// # Errors
    /// [`EndpointError::Config`] and [`EndpointError::Store`].
    pub fn start_in<'p>(
        place: &'p mut MaybeUninit<Self>,
        provision: &Provision<'_>,
        dictionary: &'d Dictionary<'d>,
        mut store: Store<F>,
        link_storage: L,
        session_storage: S,
        seed: u64,
    ) -> Result<&'p mut Self, EndpointError> {
        let storage_len = link_storage.as_ref().len();
        let basis = Basis::load(&mut store, provision, dictionary, storage_len, seed)?;
        let this = Self::of(
            basis,
            provision,
            dictionary,
            store,
            link_storage,
            session_storage,
        );
        let endpoint = place.write(this);
        endpoint.load()?;
        Ok(endpoint)
    }

    /// [`Self::start_in`] where there is stack enough.
    ///
    /// # Errors
    /// As there.
    pub fn start(
        provision: &Provision<'_>,
        dictionary: &'d Dictionary<'d>,
        mut store: Store<F>,
        link_storage: L,
        session_storage: S,
        seed: u64,
    ) -> Result<Self, EndpointError> {
        let storage_len = link_storage.as_ref().len();
        let basis = Basis::load(&mut store, provision, dictionary, storage_len, seed)?;
        let mut endpoint = Self::of(
            basis,
            provision,
            dictionary,
            store,
            link_storage,
            session_storage,
        );
        endpoint.load()?;
        Ok(endpoint)
    }

    #[inline(always)]
    fn of(
        basis: Basis,
        provision: &Provision<'_>,
        dictionary: &'d Dictionary<'d>,
        store: Store<F>,
        link_storage: L,
        session_storage: S,
    ) -> Self {
        Self {
            store,
            link: Link::of(basis.config, channel(provision), basis.resume, link_storage),
            session: Session::with(dictionary, PROFILE, session_storage),
            jid: basis.jid,
            keyring: basis.keyring,
            resume: basis.kept,
            outbox: basis.outbox,
            inbox: Queue::new(INBOX_KEY, INBOX_MAX),
            contacts: contacts::Contacts::new(),
            settings: settings::Settings::new(),
            readings: Readings::default(),
            events: news::Events::default(),
            stats: EndpointStats::default(),
            stranger: false,
            budget: budget::Budget::new(provision.duty_permille),
            rest: rest::Rest::new(provision),
        }
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
