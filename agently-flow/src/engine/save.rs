//! The engine as it is kept in a snapshot.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::slab::{Key, Slab};
use super::stream::Items;
use super::types::{
    maybe, Binding, Collection, Ctx, Dispatch, Done, Frame, Group, Instance, Origin, Paused, Phase,
    Resolution, Step,
};
use super::{Counts, Engine, Intervention, Lifecycle, Rules};
use crate::definition::{Definition, NodeIdx, Op};
use crate::error::Error;

/// Everything about an execution that outlives its process.
#[derive(Serialize, Deserialize)]
pub(crate) struct Image {
    root: Key,
    started: bool,
    lifecycle: Lifecycle,
    sequence: u64,
    steps: u64,
    frames_made: u64,
    instances: Slab<Instance>,
    frames: Slab<Frame>,
    collections: Slab<Collection>,
    groups: Slab<Group>,
    dispatches: Slab<SavedStep>,
    /// Steps in the order in which they wait for a permit.
    ready: VecDeque<Key>,
    joins: Vec<SavedJoin>,
    interrupts: Vec<Paused>,
    resolutions: BTreeMap<String, Resolution>,
    bindings: Vec<Binding>,
    interventions: Vec<Intervention>,
    errors: Vec<Error>,
    fatal: Option<Error>,
    cut: bool,
    counts: Counts,
    passed: Vec<u64>,
    stream_position: u64,
}

#[derive(Serialize, Deserialize)]
struct SavedJoin {
    scope: Key,
    join: u32,
    slots: Vec<VecDeque<Value>>,
}

#[derive(Serialize, Deserialize)]
struct SavedStep {
    id: u64,
    node: NodeIdx,
    case: Option<u32>,
    attempt: u32,
    phase: Phase,
    input: Value,
    #[serde(with = "maybe")]
    resume: Option<Value>,
    resumes: u32,
    failures: u32,
    sequence: u64,
    origin: Origin,
    ctx: Ctx,
    hits: Vec<u32>,
    effects: Vec<Done>,
    instance: Key,
}

impl Image {
    /// The chunks whose steps will run again.
    pub(crate) fn running(&self) -> Vec<NodeIdx> {
        self.dispatches.iter().map(|(_, step)| step.node).collect()
    }

    pub(crate) fn interrupts(&self) -> &[Paused] {
        &self.interrupts
    }

    /// Pauses that were resumed, and whose branches have not gone on yet.
    pub(crate) fn undispatched(&self) -> Vec<String> {
        self.collections
            .iter()
            .flat_map(|(_, collection)| &collection.resumed)
            .map(|resumed| resumed.paused.id.clone())
            .collect()
    }
}

impl Engine {
    /// The execution as it stands, as JSON.
    pub(crate) fn save(&self) -> serde_json::Result<Value> {
        let saved = self
            .dispatches
            .map(|_, dispatch| Some(dispatch.saved()))
            .unwrap_or_default();
        // Written field by field: the engine lends what it has, and keeps it.
        let joins: Vec<_> = self
            .joins
            .iter()
            .map(|((scope, join), slots)| SavedJoin {
                scope: *scope,
                join: *join,
                slots: slots.clone(),
            })
            .collect();
        let mut image = serde_json::Map::new();
        let mut put = |name: &str, value: serde_json::Result<Value>| {
            value.map(|value| {
                image.insert(name.to_owned(), value);
            })
        };
        put("root", serde_json::to_value(self.root))?;
        put("started", serde_json::to_value(self.started))?;
        put("lifecycle", serde_json::to_value(self.lifecycle))?;
        put("sequence", serde_json::to_value(self.sequence))?;
        put("steps", serde_json::to_value(self.steps))?;
        put("frames_made", serde_json::to_value(self.frames_made))?;
        put("instances", serde_json::to_value(&self.instances))?;
        put("frames", serde_json::to_value(&self.frames))?;
        put("collections", serde_json::to_value(&self.collections))?;
        put("groups", serde_json::to_value(&self.groups))?;
        put("dispatches", serde_json::to_value(&saved))?;
        put("ready", serde_json::to_value(&self.ready))?;
        put("joins", serde_json::to_value(&joins))?;
        put("interrupts", serde_json::to_value(&self.interrupts))?;
        put("resolutions", serde_json::to_value(&self.resolutions))?;
        put("bindings", serde_json::to_value(&self.bindings))?;
        put("interventions", serde_json::to_value(&self.interventions))?;
        put("errors", serde_json::to_value(&self.errors))?;
        put("fatal", serde_json::to_value(&self.fatal))?;
        put("cut", serde_json::to_value(self.cut))?;
        put("counts", serde_json::to_value(&self.counts))?;
        put("passed", serde_json::to_value(&self.passed))?;
        put(
            "stream_position",
            serde_json::to_value(self.items.position()),
        )?;
        Ok(Value::Object(image))
    }

