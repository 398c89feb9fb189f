mod dialect;
mod schedule;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use agently_api::error::ProviderError;
use agently_api::model::{FinishReason, ModelEvent, ResponseInfo, ToolCallDelta, Usage};

pub use dialect::Dialect;
pub(crate) use schedule::join;
use schedule::split;

/// What [`Reply::demo`] says.
const DEMO_TEXT: &str = r#"{"title":"Why Rust suits small teams","items":["The compiler finds the mistakes that a second pair of eyes would.","One static binary: nothing to install, nothing to drift."]}"#;

/// One scripted answer of a model: what it says, when, and how it ends.
///
/// The same reply drives the [`MockProvider`](crate::MockProvider) and, over a real socket, the
/// [`MockServer`](crate::MockServer).
///
/// Events are sent in the order in which they were added (reasoning first). Event `i`, from 0,
/// comes at `first_delay + i * delay` after the call, and the end at
/// `first_delay + number of events * delay`. Without delays everything comes at once.
///
/// ```
/// use std::time::Duration;
///
/// use agently_api::model::Usage;
/// use agently_provider_mock::Reply;
///
/// // "Hel", "lo", one second apart, then the end.
/// let slow = Reply::text("Hello").chunked(3).delay(Duration::from_secs(1));
/// // A tool call; it finishes with `tool_calls` by itself.
/// let tool = Reply::empty()
///     .tool("call-1", "weather", r#"{"city":"Bern"}"#)
///     .usage(Usage::new(12, 7));
/// // Breaks off after the first two pieces.
/// let broken = Reply::deltas(["a", "b", "c"]).take(2).cut();
/// # let _ = (slow, tool, broken);
/// ```
#[derive(Clone, Debug)]
#[must_use = "a reply does nothing until it is given to a mock"]
pub struct Reply {
    pub(crate) info: ResponseInfo,
    events: Vec<Paced>,
    first_delay: Duration,
    delay: Duration,
    pause: Duration,
    pub(crate) usage: Option<Usage>,
    pub(crate) ending: Ending,
    pub(crate) failure: Option<ErrorScript>,
    pub(crate) dialect: Dialect,
}

/// An event, and an extra silence before it.
#[derive(Clone, Debug)]
struct Paced {
    event: ModelEvent,
    pause: Duration,
}

/// How a reply ends.
#[derive(Clone, Debug)]
pub(crate) enum Ending {
    /// In order; `None` picks the reason that fits.
    Finish(Option<FinishReason>),
    /// With an error instead of a finish.
    Error(ErrorScript),
    /// Not at all.
    Hang,
    /// Without a finish.
    Cut,
}

/// Makes an error each time the script is played: errors cannot be cloned.
#[derive(Clone)]
pub(crate) struct ErrorScript(Arc<dyn Fn() -> ProviderError + Send + Sync>);

impl ErrorScript {
    pub(crate) fn make(&self) -> ProviderError {
        (self.0)()
    }
}

impl fmt::Debug for ErrorScript {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ErrorScript").finish_non_exhaustive()
    }
}

impl Reply {
    /// An answer without text. Add to it what it should say.
    pub fn empty() -> Self {
        Self {
            info: ResponseInfo::default(),
            events: Vec::new(),
            first_delay: Duration::ZERO,
            delay: Duration::ZERO,
            pause: Duration::ZERO,
            usage: None,
            ending: Ending::Finish(None),
            failure: None,
            dialect: Dialect::OpenAi,
        }
    }

    /// An answer of this text, in one piece.
    pub fn text(text: impl Into<String>) -> Self {
        Self::empty().then(text)
    }

    /// An answer in these pieces.
    pub fn deltas<I>(deltas: I) -> Self
    where
        I: IntoIterator,
        I::Item: Into<String>,
    {
        deltas.into_iter().fold(Self::empty(), Self::then)
    }

    /// An answer of exactly these events. A [`ModelEvent::Finish`] among them replaces the
    /// automatic one.
    pub fn events(events: impl IntoIterator<Item = ModelEvent>) -> Self {
        events.into_iter().fold(Self::empty(), Self::event)
    }

    /// No answer: the call itself fails with this error, before any event.
    ///
    /// A [`MockServer`](crate::MockServer) sends it as an HTTP error with the status, type, code
    /// and retry delay of the error (status 500 if it has none).
    pub fn failure(error: impl Fn() -> ProviderError + Send + Sync + 'static) -> Self {
        Self {
            failure: Some(ErrorScript(Arc::new(error))),
            ..Self::empty()
        }
    }

    /// The answer to the program "give me a title and two bullets" of the documentation, typed at
    /// a human speed: pieces of four characters, 25 ms apart.
    pub fn demo() -> Self {
        Self::text(DEMO_TEXT)
            .chunked(4)
            .delay(Duration::from_millis(25))
    }

    /// Adds a piece of text.
    pub fn then(self, text: impl Into<String>) -> Self {
        self.event(ModelEvent::TextDelta(text.into()))
    }

    /// Adds reasoning. It comes before everything else but earlier reasoning, whenever it is
    /// added.
    pub fn reasoning(mut self, text: impl Into<String>) -> Self {
        let position = self
            .events
            .iter()
            .position(|paced| !matches!(paced.event, ModelEvent::ReasoningDelta(_)))
            .unwrap_or(self.events.len());
        let event = ModelEvent::ReasoningDelta(text.into());
        self.events.insert(
            position,
            Paced {
                event,
                pause: Duration::ZERO,
            },
        );
        self
    }

