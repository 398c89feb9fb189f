//! Steps: made, run with a permit, finished, failed, run again.

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;

use super::slab::Key;
use super::types::{Ctx, Dispatch, Effect, Origin, Phase, Step, Timer, Token, Work};
use super::Engine;
use crate::definition::{Definition, NodeIdx, Op};
use crate::error::{Error, ErrorKind};

impl Engine {
    /// Makes a step of a value at a chunk or a condition.
    pub(super) fn dispatch(
        &mut self,
        definition: &Arc<Definition>,
        token: Token,
        case: Option<u32>,
        hits: Vec<u32>,
    ) {
        self.begin(definition, token, case, hits, None, 0);
    }

    pub(super) fn begin(
        &mut self,
        definition: &Arc<Definition>,
        token: Token,
        case: Option<u32>,
        hits: Vec<u32>,
        resume: Option<Value>,
        resumes: u32,
    ) {
        if self.rules.auto_intervene {
            self.insert_interventions(None);
        }
        self.steps += 1;
        let instance = self.instance_of(token.ctx.scope);
        let step = Step {
            key: Key::NONE,
            id: self.steps,
            sequence: token.sequence,
            attempt: 1,
            input: token.value,
            resume,
            origin: token.origin,
            definition: Arc::clone(definition),
            node: token.node,
            case,
            instance,
        };
        let key = self.dispatches.insert(Dispatch {
            step: Arc::new(step),
            ctx: token.ctx,
            phase: Phase::Ready,
            permit: false,
            awaiting: 0,
            failures: 0,
            resumes,
            hits,
            effects: Vec::new(),
            cursor: 0,
            wakers: Vec::new(),
        });
        if let Some(step) = self
            .dispatches
            .get_mut(key)
            .and_then(|dispatch| Arc::get_mut(&mut dispatch.step))
        {
            step.key = key;
        }
        self.queue(key);
    }

    /// Runs a step as soon as there is a permit for it.
    pub(super) fn queue(&mut self, key: Key) {
        if self.running < self.rules.concurrency && self.ready.is_empty() {
            self.run(key);
        } else {
            self.ready.push_back(key);
            self.grant();
        }
    }

    /// Gives free permits away: first to those that want to go on, so that work ends.
    pub(super) fn grant(&mut self) {
        while self.running < self.rules.concurrency {
            if let Some(key) = self.resumable.pop_front() {
                self.go_on(key);
            } else if let Some(key) = self.ready.pop_front() {
                self.run(key);
            } else {
                return;
            }
        }
    }

    fn run(&mut self, key: Key) {
        let Some(dispatch) = self.dispatches.get_mut(key) else {
            return;
        };
        dispatch.phase = Phase::Running;
        dispatch.permit = true;
        dispatch.cursor = 0;
        self.effects
            .push_back(Effect::Run(Arc::clone(&dispatch.step)));
        self.running += 1;
        self.counts.steps += 1;
        self.counts.most_running = self.counts.most_running.max(self.running as u64);
    }

    fn go_on(&mut self, key: Key) {
        // It may have ended, failed or begun to wait again since it was queued.
        let waits = |dispatch: &&mut Dispatch| {
            dispatch.phase == Phase::Running && !dispatch.permit && dispatch.awaiting == 0
        };
        let Some(dispatch) = self.dispatches.get_mut(key).filter(waits) else {
            return;
        };
        dispatch.permit = true;
        self.wakes
            .extend(dispatch.wakers.drain(..).map(|(_, waker)| waker));
        self.running += 1;
    }

    /// Gives a step's permit back, if it has one.
    pub(super) fn release(&mut self, permit: bool) {
        if permit {
            self.running = self.running.saturating_sub(1);
            self.grant();
        }
    }

    /// A step has given its value.
    pub(crate) fn finished(&mut self, key: Key, value: Value) {
        let Some(dispatch) = self.dispatches.remove(key) else {
            return;
        };
        self.counts.finished += 1;
        let permit = dispatch.permit;
        let ctx = dispatch.ctx;
        match dispatch.step.case {
            None => {
                let step = dispatch.step;
                let sequence = self.next_sequence();
                self.give(&step.definition, step.node, value, ctx, sequence);
            }
            Some(case) => {
                let hit = value.as_bool().unwrap_or(false);
                let hits = dispatch.hits;
                let (definition, token) = reenter(dispatch.step, ctx);
                self.decided(&definition, token, case, hit, hits);
            }
        }
        self.release(permit);
        self.pump();
    }

