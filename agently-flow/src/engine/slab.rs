use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The place of an entry in a [`Slab`], and which entry of that place it is.
///
/// A key outlives its entry: it then finds nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct Key {
    #[serde(rename = "s")]
    slot: u32,
    #[serde(rename = "g")]
    generation: u32,
}

impl Key {
    /// Finds nothing, ever.
    pub(crate) const NONE: Self = Self {
        slot: u32::MAX,
        generation: u32::MAX,
    };

    pub(crate) fn slot(self) -> usize {
        self.slot as usize
    }

    pub(crate) fn is_none(self) -> bool {
        self == Self::NONE
    }
}

/// Entries that are found by a [`Key`], in places that are used again.
#[derive(Debug)]
pub(crate) struct Slab<T> {
    entries: Vec<Entry<T>>,
    free: Vec<u32>,
}

#[derive(Debug)]
struct Entry<T> {
    generation: u32,
    value: Option<T>,
}

impl<T> Default for Slab<T> {
    fn default() -> Self {
        Self {
            entries: Vec::new(),
            free: Vec::new(),
        }
    }
}

impl<T> Slab<T> {
    pub(crate) fn insert(&mut self, value: T) -> Key {
        if let Some(slot) = self.free.pop() {
            if let Some(entry) = self.entries.get_mut(slot as usize) {
                entry.value = Some(value);
                return Key {
                    slot,
                    generation: entry.generation,
                };
            }
        }
        if self.entries.is_empty() {
            // Most executions that wait hold one of a thing.
            self.entries.reserve_exact(1);
        }
        let slot = u32::try_from(self.entries.len()).unwrap_or(u32::MAX - 1);
        self.entries.push(Entry {
            generation: 0,
            value: Some(value),
        });
        Key {
            slot,
            generation: 0,
        }
    }

    pub(crate) fn get(&self, key: Key) -> Option<&T> {
        self.entries
            .get(key.slot())
            .filter(|entry| entry.generation == key.generation)
            .and_then(|entry| entry.value.as_ref())
    }

    pub(crate) fn get_mut(&mut self, key: Key) -> Option<&mut T> {
        self.entries
            .get_mut(key.slot())
            .filter(|entry| entry.generation == key.generation)
            .and_then(|entry| entry.value.as_mut())
    }

    pub(crate) fn contains(&self, key: Key) -> bool {
        self.get(key).is_some()
    }

    pub(crate) fn remove(&mut self, key: Key) -> Option<T> {
        let entry = self
            .entries
            .get_mut(key.slot())
            .filter(|entry| entry.generation == key.generation)?;
        let value = entry.value.take()?;
        entry.generation = entry.generation.wrapping_add(1);
        self.free.push(key.slot);
        Some(value)
    }

    /// The entries in the order of their places.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (Key, &T)> {
        (0..).zip(&self.entries).filter_map(|(slot, entry)| {
            let key = Key {
                slot,
                generation: entry.generation,
            };
            entry.value.as_ref().map(|value| (key, value))
        })
    }

    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = (Key, &mut T)> {
        (0..).zip(&mut self.entries).filter_map(|(slot, entry)| {
            let key = Key {
                slot,
                generation: entry.generation,
            };
            entry.value.as_mut().map(|value| (key, value))
        })
    }

    pub(crate) fn keys(&self) -> Vec<Key> {
        self.iter().map(|(key, _)| key).collect()
    }

    pub(crate) fn len(&self) -> usize {
        self.entries.len() - self.free.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Another slab with the same keys; nothing if `f` gives nothing for an entry.
    pub(crate) fn map<U>(&self, mut f: impl FnMut(Key, &T) -> Option<U>) -> Option<Slab<U>> {
        let mut entries = Vec::with_capacity(self.entries.len());
        for (slot, entry) in (0..).zip(&self.entries) {
            let key = Key {
                slot,
                generation: entry.generation,
            };
            let value = match &entry.value {
                Some(value) => Some(f(key, value)?),
                None => None,
            };
            entries.push(Entry {
                generation: entry.generation,
                value,
            });
        }
        Some(Slab {
            entries,
            free: self.free.clone(),
        })
    }

    /// Empties it; keys from before find nothing.
    pub(crate) fn clear(&mut self) {
        for key in self.keys() {
            self.remove(key);
        }
    }
}

/// A slab in a snapshot. The generations of free places are kept, so that a key from before the
/// save never finds an entry from after it.
#[derive(Serialize, Deserialize)]
struct Saved<T> {
    generations: Vec<u32>,
    entries: Vec<(u32, T)>,
}

impl<T: Serialize> Serialize for Slab<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Saved {
            generations: self.entries.iter().map(|entry| entry.generation).collect(),
            entries: self.iter().map(|(key, value)| (key.slot, value)).collect(),
        }
        .serialize(serializer)
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Slab<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let saved = Saved::<T>::deserialize(deserializer)?;
        let mut entries: Vec<_> = saved
            .generations
            .into_iter()
            .map(|generation| Entry {
                generation,
                value: None,
            })
            .collect();
        for (slot, value) in saved.entries {
            let entry = entries
                .get_mut(slot as usize)
                .filter(|entry| entry.value.is_none())
                .ok_or_else(|| serde::de::Error::custom("an entry has no place"))?;
            entry.value = Some(value);
        }
        let mut free: Vec<u32> = (0..)
            .zip(&entries)
            .filter(|(_, entry)| entry.value.is_none())
            .map(|(slot, _)| slot)
            .collect();
        free.reverse();
        Ok(Self { entries, free })
    }
}
