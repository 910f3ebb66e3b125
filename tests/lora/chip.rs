//! An SX1262 as its driver sees it through SPI: commands, registers, buffer and interrupt flags of the data sheet
//! (Semtech DS.SX1261-2, rev. 2.1). Refuses radio waves: a frame sent is heard, when it is over, by every chip tuned alike
//! that listened from its beginning, unless another was on the air at the same time. How long frames and looking for one
//! take are round figures.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::convert::Infallible;
use std::rc::Rc;
use std::time::Duration;

use embedded_hal::digital::{ErrorType as PinErrorType, OutputPin};
use embedded_hal::spi::{ErrorType, Operation};
use embedded_hal_async::digital::Wait;
use embedded_hal_async::spi::SpiDevice;
use tokio::sync::watch;
use tokio::time::Instant;

const TX_DONE: u16 = 1 << 0;
const RX_DONE: u16 = 1 << 1;
const CAD_DONE: u16 = 1 << 7;
const CAD_DETECTED: u16 = 1 << 8;
/// What looking for a frame takes.
const SENSE: Duration = Duration::from_millis(30);

/// What a frame of so many octets takes.
fn airtime(len: usize) -> Duration {
    Duration::from_millis(100 + len as u64)
}

/// Everything that decides whether two chips hear each other: frequency, modulation with its low-rate bit, packet
/// form without the length, synchronisation word.
type Tuning = (Vec<u8>, Vec<u8>, Vec<u8>, Vec<u8>);

#[derive(Default)]
struct State {
    registers: BTreeMap<u16, u8>,
    buffer: Vec<u8>,
    frequency: Vec<u8>,
    modulation: Vec<u8>,
    packet: Vec<u8>,
    flags: u16,
    mask: u16,
    received_len: u8,
    listens: Option<Instant>,
    /// Until when it looks for a frame, and whether there was one.
    senses: Option<(Instant, bool)>,
    sleeps: bool,
    sent: Vec<Vec<u8>>,
}

impl State {
    /// Whether a frame sent so is one to it, packet form aside.
    fn hears(&self, tuning: &Tuning) -> bool {
        (&self.frequency, &self.modulation) == (&tuning.0, &tuning.1)
    }

    fn tuning(&self) -> Tuning {
        let sync = [0x0740, 0x0741].map(|at| self.registers.get(&at).copied().unwrap_or(0));
        // Preamble, header, checksum, polarity; the length is the frame's.
        let form = [&self.packet[..3], &self.packet[4..]].concat();
        (
            self.frequency.clone(),
            self.modulation.clone(),
            form,
            sync.to_vec(),
        )
    }
}

/// A frame on the air.
struct Transmission {
    sender: Chip,
    begin: Instant,
    end: Instant,
    frame: Vec<u8>,
    tuning: Tuning,
    /// It met another.
    spoilt: bool,
}

/// The air between chips.
#[derive(Clone, Default)]
pub(crate) struct Air {
    chips: Rc<RefCell<Vec<Chip>>>,
    transmissions: Rc<RefCell<Vec<Transmission>>>,
}

/// One chip; a clone is the same chip.
#[derive(Clone)]
pub(crate) struct Chip {
    state: Rc<RefCell<State>>,
    air: Air,
    interrupt: Rc<watch::Sender<bool>>,
}

impl Air {
    /// Another chip on the air, as after power-on.
    pub(crate) fn chip(&self) -> Chip {
        let chip = Chip {
            state: Rc::new(RefCell::new(State {
                buffer: vec![0; 256],
                packet: vec![0; 6],
                ..State::default()
            })),
            air: self.clone(),
            interrupt: Rc::new(watch::Sender::new(false)),
        };
        self.chips.borrow_mut().push(chip.clone());
        chip
    }

    /// When something ends next.
    fn next(&self) -> Option<Instant> {
        let transmissions = self.transmissions.borrow();
        let chips = self.chips.borrow();
        let sensed = chips.iter().filter_map(|chip| chip.state.borrow().senses);
        let ends = transmissions.iter().map(|it| it.end);
        ends.chain(sensed.map(|(end, _)| end)).min()
    }

