//! The twins that `#[syncify]` writes, seen from a caller.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    unreachable_pub,
    reason = "tests; only public methods have twins"
)]

use std::cell::RefCell;
use std::fmt::Display;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;

use agently_macros::syncify;
use futures_util::{Stream, StreamExt};

#[derive(Debug, PartialEq)]
enum Fault {
    Refused,
    Own(String),
}

/// Waits, or refuses as inside a task.
struct Blocker {
    refuse: bool,
}

impl Blocker {
    fn run<T>(
        &self,
        _twin: &'static str,
        future: impl Future<Output = Result<T, Fault>>,
    ) -> Result<T, Fault> {
        if self.refuse {
            return Err(Fault::Refused);
        }
        pollster::block_on(future)
    }

    fn iter<S: Stream>(&self, _twin: &'static str, stream: S) -> Blocking<S> {
        Blocking {
            stream: Box::pin(stream),
            refuse: self.refuse,
        }
    }
}

struct Blocking<S> {
    stream: Pin<Box<S>>,
    refuse: bool,
}

impl<S: Stream> Iterator for Blocking<S> {
    type Item = S::Item;

    fn next(&mut self) -> Option<S::Item> {
        if self.refuse {
            return None;
        }
        pollster::block_on(self.stream.next())
    }
}

/// Has a generic of its own, so that the block is a generic one.
struct Report<T> {
    text: T,
    refuse: bool,
    log: RefCell<Vec<String>>,
}

fn report(text: &str) -> Report<String> {
    Report {
        text: text.to_owned(),
        refuse: false,
        log: RefCell::default(),
    }
}

#[syncify(blocker = Self::blocker, iter = Blocking)]
impl<T: AsRef<str>> Report<T>
where
    T: Clone,
{
    fn blocker(&self) -> Blocker {
        Blocker {
            refuse: self.refuse,
        }
    }

    /// The text.
    pub async fn async_get_text(&self) -> Result<String, Fault> {
        Ok(self.text.as_ref().to_owned())
    }

    /// Borrows from `self`.
    pub async fn async_get_str<'a>(&'a self, other: &str) -> Result<&'a str, Fault> {
        Ok(&self.text.as_ref()[..other.len()])
    }

    /// Uses `self` up.
    pub async fn async_finish(
        mut self,
        end: impl Display + Clone,
    ) -> Result<(Self, String), Fault> {
        self.log.get_mut().clear();
        let text = format!("{}{end}", self.text.as_ref());
        Ok((self, text))
    }

    /// Changes `self`.
    pub async fn async_set_text(&mut self, text: T) -> Result<(), Fault> {
        self.text = text;
        Ok(())
    }

    /// A parameter that only the caller can name, and a pattern for an argument.
    pub async fn async_parse<N, const TIMES: usize>(
        &self,
        (first, mut last): (usize, usize),
        _: (),
    ) -> Result<[N; TIMES], Fault>
    where
        N: std::str::FromStr + Copy,
    {
        last += 1;
        let text = &self.text.as_ref()[first..last];
        let number: N = text.parse().map_err(|_| Fault::Own(format!("`{text}`")))?;
        Ok([number; TIMES])
    }

    /// Not an `async fn`, but awaited all the same.
    pub fn async_len(&self) -> impl Future<Output = Result<usize, Fault>> + '_ {
        let len = self.text.as_ref().len();
        async move { Ok(len) }
    }

    /// Of a shared one.
    pub async fn async_shared(self: Rc<Self>) -> Result<usize, Fault> {
        Ok(Rc::strong_count(&self))
    }

    /// The letters.
    #[syncify(iter)]
    pub fn get_async_generator<'a, F>(
        &'a self,
        keep: F,
    ) -> impl Stream<Item = Result<char, Fault>> + 'a
    where
        F: Fn(&char) -> bool + 'a,
    {
        let letters = self.text.as_ref().chars().filter(keep).map(Ok);
        futures_util::stream::iter(letters)
    }

    /// Only when the condition holds.
    #[cfg(any())]
    pub async fn async_never(&self) -> Result<Missing, Fault> {
        Ok(Missing)
    }

    #[expect(clippy::too_many_arguments, reason = "what is tested")]
    pub async fn async_many(
        &self,
        a: u8,
        b: u8,
        c: u8,
        d: u8,
        e: u8,
        f: u8,
        g: u8,
    ) -> Result<u32, Fault> {
        Ok([a, b, c, d, e, f, g].into_iter().map(u32::from).sum())
    }

    /// Has a name that is a word of the language without its `async_`.
    #[syncify(skip)]
    pub async fn async_match(&self) -> bool {
        true
    }

    #[syncify(skip)]
    pub async fn unrelated(&self) -> u8 {
        7
    }

    async fn async_private(&self) -> Result<u8, Fault> {
        Ok(8)
    }
}

