//! FLOW.md, "Pause, resume, save, load": pauses.

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
    chunk, Branch, Chunk, CloseOptions, ErrorKind, ExecutionOptions, FlowData, Pause, ResumeTo,
    Status,
};
use futures_util::future::join;
use serde_json::{json, Value};
use support::{flow, run, sleep, store, Log};

/// Pauses with this id.
fn ask(id: &'static str, resume_to: ResumeTo) -> Chunk {
    chunk(id, move |_: FlowData| {
        let pause = Pause::new("human_input")
            .id(id)
            .resume_to(resume_to.clone());
        async move { Err::<Value, _>(pause.into()) }
    })
}

#[test]
fn f029_pause_next() {
    run(|runtime| async move {
        let log = Log::new();
        let flow = flow(&runtime);
        flow.to(chunk("ask", |data: FlowData| async move {
            data.pause_for("human_input", json!({ "q": 1 }), ResumeTo::Next)
        }))
        .to(log.chunk("commit"));
        let execution = flow.create_execution(ExecutionOptions::new()).unwrap();
        execution.async_start(()).await.unwrap();
        assert_eq!(execution.status(), Status::Waiting);
        let pending = execution.pending_interrupts();
        assert_eq!(pending.len(), 1);
        assert_eq!(
            (pending[0].kind.as_str(), &pending[0].payload),
            ("human_input", &json!({ "q": 1 }))
        );
        execution
            .continue_with(&pending[0].id, json!({ "ok": true }), None)
            .unwrap();
        let closed = execution.async_close().await.unwrap();
        assert_eq!(closed.status, Status::Completed);
        assert_eq!(log.all(), [json!(["commit", { "ok": true }])]);
    });
}

fn gate(log: &Log) -> Chunk {
    let log = log.clone();
    chunk("gate", move |data: FlowData| {
        log.add(json!(["gate", data.value(), data.resume()]));
        async move {
            match data.resume() {
                Some(answer) => Ok(json!({ "decision": answer })),
                None => Err(Pause::new("gate")
                    .id("g1")
                    .resume_to(ResumeTo::Itself)
                    .into()),
            }
        }
    })
}

#[test]
fn f030_pause_self() {
    run(|runtime| async move {
        let log = Log::new();
        let flow = flow(&runtime);
        flow.to(gate(&log)).to(log.chunk("after"));
        let execution = flow.create_execution(ExecutionOptions::new()).unwrap();
        execution.async_start("orig").await.unwrap();
        execution.continue_with("g1", "yes", None).unwrap();
        execution.async_close().await.unwrap();
        assert_eq!(
            log.all(),
            [
                json!(["gate", "orig", null]),
                json!(["gate", "orig", "yes"]),
                json!(["after", { "decision": "yes" }]),
            ]
        );
    });
}

#[test]
fn f031_pause_event() {
    run(|runtime| async move {
        let log = Log::new();
        let flow = flow(&runtime);
        flow.to(ask("i1", ResumeTo::Event("Approved".into())))
            .to(log.chunk("next1"));
        flow.when("Approved").to(log.chunk("onapp"));
        let execution = flow.create_execution(ExecutionOptions::new()).unwrap();
        execution.async_start(()).await.unwrap();
        execution
            .continue_with("i1", json!({ "v": 1 }), None)
            .unwrap();
        execution.async_close().await.unwrap();
        assert_eq!(log.all(), [json!(["onapp", { "v": 1 }])]);
    });
}

#[test]
fn f034_pause_self_limit() {
    run(|runtime| async move {
        let log = Log::new();
        let flow = flow(&runtime);
        let noted = log.clone();
        flow.to(chunk("gate", move |data: FlowData| {
            noted.add(data.resume().is_some());
            let id = if data.resume().is_some() { "g1" } else { "g0" };
            async move {
                Err::<Value, _>(Pause::new("gate").id(id).resume_to(ResumeTo::Itself).into())
            }
        }));
        let execution = flow.create_execution(ExecutionOptions::new()).unwrap();
        execution.async_start(()).await.unwrap();
        execution.continue_with("g0", 1, None).unwrap();
        let error = execution.async_close().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::MaxResumes);
        assert_eq!(log.all(), [json!(false), json!(true)]);
    });
}

