//! FLOW.md, "State, resources, stream".

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

mod support;

use std::time::Duration;

use agently_flow::{chunk, ErrorKind, ExecutionOptions, FlowData};
use futures_util::future::join;
use futures_util::StreamExt;
use serde_json::{json, Value};
use support::{flow, run, sleep, store, Log};

#[test]
fn f065_state_paths() {
    run(|runtime| async move {
        let flow = flow(&runtime);
        flow.to(chunk("s", |data: FlowData| async move {
            data.async_set_state("a.b.c", 1).await?;
            assert_eq!(data.get_state::<i64>("a.b.c")?, Some(1));
            assert_eq!(data.get_state::<i64>("a.b.x")?, None);
            data.async_set_state("a", json!({ "z": 1 })).await?;
            assert_eq!(data.get_state::<Value>("a")?, Some(json!({ "z": 1 })));
            data.async_append_state("l", 1).await?;
            data.async_append_state("l", 2).await?;
            assert_eq!(data.get_state::<i64>("l[0]")?, Some(1));
            data.async_set_state("l[1]", 5).await?;
            assert_eq!(data.get_state::<Vec<i64>>("l")?, Some(vec![1, 5]));
            let error = data.async_append_state("a.z", 9).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::StatePath);
            let error = data.async_set_state("a.z.y", 9).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::StatePath);
            assert!(
                error.to_string().contains("at `a.z` there is a number"),
                "{error}"
            );
            assert_eq!(
                data.get_state::<Value>("a")?,
                Some(json!({ "z": 1 })),
                "unchanged"
            );
            data.async_del_state("a.z").await?;
            data.async_del_state("missing").await?;
            assert_eq!(data.get_state::<Value>("a")?, Some(json!({})));
            Ok(())
        }));
        flow.async_start(()).await.unwrap();
    });
}

#[test]
fn f067_resources() {
    run(|runtime| async move {
        let flow = flow(&runtime);
        flow.set_resource("a", 1_i32).set_resource("b", 1_i32);
        flow.to(chunk("use", |data: FlowData| async move {
            let (a, b) = (
                data.require_resource::<i32>("a")?,
                data.require_resource::<i32>("b")?,
            );
            assert!(data.resource::<i32>("missing").is_none());
            let error = data.require_resource::<i32>("nope").unwrap_err();
            assert_eq!(error.kind(), ErrorKind::MissingResource);
            assert!(error.to_string().contains("there are: `a`, `b`"), "{error}");
            Ok((*a, *b))
        }))
        .to(store);
        let execution = flow
            .create_execution(ExecutionOptions::new().resource("b", 2_i32))
            .unwrap();
        assert_eq!(
            execution.async_start(()).await.unwrap(),
            json!({ "result": [1, 2] }),
            "the nearer wins"
        );
    });
}

#[test]
fn f069_flow_data_is_shared_by_all_executions_and_in_no_snapshot() {
    run(|runtime| async move {
        let flow = flow(&runtime);
        flow.to(chunk("s", |data: FlowData| async move {
            data.flow_data()
                .update("counter", |old| json!(old.as_i64().unwrap_or(0) + 1))?;
            Ok(())
        }));
        assert_eq!(flow.async_start(()).await.unwrap(), json!({}));
        flow.async_start(()).await.unwrap();
        assert_eq!(flow.flow_data().get::<i64>("counter").unwrap(), Some(2));
    });
}

#[test]
fn f051_stream_readers_early_and_late_see_every_item() {
    run(|runtime| async move {
        let flow = flow(&runtime);
        let rt = runtime.clone();
        flow.to(chunk("s", move |data: FlowData| {
            let rt = rt.clone();
            async move {
                for item in 0..5 {
                    data.async_put_into_stream(item).await?;
                    sleep(&rt, 2).await;
                }
                Ok(())
            }
        }));
        let execution = flow.create_execution(ExecutionOptions::new()).unwrap();
        let early = execution.get_async_runtime_stream();
        execution.async_start(()).await.unwrap();
        execution.async_close().await.unwrap();
        let late = execution.get_async_runtime_stream();
        for reader in [early, late] {
            let items: Vec<_> = reader.map(|item| item.unwrap()).collect().await;
            assert_eq!(items, [0, 1, 2, 3, 4]);
        }
    });
}

