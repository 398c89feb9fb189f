//! Rules of the caller's own for an answer.

use std::error::Error as StdError;
use std::fmt;
use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use agently_api::data::TextView;
use agently_api::BoxFuture;
use serde_json::Value;

use crate::options::Options;
use crate::prompt::{Prompt, Slot};

/// What a validator says of an answer.
#[derive(Debug)]
#[must_use = "a judgment counts only when it is returned"]
#[non_exhaustive]
pub enum Judgment {
    /// The answer is good.
    Pass,
    /// The answer is not good; the model is told why and asked again.
    Fail {
        /// What is wrong, in words the model understands.
        reason: String,
        /// More about it, for the caller. It is kept with the attempt.
        payload: Option<Value>,
    },
    /// The answer is not good, and asking again would not help.
    Stop {
        /// What is wrong.
        reason: String,
    },
    /// Something else went wrong: the request fails with this as the source of its error.
    Raise(Box<dyn StdError + Send + Sync>),
}

impl Judgment {
    /// The answer is not good; `reason` is what the model is told.
    pub fn fail(reason: impl Into<String>) -> Self {
        Self::Fail {
            reason: reason.into(),
            payload: None,
        }
    }

    /// [`fail`](Self::fail) with more about it, for the caller.
    pub fn fail_with(reason: impl Into<String>, payload: impl Into<Value>) -> Self {
        Self::Fail {
            reason: reason.into(),
            payload: Some(payload.into()),
        }
    }

    /// The answer is not good, and asking again would not help.
    pub fn stop(reason: impl Into<String>) -> Self {
        Self::Stop {
            reason: reason.into(),
        }
    }

    /// Something else went wrong.
    pub fn raise(error: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self::Raise(error.into())
    }

    /// [`Pass`](Self::Pass) if `good`, else [`fail`](Self::fail).
    pub fn pass_if(good: bool, reason: impl Into<String>) -> Self {
        if good {
            Self::Pass
        } else {
            Self::fail(reason)
        }
    }
}

/// What a validator may know and change beside the answer's data. A cheap clone.
#[derive(Clone)]
pub struct ValidationContext {
    text: TextView,
    attempt: u32,
    retries_left: u32,
    next: Arc<Mutex<Next>>,
}

/// What later attempts are made with.
pub(crate) struct Next {
    pub(crate) prompt: Prompt,
    pub(crate) options: Options,
}

impl ValidationContext {
    pub(crate) fn new(
        text: TextView,
        attempt: u32,
        retries_left: u32,
        next: Arc<Mutex<Next>>,
    ) -> Self {
        Self {
            text,
            attempt,
            retries_left,
            next,
        }
    }

    /// The answer's text: the whole of it, or, for a rule of one field, what has come so far. It is
    /// copied at each call.
    #[must_use]
    pub fn text(&self) -> String {
        self.text.to_string()
    }

    /// Which attempt this is, from 1.
    #[must_use]
    pub fn attempt(&self) -> u32 {
        self.attempt
    }

    /// How often the model can still be asked again.
    #[must_use]
    pub fn retries_left(&self) -> u32 {
        self.retries_left
    }

    /// Changes the prompt of later attempts of this request.
    ///
    /// The shape wanted back stays as it is.
    pub fn change_prompt(&self, change: impl FnOnce(&mut Prompt)) {
        // Foreign code runs on a copy, not under the lock.
        let mut prompt = self.next().prompt.clone();
        let output = prompt.output().cloned();
        change(&mut prompt);
        match output {
            Some(output) => prompt.set_output(output),
            None => prompt.clear(Slot::Output),
        };
        self.next().prompt = prompt;
    }

    fn next(&self) -> MutexGuard<'_, Next> {
        self.next.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sets a field of the request body in later attempts of this request.
    pub fn set_option(&self, name: impl Into<String>, value: impl Into<Value>) {
        self.next().options.body.insert(name.into(), value.into());
    }

    /// Uses another model in later attempts of this request.
    pub fn set_model(&self, model: impl Into<String>) {
        self.next().options.model = Some(model.into());
    }
}

impl fmt::Debug for ValidationContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ValidationContext")
            .field("attempt", &self.attempt)
            .field("retries_left", &self.retries_left)
            .finish_non_exhaustive()
    }
}

type Handler = dyn Fn(Value, ValidationContext) -> BoxFuture<'static, Judgment> + Send + Sync;

/// A validator and its name.
#[derive(Clone)]
pub(crate) struct Validator {
    pub(crate) name: Arc<str>,
    handler: Arc<Handler>,
}

impl Validator {
    pub(crate) fn new(
        name: String,
        handler: impl Fn(&Value, &ValidationContext) -> Judgment + Send + Sync + 'static,
    ) -> Self {
        Self {
            name: name.into(),
            handler: Arc::new(move |value, context| {
                let judgment = handler(&value, &context);
                Box::pin(std::future::ready(judgment))
            }),
        }
    }

    pub(crate) fn new_async<F>(
        name: String,
        handler: impl Fn(Value, ValidationContext) -> F + Send + Sync + 'static,
    ) -> Self
    where
        F: Future<Output = Judgment> + Send + 'static,
    {
        Self {
            name: name.into(),
            handler: Arc::new(move |value, context| Box::pin(handler(value, context))),
        }
    }

    pub(crate) async fn judge(&self, value: Value, context: ValidationContext) -> Judgment {
        (self.handler)(value, context).await
    }
}

impl fmt::Debug for Validator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Validator").field(&self.name).finish()
    }
}
