//! FLOW.md, "Signals".

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

mod support;

use agently_flow::{chunk, ChunkError, ErrorKind, ExecutionOptions, FlowData, Join, Trigger};
use serde_json::{json, Value};
use support::{flow, pass, run, sleep, store, Log};

#[test]
fn f001_linear_chain() {
    run(|runtime| async move {
        let log = Log::new();
        let flow = flow(&runtime);
        let (a, b, c) = (log.clone(), log.clone(), log.clone());
        flow.to(chunk("a", move |data: FlowData| {
            a.add(("a", data.value()));
            async move { Ok(data.input::<i64>()? + 1) }
        }))
        .to(chunk("b", move |data: FlowData| {
            b.add(("b", data.value()));
            async move { Ok(data.input::<i64>()? * 10) }
        }))
        .to(chunk("c", move |data: FlowData| {
            c.add(("c", data.value()));
            async move {
                data.async_set_state("result", data.value()).await?;
                Ok("ignored")
            }
        }));
        assert_eq!(flow.async_start(1).await.unwrap(), json!({ "result": 20 }));
        assert_eq!(
            log.all(),
            [json!(["a", 1]), json!(["b", 2]), json!(["c", 20])]
        );
    });
}

async fn inc(data: FlowData) -> agently_flow::ChunkResult<i64> {
    Ok(data.input::<i64>()? + 1)
}

#[test]
fn f093_same_function_twice_in_chain() {
    run(|runtime| async move {
        let flow = flow(&runtime);
        flow.to(inc).to(inc).to(store);
        assert_eq!(flow.async_start(1).await.unwrap(), json!({ "result": 3 }));
    });
}

#[test]
fn f078_the_same_wiring_declared_twice_makes_one_edge() {
    run(|runtime| async move {
        let log = Log::new();
        let flow = flow(&runtime);
        let noted = log.chunk("inc");
        flow.when("E").to(noted.clone());
        flow.when("E").to(noted);
        flow.to(chunk("a", |data: FlowData| async move {
            Ok(data.async_emit("E", 1).await?)
        }));
        flow.async_start(0).await.unwrap();
        assert_eq!(log.all(), [json!(["inc", 1])]);
    });
}

#[test]
fn f078_two_equal_given_names_are_refused_at_definition() {
    run(|runtime| async move {
        let flow = flow(&runtime);
        flow.to(chunk("same", inc)).to(chunk("same", pass));
        let error = flow.async_start(0).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Definition);
        assert!(
            error.to_string().contains("two stages are named `same`"),
            "{error}"
        );
    });
}

#[test]
fn f078_an_unknown_name_is_a_definition_error() {
    run(|runtime| async move {
        let flow = flow(&runtime);
        flow.to("nobody");
        let error = flow.async_start(0).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Definition);
        assert!(
            error.to_string().contains("no chunk named `nobody`"),
            "{error}"
        );
    });
}

#[test]
fn f004_async_emit_waits_for_handlers_and_all_that_follows() {
    run(|runtime| async move {
        let log = Log::new();
        let flow = flow(&runtime);
        let noted = log.clone();
        flow.to(chunk("prep", move |data: FlowData| {
            let log = noted.clone();
            async move {
                log.add("before");
                data.async_emit("E", json!({ "v": 1 })).await?;
                log.add("after");
                Ok(())
            }
        }));
        flow.when("E").to(log.chunk("h1")).to(log.chunk("h1b"));
        flow.when("E").to(log.chunk("h2"));
        flow.async_start(()).await.unwrap();
        let all = log.all();
        assert_eq!(all.len(), 5);
        assert_eq!(all.first().unwrap(), "before");
        assert_eq!(all.last().unwrap(), "after");
    });
}

#[test]
fn f005_emit_nowait_order() {
    run(|runtime| async move {
        let log = Log::new();
        let flow = flow(&runtime);
        let noted = log.clone();
        flow.to(chunk("prep", move |data: FlowData| {
            let log = noted.clone();
            async move {
                log.add("before");
                data.emit_nowait("E", 1)?;
                log.add("after");
                Ok(())
            }
        }));
        flow.when("E").to(log.chunk("h1")).to(log.chunk("h1b"));
        flow.when("E").to(log.chunk("h2"));
        flow.async_start(()).await.unwrap();
        let all = log.all();
        assert_eq!(all[..2], [json!("before"), json!("after")]);
        assert_eq!(all.len(), 5, "hidden start drains what was emitted");
    });
}

