//! Longwire on an emulated Cortex-M4.
#![no_std]
#![no_main]

mod board;

use board::{Clock, Uart};
use cortex_m_rt::entry;

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    semihosting::process::exit(101)
}

#[entry]
fn main() -> ! {
    cortex_m::interrupt::disable();
    let Some(peripherals) = cortex_m::Peripherals::take() else {
        semihosting::process::exit(102)
    };
    let radio = Uart::new(0);
    let console = Uart::new(1);
    let mut clock = Clock::new(peripherals.SYST);
    for octet in b"ready\r\n" {
        console.write(*octet);
    }
    loop {
        while let Some(octet) = console.read() {
            console.write(octet);
        }
        let _ = (clock.now_ms(), radio.read());
        clock.sleep(&[&radio, &console]);
    }
}