#[test]
fn f035_pause_in_hidden_start_fails_at_once_and_says_which_entry_to_use() {
    run(|runtime| async move {
        let flow = flow(&runtime);
        let rt = runtime.clone();
        flow.to(ask("i1", ResumeTo::Next));
        flow.to(chunk("slow", move |_: FlowData| {
            let rt = rt.clone();
            async move {
                sleep(&rt, 1000).await;
                Ok(())
            }
        }));
        let began = runtime.now();
        let error = flow.async_start(()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::PauseInHiddenStart);
        assert!(error.to_string().contains("`start_execution`"), "{error}");
        assert_eq!(runtime.now(), began);
    });
}

#[test]
fn f036_close_refuses_pending_interrupts_naming_them_and_cancel_abandons_them() {
    run(|runtime| async move {
        let flow = flow(&runtime);
        flow.to(ask("i1", ResumeTo::Next));
        let execution = flow.async_start_execution(()).await.unwrap();
        let error = execution.async_close().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::PendingInterrupts);
        assert!(error.to_string().contains("`i1` (chunk `i1`)"), "{error}");
        let closed = execution
            .async_close_with(CloseOptions::new().cancel_interrupts())
            .await
            .unwrap();
        assert_eq!(closed.status, Status::Cancelled);
    });
}

#[test]
fn f037_continue_errors() {
    run(|runtime| async move {
        let log = Log::new();
        let flow = flow(&runtime);
        flow.to(ask("i1", ResumeTo::Next)).to(log.chunk("commit"));
        let execution = flow.create_execution(ExecutionOptions::new()).unwrap();
        execution.async_start(()).await.unwrap();
        let error = execution.continue_with("unknown", 1, None).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::UnknownInterrupt);
        assert!(error.to_string().contains("pending are: `i1`"), "{error}");
        execution.continue_with("i1", 1, None).unwrap();
        let error = execution.continue_with("i1", 1, None).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InterruptResolved);
        execution.async_close().await.unwrap();
        let error = execution.continue_with("i2", 1, None).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Closed);
        assert_eq!(log.all(), [json!(["commit", 1])]);
    });
}

#[test]
fn f038_resume_request_id() {
    run(|runtime| async move {
        let log = Log::new();
        let flow = flow(&runtime);
        flow.to(ask("i1", ResumeTo::Next)).to(log.chunk("commit"));
        let execution = flow.create_execution(ExecutionOptions::new()).unwrap();
        execution.async_start(()).await.unwrap();
        let first = execution
            .continue_with("i1", json!({ "v": 1 }), "w1")
            .unwrap();
        let again = execution
            .continue_with("i1", json!({ "v": 1 }), "w1")
            .unwrap();
        assert_eq!((first.sequence, again.repeated), (again.sequence, true));
        let error = execution
            .continue_with("i1", json!({ "v": 2 }), "w1")
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ResumeConflict);
        execution.async_close().await.unwrap();
        assert_eq!(log.all(), [json!(["commit", { "v": 1 }])]);
    });
}

#[test]
fn f039_two_pauses() {
    run(|runtime| async move {
        let log = Log::new();
        let flow = flow(&runtime);
        flow.to(ask("i1", ResumeTo::Next)).to(log.chunk("c1"));
        flow.to(ask("i2", ResumeTo::Next)).to(log.chunk("c2"));
        let execution = flow.create_execution(ExecutionOptions::new()).unwrap();
        execution.async_start(()).await.unwrap();
        assert_eq!(execution.pending_interrupts().len(), 2);
        execution.continue_with("i2", 2, None).unwrap();
        sleep(&runtime, 1).await;
        execution.continue_with("i1", 1, None).unwrap();
        execution.async_close().await.unwrap();
        assert_eq!(log.all(), [json!(["c2", 2]), json!(["c1", 1])]);
    });
}

#[test]
fn f040_other_branches_go_on_while_one_pauses() {
    run(|runtime| async move {
        let log = Log::new();
        let flow = flow(&runtime);
        let rt = runtime.clone();
        flow.to(ask("i1", ResumeTo::Next)).to(log.chunk("c1"));
        flow.to(chunk("b1", move |_: FlowData| {
            let rt = rt.clone();
            async move {
                sleep(&rt, 30).await;
                Ok("b1")
            }
        }))
        .to(log.chunk("b2"));
        let execution = flow.async_start_execution(()).await.unwrap();
        sleep(&runtime, 100).await;
        assert_eq!(log.all(), [json!(["b2", "b1"])]);
        execution.continue_with("i1", 1, None).unwrap();
        execution.async_close().await.unwrap();
        assert_eq!(log.len(), 2);
    });
}

