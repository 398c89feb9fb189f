//! Everything a request has brought so far, in order, for readers early and late.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use agently_api::data::{
    AttemptMeta, AttemptStatus, DeltaText, Node, ResultMeta, StreamingData, TextView, Warning,
};
use agently_api::model::{ModelEvent, ToolCall, ToolCallDelta};

use super::refusal::Refusal;
use super::tools::ToolCalls;
use crate::error::{Error, Result};
use crate::format::{AnswerParser, Layout};
use crate::instant::Document;

/// One thing that happened.
#[derive(Clone, Debug)]
pub(super) enum Record {
    /// The answer's text grew.
    Text(DeltaText),
    /// The model's reasoning grew.
    Reasoning(DeltaText),
    /// A tool call grew.
    ToolCall(Arc<ToolCallDelta>),
    /// Any other event of the provider.
    Event(Arc<ModelEvent>),
    /// The text of an attempt has ended.
    End,
    /// An attempt has been judged.
    Status(Arc<AttemptStatus>),
}

/// What the getters hand out.
#[derive(Debug)]
pub struct Accepted {
    pub(super) text: String,
    pub(super) reasoning: String,
    pub(super) data: Node,
    pub(super) tool_calls: Vec<ToolCall>,
    pub(super) meta: ResultMeta,
}

#[derive(Debug)]
pub struct Log {
    state: Mutex<State>,
    /// Grows with everything that readers could see.
    version: AtomicUsize,
    raw: AtomicBool,
}

#[derive(Debug)]
struct State {
    layout: Layout,
    records: Vec<Record>,
    /// The field events, each with the number of records that had come before or with it.
    fields: Vec<(usize, StreamingData)>,
    parser: Parsing,
    attempt: u32,
    text: TextView,
    reasoning: String,
    refusal: String,
    tool_calls: ToolCalls,
    /// Bytes that the attempt's events take.
    size: usize,
    meta: ResultMeta,
    outcome: Option<Result<Arc<Accepted>>>,
}

/// Whether the text is parsed into fields.
#[derive(Debug)]
enum Parsing {
    /// Nobody has wanted fields so far.
    Unwanted,
    /// The attempt's text goes through it.
    Open(Box<AnswerParser>),
    /// The attempt's text has ended.
    Ended,
}

