//! The matching end on a microcontroller: the same codec and link as the gateway, on static memory. Refuses an
//! allocator, a clock and a HAL of its own: the board brings pins, time and flash.
#![no_std]
#![forbid(unsafe_code)]

#[cfg(test)]
extern crate std;

pub mod compose;

mod read;

mod say;

pub mod endpoint;

pub mod console;

pub mod drive;

pub mod text;

pub mod flash;

mod uart;

pub mod radio;

pub mod bridge;

#[cfg(test)]
mod ram_flash;
#[cfg(test)]
mod tests;
