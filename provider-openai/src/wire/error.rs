//! Error objects, in every form servers send them, and what they mean.

use std::time::Duration;

use serde_json::{Map, Value};

use agently_api::error::{ProviderError, ProviderErrorKind};
use agently_http::retry::is_maybe_billed_status;

use super::error_body::{filled, last_word_of, looks_like_html, title, unframed};
use super::Redactor;

/// What a server says went wrong.
///
/// ```
/// use agently_provider_openai::wire::ErrorObject;
///
/// let body = serde_json::json!({"error": {"message": "slow down", "code": "rate_limit_exceeded"}});
/// let error = ErrorObject::find(&body).unwrap();
/// assert_eq!(error.code.as_deref(), Some("rate_limit_exceeded"));
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ErrorObject {
    /// What happened, in the server's words.
    pub message: Option<String>,
    /// Its code, numbers as text.
    pub code: Option<String>,
    /// Its type.
    pub error_type: Option<String>,
}

impl ErrorObject {
    /// The error in a payload, if it is one.
    ///
    /// Known forms: `{"error": {…}}`, `{"error": "…"}`, `{"object": "error", …}`,
    /// `{"type": "error", …}`, and a list of any of them.
    #[must_use]
    pub fn find(value: &Value) -> Option<Self> {
        match value {
            Value::Array(items) => items.iter().take(8).find_map(Self::find),
            Value::Object(fields) => match fields.get("error") {
                Some(Value::Null | Value::Bool(false)) | None => {
                    let marked = ["object", "type"]
                        .iter()
                        .any(|name| fields.get(*name).and_then(Value::as_str) == Some("error"));
                    marked.then(|| Self::from_fields(fields))
                }
                Some(Value::String(text)) if text.is_empty() => None,
                Some(error) => Some(Self::from_error(error).or(Self::outer(fields))),
            },
            _ => None,
        }
    }

    /// The error in the body of a response whose status says that there is one: any of the forms
    /// of [`find`](Self::find), `{"detail": …}`, `{"message": …}`, any of these as an event of a
    /// stream, or plain text. Of JSON that is cut off or broken, code and type are found.
    #[must_use]
    pub fn from_body(body: &str) -> Self {
        let body = body.trim_start_matches('\u{FEFF}').trim();
        let payload = unframed(body);
        match serde_json::from_str::<Value>(&payload) {
            Ok(value) => Self::find(&value).unwrap_or_else(|| Self::from_error(&value)),
            Err(_) if looks_like_html(body) => Self {
                message: title(body),
                ..Self::default()
            },
            Err(_) => Self {
                message: filled(&payload),
                code: last_word_of(&payload, "\"code\""),
                error_type: last_word_of(&payload, "\"type\"").filter(|kind| kind != "error"),
            },
        }
    }

    fn from_error(error: &Value) -> Self {
        match error {
            Value::Object(fields) => match fields.get("error") {
                Some(inner @ (Value::Object(_) | Value::String(_))) => {
                    Self::from_error(inner).or(Self::outer(fields))
                }
                _ => Self::from_fields(fields),
            },
            Value::String(text) => Self {
                message: filled(text),
                ..Self::default()
            },
            Value::Array(items) => items.first().map(Self::from_error).unwrap_or_default(),
            Value::Number(number) => Self {
                code: Some(number.to_string()),
                ..Self::default()
            },
            Value::Null | Value::Bool(_) => Self::default(),
        }
    }

    fn from_fields(fields: &Map<String, Value>) -> Self {
        let mut message = ["message", "msg", "detail", "error_msg", "description"]
            .iter()
            .find_map(|name| fields.get(*name).and_then(words));
        // Routers put the words of the server behind them here.
        let raw = fields
            .get("metadata")
            .and_then(|metadata| metadata.get("raw"))
            .and_then(words);
        if let Some(raw) = raw {
            message = Some(match message {
                Some(message) => format!("{message}: {raw}"),
                None => raw,
            });
        }
        Self {
            message,
            ..Self::outer(fields)
        }
    }

    /// Code and type that stand beside an error.
    fn outer(fields: &Map<String, Value>) -> Self {
        let one = |name: &str| fields.get(name).and_then(scalar);
        Self {
            message: None,
            code: one("code").or_else(|| one("error_code")),
            error_type: one("type")
                .filter(|kind| kind != "error")
                .or_else(|| one("status")),
        }
    }

