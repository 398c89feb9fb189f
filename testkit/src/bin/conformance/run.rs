use std::sync::Arc;
use std::time::{Duration, Instant as Moment};

use agently_api::data::StreamingData;
use agently_api::model::FinishReason;
use agently_core::format::{Format, FormatError};
use agently_core::{Agent, Error, Instant, ModelResult, Request, Schema};
use agently_provider_mock::{MockProvider, Reply};
use agently_testkit::det::Det;
use futures_util::StreamExt;
use serde_json::{json, Value};

use crate::case::{Case, Event};

/// The time between two deltas, so that the clock tells which one it was.
const STEP: Duration = Duration::from_secs(1);

/// What came of a case.
pub(crate) struct Outcome {
    pub(crate) events: Vec<Event>,
    pub(crate) text: Option<String>,
    pub(crate) data: Result<Value, Failure>,
}

pub(crate) struct Failure {
    pub(crate) kind: String,
    pub(crate) message: String,
}

impl Failure {
    fn new(error: &Error) -> Self {
        let mut message = error.to_string();
        let mut source = std::error::Error::source(error);
        while let Some(cause) = source {
            message = format!("{message}: {cause}");
            source = cause.source();
        }
        Self {
            kind: format!("{:?}", error.kind()),
            message,
        }
    }
}

impl Outcome {
    pub(crate) fn to_json(&self, id: &str) -> Value {
        let (data, error) = match &self.data {
            Ok(data) => (data.clone(), Value::Null),
            Err(error) => (
                Value::Null,
                json!({ "kind": error.kind, "message": error.message }),
            ),
        };
        json!({
            "id": id,
            "events": self.events.iter().map(Event::to_json).collect::<Vec<_>>(),
            "data": data,
            "text": self.text,
            "error": error,
        })
    }
}

pub(crate) fn run(case: &Case) -> Outcome {
    let det = Det::new(0);
    let mut mock = MockProvider::new();
    for deltas in std::iter::once(&case.deltas).chain(&case.replies) {
        mock = mock.reply(
            Reply::deltas(deltas.iter().cloned())
                .delay(STEP)
                .finish(FinishReason::Stop),
        );
    }
    let runtime = det.runtime();
    let agent = Agent::new(Arc::new(mock), runtime.clone());
    let result = match request(case, &agent) {
        Ok(request) => request.get_result(),
        Err(message) => {
            return Outcome {
                events: Vec::new(),
                text: None,
                data: Err(Failure {
                    kind: "Schema".to_owned(),
                    message,
                }),
            }
        }
    };
    let played = det.block_on(async move {
        let events = read(&result, || runtime.now()).await;
        Outcome {
            events,
            text: result.async_get_text().await.ok(),
            data: result
                .async_get_data()
                .await
                .map_err(|error| Failure::new(&error)),
        }
    });
    played.unwrap_or_else(|stuck| Outcome {
        events: Vec::new(),
        text: None,
        data: Err(Failure {
            kind: "Stuck".to_owned(),
            message: stuck.to_string(),
        }),
    })
}

fn request(case: &Case, agent: &Agent) -> Result<Request, String> {
    let retries = u32::try_from(case.replies.len()).unwrap_or(u32::MAX);
    let mut request = agent.input("conformance").max_retries(retries);
    if !case.schema.is_null() {
        let format: Format = case
            .format
            .parse()
            .map_err(|error: FormatError| error.to_string())?;
        let schema = Schema::from_value(&case.schema).map_err(|error| error.to_string())?;
        request = request.output(schema).output_format(format);
    }
    Ok(request)
}

async fn read(result: &ModelResult, now: impl Fn() -> Moment) -> Vec<Event> {
    let mut start = now();
    let mut events = Vec::new();
    let mut generator = result.get_async_generator(Instant);
    while let Some(Ok(item)) = generator.next().await {
        if item.status().is_some() {
            start = now();
            continue;
        }
        events.push(event(&item, now().saturating_duration_since(start)));
    }
    events
}

fn event(item: &StreamingData, elapsed: Duration) -> Event {
    Event {
        at: elapsed.as_secs(),
        path: item.path.to_string(),
        wildcard_path: item.wildcard_path().to_owned(),
        delta: item.delta.as_ref().map(ToString::to_string),
        value: item.value().to_value(),
        is_complete: item.is_complete,
        completion_source: item
            .completion_source
            .map(|source| source.as_str().to_owned()),
    }
}
