//! FLOW.md, "Operators".

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

mod support;

use std::time::Duration;

use agently_api::rt::Runtime;
use agently_flow::{
    chunk, condition, Branch, Chunk, ChunkError, Condition, ErrorKind, ExecutionOptions, FlowData,
    Hits, RetryPolicy,
};
use serde_json::{json, Value};
use support::{flow, pass, run, sleep, store, Gauge, Log};

/// Sleeps `ms`, watched by the gauge, and hands its input on.
fn worker(runtime: &Runtime, gauge: &Gauge, ms: u64) -> Chunk {
    let (runtime, gauge) = (runtime.clone(), gauge.clone());
    Chunk::new(move |data: FlowData| {
        let (runtime, gauge) = (runtime.clone(), gauge.clone());
        async move {
            let _inside = gauge.enter();
            sleep(&runtime, ms).await;
            Ok(data.value().clone())
        }
    })
}

#[test]
fn f018_for_each_order() {
    run(|runtime| async move {
        let log = Log::new();
        let flow = flow(&runtime);
        let (noted, rt) = (log.clone(), runtime.clone());
        flow.for_each(None)
            .to(chunk("work", move |data: FlowData| {
                let (log, rt) = (noted.clone(), rt.clone());
                async move {
                    let item: u64 = data.input()?;
                    sleep(&rt, (5 - item) * 10).await;
                    log.add(item);
                    Ok(item * 2)
                }
            }))
            .end_for_each()
            .to(store);
        let state = flow.async_start([1, 2, 3, 4]).await.unwrap();
        assert_eq!(state, json!({ "result": [2, 4, 6, 8] }));
        assert_eq!(log.all(), [4, 3, 2, 1]);
    });
}

#[test]
fn f019_for_each_concurrency() {
    run(|runtime| async move {
        let gauge = Gauge::default();
        let flow = flow(&runtime);
        flow.for_each(2)
            .to(worker(&runtime, &gauge, 15))
            .end_for_each()
            .to(store);
        let state = flow.async_start([0, 1, 2, 3, 4, 5]).await.unwrap();
        assert_eq!(state, json!({ "result": [0, 1, 2, 3, 4, 5] }));
        assert_eq!(gauge.most(), 2);
    });
}

#[test]
fn f020_for_each_nested() {
    run(|runtime| async move {
        let flow = flow(&runtime);
        flow.for_each(None)
            .to(pass)
            .for_each(None)
            .to(chunk("x10", |data: FlowData| async move {
                Ok(data.input::<i64>()? * 10)
            }))
            .end_for_each()
            .to(chunk("sum", |data: FlowData| async move {
                Ok(data.input::<Vec<i64>>()?.iter().sum::<i64>())
            }))
            .end_for_each()
            .to(store);
        let state = flow.async_start(json!([[1, 2], [3], []])).await.unwrap();
        assert_eq!(state, json!({ "result": [30, 30, 0] }));
    });
}

#[test]
fn for_each_takes_anything_else_as_one_item_and_an_empty_list_gives_an_empty_list() {
    run(|runtime| async move {
        let flow = flow(&runtime);
        flow.for_each(None).to(pass).end_for_each().to(store);
        for (input, wanted) in [
            (json!("text"), json!(["text"])),
            (json!({ "a": 1 }), json!([{ "a": 1 }])),
            (json!(null), json!([null])),
            (json!([]), json!([])),
        ] {
            let state = flow.async_start(input).await.unwrap();
            assert_eq!(state, json!({ "result": wanted }));
        }
    });
}

