//! A station with a KISS TNC on UART0. Console on UART1.
#![no_std]
#![no_main]

use cortex_m_rt::entry;
use longwire_codec::kiss::{Kiss, wire_len_max};
use longwire_firmware::endpoint::MTU_MAX;
use longwire_firmware::radio::serial::Tnc;

const WIRE_LEN: usize = wire_len_max(MTU_MAX);

#[entry]
fn main() -> ! {
    board::station::<_, WIRE_LEN>(Tnc::<WIRE_LEN>::new(Kiss {
        txdelay_10ms: Some(3),
        ..Kiss::default()
    }))
}
