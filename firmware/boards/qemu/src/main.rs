//! Longwire on an emulated Cortex-M4. The image of `longwire pair` lies in the first block of the flash, what the
//! endpoint must not forget in the rest.
#![no_std]
#![no_main]

mod board;
mod flash;

use core::fmt::Write;

use board::{Clock, Uart};
use cortex_m_rt::entry;
use embassy_futures::block_on;
use embedded_storage_async::nor_flash::ReadNorFlash;
use flash::FileFlash;
use longwire_codec::provision::{IMAGE_MAX, Provision};
use longwire_codec::serial::{Deframer, emit, wire_len_max};
use longwire_codec::time::Instant;
use longwire_firmware::console::{LINE_MAX, Lines};
use longwire_firmware::endpoint::{Endpoint, Event, PROFILE, Reading, channel, link_storage_len};
use longwire_firmware::flash::Store;
use longwire_firmware::talk;

/// Longest frame this image is built for, octets.
const MTU_MAX: usize = 256;
const WIRE_MAX: usize = wire_len_max(MTU_MAX);
const RECORDS: core::ops::Range<u32> = 4096..flash::SIZE;

type Board =
    Endpoint<'static, FileFlash, [u8; link_storage_len(MTU_MAX)], [u8; PROFILE.storage_len()]>;

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
    let radio = Uart::new(0);
    let console = Uart::new(1);
    let clock = Clock::new(peripherals.SYST);
    block_on(run(radio, console, clock))
}

async fn run(radio: Uart, mut console: Uart, mut clock: Clock) -> ! {
    let Some(mut flash) = FileFlash::open() else {
        semihosting::process::exit(EXIT_FLASH)
    };
    let mut image = [0; IMAGE_MAX];
    if flash.read(0, &mut image).await.is_err() {
        semihosting::process::exit(EXIT_FLASH)
    }
    let Ok(provision) = Provision::parse(&image) else {
        semihosting::process::exit(EXIT_IMAGE)
    };
    let Ok(store) = Store::new(flash, RECORDS) else {
        semihosting::process::exit(EXIT_FLASH)
    };
    let link = [0; link_storage_len(MTU_MAX)];
    let session = [0; PROFILE.storage_len()];
    let seed = u64::from(provision.station);
    let started = Endpoint::start(
        &provision,
        longwire_dictionaries::ALL[0],
        store,
        link,
        session,
        seed,
    )
    .await;
    let Ok(mut endpoint) = started else {
        semihosting::process::exit(EXIT_FLASH)
    };
    endpoint.set_reading(Reading {
        name: "temperature",
        value_milli: 21_500,
        unit: "Cel",
    });
    let _ = write!(console, "ready {}\r\n", endpoint.jid());
    let mut modem = Modem::new(radio, channel(&provision));
    let mut lines = Lines::new([0; LINE_MAX]);
    loop {
        let turned = turn(&mut endpoint, &mut modem, &mut clock).await;
        if turned.is_err() {
            let _ = write!(console, "! flash failed\r\n");
            semihosting::process::exit(EXIT_FLASH)
        }
        while let Some(event) = endpoint.poll_event() {
            let _ = talk::tell(event, &mut console);
            if event == Event::Reboot {
                cortex_m::peripheral::SCB::sys_reset();
            }
        }
        while let Some(octet) = console.read() {
            if let Some(line) = lines.push(octet) {
                let _ = talk::obey(&mut endpoint, line, &mut console).await;
            }
        }
        clock.sleep(&[&modem.uart, &console]);
    }
}

/// The radio UART: frames in and out, and the airtime of what was sent.
struct Modem {
    uart: Uart,
    deframer: Deframer<[u8; WIRE_MAX]>,
    channel: longwire_codec::channel::Channel,
    /// When the frame sent last is off the air.
    busy_until: Option<Instant>,
}

impl Modem {
    fn new(uart: Uart, channel: longwire_codec::channel::Channel) -> Self {
        Self {
            uart,
            deframer: Deframer::new([0; WIRE_MAX]),
            channel,
            busy_until: None,
        }
    }

    fn send(&mut self, now: Instant, frame: &[u8]) {
        let mut wire = [0; WIRE_MAX];
        if let Some(len) = emit(frame, &mut wire) {
            wire[..len].iter().for_each(|octet| self.uart.write(*octet));
            self.busy_until = Some(now + self.channel.airtime_ms(len));
        }
    }
}

/// One round: what came in, what is due, what may go out.
async fn turn(
    endpoint: &mut Board,
    modem: &mut Modem,
    clock: &mut Clock,
) -> Result<(), longwire_firmware::endpoint::EndpointError> {
    while let Some(octet) = modem.uart.read() {
        let Some(found) = modem.deframer.push(octet) else {
            continue;
        };
        let mut frame = [0; WIRE_MAX];
        let len = found.len();
        frame[..len].copy_from_slice(found);
        endpoint
            .handle_frame(Instant::from_millis(clock.now_ms()), &frame[..len])
            .await?;
    }
    let now = Instant::from_millis(clock.now_ms());
    match modem.busy_until {
        Some(until) if now < until => return Ok(()),
        Some(_) => {
            modem.busy_until = None;
            endpoint.handle_sent(now);
        }
        None => {}
    }
    if endpoint.poll_timeout().is_some_and(|(at, _)| at <= now) {
        endpoint.handle_timeout(now).await?;
    }
    let mut frame = [0; MTU_MAX];
    if let Some(transmit) = endpoint.poll_transmit(now, &mut frame).await? {
        modem.send(now, &frame[..transmit.len]);
    }
    Ok(())
}
