//! The settings of one agent or request, and what follows from them.

use std::fmt;
use std::sync::Arc;

use agently_api::model::ModelProvider;
use serde_json::{Map, Value};

use super::keys::is_provider_path;
use super::{ProviderSource, Settings, SettingsError, SettingsErrorKind};
use crate::error::{Error, Result};
use crate::format::Format;
use crate::options::Options;

/// The settings of an agent or a request.
#[derive(Clone, Default)]
pub(crate) struct Bound {
    settings: Settings,
    source: Option<Arc<dyn ProviderSource>>,
    /// The provider that changed settings speak of.
    provider: Option<Result<Arc<dyn ModelProvider>>>,
    /// The first fault of the chain: the error of the first read.
    fault: Option<Error>,
}

impl Bound {
    pub(crate) fn new(settings: Settings, source: Option<Arc<dyn ProviderSource>>) -> Self {
        Self {
            settings,
            source,
            provider: None,
            fault: None,
        }
    }

    pub(crate) fn set(&mut self, path: &str, value: Value) {
        let outcome = self
            .check_provider_path(path)
            .and_then(|()| self.settings.set(path, value));
        self.changed(outcome, is_provider_path(path));
    }

    pub(crate) fn merge(&mut self, settings: &Settings) {
        let provider = settings.values.keys().any(|group| is_provider_path(group));
        let outcome = groups_checked(self, settings).and_then(|()| self.settings.merge(settings));
        self.changed(outcome, provider);
    }

    /// Takes note of a fault of a chain, unless there was one before.
    pub(crate) fn fail(&mut self, error: Error) {
        self.fault.get_or_insert(error);
    }

    /// What an explicit call has said goes before what the settings said until then.
    pub(crate) fn forget(&mut self, path: &str) {
        self.settings.remove(path);
    }

    fn changed(&mut self, outcome: Result<(), SettingsError>, provider: bool) {
        match (outcome, &self.source) {
            (Err(error), _) => self.fail(error.into()),
            (Ok(()), Some(source)) if provider => {
                self.provider = Some(source.provider(&self.settings));
            }
            (Ok(()), _) => {}
        }
    }

    fn check_provider_path(&self, path: &str) -> Result<(), SettingsError> {
        let known = self.settings.keys.find(path).is_ok();
        if self.source.is_none() && known && is_provider_path(path) {
            return Err(SettingsError::new(
                SettingsErrorKind::Value,
                path,
                "has no effect here: this agent's provider was given to the builder; \
                 set it there",
            ));
        }
        Ok(())
    }

    /// The provider of changed settings, if they were changed.
    pub(crate) fn provider(&self) -> Option<Result<Arc<dyn ModelProvider>>> {
        self.provider.clone()
    }

    /// The answer format for requests that name none.
    pub(crate) fn output_format(&self) -> Option<Format> {
        let name: String = self
            .settings
            .get("prompt.default_output_format")
            .ok()
            .flatten()?;
        name.parse().ok()
    }

    /// Writes what the settings say into `options`.
    ///
    /// # Errors
    ///
    /// The first fault of the chain, a missing variable, or a value that cannot be.
    pub(crate) fn apply(&self, options: &mut Options) -> Result<()> {
        if let Some(fault) = &self.fault {
            return Err(fault.clone());
        }
        let settings = &self.settings;
        fn put<T>(slot: &mut T, value: Option<T>) {
            if let Some(value) = value {
                *slot = value;
            }
        }
        if let Some(model) = settings.get("request.model")? {
            options.model = Some(model);
        }
        if let Some(limit) = settings.seconds("request.timeout_seconds")? {
            options.timeout = Some(limit);
        }
        put(
            &mut options.max_retries,
            settings.get("request.max_retries")?,
        );
        put(&mut options.stream, settings.get("request.stream")?);
        put(
            &mut options.response_limit,
            settings.get("request.response_limit")?,
        );
        put(
            &mut options.accept_length,
            settings.get("request.accept_length")?,
        );
        put(&mut options.raw_events, settings.get("request.raw_events")?);
        let body: Map<String, Value> = settings.get("request.options")?.unwrap_or_default();
        options.body.extend(body);
        Ok(())
    }
}

/// That the provider can be changed, if `settings` want it.
fn groups_checked(bound: &Bound, settings: &Settings) -> Result<(), SettingsError> {
    settings
        .values
        .keys()
        .try_for_each(|group| bound.check_provider_path(group))
}

impl fmt::Debug for Bound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bound")
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}
