use agently_core::Output;

#[derive(Output)]
#[output(crate = "agently_core")]
struct Wrong {
    #[output(max_length = 3)]
    a: String,
    #[output(max_len = "3")]
    b: String,
    #[output(min_len = 3, max_len = 2)]
    c: String,
    #[output(not_empty, not_empty)]
    d: String,
    #[output(pattern = "(")]
    e: String,
    #[output(one_of())]
    f: String,
    #[output(each())]
    g: Vec<String>,
    #[output(each(desc = "x"))]
    h: Vec<String>,
    #[serde(skip)]
    #[output(max_len = 3)]
    i: String,
    #[serde(deserialize_with = "read")]
    j: String,
    #[serde(rename = "$k")]
    k: String,
    #[serde(rename = "a")]
    l: String,
}

#[derive(Output)]
#[output(crate = "agently_core", max_len = 3)]
struct Limits(String);

fn main() {}
