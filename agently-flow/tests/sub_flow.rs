//! FLOW.md, "Operators": sub-flows.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

mod support;

use agently_flow::{
    chunk, Capture, ChunkError, ErrorKind, ExecutionOptions, FlowData, Pause, Snapshot, Status,
    TriggerFlow, WriteBack,
};
use futures_util::StreamExt;
use serde_json::{json, Value};
use support::{flow, run, sleep, store, Log};

#[test]
fn f047_sub_flow_plain() {
    run(|runtime| async move {
        let log = Log::new();
        let child = TriggerFlow::new("child");
        child.to(chunk("c1", |data: FlowData| async move {
            let text = format!("{}!", data.input::<String>()?);
            data.async_set_state("child_k", &text).await?;
            Ok("ignored")
        }));
        let flow = flow(&runtime);
        flow.to(chunk("prep", |_: FlowData| async { Ok("hello") }))
            .to_sub_flow(&child, Capture::new(), WriteBack::new())
            .to(log.chunk("consume"));
        flow.async_start(()).await.unwrap();
        assert_eq!(log.all(), [json!(["consume", { "child_k": "hello!" }])]);
    });
}

#[test]
fn f048_capture_and_write_back() {
    run(|runtime| async move {
        let log = Log::new();
        let child = TriggerFlow::new("child");
        child.to(chunk("c1", |data: FlowData| async move {
            let language: Option<String> = data.get_state("language")?;
            data.async_set_state("found.n", 1).await?;
            Ok(json!({ "input": data.value(), "language": language }))
        }));
        let flow = flow(&runtime);
        flow.to(chunk("prep", |data: FlowData| async move {
            data.async_set_state("settings.language", "fr").await?;
            Ok(json!({ "question": "why" }))
        }))
        .to_sub_flow(
            &child,
            Capture::new()
                .take("input", "input.question")
                .take("state.language", "state.settings.language"),
            WriteBack::new()
                .put("value", "result")
                .put("state.copied", "snapshot.found.n"),
        )
        .to(log.chunk("consume"));
        let state = flow.async_start(()).await.unwrap();
        assert_eq!(
            state,
            json!({ "settings": { "language": "fr" }, "copied": 1 })
        );
        assert_eq!(
            log.all(),
            [json!(["consume", { "input": "why", "language": "fr" }])]
        );
    });
}

#[test]
fn f050_the_childs_stream_items_appear_in_the_parents_stream() {
    run(|runtime| async move {
        let child = TriggerFlow::new("child");
        child.to(chunk("c", |data: FlowData| async move {
            Ok(data.async_put_into_stream("child").await?)
        }));
        let flow = flow(&runtime);
        flow.to(chunk("p", |data: FlowData| async move {
            Ok(data.async_put_into_stream("parent").await?)
        }))
        .to_sub_flow(&child, Capture::new(), WriteBack::new());
        let items: Vec<_> = flow
            .get_async_runtime_stream(())
            .map(|i| i.unwrap())
            .collect()
            .await;
        assert_eq!(items, ["parent", "child"]);
    });
}

#[test]
fn f049_the_childs_interrupts_are_the_parents_and_survive_a_load() {
    run(|runtime| async move {
        let child = TriggerFlow::new("child");
        child
            .to(chunk("ask", |_: FlowData| async {
                Err::<Value, _>(Pause::new("ask").id("i1").into())
            }))
            .to(chunk("keep", |data: FlowData| async move {
                Ok(data.async_set_state("answer", data.value()).await?)
            }));
        let flow = flow(&runtime);
        flow.for_each(1)
            .to_sub_flow(&child, Capture::new(), WriteBack::new())
            .end_for_each()
            .to(store);
        let execution = flow.create_execution(ExecutionOptions::new()).unwrap();
        execution.async_start([7]).await.unwrap();
        assert_eq!(execution.status(), Status::Waiting);
        assert_eq!(execution.sub_flows().len(), 1);
        let text = execution.save().unwrap().to_json();
        execution.cancel();
        let snapshot = Snapshot::from_json(&text).unwrap();
        let execution = flow.load(&snapshot, ExecutionOptions::new()).unwrap();
        execution.continue_with("i1", 42, None).unwrap();
        let closed = execution.async_close().await.unwrap();
        assert_eq!(closed.snapshot, json!({ "result": [{ "answer": 42 }] }));
    });
}

#[test]
fn an_error_of_the_child_fails_its_stage() {
    run(|runtime| async move {
        let log = Log::new();
        let child = TriggerFlow::new("child");
        child.to(chunk("bad", |_: FlowData| async {
            Err::<(), _>(ChunkError::msg("boom"))
        }));
        let flow = flow(&runtime);
        flow.to(chunk("a", |data: FlowData| async move {
            match data.async_emit("E", 1).await {
                Err(error) => Ok(error.chunk().map(str::to_owned)),
                Ok(()) => Ok(None),
            }
        }))
        .to(store);
        flow.when("E")
            .to_sub_flow(&child, Capture::new(), WriteBack::new())
            .to(log.chunk("never"));
        let state = flow.async_start(()).await.unwrap();
        assert_eq!(state, json!({ "result": "bad" }));
        assert_eq!(log.len(), 0);
    });
}

#[test]
fn a_running_child_can_be_listed_signalled_and_cancelled() {
    run(|runtime| async move {
        let log = Log::new();
        let child = TriggerFlow::new("child");
        let rt = runtime.clone();
        child.to(chunk("slow", move |_: FlowData| {
            let rt = rt.clone();
            async move {
                sleep(&rt, 100).await;
                Ok(())
            }
        }));
        child.when("Ping").to(log.chunk("ping"));
        let flow = flow(&runtime);
        flow.to_sub_flow(&child, Capture::new(), WriteBack::new());
        let execution = flow.async_start_execution(()).await.unwrap();
        sleep(&runtime, 10).await;
        let running = execution.sub_flows();
        assert_eq!(running.len(), 1);
        assert_eq!(running[0].1, "child");
        let id = running[0].0;
        execution.emit_to_sub_flow(id, "Ping", 1).unwrap();
        sleep(&runtime, 10).await;
        assert_eq!(log.all(), [json!(["ping", 1])]);
        execution.cancel_sub_flow(id).unwrap();
        let error = execution.async_close().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Cancelled);
        let error = execution.cancel_sub_flow(id).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::UnknownSubFlow);
    });
}

#[test]
fn a_flow_that_contains_itself_is_refused() {
    run(|runtime| async move {
        let flow = flow(&runtime);
        flow.to_sub_flow(&flow, Capture::new(), WriteBack::new());
        let error = flow.async_start(()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Definition);
        assert!(error.to_string().contains("contains itself"), "{error}");
    });
}
