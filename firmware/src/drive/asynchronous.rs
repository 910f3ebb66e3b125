//! The loop as a future, for embassy or any other executor. Refuses to poll: it sleeps until a frame, an octet or a
//! moment comes.

use core::future::{Future, pending};
use core::pin::{Pin, pin};

use embassy_futures::select::{Either3, select3};
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
    let mut desk = Desk::new(uart);
    let (mut said, mut heard) = ([0; SAID_MAX], [0; MTU_MAX]);
    loop {
        let next = {
            let resting = desk.radio_rests.is_some();
            let receive = pin!(receive(radio, &mut heard, resting));
            let next = attend(
                endpoint, &mut desk, receive, &mut said, &now, &mut delay, &mut heed,
            );
            next.await?
        };
        let heard_len = match next {
            Next::Send(len) => {
                endpoint.handle_wake(now());
                let sent = radio.transmit(part(&said, len), &mut heard).await;
                if sent.is_err() {
                    endpoint.handle_radio_error();
                }
                endpoint.handle_sent(now());
                desk.radio_rests = None;
                sent.unwrap_or(0)
            }
            Next::Heard(Some(len)) => {
                if let Some(busy) = radio.carrier() {
                    endpoint.handle_carrier(now(), busy);
                }
                len
            }
            Next::Heard(None) => {
                endpoint.handle_radio_error();
                desk.radio_rests = Some(now() + REST_MS);
                0
            }
            Next::Listen => {
                endpoint.handle_wake(now());
                0
            }
            Next::Sleep(until) => {
                endpoint.handle_sleep(now());
                if radio.sleep().await.is_err() {
                    endpoint.handle_radio_error();
                }
                desk.radio_rests = Some(until);
                0
            }
            Next::Restart => return Ok(()),
        };
        if let Some(frame @ [_, ..]) = heard.get_mut(..heard_len) {
            heed(endpoint, None);
            endpoint.handle_frame(now(), frame)?;
        }
    }
}

/// The next frame; never while the radio rests.
async fn receive<R: Radio>(
    radio: &mut R,
    heard: &mut [u8],
    resting: bool,
) -> Result<usize, R::Error> {
    if resting {
        pending::<()>().await;
    }
    radio.receive(heard).await
}

/// The console and what belongs to it.
struct Desk<'u, C> {
    console: Console,
    uart: &'u mut C,
    /// It did not end.
    open: bool,
    /// Base asked for a restart, which must not wait longer than this.
    restart_by: Option<Instant>,
    /// After an error, or asleep: until when the radio and the UART are not asked.
    radio_rests: Option<Instant>,
    uart_rests: Option<Instant>,
}

/// Why the receiver is no longer waited for.
enum Next {
    /// A frame of this length is to be sent.
    Send(usize),
    /// A frame came in, or a spoilt one; of length 0: a signal began or ended.
    Heard(Option<usize>),
    /// The radio may sleep until then.
    Sleep(Instant),
    /// The radio has rested.
    Listen,
    Restart,
}

/// Does what needs no radio until something does. The receiver is kept going meanwhile: starting it again could lose a
/// frame.
async fn attend<F, L, S, C, E>(
    endpoint: &mut Endpoint<'_, F, L, S>,
    desk: &mut Desk<'_, C>,
    mut receive: Pin<&mut impl Future<Output = Result<usize, E>>>,
    said: &mut [u8],
    now: &impl Fn() -> Instant,
    delay: &mut impl DelayNs,
    heed: &mut impl FnMut(&mut Endpoint<'_, F, L, S>, Option<Event>),
) -> Result<Next, EndpointError>
where
    F: NorFlash,
    L: AsRef<[u8]> + AsMut<[u8]>,
    S: AsRef<[u8]> + AsMut<[u8]>,
    C: Read + Write,
{
    loop {
        let answer = desk.console.poll_answer(endpoint, said);
        let words = answer.or_else(|| {
            let event = endpoint.poll_event()?;
            heed(endpoint, Some(event));
            Some(desk.tell(event, now(), said))
        });
        if let Some(len) = words {
            desk.write(part(said, len)).await;
            continue;
        }
        let moment = now();
        if endpoint.poll_timeout().is_some_and(|(at, _)| at <= moment) {
            endpoint.handle_timeout(moment)?;
        }
        if let Some(transmit) = endpoint.poll_transmit(moment, said)? {
            return Ok(Next::Send(transmit.len));
        }
        let restart = desk.restart_by.filter(|_| !endpoint.is_idle());
        if desk.restart_by.is_some() && restart.is_none_or(|by| by <= moment) {
            return Ok(Next::Restart);
        }
        desk.uart_rests = desk.uart_rests.filter(|at| *at > moment);
        if desk.radio_rests.take_if(|at| *at <= moment).is_some() {
            return Ok(Next::Listen);
        }
        let sleep = endpoint.poll_sleep().filter(|_| desk.radio_rests.is_none());
        match &sleep {
            Some(sleep) if sleep.start <= moment && moment < sleep.end => {
                return Ok(Next::Sleep(sleep.end));
            }
            _ => {}
        }
        let tired = sleep.map(|sleep| sleep.start).filter(|at| *at > moment);
        let mut wake = endpoint.poll_timeout().map(|(at, _)| at);
        for at in [restart, tired, desk.radio_rests, desk.uart_rests] {
            if at.is_some_and(|at| wake.is_none_or(|wake| at < wake)) {
                wake = at;
            }
        }
        let waited = select3(receive.as_mut(), desk.read(), rest(delay, wake, moment));
        match waited.await {
            Either3::First(heard) => return Ok(Next::Heard(heard.ok())),
            Either3::Second(Some(octet)) => desk.console.handle_octet(endpoint, octet),
            Either3::Second(None) => desk.uart_rests = Some(moment + REST_MS),
            Either3::Third(()) => {}
        }
    }
}

/// The first `len` octets: none if a driver says that it filled more than there are.
fn part(octets: &[u8], len: usize) -> &[u8] {
    octets.get(..len).unwrap_or(&[])
}

async fn rest(delay: &mut impl DelayNs, until: Option<Instant>, now: Instant) {
    match until {
        Some(at) => {
            let wait = u32::try_from(at.since(now)).unwrap_or(u32::MAX);
            delay.delay_ms(wait).await;
        }
        None => pending().await,
    }
}

impl<'u, C: Read + Write> Desk<'u, C> {
    fn new(uart: &'u mut C) -> Self {
        Self {
            console: Console::default(),
            uart,
            open: true,
            restart_by: None,
            radio_rests: None,
            uart_rests: None,
        }
    }

    /// The next octet, or `None` if the UART reported an error.
    async fn read(&mut self) -> Option<u8> {
        if self.open && self.uart_rests.is_none() {
            let mut octet = [0];
            let read = self.uart.read(&mut octet).await;
            self.open = !matches!(read, Ok(0));
            if self.open {
                return read.ok().map(|_| octet[0]);
            }
        }
        pending().await
    }

    /// What is said of an event: its length in `out`.
    fn tell(&mut self, event: Event, now: Instant, out: &mut [u8]) -> usize {
        if event == Event::Reboot {
            self.restart_by = Some(now + RESTART_MS);
        }
        self.console.tell(event, out)
    }

    /// A console that does not take what is said misses it.
    async fn write(&mut self, octets: &[u8]) {
        if self.open {
            let _ = write(self.uart, octets).await;
        }
    }
}
