//! An endpoint from what is on flash, and a modem likewise. Refuses to go on without a provisioning image: it says on
//! the console what is missing.

use core::mem::MaybeUninit;
use core::ops::Range;

use embassy_futures::block_on;
use embassy_time::{Delay, Instant, Timer};
use embedded_io_async::{Read, Write};
use embedded_storage_async::nor_flash::NorFlash;
use longwire_codec::lora::MTU;
use longwire_codec::provision::{IMAGE_MAX, Provision, ProvisionError, parse_modem};
use longwire_dictionaries::ALL;
use longwire_firmware::bridge;
use longwire_firmware::drive::asynchronous;
use longwire_firmware::endpoint::{
    Endpoint, EndpointError, PROFILE, Reading, Value, link_storage_len,
};
use longwire_firmware::flash::{Store, StoreError};
use longwire_firmware::radio::lora::LoRaRadio;
use lora_phy::mod_params::RadioError;
use lora_phy::mod_traits::RadioKind;
use static_cell::ConstStaticCell;

/// Between two complaints on the console, which may have been plugged in meanwhile.
const COMPLAINT_S: u64 = 5;
/// Complaints before the board starts again, in case it was only the weather.
const COMPLAINTS: usize = 12;

/// Where a board keeps what, octets from the start of the flash that it hands over.
pub struct Layout {
    /// The image of `longwire pair`.
    pub image: u32,
    /// What the endpoint must not forget: at least two erase blocks.
    pub records: Range<u32>,
}

/// Fills an array from a source of noise; false if that does not work.
pub type Noise = fn(&mut [u8; 32]) -> bool;

/// Why a board does not start.
enum Fault {
    Image(ProvisionError),
    Flash,
    Radio,
    Endpoint(EndpointError),
}

impl From<ProvisionError> for Fault {
    fn from(error: ProvisionError) -> Self {
        Self::Image(error)
    }
}

impl From<RadioError> for Fault {
    fn from(_: RadioError) -> Self {
        Self::Radio
    }
}

impl From<EndpointError> for Fault {
    fn from(error: EndpointError) -> Self {
        Self::Endpoint(error)
    }
}

impl From<StoreError> for Fault {
    fn from(error: StoreError) -> Self {
        Self::Endpoint(error.into())
    }
}

/// Runs the entity that the image describes, until base asks for a restart or something failed: then reset the board.
/// To be called once.
pub fn run<F: NorFlash>(
    flash: F,
    layout: &'static Layout,
    chip: impl RadioKind,
    mut console: impl Read + Write,
    noise: Noise,
) -> impl Future {
    async move {
        if let Err(fault) = start(flash, layout, chip, &mut console, noise).await {
            complain(&fault, &mut console).await;
        }
    }
}

async fn start<F: NorFlash>(
    mut flash: F,
    layout: &'static Layout,
    chip: impl RadioKind,
    console: &mut (impl Read + Write),
    noise: Noise,
) -> Result<(), Fault> {
    static LINK: ConstStaticCell<[u8; link_storage_len(MTU as usize)]> =
        ConstStaticCell::new([0; link_storage_len(MTU as usize)]);
    static SESSION: ConstStaticCell<[u8; PROFILE.storage_len()]> =
        ConstStaticCell::new([0; PROFILE.storage_len()]);
    let seed = seed(noise);
    let mut radio = {
        let (tuned, turnaround_ms) = {
            let image = image(&mut flash, layout)?;
            let provision = Provision::parse(&image)?;
            // No default: what is lawful here is not so elsewhere.
            let tuned = provision.lora.ok_or(ProvisionError::Incomplete)?;
            (tuned, provision.turnaround_ms)
        };
        // The slower end's turnaround is that of both: the gateway's, with its serial port.
        LoRaRadio::new(chip, Delay, &tuned, turnaround_ms, seed).await?
    };
    let mut place = MaybeUninit::uninit();
    let endpoint = {
        let image = image(&mut flash, layout)?;
        let store = Store::new(flash, layout.records.clone())?;
        let (link, session) = (&mut LINK.take()[..], &mut SESSION.take()[..]);
        let provision = Provision::parse(&image)?;
        Endpoint::start(&provision, ALL[0], store, link, session, seed, |endpoint| {
            place.write(endpoint)
        })?
    };
    #[cfg(feature = "edhoc")]
    endpoint.use_entropy(noise);
    for text in ["ready ", endpoint.jid(), "\r\n"] {
        let _ = console.write_all(text.as_bytes()).await;
    }
    let now_ms = || Instant::now().as_millis();
    let ended = asynchronous::run(
        endpoint,
        &mut radio,
        console,
        now_ms,
        Delay,
        |endpoint, _| {
            let thousandth_hours = Instant::now().as_secs() * 10 / 36;
            endpoint.set_reading(Reading {
                name: "uptime",
                value: Value::Milli(i32::try_from(thousandth_hours).unwrap_or(i32::MAX)),
                unit: "h",
            });
        },
    );
    Ok(ended.await?)
}

/// Carries frames between the gateway at the serial port and the air; see [`bridge`]. To be called once.
pub async fn modem(
    mut flash: impl NorFlash,
    layout: &'static Layout,
    chip: impl RadioKind,
    mut gateway: impl Read + Write,
) {
    let start = async {
        let tuned = parse_modem(&image(&mut flash, layout)?)?;
        Ok(LoRaRadio::new(chip, Delay, &tuned, 0, 0).await?)
    };
    match start.await {
        Ok(radio) => {
            let _ = bridge::run(gateway, radio, Delay).await;
        }
        Err(fault) => complain(&fault, &mut gateway).await,
    }
}

/// The image. Flash is waited for here: what a task keeps while it waits elsewhere takes memory for good.
fn image(flash: &mut impl NorFlash, layout: &Layout) -> Result<[u8; IMAGE_MAX], Fault> {
    let mut image = [0; IMAGE_MAX];
    let read = block_on(flash.read(layout.image, &mut image));
    read.map_err(|_| Fault::Flash)?;
    Ok(image)
}

/// From noise; the same each time if there is none.
fn seed(noise: Noise) -> u64 {
    let mut octets = [0; 32];
    noise(&mut octets);
    let first = octets.iter().take(8);
    first.fold(0, |seed, octet| seed << 8 | u64::from(*octet))
}

/// Says for a minute what is wrong.
async fn complain(fault: &Fault, console: &mut impl Write) {
    let text = match fault {
        Fault::Image(ProvisionError::Absent) => "no provisioning image on flash",
        Fault::Image(ProvisionError::Version(_)) => "provisioning image of another version",
        Fault::Image(ProvisionError::Incomplete) => {
            "provisioning image lacks a field, such as the LoRa channel"
        }
        Fault::Image(_) => "provisioning image is damaged",
        Fault::Flash => "flash cannot be read",
        Fault::Radio => "the radio does not answer, or cannot be tuned so",
        Fault::Endpoint(EndpointError::Store(_)) => "flash failed",
        Fault::Endpoint(_) => "the provisioning image does not fit this firmware",
    };
    for _ in 0..COMPLAINTS {
        for part in ["! ", text, "\r\n"] {
            let _ = console.write_all(part.as_bytes()).await;
        }
        Timer::after_secs(COMPLAINT_S).await;
    }
}
