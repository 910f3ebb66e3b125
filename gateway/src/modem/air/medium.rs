//! The air itself: who is talking, who hears it, and when. Refuses to buffer for the deaf: a half-duplex station that
//! talks hears nothing, and two that talk at once are heard by nobody.

use std::cell::RefCell;
use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until};

use super::{Channel, Fates, Weather};

/// Frames that may wait unread at a station; older ones are lost, as in a modem's buffer.
const UNREAD_MAX: usize = 256;
/// A station that goes on talking within this time has not let go of the key.
const KEYED: Duration = Duration::from_millis(20);

thread_local! {
    /// The media of this runtime by name. A runtime has one thread, so tests do not hear each other.
    static MEDIA: RefCell<HashMap<String, Weak<Medium>>> = RefCell::default();
}

/// A stretch of air shared by its stations.
#[derive(Debug)]
pub struct Medium {
    channel: Channel,
    weather: Weather,
    opened: Instant,
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    stations: Vec<Ear>,
    /// Transmissions that have not ended long ago.
    on_air: Vec<Transmission>,
    silent: bool,
    traffic: Traffic,
}

/// What a medium carried so far, all stations together.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Traffic {
    /// Frames sent.
    pub frames: u64,
    /// Octets in them.
    pub octets: u64,
    /// Frames that no station heard.
    pub lost: u64,
}

/// The receiving half of a station.
#[derive(Debug)]
struct Ear {
    heard: VecDeque<(Instant, Vec<u8>)>,
    news: Arc<Notify>,
    fates: Fates,
    present: bool,
}

#[derive(Clone, Copy, Debug)]
struct Transmission {
    station: usize,
    end: Instant,
    spoilt: bool,
}

impl Medium {
    /// The medium `name` of this thread, made with these properties if it is new.
    pub fn named(name: &str, channel: Channel, weather: Weather) -> Arc<Self> {
        MEDIA.with_borrow_mut(|media| {
            if let Some(medium) = media.get(name).and_then(Weak::upgrade) {
                return medium;
            }
            let medium = Self::new(channel, weather);
            media.insert(name.into(), Arc::downgrade(&medium));
            medium
        })
    }

    /// The medium `name` of this thread, if a station is on it: to make it fall silent in tests and the demo.
    pub fn existing(name: &str) -> Option<Arc<Self>> {
        MEDIA.with_borrow(|media| media.get(name).and_then(Weak::upgrade))
    }

    pub(in super::super) fn new(channel: Channel, weather: Weather) -> Arc<Self> {
        Arc::new(Self {
            channel,
            weather,
            opened: Instant::now(),
            inner: Mutex::default(),
        })
    }

    /// What it carried so far.
    pub fn traffic(&self) -> Traffic {
        self.lock().traffic
    }

    /// Cuts all paths (`true`) or restores them.
    pub fn set_silent(&self, silent: bool) {
        self.lock().silent = silent;
    }

    /// A new station.
    pub(in super::super) fn join(self: &Arc<Self>) -> Place {
        let mut inner = self.lock();
        let station = inner.stations.len();
        let news = Arc::new(Notify::new());
        inner.stations.push(Ear {
            heard: VecDeque::new(),
            news: news.clone(),
            fates: Fates::new(self.weather.seed, station as u64 + 1),
            present: true,
        });
        Place {
            medium: self.clone(),
            station,
            news,
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // Nothing below panics while it holds the lock; a poisoned medium is still a medium.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_out(&self, now: Instant, inner: &Inner) -> bool {
        let at = now.duration_since(self.opened).as_millis() as u64;
        let every = self.weather.every_ms;
        inner.silent || (every > 0 && at % every >= every.saturating_sub(self.weather.outage_ms))
    }

    /// Keys up: when the frame will have left.
    fn begin(&self, station: usize, len: usize) -> Instant {
        let now = Instant::now();
        let mut inner = self.lock();
        let keyed = inner
            .on_air
            .iter()
            .any(|it| it.station == station && it.end + KEYED >= now);
        inner.on_air.retain(|it| it.end + KEYED >= now);
        let turnaround = if keyed { 0 } else { self.channel.turnaround_ms };
        let airtime = Duration::from_millis(self.channel.airtime_ms(len) + u64::from(turnaround));
        let mut ours = Transmission {
            station,
            end: now + airtime,
            spoilt: false,
        };
        if !self.weather.full_duplex {
            for other in &mut inner.on_air {
                if other.station != station && other.end > now {
                    (other.spoilt, ours.spoilt) = (true, true);
                }
            }
        }
        inner.on_air.push(ours);
        ours.end
    }

    /// The frame has left: whoever can hear it does.
    fn end(&self, station: usize, end: Instant, frame: &[u8]) {
        let mut inner = self.lock();
        let ours = |it: &&Transmission| it.station == station && it.end == end;
        let spoilt = inner.on_air.iter().find(ours).is_none_or(|it| it.spoilt);
        let out = self.is_out(end, &inner);
        let arrival = end + Duration::from_millis(self.weather.delay_ms);
        let mut was_heard = false;
        for (index, ear) in inner.stations.iter_mut().enumerate() {
            if index == station || !ear.present {
                continue;
            }
            let lost = ear.fates.is_lost(&self.weather);
            if lost || spoilt || out {
                continue;
            }
            was_heard = true;
            let mut heard = frame.to_vec();
            ear.fates.flip(&self.weather, &mut heard);
            if ear.fates.is_repeated(&self.weather) {
                ear.heard.push_back((arrival, heard.clone()));
            }
            ear.heard.push_back((arrival, heard));
            while ear.heard.len() > UNREAD_MAX {
                ear.heard.pop_front();
            }
            ear.news.notify_one();
        }
        let traffic = &mut inner.traffic;
        traffic.frames += 1;
        traffic.octets += frame.len() as u64;
        traffic.lost += u64::from(!was_heard);
    }
}

/// A station on a medium; leaving is dropping it.
#[derive(Debug)]
pub(in super::super) struct Place {
    medium: Arc<Medium>,
    station: usize,
    news: Arc<Notify>,
}

impl Place {
    pub(in super::super) async fn transmit(&self, frame: &[u8]) {
        let end = self.medium.begin(self.station, frame.len());
        sleep_until(end).await;
        self.medium.end(self.station, end, frame);
    }

    pub(in super::super) async fn receive(&self, frame: &mut [u8]) -> usize {
        loop {
            let next = self.medium.lock().stations[self.station]
                .heard
                .front()
                .map(|(arrival, _)| *arrival);
            let Some(arrival) = next else {
                self.news.notified().await;
                continue;
            };
            sleep_until(arrival).await;
            let heard = self.medium.lock().stations[self.station].heard.pop_front();
            let Some((_, heard)) = heard else {
                continue;
            };
            if let Some(room) = frame.get_mut(..heard.len()) {
                room.copy_from_slice(&heard);
                return heard.len();
            }
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut inner = self.medium.lock();
        let ear = &mut inner.stations[self.station];
        ear.present = false;
        ear.heard.clear();
    }
}