impl Log {
    pub(super) fn new(layout: Layout, provider: &str, parse: bool) -> Self {
        Self {
            version: AtomicUsize::new(0),
            raw: AtomicBool::new(false),
            state: Mutex::new(State {
                parser: if parse {
                    Parsing::Open(Box::new(AnswerParser::new(&layout, 1)))
                } else {
                    Parsing::Unwanted
                },
                layout,
                records: Vec::new(),
                fields: Vec::new(),
                attempt: 1,
                text: TextView::new(),
                reasoning: String::new(),
                refusal: String::new(),
                tool_calls: ToolCalls::default(),
                size: 0,
                meta: ResultMeta::new(provider),
                outcome: None,
            }),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Only our own code runs under this lock, and it does not panic.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A number that changes with everything the driver adds.
    pub(super) fn version(&self) -> usize {
        self.version.load(Ordering::Acquire)
    }

    /// The log, about to be added to.
    fn grow(&self) -> MutexGuard<'_, State> {
        let state = self.lock();
        self.version.fetch_add(1, Ordering::Release);
        state
    }

    // What readers ask.

    pub(super) fn record(&self, index: usize) -> Option<Record> {
        self.lock().records.get(index).cloned()
    }

    pub(super) fn field(&self, index: usize) -> Option<StreamingData> {
        self.lock().fields.get(index).map(|(_, data)| data.clone())
    }

    pub(super) fn fields_len(&self) -> usize {
        self.lock().fields.len()
    }

    /// The field event at `index`, if it came with the first `records` records.
    pub(super) fn field_within(&self, index: usize, records: usize) -> Option<StreamingData> {
        let state = self.lock();
        let (after, data) = state.fields.get(index)?;
        (*after <= records).then(|| data.clone())
    }

    pub(super) fn outcome(&self) -> Option<Result<Arc<Accepted>>> {
        self.lock().outcome.clone()
    }

    pub(super) fn text(&self) -> String {
        self.text_view().to_string()
    }

    /// The text as it is now, without copying it.
    pub(super) fn text_view(&self) -> TextView {
        self.lock().text.clone()
    }

    pub(super) fn reasoning(&self) -> String {
        self.lock().reasoning.clone()
    }

    /// Somebody wants fields: parses what has come, and from now on whatever comes.
    pub(super) fn want_fields(&self) {
        self.lock().want_fields();
    }

    /// Somebody wants the provider's raw events.
    pub(super) fn want_raw(&self) {
        self.raw.store(true, Ordering::Release);
    }

    pub(super) fn wants_raw(&self) -> bool {
        self.raw.load(Ordering::Acquire)
    }

    /// The request cannot be sent.
    pub(super) fn refuse(&self, error: Error) {
        self.grow().outcome = Some(Err(error));
    }

    // What the driver tells.

    /// The answer's text grew. Says whether a field did.
    pub(super) fn push_text(&self, text: &str) -> bool {
        let mut state = self.grow();
        let fields = state.fields.len();
        state.text.append(text);
        state.size += text.len();
        state.records.push(Record::Text(text.into()));
        state.feed(text);
        state.fields.len() > fields
    }

    pub(super) fn push_reasoning(&self, text: &str) {
        let mut state = self.grow();
        state.reasoning.push_str(text);
        state.size += text.len();
        state.records.push(Record::Reasoning(text.into()));
    }

    pub(super) fn push_tool_call(&self, delta: ToolCallDelta) {
        let mut state = self.grow();
        state.tool_calls.push(&delta);
        state.size += tool_call_size(&delta);
        state.records.push(Record::ToolCall(Arc::new(delta)));
    }

    pub(super) fn push_event(&self, event: ModelEvent) {
        let mut state = self.grow();
        state.note(&event);
        state.size += event_size(&event);
        state.records.push(Record::Event(Arc::new(event)));
    }

    /// Adds a warning to meta without an event.
    pub(super) fn warn(&self, warning: Warning) {
        self.lock().meta.warnings.push(warning);
    }

    pub(super) fn with_meta<R>(&self, change: impl FnOnce(&mut ResultMeta) -> R) -> R {
        change(&mut self.lock().meta)
    }

    pub(super) fn refusal(&self) -> String {
        self.lock().refusal.clone()
    }

    /// Bytes that the attempt's events take, about.
    pub(super) fn size(&self) -> usize {
        self.lock().size
    }

    pub(super) fn tool_call_names(&self) -> Vec<String> {
        self.lock().tool_calls.names()
    }

    /// The attempt's text has ended. Gives the document, if fields were parsed.
    pub(super) fn end_text(&self) -> Option<Document> {
        let mut state = self.grow();
        state.records.push(Record::End);
        state.finish_parser()
    }

    /// The final parse read the attempt's document otherwise than it was sent.
    pub(super) fn reconcile(&self, document: &Document, accepted: &Node) {
        let mut state = self.grow();
        let State {
            records,
            fields,
            attempt,
            ..
        } = &mut *state;
        let after = records.len();
        document.reconcile(accepted, *attempt, &mut |item| fields.push((after, item)));
    }

    /// The attempt was refused, and another begins.
    pub(super) fn retry(&self, refusal: Refusal, duration: Duration) {
        let mut state = self.grow();
        let attempt = state.attempt;
        let reason = refusal.reason.clone();
        state.close_attempt(Some(reason.clone()), Some(refusal), duration);
        state.push_status(AttemptStatus::retrying(attempt, reason));
        state.attempt += 1;
        state.text = TextView::new();
        state.size = 0;
        state.reasoning.clear();
        state.refusal.clear();
        state.tool_calls = ToolCalls::default();
        state.meta.finish_reason = None;
        state.meta.usage = None;
        if !matches!(state.parser, Parsing::Unwanted) {
            state.parser = Parsing::Open(Box::new(AnswerParser::new(&state.layout, attempt + 1)));
        }
    }

    /// The attempt's answer is accepted. `None` as data means the text itself.
    pub(super) fn accept(&self, data: Option<Node>, duration: Duration, total: Duration) {
        let mut state = self.grow();
        let attempt = state.attempt;
        state.meta.timings.total = Some(total);
        state.close_attempt(None, None, duration);
        state.push_status(AttemptStatus::completed(attempt));
        let text = state.text.to_string();
        let accepted = Accepted {
            data: data.unwrap_or_else(|| Node::String(text.clone().into())),
            text,
            reasoning: state.reasoning.clone(),
            tool_calls: state.tool_calls.finish(),
            meta: state.meta.clone(),
        };
        state.outcome = Some(Ok(Arc::new(accepted)));
    }

    /// The call failed for good, no one knows when.
    pub(super) fn fail(&self, error: Error) {
        self.end(error, None, Duration::ZERO, None);
    }

    /// The call failed for good.
    pub(super) fn fail_after(
        &self,
        error: Error,
        refusal: Option<Refusal>,
        duration: Duration,
        total: Duration,
    ) {
        self.end(error, refusal, duration, Some(total));
    }

    fn end(
        &self,
        error: Error,
        refusal: Option<Refusal>,
        duration: Duration,
        total: Option<Duration>,
    ) {
        let mut state = self.grow();
        if state.outcome.is_some() {
            return;
        }
        let attempt = state.attempt;
        let reason = describe(&error);
        state.finish_parser();
        state.meta.timings.total = total;
        state.close_attempt(Some(reason.clone()), refusal, duration);
        state.push_status(AttemptStatus::failed(attempt, reason));
        let refusal = Some(state.refusal.clone()).filter(|words| !words.is_empty());
        let error = error.with_outcome(state.text.to_string(), refusal, state.meta.clone());
        state.outcome = Some(Err(error));
    }
}

/// What an event costs at least, beside the texts in it.
const EVENT_SIZE: usize = 64;

fn tool_call_size(delta: &ToolCallDelta) -> usize {
    let length = |text: &Option<String>| text.as_ref().map_or(0, String::len);
    let extra: usize = delta
        .extra
        .iter()
        .map(|(key, value)| key.len() + value.to_string().len())
        .sum();
    EVENT_SIZE + length(&delta.id) + length(&delta.name) + delta.arguments.len() + extra
}

fn event_size(event: &ModelEvent) -> usize {
    EVENT_SIZE
        + match event {
            ModelEvent::RefusalDelta(text) => text.len(),
            ModelEvent::Raw(raw) => raw.data.len() + raw.name.as_ref().map_or(0, String::len),
            ModelEvent::Warning(warning) => warning.message.len(),
            _ => 0,
        }
}

/// An error and what lies below it, on one line.
fn describe(error: &Error) -> String {
    let mut text = error.to_string();
    if let Some(provider) = error.provider() {
        text.push_str(": ");
        text.push_str(provider.message());
    }
    text
}

impl State {
    fn note(&mut self, event: &ModelEvent) {
        match event {
            ModelEvent::Started(info) => {
                let take = |old: &mut Option<String>, new: &Option<String>| {
                    if new.is_some() {
                        old.clone_from(new);
                    }
                };
                take(&mut self.meta.response_id, &info.id);
                take(&mut self.meta.model, &info.model);
                take(&mut self.meta.request_id, &info.request_id);
            }
            ModelEvent::Usage(usage) => {
                self.meta.usage.get_or_insert_default().update(*usage);
            }
            ModelEvent::Finish(reason) => self.meta.finish_reason = Some(reason.clone()),
            ModelEvent::RefusalDelta(text) => self.refusal.push_str(text),
            ModelEvent::Warning(warning) => self.meta.warnings.push(warning.clone()),
            _ => {}
        }
    }

