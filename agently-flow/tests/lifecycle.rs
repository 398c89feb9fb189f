//! FLOW.md, "Lifecycle".

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
    chunk, ChunkError, CloseOptions, ErrorKind, ExecutionOptions, FailurePolicy, FlowData,
    Lifecycle, Status,
};
use futures_util::future::join;
use serde_json::json;
use support::{flow, run, sleep, store, Log};

#[test]
fn f059_sealed_chain_continues() {
    run(|runtime| async move {
        let log = Log::new();
        let flow = flow(&runtime);
        let rt = runtime.clone();
        flow.to(chunk("a", move |_: FlowData| {
            let rt = rt.clone();
            async move {
                sleep(&rt, 50).await;
                Ok(1)
            }
        }))
        .to(log.chunk("b"))
        .to(log.chunk("c"));
        let execution = flow.async_start_execution(()).await.unwrap();
        sleep(&runtime, 10).await;
        execution.async_seal().await.unwrap();
        sleep(&runtime, 100).await;
        assert_eq!(log.all(), [json!(["b", 1]), json!(["c", 1])]);
        assert_eq!(execution.lifecycle(), Lifecycle::Sealed);
    });
}

#[test]
fn f057_seal_refuses_outside_input_and_lets_the_inside_run() {
    run(|runtime| async move {
        let log = Log::new();
        let flow = flow(&runtime);
        let rt = runtime.clone();
        flow.to(chunk("slow", move |data: FlowData| {
            let rt = rt.clone();
            async move {
                sleep(&rt, 80).await;
                Ok(data.async_emit("Inner", 1).await?)
            }
        }));
        flow.when("Inner").to(log.chunk("i"));
        flow.when("Ext").to(log.chunk("e"));
        let execution = flow.async_start_execution(()).await.unwrap();
        sleep(&runtime, 20).await;
        execution.async_seal().await.unwrap();
        let error = execution.async_emit("Ext", 1).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Sealed);
        sleep(&runtime, 100).await;
        execution.async_unseal().await.unwrap();
        execution.async_emit("Ext", 2).await.unwrap();
        let closed = execution.async_close().await.unwrap();
        assert_eq!(closed.status, Status::Completed);
        assert_eq!(log.all(), [json!(["i", 1]), json!(["e", 2])]);
    });
}

#[test]
fn f058_close_drains_what_running_chunks_still_emit() {
    run(|runtime| async move {
        let log = Log::new();
        let flow = flow(&runtime);
        let rt = runtime.clone();
        flow.to(chunk("slow", move |data: FlowData| {
            let rt = rt.clone();
            async move {
                sleep(&rt, 80).await;
                data.async_emit("Inner", 1).await?;
                Ok("x")
            }
        }))
        .to(log.chunk("next"));
        flow.when("Inner").to(log.chunk("inner"));
        let execution = flow.async_start_execution(()).await.unwrap();
        execution.async_close().await.unwrap();
        assert_eq!(log.all(), [json!(["inner", 1]), json!(["next", "x"])]);
    });
}

#[test]
fn past_the_deadline_running_handlers_are_cancelled_and_the_outcome_says_so() {
    run(|runtime| async move {
        let flow = flow(&runtime);
        let rt = runtime.clone();
        flow.to(chunk("slow", move |_: FlowData| {
            let rt = rt.clone();
            async move {
                sleep(&rt, 1000).await;
                Ok(())
            }
        }));
        let execution = flow.async_start_execution(()).await.unwrap();
        let options = CloseOptions::new().deadline(Duration::from_millis(10));
        let closed = execution.async_close_with(options).await.unwrap();
        assert_eq!((closed.status, closed.cancelled), (Status::Cancelled, 1));
    });
}

#[test]
fn f054_auto_close_counts_from_the_last_activity() {
    run(|runtime| async move {
        let log = Log::new();
        let flow = flow(&runtime);
        flow.when("Ping").to(log.chunk("p"));
        let options = ExecutionOptions::new().auto_close_timeout(Duration::from_millis(250));
        let execution = flow.create_execution(options).unwrap();
        let began = runtime.now();
        let ping = async {
            sleep(&runtime, 100).await;
            execution.async_emit("Ping", 1).await.unwrap();
        };
        let (started, ()) = join(execution.async_start(()), ping).await;
        started.unwrap();
        assert_eq!(runtime.now() - began, Duration::from_millis(350));
        let error = execution.async_emit("Ping", 2).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Closed);
    });
}

