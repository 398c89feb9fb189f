use agently_flow::TriggerFlow;

fn add(a: i64, b: i64) -> i64 {
    a + b
}

fn main() {
    let flow = TriggerFlow::new("not a chunk");
    flow.to(add);
}
