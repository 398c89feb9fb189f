//! The engine: a state machine that awaits nothing.
//!
//! Commands change it and leave [`Effect`]s behind: what its driver has to run, to stop, or to be
//! told of later. It knows no clock, no thread and no future, and it never recurses: what follows
//! from a command stands in one queue.

mod cancel;
mod collect;
mod intervene;
mod lifecycle;
mod outside;
mod pause;
mod run;
mod save;
mod settle;
mod signal;
mod slab;
mod step;
mod stream;
mod sub_flow;
mod types;

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::task::Waker;
use std::time::Duration;

use serde_json::{Map, Value};

pub(crate) use intervene::Guidance;
pub use intervene::{Intervention, InterventionStatus};
pub(crate) use save::Image;
pub(crate) use signal::Write;
pub(crate) use slab::{Key, Slab};
pub(crate) use step::{Begun, Deed};
pub(crate) use stream::Read;
use types::{
    Binding, Collection, Dispatch, External, Frame, Group, Instance, Origin, Resolution, Waiter,
    Work,
};
pub use types::{Counts, FailurePolicy, Lifecycle, Status};
pub(crate) use types::{Ctx, Effect, Paused, Step, Timer, Token};

use crate::condition::Test;
use crate::definition::{Definition, NodeIdx, Op, Progress};
use crate::error::Error;
use stream::Items;

/// What an execution is allowed to do. Not part of a snapshot.
#[derive(Clone, Debug)]
pub(crate) struct Rules {
    /// The most steps that run at once.
    pub(crate) concurrency: usize,
    pub(crate) failure: FailurePolicy,
    /// Whether there is no handle: it closes when it is idle, and must not pause.
    pub(crate) hidden: bool,
    /// How long it stays idle before it closes itself.
    pub(crate) auto_close: Option<Duration>,
    /// Whether interventions without a target reach the next chunk by themselves.
    pub(crate) auto_intervene: bool,
    /// How many unread stream items are kept.
    pub(crate) stream_capacity: Option<usize>,
}

/// One execution.
#[derive(Debug)]
pub(crate) struct Engine {
    pub(crate) rules: Rules,
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
    dispatches: Slab<Dispatch>,
    joins: BTreeMap<(Key, u32), Vec<VecDeque<Value>>>,
    /// Steps that wait for a permit.
    ready: VecDeque<Key>,
    /// Steps that wait for their permit back, to go on.
    resumable: VecDeque<Key>,
    running: usize,
    interrupts: Vec<Paused>,
    /// Resumed branches that wait for room in a collection.
    queued: usize,
    resolutions: BTreeMap<String, Resolution>,
    bindings: Vec<Binding>,
    interventions: Vec<Intervention>,
    errors: Vec<Error>,
    fatal: Option<Error>,
    /// Whether somebody has been given the fatal error.
    reported: bool,
    cut: bool,
    counts: Counts,
    /// How often each stage of the flow itself was passed.
    passed: Vec<u64>,
    items: Items,

    work: VecDeque<Work>,
    externals: Slab<External>,
    closing: Option<lifecycle::Closing>,
    armed: bool,
    waiters: Vec<Waker>,
    effects: VecDeque<Effect>,
    wakes: Vec<Waker>,
    pub(crate) driving: bool,
    pub(crate) driver: Option<Waker>,
}

impl Engine {
    pub(crate) fn new(definition: Arc<Definition>, rules: Rules) -> Self {
        let mut engine = Self {
            rules,
            root: Key::NONE,
            started: false,
            lifecycle: Lifecycle::Open,
            sequence: 0,
            steps: 0,
            frames_made: 0,
            instances: Slab::default(),
            frames: Slab::default(),
            collections: Slab::default(),
            groups: Slab::default(),
            dispatches: Slab::default(),
            joins: BTreeMap::new(),
            ready: VecDeque::new(),
            resumable: VecDeque::new(),
            running: 0,
            interrupts: Vec::new(),
            queued: 0,
            resolutions: BTreeMap::new(),
            bindings: Vec::new(),
            interventions: Vec::new(),
            errors: Vec::new(),
            fatal: None,
            reported: false,
            cut: false,
            counts: Counts::default(),
            passed: vec![0; definition.nodes.len()],
            items: Items::default(),
            work: VecDeque::new(),
            externals: Slab::default(),
            closing: None,
            armed: false,
            waiters: Vec::new(),
            effects: VecDeque::new(),
            wakes: Vec::new(),
            driving: false,
            driver: None,
        };
        engine.root = engine.instance(definition, Value::Object(Map::new()), None);
        engine
    }

