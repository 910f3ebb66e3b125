//! A station with a transparent modem, or a cable, on UART0. Console on UART1.
#![no_std]
#![no_main]

use cortex_m_rt::entry;
use longwire_codec::serial::wire_len_max;
use longwire_firmware::endpoint::MTU_MAX;
use longwire_firmware::radio::serial::Transparent;

const WIRE_LEN: usize = wire_len_max(MTU_MAX);

#[entry]
fn main() -> ! {
    board::station::<_, WIRE_LEN>(Transparent::<WIRE_LEN>::new())
}