#[test]
fn f052_stream_hidden() {
    run(|runtime| async move {
        let flow = flow(&runtime);
        flow.to(chunk("s", |data: FlowData| async move {
            data.async_put_into_stream("a").await?;
            data.async_put_into_stream("b").await?;
            Ok(())
        }));
        let items: Vec<_> = flow
            .get_async_runtime_stream(())
            .map(|item| item.unwrap())
            .collect()
            .await;
        assert_eq!(items, ["a", "b"]);
    });
}

#[test]
fn a_readers_own_time_limit_ends_with_an_error_item() {
    run(|runtime| async move {
        let flow = flow(&runtime);
        let rt = runtime.clone();
        flow.to(chunk("s", move |data: FlowData| {
            let rt = rt.clone();
            async move {
                data.async_put_into_stream(1).await?;
                sleep(&rt, 100).await;
                Ok(data.async_put_into_stream(2).await?)
            }
        }));
        let execution = flow.create_execution(ExecutionOptions::new()).unwrap();
        let reader = execution
            .get_async_runtime_stream()
            .with_timeout(Duration::from_millis(10));
        let (items, _) = join(reader.collect::<Vec<_>>(), execution.async_start(())).await;
        assert_eq!(items.len(), 2);
        assert_eq!(*items[0].as_ref().unwrap(), 1);
        assert_eq!(
            items[1].as_ref().unwrap_err().kind(),
            ErrorKind::ReadTimeout
        );
        execution.async_close().await.unwrap();
        let all: Vec<_> = execution
            .get_async_runtime_stream()
            .map(|i| i.unwrap())
            .collect()
            .await;
        assert_eq!(all, [1, 2], "nothing is lost");
    });
}

#[test]
fn with_a_stream_capacity_writers_wait() {
    run(|runtime| async move {
        let log = Log::new();
        let flow = flow(&runtime);
        let noted = log.clone();
        flow.to(chunk("s", move |data: FlowData| {
            let log = noted.clone();
            async move {
                for item in 0..6 {
                    data.async_put_into_stream(item).await?;
                    log.add(item);
                }
                Ok(())
            }
        }));
        let execution = flow
            .create_execution(ExecutionOptions::new().stream_capacity(2))
            .unwrap();
        let mut reader = execution.get_async_runtime_stream();
        let read = async {
            let mut items = Vec::new();
            sleep(&runtime, 10).await;
            assert_eq!(log.len(), 2, "the writer waits for the reader");
            for _ in 0..6 {
                items.push(reader.next().await.unwrap().unwrap());
            }
            items
        };
        let (items, done) = join(read, execution.async_start(())).await;
        done.unwrap();
        assert_eq!(items, [0, 1, 2, 3, 4, 5]);
        let late = execution.get_async_runtime_stream().next().await.unwrap();
        assert_eq!(late.unwrap_err().kind(), ErrorKind::StreamLagged);
    });
}

#[test]
fn f085_a_value_that_is_no_json_is_an_error_and_never_its_printed_form() {
    run(|runtime| async move {
        let flow = flow(&runtime);
        flow.to(chunk("a", |data: FlowData| async move {
            let odd = std::collections::BTreeMap::from([((1, 2), "a pair is no key")]);
            let error = data.async_set_state("odd", &odd).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Type);
            assert!(error.to_string().contains("in chunk `a`"), "{error}");
            Ok(odd)
        }));
        let error = flow.async_start(()).await.unwrap_err();
        assert_eq!((error.kind(), error.chunk()), (ErrorKind::Type, Some("a")));
    });
}

#[test]
fn f066_what_is_read_is_a_copy() {
    run(|runtime| async move {
        let flow = flow(&runtime);
        flow.to(chunk("a", |data: FlowData| async move {
            let mut value = json!({ "v": [1] });
            data.async_set_state("o", &value).await?;
            value["v"] = json!("changed");
            let mut read: Value = data.get_state("o")?.unwrap();
            read["v"] = json!("changed");
            Ok(data.get_state::<Value>("o")?)
        }))
        .to(store);
        let state = flow.async_start(()).await.unwrap();
        assert_eq!(state["result"], json!({ "v": [1] }));
    });
}