#[test]
fn f056_auto_close_zero_with_nowait() {
    run(|runtime| async move {
        let flow = flow(&runtime);
        let rt = runtime.clone();
        flow.to(chunk("a", |data: FlowData| async move {
            Ok(data.emit_nowait("Loop", 0)?)
        }));
        flow.when("Loop").to(chunk("step", move |data: FlowData| {
            let rt = rt.clone();
            async move {
                let number: i64 = data.input()?;
                sleep(&rt, 20).await;
                if number < 5 {
                    data.emit_nowait("Loop", number + 1)?;
                }
                data.async_append_state("seen", number).await?;
                Ok(())
            }
        }));
        let mut seen: Vec<i64> =
            serde_json::from_value(flow.async_start(()).await.unwrap()["seen"].clone()).unwrap();
        seen.sort_unstable();
        assert_eq!(seen, [0, 1, 2, 3, 4, 5]);
    });
}

#[test]
fn f063_an_error_of_a_nowait_handler_comes_out_of_close_once() {
    run(|runtime| async move {
        let flow = flow(&runtime);
        let rt = runtime.clone();
        flow.when("E").to(chunk("bad", move |_: FlowData| {
            let rt = rt.clone();
            async move {
                sleep(&rt, 10).await;
                Err::<(), _>(ChunkError::msg("late"))
            }
        }));
        let execution = flow.async_start_execution(()).await.unwrap();
        execution.emit_nowait("E", 1).unwrap();
        let (one, two) = join(execution.async_close(), execution.async_close()).await;
        assert_eq!(one.unwrap_err().chunk(), Some("bad"));
        assert_eq!(
            two.unwrap_err().chunk(),
            Some("bad"),
            "concurrent closers get one outcome"
        );
        assert_eq!(
            execution.async_close().await.unwrap().status,
            Status::Failed
        );
    });
}

#[test]
fn f064_continue_policy_ends_the_branch_and_the_others_go_on() {
    run(|runtime| async move {
        let log = Log::new();
        let flow = flow(&runtime);
        flow.to(chunk("bad", |_: FlowData| async {
            Err::<(), _>(ChunkError::msg("boom"))
        }))
        .to(log.chunk("c"));
        flow.to(chunk("ok", |data: FlowData| async move {
            Ok(data.value().clone())
        }))
        .to(log.chunk("d"));
        let options = ExecutionOptions::new().failure_policy(FailurePolicy::Continue);
        let execution = flow.create_execution(options).unwrap();
        execution.async_start(1).await.unwrap();
        execution.async_close().await.unwrap();
        assert_eq!(log.all(), [json!(["d", 1])]);
        let errors = execution.result().errors;
        assert_eq!(errors.len(), 1);
        assert_eq!(errors[0].chunk(), Some("bad"));
    });
}

#[test]
fn f082_start_variants() {
    run(|runtime| async move {
        let flow = flow(&runtime);
        flow.to(store);
        let execution = flow.create_execution(ExecutionOptions::new()).unwrap();
        let error = execution.async_emit("E", 1).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotStarted);
        execution.async_start(1).await.unwrap();
        let error = execution.async_start(2).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::AlreadyStarted);
        assert_eq!(execution.lifecycle(), Lifecycle::Open);
        execution.async_close().await.unwrap();
        let error = execution.async_emit("E", 1).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Closed);
        let never = flow.create_execution(ExecutionOptions::new()).unwrap();
        assert_eq!(never.async_close().await.unwrap().snapshot, json!({}));
        let error = never.async_start(1).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Closed);
    });
}

