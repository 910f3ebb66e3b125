//! In which order queued stanzas go to one peer, and which never need to. Refuses I/O: it is an index over the rows of
//! [`crate::store::outbox`], rebuilt from them at start.
//!
//! Order is kept within a pair of sender and receiver: only the oldest stanza of a pair can go, but it goes as early
//! as the most urgent one behind it. Between pairs the class decides, then age. The link keeps the order of packets
//! within two groups, bulk and everything else; a stanza waits until those of its pair in the other group arrived.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};

use crate::policy::Class;
use crate::policy::merge::Merge;
use crate::store::outbox::Queued;

/// What the arrival of a stanza does to the queue.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Admission {
    /// It joins the queue; these rows go.
    Append(Vec<i64>),
    /// It takes the place of this row.
    Replace(i64),
    /// It takes the place of this row, under the id the row has.
    Edit(i64),
    /// Neither it nor this row goes.
    Cancel(i64),
}

#[derive(Debug)]
struct Entry {
    number: Option<u32>,
    class: Class,
    expires_ms: i64,
    pair: String,
    merge: String,
    stanza_id: String,
    /// Withdrawn, and the link was told.
    cancelled: bool,
}

/// The stanzas of one sender to one receiver.
#[derive(Debug, Default)]
struct Pair {
    /// Not granted yet, oldest first.
    waiting: VecDeque<i64>,
    /// How many of them, by class.
    classes: [usize; 4],
    /// Granted and not delivered: those of the bulk group, and the others.
    bulk_on_air: usize,
    others_on_air: usize,
    /// Where the pair stands in `Outbox::ready`.
    ready: Option<(Class, i64)>,
}

/// The queue of one peer.
#[derive(Debug, Default)]
pub struct Outbox {
    entries: BTreeMap<i64, Entry>,
    pairs: HashMap<String, Pair>,
    ready: BTreeSet<(Class, i64)>,
    numbers: BTreeMap<u32, i64>,
    expiries: BTreeSet<(i64, i64)>,
}

impl Outbox {
    /// The queue the rows say.
    pub fn new(rows: &[Queued]) -> Self {
        let mut outbox = Self::default();
        for row in rows {
            outbox.push(row);
        }
        outbox
    }

    /// How many stanzas are in custody.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Is there nothing?
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// How many of each class are waiting, the first goes first.
    pub fn waiting(&self) -> [usize; 4] {
        let mut sum = [0; 4];
        for pair in self.pairs.values() {
            for (total, count) in sum.iter_mut().zip(pair.classes) {
                *total += count;
            }
        }
        sum
    }

    /// How many are granted and not delivered.
    pub fn on_air(&self) -> usize {
        self.numbers.len()
    }

    /// What a stanza from `sender` to `recipient` does to the queue. Nothing is changed yet.
    pub fn admit(&self, sender: &str, recipient: &str, merge: &Merge) -> Admission {
        let append = || Admission::Append(Vec::new());
        let Some(pair) = self.pairs.get(&pair_key(sender, recipient)) else {
            return append();
        };
        let by_id = |id: &str| {
            let named = |row: &&i64| self.entries.get(row).is_some_and(|it| it.stanza_id == id);
            pair.waiting.iter().rev().find(named).copied()
        };
        match merge {
            Merge::Append => append(),
            Merge::Last(key) => {
                let last = pair.waiting.back().copied();
                let same = |row: &i64| self.entries.get(row).is_some_and(|it| it.merge == *key);
                last.filter(same).map_or_else(append, Admission::Replace)
            }
            Merge::Latest(key) => {
                let older = pair.waiting.iter().copied();
                let same = |row: &i64| self.entries.get(row).is_some_and(|it| it.merge == *key);
                Admission::Append(older.filter(same).collect())
            }
            Merge::Edit(id) => by_id(id).map_or_else(append, Admission::Edit),
            Merge::Retract(id) => by_id(id).map_or_else(append, Admission::Cancel),
        }
    }

    /// Adds a row.
    pub fn push(&mut self, row: &Queued) {
        let key = pair_key(&row.sender, &row.recipient);
        let class = Class::from_index(row.class);
        let pair = self.pairs.entry(key.clone()).or_default();
        match row.number {
            None => {
                pair.waiting.push_back(row.id);
                pair.classes[usize::from(class.index())] += 1;
            }
            Some(number) => {
                *pair.on_air_mut(class) += 1;
                self.numbers.insert(number, row.id);
            }
        }
        self.expiries.insert((row.expires_ms, row.id));
        let entry = Entry {
            number: row.number,
            class,
            expires_ms: row.expires_ms,
            pair: key.clone(),
            merge: row.merge.clone(),
            stanza_id: row.stanza_id.clone(),
            cancelled: false,
        };
        self.entries.insert(row.id, entry);
        self.settle(&key);
    }

    /// A row was given other content in its place.
    pub fn change(&mut self, id: i64, merge: &str, expires_ms: i64) {
        if let Some(entry) = self.entries.get_mut(&id) {
            self.expiries.remove(&(entry.expires_ms, id));
            self.expiries.insert((expires_ms, id));
            entry.expires_ms = expires_ms;
            entry.merge = merge.into();
        }
    }

    /// Is this row here?
    pub fn contains(&self, id: i64) -> bool {
        self.entries.contains_key(&id)
    }