    fn close_attempt(
        &mut self,
        failure: Option<String>,
        refusal: Option<Refusal>,
        duration: Duration,
    ) {
        let text = failure.is_some().then(|| self.text.to_string());
        let mut attempt = AttemptMeta::new(self.attempt, failure, self.meta.usage, duration);
        attempt.text = text;
        if let Some(refusal) = refusal {
            attempt.validator = refusal.validator;
            attempt.payload = refusal.payload;
            attempt.stopped_early = refusal.early;
        }
        self.meta.attempts.push(attempt);
    }

    fn push_status(&mut self, status: AttemptStatus) {
        self.records.push(Record::Status(Arc::new(status.clone())));
        if !matches!(self.parser, Parsing::Unwanted) {
            let item = StreamingData::from_status(status);
            self.fields.push((self.records.len(), item));
        }
    }

    fn feed(&mut self, text: &str) {
        let after = self.records.len();
        if let Parsing::Open(parser) = &mut self.parser {
            let fields = &mut self.fields;
            parser.push(text, &mut |item| fields.push((after, item)));
        }
    }

    fn finish_parser(&mut self) -> Option<Document> {
        let after = self.records.len();
        let fields = &mut self.fields;
        match std::mem::replace(&mut self.parser, Parsing::Ended) {
            Parsing::Open(parser) => Some(parser.finish(&mut |item| fields.push((after, item)))),
            Parsing::Unwanted => {
                self.parser = Parsing::Unwanted;
                None
            }
            Parsing::Ended => None,
        }
    }

    fn want_fields(&mut self) {
        if !matches!(self.parser, Parsing::Unwanted) {
            return;
        }
        let records = std::mem::take(&mut self.records);
        self.parser = Parsing::Open(Box::new(AnswerParser::new(&self.layout, 1)));
        for record in records {
            // The field events of a record count it as read.
            self.records.push(record.clone());
            match record {
                Record::Text(text) => self.feed(&text),
                Record::End => {
                    self.finish_parser();
                }
                Record::Status(status) => {
                    let item = StreamingData::from_status((*status).clone());
                    self.finish_parser();
                    self.fields.push((self.records.len(), item));
                    if let Some(next) = status.next_attempt_index {
                        self.parser =
                            Parsing::Open(Box::new(AnswerParser::new(&self.layout, next)));
                    }
                }
                Record::Reasoning(_) | Record::ToolCall(_) | Record::Event(_) => {}
            }
        }
    }
}
