//! Settings: URLs, keys, variables, and what is printed of them.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

mod support;

use agently_api::error::{ProviderError, ProviderErrorKind};
use agently_api::model::{CallContext, Message, ModelProvider, ModelRequest};
use agently_backend_tokio::Tokio;
use agently_provider_openai::{OpenAi, OpenAiBuilder, ProxyConfig};
use support::server::{Reply, Server};
use support::{finish, text};

fn builder() -> OpenAiBuilder {
    OpenAi::builder().proxy(ProxyConfig::none())
}

fn hello() -> ModelRequest {
    ModelRequest::new(vec![Message::user("Hello")])
}

/// Starts a call and gives it up; the error if it failed.
fn call(provider: &OpenAi, request: ModelRequest) -> Option<ProviderError> {
    let tokio = Tokio::new().unwrap();
    let runtime = tokio.runtime();
    let context = CallContext::new(runtime.clone());
    runtime
        .block_on(provider.stream(request, context))
        .unwrap()
        .err()
}

/// The first request that a provider with these settings sends.
fn request_of(settings: impl FnOnce(OpenAiBuilder, &str) -> OpenAiBuilder) -> String {
    let server = Server::start(vec![Reply::events(&[
        &text("Hi"),
        &finish("stop"),
        "[DONE]",
    ])]);
    let provider = settings(builder().model("m"), &server.base_url())
        .build()
        .unwrap();
    let error = call(&provider, hello());
    assert!(error.is_none(), "{error:?}");
    server.requests().remove(0)
}

fn target(settings: impl FnOnce(&str) -> String) -> String {
    let request = request_of(|builder, url| builder.base_url(settings(url)));
    request.lines().next().unwrap().to_owned()
}

#[test]
fn base_urls_are_joined_as_they_are_meant() {
    let v1 = "POST /v1/chat/completions HTTP/1.1";
    assert_eq!(target(|url| url.to_owned()), v1);
    assert_eq!(target(|url| format!("{url}/")), v1);
    assert_eq!(target(|url| format!("{url}//")), v1);
    assert_eq!(target(|url| format!("{url}/chat/completions")), v1);
    assert_eq!(target(|url| format!("{url}/chat/completions/")), v1);
    assert_eq!(
        target(|url| url.replace("/v1", "")),
        "POST /chat/completions HTTP/1.1"
    );
    assert_eq!(
        target(|url| url.replace("/v1", "/proxy/openai/v1/")),
        "POST /proxy/openai/v1/chat/completions HTTP/1.1"
    );
    assert_eq!(
        target(|url| format!("{url}?api-version=2")),
        "POST /v1/chat/completions?api-version=2 HTTP/1.1"
    );
    assert_eq!(
        target(|url| format!("{url}/chat/completions/?api-version=2")),
        "POST /v1/chat/completions?api-version=2 HTTP/1.1"
    );
}

#[test]
fn base_urls_that_cannot_be_used_are_refused_when_built() {
    for url in [
        "",
        "localhost:8080",
        "ftp://host/v1",
        "https://user:secret@host/v1",
        "https://host/v1#part",
        "https://",
    ] {
        let error = builder().base_url(url).build().unwrap_err();
        assert_eq!(error.kind(), ProviderErrorKind::Config, "{url}");
        assert!(
            !format!("{error} {error:?}").contains("secret"),
            "{error:?}"
        );
    }
}

#[test]
fn headers_go_out() {
    let request = request_of(|builder, url| {
        builder
            .base_url(url)
            .api_key(" my-key\n")
            .organization("org-1")
            .project("proj-1")
            .header("X-Extra", "more")
    });
    let head = request.to_ascii_lowercase();
    for header in [
        "authorization: bearer my-key\r\n",
        "openai-organization: org-1\r\n",
        "openai-project: proj-1\r\n",
        "x-extra: more\r\n",
        "content-type: application/json\r\n",
        "accept: text/event-stream\r\n",
        "accept-encoding: identity\r\n",
    ] {
        assert!(head.contains(header), "{header} in {head}");
    }
}

#[test]
fn without_a_key_no_header_is_sent_and_a_header_goes_before_the_key() {
    let request = request_of(|builder, url| builder.base_url(url)).to_ascii_lowercase();
    assert!(!request.contains("authorization"), "{request}");
    let request = request_of(|builder, url| {
        builder
            .base_url(url)
            .api_key("one")
            .header("Authorization", "Token two")
    });
    assert!(
        request.contains("Token two") && !request.contains("one"),
        "{request}"
    );
}

