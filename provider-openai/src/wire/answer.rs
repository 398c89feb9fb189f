//! From the bytes of a response body to the events of an answer, whatever kind of body it is.

use serde::de::IgnoredAny;

use agently_api::data::WarningKind;
use agently_api::error::{ProviderError, ProviderErrorKind};
use agently_api::model::ModelEvent;
use agently_http::sse::{self, EventKind};

use super::decode::limit;
use super::{ChunkDecoder, DecodeOptions, ErrorObject, Redactor};

const BOM: &[u8] = b"\xEF\xBB\xBF";

/// How much of a body that is no answer is shown, in bytes.
const FOREIGN_SHOWN: usize = 256;

pub(super) const BASE_URL_HINT: &str = "check the base URL (most servers want it to end in /v1), and that no login page or proxy stands before the server";

/// What a response body turned out to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum BodyFormat {
    /// Not enough has come to tell.
    Unknown,
    /// Events: server-sent ones, or lines of JSON.
    Events,
    /// One JSON document.
    Document,
    /// Neither: a web page, for one.
    Foreign,
}

/// Turns the bytes of a response body, in any cut, into [`ModelEvent`]s. Does no I/O.
///
/// The format is told from the first bytes, because the content type is often wrong. However the
/// bytes are cut, the events are the same.
///
/// ```
/// use agently_api::model::{FinishReason, ModelEvent};
/// use agently_provider_openai::wire::{BodyDecoder, DecodeOptions, Redactor};
///
/// let mut decoder = BodyDecoder::new(DecodeOptions::default(), Redactor::default(), None);
/// decoder.push(b"data: {\"choices\":[{\"delta\":{\"content\":\"Hi\"}}]}\n")?;
/// decoder.push(b"\ndata: {\"choices\":[{\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n")?;
/// assert!(decoder.is_done());
/// decoder.finish()?;
/// assert_eq!(decoder.next_event(), Some(ModelEvent::TextDelta("Hi".into())));
/// assert_eq!(decoder.next_event(), Some(ModelEvent::Finish(FinishReason::Stop)));
/// # Ok::<(), agently_api::error::ProviderError>(())
/// ```
#[derive(Debug)]
pub struct BodyDecoder {
    chunks: ChunkDecoder,
    options: DecodeOptions,
    media_type: Option<String>,
    state: State,
    progress: u64,
    /// An event was cut off by what followed it.
    stump: bool,
}

#[derive(Debug)]
enum State {
    /// The beginning, as far as it does not tell what follows.
    Beginning {
        bytes: Vec<u8>,
        past_bom: bool,
        /// How far the end of the first line was looked for.
        scanned: usize,
    },
    Events(Box<sse::Decoder>),
    Document(Vec<u8>),
    Foreign(Vec<u8>),
}

impl BodyDecoder {
    /// A decoder for one body. `media_type` is what the response says it is.
    #[must_use]
    pub fn new(options: DecodeOptions, redactor: Redactor, media_type: Option<&str>) -> Self {
        Self {
            chunks: ChunkDecoder::new(options.clone()).with_redactor(redactor),
            options,
            media_type: media_type.map(str::to_owned),
            state: State::Beginning {
                bytes: Vec::new(),
                past_bom: false,
                scanned: 0,
            },
            progress: 0,
            stump: false,
        }
    }

    /// What the body turned out to be.
    #[must_use]
    pub fn format(&self) -> BodyFormat {
        match self.state {
            State::Beginning { .. } => BodyFormat::Unknown,
            State::Events(_) => BodyFormat::Events,
            State::Document(_) => BodyFormat::Document,
            State::Foreign(_) => BodyFormat::Foreign,
        }
    }

    /// Whether the end marker came: nothing after it is read.
    #[must_use]
    pub fn is_done(&self) -> bool {
        self.chunks.is_done()
    }

    /// A count that grows with everything that is not merely a sign of life.
    #[must_use]
    pub fn progress(&self) -> u64 {
        self.progress
    }

    /// Whether the answer is whole even if the body is cut off here: its finish reason came.
    #[must_use]
    pub fn survives_cut(&self) -> bool {
        self.chunks.has_finish()
    }

    /// Whether nothing more of the answer is to be expected, only what goes with it, as token
    /// counts and the end marker.
    #[must_use]
    pub fn is_settled(&self) -> bool {
        self.chunks.is_settled()
    }

    /// The next event that is ready. Those before an error stay available after it.
    pub fn next_event(&mut self) -> Option<ModelEvent> {
        self.chunks.next_event()
    }

