use agently_flow::{ChunkResult, FlowData, TriggerFlow};

async fn work(_: FlowData) -> ChunkResult<()> {
    Ok(())
}

fn main() {
    let flow = TriggerFlow::new("behind else");
    flow.if_condition(true)
        .to(work)
        .else_condition()
        .to(work)
        .elif_condition(false)
        .end_condition();
}
