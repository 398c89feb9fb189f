use std::fmt;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use agently_api::error::ProviderError;
use agently_api::model::{
    CallContext, Capabilities, EventStream, ModelEvent, ModelProvider, ModelRequest,
};
use agently_api::rt::Runtime;
use async_trait::async_trait;
use futures_core::Stream;
use serde_json::Value;

use super::error::CassetteError;
use super::stored::{microseconds, End, Exchange, Header, StoredItem, Timed, FORMAT, VERSION};
use super::stored_error::StoredError;
use super::stored_request::stored_request;
use super::tape::Tape;

/// A provider that passes everything on to another one, and records it in a cassette file.
///
/// The file is written anew, whole and atomically, each time an answer has been read to its end or
/// was dropped, on the thread that read it. An answer that was dropped too early is marked as
/// incomplete. A file of the same name is replaced by the first answer, not before.
///
/// What is recorded, and what is not, is told [in the module's page](crate::cassette).
///
/// ```
/// use agently_provider_mock::cassette::{Cassette, Recorder};
/// use agently_provider_mock::{MockProvider, Reply};
///
/// # fn main() -> Result<(), agently_provider_mock::cassette::CassetteError> {
/// # let path = std::env::temp_dir().join(format!("doc-{}.cassette.jsonl", std::process::id()));
/// // In place of the mock: the provider of a real server.
/// let provider = MockProvider::new().reply(Reply::text("Hello"));
/// let recorder = Recorder::new(provider, &path)?;
/// // … use `recorder` as the provider once, then from now on:
/// # recorder.save()?;
/// let player = Cassette::load(&path)?.player();
/// # let _ = std::fs::remove_file(&path);
/// # let _ = player;
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct Recorder {
    provider: Arc<dyn ModelProvider>,
    tape: Arc<Tape>,
    redact_request: Option<Redact>,
    redact_event: Option<Redact>,
}

pub(super) type Redact = Arc<dyn Fn(&mut Value) + Send + Sync>;

impl Recorder {
    /// Records what `provider` is asked and answers, to be written to `path`.
    ///
    /// # Errors
    ///
    /// [`CassetteError`] if no file can be made there.
    pub fn new(
        provider: impl ModelProvider,
        path: impl Into<PathBuf>,
    ) -> Result<Self, CassetteError> {
        Self::shared(Arc::new(provider), path)
    }

    /// Like [`new`](Self::new), for a provider that is shared already.
    ///
    /// # Errors
    ///
    /// [`CassetteError`] if no file can be made there.
    pub fn shared(
        provider: Arc<dyn ModelProvider>,
        path: impl Into<PathBuf>,
    ) -> Result<Self, CassetteError> {
        let header = Header {
            format: FORMAT.to_owned(),
            version: VERSION,
            provider: provider.name().to_owned(),
            capabilities: provider.capabilities().into(),
        };
        let tape = Arc::new(Tape::new(path.into(), &header)?);
        Ok(Self {
            provider,
            tape,
            redact_request: None,
            redact_event: None,
        })
    }

    /// Changes each request, as JSON, before it is kept. Give the same function to the
    /// [`Player`](super::Player), so that requests still match.
    #[must_use]
    pub fn redact_request(mut self, redact: impl Fn(&mut Value) + Send + Sync + 'static) -> Self {
        self.redact_request = Some(Arc::new(redact));
        self
    }

    /// Changes each event, as JSON, before it is kept. What is changed is replayed changed.
    ///
    /// The function sees one event at a time, and what it looks for may be spread over several.
    #[must_use]
    pub fn redact_event(mut self, redact: impl Fn(&mut Value) + Send + Sync + 'static) -> Self {
        self.redact_event = Some(Arc::new(redact));
        self
    }

    /// Writes the cassette now, with all answers that are over.
    ///
    /// It is written after every answer anyway, but nobody is told if that fails: call this at the
    /// end to know.
    ///
    /// # Errors
    ///
    /// [`CassetteError`] if the file cannot be written.
    pub fn save(&self) -> Result<(), CassetteError> {
        self.tape.write()
    }
}

impl fmt::Debug for Recorder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recorder")
            .field("provider", &self.provider.name())
            .field("tape", &self.tape)
            .finish_non_exhaustive()
    }
}

#[async_trait]
impl ModelProvider for Recorder {
    async fn stream(
        &self,
        request: ModelRequest,
        context: CallContext,
    ) -> Result<EventStream, ProviderError> {
        let mut kept = stored_request(&request)?;
        if let Some(redact) = &self.redact_request {
            redact(&mut kept);
        }
        let mut take = Take {
            tape: Arc::clone(&self.tape),
            call: self.tape.begin(),
            runtime: context.runtime.clone(),
            started: context.runtime.now(),
            redact: self.redact_event.clone(),
            over: false,
            exchange: Exchange {
                request: kept,
                failure: None,
                events: Vec::new(),
                end: End::Dropped,
                end_at_us: 0,
            },
        };
        match self.provider.stream(request, context).await {
            Ok(stream) => Ok(EventStream::new(Taping {
                stream,
                take: Some(take),
            })),
            Err(error) => {
                take.exchange.failure = Some(StoredError::from(&error));
                take.over = true;
                Err(error)
            }
        }
    }

    fn capabilities(&self) -> Capabilities {
        self.provider.capabilities()
    }

    fn name(&self) -> &str {
        self.provider.name()
    }
}

/// The recording of one call. Dropping it ends it.
struct Take {
    tape: Arc<Tape>,
    /// Which call of the cassette this is.
    call: usize,
    runtime: Runtime,
    started: Instant,
    redact: Option<Redact>,
    /// Whether all of the answer was seen.
    over: bool,
    exchange: Exchange<Value>,
}

impl Take {
    fn note(&mut self, item: &Result<ModelEvent, ProviderError>) {
        // A reader may stop here without asking for the end.
        self.over |= matches!(item, Ok(ModelEvent::Finish(_)) | Err(_));
        let timed = Timed {
            at_us: microseconds(self.elapsed()),
            item: match item {
                Ok(event) => StoredItem::from(event),
                Err(error) => StoredItem::Error(error.into()),
            },
        };
        // Texts and numbers under text keys: there is nothing in it that JSON could not hold.
        let Ok(mut event) = serde_json::to_value(timed) else {
            return;
        };
        if let Some(redact) = &self.redact {
            redact(&mut event);
        }
        self.exchange.events.push(event);
    }

    fn elapsed(&self) -> Duration {
        self.runtime.now().saturating_duration_since(self.started)
    }
}

impl Drop for Take {
    fn drop(&mut self) {
        if self.over {
            self.exchange.end = End::Complete;
        }
        self.exchange.end_at_us = microseconds(self.elapsed());
        self.tape.finish(self.call, &self.exchange);
    }
}

/// A stream that is being recorded.
struct Taping {
    stream: EventStream,
    take: Option<Take>,
}

impl Stream for Taping {
    type Item = Result<ModelEvent, ProviderError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let polled = Pin::new(&mut self.stream).poll_next(cx);
        match &polled {
            Poll::Pending => {}
            Poll::Ready(Some(item)) => {
                if let Some(take) = &mut self.take {
                    take.note(item);
                }
            }
            Poll::Ready(None) => {
                if let Some(mut take) = self.take.take() {
                    take.over = true;
                }
            }
        }
        polled
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.stream.size_hint()
    }
}