    /// Takes the next bytes of the body.
    ///
    /// # Errors
    ///
    /// The server's own error, `ContentType` for a web page and its like, `Decode`, `Limit`.
    pub fn push(&mut self, bytes: &[u8]) -> Result<(), ProviderError> {
        match &mut self.state {
            State::Beginning {
                bytes: held,
                past_bom,
                ..
            } => {
                held.extend_from_slice(bytes);
                if !*past_bom && !BOM.starts_with(held) {
                    *past_bom = true;
                    if held.starts_with(BOM) {
                        held.drain(..BOM.len());
                    }
                }
                if *past_bom {
                    // Servers under load send blank lines for minutes.
                    let blank = held.iter().take_while(|byte| byte.is_ascii_whitespace());
                    let blank = blank.count();
                    held.drain(..blank);
                    if !held.is_empty() {
                        self.progress += 1;
                    }
                    return self.begin(false);
                }
                Ok(())
            }
            State::Events(events) => {
                events.push(bytes);
                self.events(false)
            }
            State::Document(document) => {
                if bytes.iter().any(|byte| !byte.is_ascii_whitespace()) {
                    self.progress += 1;
                }
                document.extend_from_slice(bytes);
                if document.len() > self.options.max_answer_bytes {
                    *document = Vec::new();
                    return Err(limit(format!(
                        "the answer is larger than {} bytes",
                        self.options.max_answer_bytes
                    )));
                }
                Ok(())
            }
            State::Foreign(shown) => {
                shown.extend_from_slice(bytes);
                self.foreign(false)
            }
        }
    }

    /// Ends the body: the last events, and the verdict on the answer.
    ///
    /// # Errors
    ///
    /// As [`push`](Self::push), and `Truncated` or `Empty`.
    pub fn finish(&mut self) -> Result<(), ProviderError> {
        if let State::Beginning { bytes, .. } = &mut self.state {
            if BOM.starts_with(bytes) {
                return self.chunks.finish();
            }
            self.begin(true)?;
        }
        match &mut self.state {
            State::Beginning { .. } => {}
            State::Events(events) => {
                events.finish();
                self.events(true)?;
                if !self.options.streaming && !self.chunks.is_whole() {
                    self.chunks.warn(
                        WarningKind::Wire,
                        "the answer came as a stream although one piece was asked for",
                    );
                }
            }
            State::Document(document) => {
                let document = std::mem::take(document);
                self.document(&document)?;
            }
            State::Foreign(_) => self.foreign(true)?,
        }
        if self.options.streaming && self.chunks.is_whole() {
            self.chunks.warn(
                WarningKind::Wire,
                "the answer came as one piece although a stream was asked for",
            );
        }
        self.chunks.finish()
    }

    /// Ends a body that was cut off after its finish reason, or given up.
    ///
    /// # Errors
    ///
    /// As [`finish`](Self::finish).
    pub fn finish_cut(&mut self) -> Result<(), ProviderError> {
        self.chunks.warn(
            WarningKind::Wire,
            "the stream did not end properly after the end of the answer; token counts may be missing",
        );
        self.chunks.finish()
    }

    /// Tells the format from the first bytes, if they suffice. `ended` forces a choice.
    fn begin(&mut self, ended: bool) -> Result<(), ProviderError> {
        let State::Beginning { bytes, scanned, .. } = &mut self.state else {
            return Ok(());
        };
        let format = sniff(bytes, *scanned, self.media_type.as_deref(), ended);
        let Some(format) = format else {
            *scanned = bytes.len();
            if bytes.len() > self.options.max_answer_bytes {
                *bytes = Vec::new();
                return Err(limit(format!(
                    "the answer is larger than {} bytes",
                    self.options.max_answer_bytes
                )));
            }
            return Ok(());
        };
        let bytes = std::mem::take(bytes);
        self.progress += 1;
        match format {
            BodyFormat::Foreign => {
                self.state = State::Foreign(bytes);
                self.foreign(ended)
            }
            BodyFormat::Document => {
                self.state = State::Document(bytes);
                self.push(&[])
            }
            BodyFormat::Events | BodyFormat::Unknown => {
                let mut events = sse::Decoder::new(self.options.max_event_bytes);
                events.push(&bytes);
                self.state = State::Events(Box::new(events));
                self.events(false)
            }
        }
    }

    /// Decodes all events that are complete.
    fn events(&mut self, ended: bool) -> Result<(), ProviderError> {
        let State::Events(events) = &mut self.state else {
            return Ok(());
        };
        while let Some(event) = events.next_event()? {
            if self.chunks.is_done() {
                return Ok(());
            }
            if !event.data.trim_start().starts_with(':') {
                self.progress += 1;
            }
            if event.lossy {
                self.chunks.warn(
                    WarningKind::InvalidText,
                    "bytes that are not UTF-8 were replaced by U+FFFD",
                );
            }
            if event.kind == EventKind::ErrorField {
                let error = ErrorObject::from_body(event.data);
                return Err(error.into_stream_error(self.chunks.redactor()));
            }
            if event.kind == EventKind::BareJson {
                match is_whole_answer(event.data) {
                    true => self.chunks.set_complete(),
                    false => self
                        .chunks
                        .warn(WarningKind::Wire, "an event came without `data:` before it"),
                }
            }
            if !event.terminated && !is_whole_payload(event.data) {
                self.stump = true;
                continue;
            }
            self.chunks.push(event.name, event.data)?;
            // What broke into the event was no error: then the event itself is one.
            if std::mem::take(&mut self.stump) {
                self.chunks.stump()?;
            }
        }
        if ended && self.stump && !self.chunks.is_done() {
            if !self.chunks.has_finish() {
                return Err(ProviderError::new(
                    ProviderErrorKind::Truncated,
                    "the answer broke off in the middle of an event",
                ));
            }
            self.chunks.warn(
                WarningKind::Wire,
                "the stream broke off in the middle of an event after the end of the answer",
            );
        }
        Ok(())
    }