#[test]
fn variables_are_read_when_they_are_needed() {
    let request = request_of(|builder, url| {
        let url = url.to_owned();
        builder
            .env_lookup(move |name| match name {
                "URL" => Some(url.clone()),
                "KEY" => Some("from-the-environment".into()),
                "MODEL" => Some("${ENV.KEY}".into()),
                _ => None,
            })
            .base_url("${ENV.URL}/")
            .api_key_env("KEY")
            .model("x-${ENV.MODEL}-y")
    });
    assert!(request.contains("POST /v1/chat/completions "));
    assert!(request.contains("Bearer from-the-environment"));
    assert!(
        request.contains(r#""model":"x-${ENV.KEY}-y""#),
        "values are not looked into: {request}"
    );
}

#[test]
fn a_missing_variable_is_named() {
    for (provider, name) in [
        (builder().base_url("${ENV.NO_URL}").model("m"), "NO_URL"),
        (builder().api_key_env("NO_KEY").model("m"), "NO_KEY"),
        (builder().model("${ENV.NO_MODEL}"), "NO_MODEL"),
        (
            builder().model("m").header("x-a", "${ENV.NO_HEADER}"),
            "NO_HEADER",
        ),
        (builder().model("m").api_key("${ENV.EMPTY}"), "EMPTY"),
    ] {
        let provider = provider
            .env_lookup(|name| (name == "EMPTY").then(String::new))
            .build()
            .unwrap();
        let error = call(&provider, hello()).unwrap();
        assert_eq!(error.kind(), ProviderErrorKind::Config);
        assert!(error.message().contains(name), "{error}");
    }
    let provider = builder()
        .model("m")
        .api_key("${ENV.BROKEN")
        .build()
        .unwrap();
    assert!(call(&provider, hello())
        .unwrap()
        .message()
        .contains("API key"));
}

#[test]
fn the_usual_variables() {
    let server = Server::start(vec![Reply::events(&[
        &text("Hi"),
        &finish("stop"),
        "[DONE]",
    ])]);
    let url = server.base_url();
    let provider = builder()
        .env_lookup(move |name| match name {
            "OPENAI_BASE_URL" => Some(url.clone()),
            "OPENAI_API_KEY" => Some("key-1".into()),
            "OPENAI_MODEL" => Some("model-1".into()),
            _ => None,
        })
        .read_env()
        .build()
        .unwrap();
    assert!(call(&provider, hello()).is_none());
    let request = server.requests().remove(0);
    assert!(request.contains("Bearer key-1") && request.contains(r#""model":"model-1""#));
}

#[test]
fn a_key_does_not_go_over_plain_http_to_another_machine() {
    let provider = builder()
        .base_url("http://192.0.2.1/v1")
        .api_key("my-key")
        .model("m")
        .build()
        .unwrap();
    let error = call(&provider, hello()).unwrap();
    assert_eq!(error.kind(), ProviderErrorKind::Config);
}

#[test]
fn a_request_without_messages_is_refused() {
    let provider = builder().model("m").build().unwrap();
    let error = call(&provider, ModelRequest::new(vec![])).unwrap();
    assert_eq!(error.kind(), ProviderErrorKind::Config);
}

#[test]
fn headers_that_cannot_be_sent() {
    for name in [
        "",
        "a b",
        "content-length",
        "Host",
        "Accept-Encoding",
        "connection",
        "keep-alive",
        "TE",
        "trailer",
        "upgrade",
        "expect",
        "transfer-encoding",
        "proxy-authorization",
    ] {
        let error = builder().header(name, "x").build().unwrap_err();
        assert_eq!(error.kind(), ProviderErrorKind::Config, "{name}");
    }
    let provider = builder()
        .base_url("http://127.0.0.1:1")
        .model("m")
        .header("x-a", "line\nbreak-secret")
        .build()
        .unwrap();
    let error = call(&provider, hello()).unwrap();
    assert_eq!(error.kind(), ProviderErrorKind::Config);
    assert!(!format!("{error:?}").contains("break-secret"));
}

#[test]
fn nothing_that_is_printed_shows_a_key() {
    let builder = builder()
        .api_key("canary-key")
        .header("api-key", "canary-header")
        .organization("canary-org")
        .base_url("https://host/v1?sig=canary-query");
    assert!(!format!("{builder:?}").contains("canary"));
    let provider = builder.build().unwrap();
    assert!(!format!("{provider:?} {provider:#?}").contains("canary"));
}

#[test]
fn s03_what_stands_in_the_query_of_the_base_url_is_not_shown() {
    let body = r#"{"error":{"message":"Invalid URL (POST /v1/chat/completions?api-key=CANARY%2Fkey1&v=2 or CANARY/key1)"}}"#;
    let head = "404 Not Found\r\ncontent-type: application/json\r\nx-request-id: for-CANARY/key1";
    let server = Server::start(vec![Reply::sized(head, body)]);
    let provider = builder()
        .model("m")
        .base_url(format!("{}?api-key=CANARY%2Fkey1&v=2", server.base_url()))
        .build()
        .unwrap();
    let error = call(&provider, hello()).unwrap();
    let shown = format!("{error} {error:?}");
    assert!(!shown.contains("CANARY"), "{shown}");
    assert!(shown.contains("api-key=[key]&v=2 or [key]"), "{shown}");
    assert_eq!(error.request_id(), Some("for-[key]"));
}
