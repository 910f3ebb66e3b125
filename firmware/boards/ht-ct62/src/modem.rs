//! The modem of a gateway: frames between UART0 and the air. It has no key.
#![no_std]
#![no_main]

use board::{Board, LAYOUT, reset};
use embassy_executor::Spawner;
use embassy_futures::select::select3;
use longwire_board_common::port::Port;
use longwire_board_common::station;

#[esp_rtos::main]
async fn main(_spawner: Spawner) {
    let Some(board) = Board::new() else { reset() };
    let port = Port::new();
    let (from_host, to_host) = board.uart;
    let gateway = port.pump(from_host, to_host);
    let modem = station::modem(board.flash, LAYOUT, board.chip, port.near());
    select3(gateway, board.watchdog.feed(), modem).await;
    reset()
}
