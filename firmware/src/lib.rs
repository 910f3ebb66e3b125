//! The matching end on a microcontroller: the same codec and link on static memory. Refuses an allocator.
#![no_std]
#![forbid(unsafe_code)]
