//! Random flows, random delays, pauses, retries, caps, saves and loads, against a plain
//! interpreter. A failing seed is in the message.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

mod support;

use agently_api::rt::Runtime;
use agently_flow::{
    chunk, Capture, Chain, Chunk, ChunkError, Condition, Execution, ExecutionOptions, FlowData,
    Hits, Pause, ResumeTo, RetryPolicy, Snapshot, Status, TriggerFlow, WriteBack,
};
use agently_testkit::det::Det;
use serde_json::{json, Value};
use std::time::Duration;
use support::{pass, sleep};

/// A small generator, so that a seed is all there is.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }
}

#[derive(Debug, Clone)]
enum Plan {
    Work { number: u64, deeds: Vec<Deed> },
    ForEach(Vec<Self>, Option<usize>),
    Batch(Vec<Self>, Vec<Self>, Option<usize>),
    If(Vec<Self>, Vec<Self>),
    MatchAll(Vec<Self>, Vec<Self>),
    Sub(Vec<Self>),
    Double,
}

#[derive(Debug, Clone, Copy)]
enum Deed {
    Sleep(u64),
    Emit,
    EmitNowait,
    Write,
    FailOnce,
    Pause,
    PauseSelf,
}

fn plan(dice: &mut Dice, depth: u64, number: &mut u64) -> Vec<Plan> {
    let mut plans = Vec::new();
    for _ in 0..1 + dice.roll(3) {
        let kind = if depth == 0 { 0 } else { dice.roll(9) };
        let mut below = |dice: &mut Dice| plan(dice, depth - 1, number);
        plans.push(match kind {
            4 => Plan::ForEach(below(dice), cap(dice)),
            5 => Plan::Batch(below(dice), below(dice), cap(dice)),
            6 => Plan::If(below(dice), below(dice)),
            7 => Plan::MatchAll(below(dice), below(dice)),
            8 => Plan::Sub(below(dice)),
            3 => Plan::Double,
            _ => {
                *number += 1;
                let deeds = (0..dice.roll(4)).map(|_| deed(dice)).collect();
                Plan::Work {
                    number: *number,
                    deeds,
                }
            }
        });
    }
    plans
}

fn cap(dice: &mut Dice) -> Option<usize> {
    match dice.roll(3) {
        0 => None,
        n => Some(usize::try_from(n).unwrap()),
    }
}

fn deed(dice: &mut Dice) -> Deed {
    match dice.roll(8) {
        0 | 1 => Deed::Sleep(dice.roll(5)),
        2 => Deed::Emit,
        3 => Deed::EmitNowait,
        4 => Deed::Write,
        5 => Deed::FailOnce,
        6 => Deed::Pause,
        _ => Deed::PauseSelf,
    }
}

/// What a plan makes of a value, and how many stream items it puts.
fn interpret(plans: &[Plan], value: Value, items: &mut u64) -> Value {
    plans.iter().fold(value, |value, plan| match plan {
        Plan::Work { number, deeds } => {
            // What is done before a pause of its own is done again after it: it is another run.
            let own = deeds
                .iter()
                .position(|deed| matches!(deed, Deed::PauseSelf));
            let end = deeds.iter().position(|deed| matches!(deed, Deed::Pause));
            let puts = |deeds: &[Deed]| {
                let emits =
                    |deed: &&Deed| matches!(deed, Deed::Emit | Deed::EmitNowait | Deed::Write);
                deeds.iter().filter(emits).count() as u64
            };
            let end = end.unwrap_or(deeds.len());
            *items += puts(&deeds[..end]);
            if let Some(own) = own.filter(|own| *own < end) {
                *items += puts(&deeds[..own]);
            }
            json!([number, value])
        }
        Plan::ForEach(body, _) => match value {
            Value::Array(list) => list
                .into_iter()
                .map(|item| interpret(body, item, items))
                .collect(),
            single => json!([interpret(body, single, items)]),
        },
        Plan::Batch(a, b, _) => {
            let a = interpret(a, value.clone(), items);
            json!({ "a": a, "b": interpret(b, value, items) })
        }
        Plan::If(yes, _) if is_list(&value) => interpret(yes, value, items),
        Plan::If(_, no) => interpret(no, value, items),
        Plan::MatchAll(always, lists) => {
            let mut hits = vec![interpret(always, value.clone(), items)];
            if is_list(&value) {
                hits.push(interpret(lists, value, items));
            }
            json!(hits)
        }
        Plan::Sub(body) => interpret(body, value, items),
        Plan::Double => json!([value, value]),
    })
}

