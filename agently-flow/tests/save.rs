//! FLOW.md, "Pause, resume, save, load": snapshots.

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
    chunk, ChunkError, ErrorKind, Execution, ExecutionOptions, FlowData, Pause, Snapshot, Status,
    TriggerFlow,
};
use serde_json::{json, Value};
use support::{flow, run, sleep, store, Log};

/// Saves, drops the execution, and loads it from the text.
fn reload(flow: &TriggerFlow, execution: Execution) -> Execution {
    let text = execution.save().unwrap().to_json();
    execution.cancel();
    drop(execution);
    let snapshot = Snapshot::from_json(&text).unwrap();
    flow.load(&snapshot, ExecutionOptions::new()).unwrap()
}

fn ask_and_commit(runtime: &Runtime, log: &Log) -> TriggerFlow {
    let flow = flow(runtime);
    flow.to(chunk("ask", |data: FlowData| async move {
        data.async_set_state("k", 1).await?;
        Err::<Value, _>(Pause::new("human").id("i1").into())
    }))
    .to(log.chunk("commit"));
    flow
}

#[test]
fn f042_save_load_mid_pause() {
    run(|runtime| async move {
        let log = Log::new();
        let flow = ask_and_commit(&runtime, &log);
        let execution = flow.create_execution(ExecutionOptions::new()).unwrap();
        execution.async_start(()).await.unwrap();
        let id = execution.id().to_owned();
        let execution = reload(&flow, execution);
        assert_eq!(execution.id(), id);
        assert_eq!(execution.pending_interrupts()[0].id, "i1");
        execution
            .continue_with("i1", json!({ "ok": 1 }), None)
            .unwrap();
        let closed = execution.async_close().await.unwrap();
        assert_eq!(closed.snapshot, json!({ "k": 1 }));
        assert_eq!(log.all(), [json!(["commit", { "ok": 1 }])]);
    });
}

#[test]
fn f043_save_load_half_join() {
    run(|runtime| async move {
        let log = Log::new();
        let flow = flow(&runtime);
        flow.when_all(["A", "B"]).to(log.chunk("join"));
        let execution = flow.create_execution(ExecutionOptions::new()).unwrap();
        execution.async_start(()).await.unwrap();
        execution.async_emit("A", 1).await.unwrap();
        let execution = reload(&flow, execution);
        execution.async_emit("B", 2).await.unwrap();
        execution.async_close().await.unwrap();
        assert_eq!(log.all(), [json!(["join", { "A": 1, "B": 2 }])]);
    });
}

#[test]
fn f096_half_join_loaded_then_same_event_does_not_fire() {
    run(|runtime| async move {
        let log = Log::new();
        let flow = flow(&runtime);
        flow.when_all(["A", "B"]).to(log.chunk("join"));
        let execution = flow.create_execution(ExecutionOptions::new()).unwrap();
        execution.async_start(()).await.unwrap();
        execution.async_emit("A", 1).await.unwrap();
        let execution = reload(&flow, execution);
        execution.async_emit("A", 2).await.unwrap();
        assert_eq!(log.len(), 0);
    });
}

#[test]
fn f044_load_into_changed_flow_names_the_stages_that_differ() {
    run(|runtime| async move {
        let log = Log::new();
        let flow = ask_and_commit(&runtime, &log);
        let execution = flow.create_execution(ExecutionOptions::new()).unwrap();
        execution.async_start(()).await.unwrap();
        let snapshot = execution.save().unwrap();
        let changed = ask_and_commit(&runtime, &log);
        changed.when("More").to(log.chunk("more"));
        let options = ExecutionOptions::new();
        let report = changed.inspect_load(&snapshot, &options).unwrap();
        assert!(!report.is_loadable());
        assert_eq!(report.changed_stages.len(), 2);
        let error = changed.load(&snapshot, options).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::DefinitionChanged);
        assert!(error.to_string().contains("chunk more"), "{error}");
    });
}

#[test]
fn f045_load_missing_resource_fails_before_anything_runs() {
    run(|runtime| async move {
        let log = Log::new();
        let flow = ask_and_commit(&runtime, &log);
        flow.declare_resource_requirement("svc");
        let error = flow.async_start(()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::MissingResource);
        let with = || ExecutionOptions::new().resource("svc", "live".to_owned());
        let execution = flow.create_execution(with()).unwrap();
        execution.async_start(()).await.unwrap();
        let snapshot = execution.save().unwrap();
        assert!(!snapshot.to_json().contains("live"), "never in a snapshot");
        let report = flow
            .inspect_load(&snapshot, &ExecutionOptions::new())
            .unwrap();
        assert_eq!(report.missing_resources, ["svc"]);
        let error = flow.load(&snapshot, ExecutionOptions::new()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::MissingResource);
        let loaded = flow.load(&snapshot, with()).unwrap();
        loaded.continue_with("i1", 1, None).unwrap();
        loaded.async_close().await.unwrap();
        assert_eq!(log.len(), 1);
    });
}

