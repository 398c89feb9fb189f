//! How far a reading is from the text, and when one reading is better than another.

/// A quote that could have ended its string is worth so many faults.
const SWALLOWED: u32 = 2;

/// What a reading costs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Cost {
    /// How many faults the text must have for it, and how often it departs from the schema.
    pub(super) weight: u32,
    /// How many quotes it takes for text though a string could have ended there.
    pub(super) swallowed: u32,
}

impl Cost {
    /// Whether this reading is meant rather than the other one.
    ///
    /// Swallowing less is no reason to be believed, but swallowing more is one not to be.
    pub(super) fn beats(self, other: Self) -> bool {
        let more = self.swallowed.saturating_sub(other.swallowed);
        let margin = more.saturating_mul(SWALLOWED);
        self.weight < other.weight && self.weight.saturating_add(margin) <= other.weight
    }

    /// What the better of both is in each measure: no rival of either is beaten by less.
    pub(super) fn meet(self, other: Self) -> Self {
        Self {
            weight: self.weight.min(other.weight),
            swallowed: self.swallowed.min(other.swallowed),
        }
    }

    pub(super) fn add(&mut self, weight: u32) {
        self.weight = self.weight.saturating_add(weight);
    }
}
