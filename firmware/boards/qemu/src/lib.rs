//! Longwire on an emulated Cortex-M4. The image of `longwire pair` lies in the first block of the flash, what the
//! endpoint must not forget in the rest. Refuses to know what modem is at its radio UART: each program says that.
#![no_std]

pub mod flash;
pub mod machine;

use core::mem::MaybeUninit;

use cortex_m::singleton;
use embassy_futures::block_on;
use embedded_io::Write;
use embedded_storage_async::nor_flash::ReadNorFlash;
use flash::Flash;
use longwire_codec::channel::Channel;
use longwire_codec::provision::{IMAGE_MAX, Provision};
use longwire_firmware::drive::blocking::{self, Polled, Time};
use longwire_firmware::endpoint::{
    Endpoint, MTU_MAX, PROFILE, Reading, Value, channel, link_storage_len,
};
use longwire_firmware::flash::Store;
use longwire_firmware::radio::serial::{Framing, UartRadio};
use machine::{Clock, Uart};

const RECORDS: core::ops::Range<u32> = 4096..flash::SIZE;

type Board<'d> = Endpoint<'d, Flash, &'static mut [u8], &'static mut [u8]>;

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

/// A part would have a generator; the emulated one asks the host.
#[cfg(feature = "edhoc")]
fn entropy(octets: &mut [u8; 32]) -> bool {
    use semihosting::io::Read;
    let file = semihosting::fs::File::open(c"/dev/urandom");
    let len = file.and_then(|mut file| file.read(octets));
    len.is_ok_and(|len| len == octets.len())
}

/// A station with a modem on UART0 that is spoken to in `framing`, `N` octets for a frame, and its console on UART1. To be
/// called once.
pub fn station<G: Framing, const N: usize>(framing: G) -> ! {
    cortex_m::interrupt::disable();
    let clock = Clock::start();
    let (radio, mut console) = (Uart::new(0), Uart::new(1));
    let (endpoint, channel) = match start() {
        Ok(started) => started,
        Err(code) => semihosting::process::exit(code),
    };
    for text in ["ready ", endpoint.jid(), "\r\n"] {
        // All of it: it waits for its UART.
        let _ = console.write(text.as_bytes());
    }
    let time = Time::new(|| clock.now_ms());
    let mut radio = UartRadio::<_, _, _, N>::new(Polled(radio), &time, channel, framing);
    let wait = |_| clock.sleep();
    let ended = blocking::run(
        endpoint,
        &mut radio,
        console,
        &time,
        wait,
        |endpoint, event| {
            if event.is_none() {
                read_sensors(endpoint);
            }
        },
    );
    if ended.is_err() {
        semihosting::process::exit(EXIT_FLASH)
    }
    cortex_m::peripheral::SCB::sys_reset()
}

/// One of each kind; the time is the host's.
fn read_sensors(endpoint: &mut Board<'_>) {
    let readings = [
        ("temperature", Value::Milli(21_500), "Cel"),
        ("hatch", Value::Switch(false), ""),
        ("lamp", Value::Choice("flashing"), ""),
        ("note", Value::Text("painted in May"), ""),
    ];
    for (name, value, unit) in readings {
        endpoint.set_reading(Reading { name, value, unit });
    }
    let now_s = semihosting::sys::arm_compat::sys_time().unwrap_or(0);
    endpoint.set_time(u32::try_from(now_s).unwrap_or(0));
}

/// What the linker counts: the endpoint and its storage.
struct Memory {
    link: [u8; LINK_LEN],
    session: [u8; SESSION_LEN],
    endpoint: MaybeUninit<Board<'static>>,
}

/// The endpoint and its channel; or the exit code.
#[inline(never)]
fn start() -> Result<(&'static mut Board<'static>, Channel), i32> {
    let memory = singleton!(: Memory = Memory {
        link: [0; LINK_LEN],
        session: [0; SESSION_LEN],
        endpoint: MaybeUninit::uninit(),
    });
    let mut image = [0; IMAGE_MAX];
    let Ok(()) = block_on(Flash.read(0, &mut image));
    let Ok(provision) = Provision::parse(&image) else {
        return Err(EXIT_IMAGE);
    };
    let (Ok(store), Some(memory)) = (Store::new(Flash, RECORDS), memory) else {
        return Err(EXIT_PANIC);
    };
    let started = Endpoint::start(
        &provision,
        longwire_dictionaries::ALL[0],
        store,
        &mut memory.link[..],
        &mut memory.session[..],
        u64::from(provision.station),
        |endpoint| memory.endpoint.write(endpoint),
    );
    let Ok(endpoint) = started else {
        return Err(EXIT_FLASH);
    };
    #[cfg(feature = "edhoc")]
    endpoint.use_entropy(entropy);
    Ok((endpoint, channel(&provision)))
}