fn is_list(value: &Value) -> bool {
    value.is_array()
}

fn work(runtime: &Runtime, number: u64, deeds: &[Deed]) -> Chunk {
    let (runtime, deeds) = (runtime.clone(), deeds.to_vec());
    Chunk::new(move |data: FlowData| {
        let (runtime, deeds) = (runtime.clone(), deeds.clone());
        async move {
            for deed in deeds {
                match deed {
                    Deed::Sleep(ms) => sleep(&runtime, ms).await,
                    Deed::Emit => data.async_emit("Put", number).await?,
                    Deed::EmitNowait => data.emit_nowait("Put", number)?,
                    Deed::Write => data.async_set_state("watched", number).await?,
                    Deed::FailOnce if data.attempt() == 1 => {
                        return Err(ChunkError::msg("once"));
                    }
                    Deed::FailOnce => {}
                    Deed::Pause => {
                        return Err(Pause::new("next")
                            .payload(json!([number, data.value()]))
                            .into())
                    }
                    Deed::PauseSelf if data.resume().is_none() => {
                        return Err(Pause::new("self").resume_to(ResumeTo::Itself).into())
                    }
                    Deed::PauseSelf => {}
                }
            }
            Ok(json!([number, data.value()]))
        }
    })
    .retry(
        RetryPolicy::new(50)
            .delay(Duration::from_millis(1))
            .longest_delay(Duration::from_millis(2)),
    )
}

fn sub(runtime: &Runtime, plans: &[Plan]) -> (TriggerFlow, Capture, WriteBack) {
    let child = build(runtime, plans);
    (
        child,
        Capture::new(),
        WriteBack::new().put("value", "result"),
    )
}

fn build(runtime: &Runtime, plans: &[Plan]) -> TriggerFlow {
    let flow = TriggerFlow::new("random").with_runtime(runtime.clone());
    let mut chain: Chain = flow.to(pass);
    for plan in plans {
        chain = match plan {
            Plan::Work { number, deeds } => chain.to(work(runtime, *number, deeds)),
            Plan::ForEach(body, cap) => {
                let (child, capture, back) = sub(runtime, body);
                chain
                    .for_each(*cap)
                    .to_sub_flow(&child, capture, back)
                    .end_for_each()
            }
            Plan::Batch(a, b, cap) => {
                // A branch of a batch is one chunk; what is in it goes through an event's flow.
                let (a, b) = (sub(runtime, a), sub(runtime, b));
                chain
                    .to(|data: FlowData| async move {
                        Ok(json!([["a", data.value()], ["b", data.value()]]))
                    })
                    .for_each(*cap)
                    .if_condition(Condition::input(|pair: (String, Value)| pair.0 == "a"))
                    .to(|data: FlowData| async move { Ok(data.value()[1].clone()) })
                    .to_sub_flow(&a.0, a.1, a.2)
                    .else_condition()
                    .to(|data: FlowData| async move { Ok(data.value()[1].clone()) })
                    .to_sub_flow(&b.0, b.1, b.2)
                    .end_condition()
                    .end_for_each()
                    .batch([("a", Chunk::new(first)), ("b", Chunk::new(second))], *cap)
            }
            Plan::If(yes, no) => {
                let (yes, no) = (sub(runtime, yes), sub(runtime, no));
                chain
                    .if_condition(Condition::input(|value: Value| is_list(&value)))
                    .to_sub_flow(&yes.0, yes.1, yes.2)
                    .else_condition()
                    .to_sub_flow(&no.0, no.1, no.2)
                    .end_condition()
            }
            Plan::MatchAll(always, lists) => {
                let (always, lists) = (sub(runtime, always), sub(runtime, lists));
                chain
                    .match_(Hits::All)
                    .case(Condition::input(|_: Value| true))
                    .to_sub_flow(&always.0, always.1, always.2)
                    .case(Condition::input(|value: Value| is_list(&value)))
                    .to_sub_flow(&lists.0, lists.1, lists.2)
                    .end_match()
            }
            Plan::Sub(body) => {
                let (child, capture, back) = sub(runtime, body);
                chain.to_sub_flow(&child, capture, back)
            }
            Plan::Double => {
                chain.to(|data: FlowData| async move { Ok(json!([data.value(), data.value()])) })
            }
        };
    }
    // The chain's value must be the result, whatever the handlers below end with.
    chain.to(chunk("result", |data: FlowData| async move {
        data.set_result(data.value())?;
        Ok(())
    }));
    let rt = runtime.clone();
    let put = chunk("put", move |data: FlowData| {
        let rt = rt.clone();
        async move {
            sleep(&rt, 1).await;
            Ok(data.async_put_into_stream(data.value()).await?)
        }
    });
    flow.when("Put").to(put);
    flow.when_state("watched")
        .to(chunk("watch", |data: FlowData| async move {
            Ok(data.async_put_into_stream(data.value()).await?)
        }));
    flow
}

