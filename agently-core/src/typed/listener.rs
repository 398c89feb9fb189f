use std::fmt;
use std::marker::PhantomData;

use agently_api::data::StreamingData;

use super::{FieldEvent, FieldPath, Output};

type Handler<'h> = Box<dyn FnMut(&StreamingData) + Send + 'h>;

/// Handlers for fields of an `R`, for [`async_listen`](crate::ModelResult::async_listen).
///
/// ```
/// use agently_core::{FieldEvent, Listener, ModelResult, Output};
/// use serde::Deserialize;
///
/// #[derive(Deserialize, Output)]
/// # #[output(crate = "agently_core")]
/// struct Report { sections: Vec<Section> }
///
/// #[derive(Deserialize, Output)]
/// # #[output(crate = "agently_core")]
/// struct Section { title: String }
///
/// # async fn demo(result: ModelResult) -> agently_core::Result<()> {
/// let mut titles = Vec::new();
/// let listener = Listener::new().on(Report::paths().sections().each().title(), |event| match event {
///     FieldEvent::Done(title) => titles.push(title.into_unaccepted()),
///     FieldEvent::Withdrawn(_) => titles.clear(),
///     _ => {}
/// });
/// result.async_listen(listener).await?;
/// # Ok(()) }
/// ```
#[must_use = "a listener hears nothing until `async_listen` is called with it"]
pub struct Listener<'h, R> {
    handlers: Vec<Handler<'h>>,
    root: PhantomData<fn() -> R>,
}

impl<'h, R: Output> Listener<'h, R> {
    /// Nobody listens yet.
    pub fn new() -> Self {
        Self {
            handlers: Vec::new(),
            root: PhantomData,
        }
    }

    /// Calls `handler` with what happens at `path`. The order in which handlers are added is the
    /// order in which they hear of the same event.
    pub fn on<P: FieldPath<Root = R>>(
        mut self,
        path: P,
        mut handler: impl FnMut(FieldEvent<P::Target>) + Send + 'h,
    ) -> Self {
        self.handlers.push(Box::new(move |item| {
            if let Some(event) = FieldEvent::of(&path, item) {
                handler(event);
            }
        }));
        self
    }

    pub(crate) fn hear(&mut self, item: &StreamingData) {
        for handler in &mut self.handlers {
            handler(item);
        }
    }
}

impl<R: Output> Default for Listener<'_, R> {
    fn default() -> Self {
        Self::new()
    }
}

impl<R> fmt::Debug for Listener<'_, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Listener")
            .field("handlers", &self.handlers.len())
            .finish_non_exhaustive()
    }
}