    fn or(self, other: Self) -> Self {
        Self {
            message: self.message.or(other.message),
            code: self.code.or(other.code),
            error_type: self.error_type.or(other.error_type),
        }
    }

    /// The HTTP status that the code stands for, in errors that come inside a stream.
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        let status = self.code.as_deref()?.parse().ok()?;
        (400..600).contains(&status).then_some(status)
    }

    fn is(&self, word: &str) -> bool {
        let same = |name: &Option<String>| {
            name.as_deref()
                .is_some_and(|name| name.eq_ignore_ascii_case(word))
        };
        same(&self.code) || same(&self.error_type)
    }

    fn is_any(&self, words: &[&str]) -> bool {
        words.iter().any(|word| self.is(word))
    }

    fn is_context_length(&self) -> bool {
        if self.is_any(&[
            "context_length_exceeded",
            "exceed_context_size_error",
            "model_context_window_exceeded",
        ]) {
            return true;
        }
        let message = self.message.as_deref().unwrap_or_default();
        let message = message.to_ascii_lowercase();
        [
            "maximum context length",
            "exceeds the available context size",
            "context length exceeded",
            "exceeds the context window",
            "prompt is too long",
        ]
        .iter()
        .any(|words| message.contains(words))
    }

    /// The error of an answer that had begun with status 200.
    #[must_use]
    pub fn into_stream_error(self, redactor: &Redactor) -> ProviderError {
        let status = self.status();
        let head = "the server reported an error inside its answer";
        self.into_error(status, head, redactor)
    }

    /// The error of a response with this status.
    pub(crate) fn into_status_error(
        self,
        status: http::StatusCode,
        redactor: &Redactor,
    ) -> ProviderError {
        let code = status.as_u16();
        let head = match status.canonical_reason() {
            Some(reason) => format!("the server answered {code} {reason}"),
            None => format!("the server answered {code}"),
        };
        let error = self.into_error(Some(code), &head, redactor);
        error
            .with_status(code)
            // A gateway that gave up waiting: the model behind it may have written all the same.
            .with_maybe_billed(is_maybe_billed_status(status) || code == 524)
    }

    fn into_error(self, status: Option<u16>, head: &str, redactor: &Redactor) -> ProviderError {
        let verdict = self.verdict(status);
        let message = match &self.message {
            Some(message) => format!("{head}: {}", redactor.clean(message)),
            None => match self.code.as_deref().or(self.error_type.as_deref()) {
                Some(code) if status.map(|status| status.to_string()).as_deref() != Some(code) => {
                    format!("{head}: {}", redactor.clean_to(code, 128))
                }
                _ => head.to_owned(),
            },
        };
        let mut error = ProviderError::new(verdict.kind, message).with_retryable(verdict.retryable);
        if let Some(hint) = verdict.hint {
            error = error.with_hint(hint);
        }
        let code = verdict.code.map(str::to_owned);
        if let Some(code) = code.or_else(|| self.code.map(|code| redactor.clean_to(&code, 128))) {
            error = error.with_code(code);
        }
        if let Some(error_type) = self.error_type {
            error = error.with_error_type(redactor.clean_to(&error_type, 128));
        }
        error
    }

    fn verdict(&self, status: Option<u16>) -> Verdict {
        let verdict = |kind, retryable| Verdict {
            kind,
            retryable,
            code: None,
            hint: None,
        };
        // Prose about quotas is also written for rate limits: only this word is final.
        if self.is("insufficient_quota") {
            return verdict(ProviderErrorKind::Quota, false)
                .hint("check the plan and the billing details of the account");
        }
        if self.is_context_length() {
            return Verdict {
                code: Some("context_length_exceeded"),
                ..verdict(ProviderErrorKind::Provider, false)
                    .hint("shorten the prompt, or use a model with a longer context")
            };
        }
        if self.is_any(&["content_filter", "content_policy_violation"]) {
            return verdict(ProviderErrorKind::ContentFilter, false)
                .hint("the provider's content filter refused the prompt; reword it");
        }
        match status {
            Some(401 | 403) => verdict(ProviderErrorKind::Provider, false).hint(
                "check the API key, and that it belongs to this server and may use this model",
            ),
            Some(404 | 405) => verdict(ProviderErrorKind::Provider, false).hint(
                "check the base URL (most servers want it to end in /v1) and the model's name",
            ),
            Some(407) => verdict(ProviderErrorKind::Proxy, false)
                .hint("the proxy asks for credentials; set them in the proxy's URL"),
            Some(413) => verdict(ProviderErrorKind::Provider, false)
                .hint("the request is too large for this server; shorten the prompt or its images"),
            Some(429) => verdict(ProviderErrorKind::RateLimited, true)
                .hint("send fewer requests at once, or wait"),
            // What the server cannot do now it cannot do later.
            Some(501 | 505) => verdict(ProviderErrorKind::Provider, false),
            Some(408 | 409 | 500..) => verdict(ProviderErrorKind::Provider, true),
            Some(_) => verdict(ProviderErrorKind::Provider, false),
            None if self.is_any(&[
                "rate_limit_exceeded",
                "rate_limit_error",
                "rate_limit",
                "RESOURCE_EXHAUSTED",
                "too_many_requests",
            ]) =>
            {
                verdict(ProviderErrorKind::RateLimited, true)
                    .hint("send fewer requests at once, or wait")
            }
            None => verdict(
                ProviderErrorKind::Provider,
                self.is_any(&[
                    "overloaded_error",
                    "overloaded",
                    "server_error",
                    "internal_error",
                    "internal_server_error",
                    "InternalServerError",
                    "api_error",
                    "service_unavailable",
                    "unavailable",
                    "timeout",
                    "timeout_error",
                    "engine_overloaded_error",
                ]),
            ),
        }
    }
}

