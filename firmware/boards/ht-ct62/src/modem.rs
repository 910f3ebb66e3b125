//! The modem of a gateway: frames between UART0 and the air. It has no key.
#![no_std]
#![no_main]

use board::{Board, LAYOUT, reset};
use embassy_executor::Spawner;
use longwire_board_common::station;

#[esp_rtos::main]
async fn main(_spawner: Spawner) -> ! {
    let Some(board) = Board::new() else { reset() };
    let work = |flash, chip, port| station::modem(flash, &LAYOUT, chip, port);
    board.run(work).await;
    reset()
}
