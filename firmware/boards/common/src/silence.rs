//! The logger that lora-phy must find when it is linked. Refuses to log.

#[defmt::global_logger]
struct Silence;

// SAFETY: nothing is written, so there is nothing to keep whole between `acquire` and `release`.
unsafe impl defmt::Logger for Silence {
    fn acquire() {}

    unsafe fn flush() {}

    unsafe fn release() {}

    unsafe fn write(_: &[u8]) {}
}
