//! The same loop without an executor: for boards whose drivers are those of `embedded-io`. Refuses interrupts of its own:
//! between two looks at the UARTs the board sleeps as it can.

use core::cell::Cell;
use core::future::poll_fn;
use core::pin::pin;
use core::task::{Context, Poll, Waker};

use embedded_hal_async::delay::DelayNs;
use embedded_io::{ErrorType, Read, ReadReady, Write};
use embedded_storage_async::nor_flash::NorFlash;

use super::asynchronous;
use crate::endpoint::{Endpoint, EndpointError, Event};
use crate::radio::Radio;

/// A device that is asked instead of waited for. Writing blocks.
#[derive(Debug)]
pub struct Polled<U>(pub U);

impl<U: ErrorType> ErrorType for Polled<U> {
    type Error = U::Error;
}

impl<U: Read + ReadReady> embedded_io_async::Read for Polled<U> {
    fn read(&mut self, octets: &mut [u8]) -> impl Future<Output = Result<usize, U::Error>> {
        poll_fn(move |_| match self.0.read_ready() {
            Ok(true) => Poll::Ready(self.0.read(octets)),
            Ok(false) => Poll::Pending,
            Err(error) => Poll::Ready(Err(error)),
        })
    }
}

impl<U: Write> embedded_io_async::Write for Polled<U> {
    fn write(&mut self, octets: &[u8]) -> impl Future<Output = Result<usize, U::Error>> {
        poll_fn(move |_| Poll::Ready(self.0.write(octets)))
    }

    fn flush(&mut self) -> impl Future<Output = Result<(), U::Error>> {
        poll_fn(|_| Poll::Ready(self.0.flush()))
    }
}

/// The board's clock, and the moment it must next be awake.
#[derive(Debug)]
pub struct Time<N> {
    now_ms: N,
    wake_ms: Cell<u64>,
}

impl<N: Fn() -> u64> Time<N> {
    /// From a function that tells milliseconds since some moment, never going back.
    pub const fn new(now_ms: N) -> Self {
        Self {
            now_ms,
            wake_ms: Cell::new(u64::MAX),
        }
    }

    /// Milliseconds, as the board tells them.
    pub fn now_ms(&self) -> u64 {
        (self.now_ms)()
    }
}

impl<N: Fn() -> u64> DelayNs for &Time<N> {
    fn delay_ns(&mut self, ns: u32) -> impl Future<Output = ()> {
        self.delay_ms(ns.div_ceil(1_000_000))
    }

    fn delay_ms(&mut self, ms: u32) -> impl Future<Output = ()> {
        let until = self.now_ms() + u64::from(ms);
        poll_fn(move |_| {
            if self.now_ms() >= until {
                return Poll::Ready(());
            }
            self.wake_ms.set(self.wake_ms.get().min(until));
            Poll::Pending
        })
    }
}

/// Runs until base asks for a restart, as [`asynchronous::run`]. The radio is made with `Polled` devices and with `time`
/// as its delay; flash must not need waiting for.
///
/// `wait(until_ms)`: nothing to do before that moment or before an interrupt; to return early does no harm. On
/// Cortex-M mask interrupts for good and let `wait` execute `wfi`, which ends at a pending one: then none is missed.
///
/// # Errors
/// Flash failed. What was acknowledged is safe; reset and go on.
pub fn run<F, L, S, R, C, N>(
    endpoint: &mut Endpoint<'_, F, L, S>,
    radio: &mut R,
    uart: C,
    time: &Time<N>,
    mut wait: impl FnMut(u64),
    heed: impl FnMut(&mut Endpoint<'_, F, L, S>, Option<Event>),
) -> Result<(), EndpointError>
where
    F: NorFlash,
    L: AsRef<[u8]> + AsMut<[u8]>,
    S: AsRef<[u8]> + AsMut<[u8]>,
    R: Radio,
    C: Read + ReadReady + Write,
    N: Fn() -> u64,
{
    let mut uart = Polled(uart);
    let mut future = pin!(asynchronous::run(
        endpoint,
        radio,
        &mut uart,
        || time.now_ms(),
        time,
        heed
    ));
    let mut context = Context::from_waker(Waker::noop());
    loop {
        time.wake_ms.set(u64::MAX);
        if let Poll::Ready(ended) = future.as_mut().poll(&mut context) {
            return ended;
        }
        wait(time.wake_ms.get());
    }
}