    /// The execution of an image. `None` if the image does not fit the definition.
    pub(crate) fn load(definition: &Arc<Definition>, rules: Rules, image: Image) -> Option<Self> {
        let mut engine = Self::new(Arc::clone(definition), rules);
        engine.root = image.root;
        engine.started = image.started;
        engine.lifecycle = image.lifecycle;
        engine.sequence = image.sequence;
        engine.steps = image.steps;
        engine.frames_made = image.frames_made;
        engine.instances = image.instances;
        engine.frames = image.frames;
        engine.collections = image.collections;
        engine.queued = engine
            .collections
            .iter()
            .map(|(_, collection)| collection.resumed.len())
            .sum();
        engine.groups = image.groups;
        engine.joins = image
            .joins
            .into_iter()
            .map(|saved| ((saved.scope, saved.join), saved.slots))
            .collect();
        engine.interrupts = image.interrupts;
        engine.resolutions = image.resolutions;
        engine.bindings = image.bindings;
        engine.interventions = image.interventions;
        engine.errors = image.errors;
        engine.fatal = image.fatal;
        engine.cut = image.cut;
        engine.counts = image.counts;
        engine.passed = image.passed;
        engine.items = Items::at(image.stream_position);
        engine.link(definition)?;

        let dispatches = image.dispatches.map(|key, saved| {
            let definition = &engine.instances.get(saved.instance)?.definition;
            definition.node(saved.node)?;
            Some(saved.dispatch(key, Arc::clone(definition)))
        })?;
        // What had waited for a permit comes behind what had one.
        let mut order = dispatches.keys();
        order.retain(|key| !image.ready.contains(key));
        order.extend(image.ready);
        engine.dispatches = dispatches;
        if engine.is_closed() {
            engine.end_items();
        }
        for key in order {
            engine.queue(key);
        }
        engine.pump();
        Some(engine)
    }

    /// Gives each instance its definition: the root's, or the one at its parent's stage.
    fn link(&mut self, definition: &Arc<Definition>) -> Option<()> {
        self.instances.get_mut(self.root)?.definition = Arc::clone(definition);
        let mut linked = vec![self.root];
        let mut waiting: Vec<_> = self.instances.keys();
        waiting.retain(|key| *key != self.root);
        while !waiting.is_empty() {
            let before = waiting.len();
            let mut later = Vec::new();
            for key in waiting {
                let parent = self.instances.get(key)?.parent.as_ref()?;
                let around = self.instance_of(parent.ctx.scope);
                if !linked.contains(&around) {
                    later.push(key);
                    continue;
                }
                let node = parent.node;
                let above = Arc::clone(&self.instances.get(around)?.definition);
                let Op::SubFlow(child) = &above.node(node)?.op else {
                    return None;
                };
                self.instances.get_mut(key)?.definition = Arc::clone(child.definition.as_ref()?);
                linked.push(key);
            }
            if later.len() == before {
                return None;
            }
            waiting = later;
        }
        Some(())
    }
}

impl Dispatch {
    fn saved(&self) -> SavedStep {
        SavedStep {
            id: self.step.id,
            node: self.step.node,
            case: self.step.case,
            attempt: self.step.attempt,
            phase: self.phase,
            input: self.step.input.clone(),
            resume: self.step.resume.clone(),
            resumes: self.resumes,
            failures: self.failures,
            sequence: self.step.sequence,
            origin: self.step.origin.clone(),
            ctx: self.ctx,
            hits: self.hits.clone(),
            effects: self.effects.clone(),
            instance: self.step.instance,
        }
    }
}

impl SavedStep {
    fn dispatch(&self, key: Key, definition: Arc<Definition>) -> Dispatch {
        let begun = self.phase != Phase::Ready;
        let step = Step {
            key,
            id: self.id,
            sequence: self.sequence,
            attempt: self.attempt + u32::from(begun),
            input: self.input.clone(),
            resume: self.resume.clone(),
            origin: self.origin.clone(),
            definition,
            node: self.node,
            case: self.case,
            instance: self.instance,
        };
        Dispatch {
            step: Arc::new(step),
            ctx: self.ctx,
            phase: Phase::Ready,
            permit: false,
            awaiting: 0,
            failures: self.failures,
            resumes: self.resumes,
            hits: self.hits.clone(),
            effects: self.effects.clone(),
            cursor: 0,
            wakers: Vec::new(),
        }
    }
}