#[test]
fn dropping_the_future_of_async_start_cancels_what_runs() {
    run(|runtime| async move {
        let log = Log::new();
        let flow = flow(&runtime);
        let (noted, rt) = (log.clone(), runtime.clone());
        flow.to(chunk("slow", move |_: FlowData| {
            let (log, rt) = (noted.clone(), rt.clone());
            async move {
                sleep(&rt, 50).await;
                log.add("ran on");
                Ok(())
            }
        }));
        let limit = Duration::from_millis(10);
        assert!(runtime.timeout(limit, flow.async_start(())).await.is_err());
        let execution = flow.create_execution(ExecutionOptions::new()).unwrap();
        assert!(runtime
            .timeout(limit, execution.async_start(()))
            .await
            .is_err());
        sleep(&runtime, 100).await;
        assert_eq!(log.len(), 0);
        assert_eq!(execution.status(), Status::Cancelled);
    });
}

#[test]
fn a_flow_without_a_runtime_says_how_to_get_one() {
    run(|_| async move {
        let flow = agently_flow::TriggerFlow::new("lone");
        let error = flow.async_start(()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NoRuntime);
        assert!(error.to_string().contains("with_runtime"), "{error}");
    });
}

#[test]
fn the_value_of_the_result_is_that_of_the_last_stage_or_the_one_that_was_set() {
    run(|runtime| async move {
        let plain = flow(&runtime);
        plain.to(chunk("last", |_: FlowData| async { Ok("last value") }));
        let execution = plain.create_execution(ExecutionOptions::new()).unwrap();
        execution.async_start(()).await.unwrap();
        assert_eq!(execution.result().value, "last value");

        let set = flow(&runtime);
        set.to(chunk("set", |data: FlowData| async move {
            data.set_result("set value")?;
            Ok("last value")
        }));
        let execution = set.create_execution(ExecutionOptions::new()).unwrap();
        execution.async_start(()).await.unwrap();
        assert_eq!(execution.result().value, "set value");
    });
}

#[test]
fn dropping_the_last_handle_cancels_and_a_detached_execution_runs_on() {
    run(|runtime| async move {
        let log = Log::new();
        let flow = flow(&runtime);
        let (noted, rt) = (log.clone(), runtime.clone());
        flow.to(chunk("slow", move |data: FlowData| {
            let (log, rt) = (noted.clone(), rt.clone());
            async move {
                sleep(&rt, 50).await;
                log.add(data.value());
                Ok(())
            }
        }));
        let dropped = flow.async_start_execution("dropped").await.unwrap();
        let detached = flow.async_start_execution("detached").await.unwrap();
        sleep(&runtime, 10).await;
        drop(dropped);
        detached.detach();
        sleep(&runtime, 100).await;
        assert_eq!(log.all(), ["detached"]);
    });
}

#[test]
fn a_contract_is_checked_at_the_boundary() {
    run(|runtime| async move {
        let flow = flow(&runtime);
        flow.set_contract(
            agently_flow::Contract::new()
                .input::<i64>()
                .stream_item::<String>()
                .result::<Vec<i64>>(),
        );
        flow.to(chunk("s", |data: FlowData| async move {
            let error = data.async_put_into_stream(1).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Contract);
            data.async_put_into_stream("text").await?;
            Ok(vec![data.input::<i64>()?; 2])
        }))
        .if_condition(agently_flow::Condition::input(|list: Vec<i64>| {
            list[0] == 0
        }))
        .to(|_: FlowData| async { Ok("no list") })
        .end_condition();
        flow.async_start(1).await.unwrap();
        for (input, message) in [
            (json!("x"), "the input breaks the flow's contract"),
            (json!(0), "the result breaks the flow's contract"),
        ] {
            let error = flow.async_start(input).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Contract);
            assert_eq!(error.to_string(), message);
        }
    });
}

#[test]
fn a_chunk_that_keeps_its_data_cannot_use_it_after_its_end() {
    run(|runtime| async move {
        let kept = std::sync::Arc::new(std::sync::Mutex::new(None));
        let flow = flow(&runtime);
        let place = kept.clone();
        flow.to(chunk("keeper", move |data: FlowData| {
            *place.lock().unwrap() = Some(data);
            async { Ok(()) }
        }));
        let execution = flow.create_execution(ExecutionOptions::new()).unwrap();
        execution.async_start(()).await.unwrap();
        let data = kept.lock().unwrap().take().unwrap();
        let error = data.async_set_state("x", 1).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::StepEnded);
        assert_eq!(execution.result().state, json!({}));
    });
}