#[test]
fn f022_for_each_error() {
    run(|runtime| async move {
        struct OnDrop(Log, u64, bool);
        impl Drop for OnDrop {
            fn drop(&mut self) {
                if !self.2 {
                    self.0.add(("cancelled", self.1));
                }
            }
        }
        let log = Log::new();
        let flow = flow(&runtime);
        let (noted, rt) = (log.clone(), runtime.clone());
        flow.for_each(None)
            .to(chunk("work", move |data: FlowData| {
                let (log, rt) = (noted.clone(), rt.clone());
                async move {
                    let item: u64 = data.input()?;
                    if item == 2 {
                        sleep(&rt, 5).await;
                        return Err(ChunkError::msg("boom"));
                    }
                    let mut guard = OnDrop(log, item, false);
                    sleep(&rt, 50).await;
                    guard.2 = true;
                    Ok(item)
                }
            }))
            .end_for_each()
            .to(log.chunk("store"));
        let error = flow.async_start([1, 2, 3]).await.unwrap_err();
        assert_eq!(error.chunk(), Some("work"));
        assert_eq!(
            std::error::Error::source(&error).unwrap().to_string(),
            "boom"
        );
        let mut all = log.all();
        all.sort_by_key(ToString::to_string);
        assert_eq!(all, [json!(["cancelled", 1]), json!(["cancelled", 3])]);
    });
}

#[test]
fn f023_for_each_if() {
    run(|runtime| async move {
        let flow = flow(&runtime);
        flow.for_each(None)
            .if_condition(Condition::input(|item: i64| item > 2))
            .to(chunk("big", |_: FlowData| async { Ok("big") }))
            .else_condition()
            .to(chunk("small", |_: FlowData| async { Ok("small") }))
            .end_condition()
            .end_for_each()
            .to(store);
        let state = flow.async_start([1, 2, 3, 4]).await.unwrap();
        assert_eq!(state, json!({ "result": ["small", "small", "big", "big"] }));
    });
}

#[test]
fn f016_batch_same_handler_twice() {
    run(|runtime| async move {
        let flow = flow(&runtime);
        let one = Chunk::new(|_: FlowData| async { Ok(1) });
        flow.batch([("b", one.clone()), ("a", one)], None).to(store);
        let state = flow.async_start(()).await.unwrap();
        assert_eq!(
            state.to_string(),
            r#"{"result":{"b":1,"a":1}}"#,
            "in declaration order"
        );
    });
}

#[test]
fn f017_batch_error() {
    run(|runtime| async move {
        let log = Log::new();
        let flow = flow(&runtime);
        flow.batch(
            [
                Branch::from(("ok", worker(&runtime, &Gauge::default(), 50))),
                Branch::from(chunk("bad", |_: FlowData| async {
                    Err::<(), _>(ChunkError::msg("boom"))
                })),
            ],
            None,
        )
        .to(log.chunk("store"));
        let error = flow.async_start(()).await.unwrap_err();
        assert_eq!(error.chunk(), Some("bad"));
        assert_eq!(log.len(), 0);
    });
}

#[test]
fn f025_match_no_else() {
    run(|runtime| async move {
        let flow = flow(&runtime);
        flow.match_(Hits::First)
            .case(1)
            .to(chunk("one", |_: FlowData| async { Ok("one") }))
            .end_match()
            .to(store);
        assert_eq!(
            flow.async_start(1).await.unwrap(),
            json!({ "result": "one" })
        );
        assert_eq!(flow.async_start(2).await.unwrap(), json!({ "result": 2 }));
    });
}

#[test]
fn f026_match_hit_all() {
    run(|runtime| async move {
        let flow = flow(&runtime);
        let rt = runtime.clone();
        flow.match_(Hits::All)
            .case(Condition::input(|n: i64| n > 0))
            .to(chunk("pos", move |_: FlowData| {
                let rt = rt.clone();
                async move {
                    sleep(&rt, 20).await;
                    Ok("pos")
                }
            }))
            .case(Condition::input(|n: i64| n % 2 == 0))
            .to(chunk("even", |_: FlowData| async { Ok("even") }))
            .case(Condition::input(|n: i64| n > 100))
            .to(chunk("huge", |_: FlowData| async { Ok("huge") }))
            .case_else()
            .to(chunk("none", |_: FlowData| async { Ok("none") }))
            .end_match()
            .to(store);
        for (input, wanted) in [
            (4, json!(["pos", "even"])),
            (1, json!(["pos"])),
            (-3, json!("none")),
        ] {
            assert_eq!(
                flow.async_start(input).await.unwrap(),
                json!({ "result": wanted })
            );
        }
    });
}

