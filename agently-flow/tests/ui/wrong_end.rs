use agently_flow::{ChunkResult, FlowData, TriggerFlow};

async fn work(_: FlowData) -> ChunkResult<()> {
    Ok(())
}

fn main() {
    let flow = TriggerFlow::new("wrong");
    flow.for_each(2).to(work).end_condition();
}
