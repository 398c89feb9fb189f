use agently_core::{Listener, Output, Request};
use serde::Deserialize;

#[derive(Deserialize, Output)]
#[output(crate = "agently_core")]
struct Report {
    sections: Vec<Section>,
}

#[derive(Deserialize, Output)]
#[output(crate = "agently_core")]
struct Section {
    title: String,
}

fn wrong(request: Request) {
    let _ = Report::paths().titel();
    let _ = Report::paths().sections().title();
    let _ = Listener::new()
        .on(Report::paths().sections(), |_| {})
        .on(Section::paths().title(), |_| {});
    let _ = request.output_type::<(String, i32)>();
}

fn main() {}