#[test]
fn f041_pause_in_for_each() {
    for cap in [None, Some(1), Some(2)] {
        run(|runtime| async move {
            let flow = flow(&runtime);
            flow.for_each(cap)
                .to(chunk("ask", |data: FlowData| async move {
                    match data.input::<i64>()? {
                        3 => Ok(json!(3)),
                        item => Err(Pause::new("ask").id(format!("i{item}")).into()),
                    }
                }))
                .to(chunk("x2", |data: FlowData| async move {
                    Ok(data.input::<i64>()? * 2)
                }))
                .end_for_each()
                .to(store);
            let execution = flow.create_execution(ExecutionOptions::new()).unwrap();
            execution.async_start([1, 2, 3]).await.unwrap();
            assert_eq!(execution.pending_interrupts().len(), 2);
            execution.continue_with("i2", 20, None).unwrap();
            execution.continue_with("i1", 10, None).unwrap();
            let closed = execution.async_close().await.unwrap();
            assert_eq!(closed.snapshot, json!({ "result": [20, 40, 6] }));
        });
    }
}

#[test]
fn f099_pause_in_batch() {
    run(|runtime| async move {
        let flow = flow(&runtime);
        let rt = runtime.clone();
        let work = chunk("work", move |_: FlowData| {
            let rt = rt.clone();
            async move {
                sleep(&rt, 30).await;
                Ok("worked")
            }
        });
        flow.batch(
            [
                Branch::from(("ask", ask("i1", ResumeTo::Next))),
                work.into(),
            ],
            None,
        )
        .to(store);
        let execution = flow.async_start_execution(()).await.unwrap();
        sleep(&runtime, 80).await;
        execution.continue_with("i1", "answer", None).unwrap();
        let closed = execution.async_close().await.unwrap();
        assert_eq!(
            closed.snapshot,
            json!({ "result": { "ask": "answer", "work": "worked" } })
        );
    });
}

#[test]
fn a_branch_that_pauses_counts_as_settled_for_an_awaited_emit() {
    run(|runtime| async move {
        let log = Log::new();
        let flow = flow(&runtime);
        flow.to(chunk("a", |data: FlowData| async move {
            data.async_emit("E", [1, 2]).await?;
            Ok("emitted")
        }))
        .to(log.chunk("b"));
        flow.when("E")
            .for_each(None)
            .to(chunk("ask", |data: FlowData| async move {
                Err::<Value, _>(Pause::new("ask").id(format!("i{}", data.value())).into())
            }))
            .end_for_each()
            .to(log.chunk("after"));
        let execution = flow.create_execution(ExecutionOptions::new()).unwrap();
        execution.async_start(()).await.unwrap();
        assert_eq!(log.all(), [json!(["b", "emitted"])]);
        execution.continue_with("i1", "x", None).unwrap();
        execution.continue_with("i2", "y", None).unwrap();
        execution.async_close().await.unwrap();
        assert_eq!(log.all()[1..], [json!(["after", ["x", "y"]])]);
    });
}

#[test]
fn f055_auto_close_stands_still_while_an_interrupt_is_pending() {
    run(|runtime| async move {
        let flow = flow(&runtime);
        flow.to(ask("i1", ResumeTo::Next)).to(store);
        let options = ExecutionOptions::new().auto_close_timeout(Duration::from_millis(100));
        let execution = flow.create_execution(options).unwrap();
        let began = runtime.now();
        let resume = async {
            sleep(&runtime, 300).await;
            assert_eq!(execution.status(), Status::Waiting);
            execution.continue_with("i1", "ok", None).unwrap();
        };
        let (state, ()) = join(execution.async_start(()), resume).await;
        assert_eq!(state.unwrap(), json!({ "result": "ok" }));
        assert_eq!(runtime.now() - began, Duration::from_millis(400));
    });
}

