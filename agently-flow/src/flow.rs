//! A flow: written down once, run many times.

use std::any::Any;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, UNIX_EPOCH};

use agently_api::rt::Runtime;
use agently_macros::syncify;
use serde::Serialize;
use serde_json::Value;

use crate::blocker::{Blocker, BlockingStream};
use crate::chunk::IntoChunk;
use crate::contract::Contract;
use crate::data::to_json;
use crate::definition::{
    freeze, mermaid, operators, Chain, Cursor, Definition, DraftRef, Join, Trigger,
};
use crate::driver::Driver;
use crate::engine::{Engine, Rules};
use crate::error::{Error, ErrorKind, Result};
use crate::execution::Execution;
use crate::options::ExecutionOptions;
use crate::shared::{Resources, Shared};
use crate::snapshot::{LoadReport, Snapshot};
use crate::stream::RuntimeStream;
use crate::values::FlowValues;

/// A flow: chunks and how they are wired.
///
/// Operators on the flow itself begin at its start; those on a [`Chain`] go on from there. A flow
/// is written down before its first start; faults of what was written are the error of that start.
/// A clone is the same flow.
///
/// ```
/// use agently_flow::{chunk, ChunkResult, FlowData, TriggerFlow};
///
/// async fn greet(data: FlowData) -> ChunkResult<String> {
///     let name: String = data.input()?;
///     data.async_emit("Greeted", &name).await?;
///     Ok(format!("Hello, {name}!"))
/// }
///
/// let flow = TriggerFlow::new("hello");
/// flow.to(greet);
/// flow.when("Greeted").to(chunk("remember", |data: FlowData| async move {
///     data.async_set_state("last", data.value()).await?;
///     Ok(())
/// }));
/// # let det = agently_testkit::det::Det::new(1);
/// # let flow = flow.with_runtime(det.runtime());
/// # let state = det.block_on(async {
/// let state = flow.async_start("Ada").await?;
/// assert_eq!(state["last"], "Ada");
/// # Ok::<_, agently_flow::Error>(state)
/// # });
/// # assert!(state.is_ok_and(|state| state.is_ok()));
/// ```
#[derive(Clone)]
pub struct TriggerFlow {
    name: Arc<str>,
    draft: DraftRef,
    settings: Arc<Mutex<Settings>>,
    values: FlowValues,
}

type Resolver = Arc<dyn Fn() -> Arc<dyn Any + Send + Sync> + Send + Sync>;

#[derive(Clone, Default)]
struct Settings {
    runtime: Option<Runtime>,
    resources: Resources,
    required: Vec<String>,
    resolvers: BTreeMap<String, Resolver>,
    contract: Contract,
}

impl TriggerFlow {
    /// An empty flow.
    #[must_use]
    pub fn new(name: impl Into<Arc<str>>) -> Self {
        Self {
            name: name.into(),
            draft: DraftRef::new(),
            settings: Arc::default(),
            values: FlowValues::default(),
        }
    }

