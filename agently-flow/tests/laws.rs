//! Laws that hold for every flow: nothing stays behind, and cost grows with the work only.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

mod support;

use std::time::Duration;

use agently_flow::{
    chunk, Capture, ChunkError, Execution, ExecutionOptions, FailurePolicy, FlowData, Hits, Pause,
    ResumeTo, TriggerFlow, WriteBack,
};
use agently_testkit::det::Det;
use serde_json::{json, Value};
use support::{flow, pass, run, sleep, store, Log};

/// What an idle execution still holds, by its snapshot.
fn held(execution: &Execution) -> Value {
    let snapshot: Value = serde_json::from_str(&execution.save().unwrap().to_json()).unwrap();
    let body = &snapshot["body"];
    let count = |field: &str| body[field]["entries"].as_array().unwrap().len();
    json!({
        "instances": count("instances"),
        "frames": count("frames"),
        "groups": count("groups"),
        "collections": count("collections"),
        "dispatches": count("dispatches"),
        "joins": body["joins"].as_array().unwrap().len(),
        "frame_refs": body["frames"]["entries"][0][1]["refs"],
        "group_pending": body["groups"]["entries"][0][1]["pending"],
    })
}

fn nothing() -> Value {
    json!({
        "instances": 1, "frames": 1, "groups": 1, "collections": 0, "dispatches": 0, "joins": 0,
        "frame_refs": 1, "group_pending": 0,
    })
}

/// A flow with every operator; items that are odd fail or pause as the tests want.
fn everything(runtime: &agently_api::rt::Runtime) -> TriggerFlow {
    let child = TriggerFlow::new("child");
    let rt = runtime.clone();
    child
        .for_each(2)
        .to(chunk("inner", move |data: FlowData| {
            let rt = rt.clone();
            async move {
                sleep(&rt, 3).await;
                data.async_emit("Inner", data.value()).await?;
                Ok(data.value().clone())
            }
        }))
        .end_for_each();
    child.when("Inner").to(pass);

    let flow = flow(runtime);
    let rt = runtime.clone();
    flow.for_each(3)
        .to(chunk("item", move |data: FlowData| {
            let rt = rt.clone();
            async move {
                let item: u64 = data.input()?;
                sleep(&rt, item).await;
                data.async_emit("A", item).await?;
                data.emit_nowait("B", item)?;
                match item {
                    7 => Err(ChunkError::msg("seven")),
                    5 => Err(Pause::new("five").id("five").into()),
                    6 => Err(Pause::new("six")
                        .id("six")
                        .resume_to(ResumeTo::Event("Six".into()))
                        .into()),
                    item => Ok(item),
                }
            }
        }))
        .match_(Hits::All)
        .case(1)
        .to(pass)
        .case(agently_flow::Condition::input(|value: Value| value != 2))
        .to(pass)
        .side_branch(pass)
        .case_else()
        .to(pass)
        .end_match()
        .batch(
            [
                ("x", agently_flow::Chunk::new(pass)),
                ("y", agently_flow::Chunk::new(pass)),
            ],
            1,
        )
        .to_sub_flow(&child, Capture::new(), WriteBack::new())
        .end_for_each()
        .to(store);
    flow.when_all(["A", "B"]).to(pass);
    flow.when("A")
        .to(chunk("relay", |data: FlowData| async move {
            Ok(data.emit_nowait("C", data.value())?)
        }));
    flow.when_all(["A", "C"]).to(pass);
    flow
}

#[test]
fn an_idle_execution_holds_nothing() {
    run(|runtime| async move {
        for (input, cap) in [
            (json!([1, 2, 3]), usize::MAX),
            (json!([1, 2, 3, 4, 8, 9]), 1),
            (json!([]), 1),
        ] {
            let flow = everything(&runtime);
            let options = ExecutionOptions::new().concurrency(cap);
            let execution = flow.create_execution(options).unwrap();
            execution.async_start(input).await.unwrap();
            assert_eq!(held(&execution), nothing());
        }
    });
}

