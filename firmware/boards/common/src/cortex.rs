//! How a Cortex-M starts again, of itself too when the firmware panics: it goes on from what is on flash.

/// Starts the board again.
pub fn reset() -> ! {
    cortex_m::peripheral::SCB::sys_reset()
}

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    reset()
}