async fn first(data: FlowData) -> agently_flow::ChunkResult<Value> {
    Ok(data.value()[0].clone())
}

async fn second(data: FlowData) -> agently_flow::ChunkResult<Value> {
    Ok(data.value()[1].clone())
}

fn body(execution: &Execution) -> Value {
    let text = execution.save().unwrap().to_json();
    serde_json::from_str::<Value>(&text).unwrap()["body"].clone()
}

fn one(seed: u64) {
    let mut dice = Dice(seed);
    let plans = plan(&mut dice, 3, &mut 0);
    let input = json!([1, [2, 3], 4]);
    let mut items = 0;
    let wanted = interpret(&plans, input.clone(), &mut items);
    let most = [1, 2, 3, usize::MAX][usize::try_from(dice.roll(4)).unwrap()];
    let det = Det::new(seed);
    let runtime = det.runtime();
    let options = || ExecutionOptions::new().concurrency(most);
    let place = || format!("seed {seed}, cap {most}: {plans:?}");
    det.block_on(async {
        let flow = build(&runtime, &plans);
        let mut execution = flow.create_execution(options()).unwrap();
        // Started beside, so that it can be saved while it runs.
        let starter = execution.clone();
        let input = input.clone();
        let _started = runtime.spawn(async move { starter.async_start(input).await });
        while execution.emit_nowait("Nobody", 1).is_err() {
            sleep(&runtime, 1).await;
        }
        for _round in 0..100_000 {
            sleep(&runtime, dice.roll(4)).await;
            assert!(
                execution.result().counts.most_running <= most as u64,
                "{}",
                place()
            );
            match dice.roll(4) {
                0 => {
                    let text = execution.save().unwrap().to_json();
                    execution.cancel();
                    let snapshot = Snapshot::from_json(&text).unwrap();
                    execution = flow.load(&snapshot, options()).unwrap();
                }
                _ => {
                    let pending = execution.pending_interrupts();
                    if let Some(one) =
                        pending.get(usize::try_from(dice.roll(1 + pending.len() as u64)).unwrap())
                    {
                        execution
                            .continue_with(&one.id, &one.payload, None)
                            .unwrap();
                    }
                }
            }
            let state = body(&execution);
            let idle = state["dispatches"]["entries"]
                .as_array()
                .unwrap()
                .is_empty();
            if idle && execution.pending_interrupts().is_empty() {
                break;
            }
        }
        let closed = execution
            .async_close()
            .await
            .unwrap_or_else(|error| panic!("{error:?}: {}", place()));
        assert_eq!(closed.status, Status::Completed, "{}", place());
        assert_eq!(execution.result().value, wanted, "{}", place());
        let state = body(&execution);
        assert_eq!(state["stream_position"], items, "{}", place());
        for (field, left) in [
            ("instances", 1),
            ("frames", 1),
            ("groups", 1),
            ("collections", 0),
        ] {
            let entries = state[field]["entries"].as_array().unwrap();
            assert_eq!(entries.len(), left, "{field}, {}", place());
        }
        assert_eq!(state["frames"]["entries"][0][1]["refs"], 1, "{}", place());
    })
    .unwrap_or_else(|stuck| panic!("{stuck}, {}", place()));
}

#[test]
fn random_flows_agree_with_a_plain_interpreter() {
    // More of them: `FLOW_SEEDS=1000..2000 cargo test -p agently-flow --test random`.
    let range = std::env::var("FLOW_SEEDS").unwrap_or_else(|_| "0..60".to_owned());
    let (first, end) = range.split_once("..").expect("FLOW_SEEDS is like 0..60");
    for seed in first.parse().unwrap()..end.parse::<u64>().unwrap() {
        one(seed);
    }
}

#[test]
fn a_sub_flow_whose_resumed_branch_waits_for_room_has_not_ended() {
    one(706);
}
