//! The loop as a future, for embassy or any other executor. Refuses to poll: it sleeps until a frame, an octet or a
//! moment comes.

use core::future::{Future, poll_fn};
use core::pin::{Pin, pin};
use core::task::Poll;

use embedded_hal_async::delay::DelayNs;
use embedded_io_async::{Read, Write};
use embedded_storage_async::nor_flash::NorFlash;
use longwire_codec::time::Instant;

use crate::console::{ANSWER_MAX, Console};
use crate::endpoint::{Endpoint, EndpointError, Event, MTU_MAX};
use crate::radio::Radio;
use crate::uart::write;

/// What is said to the console and what is sent to base lie in one place: never both at once.
const SAID_MAX: usize = ANSWER_MAX;
const _: () = assert!(MTU_MAX <= SAID_MAX);
/// After a radio or a UART reported an error it is left alone for so long.
const REST_MS: u64 = 10;
/// Base asked for a restart: how long the answer may take to get there.
const RESTART_MS: u64 = 30_000;

/// No clock gets there.
const NEVER: Instant = Instant::from_millis(u64::MAX);

/// Runs until base asks for a restart: returns when the answer is with the gateway or cannot get there. The
/// board then resets itself.
///
/// * `uart`: the console. At its end of file it is left alone, so a board without one passes an empty reader.
/// * `now_ms`: milliseconds since some moment, never going back; with embassy `|| Instant::now().as_millis()`.
/// * `delay`: with embassy `embassy_time::Delay`.
/// * `heed`: called with each event, and with `None` before a frame is read: the moment to set fresh readings.
///
/// Dropping the future loses a frame at most.
///
/// # Errors
/// Flash failed. What was acknowledged is safe; reset and go on.
pub async fn run<F, L, S, R, C>(
    endpoint: &mut Endpoint<'_, F, L, S>,
    radio: &mut R,
    uart: &mut C,
    now_ms: impl Fn() -> u64,
    mut delay: impl DelayNs,
    mut heed: impl FnMut(&mut Endpoint<'_, F, L, S>, Option<Event>),
) -> Result<(), EndpointError>
where
    F: NorFlash,
    L: AsRef<[u8]> + AsMut<[u8]>,
    S: AsRef<[u8]> + AsMut<[u8]>,
    R: Radio,
    C: Read + Write,
{
    let now = || Instant::from_millis(now_ms());
    endpoint.handle_channel(now(), radio.channel());
    let mut desk = Desk::new();
    let (mut said, mut heard) = ([0; SAID_MAX], [0; MTU_MAX]);
    loop {
        let next = {
            // Kept going while nothing is sent: to start it again could lose a frame.
            let mut receive = pin!(radio.receive(&mut heard));
            loop {
                let wait_ms = match desk.step(endpoint, now(), &mut said, &mut heed)? {
                    Next::Say(len) => {
                        // A console that does not take what is said misses it.
                        let _ = write(uart, part(&said, len)).await;
                        continue;
                    }
                    Next::Wait(wait_ms) => wait_ms,
                    next => break next,
                };
                let mut octet = [0];
                let woken = {
                    let read = pin!(uart.read(&mut octet));
                    let rest = pin!(delay.delay_ms(wait_ms));
                    first(&desk, receive.as_mut(), read, rest).await
                };
                match woken {
                    Woken::Heard(len) => break Next::Hear(len),
                    Woken::Read(Some(1..)) => desk.console.handle_octet(endpoint, octet[0]),
                    Woken::Read(Some(0)) => desk.uart_is_open = false,
                    Woken::Read(None) => desk.uart_rests = now() + REST_MS,
                    Woken::Rested => {}
                }
            }
        };
        let heard_len = match next {
            Next::Send(len) => {
                let sent = radio.transmit(part(&said, len), &mut heard).await;
                endpoint.handle_sent(now());
                sent.ok()
            }
            Next::Sleep => radio.sleep().await.ok().map(|()| 0),
            Next::Restart | Next::Say(_) | Next::Wait(_) => return Ok(()),
            Next::Hear(len) => {
                if let Some(busy) = radio.carrier() {
                    endpoint.handle_carrier(now(), busy);
                }
                len
            }
        };
        if matches!(heard_len, Some(1..)) {
            heed(endpoint, None);
        }
        desk.take(endpoint, now(), &mut heard, heard_len)?;
    }
}

/// Waits for what comes first. Who rests is not asked.
fn first<E, G>(
    desk: &Desk,
    mut receive: Pin<&mut impl Future<Output = Result<usize, E>>>,
    mut read: Pin<&mut impl Future<Output = Result<usize, G>>>,
    mut rest: Pin<&mut impl Future<Output = ()>>,
) -> impl Future<Output = Woken> {
    poll_fn(move |context| {
        if desk.listens
            && let Poll::Ready(len) = receive.as_mut().poll(context)
        {
            return Poll::Ready(Woken::Heard(len.ok()));
        }
        if desk.reads
            && let Poll::Ready(len) = read.as_mut().poll(context)
        {
            return Poll::Ready(Woken::Read(len.ok()));
        }
        rest.as_mut().poll(context).map(|()| Woken::Rested)
    })
}

/// What ended a wait.
enum Woken {
    /// A frame of this length came in, or a spoilt one; of length 0: a signal began or ended.
    Heard(Option<usize>),
    /// So many octets were typed, none at the end of the file, or the UART reported an error.
    Read(Option<usize>),
    /// Nothing: it was long enough.
    Rested,
}

/// What is to be done that needs a device.
enum Next {
    /// So much is to be said to the console.
    Say(usize),
    /// Nothing for so many milliseconds.
    Wait(u32),
    /// A frame of this length is to be sent.
    Send(usize),
    /// As [`Woken::Heard`].
    Hear(Option<usize>),
    /// The radio may sleep.
    Sleep,
    Restart,
}

/// The console and what belongs to it, and when devices are left alone.
struct Desk {
    console: Console,
    /// It did not end.
    uart_is_open: bool,
    /// Whether the radio and the UART are asked in the next wait.
    listens: bool,
    reads: bool,
    /// After an error, or asleep: until when they are not.
    radio_rests: Instant,
    uart_rests: Instant,
    /// Base asked for a restart, which must not wait longer than this.
    restart_by: Instant,
}

impl Desk {
    fn new() -> Self {
        Self {
            console: Console::default(),
            uart_is_open: true,
            listens: true,
            reads: true,
            radio_rests: Instant::ZERO,
            uart_rests: Instant::ZERO,
            restart_by: NEVER,
        }
    }

    /// Does what needs no device until something does; what is to be said or sent is in `said` then.
    #[inline(never)]
    fn step<F, L, S>(
        &mut self,
        endpoint: &mut Endpoint<'_, F, L, S>,
        now: Instant,
        said: &mut [u8],
        heed: &mut impl FnMut(&mut Endpoint<'_, F, L, S>, Option<Event>),
    ) -> Result<Next, EndpointError>
    where
        F: NorFlash,
        L: AsRef<[u8]> + AsMut<[u8]>,
        S: AsRef<[u8]> + AsMut<[u8]>,
    {
        loop {
            if let Some(len) = self.console.poll_answer(endpoint, said) {
                if self.uart_is_open {
                    return Ok(Next::Say(len));
                }
                continue;
            }
            let Some(event) = endpoint.poll_event() else {
                break;
            };
            heed(endpoint, Some(event));
            if event == Event::Reboot {
                self.restart_by = now + RESTART_MS;
            }
            self.console.handle_event(event);
        }
        self.listens = self.radio_rests <= now;
        self.reads = self.uart_is_open && self.uart_rests <= now;
        if self.listens {
            endpoint.handle_wake(now);
        }
        endpoint.handle_timeout(now)?;
        if let Some(transmit) = endpoint.poll_transmit(now, said)? {
            self.radio_rests = now;
            endpoint.handle_wake(now);
            return Ok(Next::Send(transmit.len));
        }
        if self.restart_by != NEVER && (endpoint.is_idle() || self.restart_by <= now) {
            return Ok(Next::Restart);
        }
        let mut tired = NEVER;
        if self.listens
            && let Some(sleep) = endpoint.poll_sleep()
        {
            tired = sleep.start;
            if sleep.contains(&now) {
                self.radio_rests = sleep.end;
                endpoint.handle_sleep(now);
                return Ok(Next::Sleep);
            }
        }
        let mut wake = endpoint.poll_timeout().map_or(NEVER, |(at, _)| at);
        for at in [self.restart_by, self.radio_rests, self.uart_rests, tired] {
            if at > now {
                wake = wake.min(at);
            }
        }
        // In seven weeks it looks again.
        let wait_ms = u32::try_from(wake.since(now)).unwrap_or(u32::MAX);
        Ok(Next::Wait(wait_ms))
    }

    /// Takes a frame of this length, unless there is none, or that the radio failed.
    fn take<F, L, S>(
        &mut self,
        endpoint: &mut Endpoint<'_, F, L, S>,
        now: Instant,
        heard: &mut [u8],
        len: Option<usize>,
    ) -> Result<(), EndpointError>
    where
        F: NorFlash,
        L: AsRef<[u8]> + AsMut<[u8]>,
        S: AsRef<[u8]> + AsMut<[u8]>,
    {
        match len {
            Some(0) => {}
            Some(len) => endpoint.handle_frame(now, heard.get_mut(..len).unwrap_or_default())?,
            None => {
                endpoint.handle_radio_error();
                self.radio_rests = self.radio_rests.max(now + REST_MS);
            }
        }
        Ok(())
    }
}

/// The first `len` octets: none if a driver says that it filled more than there are.
fn part(octets: &[u8], len: usize) -> &[u8] {
    octets.get(..len).unwrap_or(&[])
}
