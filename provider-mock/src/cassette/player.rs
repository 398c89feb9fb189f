use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use agently_api::error::{ProviderError, ProviderErrorKind};
use agently_api::model::{CallContext, Capabilities, EventStream, ModelProvider, ModelRequest};
use async_trait::async_trait;
use serde_json::Value;

use super::error::CassetteError;
use super::recorder::Redact;
use super::stored::{End, Exchange, Header, FORMAT, VERSION};
use super::stored_request::{difference, stored_request};
use crate::playback::{CallTime, Step, Timeline};
use crate::script::lock;

/// A recorded conversation, read from its file.
#[derive(Clone, Debug)]
pub struct Cassette {
    path: PathBuf,
    header: Arc<Header>,
    exchanges: Arc<[Exchange]>,
}

impl Cassette {
    /// Reads a cassette that a [`Recorder`](super::Recorder) has written.
    ///
    /// # Errors
    ///
    /// [`CassetteError`] if the file cannot be read, is damaged, or is of another version.
    pub fn load(path: impl AsRef<Path>) -> Result<Self, CassetteError> {
        let path = path.as_ref();
        let text =
            fs::read_to_string(path).map_err(|error| CassetteError::io(path, "read", error))?;
        let mut lines = text
            .lines()
            .enumerate()
            .filter(|(_, line)| !line.is_empty());
        let first: Value = lines
            .next()
            .and_then(|(_, line)| serde_json::from_str(line).ok())
            .ok_or_else(|| CassetteError::not_a_cassette(path))?;
        if first.get("format").and_then(Value::as_str) != Some(FORMAT) {
            return Err(CassetteError::not_a_cassette(path));
        }
        // The version is looked at alone: the rest of the header may be anything in another one.
        match first.get("version").and_then(Value::as_u64) {
            Some(VERSION) => {}
            Some(version) => return Err(CassetteError::version(path, version)),
            None => return Err(CassetteError::not_a_cassette(path)),
        }
        let header =
            serde_json::from_value(first).map_err(|error| CassetteError::format(path, 1, error))?;
        let exchanges: Result<Vec<Exchange>, CassetteError> = lines
            .map(|(index, line)| {
                serde_json::from_str(line)
                    .map_err(|error| CassetteError::format(path, index + 1, error))
            })
            .collect();
        Ok(Self {
            path: path.to_owned(),
            header: Arc::new(header),
            exchanges: exchanges?.into(),
        })
    }

    /// How many calls it holds.
    #[must_use]
    pub fn len(&self) -> usize {
        self.exchanges.len()
    }

    /// Whether it holds no call.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.exchanges.is_empty()
    }

    /// The requests, oldest first, as the file has them.
    pub fn requests(&self) -> impl Iterator<Item = &Value> + '_ {
        self.exchanges.iter().map(|exchange| &exchange.request)
    }

    /// A provider that replays this cassette from its beginning: each call once, strictly in
    /// order, without delays.
    #[must_use]
    pub fn player(&self) -> Player {
        Player {
            used: Arc::new(Mutex::new(vec![false; self.len()])),
            cassette: self.clone(),
            matching: Matching::default(),
            timing: Timing::default(),
            redact_request: None,
        }
    }
}

/// How a [`Player`] finds the answer to a request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Matching {
    /// The recorded calls come in their order, each with the request that was recorded.
    #[default]
    InOrder,
    /// The first call with an equal request that was not replayed yet. For callers that ask
    /// several things at once.
    ByRequest,
}

/// When the events of a replayed answer come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Timing {
    /// At once.
    #[default]
    Immediate,
    /// As they were recorded, on the clock of the call's runtime.
    Recorded,
}

/// A provider that answers from a [`Cassette`]. Clones share what has been replayed.
///
/// A request that is not the recorded one is an error that names the first field that differs,
/// and quotes no prompt; the recorded call stays there to be replayed.
#[derive(Clone)]
pub struct Player {
    cassette: Cassette,
    used: Arc<Mutex<Vec<bool>>>,
    matching: Matching,
    timing: Timing,
    redact_request: Option<Redact>,
}

impl Player {
    /// Sets how answers are found.
    #[must_use]
    pub fn matching(mut self, matching: Matching) -> Self {
        self.matching = matching;
        self
    }

    /// Sets when events come.
    #[must_use]
    pub fn timing(mut self, timing: Timing) -> Self {
        self.timing = timing;
        self
    }

