//! A clock that only moves when everybody waits, an air without loss, the base on it and a person at the console.
//! Refuses to wake a future before what it waits for is there.

use core::convert::Infallible;
use core::future::{Future, poll_fn};
use core::task::{Context, Poll, Waker};
use std::boxed::Box;
use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::pin::pin;
use std::rc::Rc;
use std::string::String;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Wake;
use std::vec::Vec;

use embedded_hal_async::delay::DelayNs;
use longwire_codec::channel::Channel;
use longwire_codec::serial::wire_len_max;
use longwire_codec::time::Instant;

use super::Act;
use crate::endpoint::channel;
use crate::radio::Radio;
use crate::radio::serial::{Framing, Transparent};
use crate::tests::base::{Base, PROVISION};

const WIRE_MAX: usize = wire_len_max(256);

pub(super) struct World {
    pub(super) now: Cell<u64>,
    pub(super) base: RefCell<Base>,
    /// Everything the console said.
    pub(super) said: RefCell<String>,
    script: RefCell<VecDeque<(&'static str, Act)>>,
    quit: Cell<bool>,
    /// The script goes on at this moment.
    later: Cell<u64>,
    /// The board's radio is asleep: what comes now is lost.
    deaf: Cell<bool>,
    /// What the board sent: when, and how long it took.
    pub(super) sent: RefCell<Vec<(u64, u64)>>,
    typed: RefCell<VecDeque<u8>>,
    /// Frames on the air: when they end, and whether base sent them.
    air: RefCell<Vec<(u64, bool, Vec<u8>)>>,
    heard: RefCell<VecDeque<Vec<u8>>>,
    /// Octets of the modem's UART, to and from the board.
    wire: RefCell<VecDeque<u8>>,
    modem: RefCell<Box<dyn Framing>>,
    alarms: RefCell<Vec<(u64, Waker)>>,
    listener: RefCell<Option<Waker>>,
    reader: RefCell<Option<Waker>>,
}

impl World {
    pub(super) fn new(script: &[(&'static str, Act)]) -> Self {
        Self::with_modem(script, Box::new(Transparent::<WIRE_MAX>::new()))
    }

    pub(super) fn with_modem(script: &[(&'static str, Act)], modem: Box<dyn Framing>) -> Self {
        let world = Self {
            now: Cell::new(0),
            base: RefCell::new(Base::new()),
            said: RefCell::default(),
            script: RefCell::new(script.iter().copied().collect()),
            quit: Cell::new(false),
            later: Cell::new(0),
            deaf: Cell::new(false),
            sent: RefCell::default(),
            typed: RefCell::default(),
            air: RefCell::default(),
            heard: RefCell::default(),
            wire: RefCell::default(),
            modem: RefCell::new(modem),
            alarms: RefCell::default(),
            listener: RefCell::default(),
            reader: RefCell::default(),
        };
        world.act();
        world
    }

    fn instant(&self) -> Instant {
        Instant::from_millis(self.now.get())
    }

    /// Runs a future, polled only when woken, until it ends or the script quits; how often it was polled.
    pub(super) fn drive<O>(&self, future: impl Future<Output = O>) -> (u32, Option<O>) {
        struct Flag(AtomicBool);
        impl Wake for Flag {
            fn wake(self: Arc<Self>) {
                self.0.store(true, Ordering::Relaxed);
            }
        }
        let flag = Arc::new(Flag(AtomicBool::new(true)));
        let waker = Waker::from(flag.clone());
        let mut future = pin!(future);
        let mut polls = 0;
        while !self.quit.get() {
            if flag.0.swap(false, Ordering::Relaxed) {
                polls += 1;
                if let Poll::Ready(ended) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
                    return (polls, Some(ended));
                }
            }
            let alarm = self.alarms.borrow().iter().map(|(at, _)| *at).min();
            self.step(alarm.unwrap_or(u64::MAX));
        }
        (polls, None)
    }

    /// Lets time pass until something happens, at most until the board's own alarm.
    pub(super) fn step(&self, alarm: u64) {
        let on_air = self.air.borrow().iter().map(|(at, ..)| *at).min();
        let base = self.base.borrow().link.poll_timeout();
        let later = Some(self.later.get()).filter(|at| *at > self.now.get());
        let next = [
            Some(alarm),
            on_air,
            later,
            base.map(|(at, _)| at.as_millis()),
        ];
        let next = next.into_iter().flatten().min().unwrap_or(u64::MAX);
        assert!(
            next < 24 * 3_600_000,
            "nothing more happens: {}",
            self.said.borrow()
        );
        self.now.set(self.now.get().max(next));
        self.act();
        self.land();
        self.turn_of_base();
        let now = self.now.get();
        let (due, later) = self
            .alarms
            .take()
            .into_iter()
            .partition(|(at, _)| *at <= now);
        self.alarms.replace(later);
        let due: Vec<(u64, Waker)> = due;
        due.into_iter().for_each(|(_, waker)| waker.wake());
        if !self.heard.borrow().is_empty() {
            self.listener.take().into_iter().for_each(Waker::wake);
        }
        if !self.typed.borrow().is_empty() {
            self.reader.take().into_iter().for_each(Waker::wake);
        }
    }

    /// Frames whose airtime is over arrive.
    fn land(&self) {
        let now = self.now.get();
        let (done, rest) = self.air.take().into_iter().partition(|(at, ..)| *at <= now);
        self.air.replace(rest);
        let done: Vec<(u64, bool, Vec<u8>)> = done;
        for (_, from_base, mut frame) in done {
            let mut base = self.base.borrow_mut();
            if from_base {
                base.link.handle_sent(self.instant());
                let mut wire = [0; 1024];
                let len = self.modem.borrow().emit(&frame, &mut wire).expect("fits");
                self.wire.borrow_mut().extend(&wire[..len]);
                if !self.deaf.get() {
                    self.heard.borrow_mut().push_back(frame);
                }
            } else {
                base.link.handle_frame(self.instant(), &mut frame);
            }
        }
    }

    fn turn_of_base(&self) {
        let (mut base, now) = (self.base.borrow_mut(), self.instant());
        base.link.handle_timeout(now);
        base.settle(now);
        base.fill(now);
        let mut frame = [0; 256];
        let busy = self.air.borrow().iter().any(|(_, from_base, _)| *from_base);
        if busy {
            return;
        }
        if let Some(sent) = base.link.poll_transmit(now, &mut frame) {
            self.transmit(true, &frame[..sent.len]);
        }
    }

    fn transmit(&self, from_base: bool, frame: &[u8]) {
        let airtime_ms = channel(&PROVISION).airtime_ms(frame.len());
        let end = self.now.get() + airtime_ms;
        if !from_base {
            self.sent.borrow_mut().push((self.now.get(), airtime_ms));
        }
        self.air.borrow_mut().push((end, from_base, frame.to_vec()));
    }

    /// Whatever the script says next, once the console has said what it waits for.
    fn act(&self) {
        loop {
            let next = self.script.borrow().front().copied();
            let next = next.filter(|_| self.later.get() <= self.now.get());
            let Some((_, act)) = next.filter(|(cue, _)| self.said.borrow().contains(cue)) else {
                return;
            };
            match act {
                Act::Type(line) => self.typed.borrow_mut().extend(line.bytes()),
                Act::Base(what) => self.base.borrow_mut().say(what),
                Act::Later(wait) => self.later.set(self.now.get() + wait),
                Act::Quit => self.quit.set(true),
            }
            let _ = self.script.borrow_mut().pop_front();
        }
    }
}

#[derive(Clone)]
pub(super) struct Delay(pub(super) Rc<World>);

impl DelayNs for Delay {
    async fn delay_ns(&mut self, ns: u32) {
        self.delay_ms(ns.div_ceil(1_000_000)).await;
    }

    async fn delay_ms(&mut self, ms: u32) {
        let until = self.0.now.get() + u64::from(ms);
        poll_fn(|context| {
            if self.0.now.get() >= until {
                return Poll::Ready(());
            }
            self.0
                .alarms
                .borrow_mut()
                .push((until, context.waker().clone()));
            Poll::Pending
        })
        .await;
    }
}

/// A radio that takes whole frames.
pub(super) struct Ether(pub(super) Rc<World>);

impl Radio for Ether {
    type Error = Infallible;

    fn channel(&self) -> Channel {
        channel(&PROVISION)
    }

    async fn transmit(&mut self, frame: &[u8], _: &mut [u8]) -> Result<usize, Infallible> {
        self.0.deaf.set(false);
        self.0.transmit(false, frame);
        let airtime_ms = self.channel().airtime_ms(frame.len());
        let airtime_ms = u32::try_from(airtime_ms).expect("short");
        Delay(self.0.clone()).delay_ms(airtime_ms).await;
        Ok(0)
    }

    async fn sleep(&mut self) -> Result<(), Infallible> {
        self.0.deaf.set(true);
        Ok(())
    }

    async fn receive(&mut self, frame: &mut [u8]) -> Result<usize, Infallible> {
        self.0.deaf.set(false);
        poll_fn(|context| {
            let Some(heard) = self.0.heard.borrow_mut().pop_front() else {
                self.0.listener.replace(Some(context.waker().clone()));
                return Poll::Pending;
            };
            frame[..heard.len()].copy_from_slice(&heard);
            Poll::Ready(Ok(heard.len()))
        })
        .await
    }
}

/// A radio whose chip does not answer.
pub(super) struct Broken;

impl Radio for Broken {
    type Error = ();

    fn channel(&self) -> Channel {
        channel(&PROVISION)
    }

    async fn transmit(&mut self, _: &[u8], _: &mut [u8]) -> Result<usize, ()> {
        Err(())
    }

    async fn receive(&mut self, _: &mut [u8]) -> Result<usize, ()> {
        Err(())
    }
}

/// The UART of a modem.
pub(super) struct Line(pub(super) Rc<World>);

impl embedded_io::ErrorType for Line {
    type Error = Infallible;
}

impl embedded_io::ReadReady for Line {
    fn read_ready(&mut self) -> Result<bool, Infallible> {
        Ok(!self.0.wire.borrow().is_empty())
    }
}

impl embedded_io::Read for Line {
    fn read(&mut self, octets: &mut [u8]) -> Result<usize, Infallible> {
        Ok(take(&self.0.wire, octets))
    }
}

impl embedded_io::Write for Line {
    fn write(&mut self, octets: &[u8]) -> Result<usize, Infallible> {
        for octet in octets {
            if let Some(frame) = self.0.modem.borrow_mut().push(*octet) {
                self.0.transmit(false, frame);
            }
        }
        Ok(octets.len())
    }

    fn flush(&mut self) -> Result<(), Infallible> {
        Ok(())
    }
}

/// The person at the console.
pub(super) struct Keyboard(pub(super) Rc<World>);

impl embedded_io::ErrorType for Keyboard {
    type Error = Infallible;
}

impl embedded_io::ReadReady for Keyboard {
    fn read_ready(&mut self) -> Result<bool, Infallible> {
        Ok(!self.0.typed.borrow().is_empty())
    }
}

impl embedded_io::Read for Keyboard {
    fn read(&mut self, octets: &mut [u8]) -> Result<usize, Infallible> {
        Ok(take(&self.0.typed, octets))
    }
}

impl embedded_io::Write for Keyboard {
    fn write(&mut self, octets: &[u8]) -> Result<usize, Infallible> {
        let text = core::str::from_utf8(octets).expect("the console says text");
        self.0.said.borrow_mut().push_str(text);
        Ok(octets.len())
    }

    fn flush(&mut self) -> Result<(), Infallible> {
        Ok(())
    }
}

impl embedded_io_async::Read for Keyboard {
    async fn read(&mut self, octets: &mut [u8]) -> Result<usize, Infallible> {
        poll_fn(|context| {
            if self.0.typed.borrow().is_empty() {
                self.0.reader.replace(Some(context.waker().clone()));
                return Poll::Pending;
            }
            Poll::Ready(Ok(take(&self.0.typed, octets)))
        })
        .await
    }
}

impl embedded_io_async::Write for Keyboard {
    async fn write(&mut self, octets: &[u8]) -> Result<usize, Infallible> {
        embedded_io::Write::write(self, octets)
    }

    async fn flush(&mut self) -> Result<(), Infallible> {
        Ok(())
    }
}

fn take(queue: &RefCell<VecDeque<u8>>, octets: &mut [u8]) -> usize {
    let mut queue = queue.borrow_mut();
    let len = queue.len().min(octets.len());
    octets
        .iter_mut()
        .zip(queue.drain(..len))
        .for_each(|(place, octet)| *place = octet);
    len
}