#[test]
fn anonymous_conditions_are_each_their_own() {
    run(|runtime| async move {
        let log = Log::new();
        let flow = flow(&runtime);
        flow.if_condition(Condition::input(|n: i64| n >= 90))
            .to(log.chunk("A"))
            .elif_condition(Condition::input(|n: i64| n >= 80))
            .to(log.chunk("B"))
            .end_condition()
            .to(log.chunk("store"));
        flow.async_start(95).await.unwrap();
        assert_eq!(log.all(), [json!(["A", 95]), json!(["store", 95])]);
    });
}

#[test]
fn f027_conditions_may_be_async() {
    run(|runtime| async move {
        let flow = flow(&runtime);
        let rt = runtime.clone();
        flow.if_condition(condition("slow", move |data: FlowData| {
            let rt = rt.clone();
            async move {
                sleep(&rt, 5).await;
                Ok(data.input::<bool>()?)
            }
        }))
        .to(chunk("T", |_: FlowData| async { Ok("T") }))
        .else_condition()
        .to(chunk("F", |_: FlowData| async { Ok("F") }))
        .end_condition()
        .to(store);
        assert_eq!(
            flow.async_start(true).await.unwrap(),
            json!({ "result": "T" })
        );
        assert_eq!(
            flow.async_start(false).await.unwrap(),
            json!({ "result": "F" })
        );
        let error = flow.async_start("x").await.unwrap_err();
        assert_eq!(
            error.kind(),
            ErrorKind::Type,
            "a condition that fails is an error"
        );
    });
}

#[test]
fn f076_side_branch() {
    run(|runtime| async move {
        let log = Log::new();
        let flow = flow(&runtime);
        let (noted, rt) = (log.clone(), runtime.clone());
        flow.to(chunk("a", |_: FlowData| async { Ok("A") }))
            .side_branch(chunk("side", move |data: FlowData| {
                let (log, rt) = (noted.clone(), rt.clone());
                async move {
                    sleep(&rt, 20).await;
                    log.add(("side", data.value()));
                    Ok("lost")
                }
            }))
            .to(log.chunk("b"));
        flow.async_start(()).await.unwrap();
        assert_eq!(log.all(), [json!(["b", "A"]), json!(["side", "A"])]);
    });
}

#[test]
fn f077_collect() {
    run(|runtime| async move {
        let log = Log::new();
        let flow = flow(&runtime);
        let rt = runtime.clone();
        flow.to(chunk("a", |_: FlowData| async { Ok("va") }))
            .collect("c", "x");
        flow.to(chunk("b", move |_: FlowData| {
            let rt = rt.clone();
            async move {
                sleep(&rt, 20).await;
                Ok("vb")
            }
        }))
        .collect("c", "y")
        .to(log.chunk("done"));
        flow.when(agently_flow::Trigger::collect("c"))
            .to(log.chunk("when"));
        flow.async_start(()).await.unwrap();
        let mut all = log.all();
        all.sort_by_key(ToString::to_string);
        let both = json!({ "x": "va", "y": "vb" });
        assert_eq!(all, [json!(["done", both]), json!(["when", both])]);
    });
}

#[test]
fn execution_concurrency_bounds_for_each_batch_and_emits() {
    run(|runtime| async move {
        let gauge = Gauge::default();
        let flow = flow(&runtime);
        flow.for_each(None)
            .to(worker(&runtime, &gauge, 10))
            .end_for_each()
            .batch(
                [
                    ("a", worker(&runtime, &gauge, 10)),
                    ("b", worker(&runtime, &gauge, 10)),
                    ("c", worker(&runtime, &gauge, 10)),
                ],
                None,
            )
            .to(chunk("emit", |data: FlowData| async move {
                for number in 0..5 {
                    data.emit_nowait("E", number)?;
                }
                Ok(())
            }));
        flow.when("E").to(worker(&runtime, &gauge, 10));
        let execution = flow
            .create_execution(ExecutionOptions::new().concurrency(2))
            .unwrap();
        execution.async_start([1, 2, 3, 4, 5, 6]).await.unwrap();
        assert_eq!(gauge.most(), 2);
        assert_eq!(execution.result().counts.most_running, 2);
    });
}

