use agently_core::Output;
use serde::Deserialize;

#[derive(Deserialize)]
struct Plain {
    x: i32,
}

#[derive(Deserialize, Output)]
#[output(crate = "agently_core")]
struct Nested {
    plain: Plain,
}

#[derive(Deserialize, Output)]
#[output(crate = "agently_core")]
struct Limits {
    #[output(max_len = 3)]
    list: Vec<String>,
    #[output(min_items = 3)]
    text: String,
    #[output(min = 3)]
    words: Option<String>,
    #[output(not_empty)]
    number: i32,
    #[output(each(min = 1))]
    names: Option<Vec<String>>,
}

fn main() {}