/// A second block needs a table of its own.
#[syncify(blocker = Report::blocker, pairs = MORE_PAIRS)]
impl Report<String> {
    pub async fn async_fail(&self) -> Result<(), Fault> {
        Err(Fault::Own("as asked".to_owned()))
    }

    /// Its argument is called as the twin's own variable could be.
    pub async fn async_echo(&self, blocker: u8, (a, argument_2): (u8, u8)) -> Result<u8, Fault> {
        Ok(blocker + a + argument_2)
    }

    #[syncify(iter = Blocking)]
    pub fn async_words(&self) -> futures_util::stream::Iter<std::vec::IntoIter<String>> {
        let words: Vec<String> = self.text.split(' ').map(str::to_owned).collect();
        futures_util::stream::iter(words)
    }
}

#[test]
fn a_twin_gives_what_its_method_gives() {
    let mut report = report("12 monkeys");
    assert_eq!(report.get_text().unwrap(), "12 monkeys");
    assert_eq!(report.get_str("12").unwrap(), "12");
    assert_eq!(report.len().unwrap(), 10);
    assert_eq!(report.parse::<u16, 2>((0, 1), ()).unwrap(), [12, 12]);
    assert_eq!(
        report.parse::<u16, 1>((1, 2), ()),
        Err(Fault::Own("`2 `".to_owned()))
    );
    assert_eq!(report.echo(1, (2, 3)).unwrap(), 6);
    assert_eq!(report.many(1, 2, 3, 4, 5, 6, 7).unwrap(), 28);
    report.set_text("3".to_owned()).unwrap();
    let (report, text) = report.finish('!').unwrap();
    assert_eq!(text, "3!");
    assert_eq!(Rc::new(report).shared().unwrap(), 1);
}

#[test]
fn a_result_borrows_from_self_alone() {
    let report = report("abc");
    let borrowed = {
        let other = "ab".to_owned();
        report.get_str(&other).unwrap()
    };
    assert_eq!(borrowed, "ab");
}

#[test]
fn a_stream_becomes_an_iterator() {
    let report = report("a-b c");
    let letters: Result<String, Fault> = report.get_generator(|letter| *letter != '-').collect();
    assert_eq!(letters.unwrap(), "ab c");
    assert_eq!(report.words().collect::<Vec<_>>(), ["a-b", "c"]);
}

#[test]
fn a_refusal_is_the_error_of_the_twin_even_if_self_is_used_up() {
    let mut report = report("abc");
    report.refuse = true;
    assert_eq!(report.get_text(), Err(Fault::Refused));
    assert_eq!(report.fail(), Err(Fault::Refused));
    assert_eq!(report.get_generator(|_| true).count(), 0);
    assert!(matches!(report.finish(""), Err(Fault::Refused)));
}

#[test]
fn the_methods_themselves_are_as_they_were() {
    let report = report("abc");
    pollster::block_on(async {
        assert_eq!(report.async_get_text().await.unwrap(), "abc");
        assert_eq!(
            report.async_fail().await,
            Err(Fault::Own("as asked".to_owned()))
        );
        assert!(report.async_match().await);
        assert_eq!(
            report.unrelated().await + report.async_private().await.unwrap(),
            15
        );
    });
}

#[test]
fn the_tables_name_every_pair_that_exists() {
    assert_eq!(
        Report::<String>::SYNC_PAIRS,
        [
            ("get_text", "async_get_text"),
            ("get_str", "async_get_str"),
            ("finish", "async_finish"),
            ("set_text", "async_set_text"),
            ("parse", "async_parse"),
            ("len", "async_len"),
            ("shared", "async_shared"),
            ("get_generator", "get_async_generator"),
            ("many", "async_many"),
        ]
    );
    assert_eq!(
        Report::<String>::MORE_PAIRS,
        [
            ("fail", "async_fail"),
            ("echo", "async_echo"),
            ("words", "async_words"),
        ]
    );
}