    /// Changes each request, as JSON, before it is compared with the recorded one.
    #[must_use]
    pub fn redact_request(mut self, redact: impl Fn(&mut Value) + Send + Sync + 'static) -> Self {
        self.redact_request = Some(Arc::new(redact));
        self
    }

    /// How many recorded calls have not been replayed.
    #[must_use]
    pub fn remaining(&self) -> usize {
        lock(&self.used).iter().filter(|used| !**used).count()
    }

    /// Finds the exchange for a request and marks it as used.
    fn take(&self, request: &Value) -> Result<&Exchange, ProviderError> {
        let mut used = lock(&self.used);
        let mut waiting = used
            .iter_mut()
            .zip(self.cassette.exchanges.iter())
            .enumerate()
            .filter(|(_, (used, _))| !**used);
        match self.matching {
            Matching::InOrder => {
                let (index, (used, exchange)) = waiting.next().ok_or_else(|| self.exhausted())?;
                if let Some(difference) = difference(&exchange.request, request) {
                    return Err(self.mismatch(index + 1, &difference));
                }
                *used = true;
                Ok(exchange)
            }
            Matching::ByRequest => {
                let (_, (used, exchange)) = waiting
                    .find(|(_, (_, exchange))| difference(&exchange.request, request).is_none())
                    .ok_or_else(|| self.unknown())?;
                *used = true;
                Ok(exchange)
            }
        }
    }

    fn error(&self, message: &str) -> ProviderError {
        let path = self.cassette.path.display();
        ProviderError::new(
            ProviderErrorKind::Config,
            format!("the cassette {path} {message}"),
        )
    }

    fn mismatch(&self, call: usize, difference: &str) -> ProviderError {
        self.error(&format!(
            "has another request as its call {call}: {difference}"
        ))
        .with_hint("record it again if the change is meant")
    }

    fn unknown(&self) -> ProviderError {
        self.error("has no call left with this request")
            .with_hint("record it again, or replay `Matching::InOrder` to be told what differs")
    }

    fn exhausted(&self) -> ProviderError {
        let calls = self.cassette.len();
        self.error(&format!("has no call left: all {calls} were replayed"))
            .with_hint("record it again if there are meant to be more")
    }

    fn at(&self, microseconds: u64) -> Duration {
        match self.timing {
            Timing::Immediate => Duration::ZERO,
            Timing::Recorded => Duration::from_micros(microseconds),
        }
    }

    fn timeline(&self, exchange: &Exchange) -> Timeline {
        let mut steps: Vec<Step> = exchange
            .events
            .iter()
            .map(|timed| Step {
                at: self.at(timed.at_us),
                item: timed.item.clone().replay(),
            })
            .collect();
        let end = self.at(exchange.end_at_us);
        if exchange.end == End::Dropped {
            steps.push(Step {
                at: end,
                item: Err(self.incomplete()),
            });
        }
        Timeline {
            steps,
            end: Some(end),
        }
    }

    fn incomplete(&self) -> ProviderError {
        let path = self.cassette.path.display();
        ProviderError::new(
            ProviderErrorKind::Truncated,
            format!(
                "the cassette {path} is incomplete: this answer was dropped while it was recorded"
            ),
        )
        .with_retryable(false)
        .with_hint("record it again and read the answer to its end")
    }
}

impl fmt::Debug for Player {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Player")
            .field("path", &self.cassette.path)
            .field("remaining", &self.remaining())
            .field("matching", &self.matching)
            .field("timing", &self.timing)
            .finish_non_exhaustive()
    }
}

#[async_trait]
impl ModelProvider for Player {
    async fn stream(
        &self,
        request: ModelRequest,
        context: CallContext,
    ) -> Result<EventStream, ProviderError> {
        let time = CallTime::start(&context);
        let mut asked = stored_request(&request)?;
        if let Some(redact) = &self.redact_request {
            redact(&mut asked);
        }
        let exchange = self.take(&asked)?;
        if let Some(failure) = &exchange.failure {
            time.reach(Some(self.at(exchange.end_at_us))).await?;
            return Err(failure.clone().replay());
        }
        if exchange.events.is_empty() && exchange.end == End::Dropped {
            time.reach(Some(self.at(exchange.end_at_us))).await?;
            return Err(self.incomplete());
        }
        Ok(self.timeline(exchange).play(time, None))
    }

    fn capabilities(&self) -> Capabilities {
        self.cassette.header.capabilities.into()
    }

    /// The name of the provider that was recorded.
    fn name(&self) -> &str {
        &self.cassette.header.provider
    }
}
