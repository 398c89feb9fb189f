use agently_core::Output;
use serde::Deserialize;

#[derive(Deserialize, Output)]
#[output(crate = "agently_core")]
struct Tuple(String, i32);

#[derive(Deserialize, Output)]
#[output(crate = "agently_core")]
struct Unit;

#[derive(Deserialize, Output)]
#[output(crate = "agently_core")]
struct Borrowed<'a> {
    text: &'a str,
}

#[derive(Deserialize, Output)]
#[output(crate = "agently_core")]
enum Data {
    Plain,
    Text(String),
}

#[derive(Deserialize, Output)]
#[output(crate = "agently_core")]
#[serde(tag = "kind")]
enum Tagged {
    A,
}

#[derive(Deserialize, Output)]
#[output(crate = "agently_core")]
enum Never {}

fn main() {}