    /// Makes an instance with its root scope and its group.
    fn instance(
        &mut self,
        definition: Arc<Definition>,
        state: Value,
        parent: Option<types::Parent>,
    ) -> Key {
        let waiter = if parent.is_some() {
            Waiter::SubFlow
        } else {
            Waiter::Root
        };
        let instance = self.instances.insert(Instance {
            definition,
            state,
            frame: Key::NONE,
            group: Key::NONE,
            parent,
            last: Value::Null,
            result: None,
        });
        let frame = self.frames.insert(Frame {
            instance,
            collection: Key::NONE,
            index: 0,
            refs: 1,
        });
        let group = self.groups.insert(Group {
            waiter,
            pending: 0,
            error: None,
            instance,
        });
        if let Some(made) = self.instances.get_mut(instance) {
            made.frame = frame;
            made.group = group;
        }
        instance
    }

    /// What the driver has to do next.
    pub(crate) fn next_effect(&mut self) -> Option<Effect> {
        loop {
            match self.effects.pop_front()? {
                // It was cut off before it began.
                Effect::Run(step) if !self.dispatches.contains(step.key) => {}
                effect => return Some(effect),
            }
        }
    }

    pub(crate) fn has_effects(&self) -> bool {
        !self.effects.is_empty()
    }

    /// Who has to be woken, once the lock is off.
    pub(crate) fn take_wakes(&mut self) -> Vec<Waker> {
        if !self.driving && !self.effects.is_empty() {
            self.wakes.extend(self.driver.take());
        }
        std::mem::take(&mut self.wakes)
    }

    fn next_sequence(&mut self) -> u64 {
        self.sequence += 1;
        self.counts.signals += 1;
        self.sequence
    }

    fn instance_of(&self, scope: Key) -> Key {
        self.frames
            .get(scope)
            .map_or(Key::NONE, |frame| frame.instance)
    }

    fn definition_of(&self, scope: Key) -> Arc<Definition> {
        let instance = self.instances.get(self.instance_of(scope));
        match instance.or_else(|| self.instances.get(self.root)) {
            Some(instance) => Arc::clone(&instance.definition),
            None => Arc::default(),
        }
    }

    /// Where a chain stands that nobody awaits.
    fn base(&self, instance: Key) -> Ctx {
        let (scope, group) = self
            .instances
            .get(instance)
            .map_or((Key::NONE, Key::NONE), |found| (found.frame, found.group));
        Ctx {
            frame: Key::NONE,
            scope,
            group,
        }
    }

    /// Does all that follows from a command.
    fn pump(&mut self) {
        while let Some(work) = self.work.pop_front() {
            match work {
                Work::Enter(token) => self.enter(token),
                Work::End(ctx) => self.close_branch(ctx),
                Work::Fail(ctx, error) => self.fail(ctx, error),
                Work::SubFlowIdle(instance) => self.sub_flow_idle(instance),
            }
        }
        self.rest();
    }

    /// Sends a value on its way; it counts for its group and its scope from now on.
    fn spawn(&mut self, token: Token) {
        self.hold(token.ctx);
        self.work.push_back(Work::Enter(token));
    }

    fn enter(&mut self, token: Token) {
        let definition = self.definition_of(token.ctx.scope);
        let Some(node) = definition.node(token.node) else {
            self.retire(token.ctx);
            return;
        };
        if !matches!(node.op, Op::Chunk(..)) {
            self.note(token.ctx.scope, token.node);
        }
        match &node.op {
            Op::Chunk(..) => {
                self.dispatch(&definition, token, None, Vec::new());
            }
            Op::End => self.arrive(&definition, token),
            Op::ForEach { body, concurrency } => {
                let items = match token.value {
                    Value::Array(items) => items.into(),
                    single => VecDeque::from([single]),
                };
                let token = Token {
                    value: Value::Null,
                    ..token
                };
                self.open(&definition, &token, vec![*body], items, *concurrency, true);
            }
            Op::Batch {
                branches,
                concurrency,
            } => {
                let entries: Vec<_> = branches.iter().map(|(_, entry)| *entry).collect();
                let items = entries.iter().map(|_| token.value.clone()).collect();
                self.open(&definition, &token, entries, items, *concurrency, true);
            }
            Op::Branch { .. } => self.choose(&definition, token, 0, Vec::new()),
            Op::Collect { join, slot } => self.fill(&definition, token, *join, *slot),
            Op::SubFlow(child) => self.call(child, token),
            Op::InterventionPoint(target) => {
                self.insert_interventions(Some(target));
                self.advance(&definition, token);
            }
            Op::Start | Op::When(_) | Op::WhenAll(_) | Op::Pass => self.advance(&definition, token),
        }
    }

