//! What the boards share: a serial port that never blocks, a logger that says nothing, an endpoint started from flash.
//! Refuses pins and peripherals: each board brings its own.
#![no_std]

pub mod port;

pub mod station;

pub mod noise;

#[cfg(feature = "cortex-m")]
pub mod cortex;

#[cfg(feature = "usb")]
pub mod usb;

mod silence;
