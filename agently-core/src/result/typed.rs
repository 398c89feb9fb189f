//! Reading a result through the type it was asked for as.

use agently_macros::syncify;
use futures_util::StreamExt;

use super::{Generator, Instant, ModelResult};
use crate::blocker::BlockingGenerator;
use crate::error::{Error, ErrorKind, Result};
use crate::typed::{FieldEvents, FieldPath, Listener, Output};

impl ModelResult {
    /// The `Instant` stream, or the reason why paths that start at an `R` do not lead into it.
    fn items_of<R: Output>(&self) -> Generator<Instant> {
        let declared = self.typed.is_some_and(|typed| typed.is::<R>());
        // A request that was never sent says why by itself.
        let refused = (!declared && self.shared.log.outcome().is_none_or(|ended| ended.is_ok()))
            .then(|| {
                let found = match self.typed {
                    Some(typed) => format!("for a `{}`", typed.name()),
                    None => "without a type".to_owned(),
                };
                let wanted = std::any::type_name::<R>();
                Error::new(
                    ErrorKind::Type,
                    format!(
                        "the path starts at a `{wanted}`, but the answer was asked for {found}; \
                         declare it with `output_type::<{wanted}>()`"
                    ),
                )
            });
        Generator::new(self.shared.clone(), Instant, refused)
    }
}

#[syncify(blocker = Self::blocker, iter = BlockingGenerator, pairs = TYPED_SYNC_PAIRS)]
impl ModelResult {
    /// What happens at one path while the model is writing: the field grows, it is finished as the
    /// type it has there, or all of it is withdrawn because another attempt begins.
    ///
    /// With a path to the items of a list, each item is handed out as soon as it is closed, while
    /// the rest is still coming. What is no such value is left out: the attempt it belongs to is
    /// refused. The request must have been made with
    /// [`output_type`](crate::Request::output_type) of the type at which the path starts; else the
    /// stream is one error of kind [`ErrorKind::Type`].
    ///
    /// ```
    /// use agently_core::{FieldEvent, ModelResult, Output, Result};
    /// use futures_util::StreamExt;
    /// use serde::Deserialize;
    ///
    /// #[derive(Deserialize, Output)]
    /// # #[output(crate = "agently_core")]
    /// struct Report { sections: Vec<Section> }
    ///
    /// #[derive(Deserialize, Output)]
    /// # #[output(crate = "agently_core")]
    /// struct Section { title: String, body: String }
    ///
    /// # async fn demo(result: ModelResult) -> Result<()> {
    /// let mut shown = Vec::new();
    /// let mut sections = result.get_async_events(Report::paths().sections().each());
    /// while let Some(event) = sections.next().await {
    ///     match event? {
    ///         FieldEvent::Done(section) => shown.push(section),
    ///         FieldEvent::Withdrawn(_) => shown.clear(),
    ///         _ => {}
    ///     }
    /// }
    /// let report: Report = result.async_get_data_object().await?;
    /// # Ok(()) }
    /// ```
    #[syncify(iter)]
    pub fn get_async_events<P: FieldPath>(&self, path: P) -> FieldEvents<P> {
        FieldEvents::new(self.items_of::<P::Root>(), path)
    }

    /// Calls the handlers of `listener` until the answer is accepted.
    ///
    /// # Errors
    ///
    /// As [`async_get_text`](Self::async_get_text), and kind [`ErrorKind::Type`] if the answer was
    /// not asked for as an `R`. What came before the failure was heard.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future stops the listening; the result itself loses nothing.
    pub async fn async_listen<R: Output>(&self, mut listener: Listener<'_, R>) -> Result<()> {
        let mut items = self.items_of::<R>();
        while let Some(item) = items.next().await {
            listener.hear(&item?);
        }
        Ok(())
    }
}