    /// Makes a row expire at once.
    pub fn withdraw(&mut self, id: i64) {
        if let Some(entry) = self.entries.get_mut(&id)
            && !entry.cancelled
        {
            self.expiries.remove(&(entry.expires_ms, id));
            entry.expires_ms = 0;
            self.expiries.insert((0, id));
        }
    }

    /// The row to send next and the class to send it with, if one can go.
    pub fn next(&self) -> Option<(i64, Class)> {
        self.ready.first().map(|(class, id)| (*id, *class))
    }

    /// The link gave the row this number, and it goes with this class.
    pub fn grant(&mut self, id: i64, number: u32, class: Class) {
        let Some(entry) = self.entries.get_mut(&id) else {
            return;
        };
        let key = entry.pair.clone();
        if let Some(pair) = self.pairs.get_mut(&key) {
            pair.withdraw(id);
            pair.classes[usize::from(entry.class.index())] -= 1;
            *pair.on_air_mut(class) += 1;
        }
        (entry.number, entry.class) = (Some(number), class);
        self.numbers.insert(number, id);
        self.settle(&key);
    }

    /// The row of a packet.
    pub fn by_number(&self, number: u32) -> Option<i64> {
        self.numbers.get(&number).copied()
    }

    /// The row of a packet, how it goes, and whether it is withdrawn.
    pub fn on_air_row(&self, number: u32) -> Option<(i64, Class, bool)> {
        let id = self.by_number(number)?;
        let entry = self.entries.get(&id)?;
        Some((id, entry.class, entry.cancelled))
    }

    /// Granted and undelivered packets in the order of their numbers: number, row, class, and whether withdrawn.
    pub fn granted(&self) -> Vec<(u32, i64, Class, bool)> {
        let known = self.numbers.iter().filter_map(|(number, id)| {
            let entry = self.entries.get(id)?;
            Some((*number, *id, entry.class, entry.cancelled))
        });
        known.collect()
    }

    /// Takes a row out; `false` if it was not there.
    pub fn remove(&mut self, id: i64) -> bool {
        let Some(entry) = self.entries.remove(&id) else {
            return false;
        };
        self.expiries.remove(&(entry.expires_ms, id));
        if let Some(pair) = self.pairs.get_mut(&entry.pair) {
            match entry.number {
                None => {
                    pair.withdraw(id);
                    pair.classes[usize::from(entry.class.index())] -= 1;
                }
                Some(number) => {
                    self.numbers.remove(&number);
                    *pair.on_air_mut(entry.class) -= 1;
                }
            }
        }
        self.settle(&entry.pair);
        true
    }

    /// When the next row expires, Unix ms.
    pub fn next_expiry(&self) -> Option<i64> {
        self.expiries.first().map(|(expires_ms, _)| *expires_ms)
    }

    /// Takes the next expired row: with its packet number if the link must be asked to withdraw it, in which case the
    /// row stays until the link answers.
    pub fn expire(&mut self, now_ms: i64) -> Option<(i64, Option<u32>)> {
        let (expires_ms, id) = *self.expiries.first()?;
        if expires_ms > now_ms {
            return None;
        }
        self.expiries.remove(&(expires_ms, id));
        let entry = self.entries.get_mut(&id)?;
        entry.cancelled = true;
        Some((id, entry.number))
    }

    /// Puts the pair where it belongs in `ready`.
    fn settle(&mut self, key: &str) {
        let Some(pair) = self.pairs.get_mut(key) else {
            return;
        };
        if let Some(old) = pair.ready.take() {
            self.ready.remove(&old);
        }
        if let Some(new) = pair.head(&self.entries) {
            pair.ready = Some(new);
            self.ready.insert(new);
        }
        if pair.waiting.is_empty() && pair.bulk_on_air == 0 && pair.others_on_air == 0 {
            self.pairs.remove(key);
        }
    }
}

impl Pair {
    /// Takes a row out of the waiting ones; it is nearly always the first.
    fn withdraw(&mut self, id: i64) {
        if self.waiting.front() == Some(&id) {
            self.waiting.pop_front();
        } else {
            self.waiting.retain(|it| *it != id);
        }
    }

    fn on_air_mut(&mut self, class: Class) -> &mut usize {
        match class {
            Class::Bulk => &mut self.bulk_on_air,
            Class::Urgent | Class::Chat | Class::Presence => &mut self.others_on_air,
        }
    }

    /// The oldest waiting row with the class of the most urgent one behind it; `None` while stanzas of the pair are on
    /// the air in the other group.
    fn head(&self, entries: &BTreeMap<i64, Entry>) -> Option<(Class, i64)> {
        let id = *self.waiting.front()?;
        entries.get(&id)?;
        let first = self.classes.iter().position(|count| *count > 0)?;
        let class = Class::from_index(u8::try_from(first).ok()?);
        let other = match class {
            Class::Bulk => self.others_on_air,
            Class::Urgent | Class::Chat | Class::Presence => self.bulk_on_air,
        };
        (other == 0).then_some((class, id))
    }
}

fn pair_key(sender: &str, recipient: &str) -> String {
    // A line feed stands in no JID.
    format!("{sender}\n{recipient}")
}

#[cfg(test)]
mod tests;