    fn document(&mut self, document: &[u8]) -> Result<(), ProviderError> {
        let text = String::from_utf8_lossy(document);
        if matches!(text, std::borrow::Cow::Owned(_)) {
            self.chunks.warn(
                WarningKind::InvalidText,
                "bytes that are not UTF-8 were replaced by U+FFFD",
            );
        }
        let one_value = serde_json::from_str::<IgnoredAny>(&text);
        if let Err(error) = &one_value {
            if error.is_eof() {
                return Err(ProviderError::new(
                    ProviderErrorKind::Truncated,
                    "the answer broke off in the middle of its JSON",
                ));
            }
        }
        // Several messages one after the other are a stream, which may be cut between two of them.
        if one_value.is_ok() {
            self.chunks.set_complete();
        }
        self.chunks.push(None, &text)?;
        if !self.chunks.is_answer() && !text.contains("\"choices\"") {
            return Err(self.not_an_answer(text.as_bytes()));
        }
        Ok(())
    }

    fn foreign(&mut self, ended: bool) -> Result<(), ProviderError> {
        match &self.state {
            State::Foreign(shown) if ended || shown.len() >= FOREIGN_SHOWN => {
                Err(self.not_an_answer(shown))
            }
            _ => Ok(()),
        }
    }

    fn not_an_answer(&self, body: &[u8]) -> ProviderError {
        let shown = body.get(..FOREIGN_SHOWN).unwrap_or(body);
        let text = String::from_utf8_lossy(shown);
        let shown = self.chunks.redactor().clean_to(&text, FOREIGN_SHOWN);
        let what = match (shown.starts_with('<'), self.media_type.as_deref()) {
            (true, _) => "a web page".to_owned(),
            (false, Some(media_type)) => {
                format!("`{}`", self.chunks.redactor().clean_to(media_type, 64))
            }
            (false, None) => "something else".to_owned(),
        };
        ProviderError::new(
            ProviderErrorKind::ContentType,
            format!("the server answered with {what} instead of a chat completion: {shown}"),
        )
        .with_hint(BASE_URL_HINT)
    }
}

/// What a body is, by its first bytes; `None` if they do not tell yet. Up to `scanned` they are known
/// to hold no end of a line.
fn sniff(
    bytes: &[u8],
    scanned: usize,
    media_type: Option<&str>,
    ended: bool,
) -> Option<BodyFormat> {
    const FIELDS: [&[u8]; 5] = [b"data", b"event", b"id", b"retry", b"error"];
    match bytes.first()? {
        b'{' | b'[' => {
            // A first line that is whole by itself begins a stream of lines.
            let news = bytes.get(scanned..)?;
            let end = news.iter().position(|byte| matches!(byte, b'\n' | b'\r'));
            let line = match end {
                Some(end) => bytes.get(..scanned + end)?,
                None if ended => bytes,
                None => return None,
            };
            let lines = std::str::from_utf8(line)
                .is_ok_and(|line| is_whole_payload(line) && !is_whole_answer(line));
            Some(match lines {
                true => BodyFormat::Events,
                false => BodyFormat::Document,
            })
        }
        b'<' => Some(BodyFormat::Foreign),
        b':' => Some(BodyFormat::Events),
        _ if FIELDS.iter().any(|field| is_field(bytes, field)) => Some(BodyFormat::Events),
        _ if !ended && FIELDS.iter().any(|field| field.starts_with(bytes)) => None,
        _ if media_type == Some("text/event-stream") => Some(BodyFormat::Events),
        _ => Some(BodyFormat::Foreign),
    }
}

/// Whether a line begins with this field, and not with a word that begins like it.
fn is_field(line: &[u8], field: &[u8]) -> bool {
    line.strip_prefix(field)
        .is_some_and(|rest| matches!(rest.first(), Some(b':' | b'\n' | b'\r')))
}

/// Whether a payload is complete by itself.
fn is_whole_payload(payload: &str) -> bool {
    let payload = payload.trim();
    payload == "[DONE]" || serde_json::from_str::<IgnoredAny>(payload).is_ok()
}

/// Whether a line is a whole answer: no stream of lines, just an answer in one line.
fn is_whole_answer(line: &str) -> bool {
    line.contains("\"choices\"") && line.contains("\"message\"") && !line.contains("\"delta\"")
}
