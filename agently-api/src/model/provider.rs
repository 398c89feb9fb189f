use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Instant;

use async_trait::async_trait;
use futures_core::Stream;

use super::{ModelEvent, ModelRequest};
use crate::error::ProviderError;
use crate::rt::Runtime;

/// A model behind some wire.
///
/// One verb is required. A provider of your own is ten lines:
///
/// ```
/// use agently_api::error::ProviderError;
/// use agently_api::model::{
///     CallContext, EventStream, FinishReason, ModelEvent, ModelProvider, ModelRequest,
/// };
/// use async_trait::async_trait;
///
/// struct Parrot;
///
/// #[async_trait]
/// impl ModelProvider for Parrot {
///     async fn stream(
///         &self,
///         request: ModelRequest,
///         _context: CallContext,
///     ) -> Result<EventStream, ProviderError> {
///         let heard = request.messages.last().map(|m| m.text()).unwrap_or_default();
///         Ok(EventStream::from_events([
///             ModelEvent::TextDelta(heard),
///             ModelEvent::Finish(FinishReason::Stop),
///         ]))
///     }
/// }
/// # let _: &dyn ModelProvider = &Parrot;
/// ```
///
/// # Contract
///
/// - The stream is owned: it borrows nothing of the provider or the request.
/// - It ends after [`ModelEvent::Finish`] or an error; an end without either is taken as a cut-off
///   answer.
/// - Dropping the future or the stream cancels the request and closes what it had opened.
/// - Time, sockets and tasks come from [`CallContext::runtime`] and from nowhere else.
#[async_trait]
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a model provider",
    note = "implement `agently_api::model::ModelProvider`; one method is required"
)]
pub trait ModelProvider: Send + Sync + 'static {
    /// Asks the model, and returns its answer as a stream of events once it has begun.
    ///
    /// # Errors
    ///
    /// [`ProviderError`] when there is no answer: no connection, a refusal, a time limit. What
    /// goes wrong later is an item of the stream.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future cancels the request.
    async fn stream(
        &self,
        request: ModelRequest,
        context: CallContext,
    ) -> Result<EventStream, ProviderError>;

    /// What this provider can do beyond text.
    fn capabilities(&self) -> Capabilities {
        Capabilities::default()
    }

    /// The provider's name in meta and in errors, as in `openai`.
    fn name(&self) -> &str {
        "custom"
    }
}

/// What a provider can do beyond streaming text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Capabilities {
    /// It takes image parts.
    pub images: bool,
    /// It takes tools and answers with tool calls.
    pub tools: bool,
    /// It can be held to a JSON Schema.
    pub json_schema: bool,
    /// It can be held to answer with one JSON object.
    pub json_object: bool,
}

impl Capabilities {
    /// Sets [`images`](Self::images).
    #[must_use]
    pub fn with_images(mut self, images: bool) -> Self {
        self.images = images;
        self
    }

    /// Sets [`tools`](Self::tools).
    #[must_use]
    pub fn with_tools(mut self, tools: bool) -> Self {
        self.tools = tools;
        self
    }

    /// Sets [`json_schema`](Self::json_schema).
    #[must_use]
    pub fn with_json_schema(mut self, json_schema: bool) -> Self {
        self.json_schema = json_schema;
        self
    }

    /// Sets [`json_object`](Self::json_object).
    #[must_use]
    pub fn with_json_object(mut self, json_object: bool) -> Self {
        self.json_object = json_object;
        self
    }
}

/// What a provider is given beside the request.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct CallContext {
    /// Where time, sockets and tasks come from.
    pub runtime: Runtime,
    /// When the whole call must be over, retries included; `None` for no limit.
    pub deadline: Option<Instant>,
    /// A key that stays the same when the same step is tried again, for servers that honour it.
    pub idempotency_key: Option<String>,
    /// Whether [`ModelEvent::Raw`] events are wanted.
    pub raw_events: bool,
}

impl CallContext {
    /// A context with no limits.
    #[must_use]
    pub fn new(runtime: Runtime) -> Self {
        Self {
            runtime,
            deadline: None,
            idempotency_key: None,
            raw_events: false,
        }
    }

    /// Sets the [`deadline`](Self::deadline).
    #[must_use]
    pub fn with_deadline(mut self, deadline: Instant) -> Self {
        self.deadline = Some(deadline);
        self
    }

    /// Sets the [`idempotency_key`](Self::idempotency_key).
    #[must_use]
    pub fn with_idempotency_key(mut self, key: impl Into<String>) -> Self {
        self.idempotency_key = Some(key.into());
        self
    }

    /// Asks for [`ModelEvent::Raw`] events.
    #[must_use]
    pub fn with_raw_events(mut self, raw_events: bool) -> Self {
        self.raw_events = raw_events;
        self
    }
}

/// A model's answer as it comes: an owned stream of events.
///
/// Dropping it cancels the request. After an error or [`ModelEvent::Finish`] and what belongs to
/// it, it ends.
#[must_use = "streams do nothing unless polled"]
pub struct EventStream(Pin<Box<dyn Stream<Item = Result<ModelEvent, ProviderError>> + Send>>);

impl EventStream {
    /// Wraps a stream.
    pub fn new(
        stream: impl Stream<Item = Result<ModelEvent, ProviderError>> + Send + 'static,
    ) -> Self {
        Self(Box::pin(stream))
    }

    /// A stream of events that are known already.
    pub fn from_events<I>(events: I) -> Self
    where
        I: IntoIterator<Item = ModelEvent>,
        I::IntoIter: Send + 'static,
    {
        Self::new(futures_util::stream::iter(events.into_iter().map(Ok)))
    }
}

impl Stream for EventStream {
    type Item = Result<ModelEvent, ProviderError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.0.as_mut().poll_next(cx)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.0.size_hint()
    }
}

impl fmt::Debug for EventStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EventStream").finish_non_exhaustive()
    }
}
