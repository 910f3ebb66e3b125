//! Longwire on an emulated Cortex-M4. The image of `longwire pair` lies in the first block of the flash, what the
//! endpoint must not forget in the rest.
#![no_std]
#![no_main]

mod board;
mod flash;

use board::{Clock, Uart};
use cortex_m_rt::entry;
use embassy_futures::block_on;
use embedded_io::Write;
use embedded_storage_async::nor_flash::ReadNorFlash;
use flash::FileFlash;
use longwire_codec::provision::{IMAGE_MAX, Provision};
use longwire_codec::serial::wire_len_max;
use longwire_firmware::drive::blocking::{self, Polled, Time};
use longwire_firmware::endpoint::{Endpoint, MTU_MAX, PROFILE, Reading, channel, link_storage_len};
use longwire_firmware::flash::Store;
use longwire_firmware::radio::serial::SerialRadio;

const RECORDS: core::ops::Range<u32> = 4096..flash::SIZE;

const LINK_LEN: usize = link_storage_len(MTU_MAX);
const SESSION_LEN: usize = PROFILE.storage_len();

/// Exit codes, for whoever started the emulator.
const EXIT_PANIC: i32 = 101;
const EXIT_FLASH: i32 = 102;
const EXIT_IMAGE: i32 = 103;

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    semihosting::process::exit(EXIT_PANIC)
}

#[entry]
fn main() -> ! {
    cortex_m::interrupt::disable();
    let Some(peripherals) = cortex_m::Peripherals::take() else {
        semihosting::process::exit(EXIT_PANIC)
    };
    let clock = Clock::new(peripherals.SYST);
    run(Uart::new(0), Uart::new(1), &clock)
}

/// A part would have a generator; the emulated one asks the host.
#[cfg(feature = "edhoc")]
fn entropy(octets: &mut [u8; 32]) -> bool {
    use semihosting::io::Read;
    let file = semihosting::fs::File::open(c"/dev/urandom");
    file.and_then(|mut file| file.read_exact(octets)).is_ok()
}

fn run(radio: Uart, mut console: Uart, clock: &Clock) -> ! {
    let Some(mut flash) = FileFlash::open() else {
        semihosting::process::exit(EXIT_FLASH)
    };
    let mut image = [0; IMAGE_MAX];
    if block_on(flash.read(0, &mut image)).is_err() {
        semihosting::process::exit(EXIT_FLASH)
    }
    let Ok(provision) = Provision::parse(&image) else {
        semihosting::process::exit(EXIT_IMAGE)
    };
    let Ok(store) = Store::new(flash, RECORDS) else {
        semihosting::process::exit(EXIT_FLASH)
    };
    let link = cortex_m::singleton!(: [u8; LINK_LEN] = [0; LINK_LEN]);
    let session = cortex_m::singleton!(: [u8; SESSION_LEN] = [0; SESSION_LEN]);
    let (Some(link), Some(session)) = (link, session) else {
        semihosting::process::exit(EXIT_PANIC)
    };
    let (link, session): (&'static mut [u8], &'static mut [u8]) = (link, session);
    let started = block_on(Endpoint::start(
        &provision,
        longwire_dictionaries::ALL[0],
        store,
        link,
        session,
        u64::from(provision.station),
    ));
    let Ok(mut endpoint) = started else {
        semihosting::process::exit(EXIT_FLASH)
    };
    #[cfg(feature = "edhoc")]
    endpoint.use_entropy(entropy);
    endpoint.set_reading(Reading {
        name: "temperature",
        value_milli: 21_500,
        unit: "Cel",
    });
    for text in ["ready ", endpoint.jid(), "\r\n"] {
        let _ = console.write_all(text.as_bytes());
    }
    let time = Time::new(|| clock.now_ms());
    let channel = channel(&provision);
    let mut radio =
        SerialRadio::<_, _, { wire_len_max(MTU_MAX) }>::new(Polled(radio), &time, channel);
    let wait = |_| clock.sleep();
    let ended = blocking::run(&mut endpoint, &mut radio, console, &time, wait, |_, _| {});
    if ended.is_err() {
        semihosting::process::exit(EXIT_FLASH)
    }
    cortex_m::peripheral::SCB::sys_reset()
}