    /// A value has passed a stage.
    fn note(&mut self, scope: Key, node: NodeIdx) {
        if self.instance_of(scope) == self.root {
            if let Some(times) = self.passed.get_mut(node as usize) {
                *times += 1;
            }
        }
    }

    /// What has run of the flow itself, and what runs and waits.
    pub(crate) fn progress(&self) -> Progress {
        let own = |scope| self.instance_of(scope) == self.root;
        Progress {
            passed: self.passed.clone(),
            running: self
                .dispatches
                .iter()
                .filter(|(_, dispatch)| own(dispatch.ctx.scope))
                .map(|(_, dispatch)| dispatch.step.node)
                .chain(
                    self.instances
                        .iter()
                        .filter_map(|(_, instance)| instance.parent.as_ref())
                        .filter(|parent| !parent.detached && own(parent.ctx.scope))
                        .map(|parent| parent.node),
                )
                .collect(),
            waiting: self
                .interrupts
                .iter()
                .filter(|paused| own(paused.ctx.scope))
                .map(|paused| paused.node)
                .chain(
                    self.instances
                        .iter()
                        .filter_map(|(_, instance)| instance.parent.as_ref())
                        .filter(|parent| parent.detached && own(parent.ctx.scope))
                        .map(|parent| parent.node),
                )
                .collect(),
        }
    }

    /// Hands what a stage gave to those behind it. `token.node` is the stage.
    fn advance(&mut self, definition: &Arc<Definition>, token: Token) {
        let Some(node) = definition.node(token.node) else {
            self.retire(token.ctx);
            return;
        };
        let origin = if matches!(node.op, Op::Chunk(..) | Op::Start | Op::SubFlow(_)) {
            Origin::Stage {
                node: token.node,
                slot: 0,
            }
        } else {
            token.origin
        };
        let Some((last, others)) = node.next.split_last() else {
            self.end_of_chain(token.ctx, token.value, node.side);
            return;
        };
        let mut main_left = false;
        for next in others {
            let side = is_side(definition, *next);
            let mut ctx = token.ctx;
            if side {
                ctx = ctx.outside();
            } else {
                main_left = true;
            }
            self.spawn(Token {
                node: *next,
                value: token.value.clone(),
                ctx,
                origin: origin.clone(),
                sequence: token.sequence,
            });
        }
        if is_side(definition, *last) {
            self.spawn(Token {
                node: *last,
                value: token.value.clone(),
                ctx: token.ctx.outside(),
                origin,
                sequence: token.sequence,
            });
            if main_left {
                self.retire(token.ctx);
            } else {
                self.end_of_chain(token.ctx, token.value, node.side);
            }
            return;
        }
        self.work.push_back(Work::Enter(Token {
            node: *last,
            origin,
            ..token
        }));
    }

    fn end_of_chain(&mut self, ctx: Ctx, value: Value, side: bool) {
        if !side && ctx.frame.is_none() {
            let instance = self.instance_of(ctx.scope);
            if let Some(instance) = self.instances.get_mut(instance) {
                instance.last = value;
            }
        }
        self.retire(ctx);
    }

    /// Tries the cases from `case` on.
    fn choose(
        &mut self,
        definition: &Arc<Definition>,
        token: Token,
        case: usize,
        mut hits: Vec<u32>,
    ) {
        let Some(Op::Branch {
            cases,
            otherwise,
            all,
            ..
        }) = definition.node(token.node).map(|node| &node.op)
        else {
            self.retire(token.ctx);
            return;
        };
        for (index, (condition, entry)) in cases.iter().enumerate().skip(case) {
            let number = u32::try_from(index).unwrap_or(u32::MAX);
            match &condition.test {
                Test::Ask(_) => {
                    self.dispatch(definition, token, Some(number), hits);
                    return;
                }
                Test::Equals(value) if *value == token.value && !all => {
                    self.work.push_back(Work::Enter(Token {
                        node: *entry,
                        ..token
                    }));
                    return;
                }
                Test::Equals(value) if *value == token.value => hits.push(number),
                Test::Equals(_) => {}
            }
        }
        if hits.is_empty() {
            self.work.push_back(Work::Enter(Token {
                node: *otherwise,
                ..token
            }));
            return;
        }
        let entries: Vec<_> = hits
            .iter()
            .filter_map(|hit| cases.get(*hit as usize))
            .map(|(_, entry)| *entry)
            .collect();
        let items = entries.iter().map(|_| token.value.clone()).collect();
        self.open(definition, &token, entries, items, usize::MAX, false);
    }
}

fn is_side(definition: &Definition, node: NodeIdx) -> bool {
    definition.node(node).is_some_and(|node| node.side)
}
