use agently_flow::TriggerFlow;

fn main() {
    let flow = TriggerFlow::new("not a chunk");
    flow.to(42);
}