#[test]
fn nothing_stays_behind_after_failures_that_do_not_stop_the_execution() {
    run(|runtime| async move {
        let flow = everything(&runtime);
        let options = ExecutionOptions::new()
            .failure_policy(FailurePolicy::Continue)
            .concurrency(2);
        let execution = flow.create_execution(options).unwrap();
        execution.async_start([1, 7, 3, 7, 2]).await.unwrap();
        let result = execution.result();
        assert_eq!(result.errors.len(), 2);
        assert!(
            result.state["result"][1].is_null(),
            "a failed item goes on as null: {}",
            result.state
        );
        assert_eq!(held(&execution), nothing());
    });
}

#[test]
fn nothing_stays_behind_when_an_awaited_branch_fails() {
    run(|runtime| async move {
        let flow = everything(&runtime);
        let caught = Log::new();
        let noted = caught.clone();
        flow.when("Try")
            .to_sub_flow(&everything(&runtime), Capture::new(), WriteBack::new());
        flow.when("Go").to(chunk("go", move |data: FlowData| {
            let noted = noted.clone();
            async move {
                let error = data.async_emit("Try", data.value()).await.unwrap_err();
                noted.add(error.chunk());
                Ok(())
            }
        }));
        let execution = flow.create_execution(ExecutionOptions::new()).unwrap();
        execution.async_start(json!([])).await.unwrap();
        execution.async_emit("Go", [1, 7, 3]).await.unwrap();
        // What was emitted without waiting runs on.
        sleep(&runtime, 100).await;
        assert_eq!(caught.all(), ["item"]);
        assert_eq!(held(&execution), nothing());
        execution.async_close().await.unwrap();
    });
}

#[test]
fn nothing_stays_behind_after_pauses() {
    run(|runtime| async move {
        for cap in [1, 2, usize::MAX] {
            let outer = flow(&runtime);
            outer
                .to_sub_flow(
                    &everything(&runtime),
                    Capture::new(),
                    WriteBack::new().put("value", "snapshot.result"),
                )
                .to(store);
            let options = ExecutionOptions::new().concurrency(cap);
            let execution = outer.create_execution(options).unwrap();
            execution.async_start([5, 1, 6, 2]).await.unwrap();
            assert_eq!(execution.pending_interrupts().len(), 2);
            execution.continue_with("six", "s", None).unwrap();
            execution.continue_with("five", "f", None).unwrap();
            let closed = execution.async_close().await.unwrap();
            assert_eq!(closed.snapshot["result"].as_array().unwrap().len(), 4);
            assert_eq!(held(&execution), nothing());
        }
    });
}

#[test]
fn one_seed_gives_one_order() {
    let once = |seed| {
        let det = Det::new(seed);
        let runtime = det.runtime();
        let state = det
            .block_on(async {
                let flow = everything(&runtime);
                let execution = flow.create_execution(ExecutionOptions::new()).unwrap();
                execution.async_start([1, 2, 3, 4]).await.unwrap();
                execution.save().unwrap().to_json()
            })
            .unwrap();
        let state: Value = serde_json::from_str(&state).unwrap();
        (state["body"].clone(), det.fingerprint())
    };
    for seed in 0..4 {
        assert_eq!(once(seed), once(seed));
    }
}

#[test]
fn for_each_over_many_items_keeps_no_more_than_its_cap() {
    let det = Det::new(1);
    let runtime = det.runtime();
    let flow = flow(&runtime);
    flow.for_each(8)
        .to(pass)
        .end_for_each()
        .to(chunk("count", |data: FlowData| async move {
            Ok(data
                .async_set_state("n", data.value().as_array().map(Vec::len))
                .await?)
        }));
    let execution = flow.create_execution(ExecutionOptions::new()).unwrap();
    let items: Vec<u32> = (0..100_000).collect();
    let state = det.block_on(execution.async_start(items)).unwrap().unwrap();
    assert_eq!(state, json!({ "n": 100_000 }));
    assert_eq!(execution.result().counts.most_running, 8);
    let snapshot: Value = serde_json::from_str(&execution.save().unwrap().to_json()).unwrap();
    let places = snapshot["body"]["frames"]["generations"]
        .as_array()
        .unwrap()
        .len();
    assert!(places <= 10, "{places} places for 8 items at once");
}

#[test]
fn a_hidden_start_takes_no_time() {
    run(|runtime| async move {
        let flow = flow(&runtime);
        flow.to(pass);
        let began = runtime.now();
        for _ in 0..100 {
            flow.async_start(1).await.unwrap();
        }
        assert_eq!(runtime.now() - began, Duration::ZERO);
    });
}
