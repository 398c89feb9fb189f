//! What decides which branch is taken.

use std::fmt;
use std::future::Future;
use std::sync::Arc;

use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::chunk::{Chunk, Handler, Source};
use crate::data::FlowData;
use crate::error::ChunkResult;

/// A condition of [`if_condition`](crate::TriggerFlow::if_condition) or of a case.
///
/// ```
/// use agently_flow::{Condition, FlowData, TriggerFlow};
///
/// async fn loud(_: FlowData) -> agently_flow::ChunkResult<String> { Ok("LOUD".into()) }
///
/// let flow = TriggerFlow::new("volume");
/// flow.if_condition(Condition::input(|level: u8| level > 10))
///     .to(loud)
///     .end_condition();
/// ```
#[derive(Clone)]
pub struct Condition {
    pub(crate) name: Option<Arc<str>>,
    pub(crate) test: Test,
}

#[derive(Clone)]
pub(crate) enum Test {
    /// The value is equal to this one.
    Equals(Value),
    /// The function says so.
    Ask(Handler),
}

/// Names an async condition.
#[must_use]
pub fn condition<F, Fut>(name: impl Into<Arc<str>>, function: F) -> Condition
where
    F: Fn(FlowData) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = ChunkResult<bool>> + Send + 'static,
{
    let mut condition = function.into_condition();
    condition.name = Some(name.into());
    condition
}

impl Condition {
    /// Asks a function about the value, read as `T`. A value that is no `T` is an error.
    #[must_use]
    pub fn input<T: DeserializeOwned + Send + 'static>(
        test: impl Fn(T) -> bool + Send + Sync + 'static,
    ) -> Self {
        let test = Arc::new(test);
        Self::asking(Chunk::new(move |data: FlowData| {
            let test = Arc::clone(&test);
            async move { Ok(test(data.input::<T>()?)) }
        }))
    }

    /// Compares the value with another one.
    #[must_use]
    pub fn equals(value: impl Into<Value>) -> Self {
        Self {
            name: None,
            test: Test::Equals(value.into()),
        }
    }

    fn asking(chunk: Chunk) -> Self {
        let test = match chunk.source {
            Source::Own(handler, _) => Test::Ask(handler),
            // Never made here: conditions have functions of their own.
            Source::Named(_) => Test::Equals(Value::Null),
        };
        Self { name: None, test }
    }
}

impl fmt::Debug for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Condition")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

/// What decides a branch: an async function that returns `bool`, a [`Condition`], or a plain value
/// to compare with.
///
/// `M` only keeps the cases apart; it is always inferred.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a condition",
    note = "a condition is `async fn(FlowData) -> ChunkResult<bool>`, `Condition::input(|value: T| …)`, or a plain value to compare with"
)]
pub trait IntoCondition<M> {
    /// The condition.
    fn into_condition(self) -> Condition;
}

impl IntoCondition<()> for Condition {
    fn into_condition(self) -> Condition {
        self
    }
}

impl<F, Fut> IntoCondition<(Fut,)> for F
where
    F: Fn(FlowData) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = ChunkResult<bool>> + Send + 'static,
{
    fn into_condition(self) -> Condition {
        Condition::asking(Chunk::new(self))
    }
}

/// Marks a plain value where a condition is wanted.
#[derive(Clone, Copy, Debug)]
pub struct ByValue;

macro_rules! plain_values {
    ($($plain:ty),*) => {$(
        impl IntoCondition<ByValue> for $plain {
            fn into_condition(self) -> Condition {
                Condition::equals(self)
            }
        }
    )*};
}

plain_values!(Value, i64, bool, &str, String);