    /// A chunk's value: for those who listen to the chunk, and for those behind it.
    pub(super) fn give(
        &mut self,
        definition: &Arc<Definition>,
        node: NodeIdx,
        value: Value,
        ctx: Ctx,
        sequence: u64,
    ) {
        self.note(ctx.scope, node);
        if let Some(stage) = definition.node(node) {
            for listener in &stage.listeners {
                self.tell(
                    definition,
                    *listener,
                    value.clone(),
                    ctx.outside(),
                    sequence,
                );
            }
        }
        let origin = Origin::Stage { node, slot: 0 };
        self.advance(
            definition,
            Token {
                node,
                value,
                ctx,
                origin,
                sequence,
            },
        );
    }

    fn decided(
        &mut self,
        definition: &Arc<Definition>,
        token: Token,
        case: u32,
        hit: bool,
        mut hits: Vec<u32>,
    ) {
        let Some(Op::Branch { cases, all, .. }) = definition.node(token.node).map(|node| &node.op)
        else {
            self.retire(token.ctx);
            return;
        };
        if hit && !all {
            let entry = cases
                .get(case as usize)
                .map_or(token.node, |(_, entry)| *entry);
            self.work.push_back(Work::Enter(Token {
                node: entry,
                ..token
            }));
            return;
        }
        if hit {
            hits.push(case);
        }
        self.choose(definition, token, case as usize + 1, hits);
    }

    /// A step has failed: it is run again, or its branch fails.
    pub(crate) fn failed(&mut self, key: Key, error: Error) {
        let delay = self.dispatches.get_mut(key).and_then(|dispatch| {
            dispatch.failures += 1;
            let failures = dispatch.failures;
            match dispatch
                .step
                .definition
                .node(dispatch.step.node)
                .map(|n| &n.op)
            {
                // Running again cannot mend a step that does something else each time.
                Some(Op::Chunk(_, limits)) if error.kind() != ErrorKind::StepDiverged => {
                    limits.retry.as_ref()?.after(failures)
                }
                _ => None,
            }
        });
        if let Some(delay) = delay {
            self.back_off(key, delay);
        } else if let Some(dispatch) = self.dispatches.remove(key) {
            self.counts.finished += 1;
            self.work.push_back(Work::Fail(dispatch.ctx, error));
            self.release(dispatch.permit);
        }
        self.pump();
    }

    fn back_off(&mut self, key: Key, delay: Duration) {
        let Some(dispatch) = self.dispatches.get_mut(key) else {
            return;
        };
        dispatch.phase = Phase::Backoff;
        dispatch.wakers.clear();
        dispatch.awaiting = 0;
        for done in &mut dispatch.effects {
            done.waiting = false;
        }
        let permit = std::mem::take(&mut dispatch.permit);
        self.effects
            .push_back(Effect::SetTimer(Timer::Retry(key), delay));
        self.release(permit);
    }

    /// A timer has run out.
    pub(crate) fn timer(&mut self, timer: Timer) {
        match timer {
            Timer::Retry(key) => {
                if let Some(dispatch) = self.dispatches.get_mut(key) {
                    dispatch.again();
                    self.queue(key);
                }
            }
            Timer::AutoClose => {
                if std::mem::take(&mut self.armed) && self.is_idle() {
                    self.finalise();
                }
            }
        }
        self.pump();
    }
}

impl Dispatch {
    /// Makes it ready for another run.
    pub(super) fn again(&mut self) {
        let attempt = self.step.attempt + 1;
        let step = &self.step;
        self.step = Arc::new(Step {
            key: step.key,
            id: step.id,
            sequence: step.sequence,
            attempt,
            input: step.input.clone(),
            resume: step.resume.clone(),
            origin: step.origin.clone(),
            definition: Arc::clone(&step.definition),
            node: step.node,
            case: step.case,
            instance: step.instance,
        });
        self.phase = Phase::Ready;
        self.awaiting = 0;
    }
}

/// The value a finished condition was asked about, on its way again.
fn reenter(step: Arc<Step>, ctx: Ctx) -> (Arc<Definition>, Token) {
    let definition = Arc::clone(&step.definition);
    let (node, sequence) = (step.node, step.sequence);
    let (value, origin) = match Arc::try_unwrap(step) {
        Ok(step) => (step.input, step.origin),
        // Somebody keeps the step's data.
        Err(step) => (step.input.clone(), step.origin.clone()),
    };
    let token = Token {
        node,
        value,
        ctx,
        origin,
        sequence,
    };
    (definition, token)
}