#[test]
fn a_cap_of_1_never_deadlocks_on_awaited_emits() {
    run(|runtime| async move {
        let flow = flow(&runtime);
        flow.to(chunk("a", |data: FlowData| async move {
            let (left, right) =
                futures_util::future::join(data.async_emit("E", 1), data.async_emit("E", 2)).await;
            left.and(right)?;
            data.async_emit("F", 3).await?;
            Ok("done")
        }))
        .to(store);
        flow.when("E").to(chunk("e", |data: FlowData| async move {
            Ok(data.async_emit("F", data.value()).await?)
        }));
        flow.when("F").to(worker(&runtime, &Gauge::default(), 1));
        let execution = flow
            .create_execution(ExecutionOptions::new().concurrency(1))
            .unwrap();
        assert_eq!(
            execution.async_start(()).await.unwrap(),
            json!({ "result": "done" })
        );
    });
}

#[test]
fn a_chunk_has_a_timeout() {
    run(|runtime| async move {
        let flow = flow(&runtime);
        let slow = worker(&runtime, &Gauge::default(), 100);
        flow.to(slow.named("slow").timeout(Duration::from_millis(10)));
        let error = flow.async_start(1).await.unwrap_err();
        assert_eq!(
            (error.kind(), error.chunk()),
            (ErrorKind::Timeout, Some("slow"))
        );
    });
}

#[test]
fn a_chunk_is_retried_and_its_effects_inside_the_execution_happen_once() {
    run(|runtime| async move {
        let log = Log::new();
        let flow = flow(&runtime);
        let noted = log.clone();
        flow.to(chunk("flaky", move |data: FlowData| {
            let log = noted.clone();
            async move {
                log.add(data.attempt());
                data.async_append_state("list", 1).await?;
                data.async_emit("E", 1).await?;
                if data.attempt() < 3 {
                    return Err(ChunkError::msg("not yet"));
                }
                Ok("at last")
            }
        })
        .retry(RetryPolicy::new(3)))
            .to(store);
        flow.when("E").to(log.chunk("e"));
        let began = runtime.now();
        let state = flow.async_start(()).await.unwrap();
        assert_eq!(state, json!({ "list": [1], "result": "at last" }));
        assert_eq!(log.all(), [json!(1), json!(["e", 1]), json!(2), json!(3)]);
        assert_eq!(runtime.now() - began, Duration::from_millis(300));
    });
}

#[test]
fn a_retried_step_that_does_something_else_is_an_error() {
    run(|runtime| async move {
        let flow = flow(&runtime);
        flow.to(chunk("fickle", |data: FlowData| async move {
            data.async_set_state("x", data.attempt()).await?;
            Err::<(), _>(ChunkError::msg("again"))
        })
        .retry(RetryPolicy::new(5)));
        let error = flow.async_start(()).await.unwrap_err();
        assert_eq!(
            (error.kind(), error.chunk()),
            (ErrorKind::StepDiverged, Some("fickle"))
        );
        let source = std::error::Error::source(&error).unwrap().to_string();
        assert!(
            source.contains("its effect number 1 was another one than a write to the state at `x`"),
            "{source}"
        );
    });
}

#[test]
fn a_panic_in_a_chunk_is_an_error_with_the_chunks_name() {
    run(|runtime| async move {
        let flow = flow(&runtime);
        flow.to(chunk("wild", |data: FlowData| async move {
            assert!(data.value().is_null(), "went wrong");
            Ok(Value::Null)
        }));
        let error = flow.async_start(1).await.unwrap_err();
        assert_eq!(
            (error.kind(), error.chunk()),
            (ErrorKind::Panic, Some("wild"))
        );
        assert_eq!(error.to_string(), "chunk `wild` panicked: went wrong");
    });
}

#[test]
fn an_open_block_refuses_to_start_and_is_named() {
    run(|runtime| async move {
        let flow = flow(&runtime);
        let _open = flow.for_each(2).to(pass);
        let error = flow.async_start(1).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Definition);
        assert!(
            error
                .to_string()
                .contains("the `for_each` at #1 is still open; close it with `end_for_each()`"),
            "{error}"
        );
    });
}
