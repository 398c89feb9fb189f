//! The blocking twins, and chunks that block.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

mod support;

use std::sync::{Arc, Barrier};

use agently_flow::{
    chunk, chunk_blocking, ErrorKind, ExecutionOptions, FlowData, Pause, TriggerFlow,
};
use agently_testkit::hand::HandRuntime;
use serde_json::json;
use support::{run, store};

#[test]
fn f003_sync_and_async_handlers() {
    let hand = HandRuntime::new().unwrap();
    let flow = TriggerFlow::new("mixed").with_runtime(hand.runtime());
    flow.to_blocking(|data: FlowData| {
        data.set_state("sync", data.value())?;
        Ok(data.input::<i64>()? + 1)
    })
    .to(|data: FlowData| async move { Ok(data.input::<i64>()? * 2) })
    .to(store);
    assert_eq!(flow.start(3).unwrap(), json!({ "sync": 3, "result": 8 }));
}

#[test]
fn f091_sync_api() {
    let hand = HandRuntime::new().unwrap();
    let flow = TriggerFlow::new("items").with_runtime(hand.runtime());
    flow.to(chunk("s", |data: FlowData| async move {
        data.async_put_into_stream("a").await?;
        data.async_put_into_stream("b").await?;
        Ok(())
    }));
    let items: Vec<_> = flow.get_runtime_stream(()).map(Result::unwrap).collect();
    assert_eq!(items, ["a", "b"]);

    let execution = flow.create_execution(ExecutionOptions::new()).unwrap();
    execution.start(()).unwrap();
    execution.emit("Nobody", 1).unwrap();
    execution.close().unwrap();
    let items: Vec<_> = execution.get_runtime_stream().map(Result::unwrap).collect();
    assert_eq!(items, ["a", "b"]);
}

#[test]
fn f092_blocking_chunks_run_side_by_side() {
    let hand = HandRuntime::new().unwrap();
    let flow = TriggerFlow::new("side by side").with_runtime(hand.runtime());
    // Each waits for the other: one after the other they would never end.
    let barrier = Arc::new(Barrier::new(2));
    let meet = |name: &'static str, value: i64| {
        let barrier = Arc::clone(&barrier);
        chunk_blocking(name, move |_: FlowData| {
            barrier.wait();
            Ok(value)
        })
    };
    flow.batch([meet("a", 1), meet("b", 2)], None).to(store);
    assert_eq!(
        flow.start(()).unwrap(),
        json!({ "result": { "a": 1, "b": 2 } })
    );
}

#[test]
fn a_panic_in_a_blocking_chunk_is_an_error_with_its_name() {
    let hand = HandRuntime::new().unwrap();
    let flow = TriggerFlow::new("wild").with_runtime(hand.runtime());
    flow.to(chunk_blocking("wild", |data: FlowData| {
        assert!(data.value().is_null(), "went wrong");
        Ok(())
    }));
    let error = flow.start(1).unwrap_err();
    assert_eq!(error.to_string(), "chunk `wild` panicked: went wrong");
}

#[test]
fn a_blocking_call_inside_an_async_task_is_an_error_that_names_the_twin() {
    run(|runtime| async move {
        let flow = TriggerFlow::new("inside").with_runtime(runtime.clone());
        flow.to(store);
        let error = flow.start(1).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::BlockingInAsync);
        assert!(error.to_string().contains("`async_start`"), "{error}");
    });
}

#[test]
fn every_blocking_method_has_its_twin() {
    let pairs = [
        TriggerFlow::SYNC_PAIRS,
        agently_flow::Execution::SYNC_PAIRS,
        FlowData::SYNC_PAIRS,
    ];
    for (sync, twin) in pairs.into_iter().flatten() {
        let bare = twin.replacen("async_", "", 1);
        assert_eq!(*sync, bare);
    }
    assert!(TriggerFlow::SYNC_PAIRS.contains(&("start", "async_start")));
}

#[test]
fn events_from_many_threads_are_each_handled_once() {
    let hand = HandRuntime::new().unwrap();
    let flow = TriggerFlow::new("threads").with_runtime(hand.runtime());
    flow.when("E").to(chunk("e", |data: FlowData| async move {
        data.async_append_state("seen", data.value()).await?;
        Ok(())
    }));
    let execution = flow.create_execution(ExecutionOptions::new()).unwrap();
    execution.start(()).unwrap();
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let execution = &execution;
            scope.spawn(move || {
                for number in 0..250 {
                    let event = thread * 250 + number;
                    if number % 2 == 0 {
                        execution.emit_nowait("E", event).unwrap();
                    } else {
                        execution.emit("E", event).unwrap();
                    }
                }
            });
        }
    });
    let closed = execution.close().unwrap();
    let mut seen: Vec<i64> = serde_json::from_value(closed.snapshot["seen"].clone()).unwrap();
    seen.sort_unstable();
    assert_eq!(seen, (0..1000).collect::<Vec<_>>());
}

#[test]
fn of_two_callers_that_resume_the_same_pause_one_wins() {
    let hand = HandRuntime::new().unwrap();
    let flow = TriggerFlow::new("race").with_runtime(hand.runtime());
    flow.to(chunk("ask", |_: FlowData| async {
        Err::<i64, _>(Pause::new("ask").id("i1").into())
    }))
    .to(chunk("commit", |data: FlowData| async move {
        data.async_append_state("commits", data.value()).await?;
        Ok(())
    }));
    for _ in 0..20 {
        let execution = flow.create_execution(ExecutionOptions::new()).unwrap();
        execution.start(()).unwrap();
        let resume = |answer: i64| execution.continue_with("i1", answer, None).is_ok();
        let (one, two) = std::thread::scope(|scope| {
            let one = scope.spawn(|| resume(1));
            let two = scope.spawn(|| resume(2));
            (one.join().unwrap(), two.join().unwrap())
        });
        assert!(one != two, "exactly one wins");
        let closed = execution.close().unwrap();
        let winner = if one { 1 } else { 2 };
        assert_eq!(closed.snapshot, json!({ "commits": [winner] }));
    }
}
