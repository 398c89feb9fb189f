//! The process default: one set of settings, one provider, one background runtime, made on first
//! use.

use std::sync::{Mutex, PoisonError};

use agently_api::rt::Runtime;
use serde_json::Value;

use crate::sources;
use crate::{Agent, Error, Result, Settings};

/// The variable that names the settings file.
const FILE: &str = "AGENTLY_SETTINGS";

/// The background runtime of the first enabled backend.
pub(crate) fn runtime() -> Result<Runtime> {
    #[cfg(feature = "tokio")]
    return agently_backend_tokio::runtime().map_err(not_started);
    #[cfg(all(feature = "smol", not(feature = "tokio")))]
    return agently_backend_smol::runtime().map_err(not_started);
    #[cfg(not(any(feature = "tokio", feature = "smol")))]
    return Err(Error::no_runtime(
        "no async runtime is built in; turn on the feature `tokio` or `smol` of `agently`, \
         or pass one with `.runtime(…)` on the builder",
    ));
}

#[cfg(any(feature = "tokio", feature = "smol"))]
#[expect(clippy::needless_pass_by_value, reason = "the shape `map_err` wants")]
fn not_started(error: std::io::Error) -> Error {
    Error::no_runtime(format!(
        "the background runtime could not be started: {error}"
    ))
}

/// The settings of the process, once they were needed.
static SETTINGS: Mutex<Option<Settings>> = Mutex::new(None);

/// The settings of the process: those of the file that the environment names, and what was set.
fn settings(known: &Option<Settings>) -> Result<Settings> {
    if let Some(settings) = known {
        return Ok(settings.clone());
    }
    let settings = Settings::new(sources::keys());
    match std::env::var_os(FILE).filter(|path| !path.is_empty()) {
        Some(path) => settings.with_file(path).map_err(|error| {
            Error::config(format!(
                "the settings file that {FILE} names cannot be used: {error}"
            ))
        }),
        None => Ok(settings),
    }
}

/// An agent of the process default.
pub(crate) fn agent() -> Agent {
    let runtime = match runtime() {
        Ok(runtime) => runtime,
        Err(error) => return Agent::unavailable(error, None),
    };
    let settings = {
        let mut known = SETTINGS.lock().unwrap_or_else(PoisonError::into_inner);
        settings(&known).inspect(|settings| *known = Some(settings.clone()))
    };
    match settings {
        Ok(settings) => Agent::from_settings(settings, sources::source(), Some(runtime)),
        Err(error) => Agent::unavailable(error, Some(runtime)),
    }
}

/// Settings of the process default. After an error nothing has changed.
pub(crate) fn set(path: &str, value: Value) -> Result<()> {
    let mut known = SETTINGS.lock().unwrap_or_else(PoisonError::into_inner);
    let settings = settings(&known)?.with(path, value)?;
    #[cfg(feature = "openai")]
    if settings.is_set("OpenAICompatible") {
        // What no provider can be made of is refused here and now.
        sources::source().provider(&settings)?;
    }
    *known = Some(settings);
    Ok(())
}