#[test]
fn unknown_versions_and_damage_are_refused() {
    run(|runtime| async move {
        let flow = ask_and_commit(&runtime, &Log::new());
        let execution = flow.create_execution(ExecutionOptions::new()).unwrap();
        execution.async_start(()).await.unwrap();
        let good = execution.save().unwrap().to_json();
        for (from, to, kind) in [
            ("\"version\":1", "\"version\":2", ErrorKind::SnapshotVersion),
            ("\"k\":1", "\"k\":2", ErrorKind::SnapshotDamaged),
            ("agently-flow", "other", ErrorKind::SnapshotVersion),
        ] {
            let bad = good.replacen(from, to, 1);
            assert_ne!(bad, good);
            let snapshot = Snapshot::from_json(&bad).unwrap();
            let error = flow.load(&snapshot, ExecutionOptions::new()).unwrap_err();
            assert_eq!(error.kind(), kind);
        }
        let error = Snapshot::from_json("{").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::SnapshotDamaged);
    });
}

/// A chunk that does a bit of everything, slowly; `log` counts what really happened.
fn busy_flow(runtime: &Runtime, log: &Log, attempts: &Log) -> TriggerFlow {
    let flow = flow(runtime);
    let (rt, noted) = (runtime.clone(), attempts.clone());
    flow.to(chunk("busy", move |data: FlowData| {
        let (rt, attempts) = (rt.clone(), noted.clone());
        async move {
            attempts.add((data.attempt(), data.idempotency_key()));
            for round in 0..4 {
                sleep(&rt, 10).await;
                data.async_append_state("rounds", round).await?;
                data.async_put_into_stream(round).await?;
                data.async_emit("Round", round).await?;
                data.emit_nowait("Later", round)?;
            }
            Ok("done")
        }
    }))
    .to(store);
    let rt = runtime.clone();
    flow.when("Round")
        .to(chunk("nap", move |data: FlowData| {
            let rt = rt.clone();
            async move {
                sleep(&rt, 5).await;
                Ok(data.value().clone())
            }
        }))
        .to(log.chunk("round"));
    flow.when("Later").to(log.chunk("later"));
    flow
}

#[test]
fn save_at_any_moment_and_load_equals_never_having_stopped() {
    run(|runtime| async move {
        for stop_at in 0..70 {
            let (log, attempts) = (Log::new(), Log::new());
            let flow = busy_flow(&runtime, &log, &attempts);
            let execution = flow.async_start_execution(()).await.unwrap();
            sleep(&runtime, stop_at).await;
            let execution = reload(&flow, execution);
            let closed = execution.async_close().await.unwrap();
            assert_eq!(closed.status, Status::Completed);
            assert_eq!(
                closed.snapshot,
                json!({ "rounds": [0, 1, 2, 3], "result": "done" })
            );
            for round in 0..4 {
                for name in ["round", "later"] {
                    let times = log.count(&json!([name, round]));
                    assert_eq!(times, 1, "{name} {round}, stopped at {stop_at} ms");
                }
            }
            let keys: Vec<_> = attempts
                .all()
                .iter()
                .map(|entry| entry[1].clone())
                .collect();
            assert!(
                keys.iter().all(|key| *key == keys[0]),
                "one idempotency key"
            );
        }
    });
}

#[test]
fn a_half_done_collection_survives_with_its_finished_items() {
    run(|runtime| async move {
        let log = Log::new();
        let flow = flow(&runtime);
        let rt = runtime.clone();
        let noted = log.clone();
        flow.for_each(2)
            .to(chunk("work", move |data: FlowData| {
                let (rt, log) = (rt.clone(), noted.clone());
                async move {
                    let item: u64 = data.input()?;
                    sleep(&rt, item * 10).await;
                    log.add(item);
                    Ok(item * 2)
                }
            }))
            .end_for_each()
            .to(store);
        let execution = flow.async_start_execution([1, 2, 3, 4, 5]).await.unwrap();
        sleep(&runtime, 45).await;
        let before = log.all();
        assert!(!before.is_empty() && before.len() < 5);
        let execution = reload(&flow, execution);
        let closed = execution.async_close().await.unwrap();
        assert_eq!(closed.snapshot, json!({ "result": [2, 4, 6, 8, 10] }));
        for item in before {
            assert_eq!(log.count(&item), 1, "finished chunks never run again");
        }
    });
}

#[test]
fn the_resume_ledger_and_the_counters_survive() {
    run(|runtime| async move {
        let log = Log::new();
        let flow = ask_and_commit(&runtime, &log);
        let execution = flow.create_execution(ExecutionOptions::new()).unwrap();
        execution.async_start(()).await.unwrap();
        let first = execution.continue_with("i1", 1, "r1").unwrap();
        sleep(&runtime, 1).await;
        let counts = execution.result().counts;
        let execution = reload(&flow, execution);
        assert_eq!(execution.result().counts, counts);
        let again = execution.continue_with("i1", 1, "r1").unwrap();
        assert_eq!((again.sequence, again.repeated), (first.sequence, true));
        let error = execution.continue_with("i1", 2, "r1").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ResumeConflict);
        execution.async_close().await.unwrap();
        assert_eq!(log.len(), 1);
    });
}

#[test]
fn a_failed_step_is_retried_after_a_load_too() {
    run(|runtime| async move {
        let flow = flow(&runtime);
        flow.to(chunk("flaky", |data: FlowData| async move {
            data.async_append_state("list", 1).await?;
            if data.attempt() == 1 {
                return Err(ChunkError::msg("not yet"));
            }
            Ok("done")
        })
        .retry(agently_flow::RetryPolicy::new(2)))
            .to(store);
        let execution = flow.async_start_execution(()).await.unwrap();
        sleep(&runtime, 10).await;
        let execution = reload(&flow, execution);
        let closed = execution.async_close().await.unwrap();
        assert_eq!(closed.snapshot, json!({ "list": [1], "result": "done" }));
    });
}
