//! A provider whose answer the test lets through piece by piece.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use agently::types::error::ProviderError;
use agently::types::model::{
    CallContext, EventStream, FinishReason, ModelEvent, ModelProvider, ModelRequest,
};
use agently::types::sink::{channel, ChannelSink, ChannelStream, StreamSink};
use async_trait::async_trait;
use futures_util::{FutureExt, StreamExt};

/// Answers its one call with what comes through the [`Gate`].
#[derive(Debug)]
pub struct Gated {
    events: Mutex<Option<ChannelStream<ModelEvent>>>,
    taken: Arc<AtomicUsize>,
}

/// Lets the answer through.
#[derive(Debug)]
pub struct Gate {
    sink: ChannelSink<ModelEvent>,
    taken: Arc<AtomicUsize>,
}

pub fn gated() -> (Gate, Gated) {
    let (sink, stream) = channel(1024);
    let taken = Arc::new(AtomicUsize::new(0));
    let gate = Gate {
        sink,
        taken: Arc::clone(&taken),
    };
    let provider = Gated {
        events: Mutex::new(Some(stream)),
        taken,
    };
    (gate, provider)
}

impl Gate {
    pub fn event(&mut self, event: ModelEvent) {
        self.sink.try_send(event).unwrap();
    }

    pub fn text(&mut self, text: &str) {
        self.event(ModelEvent::TextDelta(text.to_owned()));
    }

    /// The finish, and the end of the stream.
    pub fn finish(&mut self) {
        self.event(ModelEvent::Finish(FinishReason::Stop));
        let ended = self.sink.finish().now_or_never();
        assert_eq!(ended, Some(Ok(())));
    }

    /// How many events the engine has taken.
    pub fn taken(&self) -> usize {
        self.taken.load(Ordering::SeqCst)
    }

    /// Whether the engine has let go of the answer.
    pub fn is_let_go(&self) -> bool {
        self.sink.is_closed()
    }
}

#[async_trait]
impl ModelProvider for Gated {
    async fn stream(
        &self,
        _request: ModelRequest,
        _context: CallContext,
    ) -> Result<EventStream, ProviderError> {
        let events = self.events.lock().unwrap().take();
        let events = events.expect("a second request was made");
        let taken = Arc::clone(&self.taken);
        Ok(EventStream::new(events.map(move |event| {
            taken.fetch_add(1, Ordering::SeqCst);
            Ok(event)
        })))
    }
}
