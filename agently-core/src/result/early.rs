//! Judging a field the moment it closes.
//!
//! An answer that is already wrong need not be waited for: the attempt is given up at once, which
//! drops the provider's stream and closes its socket. A key that the model would have repeated is
//! judged by its first value: waiting for a second one would mean waiting for the end.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use agently_api::data::{Path, Segment, StreamingData};

use super::ensure::is_empty;
use super::fields;
use super::judge::Verdict;
use super::limits::broken_by;
use super::log::Log;
use super::refusal::Refusal;
use super::validators::{one, Asked};
use crate::error::{Error, ErrorKind};
use crate::options::Options;
use crate::schema::{wildcard_path, Ensure, EnsureStep, Schema};
use crate::validate::{Next, ValidationContext, Validator};

/// The rules for single fields, and how far they have been applied in this attempt.
pub(super) struct Early<'a> {
    /// By wildcard path, then exactly: the printed path of a key with a dot may be another's.
    rules: BTreeMap<String, Vec<Rules<'a>>>,
    log: &'a Log,
    next: Arc<Mutex<Next>>,
    attempt: u32,
    retries_left: u32,
    /// How many of the log's field events have been looked at.
    seen: usize,
}

struct Rules<'a> {
    steps: Vec<EnsureStep>,
    check: Check<'a>,
}

enum Check<'a> {
    NotEmpty,
    Limits(Schema),
    Validator(&'a Validator),
}

impl Rules<'_> {
    fn is_for(&self, path: &Path) -> bool {
        let segments = path.segments();
        segments.len() == self.steps.len()
            && self
                .steps
                .iter()
                .zip(segments)
                .all(|(step, segment)| match (step, segment) {
                    (EnsureStep::Key(wanted), Segment::Key(key)) => wanted == key,
                    (EnsureStep::Each, Segment::Index(_)) => true,
                    _ => false,
                })
    }
}

impl<'a> Early<'a> {
    pub(super) fn new(
        schema: Option<&Schema>,
        options: &'a Options,
        log: &'a Log,
        attempt: u32,
        next: &Arc<Mutex<Next>>,
    ) -> Self {
        let mut rules: BTreeMap<String, Vec<Rules<'a>>> = BTreeMap::new();
        for rule in schema.into_iter().flat_map(Schema::ensure_paths) {
            // What may be null is looked at when the answer is whole.
            if rule.ensure == Ensure::NotNull && !rule.is_nullable_at(rule.steps.len()) {
                rules.entry(rule.to_string()).or_default().push(Rules {
                    steps: rule.steps,
                    check: Check::NotEmpty,
                });
            }
        }
        if let Some(schema) = schema {
            collect_limits(schema, &mut Vec::new(), &mut rules);
        }
        for (path, validator) in &options.field_validators {
            // A path that cannot be read was refused before the request started.
            if let Some(steps) = schema.and_then(|schema| fields::find(schema, path).ok()) {
                rules.entry(path.clone()).or_default().push(Rules {
                    steps,
                    check: Check::Validator(validator),
                });
            }
        }
        Self {
            rules,
            log,
            next: Arc::clone(next),
            attempt,
            retries_left: options.max_retries.saturating_sub(attempt),
            seen: log.fields_len(),
        }
    }

    /// Judges the fields that have closed since the last look; `None` if all are good.
    pub(super) async fn judge(&mut self) -> Option<Verdict> {
        if self.rules.is_empty() {
            return None;
        }
        while let Some(item) = self.log.field(self.seen) {
            self.seen += 1;
            if item.is_complete {
                if let Some(verdict) = self.judge_field(&item).await {
                    return Some(verdict);
                }
            }
        }
        None
    }

    async fn judge_field(&self, item: &StreamingData) -> Option<Verdict> {
        let rules = self.rules.get(item.wildcard_path())?;
        for rule in rules.iter().filter(|rule| rule.is_for(&item.path)) {
            match &rule.check {
                Check::NotEmpty if is_empty(item.value().node()) => {
                    let reason = format!("`{}` must not be empty", item.path);
                    return Some(Verdict::Retry {
                        refusal: Refusal::new(reason.clone()),
                        error: Error::new(ErrorKind::Ensure, reason),
                    });
                }
                Check::NotEmpty => {}
                Check::Limits(schema) => {
                    if let Some(reason) = broken_by(schema, item.value().node(), &item.path) {
                        return Some(Verdict::Retry {
                            refusal: Refusal::new(reason.clone()),
                            error: Error::new(ErrorKind::Constraint, reason),
                        });
                    }
                }
                Check::Validator(validator) => {
                    let context = ValidationContext::new(
                        self.log.text_view(),
                        self.attempt + 1,
                        self.retries_left,
                        Arc::clone(&self.next),
                    );
                    let value = item.value().to_value();
                    let place = format!("`{}`: ", item.path);
                    if let Asked::Refused(verdict) = one(validator, &place, value, context).await {
                        return Some(verdict);
                    }
                }
            }
        }
        None
    }
}

/// The limits of every field, by wildcard path.
fn collect_limits(
    schema: &Schema,
    steps: &mut Vec<EnsureStep>,
    rules: &mut BTreeMap<String, Vec<Rules<'_>>>,
) {
    if schema.limits().is_some() {
        rules.entry(wildcard_path(steps)).or_default().push(Rules {
            steps: steps.clone(),
            check: Check::Limits(schema.clone()),
        });
    }
    for field in schema.fields() {
        steps.push(EnsureStep::Key(field.name().into()));
        collect_limits(field.schema(), steps, rules);
        steps.pop();
    }
    if let Some(item) = schema.item() {
        steps.push(EnsureStep::Each);
        collect_limits(item, steps, rules);
        steps.pop();
    }
}
