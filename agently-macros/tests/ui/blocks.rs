use agently_macros::syncify;

struct Report;

#[syncify]
impl Report {}

#[syncify(blocker = Self::blocker, blocker = Self::other)]
impl Report {}

#[syncify(block_on = Self::blocker)]
impl Report {}

#[syncify(blocker = Self::blocker)]
impl Clone for Report {
    fn clone(&self) -> Self {
        Self
    }
}

#[syncify(blocker = Self::blocker)]
struct Other;

fn main() {}