#[test]
fn every_emit_is_its_own_event() {
    run(|runtime| async move {
        let log = Log::new();
        let flow = flow(&runtime);
        flow.to(chunk("a", |data: FlowData| async move {
            for number in 0..3 {
                data.emit_nowait("E", number)?;
            }
            Ok(())
        }));
        flow.when("E").to(log.chunk("h"));
        flow.async_start(()).await.unwrap();
        assert_eq!(
            log.all(),
            [json!(["h", 0]), json!(["h", 1]), json!(["h", 2])]
        );
    });
}

#[test]
fn an_event_that_nobody_listens_to_is_no_error_and_is_counted() {
    run(|runtime| async move {
        let flow = flow(&runtime);
        flow.to(chunk("a", |data: FlowData| async move {
            Ok(data.async_emit("Nobody", 1).await?)
        }));
        let execution = flow.create_execution(ExecutionOptions::new()).unwrap();
        execution.async_start(()).await.unwrap();
        execution.async_emit("Nobody", 2).await.unwrap();
        assert_eq!(execution.result().counts.unheard, 2);
    });
}

#[test]
fn f006_when_and() {
    run(|runtime| async move {
        let log = Log::new();
        let flow = flow(&runtime);
        flow.to(chunk("start", |data: FlowData| async move {
            data.async_emit("A", 1).await?;
            data.async_emit("B", 2).await?;
            Ok(())
        }));
        flow.when_all(["A", "B"]).to(log.chunk("join"));
        flow.async_start(()).await.unwrap();
        assert_eq!(log.all(), [json!(["join", { "A": 1, "B": 2 }])]);
    });
}

fn five_emits(join: Join) -> Vec<Value> {
    let collected = Log::new();
    let seen = collected.clone();
    run(move |runtime| {
        let log = Log::new();
        let seen = seen.clone();
        async move {
            let flow = flow(&runtime);
            flow.to(chunk("start", |data: FlowData| async move {
                for (event, value) in [("A", 1), ("A", 2), ("B", 3), ("B", 4), ("A", 5)] {
                    data.async_emit(event, value).await?;
                }
                Ok(())
            }));
            flow.when_all_with(["A", "B"], join).to(log.chunk("join"));
            flow.async_start(()).await.unwrap();
            seen.add(log.all());
        }
    });
    let all = collected.all();
    assert!(all.iter().all(|one| *one == all[0]), "every seed agrees");
    all[0].as_array().unwrap().clone()
}

#[test]
fn f008_when_and_repeated_a_newer_value_replaces_the_older() {
    assert_eq!(
        five_emits(Join::Latest),
        [
            json!(["join", { "A": 2, "B": 3 }]),
            json!(["join", { "A": 5, "B": 4 }])
        ]
    );
}

#[test]
fn join_queue_pairs_values_in_order_and_loses_none() {
    assert_eq!(
        five_emits(Join::Queue),
        [
            json!(["join", { "A": 1, "B": 3 }]),
            json!(["join", { "A": 2, "B": 4 }])
        ]
    );
}

#[test]
fn f009_when_and_external_emit() {
    run(|runtime| async move {
        let log = Log::new();
        let flow = flow(&runtime);
        flow.when_all(["A", "B"]).to(log.chunk("join"));
        let execution = flow.create_execution(ExecutionOptions::new()).unwrap();
        execution.async_start(()).await.unwrap();
        execution.async_emit("A", 1).await.unwrap();
        execution.async_emit("B", 2).await.unwrap();
        execution.async_close().await.unwrap();
        assert_eq!(log.all(), [json!(["join", { "A": 1, "B": 2 }])]);
    });
}

#[test]
fn f010_when_and_two_chunks_scopes() {
    run(|runtime| async move {
        let log = Log::new();
        let flow = flow(&runtime);
        flow.to(chunk("x", |data: FlowData| async move {
            Ok(data.async_emit("A", 1).await?)
        }));
        flow.to(chunk("y", |data: FlowData| async move {
            Ok(data.async_emit("B", 2).await?)
        }));
        flow.when_all(["A", "B"]).to(log.chunk("join"));
        flow.async_start(()).await.unwrap();
        assert_eq!(log.all(), [json!(["join", { "A": 1, "B": 2 }])]);
    });
}