struct Verdict {
    kind: ProviderErrorKind,
    retryable: bool,
    code: Option<&'static str>,
    hint: Option<&'static str>,
}

impl Verdict {
    fn hint(self, hint: &'static str) -> Self {
        Self {
            hint: Some(hint),
            ..self
        }
    }
}

/// What a response with an error status means.
#[derive(Debug)]
#[non_exhaustive]
pub struct StatusReply<'a> {
    /// The status.
    pub status: http::StatusCode,
    /// The body, or its beginning.
    pub body: &'a [u8],
    /// What `x-should-retry` says.
    pub should_retry: Option<bool>,
    /// How long the server asks to wait.
    pub retry_after: Option<Duration>,
    /// The server's id of the request.
    pub request_id: Option<String>,
}

impl<'a> StatusReply<'a> {
    /// A reply without further headers.
    #[must_use]
    pub fn new(status: http::StatusCode, body: &'a [u8]) -> Self {
        Self {
            status,
            body,
            should_retry: None,
            retry_after: None,
            request_id: None,
        }
    }

    /// The error it stands for.
    #[must_use]
    pub fn into_error(self, redactor: &Redactor) -> ProviderError {
        let mut error = if self.status.is_redirection() {
            ProviderError::new(
                ProviderErrorKind::Redirect,
                format!(
                    "the server answered with a redirect ({}), which is not followed",
                    self.status.as_u16()
                ),
            )
            .with_hint("set the base URL to where the server really is")
            .with_status(self.status.as_u16())
        } else {
            ErrorObject::from_body(&String::from_utf8_lossy(self.body))
                .into_status_error(self.status, redactor)
        };
        error = error.with_bytes_received(self.body.len() as u64);
        if let Some(should_retry) = self.should_retry {
            error = error.with_retryable(should_retry);
        }
        if let Some(retry_after) = self.retry_after {
            error = error.with_retry_after(retry_after);
        }
        if let Some(request_id) = self.request_id {
            error = error.with_request_id(redactor.clean_id(&request_id, 128));
        }
        error
    }
}

fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => filled(text),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// The words in a field that should hold a text, and with some servers holds a list of findings.
fn words(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => filled(text),
        Value::Array(items) => {
            let found: Vec<String> = items.iter().take(8).filter_map(words).collect();
            (!found.is_empty()).then(|| found.join("; "))
        }
        Value::Object(fields) => {
            let message = ["message", "msg", "detail"]
                .iter()
                .find_map(|name| fields.get(*name).and_then(Value::as_str))?;
            let place: Vec<String> = fields
                .get("loc")
                .and_then(Value::as_array)
                .map(|loc| loc.iter().filter_map(scalar).collect())
                .unwrap_or_default();
            Some(match place.is_empty() {
                true => message.to_owned(),
                false => format!("{}: {message}", place.join(".")),
            })
        }
        _ => None,
    }
}
