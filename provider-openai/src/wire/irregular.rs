//! Payloads that are not the JSON object they should be.

use serde_json::Value;

use agently_api::data::WarningKind;
use agently_api::error::{ProviderError, ProviderErrorKind};

use super::{surrogate, ChunkDecoder, ErrorObject};

impl ChunkDecoder {
    /// An event was cut off by the one that followed it.
    pub(crate) fn stump(&mut self) -> Result<(), ProviderError> {
        let what = "an event of the stream breaks off before its end";
        if self.options.skip_malformed_events {
            self.warn(WarningKind::Wire, format!("{what}; it was skipped"));
            return Ok(());
        }
        Err(ProviderError::new(ProviderErrorKind::Decode, what))
    }

    /// A payload that is no JSON object as it should be.
    pub(super) fn irregular(
        &mut self,
        name: Option<&str>,
        payload: &str,
    ) -> Result<(), ProviderError> {
        if let Some(marked) = surrogate::mark(payload) {
            if let Ok(value) = serde_json::from_str::<Value>(&marked) {
                return self.value(name, &value, &marked, true);
            }
        }
        // Fields given twice are refused by the typed reading and taken by this one, and so are
        // several objects where one should be.
        let values: Result<Vec<Value>, _> = serde_json::Deserializer::from_str(payload)
            .into_iter::<Value>()
            .collect();
        if let Ok(values) = values {
            if values.len() > 1 {
                self.warn(
                    WarningKind::Wire,
                    "several chunks came as one event; they were read one by one",
                );
            }
            for value in values {
                self.value(name, &value, &value.to_string(), false)?;
            }
            return Ok(());
        }
        if name.is_some_and(is_sign_of_life) {
            return Ok(());
        }
        if name == Some("error") {
            return Err(ErrorObject::from_body(payload).into_stream_error(self.redactor()));
        }
        self.malformed(payload)
    }

    fn malformed(&mut self, payload: &str) -> Result<(), ProviderError> {
        // A server that fails in the middle of an event writes its error right behind the stump.
        if let Some(at) = payload.rfind("{\"error\"") {
            let stump = payload.get(at..).unwrap_or_default();
            let injected = serde_json::Deserializer::from_str(stump)
                .into_iter::<Value>()
                .next()
                .and_then(Result::ok);
            return Err(match injected.as_ref().and_then(ErrorObject::find) {
                Some(error) => error.into_stream_error(self.redactor()),
                None => ProviderError::new(
                    ProviderErrorKind::Protocol,
                    "an unfinished error message came in the middle of an event",
                ),
            });
        }
        // Nothing of the payload is shown: it holds the answer. The error's own words may quote it,
        // so only its place is taken.
        let place = match serde_json::from_str::<Value>(payload) {
            Ok(_) => String::new(),
            Err(error) => format!(
                " ({:?} error at line {}, column {})",
                error.classify(),
                error.line(),
                error.column()
            ),
        };
        let what = format!("an event of the stream is not valid JSON{place}");
        if self.options.skip_malformed_events {
            self.warn(WarningKind::Wire, format!("{what}; it was skipped"));
            return Ok(());
        }
        Err(
            ProviderError::new(ProviderErrorKind::Decode, what).with_hint(
                "check that the server speaks the chat completions format; `skip_malformed_events` reads on",
            ),
        )
    }

    fn value(
        &mut self,
        name: Option<&str>,
        value: &Value,
        text: &str,
        marked: bool,
    ) -> Result<(), ProviderError> {
        if let Value::Array(items) = value {
            for item in items {
                self.value(name, item, &item.to_string(), marked)?;
            }
            return Ok(());
        }
        if !value.is_object() {
            return match name {
                Some("error") => {
                    Err(ErrorObject::from_body(text).into_stream_error(self.redactor()))
                }
                _ => {
                    self.warn(
                        WarningKind::Wire,
                        "an event was no JSON object; it was skipped",
                    );
                    Ok(())
                }
            };
        }
        // Every field takes every value, so this fails for no object.
        match serde::Deserialize::deserialize(value) {
            Ok(chunk) => self.chunk(name, chunk, text, marked),
            Err(_) => self.malformed(text),
        }
    }
}

/// Whether an event of this name only says that the server is there.
pub(super) fn is_sign_of_life(name: &str) -> bool {
    matches!(name, "ping" | "keepalive" | "keep-alive" | "heartbeat")
}
