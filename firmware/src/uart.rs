//! Octets to a UART. Refuses the loop that comes with the trait, which panics at a driver that takes nothing.

use embedded_io_async::Write;

/// Why not all was written.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum WriteError<E> {
    /// The driver reported this.
    Uart(E),
    /// It takes no more.
    Closed,
}

/// Writes all of it, and waits until it is out.
pub(crate) async fn write<W: Write>(
    uart: &mut W,
    mut octets: &[u8],
) -> Result<(), WriteError<W::Error>> {
    while !octets.is_empty() {
        let taken = uart.write(octets).await.map_err(WriteError::Uart)?;
        octets = match octets.get(taken..) {
            Some(rest) if taken > 0 => rest,
            _ => return Err(WriteError::Closed),
        };
    }
    uart.flush().await.map_err(WriteError::Uart)
}
