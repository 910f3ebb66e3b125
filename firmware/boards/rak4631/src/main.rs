//! A station: an XMPP entity with a JID of its own. Console on USB.
#![no_std]
#![no_main]

use board::{Board, LAYOUT, noise, reset};
use embassy_executor::Spawner;
use longwire_board_common::port::Console;
use longwire_board_common::station;

#[embassy_executor::main]
async fn main(_spawner: Spawner) -> ! {
    let Some(board) = Board::new() else { reset() };
    let work = async |flash, chip, console: Console<'_>| {
        station::run(flash, LAYOUT, chip, console, noise).await
    };
    board.run("Longwire station", work).await
}
