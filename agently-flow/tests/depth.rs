//! FLOW.md, "Signals": no recursion in the engine.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

mod support;

use agently_flow::{chunk, ChunkError, FlowData};
use serde_json::json;
use support::{flow, store};

async fn inc(data: FlowData) -> agently_flow::ChunkResult<i64> {
    Ok(data.input::<i64>()? + 1)
}

#[test]
fn f086_deep_chain_a_chain_of_100_000_chunks_uses_no_stack() {
    run_once(|runtime| async move {
        let flow = flow(&runtime);
        let mut chain = flow.to(inc);
        for _ in 1..100_000 {
            chain = chain.to(inc);
        }
        chain.to(store);
        assert_eq!(
            flow.async_start(0).await.unwrap(),
            json!({ "result": 100_000 })
        );
    });
}

#[test]
fn nested_awaited_emits_100_000_deep_use_no_stack() {
    run_once(|runtime| async move {
        let flow = flow(&runtime);
        flow.to(chunk("go", |data: FlowData| async move {
            Ok(data.async_emit("Down", 100_000).await?)
        }));
        flow.when("Down")
            .to(chunk("down", |data: FlowData| async move {
                let left: u64 = data.input()?;
                if left > 0 {
                    data.async_emit("Down", left - 1).await?;
                }
                Ok(())
            }));
        flow.async_start(()).await.unwrap();
    });
}

#[test]
fn a_failure_100_000_awaited_emits_deep_uses_no_stack() {
    run_once(|runtime| async move {
        let flow = flow(&runtime);
        flow.to(chunk("go", |data: FlowData| async move {
            Ok(data.async_emit("Down", 100_000).await?)
        }));
        flow.when("Down")
            .to(chunk("down", |data: FlowData| async move {
                match data.input::<u64>()? {
                    0 => Err(ChunkError::msg("the bottom")),
                    left => Ok(data.async_emit("Down", left - 1).await?),
                }
            }));
        let error = flow.async_start(()).await.unwrap_err();
        assert_eq!(error.chunk(), Some("down"));
    });
}

fn run_once<F: std::future::Future<Output = ()>>(test: impl Fn(agently_api::rt::Runtime) -> F) {
    let det = agently_testkit::det::Det::new(1);
    let runtime = det.runtime();
    det.block_on(test(runtime)).unwrap();
}
