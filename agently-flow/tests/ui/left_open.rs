#![deny(unused_must_use)]

use agently_flow::{ChunkResult, FlowData, TriggerFlow};

async fn work(_: FlowData) -> ChunkResult<()> {
    Ok(())
}

fn main() {
    let flow = TriggerFlow::new("open");
    flow.for_each(2).to(work);
}
