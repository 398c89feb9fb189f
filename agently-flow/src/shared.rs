use std::any::Any;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use agently_api::rt::Runtime;
use serde_json::Value;

use crate::contract::Contract;
use crate::engine::Engine;
use crate::values::FlowValues;

/// Live objects by name.
pub(crate) type Resources = BTreeMap<String, Arc<dyn Any + Send + Sync>>;

/// One execution, as its handles, its steps and its driver share it.
pub(crate) struct Shared {
    engine: Mutex<Engine>,
    pub(crate) runtime: Runtime,
    pub(crate) id: String,
    pub(crate) resources: Resources,
    pub(crate) values: FlowValues,
    pub(crate) contract: Contract,
    pub(crate) created: SystemTime,
}

impl Shared {
    pub(crate) fn new(
        engine: Engine,
        runtime: Runtime,
        id: String,
        resources: Resources,
        values: FlowValues,
        contract: Contract,
    ) -> Arc<Self> {
        let created = runtime.wall();
        Arc::new(Self {
            engine: Mutex::new(engine),
            runtime,
            id,
            resources,
            values,
            contract,
            created,
        })
    }

    /// Gives the engine a command, then wakes whom it concerns.
    pub(crate) fn with<T>(&self, command: impl FnOnce(&mut Engine) -> T) -> T {
        let (result, wakes) = {
            let mut engine = self.engine.lock().unwrap_or_else(PoisonError::into_inner);
            let result = command(&mut engine);
            (result, engine.take_wakes())
        };
        for waker in wakes {
            waker.wake();
        }
        result
    }

    pub(crate) fn state(&self) -> Value {
        self.with(|engine| engine.root_state())
    }
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}
