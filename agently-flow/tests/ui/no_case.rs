use agently_flow::{ChunkResult, FlowData, Hits, TriggerFlow};

async fn work(_: FlowData) -> ChunkResult<()> {
    Ok(())
}

fn main() {
    let flow = TriggerFlow::new("no case");
    flow.match_(Hits::First).to(work).end_match();
}