#[test]
fn a_join_belongs_to_one_scope() {
    run(|runtime| async move {
        let log = Log::new();
        let flow = flow(&runtime);
        let rt = runtime.clone();
        flow.for_each(None)
            .to(chunk("item", move |data: FlowData| {
                let rt = rt.clone();
                async move {
                    let item: u64 = data.input()?;
                    data.async_emit("A", item).await?;
                    sleep(&rt, 10).await;
                    data.async_emit("B", item).await?;
                    Ok(item)
                }
            }))
            .end_for_each();
        flow.when_all(["A", "B"]).to(log.chunk("join"));
        flow.async_start([1, 2, 3]).await.unwrap();
        let mut all = log.all();
        all.sort_by_key(ToString::to_string);
        assert_eq!(
            all,
            [1, 2, 3].map(|item| json!(["join", { "A": item, "B": item }])),
            "items never join with each other"
        );
    });
}

#[test]
fn f011_when_chunk() {
    run(|runtime| async move {
        let log = Log::new();
        let flow = flow(&runtime);
        flow.to(chunk("a", |_: FlowData| async { Ok("ra") }))
            .to(chunk("b", |_: FlowData| async { Ok("rb") }));
        flow.when_chunk("a").to(log.chunk("when a"));
        flow.when_chunk("b").to(log.chunk("when b"));
        flow.async_start(()).await.unwrap();
        assert_eq!(
            log.all(),
            [json!(["when a", "ra"]), json!(["when b", "rb"])]
        );
    });
}

#[test]
fn f012_when_state() {
    run(|runtime| async move {
        let log = Log::new();
        let flow = flow(&runtime);
        flow.to(chunk("s", |data: FlowData| async move {
            data.async_set_state("k", 1).await?;
            data.async_set_state("k", 1).await?;
            data.silent().async_set_state("k", 2).await?;
            data.async_set_state("obj", json!({ "x": 1 })).await?;
            data.async_set_state("obj.x", 2).await?;
            data.async_append_state("l", "a").await?;
            data.async_append_state("l", "b").await?;
            data.async_del_state("k").await?;
            Ok(())
        }));
        flow.when_state("k").to(log.chunk("k"));
        flow.when_state("obj.x").to(log.chunk("obj.x"));
        flow.when_state("l").to(log.chunk("l"));
        flow.async_start(()).await.unwrap();
        assert_eq!(
            log.all(),
            [
                json!(["k", 1]),
                json!(["k", 1]),
                // A write above fires what it changed below.
                json!(["obj.x", 1]),
                json!(["obj.x", 2]),
                json!(["l", ["a"]]),
                json!(["l", ["a", "b"]]),
                json!(["k", null]),
            ]
        );
    });
}

#[test]
fn a_write_below_fires_the_path_above() {
    run(|runtime| async move {
        let log = Log::new();
        let flow = flow(&runtime);
        flow.to(chunk("s", |data: FlowData| async move {
            data.async_set_state("user.name", "Ada").await?;
            data.async_set_state("user.name", "Ada").await?;
            data.async_set_state("other", 1).await?;
            Ok(())
        }));
        flow.when_state("user").to(log.chunk("user"));
        flow.async_start(()).await.unwrap();
        assert_eq!(
            log.all(),
            [json!(["user", { "name": "Ada" }])],
            "an equal value changes nothing above"
        );
    });
}

#[test]
fn f013_mixed_kinds_join_too() {
    run(|runtime| async move {
        let log = Log::new();
        let flow = flow(&runtime);
        flow.to(chunk("s", |data: FlowData| async move {
            data.async_set_state("k", 7).await?;
            data.async_emit("E", 8).await?;
            Ok(())
        }));
        flow.when_all([Trigger::state("k"), Trigger::event("E")])
            .to(log.chunk("join"));
        flow.async_start(()).await.unwrap();
        assert_eq!(log.all(), [json!(["join", { "k": 7, "E": 8 }])]);
    });
}

#[test]
fn when_any_learns_which() {
    run(|runtime| async move {
        let log = Log::new();
        let flow = flow(&runtime);
        flow.to(chunk("s", |data: FlowData| async move {
            data.async_emit("B", 2).await?;
            data.async_emit("A", 1).await?;
            Ok(())
        }));
        let noted = log.clone();
        flow.when_any(["A", "B"])
            .to(chunk("any", move |data: FlowData| {
                noted.add((data.signal().name().to_owned(), data.value()));
                async { Ok(()) }
            }));
        flow.async_start(()).await.unwrap();
        assert_eq!(log.all(), [json!(["B", 2]), json!(["A", 1])]);
    });
}