    /// Ends what is over.
    fn settle(&self) {
        let now = Instant::now();
        let over = |it: &mut Transmission| it.end <= now;
        let mut over: Vec<_> = self
            .transmissions
            .borrow_mut()
            .extract_if(.., over)
            .collect();
        over.sort_by_key(|it| it.end);
        for it in over {
            for chip in self.chips.borrow().iter().filter(|_| !it.spoilt) {
                chip.hear(&it);
            }
            it.sender.raise(TX_DONE);
        }
        for chip in self.chips.borrow().iter() {
            let sensed = chip
                .state
                .borrow_mut()
                .senses
                .take_if(|(end, _)| *end <= now);
            match sensed {
                Some((_, true)) => chip.raise(CAD_DONE | CAD_DETECTED),
                Some((_, false)) => chip.raise(CAD_DONE),
                None => {}
            }
        }
    }
}

impl Chip {
    /// Frames sent so far.
    pub(crate) fn sent(&self) -> Vec<Vec<u8>> {
        self.state.borrow().sent.clone()
    }

    /// Carrier, hertz: steps of 32 MHz / 2^25 (section 13.4.1).
    pub(crate) fn frequency_hz(&self) -> u64 {
        let state = self.state.borrow();
        let steps = state
            .frequency
            .iter()
            .fold(0, |sum, octet| sum << 8 | u64::from(*octet));
        (steps * 32_000_000 + (1 << 24)) >> 25
    }

    /// Spreading factor, bandwidth, coding rate and low-rate optimisation as the chip was told (section 13.4.5).
    pub(crate) fn modulation(&self) -> Vec<u8> {
        self.state.borrow().modulation.clone()
    }

    /// Its interrupt pin goes high for nothing, until somebody asks.
    pub(crate) fn disturb(&self) {
        self.interrupt.send_replace(true);
    }

    fn raise(&self, flag: u16) {
        let mut state = self.state.borrow_mut();
        state.flags |= flag;
        self.interrupt.send_replace(state.flags & state.mask != 0);
    }

    fn transmit(&self) {
        let (frame, tuning) = {
            let mut state = self.state.borrow_mut();
            state.listens = None;
            let frame = state.buffer[..usize::from(state.packet[3])].to_vec();
            state.sent.push(frame.clone());
            (frame, state.tuning())
        };
        for chip in self.air.chips.borrow().iter() {
            let mut state = chip.state.borrow_mut();
            if state.hears(&tuning)
                && let Some((_, found)) = &mut state.senses
            {
                *found = true;
            }
        }
        let mut transmissions = self.air.transmissions.borrow_mut();
        let alike = transmissions.iter_mut().filter(|it| it.tuning == tuning);
        let spoilt = alike.map(|it| it.spoilt = true).count() > 0;
        let begin = Instant::now();
        transmissions.push(Transmission {
            sender: self.clone(),
            begin,
            end: begin + airtime(frame.len()),
            frame,
            tuning,
            spoilt,
        });
    }

    /// Looks for a frame on the air (section 13.1.12).
    fn sense(&self) {
        let mut state = self.state.borrow_mut();
        let transmissions = self.air.transmissions.borrow();
        let found = transmissions.iter().any(|it| state.hears(&it.tuning));
        state.senses = Some((Instant::now() + SENSE, found));
        state.listens = None;
    }

    fn hear(&self, said: &Transmission) {
        {
            let mut state = self.state.borrow_mut();
            let heard = state.listens.is_some_and(|since| since <= said.begin);
            if !heard || state.tuning() != said.tuning {
                return;
            }
            state.buffer[..said.frame.len()].copy_from_slice(&said.frame);
            state.received_len = said.frame.len() as u8;
        }
        self.raise(RX_DONE);
    }