#[test]
fn f071_intervention_planned() {
    run(|runtime| async move {
        let log = Log::new();
        let flow = flow(&runtime);
        let (noted, rt) = (log.clone(), runtime.clone());
        flow.to(chunk("a", move |_: FlowData| {
            let rt = rt.clone();
            async move {
                sleep(&rt, 30).await;
                Ok("terms")
            }
        }))
        .intervention_point("before_risk")
        .to(chunk("risk", move |data: FlowData| {
            let seen = data.interventions();
            noted.add(json!([
                data.value(),
                seen.iter().map(|i| &i.payload).collect::<Vec<_>>()
            ]));
            async move {
                data.consume_intervention(seen[0].id)?;
                Ok(())
            }
        }));
        let execution = flow.async_start_execution(()).await.unwrap();
        execution
            .intervene(json!({ "text": "A" }), "before_risk")
            .unwrap();
        execution
            .intervene(json!({ "text": "B" }), "other")
            .unwrap();
        execution.async_close().await.unwrap();
        assert_eq!(log.all(), [json!(["terms", [{ "text": "A" }]])]);
        let ledger = execution.result().interventions;
        assert_eq!(
            ledger
                .iter()
                .map(|entry| json!(entry.status))
                .collect::<Vec<_>>(),
            ["consumed", "expired"]
        );
    });
}

#[test]
fn f072_intervention_auto() {
    run(|runtime| async move {
        for (auto, seen) in [(true, json!([{ "m": "auto" }])), (false, json!([]))] {
            let log = Log::new();
            let flow = flow(&runtime);
            let (noted, rt) = (log.clone(), runtime.clone());
            flow.to(chunk("a", move |_: FlowData| {
                let rt = rt.clone();
                async move {
                    sleep(&rt, 30).await;
                    Ok(())
                }
            }))
            .to(chunk("b", move |data: FlowData| {
                let seen: Vec<_> = data
                    .interventions()
                    .into_iter()
                    .map(|i| i.payload)
                    .collect();
                noted.add(seen);
                async { Ok(()) }
            }));
            let mut options = ExecutionOptions::new();
            if auto {
                options = options.auto_interventions();
            }
            let execution = flow.create_execution(options).unwrap();
            let (started, id) = join(execution.async_start(()), async {
                sleep(&runtime, 10).await;
                execution.intervene(json!({ "m": "auto" }), None)
            })
            .await;
            started.unwrap();
            id.unwrap();
            assert_eq!(log.all(), [seen]);
        }
    });
}

#[test]
fn a_collection_inside_another_pauses_as_a_whole_and_caps_stay_hard() {
    run(|runtime| async move {
        let gauge = support::Gauge::default();
        let child = agently_flow::TriggerFlow::new("child");
        let (rt, watch) = (runtime.clone(), gauge.clone());
        child
            .for_each(None)
            .to(chunk("ask", |data: FlowData| async move {
                match data.input::<i64>()? {
                    0 => Ok(json!("no question")),
                    item => Err(Pause::new("ask").id(format!("i{item}")).into()),
                }
            }))
            .to(chunk("work", move |data: FlowData| {
                let (rt, watch) = (rt.clone(), watch.clone());
                async move {
                    let _inside = watch.enter();
                    sleep(&rt, 10).await;
                    Ok(data.value().clone())
                }
            }))
            .end_for_each();
        let flow = flow(&runtime);
        flow.for_each(1)
            .to_sub_flow(
                &child,
                agently_flow::Capture::new(),
                agently_flow::WriteBack::new().put("value", "result"),
            )
            .end_for_each()
            .to(store);
        let execution = flow.create_execution(ExecutionOptions::new()).unwrap();
        execution
            .async_start(json!([[1], [2], [3], [0]]))
            .await
            .unwrap();
        assert_eq!(
            execution.pending_interrupts().len(),
            3,
            "paused items let others in"
        );
        for id in ["i3", "i1", "i2"] {
            execution.continue_with(id, id, None).unwrap();
        }
        let closed = execution.async_close().await.unwrap();
        assert_eq!(
            closed.snapshot,
            json!({ "result": [["i1"], ["i2"], ["i3"], ["no question"]] })
        );
        assert_eq!(gauge.most(), 1, "one item at a time, also after the pause");
    });
}