    /// The same flow, run on this runtime from now on.
    #[must_use]
    pub fn with_runtime(self, runtime: Runtime) -> Self {
        self.settings().runtime = Some(runtime);
        self
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    operators!(self: &Self => Chain, crate::definition::Root, []);

    /// Begins a chain at every emit of an event, or at another [`Trigger`].
    pub fn when(&self, trigger: impl Into<Trigger>) -> Chain {
        let node = self.draft.lock().when(vec![trigger.into()]);
        self.chain(node)
    }

    /// Begins a chain at any of several triggers; [`FlowData::signal`](crate::FlowData::signal)
    /// tells which.
    pub fn when_any<T: Into<Trigger>>(&self, triggers: impl IntoIterator<Item = T>) -> Chain {
        let triggers = triggers.into_iter().map(Into::into).collect();
        let node = self.draft.lock().when(triggers);
        self.chain(node)
    }

    /// Begins a chain once all of several triggers have come, with an object of their values. A
    /// newer value of a trigger still waiting replaces the older.
    pub fn when_all<T: Into<Trigger>>(&self, triggers: impl IntoIterator<Item = T>) -> Chain {
        self.when_all_with(triggers, Join::Latest)
    }

    /// Like [`when_all`](Self::when_all), with the given treatment of further values.
    pub fn when_all_with<T: Into<Trigger>>(
        &self,
        triggers: impl IntoIterator<Item = T>,
        join: Join,
    ) -> Chain {
        let triggers = triggers.into_iter().map(Into::into).collect();
        let node = self.draft.lock().when_all(triggers, join);
        self.chain(node)
    }

    /// Begins a chain at every value that the chunk of this name gives.
    #[expect(
        clippy::must_use_candidate,
        reason = "the last operator of a chain is a statement"
    )]
    pub fn when_chunk(&self, name: &str) -> Chain {
        self.when(Trigger::chunk(name))
    }

    /// Begins a chain at every write to this state path, and at writes above and below that change
    /// it.
    #[expect(
        clippy::must_use_candidate,
        reason = "the last operator of a chain is a statement"
    )]
    pub fn when_state(&self, path: &str) -> Chain {
        self.when(Trigger::state(path))
    }

    /// Makes a named chunk known without wiring it, for
    /// [`Execution::on`](crate::Execution::on) and for `.to("name")`.
    pub fn register<M>(&self, chunk: impl IntoChunk<M>) -> &Self {
        self.draft.lock().chunk(None, chunk.into_chunk(), false);
        self
    }

    /// Checks the definition without running anything.
    ///
    /// # Errors
    ///
    /// Kind [`Definition`](ErrorKind::Definition), with every fault that there is.
    pub fn check(&self) -> Result<()> {
        self.definition().map(drop)
    }

    /// A picture of the flow in Mermaid's language.
    ///
    /// # Errors
    ///
    /// As [`check`](Self::check).
    pub fn to_mermaid(&self) -> Result<String> {
        Ok(mermaid(&*self.definition()?, None))
    }

    /// A live object that every execution finds under `name`.
    pub fn set_resource<T: Any + Send + Sync>(
        &self,
        name: impl Into<String>,
        resource: T,
    ) -> &Self {
        self.settings()
            .resources
            .insert(name.into(), Arc::new(resource));
        self
    }

    /// Says that no execution can start or be loaded without the resource `name`.
    pub fn declare_resource_requirement(&self, name: impl Into<String>) -> &Self {
        self.settings().required.push(name.into());
        self
    }

    /// How a resource is made for an execution that does not bring it.
    pub fn set_resource_resolver<T: Any + Send + Sync>(
        &self,
        name: impl Into<String>,
        resolver: impl Fn() -> T + Send + Sync + 'static,
    ) -> &Self {
        let resolver: Resolver = Arc::new(move || Arc::new(resolver()));
        self.settings().resolvers.insert(name.into(), resolver);
        self
    }

    /// What may cross the flow's boundary.
    #[expect(
        clippy::must_use_candidate,
        reason = "it returns the flow for the next setting only"
    )]
    pub fn set_contract(&self, contract: Contract) -> &Self {
        self.settings().contract = contract;
        self
    }

    /// Values that all executions of this flow share. Never in a snapshot.
    #[must_use]
    pub fn flow_data(&self) -> &FlowValues {
        &self.values
    }

    /// An execution that has not been started. The handle keeps it alive.
    ///
    /// # Errors
    ///
    /// Kind [`Definition`](ErrorKind::Definition), [`NoRuntime`](ErrorKind::NoRuntime) or
    /// [`MissingResource`](ErrorKind::MissingResource).
    pub fn create_execution(&self, options: ExecutionOptions) -> Result<Execution> {
        let definition = self.definition()?;
        let engine = Engine::new(definition, options.rules(false));
        Ok(Execution::spawn(self.share(engine, options, None)?))
    }

    /// Goes on with a saved execution.
    ///
    /// Steps that had not finished run again, with the same idempotency key.
    ///
    /// # Errors
    ///
    /// Kind [`SnapshotVersion`](ErrorKind::SnapshotVersion),
    /// [`SnapshotDamaged`](ErrorKind::SnapshotDamaged),
    /// [`DefinitionChanged`](ErrorKind::DefinitionChanged) or
    /// [`MissingResource`](ErrorKind::MissingResource); nothing has run then.
    pub fn load(&self, snapshot: &Snapshot, options: ExecutionOptions) -> Result<Execution> {
        let definition = self.definition()?;
        let image = snapshot.image(&definition)?;
        let id = options
            .id
            .clone()
            .unwrap_or_else(|| snapshot.execution_id());
        // Before anything runs.
        self.gather(&options)?;
        let engine =
            Engine::load(&definition, options.rules(false), image).ok_or_else(Snapshot::damaged)?;
        Ok(Execution::spawn(self.share(engine, options, Some(id))?))
    }

    /// What loading a snapshot would find, without loading it.
    ///
    /// # Errors
    ///
    /// Kind [`SnapshotVersion`](ErrorKind::SnapshotVersion) or
    /// [`SnapshotDamaged`](ErrorKind::SnapshotDamaged); another definition is part of the report.
    pub fn inspect_load(
        &self,
        snapshot: &Snapshot,
        options: &ExecutionOptions,
    ) -> Result<LoadReport> {
        let definition = self.definition()?;
        snapshot.inspect(&definition, self.missing(options))
    }

    pub(crate) fn shared_name(&self) -> &Arc<str> {
        &self.name
    }

    pub(crate) fn draft(&self) -> &DraftRef {
        &self.draft
    }

    fn definition(&self) -> Result<Arc<Definition>> {
        freeze(&self.name, &self.draft)
    }

    fn chain(&self, node: u32) -> Chain {
        Chain::from_cursor(Cursor::after(&self.draft, node))
    }

    fn cursor(&self) -> Cursor {
        Cursor::after(&self.draft, 0)
    }

    fn settings(&self) -> MutexGuard<'_, Settings> {
        self.settings.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn missing(&self, options: &ExecutionOptions) -> Vec<String> {
        let settings = self.settings();
        let mut missing = settings.required.clone();
        missing.retain(|name| {
            !options.resources.contains_key(name)
                && !settings.resources.contains_key(name)
                && !settings.resolvers.contains_key(name)
        });
        missing
    }

    /// All resources of an execution, the nearer ones first.
    fn gather(&self, options: &ExecutionOptions) -> Result<Resources> {
        let missing = self.missing(options);
        if !missing.is_empty() {
            let missing: Vec<_> = missing.iter().map(|name| format!("`{name}`")).collect();
            return Err(Error::new(
                ErrorKind::MissingResource,
                format!(
                    "flow `{}` needs resources that are not there: {}; give them with \
                     `ExecutionOptions::resource` or `set_resource`",
                    self.name,
                    missing.join(", ")
                ),
            ));
        }
        let (mut resources, resolvers) = {
            let settings = self.settings();
            (settings.resources.clone(), settings.resolvers.clone())
        };
        resources.extend(options.resources.clone());
        for (name, resolver) in resolvers {
            resources.entry(name).or_insert_with(|| resolver());
        }
        Ok(resources)
    }

    fn share(
        &self,
        engine: Engine,
        options: ExecutionOptions,
        id: Option<String>,
    ) -> Result<Arc<Shared>> {
        let resources = self.gather(&options)?;
        let (runtime, contract) = {
            let settings = self.settings();
            let runtime = options.runtime.or_else(|| settings.runtime.clone());
            (runtime, settings.contract.clone())
        };
        let runtime = runtime.ok_or_else(|| {
            Error::new(
                ErrorKind::NoRuntime,
                format!(
                    "flow `{}` has no runtime; give it one with `with_runtime`, or the execution \
                     with `ExecutionOptions::runtime`",
                    self.name
                ),
            )
        })?;
        let id = id
            .or(options.id)
            .unwrap_or_else(|| new_id(&self.name, &runtime));
        let values = self.values.clone();
        Ok(Shared::new(
            engine, runtime, id, resources, values, contract,
        ))
    }

    /// A started execution without a handle.
    fn hidden(&self, input: impl Serialize) -> Result<(Arc<Shared>, Driver)> {
        let definition = self.definition()?;
        let input = to_json(input, || "given to `start`".to_owned())?;
        let options = ExecutionOptions::new();
        let engine = Engine::new(definition, options.rules(true));
        let shared = self.share(engine, options, None)?;
        shared.contract.check_input(&input)?;
        let driver = Driver::new(Arc::clone(&shared), shared.runtime.clone());
        shared.with(|engine| engine.start(input))?;
        Ok((shared, driver))
    }

    fn blocker(&self) -> Blocker {
        Blocker::new(self.settings().runtime.clone())
    }
}

