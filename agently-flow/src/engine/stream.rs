//! The stream of items that an execution puts out.

use std::collections::VecDeque;
use std::sync::Arc;
use std::task::{Context, Waker};

use serde_json::Value;

use super::slab::{Key, Slab};
use super::Engine;
use crate::error::{Error, ErrorKind};

/// Items that readers may still want.
#[derive(Debug, Default)]
pub(super) struct Items {
    kept: VecDeque<Arc<Value>>,
    /// The position of the first one kept.
    first: u64,
    readers: Slab<Reader>,
    writers: Vec<Waker>,
    ended: bool,
}

#[derive(Debug)]
struct Reader {
    next: u64,
    waker: Option<Waker>,
}

/// What a reader gets.
#[derive(Debug)]
pub(crate) enum Read {
    Item(Arc<Value>),
    /// So many items are gone.
    Lagged(u64),
    Pending,
    Ended(Option<Error>),
}

impl Items {
    pub(super) fn is_full(&self, capacity: Option<usize>) -> bool {
        capacity.is_some_and(|capacity| self.kept.len() >= capacity.max(1))
    }

    pub(super) fn position(&self) -> u64 {
        self.first + self.kept.len() as u64
    }

    /// After a load: items from before are not here.
    pub(super) fn at(position: u64) -> Self {
        Self {
            first: position,
            ..Self::default()
        }
    }

    /// With a capacity, what all readers have read is let go.
    fn trim(&mut self, wakes: &mut Vec<Waker>) {
        let Some(slowest) = self.readers.iter().map(|(_, reader)| reader.next).min() else {
            return;
        };
        let before = self.kept.len();
        while self.first < slowest && self.kept.pop_front().is_some() {
            self.first += 1;
        }
        if self.kept.len() < before {
            wakes.append(&mut self.writers);
        }
    }
}

impl Engine {
    pub(super) fn put_item(&mut self, item: Value) {
        self.items.kept.push_back(Arc::new(item));
        for (_, reader) in self.items.readers.iter_mut() {
            self.wakes.extend(reader.waker.take());
        }
    }

    pub(super) fn end_items(&mut self) {
        self.items.ended = true;
        for (_, reader) in self.items.readers.iter_mut() {
            self.wakes.extend(reader.waker.take());
        }
        self.wakes.append(&mut self.items.writers);
    }

    /// A reader from the first item on.
    pub(crate) fn open_reader(&mut self) -> (Key, u64) {
        let first = self.items.first;
        let from = if self.rules.stream_capacity.is_some() {
            0
        } else {
            first
        };
        let key = self.items.readers.insert(Reader {
            next: first,
            waker: None,
        });
        (key, first - from)
    }

    pub(crate) fn read(&mut self, key: Key, cx: &Context<'_>) -> Read {
        let first = self.items.first;
        let Some(reader) = self.items.readers.get_mut(key) else {
            return Read::Ended(None);
        };
        if reader.next < first {
            let gone = first - reader.next;
            reader.next = first;
            return Read::Lagged(gone);
        }
        let place = usize::try_from(reader.next - first).unwrap_or(usize::MAX);
        if let Some(item) = self.items.kept.get(place).cloned() {
            reader.next += 1;
            if self.rules.stream_capacity.is_some() {
                self.items.trim(&mut self.wakes);
            }
            return Read::Item(item);
        }
        if self.items.ended {
            return Read::Ended(self.stream_error());
        }
        reader.waker = Some(cx.waker().clone());
        Read::Pending
    }

    /// A stream that was cut off does not end as if it were complete.
    fn stream_error(&self) -> Option<Error> {
        match &self.fatal {
            Some(fatal) => Some(fatal.clone()),
            None if self.cut => Some(Error::new(
                ErrorKind::Cancelled,
                "the execution was cancelled before its stream was complete",
            )),
            None => None,
        }
    }

    pub(crate) fn close_reader(&mut self, key: Key) {
        self.items.readers.remove(key);
        if self.rules.stream_capacity.is_some() {
            self.items.trim(&mut self.wakes);
        }
    }

    pub(crate) fn watch_room(&mut self, cx: &Context<'_>) {
        let writers = &mut self.items.writers;
        if !writers.iter().any(|known| known.will_wake(cx.waker())) {
            writers.push(cx.waker().clone());
        }
    }
}