#[test]
fn f081_dynamic_on_off() {
    run(|runtime| async move {
        let log = Log::new();
        let flow = flow(&runtime);
        flow.register(log.chunk("h"));
        let execution = flow.create_execution(ExecutionOptions::new()).unwrap();
        execution.async_start(()).await.unwrap();
        execution.on("Dyn", "b1", "h").unwrap();
        execution.async_emit("Dyn", 1).await.unwrap();
        assert!(execution.off("b1"));
        execution.async_emit("Dyn", 2).await.unwrap();
        assert_eq!(log.all(), [json!(["h", 1])]);
        let error = execution.on("Dyn", "b2", "nobody").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::UnknownChunk);
    });
}

#[test]
fn f062_the_error_of_a_handler_is_the_emitters() {
    run(|runtime| async move {
        let log = Log::new();
        let flow = flow(&runtime);
        let noted = log.clone();
        flow.to(chunk("a", move |data: FlowData| {
            let log = noted.clone();
            async move {
                if let Err(error) = data.async_emit("E", 1).await {
                    log.add(("caught", error.chunk()));
                }
                Ok("a")
            }
        }))
        .to(log.chunk("b"));
        flow.when("E").to(chunk("bad", |_: FlowData| async {
            Err::<(), _>(ChunkError::msg("in handler"))
        }));
        flow.async_start(()).await.unwrap();
        assert_eq!(log.all(), [json!(["caught", "bad"]), json!(["b", "a"])]);
    });
}

#[test]
fn an_error_the_emitter_returns_fails_the_execution() {
    run(|runtime| async move {
        let flow = flow(&runtime);
        flow.to(chunk("a", |data: FlowData| async move {
            Ok(data.async_emit("E", 1).await?)
        }));
        flow.when("E").to(chunk("bad", |_: FlowData| async {
            Err::<(), _>(ChunkError::msg("in handler"))
        }));
        let error = flow.async_start(()).await.unwrap_err();
        assert_eq!(
            (error.kind(), error.chunk()),
            (ErrorKind::Chunk, Some("bad"))
        );
    });
}

#[test]
fn f075_event_loop() {
    run(|runtime| async move {
        let flow = flow(&runtime);
        flow.to(chunk("begin", |data: FlowData| async move {
            data.async_set_state("values", json!([])).await?;
            data.emit_nowait("Loop", 0)?;
            Ok(())
        }));
        flow.when("Loop")
            .to(chunk("step", |data: FlowData| async move {
                let number: i64 = data.input()?;
                data.async_append_state("values", number).await?;
                if number < 4 {
                    data.emit_nowait("Loop", number + 1)?;
                } else {
                    data.async_set_state("done", true).await?;
                }
                Ok(())
            }));
        let state = flow.async_start(()).await.unwrap();
        assert_eq!(state, json!({ "values": [0, 1, 2, 3, 4], "done": true }));
    });
}

#[test]
fn f088_a_chunk_learns_which_signal_it_answers() {
    run(|runtime| async move {
        let log = Log::new();
        let flow = flow(&runtime);
        let told = |name: &'static str| {
            let log = log.clone();
            chunk(name, move |data: FlowData| {
                log.add(json!([name, data.signal()]));
                async move {
                    if name == "b" {
                        data.async_emit("E", 1).await?;
                    }
                    Ok(())
                }
            })
        };
        flow.to(told("a")).to(told("b"));
        flow.when("E").to(told("e"));
        flow.async_start(()).await.unwrap();
        assert_eq!(
            log.all(),
            [
                json!(["a", { "kind": "start" }]),
                json!(["b", { "kind": "chunk", "name": "a" }]),
                json!(["e", { "kind": "event", "name": "E" }]),
            ]
        );
    });
}

#[test]
fn f097_when_state_and() {
    run(|runtime| async move {
        let log = Log::new();
        let flow = flow(&runtime);
        flow.to(chunk("s", |data: FlowData| async move {
            data.async_set_state("a", 1).await?;
            data.async_set_state("b", 2).await?;
            Ok(())
        }));
        flow.when_all([Trigger::state("a"), Trigger::state("b")])
            .to(log.chunk("join"));
        flow.async_start(()).await.unwrap();
        assert_eq!(log.all(), [json!(["join", { "a": 1, "b": 2 }])]);
    });
}
