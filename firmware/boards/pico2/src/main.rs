//! A station: an XMPP entity with a JID of its own. Console on USB.
#![no_std]
#![no_main]

use board::{Board, LAYOUT, noise, reset};
use embassy_executor::Spawner;
use longwire_board_common::station;

#[embassy_executor::main]
async fn main(_spawner: Spawner) -> ! {
    let Some(board) = Board::new() else { reset() };
    let work = |flash, chip, port| station::run(flash, &LAYOUT, chip, port, noise);
    board.run("Longwire station", work).await;
    reset()
}