    /// Adds a piece of a refusal.
    pub fn refusal(self, text: impl Into<String>) -> Self {
        self.event(ModelEvent::RefusalDelta(text.into()))
    }

    /// Adds a piece of a tool call. The answer then finishes with
    /// [`FinishReason::ToolCalls`], unless [`finish`](Self::finish) says otherwise.
    pub fn tool_call(self, delta: ToolCallDelta) -> Self {
        self.event(ModelEvent::ToolCallDelta(delta))
    }

    /// Adds a whole tool call, after those that are there: one delta with id and name, one with
    /// the arguments (JSON text).
    pub fn tool(
        self,
        id: impl Into<String>,
        name: impl Into<String>,
        arguments: impl Into<String>,
    ) -> Self {
        let index = self
            .events
            .iter()
            .filter_map(|paced| match &paced.event {
                ModelEvent::ToolCallDelta(delta) => Some(delta.index.saturating_add(1)),
                _ => None,
            })
            .max()
            .unwrap_or(0);
        self.tool_call(ToolCallDelta::start(index, id, name))
            .tool_call(ToolCallDelta::arguments(index, arguments))
    }

    /// Adds any event.
    pub fn event(mut self, event: ModelEvent) -> Self {
        let pause = std::mem::take(&mut self.pause);
        self.events.push(Paced { event, pause });
        self
    }

    /// Cuts the text, reasoning and refusal added so far anew, into pieces of `characters`
    /// characters (at least 1). Neighbouring pieces are joined first, except across a
    /// [`pause`](Self::pause).
    pub fn chunked(mut self, characters: usize) -> Self {
        let size = characters.max(1);
        let mut events: Vec<Paced> = Vec::with_capacity(self.events.len());
        for paced in self.events {
            let alone =
                !paced.pause.is_zero() || matches!(paced.event, ModelEvent::ToolCallDelta(_));
            let joined = !alone
                && events
                    .last_mut()
                    .is_some_and(|last| join(&mut last.event, &paced.event));
            if !joined {
                events.push(paced);
            }
        }
        self.events = events
            .into_iter()
            .flat_map(|paced| {
                let mut pause = paced.pause;
                split(paced.event, size).into_iter().map(move |event| {
                    let pause = std::mem::take(&mut pause);
                    Paced { event, pause }
                })
            })
            .collect();
        self
    }

    /// Keeps only the first `count` events: what follows is how it ends, as in
    /// `.take(2).error(…)`.
    pub fn take(mut self, count: usize) -> Self {
        self.events.truncate(count);
        self
    }

    /// Sets the time between two events, and between the last event and the end.
    pub fn delay(mut self, delay: Duration) -> Self {
        self.delay = delay;
        self
    }

    /// Sets the time before the first event.
    pub fn first_delay(mut self, delay: Duration) -> Self {
        self.first_delay = delay;
        self
    }

    /// Adds a silence before what is added next, or before the end if nothing is. It comes on top
    /// of the regular delays.
    pub fn pause(mut self, pause: Duration) -> Self {
        self.pause = self.pause.saturating_add(pause);
        self
    }

    /// Sets the tokens used, told just before the finish.
    pub fn usage(mut self, usage: Usage) -> Self {
        self.usage = Some(usage);
        self
    }

    /// Sets the model that answers, told at the beginning.
    pub fn model(mut self, model: impl Into<String>) -> Self {
        self.info = self.info.with_model(model);
        self
    }

    /// Sets the id of the answer, told at the beginning.
    pub fn id(mut self, id: impl Into<String>) -> Self {
        self.info = self.info.with_id(id);
        self
    }

    /// Sets the request id, told at the beginning.
    pub fn request_id(mut self, request_id: impl Into<String>) -> Self {
        self.info = self.info.with_request_id(request_id);
        self
    }

    /// Sets whose way of speaking the wire a [`MockServer`](crate::MockServer) takes on for this
    /// answer. The provider, which has no wire, makes no difference.
    ///
    /// ```
    /// use agently_provider_mock::{Dialect, Reply};
    ///
    /// let reply = Reply::text("4").reasoning("2 + 2").dialect(Dialect::DeepSeek);
    /// # let _ = reply;
    /// ```
    pub fn dialect(mut self, dialect: Dialect) -> Self {
        self.dialect = dialect;
        self
    }

    /// Sets why the model stops. The default is [`FinishReason::Stop`], with tool calls
    /// [`FinishReason::ToolCalls`].
    pub fn finish(mut self, reason: FinishReason) -> Self {
        self.ending = Ending::Finish(Some(reason));
        self
    }

    /// Ends the stream with an error instead of a finish.
    pub fn error(mut self, error: impl Fn() -> ProviderError + Send + Sync + 'static) -> Self {
        self.ending = Ending::Error(ErrorScript(Arc::new(error)));
        self
    }

    /// Never ends: after its events the stream is silent until it is dropped, or until the call's
    /// deadline.
    pub fn hang(mut self) -> Self {
        self.ending = Ending::Hang;
        self
    }

    /// Ends without a finish, as a connection that broke.
    pub fn cut(mut self) -> Self {
        self.ending = Ending::Cut;
        self
    }
}