#[syncify(blocker = Self::blocker, iter = BlockingStream)]
impl TriggerFlow {
    /// Runs the flow in a hidden execution; gives its state the moment nothing is left to do.
    ///
    /// # Errors
    ///
    /// Faults of the definition; the first error of a chunk that nobody caught; kind
    /// [`PauseInHiddenStart`](ErrorKind::PauseInHiddenStart) if a chunk pauses.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future cancels what runs.
    pub async fn async_start(&self, input: impl Serialize + Send) -> Result<Value> {
        let (shared, driver) = self.hidden(input)?;
        driver.await;
        if let Some(error) = shared.with(Engine::report) {
            return Err(error);
        }
        let value = shared.with(|engine| engine.value());
        shared.contract.check_result(&value)?;
        Ok(shared.state())
    }

    /// Starts an execution and keeps the handle; it stays open.
    ///
    /// # Errors
    ///
    /// As [`create_execution`](Self::create_execution), and kind
    /// [`Contract`](ErrorKind::Contract) for an input that is not allowed. Errors of chunks come
    /// out of the handle.
    ///
    /// # Cancel safety
    ///
    /// It is ready at its first poll.
    pub async fn async_start_execution(&self, input: impl Serialize + Send) -> Result<Execution> {
        let execution = self.create_execution(ExecutionOptions::new())?;
        execution.begin(input)?;
        Ok(execution)
    }

    /// Runs the flow in a hidden execution and gives its stream items as they come.
    ///
    /// The stream drives the execution: dropping it cancels what runs. Faults are its one item.
    #[syncify(iter)]
    pub fn get_async_runtime_stream(&self, input: impl Serialize) -> RuntimeStream {
        match self.hidden(input) {
            Ok((shared, driver)) => RuntimeStream::driven(shared, driver),
            Err(error) => RuntimeStream::refused(error),
        }
    }
}

impl fmt::Debug for TriggerFlow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TriggerFlow")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

impl ExecutionOptions {
    fn rules(&self, hidden: bool) -> Rules {
        Rules {
            concurrency: self.concurrency.unwrap_or(usize::MAX).max(1),
            failure: self.failure,
            hidden,
            auto_close: if hidden {
                Some(Duration::ZERO)
            } else {
                self.auto_close
            },
            auto_intervene: self.auto_intervene,
            stream_capacity: self.stream_capacity,
        }
    }
}

/// An id that no other execution has, in this process or another.
fn new_id(flow: &str, runtime: &Runtime) -> String {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let wall = runtime
        .wall()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    format!(
        "{flow}-{:x}-{:x}-{number}",
        wall.as_nanos(),
        std::process::id()
    )
}
