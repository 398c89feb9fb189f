//! Whole calls over real sockets, on every runtime.

use std::time::Duration;

use agently_api::error::{ProviderError, ProviderErrorKind as Kind};
use agently_api::model::{CallContext, Message, ModelEvent, ModelProvider, ModelRequest};
use agently_api::rt::Runtime;
use agently_backend_smol::Smol;
use agently_backend_tokio::Tokio;
use agently_provider_openai::{OpenAi, OpenAiBuilder, ProxyConfig, RetryPolicy};
use futures_util::StreamExt;

use super::server::{Reply, Server};
use super::{finish, text, Outcome};

pub(crate) const KEY: &str = "canary-key-0123456789";
pub(crate) const PROMPT: &str = "canary prompt: tell me about the seven lakes";

/// Runs a test on each runtime.
pub(crate) fn everywhere(test: impl Fn(Runtime)) {
    let tokio = Tokio::new().unwrap();
    test(tokio.runtime());
    let smol = Smol::new().unwrap();
    test(smol.runtime());
}

/// Tries quickly, so that tests do not wait.
pub(crate) fn provider(server: &Server) -> OpenAiBuilder {
    OpenAi::builder()
        .base_url(server.base_url())
        .api_key(KEY)
        .model("m")
        .proxy(ProxyConfig::none())
        .retry(RetryPolicy::default().with_base(Duration::from_millis(1)))
}

pub(crate) fn request() -> ModelRequest {
    ModelRequest::new(vec![Message::user(PROMPT)])
}

pub(crate) fn run(
    runtime: &Runtime,
    provider: OpenAiBuilder,
    request: ModelRequest,
) -> (Outcome, Option<ProviderError>) {
    run_in(
        runtime,
        provider,
        request,
        CallContext::new(runtime.clone()),
    )
}

/// One call to its end: what came, and the error if there was one, wherever it came from.
pub(crate) fn run_in(
    runtime: &Runtime,
    provider: OpenAiBuilder,
    request: ModelRequest,
    context: CallContext,
) -> (Outcome, Option<ProviderError>) {
    let provider = provider.build().unwrap();
    let (events, error) = runtime
        .block_on(async move {
            let mut stream = match provider.stream(request, context).await {
                Ok(stream) => stream,
                Err(error) => return (Vec::new(), Some(error)),
            };
            let mut events = Vec::new();
            while let Some(event) = stream.next().await {
                match event {
                    Ok(event) => events.push(event),
                    Err(error) => {
                        assert!(stream.next().await.is_none(), "nothing follows an error");
                        return (events, Some(error));
                    }
                }
            }
            (events, None)
        })
        .unwrap();
    if let Some(error) = &error {
        let shown = format!("{error} {error:?} {error:#?}");
        assert!(!shown.contains("canary"), "{shown}");
    }
    let ended = events
        .iter()
        .any(|event| matches!(event, ModelEvent::Finish(_)));
    assert!(
        ended != error.is_some(),
        "an end or an error: {events:?} {error:?}"
    );
    let outcome = match ended {
        true => Outcome::of(&events, None),
        false => Outcome::of(&events, Some(ProviderError::new(Kind::Other, ""))),
    };
    (outcome, error)
}

pub(crate) fn answer() -> Reply {
    Reply::events(&[&text("Hello"), &text(" world"), &finish("stop"), "[DONE]"])
}

pub(crate) fn refused(status: &str, body: &str) -> Reply {
    Reply::sized(
        &format!("{status}\r\ncontent-type: application/json\r\nx-request-id: req-9"),
        body,
    )
}
