//! A digest of JSON values that is the same on every machine, in every build, and after a trip
//! through a store that reorders keys or prints numbers its own way.

use serde_json::Value;

/// FNV-1a, 64 bits.
#[derive(Clone, Debug)]
pub(crate) struct Digest(u64);

/// Whole numbers up to here are exact as floats, too.
const EXACT: f64 = 9_007_199_254_740_992.0;

impl Digest {
    pub(crate) fn new() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }

    pub(crate) fn of(value: &Value) -> u64 {
        let mut digest = Self::new();
        digest.value(value);
        digest.finish()
    }

    pub(crate) fn bytes(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
    }

    pub(crate) fn text(&mut self, text: &str) {
        self.bytes(&(text.len() as u64).to_le_bytes());
        self.bytes(text.as_bytes());
    }

    pub(crate) fn value(&mut self, value: &Value) {
        match value {
            Value::Null => self.bytes(b"n"),
            Value::Bool(true) => self.bytes(b"t"),
            Value::Bool(false) => self.bytes(b"f"),
            Value::Number(number) => {
                if let Some(whole) = number.as_i64() {
                    self.bytes(b"i");
                    self.bytes(&whole.to_le_bytes());
                } else if let Some(whole) = number.as_u64() {
                    self.bytes(b"u");
                    self.bytes(&whole.to_le_bytes());
                } else {
                    match number.as_f64() {
                        #[expect(
                            clippy::cast_possible_truncation,
                            reason = "the number is whole and small enough to be exact"
                        )]
                        Some(float) if float.fract() == 0.0 && float.abs() < EXACT => {
                            self.bytes(b"i");
                            self.bytes(&(float as i64).to_le_bytes());
                        }
                        // Stores print the last digits as they like.
                        _ => self.bytes(b"d"),
                    }
                }
            }
            Value::String(text) => {
                self.bytes(b"s");
                self.text(text);
            }
            Value::Array(items) => {
                self.bytes(b"[");
                for item in items {
                    self.value(item);
                }
                self.bytes(b"]");
            }
            Value::Object(map) => {
                self.bytes(b"{");
                let mut entries: Vec<_> = map.iter().collect();
                entries.sort_unstable_by_key(|(key, _)| *key);
                for (key, item) in entries {
                    self.text(key);
                    self.value(item);
                }
                self.bytes(b"}");
            }
        }
    }

    pub(crate) fn finish(&self) -> u64 {
        self.0
    }
}
