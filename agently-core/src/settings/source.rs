use std::sync::Arc;

use agently_api::model::ModelProvider;

use super::Settings;
use crate::error::Result;

/// Makes model providers from settings, for agents whose settings may change.
///
/// An agent asks it again whenever a setting outside of the groups `prompt` and `request` changes.
/// It is asked often with the same settings: give the same provider then, so that its connections
/// are shared.
pub trait ProviderSource: Send + Sync {
    /// The provider that these settings speak of.
    ///
    /// # Errors
    ///
    /// No provider can be made of the settings. The error is that of the first read.
    fn provider(&self, settings: &Settings) -> Result<Arc<dyn ModelProvider>>;
}
