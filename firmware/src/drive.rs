//! The loop that a board runs: radio, console and endpoint joined, on any executor or on none. Refuses pins, clocks and
//! sleep modes: the board hands them in.

pub mod asynchronous;
pub mod blocking;
#[cfg(test)]
mod tests;
