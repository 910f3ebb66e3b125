//! A station: an XMPP entity with a JID of its own. Console on the debugger's serial port.
#![no_std]
#![no_main]

use board::{Board, LAYOUT, noise, reset};
use embassy_executor::Spawner;
use embassy_futures::select::select3;
use longwire_board_common::port::Port;
use longwire_board_common::station;

#[embassy_executor::main]
async fn main(_spawner: Spawner) {
    let Some(board) = Board::new() else { reset() };
    let port = Port::new();
    let (to_host, from_host) = board.uart.split();
    let console = port.pump(from_host, to_host);
    let station = station::run(board.flash, LAYOUT, board.chip, port.near(), noise);
    select3(console, board.watchdog.feed(), station).await;
    reset()
}
