use agently_core::Output;

#[derive(Output)]
#[output(crate = "agently_core")]
struct Forgotten {
    text: String,
}

fn main() {}