    /// A whole command, from select to deselect: what was written; answers what is read after it.
    fn command(&self, written: &[u8]) -> Vec<u8> {
        self.air.settle();
        let mut state = self.state.borrow_mut();
        if std::mem::take(&mut state.sleeps) {
            // Being selected wakes it; what is said meanwhile is lost (section 9.3).
            return vec![0; 16];
        }
        let address = || u16::from_be_bytes([written[1], written[2]]);
        match written[0] {
            0x80 => state.listens = None,
            0x84 => (state.listens, state.sleeps) = (None, true),
            0x82 => state.listens = state.listens.or(Some(Instant::now())),
            0xc5 => {
                drop(state);
                self.sense();
            }
            0x83 => {
                drop(state);
                self.transmit();
            }
            0x86 => state.frequency = written[1..].to_vec(),
            0x8b => state.modulation = written[1..].to_vec(),
            0x8c => state.packet = written[1..7].to_vec(),
            // SetDioIrqParams: flags, then those of DIO1.
            0x08 => {
                state.mask = u16::from_be_bytes([written[3], written[4]]);
                self.interrupt.send_replace(state.flags & state.mask != 0);
            }
            0x02 => {
                state.flags &= !u16::from_be_bytes([written[1], written[2]]);
                self.interrupt.send_replace(state.flags & state.mask != 0);
            }
            // Reading with a status octet first.
            0x12 => {
                self.interrupt.send_replace(state.flags & state.mask != 0);
                return [&[0][..], &state.flags.to_be_bytes()].concat();
            }
            0x13 => return vec![0, state.received_len, 0],
            0x14 => return vec![0, 80, 20, 80],
            0x0e => {
                let at = usize::from(written[1]);
                state.buffer[at..at + written.len() - 2].copy_from_slice(&written[2..]);
            }
            0x1e => return state.buffer[usize::from(written[1])..].to_vec(),
            0x0d => {
                for (at, octet) in (address()..).zip(&written[3..]) {
                    state.registers.insert(at, *octet);
                }
            }
            0x1d => {
                let read = |at| state.registers.get(&at).copied().unwrap_or(0);
                return (address()..address() + 16).map(read).collect();
            }
            _ => {}
        }
        vec![0; 16]
    }
}

impl ErrorType for Chip {
    type Error = Infallible;
}

impl SpiDevice for Chip {
    async fn transaction(
        &mut self,
        operations: &mut [Operation<'_, u8>],
    ) -> Result<(), Infallible> {
        let mut written = Vec::new();
        let mut reads: Vec<&mut [u8]> = Vec::new();
        for operation in operations {
            match operation {
                Operation::Write(octets) => written.extend_from_slice(octets),
                Operation::Read(octets) => reads.push(octets),
                _ => unreachable!("the driver does nothing else"),
            }
        }
        let answer = self.command(&written);
        let mut at = 0;
        for octets in reads {
            octets.copy_from_slice(&answer[at..at + octets.len()]);
            at += octets.len();
        }
        Ok(())
    }
}

/// A pin of the chip: DIO1, or BUSY, which is never high for long; reset and antenna switch are nothing here.
pub(crate) enum Pin {
    /// High while a flag that is not masked is up.
    Dio1(watch::Receiver<bool>, Air),
    /// Low.
    Busy,
}

impl Chip {
    /// The interrupt pin.
    pub(crate) fn dio1(&self) -> Pin {
        Pin::Dio1(self.interrupt.subscribe(), self.air.clone())
    }
}

impl PinErrorType for Pin {
    type Error = Infallible;
}

impl Wait for Pin {
    async fn wait_for_high(&mut self) -> Result<(), Infallible> {
        match self {
            Self::Dio1(level, air) => loop {
                air.settle();
                if *level.borrow_and_update() {
                    return Ok(());
                }
                let next = air.next();
                tokio::select! {
                    changed = level.changed() => changed.expect("the chip outlives its pin"),
                    () = tokio::time::sleep_until(next.unwrap_or_else(Instant::now)), if next.is_some() => {}
                }
            },
            Self::Busy => std::future::pending().await,
        }
    }

    async fn wait_for_low(&mut self) -> Result<(), Infallible> {
        // As long as the chip is busy with a command: nobody runs meanwhile.
        Ok(())
    }

    async fn wait_for_rising_edge(&mut self) -> Result<(), Infallible> {
        self.wait_for_high().await
    }

    async fn wait_for_falling_edge(&mut self) -> Result<(), Infallible> {
        self.wait_for_low().await
    }

    async fn wait_for_any_edge(&mut self) -> Result<(), Infallible> {
        self.wait_for_high().await
    }
}

/// A pin nobody looks at.
pub(crate) struct Wire;

impl PinErrorType for Wire {
    type Error = Infallible;
}

impl OutputPin for Wire {
    fn set_low(&mut self) -> Result<(), Infallible> {
        Ok(())
    }

    fn set_high(&mut self) -> Result<(), Infallible> {
        Ok(())
    }
}
