//! What the tests share: a deterministic run, a log, small chunks.

#![allow(dead_code, reason = "not every test file uses everything")]

use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use agently_api::rt::Runtime;
use agently_flow::{chunk, Chunk, ChunkResult, FlowData, TriggerFlow};
use agently_testkit::det::Det;
use serde::Serialize;
use serde_json::{json, Value};

/// Runs a test under a few seeds; each must end.
pub(crate) fn run<F, Fut>(test: F)
where
    F: Fn(Runtime) -> Fut,
    Fut: Future<Output = ()>,
{
    for seed in 0..8 {
        let det = Det::new(seed);
        let runtime = det.runtime();
        det.block_on(test(runtime)).unwrap();
    }
}

pub(crate) fn flow(runtime: &Runtime) -> TriggerFlow {
    TriggerFlow::new("test").with_runtime(runtime.clone())
}

/// What happened, in order.
#[derive(Clone, Default)]
pub(crate) struct Log(Arc<Mutex<Vec<Value>>>);

impl Log {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    fn entries(&self) -> MutexGuard<'_, Vec<Value>> {
        self.0.lock().unwrap()
    }

    pub(crate) fn add(&self, entry: impl Serialize) {
        self.entries().push(serde_json::to_value(entry).unwrap());
    }

    pub(crate) fn all(&self) -> Vec<Value> {
        self.entries().clone()
    }

    pub(crate) fn len(&self) -> usize {
        self.entries().len()
    }

    pub(crate) fn count(&self, entry: &Value) -> usize {
        self.entries()
            .iter()
            .filter(|other| *other == entry)
            .count()
    }

    /// A chunk that notes its name and its input, and hands the input on.
    pub(crate) fn chunk(&self, name: &'static str) -> Chunk {
        let log = self.clone();
        chunk(name, move |data: FlowData| {
            let log = log.clone();
            async move {
                log.add(json!([name, data.value()]));
                Ok(data.value().clone())
            }
        })
    }
}

pub(crate) async fn pass(data: FlowData) -> ChunkResult<Value> {
    Ok(data.value().clone())
}

/// Puts its input into the state as `result`.
pub(crate) async fn store(data: FlowData) -> ChunkResult<()> {
    data.async_set_state("result", data.value()).await?;
    Ok(())
}

pub(crate) fn sleep(runtime: &Runtime, ms: u64) -> impl Future<Output = ()> + Send {
    runtime.sleep(Duration::from_millis(ms))
}

/// Watches how many run at once.
#[derive(Clone, Default)]
pub(crate) struct Gauge(Arc<Mutex<(usize, usize)>>);

impl Gauge {
    pub(crate) fn enter(&self) -> GaugeGuard {
        let mut both = self.0.lock().unwrap();
        both.0 += 1;
        both.1 = both.1.max(both.0);
        GaugeGuard(self.clone())
    }

    pub(crate) fn most(&self) -> usize {
        self.0.lock().unwrap().1
    }
}

pub(crate) struct GaugeGuard(Gauge);

impl Drop for GaugeGuard {
    fn drop(&mut self) {
        self.0 .0.lock().unwrap().0 -= 1;
    }
}
